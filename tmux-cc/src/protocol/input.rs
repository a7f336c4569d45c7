//! Bytes in, whole lines out, without copying a line.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use memchr::memrchr;

use crate::wire::{DCS, Newlines, ST};

/// How much room a read finds at least, in bytes: the size of a pipe.
const READ: usize = 64 << 10;

/// How much of a line that is too long is kept to tell which it was, in bytes.
const PREFIX: usize = 64;

/// The bytes received, cut at newlines.
///
/// One buffer is filled by reads. When its lines are asked for, everything up to its last newline
/// becomes one shared chunk, in which lines are ranges: one allocation a chunk, none a line, and
/// only a line that is still incomplete ever moves.
#[derive(Debug)]
pub(super) struct Input {
    /// What came after the last whole line.
    tail: BytesMut,
    /// How much of `tail` is known to hold no newline.
    scanned: usize,
    /// Whole lines, each with its LF.
    chunk: Bytes,
    /// Where in `chunk` the next line begins.
    next: usize,
    /// The ends of the lines from there on.
    ends: Newlines,
    /// What is being skipped, up to the next newline.
    skipping: Option<TooLong>,
    /// The longest line, in bytes without its LF.
    limit: usize,
    /// Has the first line been seen?
    started: bool,
    /// Does a terminal end every line in CR LF (`tmux -CC`)?
    crlf: bool,
}

/// A line that passed the limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TooLong {
    pub(super) prefix: Vec<u8>,
    pub(super) length: u64,
    /// Was the last byte seen a CR?
    cr: bool,
}

impl TooLong {
    fn new(line: &[u8]) -> Self {
        let mut long = Self {
            prefix: Vec::new(),
            length: 0,
            cr: false,
        };
        long.extend(line);
        long
    }

    fn extend(&mut self, part: &[u8]) {
        let missing = PREFIX.saturating_sub(self.prefix.len()).min(part.len());
        self.prefix
            .extend_from_slice(part.get(..missing).unwrap_or_default());
        self.length += part.len() as u64;
        self.cr = part.last().map_or(self.cr, |&last| last == b'\r');
    }

    /// The whole line, its CR taken off where a terminal has put one.
    fn ended(mut self, crlf: bool) -> Self {
        self.length -= u64::from(crlf && self.cr);
        self.prefix
            .truncate(usize::try_from(self.length).unwrap_or(usize::MAX));
        self.cr = false;
        self
    }
}

/// What [`Input::next_line`] found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A line, as a range of the chunk, without its LF.
    Line(Range<usize>),
    /// A line that was skipped.
    TooLong(TooLong),
}

