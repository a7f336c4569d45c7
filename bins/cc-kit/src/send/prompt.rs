//! Text that is to be sent.

use crate::printable::printable;
use crate::profile::Sending;

/// The most bytes of a prompt: 256 KiB. What is longer goes into a file, and the prompt says which.
pub const LIMIT: usize = 256 << 10;

/// A prompt: UTF-8 with line feeds and tabs, and no other control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt(String);

/// Why something is no prompt: nothing of it was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// There is nothing to send.
    #[error("the prompt is empty")]
    Empty,
    /// It is longer than [`LIMIT`].
    #[error("the prompt has {0} bytes, and {LIMIT} is the most")]
    TooLong(usize),
    /// It is not UTF-8.
    #[error("the prompt is not UTF-8 at byte {0}")]
    NotUtf8(usize),
    /// Programs take a backslash at the end for more to come, and do not send it.
    #[error("the prompt ends in a backslash, which is taken for more to come")]
    Continues,
    /// The program would take it for something else, such as a shell command that it runs.
    #[error("the program takes a prompt that begins with {0:?} for a command of its own")]
    Command(String),
    /// A control character would be a key to the program, or the end of the paste.
    #[error("the prompt has the control character U+{:04X} at byte {at}", *.found as u32)]
    Control {
        /// Which.
        found: char,
        /// Where.
        at: usize,
    },
}

impl Prompt {
    /// Takes text as it is, or not at all.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn new(text: &[u8]) -> Result<Self, Unfit> {
        if text.len() > LIMIT {
            return Err(Unfit::TooLong(text.len()));
        }
        let text = str::from_utf8(text).map_err(|error| Unfit::NotUtf8(error.valid_up_to()))?;
        if text.trim().is_empty() {
            return Err(Unfit::Empty);
        }
        if text.ends_with('\\') {
            return Err(Unfit::Continues);
        }
        let typed = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
        match text.char_indices().find(|(_, c)| typed(*c)) {
            Some((at, found)) => Err(Unfit::Control { found, at }),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// Is it a prompt to a program that is written to in this way?
    ///
    /// # Errors
    /// [`Unfit::Command`].
    pub fn fits(&self, sending: &Sending) -> Result<(), Unfit> {
        match sending.refused(&self.0) {
            Some(beginning) => Err(Unfit::Command(beginning.to_owned())),
            None => Ok(()),
        }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Its end, as it can be found on a screen whatever it is wrapped and indented by.
    pub(super) fn tail(&self) -> String {
        tail(&dense(&self.0))
    }

    /// All of it, as a reading of a box has it: readings are printable.
    pub(super) fn as_draft(&self) -> String {
        let lines = self.0.lines();
        lines
            // Blanks first: a tab is one on the screen.
            .map(|line| printable(dense(line).as_bytes()).to_string())
            .collect()
    }
}

/// The last characters of a text without blanks.
pub(super) fn tail(dense: &str) -> String {
    let from = dense.char_indices().rev().nth(TAIL - 1);
    dense
        .get(from.map_or(0, |(at, _)| at)..)
        .unwrap_or_default()
        .to_owned()
}

/// How many characters of the end are looked for.
const TAIL: usize = 24;

/// Text without what a screen adds between and around its rows.
pub(super) fn dense(text: &str) -> String {
    let frame = |c: char| ('\u{2500}'..='\u{259f}').contains(&c);
    text.chars()
        .filter(|c| !c.is_whitespace() && !frame(*c))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_taken_as_it_is_or_not_at_all() {
        for text in ["fix it", "a\n\tb;\n", "naïve 日本 🙂 e\u{301}", ";", "\\n"] {
            assert_eq!(Prompt::new(text.as_bytes()).unwrap().text(), text);
        }
        let control = |found, at| Err(Unfit::Control { found, at });
        assert_eq!(Prompt::new(b"a\x1b[201~"), control('\x1b', 1));
        assert_eq!(Prompt::new(b"a\r\n"), control('\r', 1));
        assert_eq!(Prompt::new("ab\u{9b}".as_bytes()), control('\u{9b}', 2));
        assert_eq!(Prompt::new(b"a\x7f"), control('\x7f', 1));
        assert_eq!(Prompt::new(b"a\xff"), Err(Unfit::NotUtf8(1)));
        assert_eq!(Prompt::new(b" \n"), Err(Unfit::Empty));
        assert_eq!(Prompt::new(b"a \\"), Err(Unfit::Continues));
        let long = vec![b'x'; LIMIT + 1];
        assert_eq!(Prompt::new(&long), Err(Unfit::TooLong(LIMIT + 1)));
    }

    #[test]
    fn what_the_program_would_run_is_no_prompt_to_it() {
        let profiles = crate::profile::Profiles::builtin();
        for (name, text, fits) in [
            ("claude", "! touch x", false),
            ("claude", "\n  ! touch x", false),
            ("claude", "touch x!", true),
            ("codex", "!ls", false),
            ("aider", "!ls", false),
            ("gemini", "!ls", true),
        ] {
            let sending = profiles.get(name).unwrap().sending();
            let prompt = Prompt::new(text.as_bytes()).unwrap();
            assert_eq!(prompt.fits(sending).is_ok(), fits, "{name} {text:?}");
        }
    }

    #[test]
    fn a_tab_is_a_blank_on_the_screen() {
        let prompt = Prompt::new(b"a\tb\n\tc").unwrap();
        assert_eq!(prompt.as_draft(), "abc");
    }

    #[test]
    fn a_mistake_says_where() {
        assert_eq!(
            Prompt::new(b"ab\x1bc").unwrap_err().to_string(),
            "the prompt has the control character U+001B at byte 2"
        );
    }

    #[test]
    fn the_end_is_found_whatever_it_is_wrapped_by() {
        let prompt = Prompt::new(b"please look at the file main.rs and fix it").unwrap();
        let screen = "│ > please look at the file main │\n│   .rs and fix it             │";
        assert!(dense(screen).contains(&prompt.tail()), "{}", prompt.tail());
        assert_eq!(Prompt::new(b"hi").unwrap().tail(), "hi");
    }
}
