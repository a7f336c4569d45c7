//! What can go wrong with a client.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use crate::format::{RowsError, Unavailable};
use crate::protocol::commands::AnswerError;
use crate::protocol::{CommandError, Exit, Failed, ReplyError};
use crate::wire::{Shown, Version};

/// Why a control client did not attach.
///
/// No example: an error, to be shown or handed on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AttachError {
    /// The tmux program did not start.
    #[error("cannot start {}", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No server listens on the socket.
    #[error("no tmux server on {}", socket.display())]
    NoServer {
        /// The socket.
        socket: PathBuf,
    },
    /// The client ended before it was attached, with what tmux said.
    #[error("tmux refused the client: {}", Shown(said))]
    Refused {
        /// tmux's words, such as `can't find session: x`.
        said: Vec<u8>,
    },
    /// tmux did not greet the client in time.
    #[error("tmux did not answer within {deadline:?}")]
    NoGreeting {
        /// How long that was.
        deadline: Duration,
    },
    /// The fence did not come back in time.
    #[error(
        "display-message did not answer within {deadline:?}; is there a command-alias over it?"
    )]
    NoFence {
        /// How long that was.
        deadline: Duration,
    },
    /// The server says something else than was asked: `display-message` is not tmux's own.
    #[error("display-message answers with something else; is there a command-alias over it?")]
    Unreadable,
    /// The server, or the tmux program, is older than tmux 3.2.
    #[error(
        "tmux {version} is too old: {} is the oldest that works",
        Version::FLOOR
    )]
    TooOld {
        /// The version of whichever it is.
        version: Version,
    },
    /// tmux cannot attach to a server of that version: up to 3.6, and from 3.7, they understand only
    /// their own kind.
    #[error(
        "tmux {program} cannot attach to a server of tmux {server}; use the program that started \
         it, or start it anew"
    )]
    OtherVersion {
        /// The version of the tmux program.
        program: Version,
        /// That of the server.
        server: Version,
    },
    /// The system has no random bytes for the fence.
    #[error("no random bytes")]
    Random,
}

/// Why a command has no reply.
///
/// No example: an error, to be shown or handed on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// It was not sent.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// It was sent, and what came is no reply.
    #[error(transparent)]
    Reply(#[from] ReplyError),
    /// The client had ended before it was sent.
    #[error("control client has ended")]
    Ended(#[source] Exit),
    /// No reply came in time; it may come later and will be dropped then.
    #[error("no reply within {deadline:?}")]
    Deadline {
        /// How long that was.
        deadline: Duration,
    },
    /// No control client of the server is attached at present.
    #[error("no control client is attached")]
    Detached,
}

/// Why there are no rows.
///
/// No example: an error, to be shown or handed on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The server does not know what is asked for; nothing was sent.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// There is no reply.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The command failed in tmux.
    #[error(transparent)]
    Failed(#[from] Failed),
    /// A row that does not read.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// A value has cut the reply short by a forged guard.
    #[error("the reply holds a forged guard and is not whole")]
    Forged,
}

/// Why a command has no answer.
///
/// No example: an error, to be shown or handed on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RunError {
    /// It has no reply.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// It has one that is no answer: above all, tmux refused it.
    #[error(transparent)]
    Answer(#[from] AnswerError),
}

/// Why a channel was not waited for to the end.
///
/// No example: an error, to be shown or handed on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WaitError {
    /// The tmux program did not start, or what it said could not be read.
    #[error("cannot run {}", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The name is empty or has a NUL byte: it is no channel's.
    #[error("not the name of a channel")]
    Name,
    /// tmux refused, with its words: above all, that no server runs.
    #[error("tmux refused to wait: {}", Shown(said))]
    Refused {
        /// tmux's words.
        said: Vec<u8>,
    },
    /// The server ended, and woke all who waited.
    #[error("tmux server has ended")]
    Ended,
}

/// Why a server cannot be followed at all.
///
/// No example: an error, to be shown or handed on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The tmux program did not start.
    #[error("cannot start {}", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The program is older than tmux 3.2, or is not tmux.
    #[error("{} is no tmux of {} or later: it says \"{}\"", program.display(), Version::FLOOR, Shown(said))]
    NotTmux {
        /// The program.
        program: PathBuf,
        /// What `-V` printed.
        said: Vec<u8>,
    },
    /// There is something else at the socket's path.
    #[error("{} is not a socket", socket.display())]
    NotASocket {
        /// The path.
        socket: PathBuf,
    },
}
