//! Sessions: made, named, looked for and ended; and the server's end.

use super::answer::{AnswerError, Created, Run, whole};
use super::program::{Program, pane_methods, variable, with_program};
use super::{command, number};
use crate::protocol::{Command, Reply, Target};

/// `new-session -d`: a session with a window and a pane; answers their ids.
///
/// No client moves to it. tmux changes some names: up to 3.6 `.` and `:` become `_`, from 3.7
/// control characters are refused; up to 3.4 a `$` is told as `\$` afterwards. Go by the id.
///
/// Example: [`Run`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct NewSession {
    command: Command,
    program: Program,
}

impl NewSession {
    /// With a name that tmux chooses, a number.
    pub fn new() -> Self {
        let command = Command::new("new-session").flag("-d").flag("-P");
        Self {
            command: command.option("-F", Created::FORMAT),
            program: Program::Own,
        }
    }

    /// With that name.
    pub fn named(name: impl AsRef<[u8]>) -> Self {
        let mut session = Self::new();
        session.command = session.command.literal("-s", name);
        session
    }

    /// Gives the first window a name.
    pub fn window_name(mut self, name: impl AsRef<[u8]>) -> Self {
        self.command = self.command.literal("-n", name);
        self
    }

    /// Its size in columns and rows while no client with a terminal shows it.
    pub fn size(mut self, columns: u32, rows: u32) -> Self {
        self.command = number(number(self.command, "-x", columns), "-y", rows);
        self
    }

    pane_methods!();
}

impl Default for NewSession {
    fn default() -> Self {
        Self::new()
    }
}

with_program!(NewSession -> Created, Created::read);

command! {
    /// `kill-session`: ends a session; windows that no other session has end with it.
    KillSession -> ()
}

impl KillSession {
    /// By id, or [by its exact name](Target::session).
    pub fn new(session: impl Into<Target>) -> Self {
        Self {
            command: Command::new("kill-session").target(session),
        }
    }
}

command! {
    /// `rename-session`; the name is subject to what [`NewSession`] says.
    RenameSession -> ()
}

impl RenameSession {
    /// Renames a session.
    pub fn new(session: impl Into<Target>, name: impl AsRef<[u8]>) -> Self {
        Self::format(session, super::literal(name))
    }

    /// Renames it to what a format gives.
    pub fn format(session: impl Into<Target>, format: impl AsRef<[u8]>) -> Self {
        let command = Command::new("rename-session").target(session);
        Self {
            command: command.flag("--").arg(format),
        }
    }
}

command! {
    /// `kill-server`: ends every session. The client ends too, and that is success.
    KillServer -> ()
}

impl KillServer {
    /// Ends the server.
    pub fn new() -> Self {
        Self {
            command: Command::new("kill-server"),
        }
    }
}

impl Default for KillServer {
    fn default() -> Self {
        Self::new()
    }
}

command! {
    /// `has-session`: does a session exist? Exactly that one, not one whose name begins so.
    HasSession
}

impl HasSession {
    /// By id, or [by its exact name](Target::session).
    pub fn new(session: impl Into<Target>) -> Self {
        Self {
            command: Command::new("has-session").target(session),
        }
    }
}

impl Run for HasSession {
    type Answer = bool;

    fn command(&self) -> Command {
        self.command.clone()
    }

    fn answer(&self, reply: Reply) -> Result<bool, AnswerError> {
        match whole(reply) {
            Err(AnswerError::Failed(failed)) if failed.message().starts_with(b"can't find ") => {
                Ok(false)
            }
            other => other.map(|_| true),
        }
    }
}
