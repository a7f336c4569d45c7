//! Tells a torn tail from damage: is there a whole record behind the place where none stands?
//!
//! A write that a crash cut short leaves nothing whole behind it. Where something whole follows, more
//! than a tail is at stake, and cutting would destroy good records.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::format::{HEADER_LEN, Header, checksum_of_header};

/// What a search came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Search {
    /// A whole record begins here.
    Found(u64),
    /// There is none.
    Nothing,
    /// Too much looked like one. Pane bytes can be made to look so; nothing is known then.
    GaveUp,
}

const WINDOW: usize = 64 << 10;

/// How many payload bytes are checked before the search gives up, so that hostile bytes cannot make it
/// quadratic.
const BUDGET: u64 = 256 << 20;

/// The first whole record that begins at `from` or later.
pub(super) fn find_record(file: &File, from: u64) -> io::Result<Search> {
    let end = file.metadata()?.len();
    let mut budget = BUDGET;
    let mut window = vec![0; WINDOW];
    let mut start = from;
    while start + HEADER_LEN as u64 <= end {
        let got = read_at(file, &mut window, start)?;
        let seen = window.get(..got).unwrap_or_default();
        let mut next = start;
        for bytes in seen.array_windows::<HEADER_LEN>() {
            let header = Header::decode_if_plausible(bytes);
            let at = next;
            next += 1;
            let Some(header) = header.filter(|header| header.record_len() <= end - at) else {
                continue;
            };
            let Some(left) = budget.checked_sub(header.record_len()) else {
                return Ok(Search::GaveUp);
            };
            budget = left;
            if is_whole(file, at, bytes, &header)? {
                return Ok(Search::Found(at));
            }
        }
        if next == start {
            break;
        }
        start = next;
    }
    Ok(Search::Nothing)
}

fn is_whole(file: &File, at: u64, bytes: &[u8; HEADER_LEN], header: &Header) -> io::Result<bool> {
    let mut hasher = checksum_of_header(bytes);
    let mut chunk = vec![0; WINDOW.min(header.length as usize)];
    let mut at = at + HEADER_LEN as u64;
    let mut left = header.length as usize;
    while left > 0 {
        let want = left.min(chunk.len());
        let Some(part) = chunk.get_mut(..want) else {
            return Ok(false);
        };
        let got = read_at(file, part, at)?;
        if got == 0 {
            return Ok(false);
        }
        hasher.update(part.get(..got).unwrap_or_default());
        at += got as u64;
        left -= got;
    }
    Ok(hasher.finalize() == header.crc)
}

/// Reads until `buffer` is full or the file ends.
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    super::fill::fill(&mut At { file, at }, buffer)
}

/// Reads from a place of its own, so that the file's own place stays.
struct At<'a> {
    file: &'a File,
    at: u64,
}

impl io::Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.file.read_at(buffer, self.at)?;
        self.at += got as u64;
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::format::{Kind, PAYLOAD_MAX, Position, encode};
    use crate::journal::sample;
    use std::io::Write;

    fn record(payload: &[u8]) -> Vec<u8> {
        let header = encode(Kind::OUTPUT, Position::default(), sample::stamp(0), payload);
        [header.unwrap().as_slice(), payload].concat()
    }

    fn search(bytes: &[u8], from: u64) -> Search {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        find_record(&file, from).unwrap()
    }

    #[test]
    fn finds_a_record_wherever_it_begins() {
        for before in [
            0,
            1,
            39,
            40,
            WINDOW - 41,
            WINDOW - 20,
            WINDOW,
            3 * WINDOW + 7,
        ] {
            let mut bytes = vec![b'x'; before];
            bytes.extend(record(&vec![7; WINDOW + 3]));
            assert_eq!(search(&bytes, 0), Search::Found(before as u64), "{before}");
            assert_eq!(search(&bytes, before as u64 + 1), Search::Nothing);
        }
    }

    #[test]
    fn a_piece_of_a_record_is_nothing() {
        let whole = record(&[b'a'; 100]);
        for length in 0..whole.len() {
            assert_eq!(search(&whole[..length], 0), Search::Nothing, "{length}");
        }
        assert_eq!(search(&vec![0; 3 * WINDOW], 0), Search::Nothing);
    }

    #[test]
    fn bytes_made_to_look_like_headers_do_not_keep_it_busy() {
        // Every 12 bytes a header that claims a long payload.
        let mut lure = Vec::new();
        lure.extend((PAYLOAD_MAX / 16).to_le_bytes());
        lure.extend([2, 0, 0, 0]);
        lure.extend([0; 4]);
        let bytes = lure.repeat((4 << 20) / lure.len());
        assert_eq!(search(&bytes, 0), Search::GaveUp);
    }
}
