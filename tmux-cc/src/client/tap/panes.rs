//! Decides what to do about each pane. No IO and no clock of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::lines::Row;
use super::reader::{PipeId, Report};
use super::streams::Begin;
use super::word::{Origin, Word};
use crate::client::events::Cause;
use crate::client::screen::Screen;
use crate::wire::PaneId;

/// How long a pipe that somebody has just opened may turn out to be ours: its helper is on its way.
const GRACE: Duration = Duration::from_secs(2);

/// How long a helper may take.
const HELPER: Duration = Duration::from_secs(10);

/// How long a pane waits that could not be taken, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// How long at least between giving a pane up, because its consumer is slow, and taking it again:
/// each time costs the server a process.
const BREATH: Duration = Duration::from_millis(100);

/// Something to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Action<P> {
    /// Send the line that takes the pane, with that ticket.
    Take(PaneId, u64),
    /// Read its pipe.
    Hold(PaneId, PipeId, P, Begin),
    /// Say that its user has a pipe of his own there.
    Untapped(PaneId),
    /// Its stream has ended.
    End(PaneId),
    /// Look at all panes.
    Survey,
}

/// What came of a line that was to take a pane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is taken, and looked like this before.
    Taken(Option<Arc<Screen>>),
    /// It was not free, or is gone.
    NotFree,
    /// The line failed.
    Failed,
}

#[derive(Debug)]
enum Hold<P> {
    /// Nobody does, as far as is known.
    Loose,
    /// It was asked for: the answer and the pipe come in any order.
    Asked {
        ticket: u64,
        since: Instant,
        screen: Option<Option<Arc<Screen>>>,
        pipe: Option<P>,
    },
    /// We do.
    Held(PipeId),
    /// Nobody does until there is room.
    Over,
    /// Its user does, or a helper of ours is on its way.
    Foreign { since: Instant, said: bool },
}

#[derive(Debug)]
struct State<P> {
    hold: Hold<P>,
    /// Why its next stretch is not the first.
    cause: Cause,
    /// Has the consumer heard of it?
    spoken: bool,
    /// Was it there before the hooks were?
    old: bool,
    /// When it may be asked for.
    not_before: Option<Instant>,
    failures: u32,
}

impl<P> State<P> {
    const fn new() -> Self {
        Self {
            hold: Hold::Loose,
            cause: Cause::FirstSight,
            spoken: false,
            old: false,
            not_before: None,
            failures: 0,
        }
    }

    fn fail(&mut self, now: Instant) {
        let pause = PAUSES.0 * 2u32.saturating_pow(self.failures.min(10));
        self.failures += 1;
        self.not_before = Some(now + pause.min(PAUSES.1));
        self.hold = Hold::Loose;
    }

    /// Was a helper that comes now started when the pane was born? It may have ended since.
    const fn is_unborn(&self, origin: Origin) -> bool {
        let loose = matches!(self.hold, Hold::Loose | Hold::Foreign { said: false, .. });
        let born = matches!(origin, Origin::Hook) || !self.old;
        loose && born && !self.spoken
    }

    fn may_ask(&self, now: Instant) -> bool {
        self.not_before.is_none_or(|then| now >= then)
    }
}

/// The panes of one life of a server; `P` is what holds a pipe.
#[derive(Debug)]
pub(super) struct Panes<P> {
    states: BTreeMap<PaneId, State<P>>,
    /// Have all panes been looked at yet?
    looked: bool,
    next_ticket: u64,
    next_pipe: u64,
    actions: Vec<Action<P>>,
}

impl<P> Panes<P> {
    pub(super) const fn new() -> Self {
        Self {
            states: BTreeMap::new(),
            looked: false,
            next_ticket: 0,
            next_pipe: 0,
            actions: Vec::new(),
        }
    }

    /// What there is to do, in order.
    pub(super) fn actions(&mut self) -> Vec<Action<P>> {
        std::mem::take(&mut self.actions)
    }

