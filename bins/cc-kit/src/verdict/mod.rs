//! What we believe a program is doing, and why.
//!
//! A [`Judge`] takes what is seen of one program over time and keeps one [`Verdict`]. It is pure: time
//! is given to it, and it reads nothing itself.
//!
//! # Whom it believes
//!
//! 1. Its process: a death ends everything else.
//! 2. Its hooks, which carry a token: see [`hook`](crate::hook).
//! 3. What a profile [reads](crate::profile) from title, screen and byte stream.
//!
//! A reading never overrides what a fresher hook said, except where it makes us more careful (a
//! dialog on the screen while the hooks say working), and where a hook has gone missing: an idle
//! screen that stands for five seconds, without CPU time used, while the hooks say working (a turn that
//! was interrupted has no hook).
//!
//! # How long it waits
//!
//! | To | After |
//! |---|---|
//! | busy | at once |
//! | blocked | at once where two sources or a hook say so, else 0.4 s |
//! | idle | 0.4 s where two sources or a hook say so, else 1.5 s; out of starting 1.5 s |
//! | limited, errored | 1.5 s; at once by a hook |
//! | unknown | 3 s; out of starting not at all, until that has taken too long |

mod judge;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::journal::Stamp;
use crate::profile::{Dialog, Evidence, GoOn, Seen, State};

pub use judge::{Judge, Look};

/// What we believe, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// What the program is doing.
    pub state: State,
    /// More of it, such as `permission`, `tool`, `usage`, `exit 7`.
    pub sub: Option<String>,
    /// How sure that is, from 0 to 1.
    pub confidence: f32,
    /// What it was seen by, the strongest first.
    pub evidence: Vec<Evidence>,
    /// Since when it has been in this state.
    pub since: Stamp,
    /// When it was last confirmed.
    pub seen: Stamp,
    /// What the program says of a limit: the text a time may be read from.
    pub limit_text: Option<String>,
    /// How it goes on when what stopped it is over.
    pub go_on: Option<GoOn>,
    /// What stands in its box and has not been sent.
    pub draft: Option<String>,
    /// What it asks.
    pub dialog: Option<Dialog>,
}

impl Verdict {
    /// Of a program that was started at that moment nothing else is known yet.
    #[must_use]
    pub fn starting(at: Stamp) -> Self {
        Self {
            state: State::Starting,
            sub: None,
            confidence: 1.0,
            evidence: vec![Evidence::new("started", Seen::Process, "")],
            since: at,
            seen: at,
            limit_text: None,
            go_on: None,
            draft: None,
            dialog: None,
        }
    }
}
