//! What is told, and when: decided from what begins, ends and happens to units.
//!
//! Only edges are told, each at most once by each `event` of an alert:
//!
//! - What has an `after` is told once it has lasted that long; what ends before is not told.
//! - The same of the same unit is not told again within `dedupe`. If it still lasts then, it is told
//!   then.
//! - Above the `rate` nothing is told. When there is room again, one of those that still last is, if
//!   nothing else came first.
//! - In quiet hours nothing is told. What still lasts when they end is told then, once, and so is
//!   what cannot last.
//! - What could not be sent and lasts still is told again until it is sent.
//!
//! What is not told for these reasons is counted, and the next message says how many there were. All
//! spans are measured on the steady clock; the clock on the wall is for quiet hours alone.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::line::{Line, New};
use super::memory::Remembered;
use super::message::{Facts, Message, Now};
use crate::config::{AlertSettings, EventKind};

/// Decides what is told.
#[derive(Debug)]
pub struct Desk {
    lines: Vec<Line>,
    /// What lasts.
    open: BTreeSet<(String, EventKind)>,
    /// By which quiet hours go.
    zone: TimeZone,
    /// Decided, and not fetched yet.
    out: Vec<Message>,
}

impl Desk {
    /// One at which nothing has happened yet, in the time zone of this machine.
    #[must_use]
    pub fn new(alerts: Vec<AlertSettings>) -> Self {
        Self::in_zone(alerts, TimeZone::system())
    }

    /// The same in another time zone.
    #[must_use]
    pub fn in_zone(alerts: Vec<AlertSettings>, zone: TimeZone) -> Self {
        Self {
            lines: alerts.into_iter().map(Line::new).collect(),
            open: BTreeSet::new(),
            zone,
            out: Vec::new(),
        }
    }

    /// Goes by other settings from now on. What waits, and what was counted, stays with the alert of
    /// the same name; what lasts already is no edge for an alert that is new.
    pub fn set(&mut self, alerts: Vec<AlertSettings>) {
        let mut before = std::mem::take(&mut self.lines);
        for settings in alerts {
            let known = before
                .iter()
                .position(|line| line.settings.name == settings.name);
            let mut line = known.map_or_else(
                || Line::new(settings.clone()),
                |known| before.swap_remove(known),
            );
            line.settings = settings;
            self.lines.push(line);
        }
        let lines = &self.lines;
        let exists = |name: &str| lines.iter().any(|line| line.settings.name == name);
        self.out.retain(|message| exists(&message.alert));
    }

    /// The settings of an alert.
    #[must_use]
    pub fn alert(&self, name: &str) -> Option<&AlertSettings> {
        let line = self.lines.iter().find(|line| line.settings.name == name)?;
        Some(&line.settings)
    }

    /// Something begins that lasts. Said again while it lasts it is no edge, and only the facts of
    /// what is not told yet change.
    ///
    /// `on_failure` are the unit's own alerts: they are told of `held`, `errored`, `hung` and `dead`
    /// at once, whatever their `events` are, unless these say themselves how long it has to last.
    /// For a death that is no failure, pass none.
    pub fn begins(
        &mut self,
        unit: &str,
        kind: EventKind,
        facts: &Facts,
        on_failure: &[String],
        now: Now,
    ) {
        if !kind.lasts() {
            return self.happened(unit, kind, facts, now);
        }
        self.settle(now);
        if !self.open.insert((unit.to_owned(), kind)) {
            for line in &mut self.lines {
                line.learn(unit, kind, facts);
            }
            return;
        }
        let fails = matches!(
            kind,
            EventKind::Held | EventKind::Errored | EventKind::Hung | EventKind::Dead
        );
        for line in &mut self.lines {
            let named = fails && on_failure.contains(&line.settings.name);
            line.begins(&new(unit, kind, facts, now), named);
        }
    }

