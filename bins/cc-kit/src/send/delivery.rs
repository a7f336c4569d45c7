//! What is to be done next for a prompt to arrive.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::prompt::{Prompt, dense, tail};
use crate::profile::{Reading, Sending, State};

/// How long somebody else must not have typed.
pub(super) const HUMAN: Duration = Duration::from_secs(10);
/// The least time between the echo and Enter.
const SETTLE: Duration = Duration::from_millis(100);
/// How long a turn may take to be seen.
const CONFIRM: Duration = Duration::from_secs(5);
/// How often Enter is pressed at most, and how long each is waited for while the text still stands in
/// the box.
const ENTERS: [Duration; 3] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];
/// Pauses between looks, at first and at most.
pub(super) const LOOKS: (Duration, Duration) =
    (Duration::from_millis(10), Duration::from_millis(200));

/// One look at the pane.
#[derive(Debug, Clone)]
pub struct Looked {
    /// What its profile makes of it.
    pub reading: Reading,
    /// All its rows.
    pub rows: Vec<String>,
    /// Does a mode such as copy mode lie over it?
    pub in_mode: bool,
    /// Has its program ended?
    pub dead: bool,
    /// How long ago a person typed who is attached to it; `None` where nobody is.
    pub typed: Option<Duration>,
    /// When a person last typed there, in seconds: another number means that one has typed since.
    pub keyed: u64,
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Event {
    /// The pane was looked at.
    Looked(Box<Looked>),
    /// It was pasted; or refused, and then nothing was.
    Pasted(Result<(), Why>),
    /// Enter was pressed; or refused, and then it was not.
    Entered(Result<(), Why>),
    /// The program's hook says that it has this prompt.
    Submitted(String),
    /// The wait is over.
    Waited,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Wait for so long, then look.
    Look(Duration),
    /// Paste the prompt, in brackets.
    Paste,
    /// Wait for so long; then comes [`Event::Waited`].
    Wait(Duration),
    /// Press the key that sends.
    Enter,
    /// It is over.
    Done(Outcome),
}

/// How far it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// The program was ready for it, and nothing was written yet.
    Accepted,
    /// It was written, and not sent.
    Pasted,
    /// It was sent: the box is empty again.
    Submitted,
    /// The program works on it.
    Started,
}

/// Why it went no further.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case", tag = "why", content = "detail")]
#[non_exhaustive]
pub enum Why {
    /// The program is not idle.
    #[error("it is {0}")]
    NotIdle(String),
    /// Text stands in its box already.
    #[error("text stands in its box: somebody is writing")]
    Draft,
    /// Somebody typed a moment ago.
    #[error("somebody is typing")]
    HumanTyping,
    /// A mode such as copy mode lies over the pane.
    #[error("the pane is in a mode, such as copy mode")]
    InMode,
    /// Its program has ended.
    #[error("its program has ended")]
    Dead,
    /// Somebody else writes to the pane.
    #[error("{0} writes to the pane")]
    Leased(String),
    /// tmux refused, in its words.
    #[error("tmux refuses: {0}")]
    Refused(String),
    /// The pane has gone, or its server has.
    #[error("the pane is gone: {0}")]
    Gone(String),
    /// What was pasted did not appear.
    #[error("what was pasted did not appear in the box")]
    NoEcho,
    /// Something else stands in the box beside what was pasted.
    #[error("something else stands in the box beside what was pasted")]
    Glued,
    /// A dialog came between.
    #[error("a dialog came between")]
    Dialog,
    /// No dialog is open.
    #[error("it asks nothing now")]
    NoDialog,
    /// Another dialog is open than the one that was to be answered.
    #[error("it asks something else now")]
    OtherDialog,
    /// The dialog stands there as before, whatever was pressed.
    #[error("the dialog still stands there as it did")]
    StillAsks,
    /// Its account is limited, and nothing is to be begun until that is over.
    #[error("its account is limited")]
    Limited,
    /// The text still stands in the box, whatever was pressed.
    #[error("the text still stands in the box after {} times Enter", ENTERS.len())]
    Stuck,
    /// The box is empty, and nothing shows that the program has it.
    #[error("the box is empty, and nothing shows that it was taken")]
    NotConfirmed,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "outcome", content = "reason")]
pub enum Outcome {
    /// The program has it, once.
    Delivered,
    /// Nothing of it was written.
    Held(Why),
    /// It was written, and what became of it is not known; it must not be sent again blindly.
    Uncertain(Why),
}

