//! How the units of one account wait for the end of a limit.
//!
//! Limits are those of an account, not of a pane. When one unit is limited, all of them that run
//! into the limit wait; after the reset one of them, the probe, goes first; when it is seen working,
//! the others go on. A wait is neither an end nor a failure: nothing here restarts or counts.
//!
//! | What is known | The probe goes |
//! |---|---|
//! | the reset | 60 to 90 s after it, unless told [otherwise](Account::settle) |
//! | nothing | 5, 10, 20, 30, 30, .. minutes after the limit was seen, or seen again |
//! | the reset, but two probes in a row were limited again | no earlier than 5, 10, 20, 30, 30, .. minutes |
//!
//! Of several resets the earliest counts: a probe too early costs one refused request, a wait too
//! long costs work, and the words are hostile.
//!
//! All times are wall time, because resets are, and because this is stored. A clock that was set
//! back is noticed, and waits that do not depend on it are moved with it. One that was set forward
//! looks like time that has passed: at worst the probe goes early. It is never a second probe,
//! because a probe is given up only when two full waits for its answer have been seen to pass.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::reset::FARTHEST;

/// How long after a reset the probe goes at the earliest. The clocks of the service may differ.
const SETTLE: SignedDuration = SignedDuration::from_secs(60);
/// The waits where no reset is known.
const STEPS: [SignedDuration; 4] = [
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(10),
    SignedDuration::from_mins(20),
    SignedDuration::from_mins(30),
];
/// Half of the time after which a probe that is neither seen working nor limited is given up.
const PATIENCE: SignedDuration = SignedDuration::from_mins(5);