    /// The life has ended. Numbers go on, so that what is late is known for what it is.
    pub(super) fn clear(&mut self) {
        self.states.clear();
        self.looked = false;
        self.actions.clear();
    }

    fn hold(&mut self, pane: PaneId, pipe: P, begin: Begin) {
        let id = PipeId(self.next_pipe);
        self.next_pipe += 1;
        let state = self.states.entry(pane).or_insert_with(State::new);
        state.hold = Hold::Held(id);
        state.spoken = true;
        state.failures = 0;
        state.not_before = None;
        self.actions.push(Action::Hold(pane, id, pipe, begin));
    }

    /// A helper has brought a pipe.
    pub(super) fn handed(&mut self, word: &Word, pipe: P, now: Instant) {
        let pane = word.pane;
        let state = self.states.get_mut(&pane);
        match (word.origin, state) {
            (Origin::Ticket(came), Some(state)) => {
                if let Hold::Asked {
                    ticket, pipe: held, ..
                } = &mut state.hold
                    && *ticket == came
                {
                    *held = Some(pipe);
                    self.start(pane);
                } else {
                    // Too late: to let go of it leaves the pane free.
                    self.actions.push(Action::Survey);
                }
            }
            (Origin::Ticket(_), None) => self.actions.push(Action::Survey),
            (origin, state) if word.blank && state.as_ref().is_none_or(|s| s.is_unborn(origin)) => {
                self.hold(pane, pipe, Begin::Birth);
            }
            // A program was started in it anew, and this is its first byte.
            (Origin::Created, state) => {
                let cause = state.map_or(Cause::FirstSight, |state| state.cause);
                let cause = if cause == Cause::FirstSight && self.is_spoken(pane) {
                    Cause::PipeClosed
                } else {
                    cause
                };
                self.hold(pane, pipe, Begin::Gap(cause, None));
            }
            // It has printed something by then, which is not to be passed over in silence: it is
            // taken with its screen, once the server has noticed that nobody has this pipe.
            (Origin::Hook, _) => {
                let state = self.states.entry(pane).or_insert_with(State::new);
                if !matches!(state.hold, Hold::Asked { .. }) {
                    state.hold = Hold::Loose;
                    state.not_before = Some(now + BREATH);
                }
            }
        }
    }

    fn is_spoken(&self, pane: PaneId) -> bool {
        self.states.get(&pane).is_some_and(|state| state.spoken)
    }

    /// The line that was to take a pane is answered.
    pub(super) fn answered(&mut self, pane: PaneId, came: u64, answer: Answer, now: Instant) {
        let Some(state) = self.states.get_mut(&pane) else {
            return;
        };
        let Hold::Asked { ticket, screen, .. } = &mut state.hold else {
            return;
        };
        if *ticket != came {
            return;
        }
        match answer {
            Answer::Taken(found) => {
                *screen = Some(found);
                self.start(pane);
            }
            Answer::NotFree => {
                state.hold = Hold::Loose;
                self.actions.push(Action::Survey);
            }
            Answer::Failed => state.fail(now),
        }
    }

    /// Begins to read a pane whose answer and pipe are there.
    fn start(&mut self, pane: PaneId) {
        let Some(state) = self.states.get_mut(&pane) else {
            return;
        };
        if let Hold::Asked { screen, pipe, .. } = &mut state.hold
            && screen.is_some()
            && let Some(pipe) = pipe.take()
        {
            let begin = Begin::Gap(state.cause, screen.take().flatten());
            self.hold(pane, pipe, begin);
        }
    }

    /// The reader has closed a pipe.
    pub(super) fn reported(&mut self, report: Report, now: Instant) {
        let (Report::Ended(pane, id) | Report::Over(pane, id)) = report;
        let Some(state) = self.states.get_mut(&pane) else {
            return;
        };
        if !matches!(state.hold, Hold::Held(held) if held == id) {
            return;
        }
        match report {
            Report::Ended(..) => {
                state.hold = Hold::Loose;
                state.cause = Cause::PipeClosed;
                self.actions.push(Action::Survey);
            }
            Report::Over(..) => {
                state.hold = Hold::Over;
                state.cause = Cause::Paused;
                state.not_before = Some(now + BREATH);
            }
        }
    }

