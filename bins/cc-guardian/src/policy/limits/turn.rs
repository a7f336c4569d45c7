//! Whose turn it is to go on.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{Limits, News, REFUSED, Room, news, next};

/// The pause between two that are told to go on.
const STAGGER: SignedDuration = SignedDuration::from_secs(1);
/// When one is tried again that could not be told, as while somebody types there.
const AGAIN: SignedDuration = SignedDuration::from_secs(30);
/// How often that is tried.
pub(super) const TRIES: u32 = 20;

/// Who is to be told to go on now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Which unit.
    pub unit: String,
    /// Is it the one that goes first?
    pub first: bool,
}

/// What came of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// It has been told, or may have been.
    Told,
    /// It goes on by itself.
    ByItself,
    /// Nothing was written; it may be tried again.
    Held,
}

impl Room {
    /// Is it that one's turn to go on?
    fn has_turn(&self, unit: &str) -> bool {
        let account = &self.account;
        account.probe() == Some(unit) || account.resumed().iter().any(|other| other == unit)
    }
}

impl Limits {
    /// Who is to be told to go on now. Each is then waited for until [`came`](Self::came).
    pub fn due(&mut self, at: Timestamp) -> Vec<Order> {
        let mut orders = Vec::new();
        let full = self.rooms.keys().filter(|with| self.is_full(with, at));
        let full: BTreeSet<String> = full.cloned().collect();
        for (with, room) in &mut self.rooms {
            let probe = room.account.due(at).map(|probe| probe.unit);
            let again = room.account.probe().filter(|unit| {
                let track = self.units.get(*unit);
                track
                    .and_then(|track| track.again)
                    .is_some_and(|again| again <= at)
            });
            let first = probe.or_else(|| again.map(str::to_owned));
            if let Some(unit) = first.filter(|unit| !self.pending.contains(unit)) {
                orders.push(Order { unit, first: true });
            }
            let just = room.told;
            let just = just.is_some_and(|told| at < next(told, STAGGER) && told <= at);
            if just || full.contains(with) {
                continue;
            }
            let ready = |unit: &&String| {
                let track = self.units.get(*unit);
                let again = track.and_then(|track| track.again);
                !self.pending.contains(*unit) && again.is_none_or(|again| again <= at)
            };
            if let Some(unit) = room.account.resumed().iter().find(ready) {
                room.told = Some(at);
                orders.push(Order {
                    unit: unit.clone(),
                    first: false,
                });
            }
        }
        for order in &orders {
            self.pending.insert(order.unit.clone());
        }
        orders
    }

    /// What came of an order.
    pub fn came(&mut self, unit: &str, came: Came, at: Timestamp) -> Option<News> {
        self.pending.remove(unit);
        let Some(track) = self.units.get_mut(unit) else {
            // It went its own way before it could be told.
            for room in self.rooms.values_mut() {
                room.account.told(unit);
            }
            self.tidy();
            return None;
        };
        let room = self.rooms.get_mut(&track.room)?;
        match came {
            Came::Told => {
                track.told = Some(at);
                track.again = None;
                room.account.told(unit);
            }
            Came::ByItself => {
                track.again = None;
                room.account.told(unit);
            }
            Came::Held => {
                track.tries += 1;
                track.again = Some(next(at, AGAIN));
                if track.tries >= TRIES {
                    track.given_up = true;
                    room.account.gone(unit, at);
                    let words = format!("could not be told to go on {TRIES} times: somebody must");
                    return Some(news(unit, words));
                }
            }
        }
        None
    }

    /// When there may be something to do by itself.
    #[must_use]
    pub fn next_wake(&self, at: Timestamp) -> Option<Timestamp> {
        let rooms = self.rooms.iter().filter_map(|(with, room)| {
            let wake = room.account.next_wake(at)?;
            let mut resumed = room.account.resumed().iter();
            if wake > at || room.account.resumed().is_empty() {
                return Some(wake);
            }
            let again = |unit: &String| self.units.get(unit).and_then(|track| track.again);
            let free = resumed.any(|unit| !self.pending.contains(unit) && again(unit).is_none());
            // Those that are to be tried again have a time of their own; and somebody who rests is seen
            // to do so.
            let free = free && !self.is_full(with, at);
            free.then(|| room.told.map_or(at, |told| next(told, STAGGER)).max(at))
        });
        let tracks = self.units.iter().flat_map(|(unit, track)| {
            let refused = track.told.map(|told| next(told, REFUSED));
            let again = track.again.filter(|_| !track.given_up);
            let again = again.filter(|_| !self.pending.contains(unit));
            let room = self.rooms.get(&track.room);
            let told = room.and_then(|room| room.told);
            // It may be another's turn.
            let again = again.filter(|_| room.is_some_and(|room| room.has_turn(unit)));
            let first = room.is_some_and(|room| room.account.probe() == Some(unit));
            let again = again.filter(|_| first || !self.is_full(&track.room, at));
            let again =
                again.map(|again| told.map_or(again, |told| again.max(next(told, STAGGER))));
            let sure = track.busy.then(|| next(at, SignedDuration::from_secs(5)));
            [refused.filter(|refused| *refused > at), again, sure]
        });
        rooms.chain(tracks.flatten()).min()
    }
}