/// One account: who is limited, who goes first, who may go on.
///
/// Everything is told with `now`, the wall time. It can be stored at any time and goes on from
/// there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Makes the spread; the same seed gives the same waits.
    seed: u64,
    /// How long after a reset the probe goes at the earliest.
    #[serde(default = "settle")]
    settle: SignedDuration,
    /// The limited, in the order in which they would be asked to probe.
    limited: Vec<Limited>,
    /// Those that may go on and have not been told so.
    resumed: Vec<String>,
    phase: Phase,
    /// How many probes in a row were limited again.
    refused: u32,
    /// The latest time that was told, to notice a clock that was set back.
    seen: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Limited {
    unit: String,
    /// When its limit ends, as far as it said.
    reset: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    Free,
    Waiting(Waiting),
    Probing {
        unit: String,
        since: Timestamp,
        /// Has one full wait for its answer passed?
        late: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Waiting {
    until: Timestamp,
    /// No earlier than this, whatever is said.
    floor: Timestamp,
    /// Does it end by a reset that was said? Then it stands on the wall clock.
    said: bool,
}

/// A unit that is to go on alone, to see whether the limit has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Which unit.
    pub unit: String,
}

impl Account {
    /// An account without a limit. The seed spreads its probes over half of the time that they wait
    /// behind a reset, so that accounts do not go at the same instant.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            settle: SETTLE,
            limited: Vec::new(),
            resumed: Vec::new(),
            phase: Phase::Free,
            refused: 0,
            seen: None,
        }
    }

    /// How long after a reset the probe goes at the earliest: a minute, where nothing is said. Waits that
    /// have begun stay as they are.
    pub const fn settle(&mut self, wait: SignedDuration) {
        self.settle = wait;
    }

    /// A unit has run into the limit, which ends at `reset` as far as that could be read. Gives
    /// whether the account was free until then: the moment to tell somebody.
    ///
    /// To be told when it happens, not as long as the words stand on the screen: of the probe it
    /// means that it was limited once more. Of a unit that waits already it changes at most the
    /// reset. A reset that has passed or lies more than 8 days ahead is taken as unknown.
    pub fn limited(&mut self, unit: &str, reset: Option<Timestamp>, now: Timestamp) -> bool {
        self.tick(now);
        let reset = reset.filter(|reset| is_sound(*reset, now));
        self.resumed.retain(|other| other != unit);
        match self.limited.iter_mut().find(|known| known.unit == unit) {
            Some(known) => known.reset = reset.or(known.reset),
            None => self.limited.push(Limited {
                unit: unit.to_owned(),
                reset,
            }),
        }
        match &self.phase {
            Phase::Free => {
                // Who was to go on and has not, would run into it as well.
                let others = std::mem::take(&mut self.resumed);
                self.limited
                    .extend(others.into_iter().map(|unit| Limited { unit, reset: None }));
                self.wait(now);
                return true;
            }
            Phase::Waiting(waiting) => {
                let waiting = *waiting;
                if let Some(until) = self.said(now) {
                    self.phase = Phase::Waiting(Waiting {
                        until: until.max(waiting.floor),
                        said: true,
                        ..waiting
                    });
                }
            }
            Phase::Probing { unit: probe, .. } if probe == unit => {
                self.refused = self.refused.saturating_add(1);
                self.wait(now);
            }
            Phase::Probing { .. } => {}
        }
        false
    }

    /// Who is to be told to go on alone, if the time has come. That one is then waited for, until
    /// [`worked`](Self::worked), [`limited`](Self::limited) or [`gone`](Self::gone) tells of it; if
    /// nothing does for 10 minutes, the next one is asked.
    pub fn due(&mut self, now: Timestamp) -> Option<Probe> {
        self.tick(now);
        match &mut self.phase {
            Phase::Free => return None,
            Phase::Waiting(waiting) if waiting.until > now => return None,
            Phase::Waiting(_) => {}
            Phase::Probing { since, late, .. } => {
                if now.duration_since(*since) < PATIENCE {
                    return None;
                }
                if !*late {
                    *late = true;
                    *since = now;
                    return None;
                }
                self.pass_over();
            }
        }
        let Some(unit) = self.first() else {
            self.phase = Phase::Free;
            return None;
        };
        self.phase = Phase::Probing {
            unit: unit.clone(),
            since: now,
            late: false,
        };
        Some(Probe { unit })
    }

    /// A unit has been seen working on something it began after it was limited. If it was the probe,
    /// or any other that was limited, the limit has ended: see [`resumed`](Self::resumed). Of others
    /// it says nothing, because they may be at the end of what they began before.
    pub fn worked(&mut self, unit: &str, now: Timestamp) {
        self.tick(now);
        self.resumed.retain(|other| other != unit);
        if self.limited.iter().any(|known| known.unit == unit) {
            self.limited.retain(|known| known.unit != unit);
            self.free();
        }
    }

    /// A unit is no more, or no longer of this account. If it was the probe, the next one is due.
    pub fn gone(&mut self, unit: &str, now: Timestamp) {
        self.tick(now);
        self.resumed.retain(|other| other != unit);
        self.limited.retain(|known| known.unit != unit);
        if self.limited.is_empty() {
            self.free();
        } else if matches!(&self.phase, Phase::Probing { unit: probe, .. } if probe == unit) {
            self.phase = Phase::Waiting(Waiting {
                until: now,
                floor: now,
                said: false,
            });
        }
    }

    /// Somebody says that the limit is over: all go on.
    pub fn clear(&mut self, now: Timestamp) {
        self.tick(now);
        self.free();
    }

    /// Who may go on and has not been told so, in the order in which they were limited. A unit stays
    /// in it until [`told`](Self::told), so that none is lost with the daemon.
    #[must_use]
    pub fn resumed(&self) -> &[String] {
        &self.resumed
    }

    /// A unit has been told to go on.
    pub fn told(&mut self, unit: &str) {
        self.resumed.retain(|other| other != unit);
    }

    /// Is there a limit? Then nobody of this account begins anything.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        !matches!(self.phase, Phase::Free)
    }

    /// Who waits, the probe among them.
    pub fn units(&self) -> impl Iterator<Item = &str> {
        self.limited.iter().map(|known| known.unit.as_str())
    }

    /// Who goes first, if one does right now.
    #[must_use]
    pub fn probe(&self) -> Option<&str> {
        match &self.phase {
            Phase::Probing { unit, .. } => Some(unit),
            _ => None,
        }
    }

    /// The earliest reset that is known and has not passed.
    #[must_use]
    pub fn reset(&self, now: Timestamp) -> Option<Timestamp> {
        let resets = self.limited.iter().filter_map(|known| known.reset);
        resets.filter(|reset| is_sound(*reset, now)).min()
    }

    /// When to ask again, at the latest; not before `now`. None where there is nothing to wait for.
    #[must_use]
    pub fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        if !self.resumed.is_empty() {
            return Some(now);
        }
        let mut then = self.clone();
        then.tick(now);
        match then.phase {
            Phase::Free => None,
            Phase::Waiting(waiting) => Some(waiting.until.max(now)),
            Phase::Probing { since, .. } => Some(after(since, PATIENCE).max(now)),
        }
    }

    /// Begins a wait.
    fn wait(&mut self, now: Timestamp) {
        let floor = match self.refused.checked_sub(2) {
            Some(times) => after(now, step(times)),
            None => now,
        };
        let said = self.said(now);
        self.phase = Phase::Waiting(Waiting {
            until: said.map_or_else(|| after(now, step(self.refused)), |until| until.max(floor)),
            floor,
            said: said.is_some(),
        });
    }

    /// When the probe goes by what was said.
    fn said(&self, now: Timestamp) -> Option<Timestamp> {
        let reset = self.reset(now)?;
        let dice = mixed(self.seed ^ reset.as_second().cast_unsigned());
        let most = u64::try_from(self.settle.as_millis() / 2).unwrap_or(0);
        let spread = i64::try_from(dice % most.saturating_add(1)).unwrap_or(0);
        Some(after(
            reset,
            self.settle
                .saturating_add(SignedDuration::from_millis(spread)),
        ))
    }

    /// Whom to ask: whose limit ends first, then who was limited first.
    fn first(&self) -> Option<String> {
        let known = |limited: &&Limited| limited.reset.unwrap_or(Timestamp::MAX);
        Some(self.limited.iter().min_by_key(known)?.unit.clone())
    }

    /// Puts the probe behind all others.
    fn pass_over(&mut self) {
        let Phase::Probing { unit, .. } = &self.phase else {
            return;
        };
        if let Some(at) = self.limited.iter().position(|known| known.unit == *unit) {
            let mut silent = self.limited.remove(at);
            silent.reset = None;
            self.limited.push(silent);
        }
    }

    fn free(&mut self) {
        let mut waiting = std::mem::take(&mut self.limited);
        if let Phase::Probing { unit, .. } = &self.phase {
            // It has been told already.
            waiting.retain(|known| known.unit != *unit);
        }
        self.resumed
            .extend(waiting.into_iter().map(|known| known.unit));
        self.phase = Phase::Free;
        self.refused = 0;
    }

    /// Takes note of the time, and of a clock that was set back.
    fn tick(&mut self, now: Timestamp) {
        let back = self
            .seen
            .map_or(SignedDuration::ZERO, |seen| seen.duration_since(now));
        self.seen = Some(now);
        let moved = |at: Timestamp| at.checked_sub(back).unwrap_or(now);
        match &mut self.phase {
            Phase::Waiting(waiting) => {
                if back.is_positive() {
                    waiting.floor = moved(waiting.floor);
                    if !waiting.said {
                        waiting.until = moved(waiting.until);
                    }
                }
                // No wait is that long: the clock stands wrong, as after a start without one.
                let longest = FARTHEST.saturating_add(STEPS[3]);
                if waiting.until.duration_since(now) > longest {
                    let until = after(now, step(self.refused));
                    *waiting = Waiting {
                        until,
                        floor: now,
                        said: false,
                    };
                }
            }
            Phase::Probing { since, .. } if back.is_positive() => *since = moved(*since),
            _ => {}
        }
    }
}

const fn settle() -> SignedDuration {
    SETTLE
}

/// Can that be the end of a limit?
fn is_sound(reset: Timestamp, now: Timestamp) -> bool {
    let wait = reset.duration_since(now);
    !wait.is_negative() && wait <= FARTHEST
}

fn step(times: u32) -> SignedDuration {
    let [.., last] = STEPS;
    let index = usize::try_from(times).unwrap_or(usize::MAX);
    STEPS.get(index).copied().unwrap_or(last)
}

fn after(at: Timestamp, wait: SignedDuration) -> Timestamp {
    at.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// Spreads a number over all of its bits (the finalizer of `SplitMix64`).
fn mixed(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests;
