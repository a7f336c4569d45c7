//! What is to be done next in one attempt: decided here, done by [`carry`](mod@super::carry).
//!
//! ```text
//! sending -> settling -> running <-> blocked -> capturing -> checking -> over
//!                            \-> making safe -> over
//! ```
//!
//! A turn is over when its worker is seen idle *after* it was seen to work, or when it is idle on a look
//! that was taken well after the prompt was in: a delivery that is confirmed has been seen to start a
//! turn. Silence alone ends nothing. A worker that runs a command says itself how that ended; where the
//! command is gone and did not, nobody knows.

mod result;
mod safe;
mod settling;
#[cfg(test)]
mod tests;
mod turn;
mod unsaid;
mod word;

use std::time::Duration;

use cc_kit::profile::State;
use cc_kit::send::Outcome as Sending;

use self::result::Then;
use self::safe::{MakingSafe, Reason};
use self::settling::{Settled, Settling};
use self::turn::{Turn, turn};
use self::unsaid::Unsaid;
pub(crate) use self::word::{Act, Belief, Captured, Event, Manner, Stands};
use crate::store::{End, Step};
use crate::task::Outcome;

/// How long after the prompt is in an idle worker is believed that was never seen to work.
const SHORT: Duration = Duration::from_secs(3);
/// How often a worker is looked at in a turn that has only begun; in a longer one that goes by the time
/// it takes, so that its end costs a small share of it.
const OFTEN: Duration = Duration::from_millis(200);
/// The share.
const SHARE: u32 = 16;
/// When looks are this far apart, what tmux tells once a second does as well.
const SELDOM: Duration = Duration::from_secs(1);
/// How long a worker may be gone: one that is started again has another pane or life.
const GONE: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    Sending,
    /// Something was typed: does the turn begin?
    Settling(Settling),
    Running {
        since: Duration,
        worked: bool,
    },
    /// It goes nowhere by itself.
    Blocked,
    MakingSafe(MakingSafe),
    Capturing {
        exit: Option<i32>,
        then: Then,
    },
    Checking {
        outcome: Box<Outcome>,
    },
    Over,
}

/// Decides for one attempt. Times are those of one steady clock.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    manner: Manner,
    has_check: bool,
    timeout: Option<Duration>,
    phase: Phase,
    /// What the worker was blocked by when that was told last.
    told: Option<String>,
    gone: Option<(Duration, String)>,
    /// Somebody wants it no more, and it is being typed.
    cancel: Option<bool>,
    /// It is somebody else's meanwhile, and it is being typed.
    is_lost: bool,
    /// Was something written in its box while it worked, by a person?
    is_taken: bool,
    /// Was the worker seen to work when it was looked at last?
    is_busy: bool,
    /// When it was begun.
    began: Duration,
    /// Was its worker ever seen to do something for it?
    has_worked: bool,
    unsaid: Unsaid,
}

impl Course {
    /// Of an attempt that begins now.
    #[must_use]
    pub(crate) fn new(
        manner: Manner,
        has_check: bool,
        timeout: Option<Duration>,
        now: Duration,
    ) -> Self {
        Self {
            manner,
            has_check,
            timeout,
            phase: Phase::Sending,
            told: None,
            gone: None,
            cancel: None,
            is_lost: false,
            is_taken: false,
            is_busy: false,
            began: now,
            has_worked: false,
            unsaid: Unsaid::default(),
        }
    }

    /// Begins.
    #[must_use]
    pub(crate) fn begin(&self) -> Vec<Act> {
        vec![Act::Step(Step::Delivering), Act::Send]
    }

    /// Takes up one that an earlier life had under way. `sent`: was its prompt in? Else something may
    /// have been typed, and nobody knows.
    pub(crate) fn take_up(&mut self, sent: bool, now: Duration) {
        self.phase = match sent {
            true => Phase::Running {
                since: now,
                worked: false,
            },
            false => Phase::Settling(Settling::taken_up(now)),
        };
    }

