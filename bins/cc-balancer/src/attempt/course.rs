//! What is to be done next in one attempt: decided here, done by [`carry`](mod@super::carry).
//!
//! ```text
//! sending -> settling -> running <-> blocked -> capturing -> checking -> over
//!                            \-> making safe -> over
//! ```
//!
//! A turn is over when its worker is seen idle *after* it was seen to work, or when it is idle on a look
//! that was taken well after the prompt was in: a delivery that is confirmed has been seen to start a
//! turn. Silence alone ends nothing. A worker that runs a command says itself how that ended.

use std::time::Duration;

use cc_kit::profile::State;
use cc_kit::send::Outcome as Sending;

use crate::store::{End, Step};
use crate::task::Outcome;

/// How long after the prompt is in an idle worker is believed that was never seen to work.
const SHORT: Duration = Duration::from_secs(3);
/// How long what was sent and not confirmed may show itself.
const SETTLE: Duration = Duration::from_secs(10);
/// How long a worker may take to be idle once it is told to stop.
const SAFE: Duration = Duration::from_secs(20);
/// How often one that does not stop is told again.
const TELLS: u32 = 2;
/// How long a worker may be gone: one that is started again has another pane or life.
const GONE: Duration = Duration::from_secs(2);

/// What is believed of the worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Belief {
    /// What it is doing.
    pub(crate) state: State,
    /// More of it.
    pub(crate) sub: Option<String>,
    /// When it was looked at last, on the clock of the attempt.
    pub(crate) seen: Duration,
}

/// What happens.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// The prompt was sent, or not.
    Sent(Sending),
    /// It is no prompt to this worker, and nothing was typed: why.
    Unfit(String),
    /// The worker was looked at.
    Believed(Belief),
    /// Its command has begun.
    Began,
    /// Its command has ended.
    Exited(i32),
    /// Somebody wants it no more; by force.
    Cancel(bool),
    /// The lease is somebody else's.
    Lost,
    /// The worker is not there any more: in words.
    Gone(String),
    /// The text of the turn was taken. Did a person press a key there just before it was over?
    Captured(Box<Outcome>, bool),
    /// The check has ended, with that code and these words; `None` where it could not be run.
    Checked(Option<i32>, String),
    /// Time has passed.
    Tick,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    /// Write down how it goes on.
    Step(Step),
    /// Type the prompt.
    Send,
    /// Press the keys that stop a turn.
    Interrupt,
    /// Empty the box of the prompt, which some agents put back there when their turn is stopped.
    Clear,
    /// End the program.
    Kill,
    /// Take the text of the turn.
    Capture,
    /// Run the check.
    Check,
    /// Nothing is begun on the account of this worker for a while.
    Limit(String),
    /// Write down something that somebody may want to know.
    Note(String),
    /// Write down how it ended: nothing comes after that.
    End(End),
    /// Stop without a word: it is somebody else's.
    Leave,
}

/// Why a worker is made safe, and what is said then.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reason {
    Cancelled,
    Timeout,
    Lost,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    Sending,
    /// Something was typed: does the turn begin?
    Settling {
        why: String,
        until: Duration,
    },
    Running {
        since: Duration,
        worked: bool,
    },
    /// It goes nowhere by itself.
    Blocked {
        worked: bool,
    },
    MakingSafe {
        reason: Reason,
        since: Duration,
        until: Duration,
        told: u32,
        killed: bool,
    },
    Capturing {
        exit: Option<i32>,
        then: Then,
    },
    Checking {
        outcome: Box<Outcome>,
    },
    Over,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Then {
    Done,
    Failed(String),
    Cancelled,
}

