//! From what is seen over time to one verdict.

use std::time::Duration;

use super::Verdict;
use crate::hook::Hook;
use crate::journal::Stamp;
use crate::profile::{Evidence, Reading, Seen, State};

/// How long an idle screen stands before it is believed over hooks that say working.
const MISSING_HOOK: Duration = Duration::from_secs(5);
/// How long what a hook said is not overridden by a screen that may not have been drawn yet.
const FRESH: Duration = Duration::from_millis(1500);
/// How long a state that two sources or a hook agree on is looked at.
const AGREED: Duration = Duration::from_millis(400);
/// The same where there is one source.
const ALONE: Duration = Duration::from_millis(1500);
/// How long a program may show nothing that is known before it counts as unknown.
const UNKNOWN: Duration = Duration::from_secs(3);
/// From this on two sources agree, see [`profile`](crate::profile).
const SURE: f32 = 0.8;

/// One look at a program.
#[derive(Debug, Clone)]
pub struct Look {
    /// What its profile makes of it.
    pub reading: Reading,
    /// Has its process tree used no CPU time since the look before?
    pub quiet: bool,
}

/// What was said last by a hook.
#[derive(Debug, Clone)]
struct Told {
    state: State,
    sub: Option<String>,
    evidence: Evidence,
    at: Stamp,
}

/// What the verdict would be if nothing had to be waited for.
#[derive(Debug, Clone)]
struct Claim {
    state: State,
    sub: Option<String>,
    confidence: f32,
    evidence: Vec<Evidence>,
    /// Does a hook say so?
    told: bool,
}

/// Takes what is seen of one program, and keeps what we believe.
#[derive(Debug, Clone)]
pub struct Judge {
    start_within: Duration,
    born: Stamp,
    verdict: Verdict,
    told: Option<Told>,
    look: Option<(Look, Stamp)>,
    /// A state that is not believed yet, since when it is claimed, and when it will be.
    next: Option<(State, Stamp, Duration)>,
}

impl Judge {
    /// Of a program that was started at that moment, and should be up within that time.
    #[must_use]
    pub fn new(born: Stamp, start_within: Duration) -> Self {
        Self {
            start_within,
            born,
            verdict: Verdict::starting(born),
            told: None,
            look: None,
            next: None,
        }
    }

    /// Of a program that was there before: what it is doing is not known until it is looked at.
    #[must_use]
    pub fn adopted(at: Stamp) -> Self {
        let mut judge = Self::new(at, Duration::ZERO);
        judge.verdict.state = State::Unknown;
        judge.verdict.confidence = 0.0;
        judge.verdict.evidence = vec![Evidence::new("adopted", Seen::Process, "")];
        judge
    }

    /// What we believe now.
    #[must_use]
    pub const fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// Takes a look.
    pub fn look(&mut self, look: Look, now: Stamp) {
        self.look = Some((look, now));
        self.settle(now);
    }

    /// Takes what a hook said.
    pub fn hook(&mut self, hook: &Hook, now: Stamp) {
        let Some((state, sub)) = &hook.claim else {
            return;
        };
        let text = hook.detail.as_deref().unwrap_or_default();
        self.told = Some(Told {
            state: *state,
            sub: sub.clone(),
            evidence: Evidence::new(&hook.event, Seen::Hook, text),
            at: now,
        });
        self.settle(now);
    }

    /// Its process has ended; how, in words such as `exit 7`.
    pub fn died(&mut self, how: &str, now: Stamp) {
        self.told = None;
        self.look = None;
        self.next = None;
        self.adopt(
            Claim {
                state: State::Dead,
                sub: Some(how.to_owned()),
                confidence: 1.0,
                evidence: vec![Evidence::new("ended", Seen::Process, how)],
                told: false,
            },
            now,
        );
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Stamp) {
        self.settle(now);
    }

    /// When it is to be looked at again, where that is known: what is claimed would be believed then.
    #[must_use]
    pub fn next_look(&self) -> Option<Duration> {
        let claimed = self.next.map(|(_, since, wait)| steady(since) + wait);
        let starting =
            (self.verdict.state == State::Starting).then(|| steady(self.born) + self.start_within);
        claimed.into_iter().chain(starting).min()
    }

    /// Believes what is claimed, where it has been claimed for long enough.
    fn settle(&mut self, now: Stamp) {
        if self.verdict.state == State::Dead {
            // What still comes is of before.
            return;
        }
        let Some(claim) = self.claim(now) else {
            return;
        };
        if claim.state == self.verdict.state {
            self.next = None;
            self.adopt(claim, now);
            return;
        }
        let wait = self.wait(&claim);
        let since = match self.next {
            Some((state, since, _)) if state == claim.state => since,
            _ => now,
        };
        if passed(since, now) >= wait {
            self.next = None;
            self.adopt(claim, now);
        } else {
            self.next = Some((claim.state, since, wait));
        }
    }

