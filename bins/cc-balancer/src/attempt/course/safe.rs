//! Making a pane safe: whatever runs there for an attempt that is over has stopped before the task is
//! given to anybody else, and before anything else is typed there.
//!
//! It is told to stop, told again, and ended by force where it does not hear. It is safe when it is seen
//! at rest on a look that was taken after it was told, when its command says that it has ended, or when its
//! program is gone.

use std::time::Duration;

use cc_kit::profile::State;

use super::result::Then;
use super::word::{Act, Belief};
use super::{Course, Phase};
use crate::store::End;

/// How long a worker may take to be idle once it is told to stop, before it is told again.
const AGAIN: Duration = Duration::from_secs(5);
/// How long after that before it is ended, and how long that may take.
const FORCE: Duration = Duration::from_secs(10);

/// Why a worker is made safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// Nobody wants the task any more.
    Cancelled,
    /// It took too long.
    Timeout,
    /// The attempt is somebody else's.
    Lost,
}

/// How far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MakingSafe {
    reason: Reason,
    since: Duration,
    until: Duration,
    is_told_again: bool,
    is_killed: bool,
}

impl MakingSafe {
    /// Begins, by force or not; says what is to be done first.
    pub(super) fn begin(reason: Reason, force: bool, now: Duration) -> (Self, Act) {
        let begun = Self {
            reason,
            since: now,
            until: now + if force { FORCE } else { AGAIN },
            is_told_again: false,
            is_killed: force,
        };
        (begun, if force { Act::Kill } else { Act::Interrupt })
    }

    pub(super) const fn reason(&self) -> Reason {
        self.reason
    }

    /// When something is to be done by itself.
    pub(super) const fn due(&self) -> Duration {
        self.until
    }

    /// The attempt is somebody else's meanwhile: nobody is to be told how it ended.
    pub(super) const fn lose(&mut self) {
        self.reason = Reason::Lost;
    }

    /// Somebody wants it to end by force.
    pub(super) fn force(&mut self, now: Duration) -> Option<Act> {
        if self.is_killed {
            return None;
        }
        self.is_killed = true;
        self.until = now + FORCE;
        Some(Act::Kill)
    }

    /// Does what is believed say that it is safe?
    pub(super) fn is_safe(&self, belief: &Belief) -> bool {
        // What ended a turn in words of its own is at rest too.
        let is_at_rest = matches!(belief.state, State::Idle | State::Limited | State::Errored);
        is_at_rest && belief.seen > self.since
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, now: Duration) -> Option<Act> {
        if now < self.until {
            return None;
        }
        self.until = now + FORCE;
        if self.is_killed {
            return Some(Act::Note("it does not end, not by force either".to_owned()));
        }
        if !self.is_told_again {
            self.is_told_again = true;
            return Some(Act::Interrupt);
        }
        self.force(now)
    }
}

impl Course {
    pub(super) fn cancelled(&mut self, force: bool, now: Duration) -> Vec<Act> {
        match &mut self.phase {
            // What is being typed is not broken off in the middle.
            Phase::Sending => {
                self.cancel = Some(force);
                Vec::new()
            }
            Phase::MakingSafe(making) if force => making.force(now).into_iter().collect(),
            Phase::MakingSafe(_) | Phase::Capturing { .. } => Vec::new(),
            Phase::Checking { outcome } => {
                let outcome = (**outcome).clone();
                self.end(End::Cancelled(outcome))
            }
            _ => self.make_safe(Reason::Cancelled, force, now),
        }
    }

    pub(super) fn make_safe(&mut self, reason: Reason, force: bool, now: Duration) -> Vec<Act> {
        match &mut self.phase {
            // What is being typed is not broken off in the middle, and where nothing will have been typed
            // nothing is stopped.
            Phase::Sending if reason == Reason::Lost => {
                self.is_lost = true;
                return Vec::new();
            }
            Phase::Capturing { .. } | Phase::Checking { .. } if reason == Reason::Lost => {
                self.phase = Phase::Over;
                return vec![Act::Leave];
            }
            Phase::MakingSafe(making) => {
                if reason == Reason::Lost {
                    making.lose();
                }
                return Vec::new();
            }
            _ => {}
        }
        let (making, act) = MakingSafe::begin(reason, force, now);
        self.phase = Phase::MakingSafe(making);
        vec![act]
    }

    pub(super) fn is_safe(&mut self, reason: Reason) -> Vec<Act> {
        let mut acts = vec![Act::Clear];
        acts.extend(match reason {
            Reason::Cancelled => self.capture(None, Then::Cancelled),
            Reason::Timeout => {
                self.capture(None, Then::Failed("it took longer than it may".to_owned()))
            }
            Reason::Lost => {
                self.phase = Phase::Over;
                vec![Act::Leave]
            }
        });
        acts
    }
}
