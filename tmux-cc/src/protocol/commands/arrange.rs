//! Windows and panes move, swap and are shared.

use super::answer::{AnswerError, Created, Run};
use super::{command, number};
use crate::protocol::{Command, Reply, Target};
use crate::wire::{PaneId, SessionId, WindowId};

command! {
    /// `break-pane`: moves a pane into a window of its own; answers where it is then.
    BreakPane
}

impl BreakPane {
    /// At the first free index of the pane's session; that becomes the current window.
    pub fn new(pane: PaneId) -> Self {
        Self {
            command: Command::new("break-pane").option("-s", pane.to_string()),
        }
        .asking(pane)
    }

    /// At the first free index of another session, whose current window stays.
    pub fn into_session(pane: PaneId, session: impl Into<Target>) -> Self {
        let command = Command::new("break-pane").flag("-d");
        let command = command.option("-s", pane.to_string());
        Self {
            command: command.place(&session.into(), ""),
        }
        .asking(pane)
    }

    // `-P` prints nothing where the pane was alone in its window.
    fn asking(mut self, pane: PaneId) -> Self {
        let ask = Command::new("display-message").flag("-p").target(pane);
        self.command = self.command.then(ask.arg(Created::FORMAT));
        self
    }
}

impl Run for BreakPane {
    type Answer = Created;

    fn command(&self) -> Command {
        self.command.clone()
    }

    fn answer(&self, reply: Reply) -> Result<Created, AnswerError> {
        Created::read(reply)
    }
}

command! {
    /// `join-pane`: moves a pane beside another one, wherever that is.
    JoinPane -> ()
}

impl JoinPane {
    fn new(pane: PaneId, beside: PaneId, direction: &str) -> Self {
        let command = Command::new("join-pane").option("-s", pane.to_string());
        Self {
            command: command.target(beside).flag(direction),
        }
    }

    /// Below the other one.
    pub fn below(pane: PaneId, other: PaneId) -> Self {
        Self::new(pane, other, "-v")
    }

    /// To the right of the other one.
    pub fn right(pane: PaneId, other: PaneId) -> Self {
        Self::new(pane, other, "-h")
    }

    /// On the other side: above, or to the left.
    pub fn before(mut self) -> Self {
        self.command = self.command.flag("-b");
        self
    }

    /// Its height or width in cells.
    pub fn size(mut self, cells: u32) -> Self {
        self.command = number(self.command, "-l", cells);
        self
    }

    /// Leaves the window's active pane as it is.
    pub fn detached(mut self) -> Self {
        self.command = self.command.flag("-d");
        self
    }
}

command! {
    /// `swap-pane -d`: two panes change places; the active panes stay where they are.
    SwapPane -> ()
}

impl SwapPane {
    /// Either may be in any window.
    pub fn new(one: PaneId, other: PaneId) -> Self {
        let command = Command::new("swap-pane").flag("-d");
        Self {
            command: command.option("-s", one.to_string()).target(other),
        }
    }
}

command! {
    /// `swap-window -d`: two windows change places; each session stays at its index.
    SwapWindow -> ()
}

impl SwapWindow {
    /// Either may be in any session.
    pub fn new(one: WindowId, other: WindowId) -> Self {
        let command = Command::new("swap-window").flag("-d");
        Self {
            command: command.option("-s", one.to_string()).target(other),
        }
    }
}

/// The methods of what puts a window at a place.
macro_rules! placed {
    ($name:ident, $command:literal) => {
        impl $name {
            /// At the first free index of a session, whose current window stays.
            pub fn new(window: WindowId, session: impl Into<Target>) -> Self {
                Self::to(window, &session.into(), "")
            }

            /// At that index, which must be free.
            pub fn at(window: WindowId, session: impl Into<Target>, index: u32) -> Self {
                Self::to(window, &session.into(), &index.to_string())
            }

            fn to(window: WindowId, session: &Target, place: &str) -> Self {
                let command = Command::new($command).flag("-d");
                let command = command.option("-s", window.to_string());
                Self {
                    command: command.place(session, place),
                }
            }

            /// Ends the window that has the index.
            pub fn replacing(mut self) -> Self {
                self.command = self.command.flag("-k");
                self
            }
        }
    };
}

command! {
    /// `move-window -d`: moves a window to another place.
    MoveWindow -> ()
}
placed!(MoveWindow, "move-window");

command! {
    /// `link-window -d`: puts a window into another session too.
    LinkWindow -> ()
}
placed!(LinkWindow, "link-window");

command! {
    /// `unlink-window`: takes a window out of a session that is not its only one.
    UnlinkWindow -> ()
}

impl UnlinkWindow {
    /// Out of that session.
    pub fn new(session: SessionId, window: WindowId) -> Self {
        let command = Command::new("unlink-window");
        Self {
            command: command.place(&session.into(), &window.to_string()),
        }
    }
}