/// What kind of worker it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Manner {
    /// Does it run a command, and say itself how that ended?
    pub(crate) commands: bool,
    /// Does a guardian have it, which makes it go on by itself when a limit is over?
    pub(crate) guarded: bool,
    /// Is it done when it has arrived?
    pub(crate) is_message: bool,
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
    /// When it was begun.
    began: Duration,
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
            began: now,
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
            false => Phase::Settling {
                why: "the balancer ended while it was typed".to_owned(),
                until: now + SETTLE,
            },
        };
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
            Phase::Settling { until, .. } | Phase::MakingSafe { until, .. } => Some(*until),
            // A look that is taken then is taken well after the prompt was in.
            Phase::Running {
                since,
                worked: false,
            } => Some(*since + SHORT),
            _ => None,
        };
        let gone = self.gone.as_ref().map(|(since, _)| *since + GONE);
        let timeout = self.ends().filter(|_| self.is_working());
        own.into_iter().chain(gone).chain(timeout).min()
    }

    fn ends(&self) -> Option<Duration> {
        self.timeout
            .and_then(|timeout| self.began.checked_add(timeout))
    }

    const fn is_working(&self) -> bool {
        matches!(
            self.phase,
            Phase::Settling { .. } | Phase::Running { .. } | Phase::Blocked { .. }
        )
    }

    /// Takes what happens, and says what to do.
    pub(crate) fn on(&mut self, event: Event, now: Duration) -> Vec<Act> {
        if self.is_over() {
            return Vec::new();
        }
        match event {
            Event::Sent(sent) => {
                let mut acts = self.sent(sent, now);
                if let Some(force) = self.cancel.take() {
                    acts.extend(self.on(Event::Cancel(force), now));
                }
                acts
            }
            Event::Unfit(why) => self.end(End::Failed(why, Outcome::default())),
            Event::Began => self.began(now),
            Event::Exited(code) => self.exited(code),
            Event::Believed(belief) => self.believed(&belief, now),
            Event::Cancel(force) => self.cancelled(force, now),
            Event::Lost => self.make_safe(Reason::Lost, false, now),
            Event::Gone(why) => {
                self.gone.get_or_insert((now, why));
                self.tick(now)
            }
            Event::Captured(outcome, touched) => self.captured(*outcome, touched),
            Event::Checked(code, said) => self.checked(code, said),
            Event::Tick => self.tick(now),
        }
    }

    fn sent(&mut self, sent: Sending, now: Duration) -> Vec<Act> {
        if !matches!(self.phase, Phase::Sending) {
            return Vec::new();
        }
        match sent {
            Sending::Delivered if self.manner.is_message => self.end(End::Done(Outcome::default())),
            // Its command will say when it begins.
            Sending::Delivered if self.manner.commands => {
                self.settle("it was typed, and its command did not begin", now)
            }
            Sending::Delivered => self.run(now),
            Sending::Held(why) => self.end(End::Returned(why.to_string(), None)),
            Sending::Uncertain(why) => {
                let why = why.to_string();
                self.settle(&why, now)
            }
        }
    }

    fn settle(&mut self, why: &str, now: Duration) -> Vec<Act> {
        self.phase = Phase::Settling {
            why: why.to_owned(),
            until: now + SETTLE,
        };
        Vec::new()
    }

    fn run(&mut self, now: Duration) -> Vec<Act> {
        self.phase = Phase::Running {
            since: now,
            worked: false,
        };
        vec![Act::Step(Step::Running)]
    }

    fn began(&mut self, now: Duration) -> Vec<Act> {
        match self.phase {
            // The word of the command may come before that of the sender.
            Phase::Sending | Phase::Settling { .. } => {
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
            Phase::Sending
            | Phase::Settling { .. }
            | Phase::Running { .. }
            | Phase::Blocked { .. } => {
                let then = match code {
                    0 => Then::Done,
                    code => Then::Failed(format!("exit {code}")),
                };
                self.capture(Some(code), then)
            }
            Phase::MakingSafe { ref reason, .. } => {
                let reason = reason.clone();
                self.is_safe(&reason)
            }
            _ => Vec::new(),
        }
    }

    fn capture(&mut self, exit: Option<i32>, then: Then) -> Vec<Act> {
        self.phase = Phase::Capturing { exit, then };
        vec![Act::Capture]
    }

    fn believed(&mut self, belief: &Belief, now: Duration) -> Vec<Act> {
        self.gone = None;
        if belief.state == State::Dead {
            let how = belief.sub.clone().unwrap_or_default();
            return self.dead(&format!("its program has ended: {how}"));
        }
        match &mut self.phase {
            Phase::Settling { .. } if belief.state == State::Busy && !self.manner.commands => {
                let mut acts = self.run(now);
                if let Phase::Running { worked, .. } = &mut self.phase {
                    *worked = true;
                }
                if self.manner.is_message {
                    acts = self.end(End::Done(Outcome::default()));
                }
                acts
            }
            Phase::Running { since, worked } => {
                let (since, was_working) = (*since, *worked);
                *worked |= belief.state == State::Busy;
                self.running(belief, since, was_working)
            }
            Phase::Blocked { worked } => {
                let worked = *worked || belief.state == State::Busy;
                self.unblocked(belief, worked, now)
            }
            Phase::MakingSafe { reason, since, .. } => match belief.state {
                State::Idle if belief.seen > *since => {
                    let reason = reason.clone();
                    self.is_safe(&reason)
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    fn running(&mut self, belief: &Belief, since: Duration, worked: bool) -> Vec<Act> {
        match belief.state {
            State::Idle if self.manner.commands => Vec::new(),
            State::Idle if worked || belief.seen >= since + SHORT => self.capture(None, Then::Done),
            State::Blocked => {
                let sub = belief.sub.as_deref().unwrap_or("asks");
                self.block(sub, worked)
            }
            State::Limited if self.manner.guarded => self.block("limited", worked),
            State::Limited => {
                let sub = belief.sub.as_deref().unwrap_or("limited").to_owned();
                let mut acts = vec![Act::Limit(sub.clone())];
                acts.extend(self.end(End::Returned(format!("limited: {sub}"), None)));
                acts
            }
            State::Errored => {
                let sub = belief.sub.as_deref().unwrap_or("error");
                match sub {
                    "auth" | "billing" if self.manner.guarded => self.block(sub, worked),
                    "auth" | "billing" => {
                        let mut acts = vec![Act::Limit(sub.to_owned())];
                        acts.extend(self.end(End::Returned(sub.to_owned(), None)));
                        acts
                    }
                    sub => self.capture(None, Then::Failed(format!("the agent says: {sub}"))),
                }
            }
            State::Hung | State::Held => self.block(belief.state.name(), worked),
            _ => Vec::new(),
        }
    }

    fn block(&mut self, sub: &str, worked: bool) -> Vec<Act> {
        self.phase = Phase::Blocked { worked };
        if self.told.as_deref() == Some(sub) {
            return Vec::new();
        }
        self.told = Some(sub.to_owned());
        vec![Act::Step(Step::Blocked(sub.to_owned()))]
    }

    fn unblocked(&mut self, belief: &Belief, worked: bool, now: Duration) -> Vec<Act> {
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
                self.running(belief, now, worked)
            }
            _ => Vec::new(),
        }
    }

    fn dead(&mut self, why: &str) -> Vec<Act> {
        let end = match &self.phase {
            Phase::Sending => return Vec::new(),
            Phase::MakingSafe { reason, .. } => {
                let reason = reason.clone();
                return self.is_safe(&reason);
            }
            Phase::Capturing { .. } | Phase::Checking { .. } => return Vec::new(),
            _ => End::Lost(why.to_owned()),
        };
        self.end(end)
    }

    fn cancelled(&mut self, force: bool, now: Duration) -> Vec<Act> {
        match &mut self.phase {
            // What is being typed is not broken off in the middle.
            Phase::Sending => {
                self.cancel = Some(force);
                Vec::new()
            }
            Phase::MakingSafe { killed, until, .. } if force && !*killed => {
                *killed = true;
                *until = now + SAFE;
                vec![Act::Kill]
            }
            Phase::MakingSafe { .. } | Phase::Capturing { .. } => Vec::new(),
            Phase::Checking { outcome } => {
                let outcome = (**outcome).clone();
                self.end(End::Cancelled(outcome))
            }
            _ => self.make_safe(Reason::Cancelled, force, now),
        }
    }

    fn make_safe(&mut self, reason: Reason, force: bool, now: Duration) -> Vec<Act> {
        match &self.phase {
            Phase::Capturing { .. } | Phase::Checking { .. } if reason == Reason::Lost => {
                self.phase = Phase::Over;
                return vec![Act::Leave];
            }
            Phase::MakingSafe { .. } => {
                if let Phase::MakingSafe { reason: of, .. } = &mut self.phase {
                    // Nobody is to be told how it ended then.
                    if reason == Reason::Lost {
                        *of = reason;
                    }
                }
                return Vec::new();
            }
            _ => {}
        }
        self.phase = Phase::MakingSafe {
            reason,
            since: now,
            until: now + SAFE,
            told: 1,
            killed: force,
        };
        vec![if force { Act::Kill } else { Act::Interrupt }]
    }

    fn is_safe(&mut self, reason: &Reason) -> Vec<Act> {
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

    fn captured(&mut self, mut outcome: Outcome, touched: bool) -> Vec<Act> {
        let Phase::Capturing { exit, then } = &self.phase else {
            return Vec::new();
        };
        outcome.exit = *exit;
        match then.clone() {
            // A key can end a turn in the middle, and the agent is as idle then.
            Then::Done if touched && exit.is_none() => self.end(End::Uncertain(TOUCHED.to_owned())),
            Then::Done if self.has_check => {
                self.phase = Phase::Checking {
                    outcome: Box::new(outcome),
                };
                vec![Act::Step(Step::Verifying), Act::Check]
            }
            Then::Done => self.end(End::Done(outcome)),
            Then::Failed(why) => self.end(End::Failed(why, outcome)),
            Then::Cancelled => self.end(End::Cancelled(outcome)),
        }
    }

    fn checked(&mut self, code: Option<i32>, said: String) -> Vec<Act> {
        let Phase::Checking { outcome } = &self.phase else {
            return Vec::new();
        };
        let mut outcome = (**outcome).clone();
        outcome.check = Some(said);
        match code {
            Some(0) => self.end(End::Done(outcome)),
            Some(code) => {
                outcome.exit = Some(code);
                self.end(End::Failed(format!("its check says {code}"), outcome))
            }
            None => self.end(End::Failed("its check cannot be run".to_owned(), outcome)),
        }
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
            Phase::Settling { why, until } if now >= *until => {
                let why = why.clone();
                return self.end(End::Uncertain(why));
            }
            Phase::MakingSafe {
                until,
                told,
                killed,
                ..
            } if now >= *until => {
                *until = now + SAFE;
                if *told < TELLS {
                    *told += 1;
                    return vec![Act::Interrupt];
                }
                if *killed {
                    return vec![Act::Note("it does not end, not by force either".to_owned())];
                }
                *killed = true;
                return vec![Act::Kill];
            }
            _ => {}
        }
        if self.is_working() && self.ends().is_some_and(|ends| now >= ends) {
            return self.make_safe(Reason::Timeout, false, now);
        }
        Vec::new()
    }

    fn end(&mut self, end: End) -> Vec<Act> {
        self.phase = Phase::Over;
        vec![Act::End(end)]
    }
}

/// Why it is not known whether a turn was carried through.
const TOUCHED: &str = "a person pressed a key there as the turn ended";