    /// What hooks and looks say together; `None` where there was neither.
    fn claim(&self, now: Stamp) -> Option<Claim> {
        let look = self.look.as_ref();
        let read = look.map(|(look, at)| (Claim::read(&look.reading), look.quiet, *at));
        let Some(told) = &self.told else {
            return match read {
                Some((read, ..)) => Some(self.in_time(read, now)),
                None if self.verdict.state == State::Starting => self.overdue(now),
                None => None,
            };
        };
        let by_hook = Claim::told(told);
        let Some((mut read, quiet, at)) = read else {
            return Some(by_hook);
        };
        if read.state == told.state {
            read.confidence = read.confidence.max(by_hook.confidence);
            read.sub = read.sub.or(by_hook.sub);
            read.evidence.splice(0..0, by_hook.evidence);
            read.told = true;
            return Some(read);
        }
        let is_later = steady(at) > steady(told.at);
        if care(read.state) > care(told.state) && is_later {
            return Some(read);
        }
        let is_gone = match (told.state, read.state) {
            // It was answered, and an answer that ends the turn has no hook.
            (State::Blocked, State::Idle | State::Busy) => passed(told.at, at) >= FRESH,
            // A turn that was interrupted has no hook.
            (State::Busy, State::Idle) => is_later && quiet,
            // It works again.
            (State::Limited | State::Errored, State::Busy) => is_later,
            _ => false,
        };
        Some(if is_gone { read } else { by_hook })
    }

    /// A program that is starting shows nothing that is known at first.
    fn in_time(&self, read: Claim, now: Stamp) -> Claim {
        let is_starting = self.verdict.state == State::Starting && read.state == State::Unknown;
        if is_starting && passed(self.born, now) < self.start_within {
            return Claim {
                state: State::Starting,
                sub: None,
                ..read
            };
        }
        read
    }

    fn overdue(&self, now: Stamp) -> Option<Claim> {
        (passed(self.born, now) >= self.start_within).then(|| Claim {
            state: State::Unknown,
            sub: Some("startup-timeout".to_owned()),
            confidence: 0.0,
            evidence: vec![Evidence::new("startup-timeout", Seen::Process, "")],
            told: false,
        })
    }

    /// How long a claim must stand before it is believed.
    fn wait(&self, claim: &Claim) -> Duration {
        let agreed = claim.told || claim.confidence >= SURE;
        let missing_hook = self
            .told
            .as_ref()
            .is_some_and(|told| told.state == State::Busy && !claim.told);
        match claim.state {
            State::Blocked if agreed => Duration::ZERO,
            State::Blocked => AGREED,
            State::Idle if missing_hook => MISSING_HOOK,
            State::Idle if claim.told => AGREED,
            State::Idle if agreed && self.verdict.state != State::Starting => AGREED,
            State::Limited | State::Errored if claim.told => Duration::ZERO,
            State::Idle | State::Limited | State::Errored => ALONE,
            State::Unknown if claim.sub.as_deref() == Some("startup-timeout") => Duration::ZERO,
            State::Unknown if self.verdict.state != State::Starting => UNKNOWN,
            _ => Duration::ZERO,
        }
    }

    fn adopt(&mut self, claim: Claim, now: Stamp) {
        let look = self.look.as_ref().map(|(look, _)| &look.reading);
        let same = claim.state == self.verdict.state;
        self.verdict = Verdict {
            state: claim.state,
            sub: claim.sub,
            confidence: claim.confidence,
            evidence: claim.evidence,
            since: if same { self.verdict.since } else { now },
            seen: now,
            limit_text: look.and_then(|look| look.limit_text.clone()),
            go_on: look.and_then(|look| look.go_on.clone()),
            draft: look.and_then(|look| look.draft.clone()),
            dialog: look.and_then(|look| look.dialog.clone()),
        };
    }
}

impl Claim {
    fn read(reading: &Reading) -> Self {
        Self {
            state: reading.state,
            sub: reading.sub.clone(),
            confidence: reading.confidence,
            // That nothing known is seen was seen too.
            evidence: match reading.evidence.is_empty() {
                true => vec![Evidence::new("no-rule", Seen::Screen, "")],
                false => reading.evidence.clone(),
            },
            told: false,
        }
    }

    fn told(told: &Told) -> Self {
        Self {
            state: told.state,
            sub: told.sub.clone(),
            confidence: 0.9,
            evidence: vec![told.evidence.clone()],
            told: true,
        }
    }
}

/// How careful one has to be with a program in this state.
const fn care(state: State) -> u8 {
    match state {
        State::Busy | State::Errored => 1,
        State::Limited => 2,
        State::Blocked => 3,
        _ => 0,
    }
}

const fn steady(stamp: Stamp) -> Duration {
    Duration::from_nanos(stamp.monotonic_ns)
}

const fn passed(from: Stamp, to: Stamp) -> Duration {
    steady(to).saturating_sub(steady(from))
}
