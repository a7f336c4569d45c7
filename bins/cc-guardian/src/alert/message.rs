//! What is told.

use std::collections::BTreeMap;
use std::time::Duration;

use cc_kit::journal::Stamp;
use jiff::Timestamp;

use crate::config::EventKind;

/// A moment: on a clock that never goes back, to measure with, and on the wall, to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Since an epoch that the caller chooses.
    pub steady: Duration,
    /// What time it is.
    pub wall: Timestamp,
}

impl From<Stamp> for Now {
    fn from(stamp: Stamp) -> Self {
        Self {
            steady: Duration::from_nanos(stamp.monotonic_ns),
            wall: Timestamp::from_nanosecond(stamp.wall_ns.into()).unwrap_or_default(),
        }
    }
}

/// What is known of what happened. All of it may come from strangers, and is raw.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// More exactly what: `permission`, `exit 1`.
    pub sub: Option<String>,
    /// What was seen, a text each.
    pub evidence: Vec<String>,
    /// Anything else that helps.
    pub detail: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// The labels of the unit.
    pub labels: BTreeMap<String, String>,
}

/// How many were not told since the last message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Untold {
    /// The same of the same unit, too soon after the last.
    pub repeated: u32,
    /// Any of this alert, above its rate.
    pub over_rate: u32,
    /// Any of this alert that was over before its quiet hours were.
    pub in_quiet: u32,
}

/// Something to tell, by one alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The alert's name.
    pub alert: String,
    /// The unit; empty where nothing happened and this is a test.
    pub unit: String,
    /// What happened; `None`: nothing, this is a test.
    pub kind: Option<EventKind>,
    /// What is known of it.
    pub facts: Facts,
    /// How long it has lasted.
    pub lasted: Duration,
    /// When it is told.
    pub at: Timestamp,
    /// What was not told before.
    pub untold: Untold,
}

impl Message {
    /// One that tries the alert.
    #[must_use]
    pub fn test(alert: &str, at: Timestamp) -> Self {
        Self {
            alert: alert.to_owned(),
            unit: String::new(),
            kind: None,
            facts: Facts {
                since: at,
                ..Facts::default()
            },
            lasted: Duration::ZERO,
            at,
            untold: Untold::default(),
        }
    }

    /// The word for what happened.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.kind.map_or("test", EventKind::word)
    }

    /// The same for every attempt to send this one, and for no other: what receives one twice can
    /// know it by that.
    #[must_use]
    pub fn id(&self) -> String {
        let (at, word) = (self.at.as_nanosecond(), self.word());
        format!("{at:x}-{}-{word}-{}", self.alert, self.unit)
    }
}
