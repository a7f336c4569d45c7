//! Those who read logs: each command a room, and what they share.

pub(crate) mod cat;
pub(crate) mod export;
pub(crate) mod follow;
pub(crate) mod grep;
pub(crate) mod list;
pub(crate) mod play;
pub(crate) mod render;
pub(crate) mod said;
pub(crate) mod verify;
pub(crate) mod walk;
pub(crate) mod window;

use std::io::{self, BufWriter, StdoutLock};

use cc_kit::exit::{Exit, Failure};
use thiserror::Error;

use crate::select::Selector;
use crate::shown::Voice;
use list::Found;

/// Why no log is meant, or too many.
#[derive(Debug, Error)]
enum ChoiceError {
    #[error("no log of {0:?} is kept here")]
    NoMatch(String),
    #[error("{selector:?} means {} logs: {}", names.len(), names.join(" "))]
    Ambiguous {
        selector: String,
        names: Vec<String>,
    },
}

/// The logs that are meant, of the latest life of each server.
pub(crate) fn choose(text: &str, found: Vec<Found>) -> Result<Vec<Found>, Failure> {
    let selector = Selector::parse(text)?;
    let mut found: Vec<_> = found
        .into_iter()
        .filter(|found| found.is_meant(&selector))
        .collect();
    if found.is_empty() {
        return Err(
            Failure::new(Exit::Unknown, ChoiceError::NoMatch(text.to_owned()))
                .advice("See `cc-logger ls` for what there is."),
        );
    }
    let before = found.len();
    // Oldest first, so the last of a socket is its latest life.
    let life = |found: &Found| {
        found
            .server
            .as_ref()
            .map(|server| (server.start_time, server.pid))
    };
    let mut latest = std::collections::HashMap::new();
    for one in &found {
        let newest = latest.entry((one.socket.clone(), one.pane)).or_default();
        *newest = life(one).max(*newest);
    }
    found.retain(|one| latest.get(&(one.socket.clone(), one.pane)) == Some(&life(one)));
    if found.len() < before {
        let voice = Voice { silent: false };
        voice.say(match before - found.len() {
            1 => "the log of an earlier life of the server is left out".to_owned(),
            older => format!("{older} logs of earlier lives of the server are left out"),
        });
    }
    Ok(found)
}

/// Exactly one is to be meant.
pub(crate) fn only(text: &str, found: Vec<Found>) -> Result<Found, Failure> {
    let mut chosen = choose(text, found)?;
    match (chosen.pop(), chosen.is_empty()) {
        (Some(one), true) => Ok(one),
        (last, _) => {
            chosen.extend(last);
            Err(ambiguous(text, &chosen))
        }
    }
}

fn ambiguous(text: &str, found: &[Found]) -> Failure {
    let names = found.iter().map(Found::name).collect();
    let selector = text.to_owned();
    Failure::new(Exit::Usage, ChoiceError::Ambiguous { selector, names })
        .advice("Name one of them.")
}

/// Why printing ends early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Who read has gone: that is no failure.
    Gone,
    Failed(Failure),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::Gone;
        }
        Self::Failed(Failure::new(Exit::Failed, error).advice("Check where standard output goes."))
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<cc_kit::journal::ReadError> for Stop {
    fn from(error: cc_kit::journal::ReadError) -> Self {
        Self::Failed(error.into())
    }
}

/// What printing came to.
pub(crate) fn ended(result: Result<(), Stop>) -> Result<(), Failure> {
    match result {
        Err(Stop::Failed(failure)) => Err(failure),
        Ok(()) | Err(Stop::Gone) => Ok(()),
    }
}

/// Standard output.
pub(crate) fn out() -> BufWriter<StdoutLock<'static>> {
    BufWriter::with_capacity(64 << 10, io::stdout().lock())
}
