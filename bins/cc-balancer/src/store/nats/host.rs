//! What one host has of the queue: its own store, the server, and what is known of that.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::Client;
use async_nats::connection::State as Connection;
use async_nats::jetstream::Context;
use async_nats::jetstream::context::ContextBuilder;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep};

use super::buckets::{Away, Buckets, Made};
use super::options::Options;
use super::record::{Flag, Record};
use super::writing::Coming;
use crate::store::StoreError;
use crate::store::sqlite::SqliteStore;
use crate::task::TaskId;

/// How long one answer of the server is waited for.
pub(super) const ANSWER: Duration = Duration::from_secs(2);
/// How long a server may be away until nothing is begun without asking it.
const AWAY: Duration = Duration::from_secs(3);
/// How often is looked whether it is back.
const LOOK: Duration = Duration::from_millis(20);
/// How many tasks may be changed at a time.
const TURNS: usize = 256;

/// What one host has of the queue.
#[derive(Debug)]
pub(super) struct Host {
    /// All tasks, as this host knows them.
    pub(super) local: SqliteStore,
    /// Who this is.
    pub(super) me: String,
    pub(super) client: Client,
    pub(super) jetstream: Context,
    pub(super) queue: String,
    pub(super) replicas: Option<usize>,
    /// How many servers are named.
    pub(super) servers: usize,
    pub(super) is_private: bool,
    pub(super) every: Duration,
    /// How long others may take to put back what the server has lost.
    pub(super) settling: Duration,
    pub(super) buckets: Mutex<Option<Arc<Buckets>>>,
    pub(super) made: Mutex<Option<Made>>,
    /// What the server has of each task, as far as that was heard.
    pub(super) known: Mutex<Knowledge>,
    /// What was heard last of each lease: which writing it was, and for how long it is good.
    pub(super) beats: Mutex<HashMap<TaskId, Beat>>,
    /// Leases of others: what of them was seen last, and when that was new.
    pub(super) looked: Mutex<HashMap<TaskId, Looked>>,
    /// When each of the other hosts was last heard of.
    pub(super) others: Mutex<HashMap<String, Instant>>,
    /// What the server had before it lost it, and has not again.
    pub(super) had: Mutex<HashSet<TaskId>>,
    /// Tasks that the server may not have as they are here.
    pub(super) outbox: Mutex<Outbox>,
    /// One at a time sees to the outbox, or begins something.
    pub(super) draining: tokio::sync::Mutex<()>,
    /// What is said of groups and accounts: the last writing of each.
    pub(super) flags: tokio::sync::Mutex<HashMap<String, u64>>,
    /// What the server was not told of them.
    pub(super) unsaid: Mutex<HashMap<String, Flag>>,
    /// Who has claimed a key and is not there yet.
    pub(super) coming: Mutex<Coming>,
    pub(super) phase: watch::Sender<Phase>,
    /// There is something in the outbox.
    pub(super) wake: Notify,
    /// The server may have lost something.
    pub(super) doubt: Notify,
    /// Since when the server does not do what it is asked.
    failing: Mutex<Option<Instant>>,
    turns: Vec<tokio::sync::Mutex<()>>,
}

/// What the server has.
#[derive(Debug, Default)]
pub(super) struct Knowledge {
    /// In which life of the bucket of tasks.
    pub(super) life: String,
    pub(super) tasks: HashMap<TaskId, Known>,
    /// Who has said that all that is known there is on the server: the first writing that it had then.
    pub(super) here: HashMap<String, u64>,
    /// The last writing that was heard of.
    pub(super) last: u64,
    /// Those that wait for one that is not known here, by that one.
    pub(super) waiting: HashMap<TaskId, Vec<TaskId>>,
}

/// What the server has of one task.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) revision: u64,
    /// As it stands there; not kept of what is over.
    pub(super) record: Option<Arc<Record>>,
}

/// What was heard of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Beat {
    pub(super) revision: u64,
    pub(super) lease: Duration,
}

/// What was seen of another host's lease, and when it was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Looked {
    pub(super) task: u64,
    pub(super) beat: u64,
    pub(super) steady: Duration,
}

/// Tasks in the order in which they came, each once.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    order: VecDeque<TaskId>,
    inside: HashSet<TaskId>,
}

impl Outbox {
    pub(super) fn push(&mut self, task: TaskId) {
        if self.inside.insert(task.clone()) {
            self.order.push_back(task);
        }
    }

