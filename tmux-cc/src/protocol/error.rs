//! Why a command was not sent.

use thiserror::Error;

use crate::wire::{LineError, QuoteError, Version};

/// Why a command was refused before a byte of it was sent.
///
/// No example: an error, to be shown or handed on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CommandError {
    /// An argument that no quoting can carry.
    #[error("argument {position} cannot be sent to tmux")]
    Argument {
        /// Which argument, counted from 1.
        position: usize,
        /// What is wrong with it.
        source: QuoteError,
    },
    /// A raw line that would not arrive as one command line.
    #[error("line cannot be sent to tmux")]
    Line(#[from] LineError),
    /// A name that is no command's: tmux's are lower-case letters and hyphens.
    #[error("not the name of a tmux command")]
    Name,
    /// A command that waits for a key and would freeze a control client for ever.
    #[error("{name} waits for a key that a control client cannot press")]
    Interactive {
        /// The command.
        name: &'static str,
    },
    /// A value that tmux would take for something else, or drop, or crash on.
    #[error("{what} {reason}")]
    Unfit {
        /// Which value, such as `the name of a session`.
        what: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The server is older than what the command uses.
    #[error("{what} came with tmux {since}; the server is {server}")]
    TooOld {
        /// What it uses, such as `capture-pane -T`.
        what: &'static str,
        /// The first version that has it.
        since: Version,
        /// That of the server.
        server: Version,
    },
    /// As many commands as [`Limits::pending`](super::Limits::pending) are unanswered.
    #[error("{pending} commands are unanswered")]
    Full {
        /// How many.
        pending: usize,
    },
    /// The connection has ended.
    #[error("connection has ended")]
    Ended,
}
