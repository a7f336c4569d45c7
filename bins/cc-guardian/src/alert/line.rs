//! One alert: what waits, what was told, and what was not.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Zoned};

use super::memory::Remembered;
use super::message::{Facts, Message, Now, Untold};
use crate::config::{AlertSettings, EventKind, Quiet};

/// In quiet hours their end is looked for again after this long: the clock may be set.
const QUIET_LOOK: Duration = Duration::from_mins(10);

/// Something new.
#[derive(Debug, Clone, Copy)]
pub(super) struct New<'a> {
    pub(super) unit: &'a str,
    pub(super) kind: EventKind,
    pub(super) facts: &'a Facts,
    pub(super) at: Duration,
}

/// One alert.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) settings: AlertSettings,
    waiting: Vec<Waiting>,
    told: BTreeMap<(String, EventKind), Told>,
    /// What was told by an earlier guardian and lasted still, by what was told of it.
    stands: BTreeMap<(String, EventKind), Option<String>>,
    /// When the last ones were sent, as far as the rate wants to know.
    sent: VecDeque<Duration>,
    over_rate: u32,
    in_quiet: u32,
}

/// Something that may be told.
#[derive(Debug, Clone)]
struct Waiting {
    unit: String,
    kind: EventKind,
    facts: Facts,
    /// How long it has to last, by which of the events it is told.
    after: Duration,
    began: Duration,
    ready: Duration,
    /// For what it waits until then.
    why: Why,
    /// Does it last? Then its end is told to us.
    lasts: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// For having lasted long enough; and then, in quiet hours, for their end.
    After,
    /// For the last of the same to be long ago.
    Dedupe,
    /// For room below the rate.
    Rate,
}

/// One kind of one unit, as it was told last.
#[derive(Debug, Default)]
struct Told {
    at: Option<Duration>,
    /// When that which was told began.
    began: Option<Duration>,
    detail: Option<String>,
    repeated: u32,
    /// [`Message::id`] of it.
    id: String,
    /// Could it not be sent so far?
    unsent: bool,
    /// What was told, where it lasts and has not been sent yet.
    lasting: Option<Waiting>,
}

impl Line {
    pub(super) const fn new(settings: AlertSettings) -> Self {
        Self {
            settings,
            waiting: Vec::new(),
            told: BTreeMap::new(),
            stands: BTreeMap::new(),
            sent: VecDeque::new(),
            over_rate: 0,
            in_quiet: 0,
        }
    }

    /// Something begins that lasts; `named`: the unit names this alert in `on_failure`.
    pub(super) fn begins(&mut self, new: &New<'_>, named: bool) {
        let stands = self.stands.remove(&(new.unit.to_owned(), new.kind));
        let is_same = |detail| new.kind != EventKind::Blocked || detail == new.facts.detail;
        if stands.is_some_and(is_same) {
            // It has been told already; of what is asked, that very question.
            return;
        }
        let mut afters = self.afters(new.kind);
        if named && afters.is_empty() {
            afters.push(Duration::ZERO);
        }
        for after in afters {
            self.wait(new, after, true);
        }
    }

    /// Something happens that does not last.
    pub(super) fn happened(&mut self, new: &New<'_>) {
        if !self.afters(new.kind).contains(&Duration::ZERO) {
            return;
        }
        let held = self
            .waiting
            .iter_mut()
            .find(|waiting| !waiting.lasts && waiting.unit == new.unit && waiting.kind == new.kind);
        match held {
            // It waits for the end of quiet hours, and the newer is told of in its stead.
            Some(held) => {
                held.facts = new.facts.clone();
                self.repeated(new.unit, new.kind);
            }
            None => self.wait(new, Duration::ZERO, false),
        }
    }