impl Input {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            tail: BytesMut::new(),
            scanned: 0,
            chunk: Bytes::new(),
            next: 0,
            ends: Newlines::default(),
            skipping: None,
            limit,
            started: false,
            crlf: false,
        }
    }

    /// The buffer to read into, with room for a pipe's worth.
    ///
    /// A line that spans reads doubles its buffer, so that a long one is not copied at each.
    pub(super) fn buffer(&mut self) -> &mut BytesMut {
        if self.tail.capacity() - self.tail.len() < READ / 2 {
            self.tail.reserve(READ.max(self.tail.len()));
        }
        &mut self.tail
    }

    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
    }

    /// The chunk that ranges point into.
    pub(super) const fn chunk(&self) -> &Bytes {
        &self.chunk
    }

    /// Takes the chunk away for as long as a line of it is gone through.
    pub(super) fn take_chunk(&mut self) -> Bytes {
        std::mem::take(&mut self.chunk)
    }

    /// Puts back what [`take_chunk`](Self::take_chunk) took.
    pub(super) fn put_chunk(&mut self, chunk: Bytes) {
        self.chunk = chunk;
    }

    /// The next whole line, if it is one that needs no more than a look and `is_usual` says so.
    ///
    /// `None` where there is none of that kind; then [`next_line`](Self::next_line) tells.
    #[inline]
    pub(super) fn next_usual(
        &mut self,
        is_usual: impl FnOnce(&[u8]) -> bool,
    ) -> Option<Range<usize>> {
        // Nothing of a line is skipped or wrapped once the first has been seen.
        let unusual = self.skipping.is_some() || self.crlf || !self.started;
        if unusual || (self.next >= self.chunk.len() && !self.cut()) {
            return None;
        }
        let end = self.ends.peek(&self.chunk)?;
        let line = self.chunk.get(self.next..end)?;
        if line.len() > self.limit || !is_usual(line) {
            return None;
        }
        self.ends.pass();
        let start = std::mem::replace(&mut self.next, end + 1);
        Some(start..end)
    }

    /// The next whole line.
    pub(super) fn next_line(&mut self) -> Option<Found> {
        if self.next >= self.chunk.len() && !self.cut() {
            return None;
        }
        let start = self.next;
        let end = self.ends.peek(&self.chunk)?;
        self.ends.pass();
        self.next = end + 1;
        let length = end - start;
        let rest = self.chunk.get(start..).unwrap_or_default();
        if let Some(mut skipped) = self.skipping.take() {
            skipped.extend(rest.get(..length).unwrap_or_default());
            return Some(Found::TooLong(skipped.ended(self.crlf)));
        }
        let mut line = start..start + length;
        let bytes = rest.get(..length).unwrap_or_default();
        if !std::mem::replace(&mut self.started, true) && bytes.starts_with(DCS) {
            self.crlf = true;
            line.start += DCS.len();
        }
        if self.crlf && bytes.ends_with(b"\r") {
            line.end -= 1;
        }
        if line.len() > self.limit {
            let bytes = self.chunk.get(line).unwrap_or_default();
            return Some(Found::TooLong(TooLong::new(bytes).ended(false)));
        }
        Some(Found::Line(line))
    }

    /// Gives back the line that [`next_line`](Self::next_line) has just given, at `start`.
    pub(super) fn unread(&mut self, start: usize) {
        self.next = start;
        self.ends = Newlines::after(start, &self.chunk);
    }

    /// Makes everything up to the last newline received the chunk; `false` where there is none.
    #[inline(never)]
    fn cut(&mut self) -> bool {
        let fresh = self.tail.get(self.scanned..).unwrap_or_default();
        if fresh.is_empty() && self.chunk.is_empty() {
            return false;
        }
        let Some(last) = memrchr(b'\n', fresh) else {
            self.scanned = self.tail.len();
            self.skip_long_tail();
            // Nothing points into the old chunk any more: let its buffer be used again.
            self.chunk = Bytes::new();
            self.next = 0;
            return false;
        };
        self.chunk = self.tail.split_to(self.scanned + last + 1).freeze();
        self.next = 0;
        self.ends = Newlines::after(0, &self.chunk);
        self.scanned = 0;
        true
    }

    /// Drops what has come of a line that is too long already, so that it cannot grow.
    ///
    /// What a terminal wraps around a line is counted only when the line is whole, so one of just
    /// the limit may carry it.
    fn skip_long_tail(&mut self) {
        let slack = if self.started {
            usize::from(self.crlf)
        } else {
            DCS.len() + 1
        };
        if let Some(skipped) = &mut self.skipping {
            skipped.extend(&self.tail);
        } else if self.tail.len() > self.limit.saturating_add(slack) {
            let mut line = &self.tail[..];
            if !std::mem::replace(&mut self.started, true)
                && let Some(rest) = line.strip_prefix(DCS)
            {
                self.crlf = true;
                line = rest;
            }
            self.skipping = Some(TooLong::new(line));
        } else {
            return;
        }
        self.tail.clear();
        self.scanned = 0;
    }

    /// What of a line that is too long has been skipped when the input has ended.
    pub(super) fn take_skipped(&mut self) -> Option<TooLong> {
        self.skipping.take().map(|skipped| skipped.ended(false))
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.tail.capacity() + self.chunk.len()
    }

    /// What is left when the input has ended: the start of a line whose end never came.
    pub(super) fn take_rest(&mut self) -> Vec<u8> {
        self.scanned = 0;
        let rest = std::mem::take(&mut self.tail);
        if ST.starts_with(&rest) {
            Vec::new()
        } else {
            rest.to_vec()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every line, fed in pieces of `size`.
    fn lines(stream: &[u8], size: usize, limit: usize) -> (Vec<Result<Vec<u8>, TooLong>>, Vec<u8>) {
        let mut input = Input::new(limit);
        let mut found = Vec::new();
        for piece in stream.chunks(size) {
            input.extend(piece);
            while let Some(next) = input.next_line() {
                found.push(match next {
                    Found::Line(range) => Ok(input.chunk()[range].to_vec()),
                    Found::TooLong(long) => Err(long),
                });
            }
        }
        (found, input.take_rest())
    }

    #[test]
    fn any_split_gives_the_same_lines() {
        let long = [b"%long ".to_vec(), vec![b'x'; 300], b"\n".to_vec()].concat();
        for stream in [
            &b"a\n\nbb \r\nrest"[..],
            b"\x1bP1000p%begin 1 2 0\r\nx\r\r\n%exit\r\n\x1b\\",
            b"\x1bP1000p",
            &long,
            &[&b"ok\n"[..], &long, b"after\n"].concat(),
        ] {
            let whole = lines(stream, stream.len().max(1), 100);
            for size in 1..stream.len() {
                assert_eq!(
                    lines(stream, size, 100),
                    whole,
                    "{size}: {}",
                    stream.escape_ascii()
                );
            }
        }
    }

    #[test]
    fn a_terminals_wrapping_is_taken_off() {
        let (found, rest) = lines(b"\x1bP1000p%begin 1 2 0\r\nx\r\r\n\x1b\\", 5, 100);
        assert_eq!(found, [Ok(b"%begin 1 2 0".to_vec()), Ok(b"x\r".to_vec())]);
        assert_eq!(rest, b"");
        let (found, rest) = lines(b"a\r\n\x1bP1000pb\n", 5, 100);
        assert_eq!(found, [Ok(b"a\r".to_vec()), Ok(b"\x1bP1000pb".to_vec())]);
        assert_eq!(rest, b"");
    }

    #[test]
    fn a_line_over_the_limit_is_skipped_without_growth() {
        let mut input = Input::new(1000);
        for _ in 0..1000 {
            input.extend(&[b'x'; 1000]);
            assert_eq!(input.next_line(), None);
            assert!(input.tail.len() <= 2000);
        }
        input.extend(b"y\nz\n");
        let long = TooLong {
            prefix: vec![b'x'; PREFIX],
            length: 1_000_001,
            cr: false,
        };
        assert_eq!(input.next_line(), Some(Found::TooLong(long)));
        assert!(matches!(input.next_line(), Some(Found::Line(_))));
        assert_eq!(
            lines(&[vec![b'x'; 100], b"\n".to_vec()].concat(), 7, 100)
                .0
                .len(),
            1
        );
        assert!(lines(&[vec![b'x'; 100], b"\n".to_vec()].concat(), 7, 100).0[0].is_ok());
        assert!(lines(&[vec![b'x'; 101], b"\n".to_vec()].concat(), 7, 100).0[0].is_err());
    }

    #[test]
    fn reads_go_into_one_buffer_that_is_used_again() {
        let mut input = Input::new(1 << 20);
        let mut pointers = std::collections::HashSet::new();
        for _ in 0..100 {
            let buffer = input.buffer();
            buffer.extend_from_slice(&[b'x'; 4000]);
            buffer.extend_from_slice(b"\n");
            pointers.insert(buffer.as_ptr() as usize >> 17);
            while input.next_line().is_some() {}
        }
        assert!(pointers.len() < 8, "{} buffers", pointers.len());
    }
}
