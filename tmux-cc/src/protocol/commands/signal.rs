//! Channels: one waits, another signals.

use super::command;
use crate::protocol::Command;

command! {
    /// `wait-for -S`: wakes whoever waits for a channel, or the next who does.
    ///
    /// To wait is not for a control client, whose other commands would wait too: see
    /// `Server::wait_for`.
    SignalChannel -> ()
}

impl SignalChannel {
    /// By the channel's name.
    pub fn new(channel: impl AsRef<[u8]>) -> Self {
        let channel = channel.as_ref();
        let command = Command::new("wait-for").flag("-S").flag("--").arg(channel);
        Self {
            command: if channel.is_empty() {
                command.unfit("the name of a channel", "is empty")
            } else {
                command
            },
        }
    }
}
