//! What a course is told, and what it says.

use std::time::Duration;

use cc_kit::profile::State;
use cc_kit::send::Outcome as Sending;

use crate::store::{End, Step};
use crate::task::Outcome;

/// What is believed of the worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Belief {
    /// What it is doing.
    pub(crate) state: State,
    /// More of it.
    pub(crate) sub: Option<String>,
    /// Does something stand in its box that has not been sent off?
    pub(crate) draft: bool,
    /// Since when it does that, on the clock of the attempt.
    pub(crate) began: Duration,
    /// When it was looked at last, on the clock of the attempt.
    pub(crate) seen: Duration,
}

/// Where a prompt stands in a pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stands {
    /// It does not, and the box is empty.
    Nowhere,
    /// In the box, alone: it was typed and not sent off.
    InBox,
    /// Above the box: it was sent off.
    Sent,
    /// That cannot be said.
    Unsure,
}

/// What was found of a turn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Captured {
    pub(crate) outcome: Outcome,
    /// Did a person press a key there just before it was over?
    pub(crate) is_touched: bool,
    /// Does what the agent writes down say nothing of its prompt?
    pub(crate) is_absent: bool,
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
    /// The prompt was looked for.
    Found(Stands),
    /// Its command has begun.
    Began,
    /// Its command has ended.
    Exited(i32),
    /// Its command was looked for: is it still there?
    Runs(bool),
    /// Somebody wants it no more; by force.
    Cancel(bool),
    /// The lease is somebody else's.
    Lost,
    /// The worker is not there any more: in words.
    Gone(String),
    /// The text of the turn was taken.
    Captured(Box<Captured>),
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
    /// Look for the prompt in the pane.
    Find,
    /// Look for the command.
    Look,
    /// Press the keys that stop a turn.
    Interrupt,
    /// Empty the box of the prompt: it was never sent off, or some agents put it back there when their
    /// turn is stopped.
    Clear,
    /// End the program.
    Kill,
    /// End what a command that is gone has left.
    Reap,
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

/// What kind of worker it is, and what it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Manner {
    /// Does it run a command, and say itself how that ended?
    pub(crate) commands: bool,
    /// Does a guardian have it, which makes it go on by itself when a limit is over?
    pub(crate) guarded: bool,
    /// Is it done when it has arrived?
    pub(crate) is_message: bool,
}
