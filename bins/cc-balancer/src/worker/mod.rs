//! Workers: panes, what is believed of them, and how they are reached.
//!
//! A pane that a guardian has is believed to be what the guardian says, which has its hooks, and is
//! written to through the guardian. Any other pane is looked at by us. Never both.

mod eyes;
mod find;
mod guardian;
mod log;
mod transcript;
mod turn;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cc_kit::pane::Pane;
use cc_kit::profile::{Profile, State};
use jiff::Timestamp;
use tokio::sync::watch;

use crate::task::Labels;

pub(crate) use eyes::Eyes;
pub(crate) use find::{DRAIN, Found, LABELS, Wanted, find, listing, meant};
pub(crate) use guardian::{Guardian, Hands, Listed, Units, units_at};
pub(crate) use log::longer;
pub(crate) use transcript::{Told, told};
pub(crate) use turn::{Below, mark, text_of_turn};

/// Which worker: a pane in one life of a server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    /// The socket of its server.
    pub(crate) socket: String,
    /// Which life of the server: `PID.START`.
    pub(crate) server: String,
    /// Its pane, `%3`.
    pub(crate) pane: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.socket, self.pane)
    }
}

/// What is believed of a worker at a moment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Belief {
    pub(crate) state: State,
    pub(crate) sub: Option<String>,
    /// Since when, to show.
    pub(crate) since: Option<Timestamp>,
    /// Since when, on the steady clock.
    pub(crate) steady: Duration,
    /// When it was looked at last, on the steady clock.
    pub(crate) seen: Duration,
    /// Does something stand in its box that has not been sent off? Of a guardian that is not known.
    pub(crate) draft: bool,
    /// What the agent calls its session.
    pub(crate) session: Option<String>,
    /// What a limit says.
    pub(crate) limit: Option<String>,
    /// Does it take a prompt, though it shows what stopped its last turn, once that is over?
    pub(crate) goes_on: bool,
}

impl Belief {
    /// Nothing is known yet.
    pub(crate) fn unknown() -> Self {
        Self {
            state: State::Unknown,
            sub: None,
            since: None,
            steady: steady(),
            seen: Duration::ZERO,
            draft: false,
            session: None,
            limit: None,
            goes_on: false,
        }
    }
}

/// A worker.
#[derive(Debug, Clone)]
pub(crate) struct Worker {
    pub(crate) key: Key,
    pub(crate) pane: Pane,
    pub(crate) pid: Option<u32>,
    /// The guardian's id and its name of it, where a guardian has it.
    pub(crate) guarded: Option<(String, String)>,
    pub(crate) labels: Labels,
    /// Which `to` means it.
    pub(crate) names: Vec<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) account: Option<String>,
    pub(crate) profile: Arc<Profile>,
    /// The name of its session.
    pub(crate) session: String,
    /// Does it run commands, as a shell does?
    pub(crate) commands: bool,
    /// What tmux calls its program when that is in front.
    pub(crate) own: Option<String>,
    pub(crate) belief: watch::Receiver<Belief>,
}

impl Worker {
    /// As tasks and results have it.
    pub(crate) fn described(&self) -> crate::task::Worker {
        crate::task::Worker {
            unit: self.guarded.as_ref().map(|(_, unit)| unit.clone()),
            socket: self.key.socket.clone(),
            server: self.key.server.clone(),
            pane: self.key.pane.clone(),
            account: self.account.clone(),
        }
    }

    /// For people: its unit, or else its pane and session.
    pub(crate) fn name(&self) -> String {
        match &self.guarded {
            Some((_, unit)) => unit.clone(),
            None => format!("{}:{}", self.session, self.key.pane),
        }
    }
}

/// The steady clock: since boot, suspend included.
pub(crate) fn steady() -> Duration {
    Duration::from_nanos(cc_kit::journal::Stamp::now().monotonic_ns)
}
