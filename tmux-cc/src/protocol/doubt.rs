//! Telling real guards from forged ones, by the one line that nobody can forge: a fence.

use std::collections::HashMap;
use std::ops::Range;

use super::pending::{CommandId, Pending};
use crate::wire::{Guard, GuardKind, GuardLine, split_line};

/// Looks out for a whole fence among lines that are kept: `%begin`, the fence's text, `%end`.
///
/// Where such a thing stands in a body, the body is none: tmux never nests blocks.
#[derive(Debug, Default)]
pub(super) struct Watch {
    begin: Option<(Guard, usize)>,
    fence: Option<CommandId>,
}

impl Watch {
    /// Where the block of a fence began and whose it is, if `line`, kept at `at`, ends one.
    pub(super) fn fence_before(
        &mut self,
        line: &[u8],
        guard: Option<GuardLine>,
        at: usize,
        pending: &Pending,
    ) -> Option<(usize, CommandId)> {
        match (self.begin, self.fence, guard) {
            (
                Some((begin, from)),
                Some(id),
                Some(GuardLine {
                    kind: GuardKind::End,
                    guard,
                }),
            ) if begin == guard => {
                *self = Self::default();
                return Some((from, id));
            }
            (
                _,
                _,
                Some(GuardLine {
                    kind: GuardKind::Begin,
                    guard,
                }),
            ) if guard.is_ours() => {
                *self = Self {
                    begin: Some((guard, at)),
                    fence: None,
                };
            }
            (Some(_), None, None) => {
                self.fence = pending.fence(line);
                self.begin = self.begin.filter(|_| self.fence.is_some());
            }
            _ => *self = Self::default(),
        }
        None
    }
}

/// What is known of lines that a fence ends: where blocks end.
///
/// Read from the fence backwards: an `%end` is sound if the lines behind it, up to the fence, are
/// whole blocks and lines outside blocks, no guard left over. The real end of a block always is;
/// where it is the only one of its guard, the block is exactly known. A copy of it in the body
/// has the real one behind it, left over.
#[derive(Debug)]
pub(super) struct Hindsight {
    ends: HashMap<Guard, Ends>,
    /// Are all the lines sound?
    sound: bool,
    /// Where the fence's block begins.
    fence: usize,
}

#[derive(Debug)]
struct Ends {
    /// Where the last one begins.
    last: usize,
    /// The last sound one.
    sound: Option<usize>,
    /// Are there more of these?
    more: bool,
}

/// Where a block ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// Where its last line begins.
    pub(super) at: usize,
    /// Could it be elsewhere?
    pub(super) uncertain: bool,
}

impl Hindsight {
    /// Over `lines`, in which a fence's block begins at `fence`; `before` is the guard of the
    /// block in front of them, which no other block can have.
    pub(super) fn new(lines: &[u8], fence: usize, before: Option<Guard>) -> Self {
        let mut guards = Vec::new();
        let mut at = 0;
        while let Some((line, _)) = lines.get(at..fence).and_then(split_line) {
            guards.extend(GuardLine::parse(line).map(|guard| (at, guard)));
            at += line.len() + 1;
        }
        let mut ends: HashMap<Guard, Ends> = HashMap::new();
        let mut sound = true;
        for (at, line) in guards.into_iter().rev() {
            if line.kind == GuardKind::Begin {
                // One that never ends is a stray line.
                let ends = ends.get(&line.guard);
                sound =
                    ends.map_or(sound, |ends| ends.sound.is_some()) && before != Some(line.guard);
                continue;
            }
            let found = ends.entry(line.guard).or_insert(Ends {
                last: at,
                sound: None,
                more: false,
            });
            if sound {
                found.more = found.sound.is_some();
                found.sound.get_or_insert(at);
            }
            sound = false;
        }
        Self { ends, sound, fence }
    }

    /// Does a `%begin` at `at` belong to the fence that ends the lines?
    pub(super) const fn is_fence(&self, at: usize) -> bool {
        at >= self.fence
    }

    /// Where the block of a `%begin` at `at` ends; `None` where it never does.
    pub(super) fn end_behind(&self, guard: Guard, at: usize) -> Option<End> {
        let ends = self.ends.get(&guard).filter(|ends| ends.last > at)?;
        let sound = ends.sound.filter(|&end| end > at);
        Some(End {
            at: sound.unwrap_or(ends.last),
            uncertain: sound.is_none() || ends.more,
        })
    }

    /// Where a block ends that a guard in front of the lines has closed; `None` where that was
    /// right.
    pub(super) fn end_after_all(&self, guard: Guard) -> Option<End> {
        let ends = self.ends.get(&guard)?;
        match (ends.sound, self.sound) {
            (Some(at), early) => Some(End {
                at,
                uncertain: early || ends.more,
            }),
            (None, true) => None,
            (None, false) => Some(End {
                at: ends.last,
                uncertain: true,
            }),
        }
    }
}

/// Lines to be gone through once more, in front of the input.
#[derive(Debug, Default)]
pub(super) struct Replay {
    lines: Vec<u8>,
    next: usize,
    /// Does nothing whole follow in the stream?
    ends: bool,
}

impl Replay {
    pub(super) const fn new(lines: Vec<u8>, ends: bool) -> Self {
        Self {
            lines,
            next: 0,
            ends,
        }
    }

    /// Are there none?
    pub(super) const fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(super) fn next_line(&mut self) -> Option<Range<usize>> {
        let rest = self.lines.get(self.next..).unwrap_or_default();
        let Some((line, _)) = split_line(rest) else {
            *self = Self::default();
            return None;
        };
        let range = self.next..self.next + line.len();
        self.next = range.end + 1;
        Some(range)
    }

    pub(super) fn line(&self, range: Range<usize>) -> &[u8] {
        self.lines.get(range).unwrap_or_default()
    }

    /// Gives back the line that [`next_line`](Self::next_line) has just given, at `start`.
    pub(super) const fn unread(&mut self, start: usize) {
        self.next = start;
    }

    /// Was the line just given the last whole one of the stream?
    pub(super) const fn at_end(&self) -> bool {
        self.ends && self.next >= self.lines.len()
    }

    #[cfg(test)]
    pub(super) const fn held(&self) -> usize {
        self.lines.capacity()
    }
}
