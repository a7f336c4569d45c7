//! Who waits for the end of which limit, and who is told to go on, when.
//!
//! | A unit that is | waits | and is told to go on |
//! |---|---|---|
//! | limited | with all of its account | one alone once the limit should have ended, the others when that one works |
//! | errored, where its profile says that such a failure passes | alone | after 5, 10, 20, 30, 30, .. minutes |
//! | limited for want of money, errored otherwise | for a human | never |
//!
//! An [`Account`] keeps the time of each wait. This room tells it what is seen: of a unit that was told
//! to go on it says that it works when its turn has ended well, has asked something, or has lasted for
//! 15 s; a refusal comes sooner. Where an account says how many of its units may be busy at once, the
//! others wait until one of those rests. Who is idle without having worked has been taken away from its
//! limit by somebody, and is told nothing.
//!
//! Times are wall time: all of this is stored, and a guardian that starts anew goes on from there. A
//! unit that was being told just then is not told again: if nothing is seen of it, the next one is.

mod parallel;
mod turn;
mod wait;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cc_kit::limit::{Account, reset};
use cc_kit::profile::State;
use jiff::{SignedDuration, Timestamp, Unit, Zoned};
use serde::{Deserialize, Serialize};

pub use turn::{Came, Order};
pub use wait::Wait;

/// How long somebody has to be busy to be believed that the limit has ended.
const SURE: Duration = Duration::from_secs(15);
/// How long a refusal may take to be seen of one that was told to go on.
const REFUSED: SignedDuration = SignedDuration::from_secs(5);
/// How long after that an idle one may not have begun yet.
const BEGINS: SignedDuration = SignedDuration::from_secs(2);

/// What is seen of a unit.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Its name.
    pub unit: &'a str,
    /// Whose limits it shares.
    pub account: &'a str,
    /// What it is in; dead, where it does not run.
    pub state: State,
    /// More of that.
    pub sub: Option<&'a str>,
    /// For how long.
    pub lasted: Duration,
    /// What it says of its limit.
    pub text: Option<&'a str>,
    /// Does its profile say how it goes on?
    pub goes_on: bool,
}

/// What has become known of a unit, to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// Which unit.
    pub unit: String,
    /// In words.
    pub words: String,
}

/// Everybody that waits.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Limits {
    rooms: BTreeMap<String, Room>,
    units: BTreeMap<String, Track>,
    /// Those that are being told.
    #[serde(skip)]
    pending: BTreeSet<String>,
    /// How long after a reset the first goes, by account.
    #[serde(skip)]
    settle: BTreeMap<String, SignedDuration>,
    /// How many units of an account may be busy at once, by account.
    #[serde(skip)]
    most: BTreeMap<String, usize>,
    /// Which are, by account.
    #[serde(skip)]
    busy: BTreeMap<String, BTreeSet<String>>,
}

/// One account.
#[derive(Debug, Serialize, Deserialize)]
struct Room {
    account: Account,
    /// Who ran into it first: of that one somebody is told.
    herald: String,
    /// When somebody was told to go on last.
    told: Option<Timestamp>,
}

/// One that waits.
#[derive(Debug, Serialize, Deserialize)]
struct Track {
    room: String,
    /// Has it said when?
    dated: bool,
    /// Has it been seen busy since it was limited?
    busy: bool,
    /// When it was told to go on.
    told: Option<Timestamp>,
    /// When it is tried again, and how often it was.
    again: Option<Timestamp>,
    tries: u32,
    given_up: bool,
}

impl Track {
    const fn new(room: String, dated: bool) -> Self {
        Self {
            room,
            dated,
            busy: false,
            told: None,
            again: None,
            tries: 0,
            given_up: false,
        }
    }
}

impl Limits {
    /// How long after the end of its limit the first of an account goes on.
    pub fn settle(&mut self, account: &str, wait: SignedDuration) {
        self.settle.insert(account.to_owned(), wait);
        if let Some(room) = self.rooms.get_mut(account) {
            room.account.settle(wait);
        }
    }

