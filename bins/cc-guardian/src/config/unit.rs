//! Units as they are declared: every value settled, nothing left to look up.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::cpus::Cpus;
use super::reading::choices;
use super::signal::Signal;

/// Something that is kept alive: a program in a terminal, and how it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// Its name: 1 to 64 of `A-Z a-z 0-9 _ -`.
    pub name: String,
    /// The group; with [`Isolation::Group`](super::Isolation::Group) each has a tmux server.
    pub group: String,
    /// The program and its arguments, never empty. With `shell = true` it is `/bin/sh -c TEXT`.
    pub command: Vec<String>,
    /// Where it starts; absolute.
    pub cwd: PathBuf,
    /// Variables, literally as written: `${HOME}` stays as it is.
    pub env: Environment,
    /// Files of more variables. A later one wins over an earlier one, and [`Unit::env`] over all.
    pub env_files: Vec<PathBuf>,
    /// How many run: 1 to 999.
    pub replicas: u16,
    /// What to select it by.
    pub labels: BTreeMap<String, String>,
    /// How its screen is read; `None`: only its process is known.
    pub profile: Option<String>,
    /// The account whose limits it shares.
    pub account: Option<String>,
    /// What must be ready before it starts.
    pub depends_on: Vec<Dependency>,
    /// When to start it again.
    pub restart: Restart,
    /// How long to wait before.
    pub backoff: Backoff,
    /// When to give up.
    pub start_limit: StartLimit,
    /// The ends that are no failure. Exit status 0 never is.
    pub success_exit_status: BTreeSet<ExitStatus>,
    /// How it is stopped.
    pub stop: Stop,
    /// How long it may be busy without a sign of progress; `None`: for ever.
    pub hang_after: Option<Duration>,
    /// The same while it waits for a tool of its own.
    pub tool_hang_after: Option<Duration>,
    /// How long it may take to be ready.
    pub startup_timeout: Duration,
    /// What a restarted one goes on with.
    pub resume: Resume,
    /// What it may use.
    pub memory: Memory,
    /// Its niceness, -20 to 19; `None`: the guardian's.
    pub nice: Option<i8>,
    /// The processors it may run on; `None`: all of the guardian's.
    pub cpus: Option<Cpus>,
    /// When to start it afresh though nothing is wrong.
    pub restart_every: Option<RestartEvery>,
    /// What to do when it asks; the first rule of a kind counts, and without one it is an alert.
    pub on_prompt: Vec<PromptRule>,
    /// More windows of its session.
    pub windows: Vec<Window>,
    /// The time between the starts of two of its instances.
    pub start_stagger: Duration,
    /// The alerts that are sent when it fails, by name.
    pub on_failure: Vec<String>,
}

impl Unit {
    /// Its instances, `NAME@1` to `NAME@N`; a single one is `NAME@1` too.
    pub fn instances(&self) -> impl Iterator<Item = String> + '_ {
        (1..=self.replicas).map(|number| format!("{}@{number}", self.name))
    }
}

/// Variables of the environment. [`fmt::Debug`] shows their names alone: values may be secrets.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Environment(pub BTreeMap<String, String>);

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A unit that must be ready first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// Its name; all its instances are meant.
    pub unit: String,
    /// What counts as ready; never [`Ready::Idle`] of a unit without a profile.
    pub ready: Ready,
}

/// How long to wait before a start: `initial * factor^n`, at most `max`, spread by `jitter`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    /// Before the first; more than 0.
    pub initial: Duration,
    /// What each wait is longer by; at least 1.
    pub factor: f64,
    /// The longest; not below `initial`.
    pub max: Duration,
    /// The part of a wait that chance decides, 0 to 1.
    pub jitter: f64,
    /// Having run this long, it begins at `initial` again.
    pub reset_after: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            initial: Duration::from_secs(2),
            factor: 2.0,
            max: Duration::from_mins(5),
            jitter: 0.2,
            reset_after: Duration::from_mins(10),
        }
    }
}

/// How many failures are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartLimit {
    /// So many starts; at least 1.
    pub burst: u32,
    /// Within this time.
    pub interval: Duration,
    /// What is done then.
    pub action: LimitAction,
}

impl Default for StartLimit {
    fn default() -> Self {
        Self {
            burst: 5,
            interval: Duration::from_mins(10),
            action: LimitAction::Hold,
        }
    }
}

