//! What of a terminal's bytes a person sees.

/// Where a terminal's parser stands between two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum State {
    /// In text.
    #[default]
    Ground,
    /// After ESC.
    Escape,
    /// After ESC and an intermediate byte.
    Between,
    /// In a control sequence.
    Control,
    /// In the body of a string: OSC, DCS and their like.
    Body(Kind),
    /// After ESC in such a body.
    BodyEscape(Kind),
}

/// What ends a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// OSC: BEL does too.
    Command,
    /// DCS: an ESC that begins no terminator is part of it.
    Device,
    /// APC, PM, SOS.
    Other,
}

/// What a byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// Text.
    Visible,
    /// Part of an escape sequence, or a control that draws nothing.
    Hidden,
    /// Text within a string.
    Body,
}

const ESC: u8 = 0x1b;

impl State {
    /// The state after `byte`, and what `byte` is.
    pub(super) const fn step(self, byte: u8) -> (Self, Seen) {
        use Seen::{Body, Hidden, Visible};
        match (self, byte) {
            (Self::Body(kind), ESC) => (Self::BodyEscape(kind), Hidden),
            (Self::Body(_), 0x18 | 0x1a) | (Self::Body(Kind::Command), 0x07) => {
                (Self::Ground, Hidden)
            }
            (Self::Body(_), _) => (self, Body),
            (Self::BodyEscape(_), b'\\') => (Self::Ground, Hidden),
            (Self::BodyEscape(_), 0x18 | 0x1a) => (Self::Ground, Hidden),
            (Self::BodyEscape(Kind::Device), ESC) => (self, Hidden),
            (Self::BodyEscape(Kind::Device), _) => (Self::Body(Kind::Device), Body),
            (Self::BodyEscape(_), _) => Self::Escape.step(byte),
            (_, ESC) => (Self::Escape, Hidden),
            // A line feed works in the middle of a sequence too; giving the sequence up keeps lines.
            (_, b'\n') | (Self::Ground, b'\t') => (Self::Ground, Visible),
            (_, 0x18 | 0x1a) | (Self::Ground, 0..=0x1f) => (Self::Ground, Hidden),
            (Self::Ground, _) | (_, 0x7f..) => (Self::Ground, Visible),
            (_, 0..=0x1f) => (self, Hidden),
            (Self::Escape, b'[') => (Self::Control, Hidden),
            (Self::Escape, b']') => (Self::Body(Kind::Command), Hidden),
            (Self::Escape, b'P') => (Self::Body(Kind::Device), Hidden),
            (Self::Escape, b'X' | b'^' | b'_') => (Self::Body(Kind::Other), Hidden),
            (Self::Escape | Self::Between, 0x20..=0x2f) => (Self::Between, Hidden),
            (Self::Control, 0x20..=0x3f) => (Self::Control, Hidden),
            (Self::Escape | Self::Between | Self::Control, _) => (Self::Ground, Hidden),
        }
    }
}

/// A stretch that does not show: escape sequences and controls, or a line break with the spaces that
/// follow it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    /// Its first byte.
    pub(super) start: usize,
    /// The byte after it.
    pub(super) end: usize,
    /// How many line feeds are in it.
    pub(super) lines: usize,
}

/// The first control from `from` on that is no tab.
pub(super) fn next_control(data: &[u8], from: usize) -> Option<usize> {
    const BLOCK: usize = 32;
    let rest = data.get(from..)?;
    let mut base = from;
    for block in rest.chunks(BLOCK) {
        // Without a branch for each byte, so that the compiler takes a whole block at a time.
        let any = match <&[u8; BLOCK]>::try_from(block) {
            Ok(block) => {
                block
                    .iter()
                    .fold(0, |any, byte| any | u8::from(*byte < 0x20))
                    != 0
            }
            Err(_) => true,
        };
        if any && let Some(at) = block.iter().position(|byte| *byte < 0x20 && *byte != b'\t') {
            return Some(base + at);
        }
        base += block.len();
    }
    None
}

/// Where the control sequence ends that begins at `at`, if it is a usual one and all there.
pub(super) fn sequence(data: &[u8], at: usize) -> Option<usize> {
    let [ESC, b'[', rest @ ..] = data.get(at..)? else {
        return None;
    };
    let last = rest.iter().position(|byte| !matches!(byte, b'0'..=b';'))?;
    let ends = rest
        .get(last)
        .is_some_and(|byte| matches!(byte, 0x40..=0x7e));
    ends.then_some(at + last + 3)
}

/// Where a stream stands between two pieces.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    /// The parser.
    pub(super) state: State,
    /// Since the last line break there was nothing but spaces.
    pub(super) fresh: bool,
}

