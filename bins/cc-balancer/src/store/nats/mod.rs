//! Tasks of many hosts in one queue, with NATS JetStream between them.
//!
//! **Each host keeps all tasks** in a SQLite store of its own, hears how those of the others stand, and
//! answers everything from there: what is next is decided as on one host, by the same rules. What is done
//! here is done in the own store first and then written to the server, which refuses it where somebody else
//! has written since; then it was not done, and what the server has is taken over. So:
//!
//! - **An added task is there** once it is in the own store, whether the server is reached or not. It is an
//!   outbox: what the server does not have, because it was away, it is told by who added it; what it has
//!   lost, by whoever knows it.
//! - **A server that has lost everything** is told first what is under way and what is over, by each host. What
//!   waits is added again when all hosts that were heard of in the last half minute have done that, or after
//!   15 seconds: then those that have not may have begun it, and its next attempt is flagged (`after_lost`).
//!   A bucket that is made anew is another one: what is written with the old one in mind is not taken.
//! - **Whoever is asked for a task knows it**, by its whole id, also where another host has added it a moment
//!   ago: what is not known here is asked of the server, for a second.
//! - **Two never begin the same attempt**: beginning is a writing, and of two writings on the same state the
//!   server takes one.
//! - **An attempt is its host's until its lease is over.** Others see each beat as a new writing and count
//!   from when they saw the last one, on their own clock: nobody's clock needs to agree with another's. They
//!   wait half as long again, so that the host has given up first; the next attempt is flagged
//!   (`after_lost`).
//! - **A host that does not reach the server** adds tasks and answers questions. It begins nothing, and what
//!   it has under way is lost when its lease runs out: somebody else may have it then.
//!   [`StoreError::Broken`] of [`beat`](super::Store::beat), [`step`](super::Store::step) and [`end`](super::Store::end) means "not now": ask
//!   again, as long as it is not [`StoreError::Lost`].
//!
//! | Bucket | Key | In it | Written by |
//! |---|---|---|---|
//! | `cc_task` | `LIFE.id` | the task, its last attempts and events (JSON, `v` 1) | who changes it; with the revision it has seen |
//! | | `LIFE.host.HASH` | a host, and the first writing there when all that it knows was there | that host, each time it has looked |
//! | `cc_result` | id | what came of it, cut to what the server takes at a time | who ended it, before the task is over in `cc_task` |
//! | `cc_lease` | id | attempt and length of its lease; forgotten after a day | who has it, with each beat |
//! | `cc_flag` | `group.HASH`, `account.HASH`, `key.HASH` | what is said of a group or an account, and the id of the task with a key | who says it; the last one holds, of keys the first |
//!
//! Limits of groups and accounts count what is under way on all hosts, as far as this one has heard: two that
//! begin something in the same moment can go over a limit by one each. Of two tasks with the same key that
//! are added on two hosts before they have heard of each other, the one that gets to the server second is
//! cancelled.
//!
//! It uses nothing that nats-server 2.9 does not have. What a server promises of what it has acknowledged is
//! said by [`findings`].

mod attempts;
mod buckets;
mod changing;
mod durability;
mod following;
mod host;
mod look;
mod migrate;
mod options;
mod outbox;
mod rebuilding;
mod record;
mod sharing;
mod writing;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Query, Store as _, StoreError};
use crate::task::{State, Task};
use following::Followed;
use host::{Host, inside};
use options::News;

pub use durability::{Facts, Finding, Weight, findings};
pub use look::{Looked, look};
pub use migrate::{MigrateError, Migrated, migrate};
pub use options::{ConnectError, Login, Options, Reach, Tls, servers};

/// How long a server may take to be reached until it is taken for away.
const REACHED: Duration = Duration::from_millis(500);
/// How long one that is reached may take until things are begun.
const READY: Duration = Duration::from_secs(2);
/// A store that shares its tasks with other hosts.
pub struct NatsStore {
    host: Arc<Host>,
    work: Mutex<JoinSet<()>>,
}