/// One end that is no failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExitStatus {
    /// It exited with this.
    Code(u8),
    /// This signal ended it.
    Signal(Signal),
}

/// How a unit is stopped. What is still there after `timeout` is killed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// What is tried first.
    pub method: StopMethod,
    /// How long that may take.
    pub timeout: Duration,
    /// The signal of [`StopMethod::Signal`].
    pub signal: Signal,
    /// The keys of [`StopMethod::Keys`], as tmux names them.
    pub keys: Vec<String>,
}

impl Default for Stop {
    fn default() -> Self {
        Self {
            method: StopMethod::Profile,
            timeout: Duration::from_secs(20),
            signal: Signal::TERM,
            keys: Vec::new(),
        }
    }
}

/// How much memory a unit may use, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Above it: an alert, and a restart when it is idle.
    pub soft: Option<u64>,
    /// Above it: killed. Not below `soft`.
    pub hard: Option<u64>,
    /// What is counted.
    pub scope: MemoryScope,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            soft: None,
            hard: None,
            scope: MemoryScope::Tree,
        }
    }
}

/// A start afresh of what runs well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestartEvery {
    /// Having run this long.
    pub age: Duration,
    /// At what moment.
    pub at: RestartAt,
}

/// What to do when a unit asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptRule {
    /// What it asks.
    pub kind: PromptKind,
    /// What is done.
    pub action: PromptAction,
    /// The commands that may be accepted, as globs; only with `kind = "permission"`.
    pub allow: Vec<String>,
    /// How often it may be answered within an hour.
    pub per_hour: u32,
}

/// One more window of a unit's session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Its name, as a unit's.
    pub name: String,
    /// The program and its arguments; empty: the shell of the user.
    pub command: Vec<String>,
    /// Where it starts; absolute.
    pub cwd: PathBuf,
}

choices! {
    /// What counts as ready.
    Ready {
        /// It is idle: ready to be given something.
        Idle = "idle",
        /// Its process runs.
        Running = "running",
    }

    /// When a unit is started again.
    Restart {
        /// Never.
        No = "no",
        /// After an exit that is no success, a signal, a hang, a timeout.
        OnFailure = "on-failure",
        /// After a signal, a hang, a timeout; not after an exit of its own.
        OnAbnormal = "on-abnormal",
        /// However it ended, unless by `stop`.
        Always = "always",
        /// As always, and what was stopped stays stopped when the guardian starts anew.
        UnlessStopped = "unless-stopped",
    }

    /// What is done when there were too many starts.
    LimitAction {
        /// It is held until someone says `start`.
        Hold = "hold",
    }

    /// How a unit is asked to end.
    StopMethod {
        /// As its profile knows.
        Profile = "profile",
        /// By a signal to its process group.
        Signal = "signal",
        /// By keys.
        Keys = "keys",
    }

    /// What a restarted unit goes on with.
    Resume {
        /// With nothing: it starts afresh.
        No = "no",
        /// With the session that it had, by its id, where its profile knows how.
        SessionId = "session-id",
    }

    /// What the memory of a unit is.
    MemoryScope {
        /// That of its process and all below it, added up by the guardian.
        Tree = "tree",
        /// That of a control group of its own, which the kernel keeps.
        Cgroup = "cgroup",
    }

    /// When a start afresh may happen.
    RestartAt {
        /// Once it is idle.
        Idle = "idle",
        /// At once.
        Any = "any",
    }

    /// What a unit asks.
    PromptKind {
        /// May a command run, may a file be changed.
        Permission = "permission",
        /// A question about its task.
        Question = "question",
        /// Is this plan right.
        Plan = "plan",
        /// Is this folder trusted.
        Trust = "trust",
        /// A form of a tool server.
        McpForm = "mcp-form",
        /// A menu that is open.
        Menu = "menu",
        /// Who are you.
        Login = "login",
        /// May it update itself.
        Update = "update",
    }

    /// What is done when a unit asks.
    PromptAction {
        /// Someone is told.
        Alert = "alert",
        /// Nothing: it waits, and nobody is told.
        Ignore = "ignore",
        /// It is answered yes, once.
        Accept = "accept",
        /// It is answered no.
        Refuse = "refuse",
    }
}

impl PromptKind {
    /// Can it be answered with yes or no?
    #[must_use]
    pub const fn is_yes_or_no(self) -> bool {
        matches!(
            self,
            Self::Permission | Self::Plan | Self::Trust | Self::Update
        )
    }
}
