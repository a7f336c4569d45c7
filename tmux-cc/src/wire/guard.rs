//! The lines around a reply: `%begin`, `%end`, `%error`.

use std::fmt;

use super::id::{parse_u32, parse_u64};

/// The three fields that tie the two lines around a block together.
///
/// **Shape:** `%begin TIME NUMBER FLAGS`. A block ends only at an `%end` or `%error` with the very
/// same three; every other line in between, whatever it looks like, is body.
///
/// **Source:** tmux `control.c`, `control_write_guard` up to 3.7 in `cmd-queue.c`, `cmdq_guard`;
/// three fields since 1.9.
///
/// Example: [`GuardLine`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Guard {
    /// Seconds since the epoch when the command started; wall clock, so it can go backwards.
    pub time: u64,
    /// The server's count of queued items: rises within a stream, with gaps.
    pub number: u32,
    /// Bit 0 is set when the command was typed on this client's input.
    pub flags: u32,
}

impl Guard {
    /// Was the command typed on this control client (tmux `CMDQ_STATE_CONTROL`)?
    ///
    /// `false` for hooks, key bindings, `if-shell -b` bodies and the command that attached.
    #[must_use]
    pub const fn is_ours(self) -> bool {
        self.flags & 1 == 1
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.time, self.number, self.flags)
    }
}

/// Which of the three guard lines it is.
///
/// Example: [`GuardLine`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GuardKind {
    /// `%begin`: a block opens.
    Begin,
    /// `%end`: the block closes, the command succeeded.
    End,
    /// `%error`: the block closes, the command failed.
    Error,
}

/// A whole guard line.
///
/// ```
/// use tmux_cc::wire::{GuardKind, GuardLine};
///
/// let line = GuardLine::parse(b"%begin 1700000000 260 1").expect("a guard");
/// assert_eq!((line.kind, line.guard.number), (GuardKind::Begin, 260));
/// assert!(line.guard.is_ours());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GuardLine {
    /// Begin, end or error.
    pub kind: GuardKind,
    /// The three fields behind it.
    pub guard: Guard,
}

impl GuardLine {
    /// Parses a line as a guard, or `None` where it is not one to the letter.
    ///
    /// tmux's own spelling only: one space between fields, decimal without sign or leading zeros,
    /// nothing behind. So two guards are equal exactly when their lines are.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Self> {
        let (kind, fields) = if let Some(rest) = line.strip_prefix(b"%begin ") {
            (GuardKind::Begin, rest)
        } else if let Some(rest) = line.strip_prefix(b"%end ") {
            (GuardKind::End, rest)
        } else if let Some(rest) = line.strip_prefix(b"%error ") {
            (GuardKind::Error, rest)
        } else {
            return None;
        };
        let mut fields = fields.split(|&b| b == b' ');
        let time = parse_u64(fields.next()?)?;
        let number = parse_u32(fields.next()?)?;
        let flags = parse_u32(fields.next()?)?;
        match fields.next() {
            None => Some(Self {
                kind,
                guard: Guard {
                    time,
                    number,
                    flags,
                },
            }),
            Some(_) => None,
        }
    }
}

impl fmt::Display for GuardLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.kind {
            GuardKind::Begin => "begin",
            GuardKind::End => "end",
            GuardKind::Error => "error",
        };
        write!(f, "%{name} {}", self.guard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_is_read_to_the_letter() {
        let line = GuardLine::parse(b"%end 1795371907 260 1").unwrap();
        assert_eq!(line.kind, GuardKind::End);
        assert_eq!(
            line.guard,
            Guard {
                time: 1_795_371_907,
                number: 260,
                flags: 1
            }
        );
        assert!(line.guard.is_ours());
        assert_eq!(line.guard.to_string(), "1795371907 260 1");
        assert!(
            !GuardLine::parse(b"%begin 1 4294967295 0")
                .unwrap()
                .guard
                .is_ours()
        );
        assert!(!GuardLine::parse(b"%error 1 1 2").unwrap().guard.is_ours());
    }

    #[test]
    fn what_only_resembles_a_guard_is_none() {
        for bad in [
            "%end",
            "%end ",
            "%end 1",
            "%end 1 2",
            "%end 1 2 1 4",
            "%end 1 2 1 ",
            "%end  1 2 1",
            "%end 1  2 1",
            "%end\t1 2 1",
            "%end 1 2 -1",
            "%end +1 2 1",
            "%end 01 2 1",
            "%end 1 4294967296 1",
            "%end 1 18446744073709551616 1",
            "%end 999999999999999999999999999999 2 1",
            "%end 1 2 1\r",
            "%END 1 2 1",
            " %end 1 2 1",
            "%ends 1 2 1",
            "%begin1 2 1",
            "%end 1 2 1\0",
            "%end a b c",
        ] {
            assert_eq!(GuardLine::parse(bad.as_bytes()), None, "{bad:?}");
        }
    }
}