    /// How long that kind has to last, by each of the events that name it.
    fn afters(&self, kind: EventKind) -> Vec<Duration> {
        let events = self.settings.events.iter();
        let mut afters: Vec<_> = events
            .filter(|event| event.kind == kind)
            .map(|event| event.after)
            .collect();
        afters.sort_unstable();
        afters.dedup();
        afters
    }

    fn wait(&mut self, new: &New<'_>, after: Duration, lasts: bool) {
        self.waiting.push(Waiting {
            unit: new.unit.to_owned(),
            kind: new.kind,
            facts: new.facts.clone(),
            after,
            began: new.at,
            ready: new.at.saturating_add(after),
            why: Why::After,
            lasts,
        });
    }

    /// More is known of what lasts.
    pub(super) fn learn(&mut self, unit: &str, kind: EventKind, facts: &Facts) {
        for waiting in &mut self.waiting {
            if waiting.lasts && waiting.unit == unit && waiting.kind == kind {
                waiting.facts = facts.clone();
            }
        }
    }

    /// What lasted is over; [`Self::settle`] came first, so what is ready waits for quiet to end.
    pub(super) fn ends(&mut self, unit: &str, kind: EventKind, now: Now) {
        let over =
            |waiting: &mut Waiting| waiting.lasts && waiting.unit == unit && waiting.kind == kind;
        let over: Vec<_> = self.waiting.extract_if(.., over).collect();
        let told = self.told.get_mut(&(unit.to_owned(), kind));
        let told = told.and_then(|told| {
            told.lasting = None;
            told.began
        });
        for waiting in over {
            match waiting.why {
                // Another event told it, which wants it to last less long.
                _ if told == Some(waiting.began) => {}
                Why::After if waiting.ready > now.steady => {}
                Why::After => self.in_quiet = self.in_quiet.saturating_add(1),
                Why::Dedupe => self.repeated(unit, kind),
                Why::Rate => self.over_rate = self.over_rate.saturating_add(1),
            }
        }
    }

    fn repeated(&mut self, unit: &str, kind: EventKind) {
        let told = self.told.entry((unit.to_owned(), kind)).or_default();
        told.repeated = told.repeated.saturating_add(1);
    }

    /// Tells what is ready, or finds for how much longer it has to wait.
    pub(super) fn settle(&mut self, now: Now, zone: &TimeZone, out: &mut Vec<Message>) {
        if self.quiet(now, zone).is_some() {
            return;
        }
        let ready = |waiting: &mut Waiting| waiting.ready <= now.steady;
        let mut ready: Vec<_> = self.waiting.extract_if(.., ready).collect();
        ready.sort_by(|a, b| a.order().cmp(&b.order()));
        let mut ready = VecDeque::from(once_each(ready));
        while let Some(waiting) = ready.pop_front() {
            if let Some(until) = self.deduped_until(&waiting, now) {
                if waiting.lasts {
                    self.put_off(waiting, until, Why::Dedupe);
                } else {
                    self.repeated(&waiting.unit, waiting.kind);
                }
            } else if let Some(until) = self.full_until(now) {
                if waiting.lasts {
                    self.put_off(waiting, until, Why::Rate);
                } else {
                    self.over_rate = self.over_rate.saturating_add(1);
                }
            } else {
                self.count_over_rate(&mut ready);
                out.push(self.tell(waiting, now));
            }
        }
    }

    fn put_off(&mut self, mut waiting: Waiting, until: Duration, why: Why) {
        waiting.ready = until;
        waiting.why = why;
        self.waiting.push(waiting);
    }

    /// Something is told, and says how many others there was no room for.
    fn count_over_rate(&mut self, ready: &mut VecDeque<Waiting>) {
        let before = ready.len() + self.waiting.len();
        ready.retain(|waiting| waiting.why != Why::Rate);
        self.waiting.retain(|waiting| waiting.why != Why::Rate);
        let gone = before.saturating_sub(ready.len() + self.waiting.len());
        let gone = u32::try_from(gone).unwrap_or(u32::MAX);
        self.over_rate = self.over_rate.saturating_add(gone);
    }

