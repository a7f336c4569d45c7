//! What is known of a unit that may hang.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a unit is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Work {
    /// Nothing that could hang: it is idle, blocked or limited.
    #[default]
    None,
    /// It thinks, or does what is not known.
    Thinking,
    /// It runs a tool.
    Tool {
        /// After so long the tool is ended by the agent itself.
        timeout: Option<Duration>,
    },
}

/// What is known of a unit. The times are those at which something last was so; a time ahead of now
/// counts as now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// What it is at.
    pub work: Work,
    /// Its screen changed, other than by spinners, timers and counters.
    pub screen: Option<Duration>,
    /// It printed anything at all.
    pub output: Option<Duration>,
    /// A hook of it was called.
    pub hook: Option<Duration>,
    /// Its transcript grew.
    pub transcript: Option<Duration>,
    /// Its processes used more than 1 % of a processor.
    pub cpu: Option<Duration>,
    /// Its youngest child was started.
    pub child: Option<Duration>,
    /// Is it in a wait that is known to be legitimate: a background task, a sleep?
    pub waits: bool,
    /// Have its processes ended?
    pub gone: bool,
}

/// A sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sign {
    /// See [`Facts::hook`].
    Hook,
    /// See [`Facts::transcript`].
    Transcript,
    /// See [`Facts::child`].
    Child,
    /// See [`Facts::screen`].
    Screen,
    /// See [`Facts::cpu`].
    Cpu,
    /// See [`Facts::output`]: a sign only where it answers a rung, because a spinner prints too.
    Output,
}

impl Facts {
    /// The signs and their times: first those that no probe can bring about.
    fn signs(&self) -> [(Sign, Option<Duration>); 5] {
        [
            (Sign::Hook, self.hook),
            (Sign::Transcript, self.transcript),
            (Sign::Child, self.child),
            (Sign::Screen, self.screen),
            (Sign::Cpu, self.cpu),
        ]
    }

    pub(super) fn last_sign(&self) -> Option<Duration> {
        self.signs().into_iter().filter_map(|(_, at)| at).max()
    }

    /// The first sign since then.
    pub(super) fn sign_since(&self, then: Duration) -> Option<Sign> {
        let signs = self
            .signs()
            .into_iter()
            .chain([(Sign::Output, self.output)]);
        let mut recent = signs.filter(|(_, at)| at.is_some_and(|at| at >= then));
        recent.next().map(|(sign, _)| sign)
    }
}
