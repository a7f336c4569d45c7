//! Decoding, many bytes at a time.
//!
//! Three ways, and each block takes the one that suits it. Without an escape it is copied. With a
//! few, as text in colours has them, one comparison of the whole block tells where they are, and
//! what lies between is copied in one go, however long it is: what comes too much is overwritten.
//! So nothing waits for a branch that cannot be foreseen. With many (`yes` prints two bytes in
//! three escaped) it is gone through byte by byte, two escapes at once where two stand together:
//! such streams repeat themselves, and their branches are foreseen.

use super::Decoded;
use crate::wire::marks::{BLOCK, at, at_mut, marks, marks16};

/// Bytes that are copied between two escapes, mostly too many.
const COPY: usize = 32;

/// A block and what may be read or written behind it: what an escape in its last byte takes up,
/// and what is copied too much.
const WINDOW: usize = BLOCK + 4 + COPY;

/// So many escapes in a block, and what follows is gone through byte by byte.
const DENSE: usize = 8;

/// Bytes that are gone through byte by byte before they are looked at again.
const RUN: usize = 256;

/// How far something went.
struct Went {
    /// Bytes read.
    read: usize,
    /// Bytes written.
    written: usize,
    malformed: usize,
}

/// Appends what `src` stands for to `out`.
pub(super) fn decode(src: &[u8], out: &mut Vec<u8>) -> Decoded {
    let before = out.len();
    let mut malformed = 0;
    let mut rest = src;
    if src.len() > WINDOW {
        // The room is made once, for writing whole blocks into it.
        out.resize(before + src.len(), 0);
        let whole = whole_blocks(src, out.get_mut(before..).unwrap_or_default());
        out.truncate(before + whole.written);
        malformed = whole.malformed;
        rest = src.get(whole.read..).unwrap_or_default();
    }
    while !rest.is_empty() {
        let went = last_block(rest, out);
        malformed += went.malformed;
        rest = rest.get(went.read..).unwrap_or_default();
    }
    Decoded {
        len: out.len() - before,
        malformed,
    }
}

/// The escapes in `src`, without those that are malformed.
pub(super) fn escapes(src: &[u8]) -> usize {
    let mut count = 0;
    let mut rest = src;
    while let Some(block) = rest.first_chunk() {
        count += valid(marks(b'\\', block), rest);
        rest = rest.get(BLOCK..).unwrap_or_default();
    }
    let mut padded = [0; WINDOW];
    let marks = pad(rest, &mut padded);
    count + valid(marks, &padded)
}

/// How many of the marked bytes begin an escape.
fn valid(mut marks: u64, src: &[u8]) -> usize {
    let mut count = 0;
    while marks != 0 {
        let escape = at(src, marks.trailing_zeros() as usize);
        count += usize::from(escape.and_then(octal).is_some());
        marks &= marks - 1;
    }
    count
}

/// Decodes for as long as there is a window to read and one to write.
fn whole_blocks(src: &[u8], out: &mut [u8]) -> Went {
    let mut went = Went {
        read: 0,
        written: 0,
        malformed: 0,
    };
    while let (Some(from), Some(to)) = (
        at::<WINDOW>(src, went.read),
        at_mut::<WINDOW>(out, went.written),
    ) {
        let (Some(block), Some(room)) = (from.first_chunk(), to.first_chunk_mut()) else {
            break;
        };
        let marks = marks(b'\\', block);
        if marks == 0 {
            *room = *block;
            went.read += BLOCK;
            went.written += BLOCK;
            continue;
        }
        let block = scatter(marks, BLOCK, from, to);
        went.add(&block);
        if block.written <= BLOCK - 3 * DENSE {
            went.run_on(src, out);
        }
    }
    went
}

impl Went {
    fn add(&mut self, other: &Self) {
        self.read += other.read;
        self.written += other.written;
        self.malformed += other.malformed;
    }

    /// Goes on byte by byte while escapes are dense.
    fn run_on(&mut self, src: &[u8], out: &mut [u8]) {
        while let (Some(from), Some(to)) = (at(src, self.read), at_mut(out, self.written)) {
            let went = run(from, to);
            self.add(&went);
            if went.written > RUN - 3 * DENSE * (RUN / BLOCK) {
                break;
            }
        }
    }
}

/// Decodes the first block of what is left, or all of it, where there is no window any more.
#[inline]
fn last_block(src: &[u8], out: &mut Vec<u8>) -> Went {
    // An escape must not reach over the end of what is padded, unless that is the real end.
    let (part, width) = match src.first_chunk::<BLOCK>() {
        Some(block) if src.len() > BLOCK => (&block[..], BLOCK - 3),
        _ => (src, src.len()),
    };
    let mut from = [0; WINDOW];
    let marks = pad(part, &mut from) & (u64::MAX >> (BLOCK - width));
    if marks == 0 {
        out.extend_from_slice(src.get(..width).unwrap_or_default());
        return Went {
            read: width,
            written: width,
            malformed: 0,
        };
    }
    let mut to = [0; WINDOW];
    let went = scatter(marks, width, &from, &mut to);
    out.extend_from_slice(to.get(..went.written).unwrap_or_default());
    went
}