    /// Takes up one whose turn an earlier life saw end well, and was checking: a command has said 0.
    pub(crate) fn take_up_ended(&mut self) -> Vec<Act> {
        let exit = self.manner.commands.then_some(0);
        self.capture(exit, Then::Done)
    }

    /// Is there nothing more to come?
    #[must_use]
    pub(crate) const fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    /// When something is to be done by itself.
    #[must_use]
    pub(crate) fn due(&self) -> Option<Duration> {
        let own = match &self.phase {
            Phase::Settling(settling) => Some(settling.due()),
            Phase::MakingSafe(making) => Some(making.due()),
            // A look that is taken then is taken well after the prompt was in.
            Phase::Running {
                since,
                worked: false,
            } => Some(*since + SHORT),
            _ => None,
        };
        let gone = self.gone.as_ref().map(|(since, _)| *since + GONE);
        let timeout = self.ends().filter(|_| self.is_working());
        let unsaid = self.unsaid.due().filter(|_| self.is_begun());
        let all = own.into_iter().chain(gone).chain(timeout).chain(unsaid);
        all.min()
    }

    /// How often the worker is to be looked at though nothing is told of it; `None`: what is told will do.
    #[must_use]
    pub(crate) fn looks_every(&self, now: Duration) -> Option<Duration> {
        let Phase::Running { since, .. } = &self.phase else {
            return None;
        };
        let every = (now.saturating_sub(*since) / SHARE).max(OFTEN);
        (!self.manner.commands && every < SELDOM).then_some(every)
    }

    fn ends(&self) -> Option<Duration> {
        self.timeout
            .and_then(|timeout| self.began.checked_add(timeout))
    }

    const fn is_working(&self) -> bool {
        matches!(
            self.phase,
            Phase::Settling(_) | Phase::Running { .. } | Phase::Blocked
        )
    }

    /// Has its command begun, and did not say yet how it ended?
    const fn is_begun(&self) -> bool {
        self.manner.commands && matches!(self.phase, Phase::Running { .. } | Phase::Blocked)
    }

    /// Takes what happens, and says what to do.
    pub(crate) fn on(&mut self, event: Event, now: Duration) -> Vec<Act> {
        if self.is_over() {
            return Vec::new();
        }
        match event {
            Event::Sent(sent) => {
                let acts = self.sent(sent, now);
                self.typed(acts, now)
            }
            Event::Unfit(why) => self.end(End::Failed(why, Outcome::default())),
            Event::Began => {
                let acts = self.began(now);
                self.typed(acts, now)
            }
            Event::Exited(code) => self.exited(code),
            Event::Runs(false) if self.is_begun() && self.unsaid.is_idle() => {
                let mut acts = vec![Act::Reap];
                acts.extend(self.end(End::Uncertain(UNSAID.to_owned())));
                acts
            }
            Event::Runs(_) => Vec::new(),
            Event::Believed(belief) => self.believed(&belief, now),
            Event::Found(stands) => self.found(stands, now),
            Event::Cancel(force) => self.cancelled(force, now),
            Event::Lost => self.make_safe(Reason::Lost, false, now),
            Event::Gone(why) => {
                self.gone.get_or_insert((now, why));
                self.tick(now)
            }
            Event::Captured(captured) => self.captured(*captured),
            Event::Checked(code, said) => self.checked(code, said),
            Event::Tick => self.tick(now),
        }
    }

    /// Nothing is being typed any more: what was told meanwhile comes behind those acts.
    fn typed(&mut self, mut acts: Vec<Act>, now: Duration) -> Vec<Act> {
        if let Some(force) = self.cancel.take() {
            acts.extend(self.on(Event::Cancel(force), now));
        }
        if std::mem::take(&mut self.is_lost) {
            acts = match self.is_over() {
                true => vec![Act::Leave],
                false => self.on(Event::Lost, now),
            };
        }
        acts
    }