/// Lists what does not show in `data`, and says where the stream stands after it.
pub(super) fn marks(data: &[u8], place: Place, list: &mut Vec<Mark>) -> Place {
    let Place {
        mut state,
        mut fresh,
    } = place;
    let mut at = 0;
    while at < data.len() {
        if state == State::Ground && !fresh {
            match next_control(data, at) {
                Some(control) => at = control,
                None => break,
            }
        }
        let start = at;
        let mut lines = 0;
        while let Some(&byte) = data.get(at) {
            if matches!(state, State::Body(_)) && byte >= 0x20 {
                at = next_control(data, at).unwrap_or(data.len());
                continue;
            }
            if state == State::Ground && byte == b' ' && fresh {
                at += 1;
                continue;
            }
            if state == State::Ground
                && byte == ESC
                && let Some(end) = sequence(data, at)
            {
                at = end;
                continue;
            }
            let (next, seen) = state.step(byte);
            if seen == Seen::Visible && byte != b'\n' {
                state = State::Ground;
                fresh = false;
                break;
            }
            if seen == Seen::Visible {
                lines += 1;
                fresh = true;
            }
            state = next;
            at += 1;
        }
        if at > start {
            list.push(Mark {
                start,
                end: at,
                lines,
            });
        } else {
            at += 1;
        }
    }
    Place { state, fresh }
}

/// A set of bytes.
#[derive(Debug, Clone)]
pub(super) struct Set {
    has: [bool; 256],
    all: bool,
}

impl Set {
    /// Every byte.
    pub(super) const ALL: Self = Self {
        has: [true; 256],
        all: true,
    };

    /// From the inside of a bracket expression: `A-Za-z_-`.
    pub(super) fn parse(text: &str) -> Self {
        let mut has = [false; 256];
        let mut rest = text.as_bytes();
        while let Some((&first, after)) = rest.split_first() {
            let (last, after) = match after {
                [b'-', last, after @ ..] => (*last, after),
                _ => (first, after),
            };
            for slot in has
                .iter_mut()
                .take(usize::from(last) + 1)
                .skip(usize::from(first))
            {
                *slot = true;
            }
            rest = after;
        }
        Self { has, all: false }
    }

    /// The bytes for which `holds`.
    pub(super) fn of(holds: impl Fn(u8) -> bool) -> Self {
        let mut has = [false; 256];
        for (slot, byte) in has.iter_mut().zip(0..=u8::MAX) {
            *slot = holds(byte);
        }
        Self { has, all: false }
    }

    /// Whether `byte` is in it.
    pub(super) fn has(&self, byte: u8) -> bool {
        self.has.get(usize::from(byte)).is_some_and(|has| *has)
    }

    fn prefix(&self, bytes: &[u8]) -> usize {
        if self.all {
            return bytes.len();
        }
        let outside = bytes.iter().position(|byte| !self.has(*byte));
        outside.unwrap_or(bytes.len())
    }
}

/// How much of the raw bytes one secret may take, escape sequences and all.
pub(super) const SPAN: usize = 16 << 10;

/// What is held of a stream, with what does not show in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page<'a> {
    /// The bytes.
    pub(super) data: &'a [u8],
    /// Ascending.
    pub(super) marks: &'a [Mark],
    /// What showed last before the data.
    pub(super) before: &'a [u8],
}

/// How far [`Page::view`] goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach<'a> {
    /// Bytes at most.
    pub(super) limit: usize,
    /// Over a line break.
    pub(super) join: bool,
    /// As long as they are these.
    pub(super) set: &'a Set,
}

/// Visible text from some byte on, and where it came from.
#[derive(Debug, Default)]
pub(super) struct View {
    /// The text.
    pub(super) text: Vec<u8>,
    /// Text offset and raw offset of each piece.
    runs: Vec<(usize, usize)>,
    /// Text offsets at which a line broke.
    pub(super) breaks: Vec<usize>,
    /// It ends where the data ends: more may come.
    pub(super) open: bool,
    /// The data ends with a line break.
    pub(super) broken: bool,
}

impl View {
    /// Where the byte at `offset` came from.
    pub(super) fn raw(&self, offset: usize) -> usize {
        let next = self.runs.partition_point(|(text, _)| *text <= offset);
        let run = next.checked_sub(1).and_then(|run| self.runs.get(run));
        run.map_or(0, |(text, raw)| raw + (offset - text))
    }
}

impl<'a> Page<'a> {
    /// The first mark that ends after `at`.
    fn mark_after(&self, at: usize) -> usize {
        self.marks.partition_point(|mark| mark.end <= at)
    }

