//! What is done, step by step, about a unit that seems to hang.
//!
//! A unit that is at work and shows no sign of life for long is suspect. Each rung is an action with
//! a time in which it may answer; the next one comes only when it has not:
//!
//! | Rung | What is done | When it answers |
//! |---|---|---|
//! | [`Probe`](Action::Probe) | the pane is made a column narrower and wide again, no key is sent | it is alive: [`Alert`](Action::Alert), once, and nothing else |
//! | [`Interrupt`](Action::Interrupt) | the key with which its profile interrupts | it is alive |
//! | [`Exit`](Action::Exit) | its profile's way to quit | it is alive, or it ends |
//! | [`Terminate`](Action::Terminate) | SIGTERM to its processes | the same |
//! | [`Kill`](Action::Kill) | SIGKILL to its processes | it ends |
//! | [`NewPane`](Action::NewPane) | not even that ended it: another pane, the old one is left | |
//!
//! Any sign of life, at any rung, ends the climb. So does the end of its work or a wait that is
//! known to be legitimate. How long silence may be depends on its work: `hang_after` while it
//! thinks, `tool_hang_after` while a tool runs, or that tool's own timeout where it has one.
//!
//! All times are monotonic and do not count the time a machine sleeps: the time since an epoch that
//! the caller chooses. Nothing of it need be stored: a guardian that starts anew watches anew.

mod facts;
mod rules;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use facts::{Facts, Sign, Work};
pub use rules::{Answers, Rules};
use rules::{above, answer, patience};

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Make the pane a column narrower, and wide again.
    Probe,
    /// Tell somebody that it does nothing but is alive.
    Alert,
    /// Send the key with which its profile interrupts.
    Interrupt,
    /// Make it quit in its profile's way.
    Exit,
    /// Send SIGTERM to its processes.
    Terminate,
    /// Send SIGKILL to its processes.
    Kill,
    /// Leave the pane and take another.
    NewPane,
}

/// An action, and when it must have been answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// What to do.
    pub action: Action,
    /// By then an answer is expected, if one is.
    pub deadline: Option<Duration>,
}

/// A rung that was climbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// What was done.
    pub what: Action,
    /// When.
    pub at: Duration,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It may still be answered.
    Open,
    /// It is alive: it showed this.
    Alive(Sign),
    /// It is no longer at work, or in a legitimate wait.
    Excused,
    /// Its processes have ended.
    Ended,
    /// Nothing, until its deadline.
    Silent,
    /// Nothing was to come of it.
    Done,
}

/// How a unit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Nothing is being done.
    Quiet,
    /// It is silent, and has been probed.
    Suspect,
    /// It did not answer the probe.
    Hung,
}

/// The record keeps so many rungs.
const KEPT: usize = 64;
/// Somebody who looks that much after a deadline has not been looking in time.
const LATE: Duration = Duration::from_secs(5);
/// What a probe brings about comes within this time after its first answer: the pane is made wide
/// again, and the use of processors is known late.
const ECHO: Duration = Duration::from_secs(15);

/// The climb of one unit, if there is one, and the record of those before.
#[derive(Debug, Clone, Default)]
pub struct Ladder {
    /// Silence is counted from here, if no sign is younger.
    since: Option<Duration>,
    climb: Option<Climb>,
    /// It is known that it is alive and silent. What it shows until then comes of the probe.
    told: Option<Duration>,
    /// Did it end on the ladder?
    hung: bool,
    /// When there is something to decide, if nothing happens before.
    due: Option<Duration>,
    record: Vec<Rung>,
    noted: usize,
}

#[derive(Debug, Clone, Copy)]
struct Climb {
    began: Duration,
    on: Action,
    deadline: Duration,
    /// Was the deadline put off, because nobody had looked?
    extended: bool,
}

