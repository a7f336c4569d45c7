//! Where tasks are kept: one trait, and whoever implements it passes one suite.
//!
//! What every engine promises:
//!
//! - **An added task is there** once `add` has answered, whatever is killed then.
//! - **At least once, one attempt at a time.** Each attempt has a [`Fence`]; whoever lost it is refused
//!   with [`StoreError::Lost`], and changes nothing.
//! - **A lease is a time** on a clock that goes on in suspend and is not set: see [`Now`]. What is not
//!   held up by [`Store::beat`] for that long is given up by [`Store::expire`], and the next attempt says
//!   so (`after_lost`).
//! - **Nothing is forgotten**: what came of each attempt stays, as long as the task does.

pub mod nats;
pub mod sqlite;

use std::fmt::Debug;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use crate::task::{Attempt, Fence, Kind, Labels, Outcome, Spec, State, Task, TaskId, Worker};

pub use sqlite::SqliteStore;

/// What a store answers, later.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A moment, on two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// To show, and for what is to happen at a time of day.
    pub wall: Timestamp,
    /// For leases: since boot, suspend included.
    pub steady: Duration,
}

/// Why a store does not do what it is asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no such task.
    #[error("there is no task {0}")]
    Unknown(String),
    /// More than one task begins like that.
    #[error("more than one task begins with {0:?}")]
    Ambiguous(String),
    /// The lease of that attempt is somebody else's now, or the task is over.
    #[error("attempt {} at {} has lost its lease", .0.number, .0.task)]
    Lost(Fence),
    /// It is not in a state for that.
    #[error("{task} is {state}")]
    NotNow {
        /// Which.
        task: TaskId,
        /// What it is in.
        state: State,
    },
    /// Its disk is full.
    #[error("there is no space left for the store")]
    Full,
    /// It cannot be used: in words.
    #[error("the store cannot be used: {0}")]
    Broken(String),
}

/// What came of adding a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Added {
    /// Its id; of the first with that key.
    pub id: TaskId,
    /// Was there one with that key already?
    pub was_there: bool,
}

/// A worker that is free, and what it may be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Who.
    pub worker: Worker,
    /// What it has.
    pub labels: Labels,
    /// Which `to` means it: `coder`, `coder@1`, `%3`.
    pub names: Vec<String>,
    /// Which kinds it takes. A worker that shows a prompt takes both; one that may only be written to
    /// takes messages.
    pub kinds: Vec<Kind>,
    /// The groups that it serves; empty: all.
    pub groups: Vec<String>,
    /// The affinity of what it did last.
    pub affinity: Option<String>,
    /// How many of its last attempts failed.
    pub failures: u32,
    /// How long it has been idle.
    pub idle: Duration,
}

/// A task that was pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leased {
    /// The task, with its new attempt.
    pub task: Task,
    /// The right to go on with it.
    pub fence: Fence,
    /// Which of the offers it goes to.
    pub offer: usize,
}

/// How an attempt goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// From now on something may have been typed.
    Delivering,
    /// Its prompt is in.
    Running,
    /// The worker waits for a person: what for.
    Blocked(String),
    /// The worker says that it is done.
    Verifying,
}

/// How an attempt ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It is done.
    Done(Outcome),
    /// It ran, and failed: why. Tried again as the task says, else `failed`.
    Failed(String, Outcome),
    /// Nothing came of it that counts: its account is limited, its worker went before anything was
    /// typed. Queued again, not before that.
    Returned(String, Option<Timestamp>),
    /// It was under way, and its worker is gone or was made safe: why. Tried again as the task says,
    /// flagged; else `dead`. A message is delivered again, however often that takes.
    Lost(String),
    /// Something was typed, and nobody knows what became of it: `held`, until somebody looks. A message
    /// is delivered again.
    Uncertain(String),
    /// It was cancelled, and its worker is safe.
    Cancelled(Outcome),
}

/// What came of asking to cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cancelling {
    /// It is cancelled.
    Cancelled,
    /// A worker has it, who is told.
    Asked,
    /// It was over before.
    Over,
}

/// Which tasks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// In one of these states; empty: in any.
    #[serde(default)]
    pub states: Vec<State>,
    /// That need all of these.
    #[serde(default)]
    pub needs: Labels,
    /// Of that group.
    #[serde(default)]
    pub group: Option<String>,
    /// For that recipient.
    #[serde(default)]
    pub to: Option<String>,
    /// Of that kind.
    #[serde(default)]
    pub kind: Option<Kind>,
    /// The most, the newest first; 0: all.
    #[serde(default)]
    pub most: u32,
}

/// How many tasks are in each state.
pub type Counts = std::collections::BTreeMap<State, u64>;

/// A group of tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// How many of it may be under way; `None`: as many as there are workers.
    pub parallel: Option<u32>,
    /// Is nothing of it begun?
    pub is_paused: bool,
    /// How many wait.
    pub queued: u64,
    /// How many are under way.
    pub under_way: u64,
}

/// A credential that workers share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// How many may be under way on it; `None`: any number.
    pub parallel: Option<u32>,
    /// Until when nothing is begun on it; a time far away: until `clear`.
    pub limited_until: Option<Timestamp>,
    /// What was said of that.
    pub why: Option<String>,
    /// How many are under way.
    pub under_way: u64,
}

/// Something that happened to a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// To which.
    pub task: TaskId,
    /// In which attempt, if in one.
    pub attempt: Option<u32>,
    /// What: `added`, `leased`, `delivering`, `running`, `blocked`, `verifying`, `done`, `failed`,
    /// `returned`, `lost`, `uncertain`, `retry`, `cancel`, `cancelled`, `held`, `released`, `edited`,
    /// `dead`, `expired`, `note`.
    pub kind: String,
    /// More of it.
    pub detail: Option<String>,
}

