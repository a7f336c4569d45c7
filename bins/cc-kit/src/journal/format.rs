//! The bytes of a segment, version 1.
//!
//! # Segment
//!
//! A file of one pane: 8 bytes of magic, then records without anything between them, until the file
//! ends. All numbers are little-endian.
//!
//! | At | Bytes | What |
//! |---|---|---|
//! | 0 | 3 + 1 | `89` and `CCJ`: not text, and ours |
//! | 4 | 3 | `0d 0a 1a`: a copy in text mode shows |
//! | 7 | 1 | version, now 1 |
//!
//! Another version means another layout of what follows: a reader refuses it. Everything that can be
//! added without that is added by kinds, by JSON fields and by flags.
//!
//! # Record
//!
//! | At | Bytes | What |
//! |---|---|---|
//! | 0 | 4 | CRC-32 (IEEE 802.3, as in zip and zlib) of everything after it: 36 bytes of header and the payload |
//! | 4 | 4 | length of the payload, at most [`PAYLOAD_MAX`] |
//! | 8 | 1 | kind, never 0 |
//! | 9 | 1 | flags: now 0 |
//! | 10 | 2 | reserved: written as 0, ignored by readers |
//! | 12 | 4 | epoch |
//! | 16 | 8 | offset: pane bytes of this epoch before this record |
//! | 24 | 8 | monotonic time in nanoseconds, comparable between records of one boot |
//! | 32 | 8 | wall time in nanoseconds since 1970 (UTC), signed |
//! | 40 | length | payload |
//!
//! - A record is whole when it fits into the file, its length is within the limit, its kind is not 0
//!   and its CRC is right. At the first place where no whole record stands, the segment ends; what
//!   comes after is a torn tail (or damage) and is not data. A run of zeros, as a power cut leaves it,
//!   is no record.
//! - A reader that meets a kind or a flag it does not know checks the CRC and skips the record.
//! - An **epoch** is a stretch in which every byte of the pane is accounted for. Output records of an
//!   epoch join without a hole: the offset of one is the offset of the one before plus its payload's
//!   length. Epochs of one pane only grow. What is missing between two is said by a Gap.
//! - Where a secret was taken out, the payload holds what was put in its place, and a Redacted record
//!   says how many bytes were taken and put: offsets count the bytes that are kept. Without redaction
//!   they are the pane's own.
//! - Every record carries a position; for those that are not output it is the position at which they
//!   happened.
//! - Both times are those of the first byte of the payload. The wall clock may jump; order is the
//!   order in the file.
//!
//! # Kinds
//!
//! | Kind | Name | Payload |
//! |---|---|---|
//! | 1 | Start | JSON, [`note::Start`](super::note::Start) |
//! | 2 | Output | the pane's bytes, raw |
//! | 3 | Gap | JSON, [`note::Gap`](super::note::Gap) |
//! | 4 | Moved | JSON, [`note::Place`](super::note::Place) |
//! | 5 | End | JSON, [`note::End`](super::note::End) |
//! | 6 | Resize | JSON, [`note::Size`](super::note::Size) |
//! | 7 | Title | JSON, [`note::Title`](super::note::Title) |
//! | 8 | Bell | JSON, [`note::Bell`](super::note::Bell) |
//! | 9 | Osc | JSON, [`note::Osc`](super::note::Osc) |
//! | 10 | Exit | JSON, [`note::ProgramExit`](super::note::ProgramExit) |
//! | 11 | Marker | JSON, [`note::Marker`](super::note::Marker) |
//! | 12 | Source | JSON, [`note::SourceChange`](super::note::SourceChange) |
//! | 13 | Screen | JSON, [`note::Screen`](super::note::Screen) |
//! | 14 | Redacted | JSON, [`note::Redacted`](super::note::Redacted) |
//! | 64 to 255 | | never written by this version, so that whoever looks for records behind damage can tell them from text |
//!
//! JSON payloads are one object in UTF-8. Readers ignore fields and take over values they do not know
//! (a new cause reads as `other`). Names come from strangers and may hold any bytes: what is not UTF-8
//! in them is replaced by U+FFFD, so a name in the journal is a **label and may have lost bytes**.
//!
//! The first record of a segment, and the first that a writer appends after it opened a segment
//! again, is a Start. A Start says who writes about which pane, and everything up to the next Start
//! counts as said by it. A Start at the head of a segment that follows another carries the position on
//! or opens a new epoch; one in the middle of a segment always opens a new epoch.
//!
//! # Around the format
//!
//! A closed segment may be replaced by its zstd frames under the name `*.ccj.zst`: `zstdcat` gives
//! these very bytes. How it is cut into frames, and the index behind them, is in
//! [`packed`](super::packed).

use std::num::NonZeroU8;

use serde::{Deserialize, Serialize};