    /// Whether the byte at `at` shows.
    pub(super) fn shows(&self, at: usize) -> bool {
        let mark = self.marks.get(self.mark_after(at));
        mark.is_none_or(|mark| at < mark.start)
    }

    /// The bytes from the visible byte `at` on that show without interruption, `limit` at most.
    pub(super) fn run(&self, at: usize, limit: usize) -> &'a [u8] {
        let mark = self.marks.get(self.mark_after(at));
        let end = mark.map_or(self.data.len(), |mark| mark.start);
        self.data.get(at..end.min(at + limit)).unwrap_or_default()
    }

    /// Adds the places of the last `count` bytes that show before `end`, over one line break at most
    /// in each gap.
    pub(super) fn back(&self, end: usize, count: usize, places: &mut Vec<usize>) {
        let mut left = count;
        let mut end = end;
        let number = self.marks.partition_point(|mark| mark.start < end);
        let mut marks = self.marks.get(..number).unwrap_or_default().iter().rev();
        loop {
            let mark = marks.next();
            let start = mark.map_or(0, |mark| mark.end.min(end));
            let taken = left.min(end - start);
            places.extend(end - taken..end);
            left -= taken;
            match mark {
                Some(mark) if left > 0 && mark.lines < 2 => end = mark.start,
                _ => break,
            }
        }
    }

    /// The visible text from the visible byte `from` on.
    pub(super) fn view(&self, from: usize, reach: Reach<'_>) -> View {
        let mut view = View::default();
        let cap = self.data.len().min(from + SPAN);
        let more = cap == self.data.len();
        let mut at = from;
        let mut marks = self.marks.iter().skip(self.mark_after(from));
        loop {
            let mark = marks.next();
            let end = mark.map_or(cap, |mark| mark.start.min(cap));
            let left = reach.limit - view.text.len();
            let whole = self.data.get(at..end).unwrap_or_default();
            let run = whole.get(..left).unwrap_or(whole);
            let taken = reach.set.prefix(run);
            if taken > 0 {
                view.runs.push((view.text.len(), at));
                let run = run.get(..taken).unwrap_or_default();
                view.text.extend_from_slice(run);
            }
            if taken < whole.len() || view.text.len() >= reach.limit {
                return view;
            }
            let Some(mark) = mark.filter(|mark| mark.start < cap) else {
                view.open = more;
                return view;
            };
            if mark.lines > 1 || (mark.lines == 1 && !reach.join) {
                return view;
            }
            if mark.end >= cap {
                view.open = more;
                view.broken = mark.lines > 0;
                return view;
            }
            if mark.lines == 1 {
                view.breaks.push(view.text.len());
            }
            at = mark.end;
        }
    }

    /// What shows before the byte at `at`, at most `limit` bytes; a line break is one line feed.
    pub(super) fn before(&self, at: usize, limit: usize) -> Vec<u8> {
        // Backwards, then turned round.
        let mut text = Vec::new();
        let mut end = at;
        let count = self.marks.partition_point(|mark| mark.start < at);
        let marks = self.marks.get(..count).unwrap_or_default();
        let mut pieces = marks.iter().rev();
        loop {
            let mark = pieces.next();
            let start = mark.map_or(0, |mark| mark.end.min(end));
            let run = self.data.get(start..end).unwrap_or_default();
            text.extend(run.iter().rev().take(limit - text.len()));
            let Some(mark) = mark else { break };
            if mark.lines > 0 && text.len() < limit && text.last() != Some(&b'\n') {
                text.push(b'\n');
            }
            if text.len() >= limit {
                break;
            }
            end = mark.start;
        }
        let twice = text.last() == Some(&b'\n') && self.before.last() == Some(&b'\n');
        let earlier = self.before.iter().rev().skip(usize::from(twice));
        text.extend(earlier.take(limit - text.len()));
        text.reverse();
        text
    }

    /// The bytes that do not show between `from` and `to`, and what shows between them, in order.
    pub(super) fn parts(
        &self,
        from: usize,
        to: usize,
    ) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let Self { data, marks, .. } = *self;
        let first = self.mark_after(from);
        let mut at = from;
        let mut rest = marks.get(first..).unwrap_or_default().iter();
        std::iter::from_fn(move || {
            if at >= to {
                return None;
            }
            let mark = rest.next().filter(|mark| mark.start < to);
            let shown_end = mark.map_or(to, |mark| mark.start.max(at));
            let hidden_end = mark.map_or(to, |mark| mark.end.min(to));
            let shown = data.get(at..shown_end).unwrap_or_default();
            let hidden = data.get(shown_end..hidden_end).unwrap_or_default();
            at = hidden_end;
            Some((hidden, shown))
        })
    }
}