/// How far a prompt came, and when, in time since it was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// How far it came.
    pub stage: Option<Stage>,
    /// When it came to each stage, in milliseconds.
    pub times: Vec<(Stage, u64)>,
    /// How often Enter was pressed.
    pub enters: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Gate,
    Pasting,
    Echo {
        until: Duration,
    },
    Settle,
    /// A last look, and then Enter.
    Check,
    Entering,
    Confirm {
        began: Duration,
        retry: Duration,
        until: Duration,
    },
    Over,
}

/// What stops a turn and may still be shown when the prompt is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Past {
    /// Nothing does.
    Nothing,
    /// What its program goes on after with this very prompt.
    ByItsPrompt,
    /// What its program goes on after with a prompt.
    ByAny,
}

/// Decides what is to be done for one prompt. Times are those of one steady clock.
#[derive(Debug, Clone)]
pub struct Delivery {
    prompt: Prompt,
    /// Its end, on a screen.
    tail: String,
    /// All of it, as a reading of the box has it.
    as_draft: String,
    folds: Vec<String>,
    settle: Duration,
    began: Duration,
    /// Until when the gate may stay shut.
    patience: Duration,
    past: Past,
    step: Step,
    pause: Duration,
    /// When a person had typed there before it was pasted.
    keyed: u64,
    /// How often the end of the prompt stood on the screen before it was pasted.
    before: usize,
    /// The screen when Enter was pressed.
    at_enter: Vec<String>,
    receipt: Receipt,
}

impl Delivery {
    /// Of that prompt, to a program that is written to in that way; for up to `patience` it is waited
    /// for.
    #[must_use]
    pub fn new(prompt: Prompt, sending: &Sending, patience: Duration, now: Duration) -> Self {
        Self {
            tail: prompt.tail(),
            as_draft: prompt.as_draft(),
            prompt,
            folds: sending.folds.iter().map(|fold| dense(fold)).collect(),
            settle: sending.settle().max(SETTLE),
            began: now,
            patience: now.saturating_add(patience),
            past: Past::Nothing,
            step: Step::Gate,
            pause: LOOKS.0,
            keyed: 0,
            before: 0,
            at_enter: Vec::new(),
            receipt: Receipt {
                outcome: Outcome::Held(Why::NotIdle("not looked at".to_owned())),
                stage: None,
                times: Vec::new(),
                enters: 0,
            },
        }
    }

    /// Of the prompt by which a program goes on that is limited, or has failed for a while: it is
    /// written only while the program shows just that, and its profile says that it goes on so; or while
    /// it is idle. Nothing is waited for.
    #[must_use]
    pub fn going_on(prompt: Prompt, sending: &Sending, now: Duration) -> Self {
        Self {
            past: Past::ByItsPrompt,
            ..Self::new(prompt, sending, Duration::ZERO, now)
        }
    }

    /// Of a prompt that begins something new, to a program that still shows what stopped its last turn
    /// and is over: as [`going_on`](Self::going_on), whatever the prompt says.
    #[must_use]
    pub fn past_stop(prompt: Prompt, sending: &Sending, now: Duration) -> Self {
        Self {
            past: Past::ByAny,
            ..Self::new(prompt, sending, Duration::ZERO, now)
        }
    }

    /// The prompt.
    #[must_use]
    pub const fn prompt(&self) -> &Prompt {
        &self.prompt
    }

    /// How far it came.
    #[must_use]
    pub const fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// Has anything been written, or may it have been?
    #[must_use]
    pub const fn has_written(&self) -> bool {
        !matches!(self.step, Step::Gate)
    }

    /// When a person had typed in the pane before it was written to: who finds another number there
    /// must not press Enter.
    #[must_use]
    pub const fn keyed(&self) -> u64 {
        self.keyed
    }

    /// What to do first.
    #[must_use]
    pub const fn begin(&self) -> Act {
        Act::Look(Duration::ZERO)
    }