impl fmt::Debug for NatsStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsStore")
            .field("host", &self.host.me)
            .field("local", &self.host.local)
            .finish_non_exhaustive()
    }
}

impl NatsStore {
    /// Shares the tasks of that store. A server that is not reached is no error: what is added is there,
    /// and nothing is begun until it is.
    ///
    /// # Errors
    /// When the addresses, the files or the store cannot be used.
    pub async fn connect(options: Options) -> Result<Self, ConnectError> {
        options::named(&options.queue)?;
        let is_private = options::is_private(&options.reach)?;
        let local = options.local.share().await;
        local.map_err(|error| ConnectError::Client(error.to_string()))?;
        let came = Arc::new(tokio::sync::Notify::new());
        let comes = Arc::clone(&came);
        let said = Arc::new(Mutex::new(String::new()));
        let hear = move |news| {
            if news == News::Connected {
                comes.notify_one();
            }
            tell(&news, &mut inside(&said));
        };
        let client = options::connect(&options.reach, &options.host, hear).await?;
        let host = Arc::new(Host::new(options, client, is_private));
        let mut work = JoinSet::new();
        for what in [Followed::Tasks, Followed::Leases, Followed::Flags] {
            work.spawn(following::follow(Arc::clone(&host), what));
        }
        work.spawn(following::listen(Arc::clone(&host)));
        work.spawn(outbox::check(Arc::clone(&host)));
        work.spawn(outbox::drain(Arc::clone(&host)));
        let woken = Arc::clone(&host);
        work.spawn(async move {
            loop {
                came.notified().await;
                woken.connected();
            }
        });
        let store = Self {
            host,
            work: Mutex::new(work),
        };
        let mut phase = store.host.phase.subscribe();
        let reached = timeout(REACHED, phase.wait_for(|phase| phase.hearing > 0));
        if reached.await.is_ok() {
            store.ready(READY).await;
        }
        Ok(store)
    }

    /// Waits until the server is reached and knows what is known here; `false` when that takes longer.
    pub async fn ready(&self, within: Duration) -> bool {
        let mut phase = self.host.phase.subscribe();
        let ready = timeout(within, phase.wait_for(|phase| phase.is_settled)).await;
        matches!(ready, Ok(Ok(_))) && self.host.is_connected()
    }

    /// How many tasks that are not over the server does not have, as far as is known.
    ///
    /// # Errors
    /// When the own store does not work.
    pub async fn unpublished(&self) -> Result<usize, StoreError> {
        let states = State::ALL.into_iter().filter(|state| !state.is_over());
        let query = Query {
            states: states.collect(),
            ..Query::default()
        };
        let all = self.host.local.tasks(query).await?;
        let is_left = |task: &&Task| self.host.known(&task.id).is_none();
        Ok(all.iter().filter(is_left).count())
    }

    /// What is known of the server, for [`findings`].
    #[must_use]
    pub fn facts(&self) -> Facts {
        let info = self.host.client.try_server_info().unwrap_or_default();
        let buckets = inside(&self.host.buckets).clone();
        Facts {
            version: info.version,
            keeps: info.jetstream,
            cluster: info.cluster,
            replicas: buckets.map(|buckets| buckets.replicas()),
            is_private: self.host.is_private,
        }
    }

    /// Whether the server is reached.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.host.is_connected()
    }
}

/// Writes down what happens to a connection: what goes wrong at each try, once.
fn tell(news: &News, said: &mut String) {
    match news {
        News::Connected => {
            said.clear();
            tracing::info!("connected to the queue's server");
        }
        News::Wrong(error) if said == error => {}
        News::Wrong(error) => {
            said.clone_from(error);
            tracing::warn!(error, "the queue's server");
        }
        News::Other(news) => tracing::info!(news, "the queue's server"),
    }
}

impl Host {
    /// The connection is there, perhaps again.
    fn connected(&self) {
        self.doubt.notify_one();
        self.wake.notify_one();
    }
}
