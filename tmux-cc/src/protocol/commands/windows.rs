//! Windows: made, named, selected and ended.

use super::answer::Created;
use super::program::{Program, pane_methods, variable, with_program};
use super::{command, literal};
use crate::protocol::{Command, Target};
use crate::wire::{SessionId, WindowId};

/// `new-window`: a window with one pane; answers their ids.
///
/// In a name tmux writes control characters and backslashes as `\033` and `\\`; from 3.7 it refuses
/// control characters.
///
/// Example: [`commands`](crate::protocol::commands).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct NewWindow {
    command: Command,
    program: Program,
}

impl NewWindow {
    fn new(place: impl FnOnce(Command) -> Command) -> Self {
        let command = Command::new("new-window").flag("-P");
        Self {
            command: place(command.option("-F", Created::FORMAT)),
            program: Program::Own,
        }
    }

    /// At the first free index of a session.
    pub fn in_session(session: impl Into<Target>) -> Self {
        let session = session.into();
        Self::new(|command| command.place(&session, ""))
    }

    /// At that index, which must be free unless [`replacing`](Self::replacing).
    pub fn at(session: impl Into<Target>, index: u32) -> Self {
        let session = session.into();
        Self::new(|command| command.place(&session, &index.to_string()))
    }

    /// Behind another window of its session; those that follow move up.
    pub fn after(window: WindowId) -> Self {
        Self::new(|command| command.flag("-a").target(window))
    }

    /// In front of another window of its session.
    pub fn before(window: WindowId) -> Self {
        Self::new(|command| command.flag("-b").target(window))
    }

    /// Ends the window that has the index.
    pub fn replacing(mut self) -> Self {
        self.command = self.command.flag("-k");
        self
    }

    /// Leaves the session's current window as it is.
    pub fn detached(mut self) -> Self {
        self.command = self.command.flag("-d");
        self
    }

    /// With that name, which no program changes then.
    pub fn name(mut self, name: impl AsRef<[u8]>) -> Self {
        self.command = self.command.literal("-n", name);
        self
    }

    /// With the name that a format gives.
    pub fn name_format(mut self, format: impl AsRef<[u8]>) -> Self {
        self.command = self.command.option("-n", format);
        self
    }

    pane_methods!();
}

with_program!(NewWindow -> Created, Created::read);

command! {
    /// `kill-window`: ends a window, in every session that has it.
    KillWindow -> ()
}

impl KillWindow {
    /// By id.
    pub fn new(window: WindowId) -> Self {
        Self {
            command: Command::new("kill-window").target(window),
        }
    }
}

command! {
    /// `rename-window`; the name is subject to what [`NewWindow`] says.
    RenameWindow -> ()
}

impl RenameWindow {
    /// Renames a window; no program changes the name from then on.
    pub fn new(window: WindowId, name: impl AsRef<[u8]>) -> Self {
        Self::format(window, literal(name))
    }

    /// Renames it to what a format gives.
    pub fn format(window: WindowId, format: impl AsRef<[u8]>) -> Self {
        let command = Command::new("rename-window").target(window);
        Self {
            command: command.flag("--").arg(format),
        }
    }
}

command! {
    /// `select-window`: makes a window its session's current one.
    SelectWindow -> ()
}

impl SelectWindow {
    /// In the session that tmux thinks best, where several have the window.
    pub fn new(window: WindowId) -> Self {
        Self {
            command: Command::new("select-window").target(window),
        }
    }

    /// In that session.
    pub fn in_session(session: SessionId, window: WindowId) -> Self {
        let place = Target::from(session);
        let command = Command::new("select-window");
        Self {
            command: command.place(&place, &window.to_string()),
        }
    }
}
