//! Keys.

use super::{command, number};
use crate::protocol::Command;
use crate::wire::PaneId;

command! {
    /// `send-keys`: as if somebody pressed keys in a pane.
    ///
    /// Keys go to a pane's mode while it is in one (copy mode), to all panes of a window with
    /// `synchronize-panes`, and nowhere where the program has ended or input is off; tmux says
    /// nothing then. What must arrive goes by [`Paste`](super::Paste). Keys are not a paste: a
    /// program that treats pasted text in its own way takes each for itself.
    SendKeys -> ()
}

impl SendKeys {
    fn to(pane: PaneId) -> Command {
        Command::new("send-keys").target(pane)
    }

    /// Types text (`-l`). It must be UTF-8: tmux drops what is not.
    ///
    /// Control characters are keys: a line feed is C-j, and how it is encoded depends on what the
    /// program has switched its terminal to.
    pub fn literal(pane: PaneId, text: impl AsRef<[u8]>) -> Self {
        let text = text.as_ref();
        let command = Command::new("send-keys").flag("-l").target(pane);
        let command = command.flag("--").arg(text);
        Self {
            command: match str::from_utf8(text) {
                Ok(_) => command,
                Err(_) => command.unfit("the text", "is not UTF-8, which tmux would drop"),
            },
        }
    }

    /// Presses keys by name, such as `Enter`, `C-c`, `M-x`, `F1`; what is no name tmux types.
    pub fn named<K: AsRef<str>>(pane: PaneId, keys: impl IntoIterator<Item = K>) -> Self {
        let before = Self::to(pane).flag("--");
        let mut any = false;
        let command = keys.into_iter().fold(before, |command, key| {
            any = true;
            let command = command.arg(key.as_ref());
            if key.as_ref().is_empty() {
                command.unfit("the name of a key", "is empty")
            } else {
                command
            }
        });
        Self {
            command: if any {
                command
            } else {
                command.unfit("the list of keys", "is empty")
            },
        }
    }

    /// Sends bytes as they are (`-H`), each a word of two digits: for escape sequences and what is
    /// no text. Three bytes of a line for each; many are better pasted.
    pub fn bytes(pane: PaneId, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        let before = Command::new("send-keys").flag("-H").target(pane);
        let command = bytes
            .iter()
            .fold(before, |command, byte| command.arg(format!("{byte:02x}")));
        Self {
            command: if bytes.is_empty() {
                command.unfit("the list of keys", "is empty")
            } else {
                command
            },
        }
    }

    /// So many times.
    pub fn times(pane: PaneId, times: u32, key: &str) -> Self {
        let command = number(Self::to(pane), "-N", times);
        let command = command.flag("--").arg(key);
        Self {
            command: if key.is_empty() {
                command.unfit("the name of a key", "is empty")
            } else {
                command
            },
        }
    }
}
