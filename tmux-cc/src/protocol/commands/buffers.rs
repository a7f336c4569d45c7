//! Paste buffers.

use super::answer::{AnswerError, Run, text};
use super::guarded::{guarded, unless_dead};
use super::{command, literal};
use crate::protocol::{Command, Reply};
use crate::wire::{PaneId, Version};

command! {
    /// `set-buffer`: puts bytes into a buffer, as they are. An empty one cannot be: tmux would
    /// leave what was there.
    SetBuffer -> ()
}

impl SetBuffer {
    /// Replaces what the buffer held.
    pub fn new(name: &str, bytes: impl AsRef<[u8]>) -> Self {
        Self::with(Command::new("set-buffer"), name, bytes.as_ref())
    }

    /// Appends to it.
    pub fn append(name: &str, bytes: impl AsRef<[u8]>) -> Self {
        Self::with(Command::new("set-buffer").flag("-a"), name, bytes.as_ref())
    }

    fn with(command: Command, name: &str, bytes: &[u8]) -> Self {
        let command = command.option("-b", name).flag("--").arg(bytes);
        Self {
            command: if bytes.is_empty() {
                command.unfit("the content of a buffer", "is empty")
            } else {
                command
            },
        }
    }
}

command! {
    /// `load-buffer`: reads a file into a buffer.
    LoadBuffer -> ()
}

impl LoadBuffer {
    /// From an absolute path.
    pub fn new(name: &str, path: impl AsRef<[u8]>) -> Self {
        let path = path.as_ref();
        let command = Command::new("load-buffer").option("-b", name);
        let command = command.flag("--").arg(literal(path));
        Self {
            command: if path.starts_with(b"/") {
                command
            } else {
                command.unfit("the path", "is not absolute")
            },
        }
    }
}

command! {
    /// `delete-buffer`.
    DeleteBuffer -> ()
}

impl DeleteBuffer {
    /// By name.
    pub fn new(name: &str) -> Self {
        Self {
            command: Command::new("delete-buffer").option("-b", name),
        }
    }
}

command! {
    /// `show-buffer`: answers what a buffer holds, but for a newline at its end, byte for byte from
    /// 3.4 on; before, see [`Quirk::VisBuffers`](crate::protocol::Quirk::VisBuffers).
    ShowBuffer
}

impl ShowBuffer {
    /// By name.
    pub fn new(name: &str) -> Self {
        Self {
            command: Command::new("show-buffer").option("-b", name),
        }
    }
}

impl Run for ShowBuffer {
    type Answer = Vec<u8>;

    fn command(&self) -> Command {
        self.command.clone()
    }

    fn answer(&self, reply: Reply) -> Result<Vec<u8>, AnswerError> {
        text(reply)
    }
}

/// `paste-buffer`: writes what a buffer holds to a pane's program, unless that takes no input.
///
/// For text of your own there is [`Paste`](super::Paste).
///
/// Example: [`commands`](crate::protocol::commands).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct PasteBuffer {
    paste: Command,
    pane: PaneId,
}

impl PasteBuffer {
    /// By name. Each line feed is written as a carriage return, which is what Enter sends.
    pub fn new(name: &str, pane: PaneId) -> Self {
        let paste = Command::new("paste-buffer").option("-b", name);
        Self {
            paste: paste.target(pane),
            pane,
        }
    }

    /// Marks it as pasted (`-p`) for a program that has asked for that; while the pane is in a mode
    /// tmux does not.
    pub fn bracketed(mut self) -> Self {
        self.paste = self.paste.flag("-p");
        self
    }

    /// Leaves line feeds as they are (`-r`).
    pub fn line_feeds(mut self) -> Self {
        self.paste = self.paste.flag("-r");
        self
    }

    /// Writes that instead of each line feed.
    pub fn separator(mut self, separator: impl AsRef<[u8]>) -> Self {
        self.paste = self.paste.option("-s", separator);
        self
    }

    /// Leaves control characters as they are (`-S`, from 3.7). Without it 3.7 and later write them
    /// as `\033`; before, they always are as they are.
    pub fn unescaped(mut self) -> Self {
        let since = Version::new(3, 7);
        self.paste = self.paste.flag("-S").needs("paste-buffer -S", since);
        self
    }

    /// Deletes the buffer behind it (`-d`).
    pub fn delete(mut self) -> Self {
        self.paste = self.paste.flag("-d");
        self
    }

    /// The command that pastes, without a look at the pane.
    pub(super) fn unguarded(self) -> Command {
        self.paste
    }
}

impl From<PasteBuffer> for Command {
    fn from(built: PasteBuffer) -> Self {
        unless_dead(built.pane, None, built.paste)
    }
}

impl Run for PasteBuffer {
    type Answer = ();

    fn command(&self) -> Command {
        self.clone().into()
    }

    fn answer(&self, reply: Reply) -> Result<(), AnswerError> {
        guarded(reply)
    }
}
