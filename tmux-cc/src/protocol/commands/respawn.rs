//! Panes begin anew.
//!
//! **Danger:** up to tmux 3.7c a respawn can crash the server, and with it every session, while any
//! control client without `no-output` has not consumed the pane's output: also somebody else's, a
//! terminal's integration or a logger. The clients of this library take no output unless asked. A
//! new pane ([`SplitWindow`](super::SplitWindow), then [`KillPane`](super::KillPane)) has no such
//! danger. See [`Quirk::RespawnCrash`](crate::protocol::Quirk::RespawnCrash).

use super::answer::done;
use super::program::{Program, pane_methods, variable, with_program};
use crate::protocol::Command;
use crate::wire::{PaneId, WindowId};

/// `respawn-pane`: runs a program in a pane whose program has ended, or again what ran there.
///
/// **Danger:** up to tmux 3.7c this can crash the server; see
/// [`Quirk::RespawnCrash`](crate::protocol::Quirk::RespawnCrash).
///
/// Example: [`commands`](crate::protocol::commands).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct RespawnPane {
    command: Command,
    program: Program,
}

impl RespawnPane {
    /// What ran there runs again.
    pub fn new(pane: PaneId) -> Self {
        Self {
            command: Command::new("respawn-pane").target(pane),
            program: Program::Own,
        }
    }

    /// Ends what still runs there.
    pub fn kill(mut self) -> Self {
        self.command = self.command.flag("-k");
        self
    }

    pane_methods!();
}

with_program!(RespawnPane -> (), done);

/// `respawn-window`: the same with a window's first pane; its others end.
///
/// **Danger:** that of [`RespawnPane`].
///
/// Example: [`commands`](crate::protocol::commands).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct RespawnWindow {
    command: Command,
    program: Program,
}

impl RespawnWindow {
    /// What ran there runs again.
    pub fn new(window: WindowId) -> Self {
        Self {
            command: Command::new("respawn-window").target(window),
            program: Program::Own,
        }
    }

    /// Ends what still runs there.
    pub fn kill(mut self) -> Self {
        self.command = self.command.flag("-k");
        self
    }

    pane_methods!();
}

with_program!(RespawnWindow -> (), done);