    /// What to do after that.
    pub fn on(&mut self, event: Event, now: Duration) -> Act {
        match (self.step, event) {
            (Step::Over, _) => Act::Done(self.receipt.outcome.clone()),
            (Step::Gate, Event::Looked(look)) => self.gate(&look, now),
            (Step::Pasting, Event::Pasted(Ok(()))) => {
                self.reach(Stage::Pasted, now);
                let length = u64::try_from(self.prompt.text().len()).unwrap_or(u64::MAX);
                let echo =
                    Duration::from_secs(1) + Duration::from_millis(25 * length.div_ceil(1000));
                self.look_again(Step::Echo { until: now + echo })
            }
            (Step::Pasting, Event::Pasted(Err(why))) => match why {
                // Whether it was written is not known.
                Why::Gone(_) => self.over(Outcome::Uncertain(why)),
                why => self.over(Outcome::Held(why)),
            },
            (Step::Echo { until }, Event::Looked(look)) => self.echo(&look, until, now),
            (Step::Settle, Event::Waited) => {
                self.step = Step::Check;
                Act::Look(Duration::ZERO)
            }
            (Step::Check, Event::Looked(look)) => self.check(&look),
            (Step::Entering, Event::Entered(Ok(()))) => {
                let times = usize::try_from(self.receipt.enters).unwrap_or(usize::MAX);
                let wait = ENTERS.get(times).copied().unwrap_or(CONFIRM);
                self.receipt.enters += 1;
                self.look_again(Step::Confirm {
                    began: now,
                    retry: now + wait,
                    until: now + CONFIRM,
                })
            }
            (Step::Entering, Event::Entered(Err(why))) => self.over(Outcome::Uncertain(why)),
            (Step::Confirm { .. }, Event::Submitted(prompt)) if self.is_it(&prompt) => {
                self.delivered(now)
            }
            (Step::Confirm { retry, until, .. }, Event::Looked(look)) => {
                self.confirm(&look, retry, until, now)
            }
            // Of an earlier step, or of another prompt.
            (Step::Settle, _) => Act::Wait(self.settle),
            _ => Act::Look(self.next_pause()),
        }
    }

    fn gate(&mut self, look: &Looked, now: Duration) -> Act {
        let why = if look.dead {
            return self.over(Outcome::Held(Why::Dead));
        } else if look.in_mode {
            Why::InMode
        } else if look.typed.is_some_and(|ago| ago < HUMAN) {
            Why::HumanTyping
        } else if look.reading.draft.is_some() {
            Why::Draft
        } else if !self.is_at_rest(look) {
            Why::NotIdle(match &look.reading.sub {
                Some(sub) => format!("{} ({sub})", look.reading.state),
                None => look.reading.state.to_string(),
            })
        } else {
            self.keyed = look.keyed;
            self.before = self.count(&look.rows);
            self.reach(Stage::Accepted, now);
            self.step = Step::Pasting;
            return Act::Paste;
        };
        if now >= self.patience {
            return self.over(Outcome::Held(why));
        }
        let pause = self.next_pause().min(self.patience.saturating_sub(now));
        Act::Look(pause)
    }

    fn echo(&mut self, look: &Looked, until: Duration, now: Duration) -> Act {
        if look.dead {
            return self.over(Outcome::Uncertain(Why::Dead));
        }
        if look.reading.state == State::Blocked {
            return self.over(Outcome::Uncertain(Why::Dialog));
        }
        if self.is_echoed(look) {
            self.step = Step::Settle;
            return Act::Wait(self.settle);
        }
        if now >= until {
            return self.over(Outcome::Uncertain(Why::NoEcho));
        }
        Act::Look(self.next_pause())
    }

    /// The last look before Enter: nobody may have written beside it.
    fn check(&mut self, look: &Looked) -> Act {
        if look.dead {
            return self.over(Outcome::Uncertain(Why::Dead));
        }
        if look.reading.state == State::Blocked {
            return self.over(Outcome::Uncertain(Why::Dialog));
        }
        if look.in_mode {
            return self.over(Outcome::Uncertain(Why::InMode));
        }
        if self.is_glued(look) {
            return self.over(Outcome::Uncertain(Why::Glued));
        }
        if look.keyed != self.keyed {
            return self.over(Outcome::Uncertain(Why::HumanTyping));
        }
        self.at_enter.clone_from(&look.rows);
        self.step = Step::Entering;
        Act::Enter
    }

