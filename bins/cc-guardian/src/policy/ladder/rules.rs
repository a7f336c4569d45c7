//! How patient the ladder is, and which rungs it has.

use std::time::Duration;

use super::Action;
use super::facts::{Facts, Work};

/// What is configured for a unit, partly by its profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How long it may be silent while it thinks.
    pub hang_after: Duration,
    /// How long it may be silent while a tool runs that has no timeout of its own.
    pub tool_hang_after: Duration,
    /// Is there a key to interrupt it? Else that rung is left out.
    pub has_interrupt: bool,
    /// Is there a way to make it quit? Else that rung is left out.
    pub has_exit: bool,
    /// How long each rung may take to answer.
    pub answers: Answers,
}

/// How long each rung may take to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answers {
    /// The redraw after the probe.
    pub probe: Duration,
    /// The interrupt key.
    pub interrupt: Duration,
    /// The graceful exit.
    pub exit: Duration,
    /// SIGTERM.
    pub terminate: Duration,
    /// SIGKILL.
    pub kill: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            hang_after: Duration::from_secs(20 * 60),
            tool_hang_after: Duration::from_secs(60 * 60),
            has_interrupt: true,
            has_exit: true,
            answers: Answers {
                probe: Duration::from_secs(10),
                interrupt: Duration::from_secs(15),
                exit: Duration::from_secs(20),
                terminate: Duration::from_secs(10),
                kill: Duration::from_secs(5),
            },
        }
    }
}

/// How long it may be silent; nothing where silence says nothing.
pub(super) fn patience(rules: &Rules, facts: &Facts) -> Option<Duration> {
    if facts.waits {
        return None;
    }
    match facts.work {
        Work::None => None,
        Work::Thinking => Some(rules.hang_after),
        Work::Tool { timeout } => {
            let patience = timeout.unwrap_or(rules.tool_hang_after);
            // A tool that ends itself soon leaves the agent its time to notice.
            Some(patience.max(rules.hang_after))
        }
    }
}

/// The rung above.
pub(super) fn above(rules: &Rules, action: Action) -> Action {
    match action {
        Action::Probe | Action::Alert if rules.has_interrupt => Action::Interrupt,
        Action::Probe | Action::Alert | Action::Interrupt if rules.has_exit => Action::Exit,
        Action::Probe | Action::Alert | Action::Interrupt | Action::Exit => Action::Terminate,
        Action::Terminate => Action::Kill,
        Action::Kill | Action::NewPane => Action::NewPane,
    }
}

pub(super) fn answer(rules: &Rules, action: Action) -> Duration {
    match action {
        Action::Probe => rules.answers.probe,
        Action::Interrupt => rules.answers.interrupt,
        Action::Exit => rules.answers.exit,
        Action::Terminate => rules.answers.terminate,
        Action::Kill => rules.answers.kill,
        Action::Alert | Action::NewPane => Duration::ZERO,
    }
}
