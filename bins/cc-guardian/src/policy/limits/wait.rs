//! Waits, as they are shown.

use cc_kit::limit::Account;
use jiff::Timestamp;
use serde::Serialize;

use super::{Limits, Room, rounded};

/// The wait of a unit, to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wait {
    /// What it waits with: an account, `profile:P` where none is declared, or `unit:U` for itself.
    pub with: String,
    /// When the limit ends, as far as that was said.
    pub reset: Option<Timestamp>,
    /// When the first is told to go on, unless that has happened.
    pub next: Option<Timestamp>,
    /// Who was told to go on first, and is watched.
    pub first: Option<String>,
}

impl Limits {
    /// How a unit waits, where it does.
    #[must_use]
    pub fn wait(&self, unit: &str, at: Timestamp) -> Option<Wait> {
        let track = self.units.get(unit)?;
        Some(self.shown(&track.room, at))
    }

    /// The wait of an account, while nobody of it is to begin anything.
    #[must_use]
    pub fn closed(&self, account: &str, at: Timestamp) -> Option<Wait> {
        self.is_closed(account).then(|| self.shown(account, at))
    }

    /// Is nobody of an account to begin anything?
    #[must_use]
    pub fn is_closed(&self, account: &str) -> bool {
        let room = self.rooms.get(account);
        room.is_some_and(|room| room.account.is_limited())
    }

    fn shown(&self, with: &str, at: Timestamp) -> Wait {
        let account = self.rooms.get(with).map(|room| &room.account);
        let first = account.and_then(Account::probe).map(str::to_owned);
        let limited = account.filter(|account| account.is_limited() && first.is_none());
        Wait {
            with: with.to_owned(),
            reset: account.and_then(|account| account.reset(at)).map(rounded),
            next: limited
                .and_then(|account| account.next_wake(at))
                .map(rounded),
            first,
        }
    }

    /// Is it the one of which somebody is told, for all that wait with it?
    #[must_use]
    pub fn is_herald(&self, unit: &str) -> Option<&str> {
        let its = |room: &&Room| room.herald == unit && room.account.is_limited();
        let (with, _) = self.rooms.iter().find(|(_, room)| its(room))?;
        Some(with)
    }
}