    fn sent(&mut self, sent: Sending, now: Duration) -> Vec<Act> {
        if !matches!(self.phase, Phase::Sending) {
            return Vec::new();
        }
        match sent {
            // Its command will say when it begins.
            Sending::Delivered if self.manner.commands && !self.manner.is_message => {
                self.settle("it was typed, and its command did not begin", now)
            }
            Sending::Delivered => self.runs(false, now),
            Sending::Held(why) => self.end(End::Returned(why.to_string(), None)),
            Sending::Uncertain(why) => {
                let why = why.to_string();
                self.settle(&why, now)
            }
        }
    }

    fn settle(&mut self, why: &str, now: Duration) -> Vec<Act> {
        self.phase = Phase::Settling(Settling::sent(why.to_owned(), now));
        Vec::new()
    }

    fn began(&mut self, now: Duration) -> Vec<Act> {
        match self.phase {
            // The word of the command may come before that of the sender.
            Phase::Sending | Phase::Settling(_) => {
                self.phase = Phase::Running {
                    since: now,
                    worked: true,
                };
                vec![Act::Step(Step::Running)]
            }
            _ => Vec::new(),
        }
    }

    fn exited(&mut self, code: i32) -> Vec<Act> {
        match self.phase {
            Phase::Sending | Phase::Settling(_) | Phase::Running { .. } | Phase::Blocked => {
                let then = match code {
                    0 => Then::Done,
                    code => Then::Failed(format!("exit {code}")),
                };
                self.capture(Some(code), then)
            }
            Phase::MakingSafe(ref making) => {
                let reason = making.reason();
                self.is_safe(reason)
            }
            _ => Vec::new(),
        }
    }

    fn believed(&mut self, belief: &Belief, now: Duration) -> Vec<Act> {
        self.gone = None;
        if belief.state == State::Dead {
            let how = belief.sub.clone().unwrap_or_default();
            return self.dead(&format!("its program has ended: {how}"));
        }
        self.has_worked |= matches!(belief.state, State::Busy | State::Blocked);
        self.unsaid.saw(belief.state, now);
        match &mut self.phase {
            Phase::Settling(_) if belief.state == State::Busy && !self.manner.commands => {
                self.runs(true, now)
            }
            Phase::Settling(settling) if settling.looks() => {
                self.is_busy = belief.state == State::Busy;
                vec![Act::Find]
            }
            Phase::Running { since, worked } => {
                let (since, was_working) = (*since, *worked);
                *worked |= belief.state == State::Busy;
                let mut acts = Vec::new();
                if belief.draft && belief.state == State::Busy && !self.is_taken {
                    self.is_taken = true;
                    acts.push(Act::Note(WRITES.to_owned()));
                }
                acts.extend(self.running(belief, since, was_working));
                acts
            }
            Phase::Blocked => self.unblocked(belief, now),
            Phase::MakingSafe(making) if making.is_safe(belief) => {
                let reason = making.reason();
                self.is_safe(reason)
            }
            _ => Vec::new(),
        }
    }

    /// It is seen that its turn has begun.
    fn runs(&mut self, worked: bool, now: Duration) -> Vec<Act> {
        if self.manner.is_message {
            return self.end(End::Done(Outcome::default()));
        }
        self.phase = Phase::Running { since: now, worked };
        vec![Act::Step(Step::Running)]
    }

    fn found(&mut self, stands: Stands, now: Duration) -> Vec<Act> {
        let Phase::Settling(settling) = &mut self.phase else {
            return Vec::new();
        };
        match settling.found(stands, now) {
            // What stands in a shell was begun only if something runs there.
            Settled::Sent if self.manner.commands && !self.is_busy => Vec::new(),
            Settled::Sent => self.runs(self.is_busy, now),
            Settled::Clear => vec![Act::Clear],
            Settled::Nothing(why) => self.end(End::Returned(why.to_owned(), None)),
            Settled::Not => Vec::new(),
        }
    }

