//! Lines: the only framing that control mode has.

use memchr::memchr;

use super::marks::{BLOCK, marks};

/// What a terminal's control mode (`tmux -CC`) puts in front of its first line.
///
/// **Source:** tmux `client.c`; tmux.1, CONTROL MODE.
///
/// Example: [`split_line`].
pub const DCS: &[u8] = b"\x1bP1000p";

/// What a terminal's control mode (`tmux -CC`) sends after `%exit`.
///
/// No example: it is what follows the last line.
pub const ST: &[u8] = b"\x1b\\";

/// Cuts the first line off `bytes`: the line without its LF, and what follows.
///
/// `None` while no LF has come. Lines have no length limit of their own, hold any byte but LF and
/// are never trimmed: a window's name may end in spaces.
///
/// ```
/// use tmux_cc::wire::{DCS, split_line};
///
/// let read: &[u8] = b"\x1bP1000p%begin 1 2 0\n%end";
/// let read = read.strip_prefix(DCS).unwrap_or(read);
/// assert_eq!(split_line(read), Some((&b"%begin 1 2 0"[..], &b"%end"[..])));
/// assert_eq!(split_line(b"%end"), None);
/// ```
#[inline]
#[must_use]
pub fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr(b'\n', bytes)?;
    let (line, rest) = bytes.split_at(at);
    Some((line, rest.get(1..).unwrap_or_default()))
}

/// The newlines of a stretch of bytes, one after the other.
///
/// Keeps what one look at a block has shown: lines are short, and a search for the end of each
/// would cost more than the line.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Newlines {
    /// Where the block begins.
    block: usize,
    /// Which bytes of the block are newlines that have not been given.
    marks: u64,
}

impl Newlines {
    /// Those from `start` on.
    #[inline]
    pub(crate) fn after(start: usize, bytes: &[u8]) -> Self {
        Self {
            block: start,
            marks: marks_at(start, bytes),
        }
    }

    /// Where the next one is, in the same bytes.
    #[inline]
    pub(crate) fn peek(&mut self, bytes: &[u8]) -> Option<usize> {
        while self.marks == 0 {
            let next = self.block + BLOCK;
            if next >= bytes.len() {
                return None;
            }
            self.block = next;
            self.marks = marks_at(next, bytes);
        }
        Some(self.block + self.marks.trailing_zeros() as usize)
    }

    /// Goes behind the one that [`peek`](Self::peek) has told.
    #[inline]
    pub(crate) const fn pass(&mut self) {
        self.marks &= self.marks.wrapping_sub(1);
    }
}

/// The newlines of the block at `start`, or of what is there of one.
#[inline]
fn marks_at(start: usize, bytes: &[u8]) -> u64 {
    let rest = bytes.get(start..).unwrap_or_default();
    match rest.first_chunk() {
        Some(block) => marks(b'\n', block),
        None => marks_of_less(rest),
    }
}

#[cold]
fn marks_of_less(rest: &[u8]) -> u64 {
    let mut block = [0; BLOCK];
    for (to, byte) in block.iter_mut().zip(rest) {
        *to = *byte;
    }
    marks(b'\n', &block)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn newlines_are_told_in_order(
            bytes in proptest::collection::vec(prop_oneof![3 => Just(b'x'), 1 => Just(b'\n')], 0..300),
            start in 0..310usize) {
            let mut newlines = Newlines::after(start, &bytes);
            let mut found = Vec::new();
            while let Some(at) = newlines.peek(&bytes) {
                prop_assert_eq!(newlines.peek(&bytes), Some(at));
                found.push(at);
                newlines.pass();
            }
            let expected: Vec<usize> =
                (start..bytes.len()).filter(|&at| bytes[at] == b'\n').collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_line_is_cut_at_its_newline_and_nowhere_else() {
        assert_eq!(split_line(b"a b \r\nc"), Some((&b"a b \r"[..], &b"c"[..])));
        assert_eq!(split_line(b"\n"), Some((&b""[..], &b""[..])));
        assert_eq!(split_line(b"no end"), None);
        assert_eq!(split_line(b""), None);
    }
}