    /// It is over.
    pub fn ends(&mut self, unit: &str, kind: EventKind, now: Now) {
        self.settle(now);
        if self.open.remove(&(unit.to_owned(), kind)) {
            for line in &mut self.lines {
                line.ends(unit, kind, now);
            }
        }
    }

    /// The unit is no more: whatever lasted is over.
    pub fn gone(&mut self, unit: &str, now: Now) {
        for kind in EventKind::ALL {
            self.ends(unit, *kind, now);
        }
    }

    /// Something happens that does not last.
    pub fn happened(&mut self, unit: &str, kind: EventKind, facts: &Facts, now: Now) {
        self.settle(now);
        for line in &mut self.lines {
            line.happened(&new(unit, kind, facts, now));
        }
    }

    /// What is to be told now, in the order in which it became due.
    #[must_use]
    pub fn due(&mut self, now: Now) -> Vec<Message> {
        self.settle(now);
        let open = &self.open;
        for line in &mut self.lines {
            line.forget(now, |unit, kind| open.contains(&(unit.to_owned(), kind)));
        }
        std::mem::take(&mut self.out)
    }

    /// What came of the last attempt to send a message, by its [`Message::id`].
    pub fn came(&mut self, alert: &str, id: &str, is_sent: bool) {
        let mut lines = self.lines.iter_mut();
        if let Some(line) = lines.find(|line| line.settings.name == alert) {
            line.came(id, is_sent);
        }
    }

    /// A message could not be sent and is not tried any more, though its fault may pass. What it told
    /// of and lasts still is told anew after `pause`; gives whether there is any.
    pub fn given_up(&mut self, alert: &str, id: &str, pause: Duration, now: Now) -> bool {
        self.settle(now);
        let mut lines = self.lines.iter_mut();
        let line = lines.find(|line| line.settings.name == alert);
        line.is_some_and(|line| line.given_up(id, now.steady.saturating_add(pause)))
    }

    /// What was told and decides something still, to be stored.
    #[must_use]
    pub fn memory(&self, now: Now) -> Vec<Remembered> {
        let lasts = |unit: &str, kind| self.open.contains(&(unit.to_owned(), kind));
        let lines = self.lines.iter();
        lines.flat_map(|line| line.memory(now, lasts)).collect()
    }

    /// An earlier desk has told this. What lasted then, and begins again as the first that is seen of
    /// its unit, is no edge.
    pub fn remember(&mut self, told: &[Remembered], now: Now) {
        for told in told {
            let kind = EventKind::ALL.iter().find(|kind| kind.word() == told.kind);
            let mut lines = self.lines.iter_mut();
            let line = lines.find(|line| line.settings.name == told.alert);
            if let (Some(&kind), Some(line)) = (kind, line) {
                line.remember(told, kind, now);
            }
        }
    }

    /// It is known what a unit is in: of what an earlier desk told of it, only this lasts.
    pub fn settled(&mut self, unit: &str, kind: Option<EventKind>) {
        for line in &mut self.lines {
            line.settled(unit, kind);
        }
    }

    /// When, on the steady clock, something more may be due if nothing happens until then.
    #[must_use]
    pub fn next_due(&self, now: Now) -> Option<Duration> {
        if !self.out.is_empty() {
            return Some(now.steady);
        }
        let next = |line: &Line| line.next_due(now, &self.zone);
        self.lines.iter().filter_map(next).min()
    }

    /// Decides about everything that became due, before anything else happens: what has lasted long
    /// enough is told even when its end is the next that is heard of.
    fn settle(&mut self, now: Now) {
        for line in &mut self.lines {
            line.settle(now, &self.zone, &mut self.out);
        }
    }
}

const fn new<'a>(unit: &'a str, kind: EventKind, facts: &'a Facts, now: Now) -> New<'a> {
    New {
        unit,
        kind,
        facts,
        at: now.steady,
    }
}

#[cfg(test)]
mod chance;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unsent;
