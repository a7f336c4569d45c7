//! What is to be done next to answer a dialog.

use std::time::Duration;

use serde::Serialize;

use super::delivery::{HUMAN, LOOKS, Looked, Why};
use crate::profile::Choice;

/// How long a dialog may take to go.
const GOES: Duration = Duration::from_secs(5);

/// What happens.
#[derive(Debug, Clone)]
pub enum Seen {
    /// The pane was looked at.
    Looked(Box<Looked>),
    /// The keys were pressed; or refused, and then none was.
    Pressed(Result<(), Why>),
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Do {
    /// Wait for so long, then look.
    Look(Duration),
    /// Press these keys, in one go.
    Press(Vec<String>),
    /// It is over.
    Done(Answered),
}

/// What came of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "outcome", content = "reason")]
pub enum Answered {
    /// The dialog has gone.
    Answered,
    /// Nothing was pressed; or something was, and the dialog stands there as it did.
    Held(Why),
    /// Something was pressed, and what came of it is not known.
    Uncertain(Why),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Gate,
    Pressing,
    /// Until then it may go; has it been away at the last look?
    Goes {
        until: Duration,
        away: bool,
    },
    Over,
}

/// Decides what is to be done to give one answer to one dialog. Times are those of one steady clock.
///
/// Keys are pressed only right behind a look that showed the very dialog, and once.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The hash of the dialog that is to be answered.
    dialog: u64,
    keys: Vec<String>,
    step: Step,
    pause: Duration,
    over: Option<Answered>,
}

impl Answer {
    /// That choice of the dialog with that hash. `enter` is the key that ends a line.
    #[must_use]
    pub fn new(dialog: u64, choice: &Choice, enter: &str) -> Self {
        let mut keys = vec![choice.key.clone()];
        if choice.enter {
            keys.push(enter.to_owned());
        }
        Self {
            dialog,
            keys,
            step: Step::Gate,
            pause: LOOKS.0,
            over: None,
        }
    }

    /// What to do first.
    #[must_use]
    pub const fn begin(&self) -> Do {
        Do::Look(Duration::ZERO)
    }

    /// Has anything been pressed, or may it have been?
    #[must_use]
    pub const fn has_pressed(&self) -> bool {
        !matches!(self.step, Step::Gate)
    }

    /// What to do after that.
    pub fn on(&mut self, seen: Seen, now: Duration) -> Do {
        match (self.step, seen) {
            (Step::Over, _) => {
                let over = self.over.clone();
                Do::Done(over.unwrap_or(Answered::Held(Why::NoDialog)))
            }
            (Step::Gate, Seen::Looked(look)) => self.gate(&look),
            (Step::Pressing, Seen::Pressed(Ok(()))) => {
                self.step = Step::Goes {
                    until: now + GOES,
                    away: false,
                };
                Do::Look(LOOKS.0)
            }
            (Step::Pressing, Seen::Pressed(Err(why))) => match why {
                // Whether they were pressed is not known.
                Why::Gone(_) => self.over(Answered::Uncertain(why)),
                why => self.over(Answered::Held(why)),
            },
            (Step::Goes { until, away }, Seen::Looked(look)) => self.goes(&look, until, away, now),
            _ => Do::Look(self.next_pause()),
        }
    }

    fn gate(&mut self, look: &Looked) -> Do {
        let asked = look.reading.dialog.as_ref().map(|dialog| dialog.hash);
        let why = if look.dead {
            Why::Dead
        } else if look.in_mode {
            Why::InMode
        } else if look.typed.is_some_and(|ago| ago < HUMAN) {
            Why::HumanTyping
        } else {
            match asked {
                Some(hash) if hash == self.dialog => {
                    self.step = Step::Pressing;
                    return Do::Press(self.keys.clone());
                }
                Some(_) => Why::OtherDialog,
                None => Why::NoDialog,
            }
        };
        self.over(Answered::Held(why))
    }

    /// Has it gone, at two looks: one may be of a picture half drawn? Another one in its place is none
    /// of ours.
    fn goes(&mut self, look: &Looked, until: Duration, away: bool, now: Duration) -> Do {
        if look.dead {
            return self.over(Answered::Uncertain(Why::Dead));
        }
        let asked = look.reading.dialog.as_ref().map(|dialog| dialog.hash);
        let gone = asked != Some(self.dialog);
        if gone && away {
            return self.over(Answered::Answered);
        }
        self.step = Step::Goes { until, away: gone };
        if now >= until && !gone {
            return self.over(Answered::Held(Why::StillAsks));
        }
        Do::Look(self.next_pause())
    }

    fn over(&mut self, over: Answered) -> Do {
        self.step = Step::Over;
        self.over = Some(over.clone());
        Do::Done(over)
    }

    fn next_pause(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (self.pause * 2).min(LOOKS.1);
        pause
    }
}
