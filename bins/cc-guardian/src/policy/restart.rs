//! Whether and when a unit that ended is started again.
//!
//! The policies are systemd's, and Docker's `unless-stopped`:
//!
//! | The unit ended by | `no` | `on-failure` | `on-abnormal` | `always`, `unless-stopped` | counts |
//! |---|---|---|---|---|---|
//! | exit 0, SIGHUP, SIGINT, SIGTERM, SIGPIPE, or a success status of its own | - | - | - | yes | yes |
//! | any other exit code | - | yes | - | yes | yes |
//! | any other signal | - | yes | yes | yes | yes |
//! | out of memory, hang, startup timeout | - | yes | yes | yes | yes |
//! | the loss of the tmux server | - | yes | yes | yes | no |
//! | an operator | - | - | - | - | no |
//! | a rate limit, authentication, billing, a question nobody answers | - | - | - | - | no |
//!
//! `always` and `unless-stopped` differ when the guardian itself starts: `always` then starts also
//! what an operator had stopped, see [`Restart::starts_with_the_guardian`].
//!
//! Restarts come after `initial * factor^n`, at most `max`, and then more or less by the share
//! `jitter`, so that units that fell together do not rise together. After a run of `reset_after` it
//! begins again with `initial`. There are at most `burst` starts in `interval`, the first one among
//! them; then the unit is held until an operator releases it.
//!
//! All times are monotonic: the time since an epoch that the caller chooses. State that is stored
//! must find the same epoch again, or be moved by [`Restart::rebase`]. Wall time is used nowhere.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::Backoff;

/// How a unit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// With this exit code.
    Exit(i32),
    /// By this signal.
    Signal(i32),
    /// The kernel or a memory limit ended it.
    Oom,
    /// It hung, and was ended for that.
    Hang,
    /// It was not ready in time, and was ended for that.
    StartupTimeout,
    /// The tmux server it ran in is gone.
    ServerLost,
    /// Somebody stopped it.
    Operator,
    /// Its account is limited.
    RateLimited,
    /// It is not signed in.
    Auth,
    /// Its account is out of money.
    Billing,
    /// It waits for an answer.
    Blocked,
}

impl Cause {
    /// Does such an end use up one of the `burst` starts?
    #[must_use]
    pub fn counts(self) -> bool {
        match self {
            Self::Exit(_) | Self::Signal(_) | Self::Oom | Self::Hang | Self::StartupTimeout => true,
            Self::ServerLost
            | Self::Operator
            | Self::RateLimited
            | Self::Auth
            | Self::Billing
            | Self::Blocked => false,
        }
    }
}

/// When a unit that ended is started again; the table is in the module's description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// Never.
    No,
    /// When it did not end cleanly.
    OnFailure,
    /// When it did not end by an exit code or cleanly.
    #[default]
    OnAbnormal,
    /// Whenever nobody stopped it.
    Always,
    /// Whenever nobody stopped it, also after the guardian was started anew.
    UnlessStopped,
}

/// A status that is a success beyond the usual ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Success {
    /// This exit code.
    Code(i32),
    /// This signal.
    Signal(i32),
}

impl Backoff {
    /// The wait before restart `n`, counted from 0. The dice, 0 to 1, choose within the jitter.
    #[must_use]
    pub fn wait(&self, n: u32, dice: f64) -> Duration {
        let factor = if self.factor >= 1.0 { self.factor } else { 1.0 };
        let exponent = i32::try_from(n).unwrap_or(i32::MAX);
        let initial = self.initial.as_secs_f64();
        // Beyond all numbers, nought times it would be no number.
        let growth = factor.powi(exponent).min(f64::MAX);
        let wait = (initial * growth).min(self.max.as_secs_f64());
        let share = share(self.jitter, 0.0) * (2.0 * share(dice, 0.5) - 1.0);
        Duration::try_from_secs_f64(wait * (1.0 + share)).unwrap_or(self.max)
    }
}

/// A number between 0 and 1, whatever was given.
fn share(number: f64, otherwise: f64) -> f64 {
    if number.is_nan() {
        otherwise
    } else {
        number.clamp(0.0, 1.0)
    }
}

/// How many starts there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartLimit {
    /// At most so many starts; 0 is no limit.
    pub burst: usize,
    /// In so much time; 0 is no limit.
    pub interval: Duration,
}

impl Default for StartLimit {
    fn default() -> Self {
        Self {
            burst: 5,
            interval: Duration::from_secs(600),
        }
    }
}

/// What is configured for a unit.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rules {
    /// Which ends are followed by a restart.
    pub policy: Policy,
    /// Statuses that are a success too.
    pub success_exit_status: Vec<Success>,
    /// How long to wait before it.
    pub backoff: Backoff,
    /// How often at most.
    pub start_limit: StartLimit,
}

/// SIGHUP, SIGINT, SIGPIPE, SIGTERM: the numbers are the same on all systems tmux runs on.
const CLEAN_SIGNALS: [i32; 4] = [1, 2, 13, 15];

impl Rules {
    /// Did it end as it should?
    #[must_use]
    pub fn is_clean(&self, cause: Cause) -> bool {
        match cause {
            Cause::Exit(code) => {
                code == 0 || self.success_exit_status.contains(&Success::Code(code))
            }
            Cause::Signal(signal) => {
                CLEAN_SIGNALS.contains(&signal)
                    || self.success_exit_status.contains(&Success::Signal(signal))
            }
            _ => false,
        }
    }

