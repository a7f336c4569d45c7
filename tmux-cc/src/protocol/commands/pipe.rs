//! A pane's pipe.

use super::{command, literal};
use crate::protocol::Command;
use crate::wire::PaneId;

/// What tmux puts the time into has this much room, in bytes; what does not fit becomes nothing.
const TIME: usize = 8192;

command! {
    /// `pipe-pane`: gives what a pane prints to a program.
    ///
    /// A pane has one pipe: one that was open is closed first, whoever opened it. `#{pane_pipe}`
    /// tells whether there is one.
    PipePane -> ()
}

impl PipePane {
    /// To a line of `/bin/sh`, taken as it is.
    pub fn shell(pane: PaneId, line: impl AsRef<[u8]>) -> Self {
        let line = line.as_ref();
        let mut format = Vec::with_capacity(line.len());
        for byte in literal(line) {
            format.push(byte);
            if byte == b'%' {
                format.push(byte);
            }
        }
        let pipe = Self::format(pane, &format);
        let command = if line.is_empty() {
            pipe.command.unfit("the shell command", "is empty")
        } else if line.contains(&b'%') && format.len() >= TIME {
            let reason = "is too long for tmux, which looks for the time in it";
            pipe.command.unfit("the shell command", reason)
        } else {
            pipe.command
        };
        Self { command }
    }

    /// To a program with its arguments as they are.
    pub fn program<W: AsRef<[u8]>>(pane: PaneId, words: impl IntoIterator<Item = W>) -> Self {
        let mut line = b"exec".to_vec();
        for word in words {
            line.extend_from_slice(b" '");
            for &byte in word.as_ref() {
                match byte {
                    b'\'' => line.extend_from_slice(b"'\\''"),
                    _ => line.push(byte),
                }
            }
            line.push(b'\'');
        }
        Self::shell(pane, line)
    }

    /// To the shell line that a format gives; strftime(3) goes over it too.
    pub fn format(pane: PaneId, format: impl AsRef<[u8]>) -> Self {
        let command = Command::new("pipe-pane").target(pane);
        Self {
            command: command.flag("--").arg(format),
        }
    }

    /// Closes the pipe, if there is one.
    pub fn close(pane: PaneId) -> Self {
        Self {
            command: Command::new("pipe-pane").target(pane),
        }
    }
}