    fn tell(&mut self, waiting: Waiting, now: Now) -> Message {
        if self.settings.rate.is_some() {
            self.sent.push_back(now.steady);
        }
        let key = (waiting.unit.clone(), waiting.kind);
        let told = self.told.entry(key).or_default();
        told.at = Some(now.steady);
        told.began = Some(waiting.began);
        told.detail.clone_from(&waiting.facts.detail);
        told.lasting = waiting.lasts.then(|| waiting.clone());
        let message = Message {
            alert: self.settings.name.clone(),
            unit: waiting.unit,
            kind: Some(waiting.kind),
            facts: waiting.facts,
            lasted: now.steady.saturating_sub(waiting.began),
            at: now.wall,
            untold: Untold {
                repeated: std::mem::take(&mut told.repeated),
                over_rate: std::mem::take(&mut self.over_rate),
                in_quiet: std::mem::take(&mut self.in_quiet),
            },
        };
        told.id = message.id();
        told.unsent = false;
        message
    }

    /// What came of the last attempt to send a message.
    pub(super) fn came(&mut self, id: &str, is_sent: bool) {
        for told in self.told.values_mut().filter(|told| told.id == id) {
            told.unsent = !is_sent;
            if is_sent {
                told.lasting = None;
            }
        }
    }

    /// A message is not sent again by itself. What it told of and lasts still is told anew at `again`;
    /// gives whether there is any.
    pub(super) fn given_up(&mut self, id: &str, again: Duration) -> bool {
        self.came(id, false);
        let mut told = self.told.iter_mut();
        let Some(((unit, kind), told)) = told.find(|(_, told)| told.id == id) else {
            return false;
        };
        // Nobody has heard of it: the next of the same is none too many.
        told.at = None;
        let same = |waiting: &&mut Waiting| waiting.unit == *unit && waiting.kind == *kind;
        let mut waiting = self.waiting.iter_mut().filter(same);
        if let Some(waiting) = waiting.find(|waiting| waiting.why == Why::Dedupe) {
            waiting.ready = waiting.ready.min(again);
            return true;
        }
        let Some(lasting) = told.lasting.take() else {
            return false;
        };
        self.waiting.push(Waiting {
            ready: again,
            why: Why::After,
            ..lasting
        });
        true
    }

    /// Until when the same has been told too recently.
    fn deduped_until(&self, waiting: &Waiting, now: Now) -> Option<Duration> {
        let told = self.told.get(&(waiting.unit.clone(), waiting.kind))?;
        let until = told.at?.saturating_add(self.settings.dedupe);
        (until > now.steady).then_some(until)
    }

    /// Until when there is no room below the rate.
    fn full_until(&mut self, now: Now) -> Option<Duration> {
        let rate = self.settings.rate?;
        let counts = |sent: &Duration| sent.saturating_add(rate.per) > now.steady;
        while self.sent.front().is_some_and(|sent| !counts(sent)) {
            self.sent.pop_front();
        }
        let count = usize::try_from(rate.count).unwrap_or(usize::MAX);
        let oldest = self.sent.len().checked_sub(count)?;
        Some(self.sent.get(oldest)?.saturating_add(rate.per))
    }

    /// Forgets what decides nothing any more.
    pub(super) fn forget(&mut self, now: Now, lasts: impl Fn(&str, EventKind) -> bool) {
        let dedupe = self.settings.dedupe;
        self.told.retain(|(unit, kind), told| {
            let counts = told
                .at
                .is_some_and(|at| at.saturating_add(dedupe) > now.steady);
            let stands = self.stands.contains_key(&(unit.clone(), *kind));
            counts || told.repeated > 0 || stands || lasts(unit, *kind)
        });
    }