    fn restarts(&self, cause: Cause) -> Result<(), Why> {
        if matches!(
            cause,
            Cause::Operator | Cause::RateLimited | Cause::Auth | Cause::Billing | Cause::Blocked
        ) {
            return Err(Why::Cause(cause));
        }
        let clean = self.is_clean(cause);
        let wanted = match self.policy {
            Policy::No => false,
            Policy::OnFailure => !clean,
            Policy::OnAbnormal => !clean && !matches!(cause, Cause::Exit(_)),
            Policy::Always | Policy::UnlessStopped => true,
        };
        match (wanted, clean) {
            (true, _) => Ok(()),
            (false, true) => Err(Why::Clean),
            (false, false) => Err(Why::Policy(self.policy)),
        }
    }
}

/// What is to be done about an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Start it again after so long.
    Restart {
        /// The wait.
        after: Duration,
    },
    /// Leave it.
    Stay(Why),
    /// Leave it until an operator releases it: it was started too often.
    Hold {
        /// Its last end.
        reason: Cause,
        /// Has it just come to that? Then somebody is to be told.
        first: bool,
    },
}

/// Why a unit is left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It ended as it should.
    Clean,
    /// Its policy does not want it.
    Policy(Policy),
    /// Nothing a restart would mend.
    Cause(Cause),
}

/// The starts and ends of one unit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Restart {
    /// When it was last started, while it runs.
    running: Option<Duration>,
    /// When it is to be started.
    due: Option<Duration>,
    /// Restarts since the last long run.
    restarts: u32,
    /// The starts that count, oldest first.
    starts: VecDeque<Duration>,
    /// Does the next start not count, because the end before it did not?
    free: bool,
    /// The end that was one too many.
    held: Option<Cause>,
    /// Did an operator stop it?
    stopped: bool,
}

impl Restart {
    /// It is being started, as decided here or by anybody else.
    pub fn started(&mut self, now: Duration) {
        let was_due = self.due.take().is_some();
        if !self.free {
            // One that was due has been counted when it was decided, but may come earlier or later.
            if was_due {
                self.starts.pop_back();
            }
            self.starts.push_back(now);
        }
        self.free = false;
        self.stopped = false;
        self.running = Some(now);
    }

    /// It has ended. The dice are a random number from 0 to 1.
    pub fn ended(&mut self, rules: &Rules, cause: Cause, now: Duration, dice: f64) -> Decision {
        self.due = None;
        self.forget_starts(rules.start_limit, now);
        let ran = self.running.take().map(|start| now.saturating_sub(start));
        if ran.is_some_and(|ran| ran >= rules.backoff.reset_after) {
            self.restarts = 0;
        }
        self.free = !cause.counts();
        if cause == Cause::Operator {
            self.stopped = true;
            self.held = None;
        }
        if let Err(why) = rules.restarts(cause) {
            return Decision::Stay(why);
        }
        if let Some(reason) = self.held {
            return Decision::Hold {
                reason,
                first: false,
            };
        }
        let after = rules.backoff.wait(self.restarts, dice);
        let then = now.saturating_add(after);
        if cause.counts() {
            if !self.may_start(rules.start_limit, then) {
                self.held = Some(cause);
                return Decision::Hold {
                    reason: cause,
                    first: true,
                };
            }
            self.starts.push_back(then);
        }
        self.restarts = self.restarts.saturating_add(1);
        self.due = Some(then);
        Decision::Restart { after }
    }

    /// An operator lets it run again: its starts are forgotten. Gives whether it was held; then it
    /// is due at once.
    pub fn released(&mut self, now: Duration) -> bool {
        let was_held = self.held.take().is_some();
        self.starts.clear();
        self.restarts = 0;
        if was_held {
            self.free = false;
            self.starts.push_back(now);
            self.due = Some(now);
        }
        was_held
    }

    /// When it is to be started, if it is.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        self.due
    }

    /// Its last end, if it is held.
    #[must_use]
    pub fn held(&self) -> Option<Cause> {
        self.held
    }

    /// When the guardian itself starts: is this unit to be started, if it does not run? Not when it
    /// is held, or was stopped by an operator and its policy is not `always`.
    #[must_use]
    pub fn starts_with_the_guardian(&self, rules: &Rules) -> bool {
        self.held.is_none() && (!self.stopped || rules.policy == Policy::Always)
    }

    /// Moves all times from one epoch to another: what was `from` is now `to`.
    pub fn rebase(&mut self, from: Duration, to: Duration) {
        let moved = |at: Duration| at.saturating_add(to).saturating_sub(from);
        self.running = self.running.map(moved);
        self.due = self.due.map(moved);
        for start in &mut self.starts {
            *start = moved(*start);
        }
    }

    /// Forgets the starts that no longer matter.
    fn forget_starts(&mut self, limit: StartLimit, now: Duration) {
        // Later than now is only what was stored under another epoch.
        self.starts.retain(|start| *start <= now);
        while self.starts.len() > limit.burst {
            self.starts.pop_front();
        }
    }

    /// Would a start then be one of `burst` in `interval`?
    fn may_start(&self, limit: StartLimit, then: Duration) -> bool {
        let recent = |start: &&Duration| then.saturating_sub(**start) < limit.interval;
        limit.burst == 0 || self.starts.iter().filter(recent).count() < limit.burst
    }
}

#[cfg(test)]
mod tests;
