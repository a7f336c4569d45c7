//! Tasks, and attempts at them.

mod id;
mod state;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use id::{NotAnId, TaskId};
pub use state::State;

/// What a worker must have, or has: `role=ci`.
pub type Labels = BTreeMap<String, String>;

/// What is asked for; it does not change while it waits, but by `edit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// The prompt; of a shell worker the command.
    pub text: String,
    /// A task, or a message for somebody.
    #[serde(default)]
    pub kind: Kind,
    /// What its worker must have.
    #[serde(default)]
    pub needs: Labels,
    /// Who alone may have it: a unit `coder`, an instance of one `coder@1`, or a pane `%3`.
    #[serde(default)]
    pub to: Option<String>,
    /// Its group, which has a parallelism.
    pub group: String,
    /// Higher first. One more is worth ten minutes of waiting.
    #[serde(default)]
    pub priority: i32,
    /// Who asks, so that nobody crowds out others.
    pub submitter: String,
    /// Of two with the same key there is only the first.
    #[serde(default)]
    pub key: Option<String>,
    /// What must be done before.
    #[serde(default)]
    pub after: Vec<TaskId>,
    /// Not before that.
    #[serde(default)]
    pub not_before: Option<Timestamp>,
    /// How long an attempt may take.
    #[serde(default)]
    pub timeout: Option<Duration>,
    /// What becomes of it when an attempt fails.
    #[serde(default)]
    pub retry: Retry,
    /// What must end with 0 for it to be done: argv, never a shell string.
    #[serde(default)]
    pub check: Option<Vec<String>>,
    /// Where the check runs.
    #[serde(default)]
    pub cwd: Option<PathBuf>,
    /// Tasks of the same affinity go to the same worker where that is free.
    #[serde(default)]
    pub affinity: Option<String>,
}

/// What something in the queue is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It is done when its worker says so.
    #[default]
    Task,
    /// It is done when it has arrived; messages to one recipient arrive in the order in which they were
    /// added, each at least once and always with the same id.
    Message,
}

/// What becomes of a task when an attempt at it fails.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Retry {
    /// How often it is tried again.
    pub max: u32,
    /// How long before the first time.
    pub backoff: Duration,
    /// By what that grows each time.
    pub factor: f64,
    /// How long at most.
    pub most: Duration,
}

impl Eq for Retry {}

impl Default for Retry {
    /// Not at all.
    fn default() -> Self {
        Self {
            max: 0,
            backoff: Duration::from_secs(60),
            factor: 3.0,
            most: Duration::from_secs(30 * 60),
        }
    }
}

/// A task as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Which.
    pub id: TaskId,
    /// What is asked for.
    pub spec: Spec,
    /// What is known of it.
    pub state: State,
    /// Why it is in that state, where that is not plain: `after 1a2b..`, `uncertain: ..`, `permission`.
    pub why: Option<String>,
    /// When it was added.
    pub added: Timestamp,
    /// When it can be tried first, or again.
    pub not_before: Option<Timestamp>,
    /// Attempts that count.
    pub attempts: u32,
    /// Attempts that do not: its worker was limited, or was lost before anything was typed.
    pub returned: u32,
    /// The attempt that is under way, or the last.
    pub attempt: Option<Attempt>,
    /// Is it to be cancelled: `Some(true)` by force.
    pub cancel: Option<bool>,
    /// When it was over.
    pub ended: Option<Timestamp>,
    /// The exit code of its command, or of its check where that failed.
    pub exit: Option<i32>,
}

/// The right to say something of an attempt: whoever has an older number is not heard.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fence {
    /// Of which task.
    pub task: TaskId,
    /// Which attempt, counted from 1, all of them.
    pub number: u32,
}

/// One attempt at a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Counted from 1, all of them.
    pub number: u32,
    /// What ties what is seen in a pane to this attempt. It is no secret, and allows nothing.
    pub nonce: String,
    /// The balancer that has it, by its host and state.
    pub host: String,
    /// Where.
    pub worker: Worker,
    /// When it was taken.
    pub leased: Timestamp,
    /// When its prompt was in.
    pub started: Option<Timestamp>,
    /// When it was over.
    pub ended: Option<Timestamp>,
    /// How, in one word and more: `done`, `failed: exit 3`, `lost: ..`, `returned: limited`.
    pub outcome: Option<String>,
    /// Had the attempt before it lost its lease, so that what it did may be done twice?
    pub after_lost: bool,
}

/// Who works: a pane in one life of a tmux server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Worker {
    /// The guardian's name of it, where a guardian has it.
    pub unit: Option<String>,
    /// The socket of its server.
    pub socket: String,
    /// Which life of the server: `PID.START`.
    pub server: String,
    /// Its pane, `%3`.
    pub pane: String,
    /// The credential that it works on.
    pub account: Option<String>,
}

/// What came of a task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// What was printed in the turn, rendered, without secrets.
    pub text: String,
    /// Is this only the end of the text, since it was longer than is kept or than the pane still has?
    pub is_cut: bool,
    /// The exit code of a command.
    pub exit: Option<i32>,
    /// What the check printed.
    pub check: Option<String>,
}