impl Ladder {
    /// Looks at the facts, and says what is to be done now. To be called when a fact changes and
    /// when [`due`](Self::due), with facts as they are at `now`.
    pub fn step(&mut self, rules: &Rules, facts: &Facts, now: Duration) -> Option<Order> {
        let since = *self.since.get_or_insert(now);
        self.due = None;
        if facts.gone {
            self.hung |= self.is_climbing();
            self.rest(Outcome::Ended, now);
            return None;
        }
        self.hung = false;
        let Some(patience) = patience(rules, facts) else {
            self.told = None;
            self.rest(Outcome::Excused, now);
            return None;
        };
        let last = facts.last_sign().map_or(since, |sign| sign.max(since));
        let silent = now.saturating_sub(last) >= patience;
        let Some(climb) = self.climb else {
            if self.told.is_some_and(|until| last > until.max(since)) {
                self.told = None;
            }
            if silent {
                return self.climb_to(rules, Action::Probe, now, now);
            }
            self.due = Some(last.saturating_add(patience));
            return None;
        };
        if let Some(sign) = facts.sign_since(climb.began) {
            let order = self.alive(climb, sign, now);
            self.due = Some(now.saturating_add(patience));
            return order;
        }
        if !silent {
            // A sign that became known late, or a tool that may take longer.
            self.rest(Outcome::Excused, now);
            self.due = Some(now.saturating_add(patience));
            return None;
        }
        self.wait_or_climb(rules, climb, now)
    }

    /// When to call [`step`](Self::step) at the latest, if no fact changes before. Nothing where
    /// only a fact can change anything.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        self.due
    }

    /// How the unit stands.
    #[must_use]
    pub fn state(&self) -> State {
        match self.climb {
            None => State::Quiet,
            Some(Climb {
                on: Action::Probe, ..
            }) => State::Suspect,
            Some(_) => State::Hung,
        }
    }

    /// Is an end of the unit, now or at the last step, one for having hung?
    #[must_use]
    pub fn is_hung(&self) -> bool {
        self.hung || self.is_climbing()
    }

    /// What was done, oldest first; the last 64 rungs.
    #[must_use]
    pub fn record(&self) -> &[Rung] {
        &self.record
    }

    /// How many rungs there have been; the record ends with the last of them.
    #[must_use]
    pub fn noted(&self) -> usize {
        self.noted
    }

    fn is_climbing(&self) -> bool {
        self.state() == State::Hung
    }

    /// The climb is over, whatever the reason: silence is counted from now.
    fn rest(&mut self, outcome: Outcome, now: Duration) {
        if self.climb.take().is_some() {
            self.close(outcome);
        }
        self.since = Some(now);
    }

    fn alive(&mut self, climb: Climb, sign: Sign, now: Duration) -> Option<Order> {
        self.rest(Outcome::Alive(sign), now);
        let progress = matches!(sign, Sign::Hook | Sign::Transcript | Sign::Child);
        if climb.on != Action::Probe || progress {
            self.told = None;
            return None;
        }
        // It draws when it is asked to, and does nothing.
        if self.told.replace(now.saturating_add(ECHO)).is_some() {
            return None;
        }
        self.note(Action::Alert, now, Outcome::Done);
        Some(Order {
            action: Action::Alert,
            deadline: None,
        })
    }

    fn wait_or_climb(&mut self, rules: &Rules, climb: Climb, now: Duration) -> Option<Order> {
        let late = now.saturating_sub(climb.deadline) > LATE;
        if now < climb.deadline {
            self.due = Some(climb.deadline);
            return None;
        }
        if late && !climb.extended {
            // It may have answered while nobody looked, and that may not be known yet.
            let deadline = now.saturating_add(answer(rules, climb.on));
            self.climb = Some(Climb {
                deadline,
                extended: true,
                ..climb
            });
            self.due = Some(deadline);
            return None;
        }
        self.close(Outcome::Silent);
        let next = above(rules, climb.on);
        if next == Action::NewPane {
            self.note(next, now, Outcome::Done);
            self.climb = None;
            self.since = Some(now);
            self.hung = true;
            return Some(Order {
                action: next,
                deadline: None,
            });
        }
        self.climb_to(rules, next, climb.began, now)
    }

    fn climb_to(
        &mut self,
        rules: &Rules,
        action: Action,
        began: Duration,
        now: Duration,
    ) -> Option<Order> {
        let deadline = now.saturating_add(answer(rules, action));
        self.climb = Some(Climb {
            began,
            on: action,
            deadline,
            extended: false,
        });
        self.note(action, now, Outcome::Open);
        self.due = Some(deadline);
        Some(Order {
            action,
            deadline: Some(deadline),
        })
    }

    fn note(&mut self, what: Action, at: Duration, outcome: Outcome) {
        if self.record.len() >= KEPT {
            self.record.remove(0);
        }
        self.record.push(Rung { what, at, outcome });
        self.noted += 1;
    }

    fn close(&mut self, outcome: Outcome) {
        if let Some(rung) = self.record.last_mut() {
            rung.outcome = outcome;
        }
    }
}

#[cfg(test)]
mod tests;