    /// What was told and decides something still, to be stored; `lasts` says what does. What could not
    /// be sent so far is not told: the next guardian begins with it anew.
    pub(super) fn memory(
        &self,
        now: Now,
        lasts: impl Fn(&str, EventKind) -> bool,
    ) -> Vec<Remembered> {
        let sent = self.told.iter().filter(|(_, told)| !told.unsent);
        let told = sent.filter_map(|((unit, kind), told)| {
            let ago = now.steady.saturating_sub(told.at?);
            let stands = self.stands.contains_key(&(unit.clone(), *kind));
            let ago = SignedDuration::try_from(ago).ok()?;
            let waits = |waiting: &Waiting| waiting.unit == *unit && waiting.kind == *kind;
            Some(Remembered {
                alert: self.settings.name.clone(),
                unit: unit.clone(),
                kind: kind.word().to_owned(),
                at: now.wall.checked_sub(ago).ok()?,
                lasts: stands || lasts(unit, *kind) && !self.waiting.iter().any(waits),
                detail: told.detail.clone(),
            })
        });
        told.collect()
    }

    /// What an earlier guardian told.
    pub(super) fn remember(&mut self, told: &Remembered, kind: EventKind, now: Now) {
        let key = (told.unit.clone(), kind);
        let ago = now.wall.duration_since(told.at);
        let known = self.told.entry(key.clone()).or_default();
        known.at = Some(now.steady.saturating_sub(ago.unsigned_abs()));
        known.detail.clone_from(&told.detail);
        if told.lasts {
            self.stands.insert(key, told.detail.clone());
        }
    }

    /// Of what an earlier guardian told of that unit, only that kind can last still.
    pub(super) fn settled(&mut self, unit: &str, kind: Option<EventKind>) {
        self.stands
            .retain(|(of, stands), _| of != unit || Some(*stands) == kind);
    }

    /// When something more may be due.
    pub(super) fn next_due(&self, now: Now, zone: &TimeZone) -> Option<Duration> {
        let first = self.waiting.iter().map(|waiting| waiting.ready).min()?;
        let open = now
            .steady
            .saturating_add(self.quiet(now, zone).unwrap_or_default());
        Some(first.max(open))
    }

    /// In quiet hours: how long to wait before looking again whether they are over.
    fn quiet(&self, now: Now, zone: &TimeZone) -> Option<Duration> {
        let quiet = self.settings.quiet?;
        let local = now.wall.to_zoned(zone.clone());
        let left = || left(quiet, &local).unwrap_or(QUIET_LOOK);
        quiet.contains(local.time()).then(|| left().min(QUIET_LOOK))
    }
}

impl Waiting {
    fn order(&self) -> (Duration, &str, EventKind, Duration) {
        (self.ready, &self.unit, self.kind, self.after)
    }
}

/// What two events name, and became ready together, is one thing to tell: by the longer `after`.
fn once_each(ready: Vec<Waiting>) -> Vec<Waiting> {
    let mut once: Vec<Waiting> = Vec::with_capacity(ready.len());
    for waiting in ready {
        let same = |other: &&mut Waiting| {
            (&other.unit, other.kind, other.lasts) == (&waiting.unit, waiting.kind, waiting.lasts)
        };
        match once.iter_mut().find(same) {
            Some(other) if other.after < waiting.after => *other = waiting,
            Some(_) => {}
            None => once.push(waiting),
        }
    }
    once
}

/// How much of the quiet hours is left.
fn left(quiet: Quiet, local: &Zoned) -> Option<Duration> {
    let today = local.date();
    let day = if local.time() < quiet.to {
        today
    } else {
        today.tomorrow().ok()?
    };
    let end = day.to_datetime(quiet.to);
    let end = end.to_zoned(local.time_zone().clone()).ok()?;
    let left = end.timestamp().duration_since(local.timestamp());
    // One of the two times that a clock which is set back shows: it was the other one.
    Duration::try_from(left).ok().filter(|left| !left.is_zero())
}