    fn confirm(&mut self, look: &Looked, retry: Duration, until: Duration, now: Duration) -> Act {
        if look.dead {
            return self.over(Outcome::Uncertain(Why::Dead));
        }
        if look.reading.draft.is_none() {
            if self.receipt.stage < Some(Stage::Submitted) && look.reading.state != State::Blocked {
                self.reach(Stage::Submitted, now);
            }
            // A turn may ask at once, or be over before anybody looks.
            let works = matches!(look.reading.state, State::Busy | State::Blocked)
                && look.rows != self.at_enter;
            let shown = self.is_on(&look.rows) && look.rows != self.at_enter;
            if works || shown {
                return self.delivered(now);
            }
            if now >= until {
                return self.over(Outcome::Uncertain(Why::NotConfirmed));
            }
            return Act::Look(self.next_pause());
        }
        // Somebody writes on, and it works, or shows the prompt elsewhere.
        let moved = self.count(&look.rows) > self.before && look.rows != self.at_enter;
        if !self.holds(look) && (look.reading.state == State::Busy || moved) {
            return self.delivered(now);
        }
        let times = usize::try_from(self.receipt.enters).unwrap_or(usize::MAX);
        if now >= retry {
            if times >= ENTERS.len() {
                return self.over(Outcome::Uncertain(Why::Stuck));
            }
            // Of a program that works the Enter would wait, and answer what it asks next.
            if self.is_at_rest(look) && !look.in_mode && !self.is_glued(look) {
                self.step = Step::Check;
                return Act::Look(Duration::ZERO);
            }
        }
        if now >= until {
            return self.over(Outcome::Uncertain(Why::Stuck));
        }
        Act::Look(self.next_pause())
    }

    fn delivered(&mut self, now: Duration) -> Act {
        if self.receipt.stage < Some(Stage::Submitted) {
            self.reach(Stage::Submitted, now);
        }
        self.reach(Stage::Started, now);
        self.over(Outcome::Delivered)
    }

    fn over(&mut self, outcome: Outcome) -> Act {
        self.step = Step::Over;
        self.receipt.outcome = outcome.clone();
        Act::Done(outcome)
    }

    fn reach(&mut self, stage: Stage, now: Duration) {
        let since = now.saturating_sub(self.began).as_millis();
        self.receipt.stage = Some(stage);
        self.receipt
            .times
            .push((stage, u64::try_from(since).unwrap_or(u64::MAX)));
    }

    fn look_again(&mut self, step: Step) -> Act {
        self.step = step;
        self.pause = LOOKS.0;
        Act::Look(LOOKS.0)
    }

    fn next_pause(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (self.pause * 2).min(LOOKS.1);
        pause
    }

    /// Does it wait for just that?
    fn is_at_rest(&self, look: &Looked) -> bool {
        let reading = &look.reading;
        let prompt = reading.go_on.as_ref();
        let prompt = prompt.and_then(|go_on| go_on.prompt.as_deref());
        let goes_on = match self.past {
            Past::Nothing => false,
            Past::ByItsPrompt => prompt == Some(self.prompt.text()),
            Past::ByAny => prompt.is_some(),
        };
        reading.state == State::Idle || (goes_on && reading.dialog.is_none())
    }

    /// Does it stand in the box, or what it was folded to?
    fn is_echoed(&self, look: &Looked) -> bool {
        let Some(draft) = &look.reading.draft else {
            return false;
        };
        let draft = dense(draft);
        self.is_folded(&draft)
            || draft.ends_with(&tail(&self.as_draft))
            // The box may show less of it than there is, and its reading less than the box.
            || self.count(&look.rows) > self.before
    }

    fn is_folded(&self, draft: &str) -> bool {
        self.folds.iter().any(|fold| draft.contains(fold.as_str()))
    }

    /// Is what stands in the box still (a part of) the prompt?
    fn holds(&self, look: &Looked) -> bool {
        let draft = dense(look.reading.draft.as_deref().unwrap_or_default());
        self.is_folded(&draft) || self.as_draft.contains(&draft)
    }

    /// Does something else stand in the box beside it? Of what is folded or does not fit that is seen
    /// by its end alone.
    fn is_glued(&self, look: &Looked) -> bool {
        let Some(draft) = &look.reading.draft else {
            return true;
        };
        let draft = dense(draft);
        if self.is_folded(&draft) {
            // `[Pasted text #1 +40 lines]`: nothing behind the bracket.
            return !draft.ends_with(']');
        }
        let whole = &self.as_draft;
        !(*whole == draft || (whole.contains(&draft) && draft.len() >= self.tail.len()))
    }

    fn is_it(&self, prompt: &str) -> bool {
        dense(prompt).ends_with(&self.tail)
    }

    fn is_on(&self, rows: &[String]) -> bool {
        let screen = dense(&rows.join("\n"));
        screen.contains(&self.tail) || self.is_folded(&screen)
    }

    fn count(&self, rows: &[String]) -> usize {
        dense(&rows.join("\n")).matches(&self.tail).count()
    }
}
