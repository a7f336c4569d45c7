//! The states of a program.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a program is doing.
///
/// A profile can read the first six and [`Unknown`](Self::Unknown); the others need time, process
/// facts or a decision, and are for who watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum State {
    /// It is there and does not take input yet.
    Starting,
    /// It waits for a prompt.
    Idle,
    /// It works.
    Busy,
    /// A dialog owns the keys; nothing may be pasted.
    Blocked,
    /// The service refuses for now: a usage limit, an overload, a bill.
    Limited,
    /// The last turn failed.
    Errored,
    /// It looks busy and makes no progress.
    Suspect,
    /// It makes no progress, and a probe did not wake it.
    Hung,
    /// Its process is gone.
    Dead,
    /// No rule knows what this is.
    Unknown,
    /// It is not to run: a start limit, or somebody said so.
    Held,
}

impl State {
    /// The name in lower case, as in TOML and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Idle => "idle",
            Self::Busy => "busy",
            Self::Blocked => "blocked",
            Self::Limited => "limited",
            Self::Errored => "errored",
            Self::Suspect => "suspect",
            Self::Hung => "hung",
            Self::Dead => "dead",
            Self::Unknown => "unknown",
            Self::Held => "held",
        }
    }

    /// How careful one has to be with a program in this state; `None` where no rule may claim it.
    pub(super) const fn care(self) -> Option<u8> {
        match self {
            Self::Idle | Self::Starting => Some(0),
            Self::Busy | Self::Errored => Some(1),
            Self::Limited => Some(2),
            Self::Blocked => Some(3),
            _ => None,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
