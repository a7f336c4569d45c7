//! What comes of a turn that is over: its text is taken, and its check decides.

use super::word::{Act, Captured};
use super::{Course, Phase};
use crate::store::{End, Step};

/// Why it is not known whether there was a turn.
pub(super) const SILENT: &str = "it was never seen to work, and said nothing";
/// Why it is not known whether a turn was carried through.
pub(super) const TOUCHED: &str = "a person pressed a key there as the turn ended";

/// How a task ends once the text of its turn is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Then {
    Done,
    Failed(String),
    Cancelled,
}

impl Course {
    pub(super) fn capture(&mut self, exit: Option<i32>, then: Then) -> Vec<Act> {
        self.phase = Phase::Capturing { exit, then };
        vec![Act::Capture]
    }

    pub(super) fn captured(&mut self, captured: Captured) -> Vec<Act> {
        let Phase::Capturing { exit, then } = &self.phase else {
            return Vec::new();
        };
        let mut outcome = captured.outcome;
        outcome.exit = *exit;
        // What an agent was seen to do may have been for the prompt, and may have been for itself.
        let has_worked = self.has_worked && !captured.is_absent;
        match then.clone() {
            // A key can end a turn in the middle, and the agent is as idle then.
            Then::Done if captured.is_touched && exit.is_none() => {
                self.end(End::Uncertain(TOUCHED.to_owned()))
            }
            // It took the prompt for a command of its own that does not exist, say.
            Then::Done
                if exit.is_none() && outcome.text.is_empty() && !has_worked && !self.has_check =>
            {
                self.end(End::Uncertain(SILENT.to_owned()))
            }
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

    pub(super) fn checked(&mut self, code: Option<i32>, said: String) -> Vec<Act> {
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
}
