//! What a fake is asked, and what it answers.

use std::fmt;

/// A command that was asked of a fake.
///
/// Example: [`testing`](crate::testing).
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Asked {
    /// Its name, as it was written.
    pub name: String,
    /// Its arguments, without their quotes.
    pub arguments: Vec<Vec<u8>>,
}

impl Asked {
    /// Is that flag among its arguments?
    ///
    /// ```
    /// # use tmux_cc::testing::Asked;
    /// assert!(Asked::parse(b"list-panes -a").unwrap().has("-a"));
    /// ```
    #[must_use]
    pub fn has(&self, flag: &str) -> bool {
        self.arguments
            .iter()
            .any(|argument| argument == flag.as_bytes())
    }

    /// What stands behind that flag.
    ///
    /// ```
    /// # use tmux_cc::testing::Asked;
    /// let asked = Asked::parse(b"capture-pane -p -t '%3'").unwrap();
    /// assert_eq!(asked.value_of("-t"), Some(&b"%3"[..]));
    /// ```
    #[must_use]
    pub fn value_of(&self, flag: &str) -> Option<&[u8]> {
        let mut arguments = self.arguments.iter();
        arguments.find(|argument| *argument == flag.as_bytes())?;
        arguments.next().map(Vec::as_slice)
    }

    /// Reads the first command of a line, with quotes as this library writes them; `None` where
    /// there is none.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Self> {
        super::lexer::commands(line).into_iter().find_map(Self::of)
    }

    /// It from its words.
    pub(super) fn of(words: Vec<Vec<u8>>) -> Option<Self> {
        let mut words = words.into_iter();
        let name = String::from_utf8_lossy(&words.next()?).into_owned();
        Some(Self {
            name,
            arguments: words.collect(),
        })
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        let mut arguments = self.arguments.iter();
        arguments.try_for_each(|argument| write!(f, " \"{}\"", argument.escape_ascii()))
    }
}

/// What a fake does about a command.
///
/// Example: [`testing`](crate::testing).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// A block that ends in `%end`.
    Ok(Vec<u8>),
    /// A block that ends in `%error`: what else is on the line does not run.
    Error(Vec<u8>),
    /// Several blocks: what an alias or `source-file` gives; true for `%end`.
    Blocks(Vec<(bool, Vec<u8>)>),
    /// A block that ends in `%end`, and then nothing that is sent later is run until
    /// [`FakeTmux::wake`](super::FakeTmux::wake): `wait-for`, `run-shell`.
    Wait,
    /// The client ends, as after `kill-server` or `detach-client`.
    Exit,
}

impl Answer {
    /// A block that succeeds, with that body; a last newline is added where there is none.
    #[must_use]
    pub fn ok(body: impl AsRef<[u8]>) -> Self {
        Self::Ok(body.as_ref().to_vec())
    }

    /// A block that fails, with tmux's words for it.
    #[must_use]
    pub fn error(words: impl AsRef<[u8]>) -> Self {
        Self::Error(words.as_ref().to_vec())
    }
}