    /// All panes have been looked at; is there room for those that were too much?
    pub(super) fn surveyed(&mut self, rows: &[Row], room: bool, now: Instant) {
        let mut listed = BTreeSet::new();
        for row in rows {
            listed.insert(row.pane);
            self.seen(row, room, now);
        }
        self.looked = true;
        let (actions, gone) = (&mut self.actions, |pane: &PaneId| !listed.contains(pane));
        self.states.retain(|pane, state| {
            // What is in the pipe, or on its way, still comes.
            let waits = matches!(state.hold, Hold::Held(_) | Hold::Asked { .. });
            if waits || !gone(pane) {
                return true;
            }
            if state.spoken {
                actions.push(Action::End(*pane));
            }
            false
        });
    }

    fn seen(&mut self, row: &Row, room: bool, now: Instant) {
        let state = self.states.entry(row.pane).or_insert_with(|| State {
            old: !self.looked,
            ..State::new()
        });
        let may_ask = state.may_ask(now);
        match &mut state.hold {
            Hold::Held(_) | Hold::Asked { .. } => return,
            Hold::Foreign { since, said } if row.piped => {
                if !*said && now >= *since + GRACE {
                    *said = true;
                    state.spoken = true;
                    self.actions.push(Action::Untapped(row.pane));
                }
                return;
            }
            Hold::Foreign { .. } => state.hold = Hold::Loose,
            Hold::Loose | Hold::Over => {}
        }
        if !row.piped && !row.runs {
            // Nothing is lost until it runs again, and another look will tell.
            state.hold = Hold::Loose;
            state.not_before = None;
        } else if row.piped {
            // No helper of ours is on its way to a pane that we had, unless its program has ended:
            // from 3.8 on the hook of a respawn may have been faster than we are.
            let said = state.spoken && state.cause != Cause::PipeClosed;
            state.hold = Hold::Foreign { since: now, said };
            if said {
                self.actions.push(Action::Untapped(row.pane));
            }
        } else {
            if may_ask && (room || !matches!(state.hold, Hold::Over)) {
                let ticket = self.next_ticket;
                self.next_ticket += 1;
                state.hold = Hold::Asked {
                    ticket,
                    since: now,
                    screen: None,
                    pipe: None,
                };
                self.actions.push(Action::Take(row.pane, ticket));
            }
        }
    }

    /// Time has passed; is there room?
    pub(super) fn passed(&mut self, room: bool, now: Instant) {
        for (pane, state) in &mut self.states {
            match &state.hold {
                Hold::Asked { since, .. } if now >= *since + HELPER => {
                    tracing::warn!(%pane, "the helper has not handed over a pane's pipe");
                    state.fail(now);
                }
                Hold::Foreign { since, said: false } if now >= *since + GRACE => {
                    self.actions.push(Action::Survey);
                }
                Hold::Loose if state.not_before.is_some_and(|then| now >= then) => {
                    self.actions.push(Action::Survey);
                }
                Hold::Over if room && state.may_ask(now) => self.actions.push(Action::Survey),
                _ => {}
            }
        }
    }

    /// When [`passed`](Self::passed) is to be called.
    pub(super) fn due(&self, room: bool) -> Option<Instant> {
        let due = |state: &State<P>| match &state.hold {
            Hold::Asked { since, .. } => Some(*since + HELPER),
            Hold::Foreign { since, said: false } => Some(*since + GRACE),
            Hold::Loose => state.not_before,
            Hold::Over if room => state.not_before,
            Hold::Over | Hold::Held(_) | Hold::Foreign { .. } => None,
        };
        self.states.values().filter_map(due).min()
    }
}

#[cfg(test)]
mod tests;