    /// Does anybody wait?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rooms.is_empty() && self.units.is_empty()
    }

    /// Does that one wait?
    #[must_use]
    pub fn knows(&self, unit: &str) -> bool {
        self.units.contains_key(unit)
    }

    /// Takes what is seen of a unit; gives what is news.
    pub fn observe(&mut self, seen: &Seen<'_>, now: &Zoned) -> Option<News> {
        let at = now.timestamp();
        let waits = match seen.state {
            State::Limited if seen.sub != Some("billing") => Some(seen.account.to_owned()),
            State::Errored if seen.goes_on => Some(format!("unit:{}", seen.unit)),
            _ => None,
        };
        let room = self.units.get(seen.unit).map(|track| track.room.clone());
        match (waits, room) {
            (None, None) => None,
            (Some(waits), Some(room)) if waits == room => self.stands(seen, now),
            (Some(waits), room) => {
                if room.is_some() {
                    self.leave(seen.unit, at);
                }
                Some(self.enter(seen, waits, now))
            }
            (None, Some(_)) => self.differs(seen, at),
        }
    }

    /// It waits from now on.
    fn enter(&mut self, seen: &Seen<'_>, with: String, now: &Zoned) -> News {
        let reset = read(seen.text, now);
        let track = Track::new(with.clone(), reset.is_some());
        self.units.insert(seen.unit.to_owned(), track);
        let words = self.limited(seen.unit, &with, reset, now.timestamp());
        news(seen.unit, words)
    }

    fn limited(
        &mut self,
        unit: &str,
        with: &str,
        reset: Option<Timestamp>,
        at: Timestamp,
    ) -> String {
        let settle = self.settle.get(with).copied();
        let room = self.rooms.entry(with.to_owned()).or_insert_with(|| {
            let mut account = Account::new(seed(with));
            if let Some(settle) = settle {
                account.settle(settle);
            }
            Room {
                account,
                herald: unit.to_owned(),
                told: None,
            }
        });
        let is_new = room.account.limited(unit, reset, at);
        if is_new {
            unit.clone_into(&mut room.herald);
        }
        let next = room.account.next_wake(at);
        let next = next.filter(|_| room.account.probe().is_none()).map(rounded);
        if with.starts_with("unit:") {
            let when = next.map_or_else(|| "later".to_owned(), |next| format!("at {next}"));
            return format!("what failed may pass: it is told to go on {when}");
        }
        let until = match room.account.reset(at) {
            Some(reset) => format!("until {}", rounded(reset)),
            None => "until nobody knows when".to_owned(),
        };
        let next = next.map_or_else(String::new, |next| format!("; the first goes on at {next}"));
        format!("{with} is limited {until}{next}")
    }

    /// It shows what it showed when it began to wait.
    fn stands(&mut self, seen: &Seen<'_>, now: &Zoned) -> Option<News> {
        let at = now.timestamp();
        let track = self.units.get_mut(seen.unit)?;
        if track.given_up || self.pending.contains(seen.unit) {
            return None;
        }
        let since = track.told.map(|told| at.duration_since(told));
        let refused = track.busy || since.is_some_and(|since| since >= REFUSED);
        if refused {
            let reset = read(seen.text, now);
            let with = track.room.clone();
            *track = Track::new(with.clone(), reset.is_some());
            let words = self.limited(seen.unit, &with, reset, at);
            return Some(news(seen.unit, format!("once more: {words}")));
        }
        if track.dated || since.is_some() {
            return None;
        }
        // It may say so later than a hook that tells of it.
        let room = self.rooms.get_mut(&track.room)?;
        if room.account.probe() == Some(seen.unit) {
            return None;
        }
        let reset = read(seen.text, now)?;
        track.dated = true;
        room.account.limited(seen.unit, Some(reset), at);
        None
    }

    /// It shows something else than a limit.
    fn differs(&mut self, seen: &Seen<'_>, at: Timestamp) -> Option<News> {
        let track = self.units.get_mut(seen.unit)?;
        let told = track.told.map(|told| at.duration_since(told));
        let worked = match seen.state {
            // It tries again by itself: nothing is known by that.
            State::Busy if seen.sub == Some("retrying") => return None,
            State::Busy => {
                track.busy = true;
                if seen.lasted < SURE {
                    return None;
                }
                true
            }
            State::Idle if !track.busy && told.is_some_and(|told| told < BEGINS) => return None,
            State::Idle | State::Blocked => track.busy || told.is_some(),
            // Its menu may stand over the limit.
            State::Unknown | State::Suspect | State::Hung | State::Starting => return None,
            _ => false,
        };
        if seen.state == State::Blocked && !worked {
            return None;
        }
        if !worked {
            self.leave(seen.unit, at);
            return Some(news(seen.unit, "does not wait any more".to_owned()));
        }
        let track = self.units.remove(seen.unit)?;
        let room = self.rooms.get_mut(&track.room)?;
        let was = room.account.is_limited();
        room.account.worked(seen.unit, at);
        let others = room.account.resumed().len();
        let words = match was && !room.account.is_limited() {
            true if others > 0 => format!("works again; {others} others go on"),
            _ => "works again".to_owned(),
        };
        self.tidy();
        Some(news(seen.unit, words))
    }

    /// A unit is no more, or does not wait any more.
    fn leave(&mut self, unit: &str, at: Timestamp) {
        let Some(track) = self.units.remove(unit) else {
            return;
        };
        if let Some(room) = self.rooms.get_mut(&track.room) {
            room.account.gone(unit, at);
        }
        self.tidy();
    }

    /// Only these units are there; were there others?
    pub fn retain(&mut self, is_there: impl Fn(&str) -> bool, at: Timestamp) -> bool {
        let gone: Vec<String> = self
            .units
            .keys()
            .filter(|unit| !is_there(unit))
            .cloned()
            .collect();
        for unit in &gone {
            self.leave(unit, at);
        }
        !gone.is_empty()
    }

    fn tidy(&mut self) {
        let units = &self.units;
        self.rooms.retain(|name, room| {
            room.account.is_limited()
                || !room.account.resumed().is_empty()
                || units.values().any(|track| track.room == *name)
        });
    }
}

fn read(text: Option<&str>, now: &Zoned) -> Option<Timestamp> {
    reset::read(text?, now).ok().map(|reset| reset.at)
}

fn news(unit: &str, words: String) -> News {
    News {
        unit: unit.to_owned(),
        words,
    }
}

fn next(at: Timestamp, wait: SignedDuration) -> Timestamp {
    at.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// As it is shown: to the second.
fn rounded(at: Timestamp) -> Timestamp {
    at.round(Unit::Second).unwrap_or(at)
}

/// Accounts do not go at the same instant.
fn seed(account: &str) -> u64 {
    let mut first = [0; 8];
    let hash = blake3::hash(account.as_bytes());
    for (to, from) in first.iter_mut().zip(hash.as_bytes()) {
        *to = *from;
    }
    u64::from_le_bytes(first)
}

#[cfg(test)]
mod tests;