/// What may be changed of a task that waits. `None` changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// Its text.
    pub text: Option<String>,
    /// Its priority.
    pub priority: Option<i32>,
    /// What its worker must have.
    pub needs: Option<Labels>,
}

/// A queue of tasks.
pub trait Store: Debug + Send + Sync {
    /// Adds a task: when it answers, the task is there to stay.
    fn add(&self, spec: Spec, now: Now) -> Answer<'_, Added>;

    /// One task, by the beginning of its id.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], [`StoreError::Ambiguous`].
    fn task<'a>(&'a self, beginning: &'a str) -> Answer<'a, Task>;

    /// Those that are asked for.
    fn tasks(&self, query: Query) -> Answer<'_, Vec<Task>>;

    /// How many there are in each state.
    fn counts(&self) -> Answer<'_, Counts>;

    /// All attempts at a task, the first one first.
    fn attempts<'a>(&'a self, task: &'a TaskId) -> Answer<'a, Vec<Attempt>>;

    /// What came of it; `None` while nothing has.
    fn outcome<'a>(&'a self, task: &'a TaskId) -> Answer<'a, Option<Outcome>>;

    /// What happened to it, the first first.
    fn events<'a>(&'a self, task: &'a TaskId) -> Answer<'a, Vec<Event>>;

    /// Writes down something that happened to it and changes nothing.
    fn note<'a>(&'a self, task: &'a TaskId, detail: String, now: Now) -> Answer<'a, ()>;

    /// Takes the next task for one of these workers: leased for that long, in the order of
    /// [`policy`](crate::policy). `host` says whose it is.
    fn pull<'a>(
        &'a self,
        host: &'a str,
        offers: &'a [Offer],
        lease: Duration,
        now: Now,
    ) -> Answer<'a, Option<Leased>>;

    /// When something may be pulled that cannot be now, where time alone makes it so.
    fn next_due(&self, now: Now) -> Answer<'_, Option<Timestamp>>;

    /// Holds up a lease for that long from now.
    ///
    /// # Errors
    /// [`StoreError::Lost`]; and at once [`StoreError::Broken`] where the store is elsewhere and not reached:
    /// there will be another beat.
    fn beat<'a>(&'a self, fence: &'a Fence, lease: Duration, now: Now) -> Answer<'a, ()>;

    /// Goes on with an attempt.
    ///
    /// # Errors
    /// [`StoreError::Lost`].
    fn step<'a>(&'a self, fence: &'a Fence, step: Step, now: Now) -> Answer<'a, ()>;

    /// Ends an attempt, and says what its task is in then.
    ///
    /// # Errors
    /// [`StoreError::Lost`].
    fn end<'a>(&'a self, fence: &'a Fence, end: End, now: Now) -> Answer<'a, State>;

    /// Those that a balancer of that host has under way: of an earlier life too. It may go on with them,
    /// until their leases run out.
    fn under_way<'a>(&'a self, host: &'a str) -> Answer<'a, Vec<Task>>;

    /// Gives up what was not held up for as long as its lease said: [`End::Lost`], or, where nothing was
    /// typed, [`End::Returned`]. Says which.
    fn expire(&self, now: Now) -> Answer<'_, Vec<Fence>>;

    /// Wants it no more; `force` ends the program that works on it.
    fn cancel<'a>(&'a self, task: &'a TaskId, force: bool, now: Now) -> Answer<'a, Cancelling>;

    /// Queues it again, from the beginning: one that is over or held.
    ///
    /// # Errors
    /// [`StoreError::NotNow`] while it waits or is under way.
    fn retry<'a>(&'a self, task: &'a TaskId, now: Now) -> Answer<'a, ()>;

    /// Keeps one that waits from being begun, or no longer.
    ///
    /// # Errors
    /// [`StoreError::NotNow`].
    fn hold<'a>(&'a self, task: &'a TaskId, held: bool, now: Now) -> Answer<'a, ()>;

    /// Changes one that waits.
    ///
    /// # Errors
    /// [`StoreError::NotNow`].
    fn edit<'a>(&'a self, task: &'a TaskId, edit: Edit, now: Now) -> Answer<'a, ()>;

    /// Forgets one that is over.
    ///
    /// # Errors
    /// [`StoreError::NotNow`].
    fn remove<'a>(&'a self, task: &'a TaskId, now: Now) -> Answer<'a, ()>;

    /// Forgets what was over before that, and says how many.
    fn tidy(&self, before: Timestamp) -> Answer<'_, u64>;

    /// All groups.
    fn groups(&self) -> Answer<'_, Vec<Group>>;

    /// Says how many of a group may be under way, and whether any is begun.
    fn set_group<'a>(
        &'a self,
        name: &'a str,
        parallel: Option<u32>,
        is_paused: bool,
    ) -> Answer<'a, ()>;

    /// All accounts.
    fn accounts(&self) -> Answer<'_, Vec<Account>>;

    /// Says how many may be under way on an account.
    fn set_account<'a>(&'a self, name: &'a str, parallel: Option<u32>) -> Answer<'a, ()>;

    /// Begins nothing on an account until then; `None` ends that.
    fn limit<'a>(&'a self, name: &'a str, until: Option<Timestamp>, why: &'a str)
    -> Answer<'a, ()>;

    /// What happens from now on. Whoever is too slow misses some, and is told so.
    fn changes(&self) -> broadcast::Receiver<Event>;

    /// Writes a copy that can be opened, while it goes on.
    fn backup<'a>(&'a self, to: &'a Path) -> Answer<'a, ()>;

    /// Waits until everything is down, and ends.
    fn close(&self) -> Answer<'_, ()>;
}
