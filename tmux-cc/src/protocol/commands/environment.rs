//! The variables that new panes get.

use super::answer::{AnswerError, Run, text};
use super::command;
use crate::protocol::{Command, Reply, Target};

/// Whose environment.
///
/// Example: [`commands`](crate::protocol::commands).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Environment {
    /// That of all sessions.
    Global,
    /// That of one session, which comes on top.
    Session(Target),
}

impl Environment {
    fn add_to(self, command: Command) -> Command {
        match self {
            Self::Global => command.flag("-g"),
            Self::Session(session) => command.target(session),
        }
    }
}

command! {
    /// `set-environment`.
    SetEnvironment -> ()
}

impl SetEnvironment {
    /// Sets a variable; the value is taken as it is.
    pub fn new(of: Environment, name: &str, value: impl AsRef<[u8]>) -> Self {
        let command = of.add_to(Command::new("set-environment"));
        Self {
            command: command.flag("--").arg(name).arg(value),
        }
    }
}

command! {
    /// `set-environment -u` and `-r`.
    UnsetEnvironment -> ()
}

impl UnsetEnvironment {
    /// Forgets a variable: a session has the global one again.
    pub fn new(of: Environment, name: &str) -> Self {
        Self::with("-u", of, name)
    }

    /// Takes a variable out of the environment that new panes get.
    pub fn removed(of: Environment, name: &str) -> Self {
        Self::with("-r", of, name)
    }

    fn with(flag: &str, of: Environment, name: &str) -> Self {
        let command = of.add_to(Command::new("set-environment").flag(flag));
        Self {
            command: command.flag("--").arg(name),
        }
    }
}

/// `show-environment`: answers the value of a variable, or that there is none.
///
/// With tmux 3.4 and 3.5 control characters come as `\033`; see
/// [`ReplyText`](crate::protocol::ReplyText).
///
/// Example: [`commands`](crate::protocol::commands).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct ShowEnvironment {
    command: Command,
    name: String,
}

impl ShowEnvironment {
    /// Of one variable.
    pub fn new(of: Environment, name: &str) -> Self {
        let command = of.add_to(Command::new("show-environment"));
        Self {
            command: command.flag("--").arg(name),
            name: name.to_owned(),
        }
    }
}

impl From<ShowEnvironment> for Command {
    fn from(built: ShowEnvironment) -> Self {
        built.command
    }
}

impl Run for ShowEnvironment {
    type Answer = Option<Vec<u8>>;

    fn command(&self) -> Command {
        self.command.clone()
    }

    fn answer(&self, reply: Reply) -> Result<Option<Vec<u8>>, AnswerError> {
        let printed = match text(reply) {
            Err(AnswerError::Failed(failed))
                if failed.message().starts_with(b"unknown variable: ") =>
            {
                return Ok(None);
            }
            other => other?,
        };
        let value = printed
            .strip_prefix(self.name.as_bytes())
            .and_then(|rest| rest.strip_prefix(b"="));
        match value {
            Some(value) => Ok(Some(value.to_vec())),
            // `-NAME` is one that is taken out of new panes.
            None if printed.strip_prefix(b"-") == Some(self.name.as_bytes()) => Ok(None),
            None => Err(AnswerError::Unreadable { printed }),
        }
    }
}
