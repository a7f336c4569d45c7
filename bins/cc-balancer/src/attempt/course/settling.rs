//! Something may have been typed: does its turn begin, and if not, where does the prompt stand?

use std::time::Duration;

use super::SHORT;
use super::word::Stands;

/// How long what was sent and not confirmed may show itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settling {
    why: String,
    since: Duration,
    /// Did an earlier life of the balancer type, or was about to?
    is_taken_up: bool,
    is_cleared: bool,
}

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// It is waited on.
    Not,
    /// It was sent off.
    Sent,
    /// It is to be taken out of the box.
    Clear,
    /// Nothing was begun, and nothing is left there: in words.
    Nothing(&'static str),
}

impl Settling {
    /// Of something that was sent, and of which nobody knows whether it arrived: in words.
    pub(super) fn sent(why: String, now: Duration) -> Self {
        Self {
            why,
            since: now,
            is_taken_up: false,
            is_cleared: false,
        }
    }

    /// Of something that an earlier life was about to type.
    pub(super) fn taken_up(now: Duration) -> Self {
        Self {
            is_taken_up: true,
            ..Self::sent("the balancer ended while it was typed".to_owned(), now)
        }
    }

    /// Is the prompt to be looked for? Of one that we have sent ourselves the sender has looked already.
    pub(super) const fn looks(&self) -> bool {
        self.is_taken_up
    }

    /// From when on it is looked again, or given up.
    pub(super) fn due(&self) -> Duration {
        let long = if self.is_taken_up { SHORT } else { PATIENCE };
        self.since + long
    }

    /// What it is called once nothing is waited for any more.
    pub(super) fn given_up(&self, now: Duration) -> Option<String> {
        (now >= self.since + PATIENCE).then(|| self.why.clone())
    }

    /// Where it stands. What has just been typed, or pressed, may not be drawn yet.
    pub(super) fn found(&mut self, stands: Stands, now: Duration) -> Settled {
        let is_drawn = now >= self.since + SHORT;
        match stands {
            Stands::Sent => Settled::Sent,
            Stands::InBox if is_drawn && !self.is_cleared => {
                self.is_cleared = true;
                // What is taken out may have been sent off in that very moment.
                self.since = now;
                Settled::Clear
            }
            Stands::Nowhere if is_drawn && self.is_cleared => {
                Settled::Nothing("the balancer ended before it was sent off")
            }
            Stands::Nowhere if is_drawn => {
                Settled::Nothing("the balancer ended before anything was typed")
            }
            Stands::InBox | Stands::Nowhere | Stands::Unsure => Settled::Not,
        }
    }
}
