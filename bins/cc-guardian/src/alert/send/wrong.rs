//! What may go wrong, and whether to try again.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use cc_kit::exit::{Advise, Exit};

use crate::config::RIGHT_URL;

/// Why somebody was not told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The program cannot be started.
    #[error("cannot start {program}")]
    NotStarted {
        /// Its name, as it can be shown.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nothing here shows notifications.
    #[error("there is no {0} in PATH")]
    NoNotifier(&'static str),
    /// The program did not succeed.
    #[error("{program} ended with {how}{}", quoted(.said))]
    Program {
        /// Its name, as it can be shown.
        program: String,
        /// The exit status, or the signal.
        how: String,
        /// The beginning of what it said, as it can be shown.
        said: String,
    },
    /// The program did not end.
    #[error("{program} took more than {limit:?} and was killed{}", quoted(.said))]
    Slow {
        /// Its name, as it can be shown.
        program: String,
        /// How long it had.
        limit: Duration,
        /// The beginning of what it said, as it can be shown.
        said: String,
    },
    /// The variable that has the URL is not set.
    #[error("the variable {0} is not set")]
    NoVariable(String),
    /// The URL cannot be used. It is not shown: whoever knows it can post.
    #[error("{0}")]
    Url(&'static str),
    /// The server did not take it.
    #[error("the server answered {status}{}", quoted(.said))]
    Status {
        /// The HTTP status.
        status: u16,
        /// The beginning of what it said, as it can be shown.
        said: String,
    },
    /// The server was not reached; nothing was sent.
    #[error("the server was not reached: {0}")]
    NotReached(String),
    /// It may have been sent.
    #[error("the server gave no answer: {0}")]
    NoAnswer(String),
}

fn quoted(said: &str) -> String {
    if said.is_empty() {
        String::new()
    } else {
        format!(": {said}")
    }
}

impl SendError {
    /// Is there any use in trying again?
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::NotStarted { source, .. } => !matches!(
                source.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
            ),
            // Redirections too: a webhook that has moved does not move back.
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500..),
            Self::NoNotifier(_) | Self::NoVariable(_) | Self::Url(_) => false,
            Self::Program { .. } | Self::Slow { .. } | Self::NotReached(_) | Self::NoAnswer(_) => {
                true
            }
        }
    }
}

impl Advise for SendError {
    fn exit(&self) -> Exit {
        match self {
            Self::Url(_) | Self::NoVariable(_) => Exit::Usage,
            Self::Slow { .. } => Exit::Timeout,
            Self::NoAnswer(_) => Exit::DeliveryUncertain,
            _ => Exit::Failed,
        }
    }

    fn advice(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Self::NotStarted { .. } => {
                "Check the first word of `command`, and that it may be executed.".into()
            }
            Self::NoNotifier(_) => {
                "Install it, or use an alert with type = \"exec\" or \"webhook\".".into()
            }
            Self::Program { .. } => {
                "Run it by hand; it gets the message as JSON on standard input.".into()
            }
            Self::Slow { .. } => "Let it start in the background what takes long.".into(),
            Self::NoVariable(_) => "Set it where the guardian is started.".into(),
            Self::Url(_) => format!("The URL has to be {RIGHT_URL}.").into(),
            Self::Status {
                status: 300..400, ..
            } => "Give the URL to which it redirects.".into(),
            Self::Status { .. } => "Check the URL, and whether the server takes JSON.".into(),
            Self::NotReached(_) => "Check the URL's host and port, and the network.".into(),
            Self::NoAnswer(_) => "Look whether it arrived before trying again.".into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let status = |status| SendError::Status {
            status,
            said: String::new(),
        };
        let not_started = |kind: io::ErrorKind| SendError::NotStarted {
            program: "x".into(),
            source: kind.into(),
        };
        for (wrong, again) in [
            (status(301), false),
            (status(400), false),
            (status(401), false),
            (status(404), false),
            (status(408), true),
            (status(410), false),
            (status(429), true),
            (status(500), true),
            (status(503), true),
            (not_started(io::ErrorKind::NotFound), false),
            (not_started(io::ErrorKind::PermissionDenied), false),
            (not_started(io::ErrorKind::WouldBlock), true),
            (SendError::Url("x"), false),
            (SendError::NoVariable("X".into()), false),
            (SendError::NoNotifier("notify-send"), false),
            (SendError::NotReached("refused".into()), true),
            (SendError::NoAnswer("timeout".into()), true),
        ] {
            assert_eq!(wrong.may_pass(), again, "{wrong}");
        }
    }

    #[test]
    fn every_end_has_a_documented_code() {
        for (wrong, code) in [
            (SendError::Url("x"), 2),
            (SendError::NoVariable("X".into()), 2),
            (SendError::NoAnswer("timeout".into()), 8),
            (SendError::NotReached("refused".into()), 1),
            (SendError::NoNotifier("notify-send"), 1),
        ] {
            assert_eq!(wrong.exit().code(), code, "{wrong}");
        }
    }
}