    fn running(&mut self, belief: &Belief, since: Duration, worked: bool) -> Vec<Act> {
        match turn(belief, self.manner, since, worked) {
            Turn::GoesOn => Vec::new(),
            // What was written there is not there any more: the turn that is over may be that person's.
            Turn::Over if self.is_taken && !belief.draft => {
                self.end(End::Uncertain(TAKEN.to_owned()))
            }
            Turn::Over => self.capture(None, Then::Done),
            Turn::Failed(why) => self.capture(None, Then::Failed(why)),
            Turn::Blocked(sub) => self.block(&sub),
            Turn::Refused(why, said) => {
                let mut acts = vec![Act::Limit(why)];
                acts.extend(self.end(End::Returned(said, None)));
                acts
            }
        }
    }

    fn block(&mut self, sub: &str) -> Vec<Act> {
        self.phase = Phase::Blocked;
        if self.told.as_deref() == Some(sub) {
            return Vec::new();
        }
        self.told = Some(sub.to_owned());
        vec![Act::Step(Step::Blocked(sub.to_owned()))]
    }

    fn unblocked(&mut self, belief: &Belief, now: Duration) -> Vec<Act> {
        match belief.state {
            State::Busy => {
                self.told = None;
                self.phase = Phase::Running {
                    since: now,
                    worked: true,
                };
                vec![Act::Step(Step::Running)]
            }
            // It was answered, and the turn was over before anybody looked again.
            State::Idle if !self.manner.commands => {
                let mut acts = vec![Act::Step(Step::Running)];
                acts.extend(self.capture(None, Then::Done));
                acts
            }
            State::Blocked | State::Limited | State::Hung | State::Held | State::Errored => {
                self.phase = Phase::Running {
                    since: now,
                    worked: true,
                };
                self.running(belief, now, true)
            }
            _ => Vec::new(),
        }
    }

    fn dead(&mut self, why: &str) -> Vec<Act> {
        let end = match &self.phase {
            Phase::Sending => return Vec::new(),
            Phase::MakingSafe(making) => {
                let reason = making.reason();
                return self.is_safe(reason);
            }
            Phase::Capturing { .. } | Phase::Checking { .. } => return Vec::new(),
            _ => End::Lost(why.to_owned()),
        };
        self.end(end)
    }

    fn tick(&mut self, now: Duration) -> Vec<Act> {
        if let Some((since, why)) = &self.gone
            && now >= *since + GONE
        {
            let why = why.clone();
            self.gone = None;
            return self.dead(&why);
        }
        match &mut self.phase {
            Phase::Settling(settling) => {
                if let Some(why) = settling.given_up(now) {
                    return self.end(End::Uncertain(why));
                }
            }
            Phase::MakingSafe(making) => return making.tick(now).into_iter().collect(),
            _ => {}
        }
        if self.is_working() && self.ends().is_some_and(|ends| now >= ends) {
            // What a person does there is neither stopped nor ended.
            return match self.is_taken {
                true => self.end(End::Uncertain(format!(
                    "{TAKEN}, and it took longer than it may"
                ))),
                false => self.make_safe(Reason::Timeout, false, now),
            };
        }
        match self.is_begun() && self.unsaid.is_to_be_looked_for(now) {
            true => vec![Act::Look],
            false => Vec::new(),
        }
    }

    fn end(&mut self, end: End) -> Vec<Act> {
        self.phase = Phase::Over;
        vec![Act::End(end)]
    }
}

/// What is said as soon as that is seen.
const WRITES: &str = "a person writes there";
/// Why it is not known what came of a command.
const UNSAID: &str = "its command is gone, and did not say how it ended";
/// Why it is not known whose turn it was that ended.
const TAKEN: &str = "a person wrote there while it was worked on";
