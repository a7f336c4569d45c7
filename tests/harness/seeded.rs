//! A stream of bytes that is a pure function of a seed.
//!
//! The program in the pane prints it, the test that reads the other end knows every byte of it,
//! and neither has to keep it: byte `n` can be computed without the ones before, so a check can
//! begin anywhere and gigabytes cost no memory.

use std::fmt;

/// What the bytes look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Every value from 0 to 255 equally often: mostly not UTF-8, full of escape sequences.
    Bytes,
    /// Lines of [`LINE`] bytes, `000000000042 <printable ASCII>\n`: readable, and a gap shows.
    Text,
}

/// The length of a line of [`Kind::Text`], its newline included.
pub const LINE: u64 = 64;

const DIGITS: u64 = 12;

/// A stream of bytes fixed by its seed and its [`Kind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeded {
    seed: u64,
    kind: Kind,
}

impl Seeded {
    /// The stream of all 256 byte values.
    #[must_use]
    pub const fn bytes(seed: u64) -> Self {
        Self {
            seed,
            kind: Kind::Bytes,
        }
    }

    /// The stream of numbered printable lines.
    #[must_use]
    pub const fn text(seed: u64) -> Self {
        Self {
            seed,
            kind: Kind::Text,
        }
    }

    /// The byte at `offset`.
    #[must_use]
    pub fn at(self, offset: u64) -> u8 {
        match self.kind {
            Kind::Bytes => self.raw(offset),
            Kind::Text => self.text_at(offset),
        }
    }

    /// Writes the bytes from `offset` on into `buffer`, all of it.
    pub fn fill(self, offset: u64, buffer: &mut [u8]) {
        match self.kind {
            Kind::Bytes => self.fill_words(offset, buffer),
            Kind::Text => {
                for (offset, byte) in (offset..).zip(buffer) {
                    *byte = self.text_at(offset);
                }
            }
        }
    }

    /// A word at a time: tests are built without optimisation, and floods are long.
    fn fill_words(self, offset: u64, buffer: &mut [u8]) {
        let skipped = (offset % 8) as usize;
        let (head, rest) = buffer.split_at_mut(buffer.len().min((8 - skipped) % 8));
        head.copy_from_slice(&self.word(offset / 8)[skipped % 8..][..head.len()]);
        let first = offset.div_ceil(8);
        for (number, part) in (first..).zip(rest.chunks_mut(8)) {
            part.copy_from_slice(&self.word(number)[..part.len()]);
        }
    }

    /// The first `length` bytes.
    #[must_use]
    pub fn prefix(self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.fill(0, &mut bytes);
        bytes
    }

    /// The stream from `offset` on, without end.
    pub fn iter_from(self, offset: u64) -> impl Iterator<Item = u8> {
        (offset..).map(move |offset| self.at(offset))
    }

    /// Whether `got` is what the stream has at `offset`.
    ///
    /// # Errors
    ///
    /// The first byte that differs.
    pub fn check(self, offset: u64, got: &[u8]) -> Result<(), Mismatch> {
        let mut wanted = vec![0; got.len()];
        self.fill(offset, &mut wanted);
        let Some(index) = got
            .iter()
            .zip(&wanted)
            .position(|(got, wanted)| got != wanted)
        else {
            return Ok(());
        };
        let around = index.saturating_sub(8)..got.len().min(index + 24);
        Err(Mismatch {
            offset: offset + index as u64,
            first: offset + around.start as u64,
            got: got[around.clone()].to_vec(),
            wanted: wanted[around].to_vec(),
        })
    }

    fn raw(self, offset: u64) -> u8 {
        self.word(offset / 8)[(offset % 8) as usize]
    }

    /// `SplitMix64` as a counter: word `n` mixes `seed + (n + 1) * GAMMA`.
    fn word(self, number: u64) -> [u8; 8] {
        const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut word = self.seed.wrapping_add((number + 1).wrapping_mul(GAMMA));
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^= word >> 31;
        word.to_le_bytes()
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a column and a digit are small"
    )]
    fn text_at(self, offset: u64) -> u8 {
        let (line, column) = (offset / LINE, offset % LINE);
        if column < DIGITS {
            let digit = line / 10_u64.pow((DIGITS - 1 - column) as u32) % 10;
            b'0' + digit as u8
        } else if column == DIGITS {
            b' '
        } else if column == LINE - 1 {
            b'\n'
        } else {
            // Without the space: tmux trims blanks at the end of a captured line.
            b'!' + self.raw(offset) % (b'~' - b'!' + 1)
        }
    }
}

/// Where a stream is not what its seed says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The offset of the first byte that differs.
    pub offset: u64,
    /// The offset of the first byte of `got` and `wanted`.
    pub first: u64,
    /// What was there, a few bytes around `offset`.
    pub got: Vec<u8>,
    /// What belongs there.
    pub wanted: Vec<u8>,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the stream differs at byte {}; from byte {} on:\n   got {}\nwanted {}",
            self.offset,
            self.first,
            self.got.escape_ascii(),
            self.wanted.escape_ascii(),
        )
    }
}

impl std::error::Error for Mismatch {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answer_of_splitmix64() {
        // The first two words of the published generator for seed 1234567.
        let mut wanted = 6_457_827_717_110_365_317_u64.to_le_bytes().to_vec();
        wanted.extend(3_203_168_211_198_807_973_u64.to_le_bytes());
        assert_eq!(Seeded::bytes(1_234_567).prefix(16), wanted);
    }

    #[test]
    fn every_value_comes() {
        let mut seen = [false; 256];
        for byte in Seeded::bytes(7).prefix(8192) {
            seen[usize::from(byte)] = true;
        }
        assert!(seen.iter().all(|seen| *seen));
    }

    #[test]
    fn any_offset_is_the_same_stream() {
        for stream in [Seeded::bytes(3), Seeded::text(3)] {
            let whole = stream.prefix(1000);
            for offset in 0..200 {
                let mut part = [0; 77];
                stream.fill(offset as u64, &mut part);
                assert_eq!(part[..], whole[offset..offset + 77]);
                assert!(stream.iter_from(offset as u64).take(77).eq(part));
            }
        }
    }

    #[test]
    fn text_is_numbered_lines() {
        let text = String::from_utf8(Seeded::text(9).prefix(64 * 300)).expect("ASCII");
        for (number, line) in text.lines().enumerate() {
            assert_eq!(line.len(), 63);
            assert!(line.starts_with(&format!("{number:012} ")), "{line}");
            assert!(line[13..].bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }

    #[test]
    fn a_lost_byte_is_found_where_it_was_lost() {
        let stream = Seeded::bytes(5);
        let mut bytes = stream.prefix(5000);
        assert_eq!(stream.check(0, &bytes), Ok(()));
        assert_eq!(stream.check(40, &bytes[40..]), Ok(()));
        bytes.remove(4000);
        let mismatch = stream.check(0, &bytes).expect_err("a byte is missing");
        assert_eq!(mismatch.offset, 4000);
        assert_eq!(mismatch.first, 3992);
        assert_eq!(mismatch.got[..8], mismatch.wanted[..8]);
    }
}
