//! The states of a task.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is known of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It waits: for a worker, for its time, or for what must be done before.
    Queued,
    /// It waits until somebody says `release` or `retry`.
    Held,
    /// A worker has it, and nothing was typed.
    Leased,
    /// It is being typed.
    Delivering,
    /// The worker works on it.
    Running,
    /// The worker waits for a person.
    Blocked,
    /// The worker says that it is done, and the check runs.
    Verifying,
    /// It is done.
    Done,
    /// It ran, and failed as often as it may.
    Failed,
    /// Somebody did not want it any more.
    Cancelled,
    /// It could not be carried through: a dead letter.
    Dead,
}

impl State {
    /// All of them, in the order of a task's life.
    pub const ALL: [Self; 11] = [
        Self::Queued,
        Self::Held,
        Self::Leased,
        Self::Delivering,
        Self::Running,
        Self::Blocked,
        Self::Verifying,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
        Self::Dead,
    ];

    /// As it is written everywhere.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Held => "held",
            Self::Leased => "leased",
            Self::Delivering => "delivering",
            Self::Running => "running",
            Self::Blocked => "blocked",
            Self::Verifying => "verifying",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Dead => "dead",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Does a worker have it?
    #[must_use]
    pub const fn is_under_way(self) -> bool {
        matches!(
            self,
            Self::Leased | Self::Delivering | Self::Running | Self::Blocked | Self::Verifying
        )
    }

    /// Is it over, unless somebody says `retry`?
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(
            self,
            Self::Done | Self::Failed | Self::Cancelled | Self::Dead
        )
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
