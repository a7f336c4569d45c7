//! What a connection says.

use super::exit::Exit;
use super::pending::CommandId;
use super::reply::{Block, Reply, ReplyError};
use crate::wire::{Guard, GuardLine, Notification};

/// What happened on a connection; notifications borrow from its buffer.
///
/// Example: [`Connection`](super::Connection).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The command that attached succeeded: from now on commands are written.
    Attached(Block),
    /// The command that attached failed, with tmux's words in the block; `%exit` follows.
    Refused(Block),
    /// A line that tmux sent unasked.
    Notification(Notification<'a>),
    /// The reply to a command, or why there is none.
    Reply(CommandId, Result<Reply, ReplyError>),
    /// A block that no command of ours caused: a hook, a key binding, `if-shell -b`.
    Unsolicited(Block),
    /// A line outside any block that is no notification: what `run-shell` or a hook printed, the
    /// second line of a subscription's value.
    Stray(&'a [u8]),
    /// The stream is not what it should be; the connection goes on.
    Desync(Desync),
    /// The end; nothing follows.
    Exited(Exit),
}

/// What is wrong with a stream.
///
/// No example: it is to be logged as it is; the connection goes on by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Desync {
    /// `%end` or `%error` with no block open that it could close.
    UnmatchedGuard(GuardLine),
    /// A body held an exact copy of its block's guard: the body is text of somebody who guesses.
    Spoofed(Guard),
    /// A `%begin` whose block was still open when a fence came, so it was no guard of tmux but text
    /// that somebody printed outside a block; what came behind it has been gone through again.
    NeverClosed(Guard),
    /// A block's number is not above the one before it, as the server's counter would be.
    NumberWentBack {
        /// The number before.
        from: u32,
        /// The number now.
        to: u32,
    },
    /// A line over [`Limits::line`](super::Limits::line) was skipped.
    LineTooLong {
        /// Its first bytes, 64 at most.
        prefix: Vec<u8>,
        /// Its length in bytes.
        length: u64,
    },
    /// An unsolicited block over [`Limits::reply`](super::Limits::reply) was skipped.
    UnsolicitedTooLarge(Guard),
    /// A line that reads `%exit` was not the last one.
    FalseExit {
        /// The reason it gave.
        reason: Vec<u8>,
    },
    /// The stream ended within a line that is not output.
    CutLine {
        /// What had come of it.
        line: Vec<u8>,
    },
}
