//! Loops to compare with: each does a known part of the work, and nothing else.
//!
//! They keep no state between reads, know no line but `%output` and check nothing that they can do
//! without. The two that decode are what one would write for one kind of stream: blocks for text,
//! bytes for dense escapes.

use std::hint::black_box;
use std::ops::Range;

use memchr::memchr;

use crate::{Loop, Tally, Work};

/// The five, and the decoder with a search for each escape.
pub(crate) fn loops(most: usize) -> Vec<Loop> {
    let mut copy = vec![1_u8; most];
    let mut loops = vec![
        Loop::new("memcpy", Work::Copy, move |stream| {
            copy[..stream.len()].copy_from_slice(stream);
            black_box(&copy);
            Tally::default()
        }),
        Loop::new("newline split", Work::Split, split),
        Loop::new("borrow", Work::Borrow, borrow),
    ];
    #[cfg(target_arch = "x86_64")]
    loops.push(decoding(BLOCK, block));
    loops.push(decoding(SCALAR, scalar));
    loops.push(decoding("memchr per escape", search));
    loops
}

/// What the two are called of which the better one counts.
pub(crate) const BLOCK: &str = "block decode";
pub(crate) const SCALAR: &str = "scalar decode";

/// What the loop is called that only finds lines.
pub(crate) const SPLIT: &str = "newline split";

fn split(stream: &[u8]) -> Tally {
    let (mut tally, mut rest) = (Tally::default(), stream);
    while let Some(end) = memchr(b'\n', rest) {
        tally.add(0, black_box(&rest[..end]).len());
        rest = &rest[end + 1..];
    }
    tally
}

/// Calls `each` with the pane and where its payload is, for every line.
#[inline(always)]
fn payloads(stream: &[u8], mut each: impl FnMut(u32, Range<usize>)) {
    const HEAD: &[u8] = b"%output %";
    let mut start = 0;
    while let Some(length) = memchr(b'\n', &stream[start..]) {
        let end = start + length;
        if stream[start..end].starts_with(HEAD) {
            let (mut at, mut pane) = (start + HEAD.len(), 0);
            while at < end && stream[at].is_ascii_digit() {
                pane = pane * 10 + u32::from(stream[at] - b'0');
                at += 1;
            }
            if at < end && stream[at] == b' ' {
                each(pane, at + 1..end);
            }
        }
        start = end + 1;
    }
}

fn borrow(stream: &[u8]) -> Tally {
    let mut tally = Tally::default();
    payloads(stream, |pane, payload| {
        tally.add(pane, black_box(&stream[payload]).len());
    });
    tally
}

/// A loop that decodes each payload of a stream into one buffer that has room for any.
fn decoding(
    name: &'static str,
    decode: impl Fn(&[u8], Range<usize>, &mut [u8]) -> usize + 'static,
) -> Loop {
    let mut out = vec![0; 1 << 16];
    Loop::new(name, Work::Decode, move |stream| {
        let mut tally = Tally::default();
        payloads(stream, |pane, payload| {
            assert!(payload.len() + 16 <= out.len());
            let length = decode(stream, payload, &mut out);
            tally.add(pane, black_box(&out[..length]).len());
        });
        tally
    })
}

/// The byte of an escape, if all four bytes of one are there.
#[inline(always)]
fn octal(escape: [u8; 4]) -> Option<u8> {
    let [_, a, b, c] = escape.map(|byte| byte.wrapping_sub(b'0'));
    (a < 4 && b < 8 && c < 8).then_some(a << 6 | b << 3 | c)
}

/// Decodes the escape at `at`, or keeps its backslash; says how far that went.
///
/// # Safety
/// `at < end <= src.len()`, and `to` can be written.
#[inline(always)]
unsafe fn escape(src: &[u8], at: usize, end: usize, to: *mut u8) -> usize {
    if end - at >= 4 {
        // SAFETY: four bytes are left.
        let bytes = unsafe { src.as_ptr().add(at).cast::<[u8; 4]>().read_unaligned() };
        if let Some(byte) = octal(bytes) {
            // SAFETY: as the caller promised.
            unsafe { to.write(byte) };
            return 4;
        }
    }
    // SAFETY: as the caller promised.
    unsafe { to.write(b'\\') };
    1
}

