//! Panes: made, selected and ended.

use super::answer::Created;
use super::program::{Program, pane_methods, variable, with_program};
use super::{command, number};
use crate::protocol::{Command, Target};
use crate::wire::PaneId;

/// `split-window`: a pane beside another one; answers its id, with its window and a session.
///
/// Example: [`commands`](crate::protocol::commands).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct SplitWindow {
    command: Command,
    program: Program,
}

impl SplitWindow {
    fn new(pane: Target, direction: &str) -> Self {
        let command = Command::new("split-window").flag("-P");
        let command = command.option("-F", Created::FORMAT).target(pane);
        Self {
            command: command.flag(direction),
            program: Program::Own,
        }
    }

    /// A pane below; of a window or session it is the active pane that is split.
    pub fn below(pane: impl Into<Target>) -> Self {
        Self::new(pane.into(), "-v")
    }

    /// A pane to the right.
    pub fn right(pane: impl Into<Target>) -> Self {
        Self::new(pane.into(), "-h")
    }

    /// On the other side: above, or to the left.
    pub fn before(mut self) -> Self {
        self.command = self.command.flag("-b");
        self
    }

    /// Across the whole window.
    pub fn full(mut self) -> Self {
        self.command = self.command.flag("-f");
        self
    }

    /// Its height or width in cells.
    pub fn size(mut self, cells: u32) -> Self {
        self.command = number(self.command, "-l", cells);
        self
    }

    /// The same in per cent of what is split.
    pub fn percent(mut self, percent: u32) -> Self {
        self.command = self.command.option("-l", format!("{percent}%"));
        self
    }

    /// Leaves the window's active pane as it is.
    pub fn detached(mut self) -> Self {
        self.command = self.command.flag("-d");
        self
    }

    pane_methods!();
}

with_program!(SplitWindow -> Created, Created::read);

command! {
    /// `kill-pane`: ends a pane, and its window with the last one.
    KillPane -> ()
}

impl KillPane {
    /// By id.
    pub fn new(pane: PaneId) -> Self {
        Self {
            command: Command::new("kill-pane").target(pane),
        }
    }
}

command! {
    /// `select-pane`: makes a pane its window's active one, or changes what is said of it.
    SelectPane -> ()
}

impl SelectPane {
    /// Makes it the active one.
    pub fn new(pane: PaneId) -> Self {
        Self {
            command: Command::new("select-pane").target(pane),
        }
    }

    /// Gives a pane a title and leaves the active one as it is; programs may change it again.
    pub fn title(pane: PaneId, title: impl AsRef<[u8]>) -> Self {
        let mut select = Self::new(pane);
        select.command = select.command.literal("-T", title);
        select
    }

    /// Turns what is typed into a pane on or off; what comes while it is off is dropped.
    pub fn input(pane: PaneId, on: bool) -> Self {
        let mut select = Self::new(pane);
        select.command = select.command.flag(if on { "-e" } else { "-d" });
        select
    }
}