/// Copies a block or less into zeros, and says where its backslashes are.
///
/// Pieces that overlap instead of a loop: the lengths of short lines are as good as random.
#[inline]
fn pad(src: &[u8], padded: &mut [u8; WINDOW]) -> u64 {
    let mut found = 0;
    let length = src.len();
    let mut piece = |from: usize| {
        if let (Some(piece), Some(to)) = (at(src, from), at_mut(padded, from)) {
            *to = *piece;
            found |= marks16(b'\\', piece) << (from % BLOCK);
        }
    };
    if length >= 32 {
        for from in [0, 16, length - 32, length - 16] {
            piece(from);
        }
    } else if length >= 16 {
        piece(0);
        piece(length - 16);
    } else {
        if let Some(to) = padded.get_mut(..length) {
            to.copy_from_slice(src);
        }
        found = padded
            .first_chunk()
            .map_or(0, |piece| marks16(b'\\', piece));
    }
    found
}

/// Decodes the escapes that begin where `marks` says, and copies what lies between them and up to
/// `width`.
#[inline]
fn scatter(mut marks: u64, width: usize, from: &[u8; WINDOW], to: &mut [u8; WINDOW]) -> Went {
    let mut went = Went {
        read: 0,
        written: 0,
        malformed: 0,
    };
    while marks != 0 {
        let escape = marks.trailing_zeros() as usize;
        marks &= marks - 1;
        went.copy(escape, from, to);
        let byte = at(from, escape).and_then(octal);
        if let Some(to) = to.get_mut(went.written) {
            *to = byte.unwrap_or(b'\\');
        }
        went.written += 1;
        if byte.is_some() {
            went.read = escape + 4;
        } else {
            went.read = escape + 1;
            went.malformed += 1;
        }
    }
    if went.read < width {
        went.copy(width, from, to);
    }
    went
}

impl Went {
    /// Copies what lies before `end`, and up to a block in all.
    #[inline]
    fn copy(&mut self, end: usize, from: &[u8; WINDOW], to: &mut [u8; WINDOW]) {
        let length = end - self.read;
        copy(from, self.read, to, self.written);
        if length > COPY {
            copy(from, self.read + COPY, to, self.written + COPY);
        }
        self.read = end;
        self.written += length;
    }
}

#[inline]
fn copy(from: &[u8; WINDOW], read: usize, to: &mut [u8; WINDOW], written: usize) {
    if let (Some(from), Some(to)) = (at::<COPY>(from, read), at_mut::<COPY>(to, written)) {
        *to = *from;
    }
}

/// Decodes byte by byte, up to `RUN` and what the last escape takes up.
#[inline]
fn run(from: &[u8; RUN + 8], to: &mut [u8; RUN + 2]) -> Went {
    let mut went = Went {
        read: 0,
        written: 0,
        malformed: 0,
    };
    while went.read < RUN {
        // Never more is written than read; the remainder saves asking.
        let (Some(bytes), Some(to)) = (
            at::<8>(from, went.read),
            at_mut::<2>(to, went.written % RUN),
        ) else {
            break;
        };
        let [first, second] = to;
        if bytes[0] != b'\\' {
            *first = bytes[0];
            went.read += 1;
            went.written += 1;
            continue;
        }
        let pair = u64::from_le_bytes(*bytes) ^ ESCAPES;
        if pair & NO_OCTAL == 0 {
            let [a, _, _, _, b, ..] = digits(pair).to_le_bytes();
            (*first, *second) = (a, b);
            went.read += 8;
            went.written += 2;
            continue;
        }
        went.written += 1;
        if pair & u64::from(u32::MAX) & NO_OCTAL == 0 {
            [*first, ..] = digits(pair).to_le_bytes();
            went.read += 4;
            continue;
        }
        *first = b'\\';
        went.read += 1;
        went.malformed += 1;
    }
    went
}

/// Two escapes of zero, as a little-endian number: taken off with XOR, digits are left.
const ESCAPES: u64 = 0x3030_305c_3030_305c;

/// The bits that such digits do not have: the backslash none, the first two, the others three.
const NO_OCTAL: u64 = 0xf8f8_fcff_f8f8_fcff;

/// The byte that an escape stands for.
#[inline]
fn octal(escape: &[u8; 4]) -> Option<u8> {
    let escape = u64::from(u32::from_le_bytes(*escape)) ^ (ESCAPES & u64::from(u32::MAX));
    let [byte, ..] = digits(escape).to_le_bytes();
    (escape & NO_OCTAL == 0).then_some(byte)
}

/// Puts the digits of each escape together, in its lowest byte.
const fn digits(escapes: u64) -> u64 {
    escapes >> 2 | escapes >> 13 | escapes >> 24
}