    pub(super) fn push_first(&mut self, task: TaskId) {
        if self.inside.insert(task.clone()) {
            self.order.push_front(task);
        }
    }

    pub(super) fn pop(&mut self) -> Option<TaskId> {
        let task = self.order.pop_front()?;
        self.inside.remove(&task);
        Some(task)
    }
}

/// How far this host is with what the server has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Phase {
    /// Counts up when everything is to be heard anew.
    pub(super) hearing: u64,
    /// Counts up when what is not tasks is.
    pub(super) others: u64,
    /// Was everything heard that was there then?
    pub(super) is_whole: bool,
    /// Does the server know what is known here? Until then nothing is begun.
    pub(super) is_settled: bool,
}

/// What is inside, even where somebody panicked with it.
pub(super) fn inside<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Host {
    pub(super) fn new(options: Options, client: Client, is_private: bool) -> Self {
        let jetstream = ContextBuilder::new()
            .timeout(ANSWER)
            .ack_timeout(ANSWER)
            .build(client.clone());
        Self {
            local: options.local,
            me: options.host,
            client,
            jetstream,
            queue: options.queue,
            replicas: options.replicas,
            servers: options.reach.url.split(',').count(),
            is_private,
            every: options.every,
            settling: options.settling,
            buckets: Mutex::default(),
            made: Mutex::default(),
            known: Mutex::default(),
            beats: Mutex::default(),
            looked: Mutex::default(),
            others: Mutex::default(),
            had: Mutex::default(),
            outbox: Mutex::default(),
            draining: tokio::sync::Mutex::default(),
            flags: tokio::sync::Mutex::default(),
            unsaid: Mutex::default(),
            coming: Mutex::default(),
            phase: watch::Sender::default(),
            wake: Notify::new(),
            doubt: Notify::new(),
            failing: Mutex::new(Some(Instant::now())),
            turns: (0..TURNS).map(|_| tokio::sync::Mutex::default()).collect(),
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.client.connection_state() == Connection::Connected
    }

    /// May something be begun?
    pub(super) fn is_settled(&self) -> bool {
        self.is_connected() && self.phase.borrow().is_settled
    }

    /// May something be begun, if not now, then in a moment: another server may be reached, or lead?
    pub(super) async fn settles(&self) -> bool {
        while !self.is_settled() {
            let was_never = inside(&self.made).is_none();
            if was_never || self.is_failing() > AWAY {
                return false;
            }
            sleep(LOOK).await;
        }
        true
    }

    /// Was everything heard that the server has?
    pub(super) fn has_heard_all(&self) -> bool {
        self.phase.borrow().is_whole
    }

    pub(super) fn open_buckets(&self) -> Result<Arc<Buckets>, Away> {
        let buckets = inside(&self.buckets).clone();
        match buckets {
            Some(buckets) if self.is_connected() => Ok(buckets),
            _ => Err(Away("it is not reached".to_owned())),
        }
    }

    pub(super) fn known(&self, task: &TaskId) -> Option<Known> {
        inside(&self.known).tasks.get(task).cloned()
    }

    /// What the server has in that life of the bucket; what it had in another is of no use.
    pub(super) fn learn(&self, record: Record, revision: u64, life: &str) {
        let mut known = inside(&self.known);
        if known.life != life {
            return;
        }
        known.last = known.last.max(revision);
        let task = record.task.id.clone();
        inside(&self.had).remove(&task);
        let record = (!record.task.state.is_over()).then(|| Arc::new(record));
        known.tasks.insert(task, Known { revision, record });
    }

    /// One at a time changes a task.
    pub(super) async fn turn(&self, task: &TaskId) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(task);
        let at = usize::try_from(hash % 256).unwrap_or_default();
        match self.turns.get(at) {
            Some(turn) => Some(turn.lock().await),
            None => None,
        }
    }

    /// The server did what it was asked.
    pub(super) fn is_well(&self) {
        *inside(&self.failing) = None;
    }

    /// The server did not do what it was asked: for how long now.
    pub(super) fn is_failing(&self) -> Duration {
        inside(&self.failing)
            .get_or_insert_with(Instant::now)
            .elapsed()
    }

    /// Somebody is to look at the outbox.
    pub(super) fn later(&self, task: &TaskId) {
        inside(&self.outbox).push(task.clone());
        self.wake.notify_one();
    }
}

impl From<Away> for StoreError {
    fn from(away: Away) -> Self {
        Self::Broken(format!("the queue's server does not answer: {}", away.0))
    }
}
