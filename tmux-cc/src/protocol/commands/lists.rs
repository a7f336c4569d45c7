//! Lists: give them `-F` and read the rows, or have `Client::rows` do both.

use super::command;
use crate::protocol::{Command, Target};
use crate::wire::{SessionId, Version, WindowId};

/// The method that all lists share.
macro_rules! filtered {
    () => {
        /// Only those for which a format is neither empty nor `0`.
        pub fn filter(mut self, format: impl AsRef<[u8]>) -> Self {
            self.command = self.command.option("-f", format);
            self
        }
    };
}

command! {
    /// `list-sessions`.
    ListSessions
}

impl ListSessions {
    /// Every session.
    pub fn all() -> Self {
        Self {
            command: Command::new("list-sessions"),
        }
    }

    filtered!();
}

command! {
    /// `list-windows`.
    ListWindows
}

impl ListWindows {
    /// Of every session: a window that several have comes for each.
    pub fn all() -> Self {
        Self {
            command: Command::new("list-windows").flag("-a"),
        }
    }

    /// Of one session.
    pub fn of(session: impl Into<Target>) -> Self {
        Self {
            command: Command::new("list-windows").target(session),
        }
    }

    filtered!();
}

command! {
    /// `list-panes`.
    ListPanes
}

impl ListPanes {
    /// Of every session: the panes of a window that several have come for each.
    pub fn all() -> Self {
        Self {
            command: Command::new("list-panes").flag("-a"),
        }
    }

    /// Of one session.
    pub fn of_session(session: SessionId) -> Self {
        Self {
            command: Command::new("list-panes").flag("-s").target(session),
        }
    }

    /// Of one window.
    pub fn of_window(window: WindowId) -> Self {
        Self {
            command: Command::new("list-panes").target(window),
        }
    }

    filtered!();
}

command! {
    /// `list-clients`.
    ListClients
}

impl ListClients {
    /// Every client.
    pub fn all() -> Self {
        Self {
            command: Command::new("list-clients"),
        }
    }

    /// Those of one session.
    pub fn of(session: impl Into<Target>) -> Self {
        Self {
            command: Command::new("list-clients").target(session),
        }
    }

    /// Only those for which a format is neither empty nor `0` (from 3.4).
    pub fn filter(mut self, format: impl AsRef<[u8]>) -> Self {
        let command = self.command.option("-f", format);
        self.command = command.needs("list-clients -f", Version::new(3, 4));
        self
    }
}

command! {
    /// `list-buffers`.
    ListBuffers
}

impl ListBuffers {
    /// Every buffer.
    pub fn all() -> Self {
        Self {
            command: Command::new("list-buffers"),
        }
    }

    filtered!();
}
