//! A command that says itself how it ended: what if it was killed before it could?

use std::time::Duration;

use cc_kit::profile::State;

/// How long a shell shows its prompt until its command is looked for. One that did not reach us tries it again
/// within 10 seconds.
const UNSAID: Duration = Duration::from_secs(15);

/// Since when nothing runs there, as far as is seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Unsaid {
    idle: Option<Duration>,
}

impl Unsaid {
    pub(super) fn saw(&mut self, state: State, now: Duration) {
        match state {
            State::Idle => _ = self.idle.get_or_insert(now),
            _ => self.idle = None,
        }
    }

    /// When its command is to be looked for.
    pub(super) fn due(&self) -> Option<Duration> {
        self.idle.map(|idle| idle + UNSAID)
    }

    /// Is it to be looked for now? After that only when as long has passed again.
    pub(super) fn is_to_be_looked_for(&mut self, now: Duration) -> bool {
        let is_due = self.due().is_some_and(|due| now >= due);
        if is_due {
            self.idle = Some(now);
        }
        is_due
    }

    /// Is nothing seen to run there still?
    pub(super) const fn is_idle(&self) -> bool {
        self.idle.is_some()
    }
}