/// Sixteen bytes at a time, up to the next escape. Reads past the payload, where the stream goes
/// on, so that only the stream's own end is gone through byte by byte.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn block(src: &[u8], payload: Range<usize>, out: &mut [u8]) -> usize {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_set1_epi8, _mm_storeu_si128,
    };

    let (mut at, end) = (payload.start, payload.end);
    // SAFETY: every x86_64 has SSE2; so for the rest of these.
    let backslash = unsafe { _mm_set1_epi8(b'\\'.cast_signed()) };
    let (from, to) = (src.as_ptr(), out.as_mut_ptr());
    let mut length = 0;
    while at + 16 <= src.len() {
        // SAFETY: sixteen bytes of the stream are left, and `out` has sixteen more than the
        // payload, of which nothing grows.
        let mask = unsafe {
            let bytes = _mm_loadu_si128(from.add(at).cast());
            _mm_storeu_si128(to.add(length).cast(), bytes);
            _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, backslash))
        };
        let plain = if mask == 0 {
            16
        } else {
            mask.trailing_zeros() as usize
        };
        if plain >= end - at {
            return length + (end - at);
        }
        at += plain;
        length += plain;
        if plain < 16 {
            // SAFETY: `at` is in the payload, and `out` has room for all of it.
            at += unsafe { escape(src, at, end, to.add(length)) };
            length += 1;
            if at == end {
                return length;
            }
        }
    }
    length + scalar(src, at..end, &mut out[length..])
}

/// Byte by byte.
#[inline(always)]
fn scalar(src: &[u8], payload: Range<usize>, out: &mut [u8]) -> usize {
    let (mut at, end) = (payload.start, payload.end);
    let to = out.as_mut_ptr();
    let mut length = 0;
    while at < end {
        // SAFETY: `at` is in the payload, and `out` has room for all of it.
        unsafe {
            let byte = *src.get_unchecked(at);
            if byte == b'\\' {
                at += escape(src, at, end, to.add(length));
            } else {
                to.add(length).write(byte);
                at += 1;
            }
        }
        length += 1;
    }
    length
}

/// A search for each escape.
#[inline(always)]
fn search(src: &[u8], payload: Range<usize>, out: &mut [u8]) -> usize {
    let (mut at, end) = (payload.start, payload.end);
    let mut length = 0;
    loop {
        let plain = memchr(b'\\', &src[at..end]).unwrap_or(end - at);
        out[length..length + plain].copy_from_slice(&src[at..at + plain]);
        at += plain;
        length += plain;
        if at == end {
            return length;
        }
        // SAFETY: `at` is in the payload, and `out` has room for all of it.
        at += unsafe { escape(src, at, end, out.as_mut_ptr().add(length)) };
        length += 1;
    }
}

#[cfg(test)]
mod tests {
    use tmux_cc::wire::Escaped;

    use super::*;

    #[test]
    fn all_decoders_agree() {
        for payload in [
            &b""[..],
            b"\\",
            b"\\01",
            b"\\015\\012",
            b"plain text, more than sixteen bytes of it",
            b"0123456789abcde\\015\\012",
            b"\\400 \\\\015 0123456789 \\134134 \\03",
        ] {
            let src = [b"%output %0 ", payload, b"\n%output %1 \\015 more\n"].concat();
            let range = 11..11 + payload.len();
            let expected = Escaped::new(payload).decode();
            for decode in [block, scalar, search] {
                let mut out = vec![0; 100];
                let length = decode(&src, range.clone(), &mut out);
                assert_eq!(out[..length], *expected);
            }
        }
    }
}