use super::clock::Stamp;

/// How a segment begins: its name, and the version in the last byte.
pub const MAGIC: [u8; 8] = *b"\x89CCJ\r\n\x1a\x01";

/// The version in [`MAGIC`], also said in every Start.
pub const VERSION: u8 = 1;

/// Bytes before a payload.
pub const HEADER_LEN: usize = 40;

/// The longest payload: 16 MiB. A length over it is damage, so no damage can make a reader allocate.
pub const PAYLOAD_MAX: u32 = 16 << 20;

/// What a record is: any number but 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kind(NonZeroU8);

impl Kind {
    /// Who writes about which pane, from here on.
    pub const START: Self = Self::numbered(1);
    /// Bytes of the pane.
    pub const OUTPUT: Self = Self::numbered(2);
    /// Bytes of the pane are missing here.
    pub const GAP: Self = Self::numbered(3);
    /// The pane or what it sits in was moved or renamed.
    pub const MOVED: Self = Self::numbered(4);
    /// Nothing comes any more, or not from this writer.
    pub const END: Self = Self::numbered(5);
    /// The pane's size, from here on.
    pub const RESIZE: Self = Self::numbered(6);
    /// The program set a title.
    pub const TITLE: Self = Self::numbered(7);
    /// The program rang.
    pub const BELL: Self = Self::numbered(8);
    /// The program said something to the terminal that is of use to others.
    pub const OSC: Self = Self::numbered(9);
    /// The program ended.
    pub const EXIT: Self = Self::numbered(10);
    /// Somebody marked this place.
    pub const MARKER: Self = Self::numbered(11);
    /// The bytes come from elsewhere, from here on.
    pub const SOURCE: Self = Self::numbered(12);
    /// How the pane looks, here.
    pub const SCREEN: Self = Self::numbered(13);
    /// A secret was taken out, just before this.
    pub const REDACTED: Self = Self::numbered(14);

    /// The greatest kind that these programs will ever write in this version.
    const LAST: Self = Self::numbered(63);

    /// Is its payload the JSON of a note that is known here?
    #[must_use]
    pub const fn is_note(self) -> bool {
        let number = self.number();
        number != Self::OUTPUT.number() && number <= Self::REDACTED.number()
    }

    /// The kind with this number; 0 is none.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        match NonZeroU8::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0.get()
    }

    /// For the constants, none of which is 0.
    const fn numbered(number: u8) -> Self {
        match Self::new(number) {
            Some(kind) => kind,
            None => Self(NonZeroU8::MIN),
        }
    }
}

/// Where in a pane's stream: `epoch`, and pane bytes since it began.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Position {
    /// Counts the stretches that are complete in themselves; only grows within one pane.
    pub epoch: u32,
    /// Decoded bytes of the pane in this epoch.
    pub offset: u64,
}

impl Position {
    /// The position `bytes` further on in the same epoch.
    #[must_use]
    pub const fn advance(self, bytes: u64) -> Self {
        Self {
            epoch: self.epoch,
            offset: self.offset.saturating_add(bytes),
        }
    }
}

/// The fixed part of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) crc: u32,
    pub(super) length: u32,
    pub(super) kind: Kind,
    pub(super) flags: u8,
    pub(super) position: Position,
    pub(super) stamp: Stamp,
}

impl Header {
    /// The header in these bytes, if length and kind are within the format. The CRC is another matter.
    pub(super) fn decode(bytes: &[u8; HEADER_LEN]) -> Option<Self> {
        let mut rest = bytes.as_slice();
        let header = Self {
            crc: u32::from_le_bytes(take(&mut rest)),
            length: u32::from_le_bytes(take(&mut rest)),
            kind: Kind::new(u8::from_le_bytes(take(&mut rest)))?,
            flags: u8::from_le_bytes(take(&mut rest)),
            position: {
                let _reserved: [u8; 2] = take(&mut rest);
                Position {
                    epoch: u32::from_le_bytes(take(&mut rest)),
                    offset: u64::from_le_bytes(take(&mut rest)),
                }
            },
            stamp: Stamp {
                monotonic_ns: u64::from_le_bytes(take(&mut rest)),
                wall_ns: i64::from_le_bytes(take(&mut rest)),
            },
        };
        (header.length <= PAYLOAD_MAX).then_some(header)
    }

    /// The header if these bytes look like one in the midst of anything: stricter than a reader is.
    pub(super) fn decode_if_plausible(bytes: &[u8; HEADER_LEN]) -> Option<Self> {
        // Most bytes fail here, before anything is decoded.
        let [_, _, _, _, _, _, _, length_top, kind, 0, 0, 0, ..] = *bytes else {
            return None;
        };
        if length_top > 1 || kind > Kind::LAST.number() {
            return None;
        }
        Self::decode(bytes)
    }

