//! The short way for text that only scrolls, which most of a log is: characters, line ends, tabs and
//! colours need no emulator to be lines.
//!
//! As many lines as a screen has are kept back, so that an emulator can take over at any point with the
//! screen as it is then.

use std::collections::VecDeque;
use std::mem;

use unicode_width::UnicodeWidthChar as _;

use super::Line;

/// The longest sequence that is waited for.
const LONGEST: usize = 4 << 10;

/// Lines that only scroll.
#[derive(Default)]
pub(super) struct Plain {
    /// The last lines that are complete: no more than a screen has.
    lines: VecDeque<Line>,
    /// The line that is not complete.
    open: String,
    /// When it was written to last.
    at: i64,
    /// Its length in cells.
    column: usize,
    /// The beginning of a sequence.
    begun: String,
}

impl Plain {
    /// Goes on where an emulator's screen has these lines, and the cursor is below them.
    pub(super) fn resume(lines: VecDeque<Line>) -> Self {
        Self {
            lines,
            ..Self::default()
        }
    }

    /// Takes text as far as it is plain; gives the rest, which is not.
    pub(super) fn take(
        &mut self,
        at: i64,
        text: &str,
        rows: usize,
        cols: usize,
        said: &mut Vec<Line>,
    ) -> Option<String> {
        let joined;
        let text = if self.begun.is_empty() {
            text
        } else {
            joined = mem::take(&mut self.begun) + text;
            joined.as_str()
        };
        let mut rest = text;
        loop {
            let run = rest
                .bytes()
                .position(|byte| !(0x20..0x7f).contains(&byte))
                .unwrap_or(rest.len());
            let (run, behind) = rest.split_at(run);
            if !run.is_empty() {
                self.open.push_str(run);
                self.column += run.len();
                self.at = at;
            }
            rest = match behind.chars().next()? {
                '\n' => return Some(behind.to_owned()),
                '\r' => {
                    let line = behind.trim_start_matches('\r');
                    let Some(behind) = line.strip_prefix('\n') else {
                        return self.not_yet(behind, line.is_empty());
                    };
                    self.end(at, rows, said);
                    behind
                }
                '\t' if self.column + 8 < cols => {
                    let blanks = 8 - self.column % 8;
                    self.open.extend(std::iter::repeat_n(' ', blanks));
                    self.column += blanks;
                    behind.get(1..).unwrap_or_default()
                }
                '\x07' => behind.get(1..).unwrap_or_default(),
                '\x1b' => match harmless(behind) {
                    Sequence::Passed(length) => behind.get(length..).unwrap_or_default(),
                    Sequence::Begun => return self.not_yet(behind, true),
                    Sequence::Other => return Some(behind.to_owned()),
                },
                shown if shown >= '\u{a0}' && shown.width() != Some(2) => {
                    self.open.push(shown);
                    self.column += 1;
                    self.at = at;
                    behind.get(shown.len_utf8()..).unwrap_or_default()
                }
                _ => return Some(behind.to_owned()),
            };
        }
    }

    /// Something that may be plain when more of it is there.
    fn not_yet(&mut self, rest: &str, begun: bool) -> Option<String> {
        if begun && rest.len() < LONGEST {
            rest.clone_into(&mut self.begun);
            return None;
        }
        Some(rest.to_owned())
    }

    fn end(&mut self, at: i64, rows: usize, said: &mut Vec<Line>) {
        // With its blanks, which may have wrapped.
        let text = mem::take(&mut self.open);
        let at = if self.column > 0 { self.at } else { at };
        self.column = 0;
        self.lines.push_back(Line {
            at,
            text,
            alternate: false,
        });
        while self.lines.len() > rows {
            said.extend(self.lines.pop_front().map(|mut line| {
                line.text.truncate(line.text.trim_end_matches(' ').len());
                line
            }));
        }
    }

    /// Nothing is plain any more: the lines that are kept back, the open one, and what began.
    pub(super) fn leave(&mut self) -> (VecDeque<Line>, Line, String) {
        let open = Line {
            at: self.at,
            text: mem::take(&mut self.open),
            alternate: false,
        };
        self.column = 0;
        (mem::take(&mut self.lines), open, mem::take(&mut self.begun))
    }
}

enum Sequence {
    /// So long, and it changes no text.
    Passed(usize),
    /// It is not complete.
    Begun,
    /// It may change what is shown.
    Other,
}

/// Looks at a sequence: colours, titles and their like change no text.
fn harmless(text: &str) -> Sequence {
    let bytes = text.as_bytes();
    match bytes.get(1) {
        None => Sequence::Begun,
        Some(b'[') => {
            let codes = bytes.get(2..).unwrap_or_default();
            let length = codes
                .iter()
                .position(|byte| !matches!(byte, b'0'..=b'9' | b';' | b':'));
            match length.map(|length| (length, codes.get(length))) {
                Some((length, Some(b'm'))) => Sequence::Passed(length + 3),
                Some(_) => Sequence::Other,
                None => Sequence::Begun,
            }
        }
        Some(b']') => {
            let body = bytes.get(2..).unwrap_or_default();
            let length = body.iter().position(|byte| byte.is_ascii_control());
            match length.map(|length| (length, body.get(length), body.get(length + 1))) {
                Some((length, Some(0x07), _)) => Sequence::Passed(length + 3),
                Some((length, Some(0x1b), Some(b'\\'))) => Sequence::Passed(length + 4),
                Some((_, Some(0x1b), None)) | None => Sequence::Begun,
                Some(_) => Sequence::Other,
            }
        }
        Some(_) => Sequence::Other,
    }
}

/// Whether a terminal that is fed text is in the middle of a sequence. In doubt it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Within {
    /// Of nothing.
    #[default]
    Nothing,
    /// Behind an ESC, or what follows it.
    Escape,
    /// A control sequence.
    Control,
    /// An operating system command, which also BEL ends.
    Command,
    /// Another string.
    String,
}

impl Within {
    /// What it is in behind more text.
    pub(super) fn behind(self, text: &str) -> Self {
        let mut within = self;
        let mut rest = text;
        loop {
            if within == Self::Nothing {
                // Most text holds neither an ESC nor one of its shorthands.
                let begins = |char| char == '\x1b' || ('\u{80}'..='\u{9f}').contains(&char);
                let Some(at) = rest.find(begins) else {
                    return within;
                };
                rest = rest.get(at..).unwrap_or_default();
            }
            let mut chars = rest.chars();
            let Some(char) = chars.next() else {
                return within;
            };
            rest = chars.as_str();
            within = within.step(char);
        }
    }

    const fn step(self, char: char) -> Self {
        match (self, char) {
            (_, '\x1b') => Self::Escape,
            (_, '\x18' | '\x1a') => Self::Nothing,
            (_, '\u{9b}') => Self::Control,
            (_, '\u{9d}') => Self::Command,
            (_, '\u{90}' | '\u{98}' | '\u{9e}' | '\u{9f}') => Self::String,
            (Self::Escape, '[') => Self::Control,
            (Self::Escape, ']') => Self::Command,
            (Self::Escape, 'P' | 'X' | '^' | '_') => Self::String,
            (Self::Escape, '0'..='~') | (Self::Control, '@'..='~') => Self::Nothing,
            (Self::Command, '\x07') | (_, '\u{80}'..='\u{9f}') => Self::Nothing,
            (other, _) => other,
        }
    }
}