    /// Length of the record, header and payload.
    pub(super) const fn record_len(&self) -> u64 {
        // Both are far below 2^63.
        HEADER_LEN as u64 + self.length as u64
    }

    /// The position after this record.
    pub(super) fn end(&self) -> Position {
        match self.kind {
            Kind::OUTPUT => self.position.advance(self.length.into()),
            _ => self.position,
        }
    }
}

/// A payload was longer than [`PAYLOAD_MAX`].
#[derive(Debug, Clone, Copy)]
pub(super) struct TooLong;

/// The header of a record with this payload.
pub(super) fn encode(
    kind: Kind,
    position: Position,
    stamp: Stamp,
    payload: &[u8],
) -> Result<[u8; HEADER_LEN], TooLong> {
    let length = u32::try_from(payload.len())
        .ok()
        .filter(|length| *length <= PAYLOAD_MAX)
        .ok_or(TooLong)?;
    let mut bytes = [0; HEADER_LEN];
    let mut rest = bytes.as_mut_slice();
    put(&mut rest, [0; 4]);
    put(&mut rest, length.to_le_bytes());
    put(&mut rest, [kind.number(), 0, 0, 0]);
    put(&mut rest, position.epoch.to_le_bytes());
    put(&mut rest, position.offset.to_le_bytes());
    put(&mut rest, stamp.monotonic_ns.to_le_bytes());
    put(&mut rest, stamp.wall_ns.to_le_bytes());
    let crc = checksum(&bytes, payload);
    put(&mut bytes.as_mut_slice(), crc.to_le_bytes());
    Ok(bytes)
}

/// The CRC that belongs into a header.
pub(super) fn checksum(header: &[u8; HEADER_LEN], payload: &[u8]) -> u32 {
    let mut hasher = checksum_of_header(header);
    hasher.update(payload);
    hasher.finalize()
}

/// The CRC before the payload went in.
pub(super) fn checksum_of_header(header: &[u8; HEADER_LEN]) -> crc32fast::Hasher {
    let mut hasher = crc32fast::Hasher::new();
    if let Some((_, covered)) = header.split_first_chunk::<4>() {
        hasher.update(covered);
    }
    hasher
}

fn put<const N: usize>(rest: &mut &mut [u8], value: [u8; N]) {
    if let Some((slot, behind)) = std::mem::take(rest).split_first_chunk_mut() {
        *slot = value;
        *rest = behind;
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    match rest.split_first_chunk() {
        Some((value, behind)) => {
            *rest = behind;
            *value
        }
        None => [0; N],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp = Stamp {
        monotonic_ns: 0x2122_2324_2526_2728,
        wall_ns: -2,
    };
    const POSITION: Position = Position {
        epoch: 0x0102_0304,
        offset: 0x1112_1314_1516_1718,
    };

    #[test]
    fn the_table_in_the_documentation_is_what_is_written() {
        let header = encode(Kind::OUTPUT, POSITION, STAMP, b"pane").unwrap();
        let mut expected = Vec::new();
        expected.extend(4_u32.to_le_bytes());
        expected.extend([2, 0, 0, 0]);
        expected.extend([0x04, 0x03, 0x02, 0x01]);
        expected.extend([0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11]);
        expected.extend([0x28, 0x27, 0x26, 0x25, 0x24, 0x23, 0x22, 0x21]);
        expected.extend([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        assert_eq!(header[4..], expected);
        expected.extend(b"pane");
        // The checksum as anybody's crc32 would give it, not through our own helper.
        assert_eq!(header[..4], crc32fast::hash(&expected).to_le_bytes());
        assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn decoding_gives_back_what_was_encoded() {
        let future = Kind::new(63).unwrap();
        let bytes = encode(future, POSITION, STAMP, &[7; 300]).unwrap();
        let header = Header::decode(&bytes).unwrap();
        assert_eq!(header.kind, future);
        assert_eq!(header.length, 300);
        assert_eq!((header.position, header.stamp), (POSITION, STAMP));
        assert_eq!(header.crc, checksum(&bytes, &[7; 300]));
        assert_eq!(Header::decode_if_plausible(&bytes), Some(header));
    }

    #[test]
    fn zeros_are_no_record() {
        let zeros = [0; HEADER_LEN];
        assert_eq!(Header::decode(&zeros), None);
        assert_eq!(Kind::new(0), None);
        assert_ne!(checksum(&zeros, b""), 0);
    }

    #[test]
    fn a_payload_has_a_limit() {
        let most = vec![0; PAYLOAD_MAX as usize];
        assert!(encode(Kind::OUTPUT, POSITION, STAMP, &most).is_ok());
        let more = vec![0; PAYLOAD_MAX as usize + 1];
        assert!(encode(Kind::OUTPUT, POSITION, STAMP, &more).is_err());
    }
}
