//! How this host hears what others do: it follows what is written, and keeps it.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::kv::{Entry, Operation, Store as Bucket};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep, timeout};
use tokio_stream::StreamExt as _;

use super::buckets::{Away, Buckets, Found};
use super::host::{ANSWER, Beat, Host, Phase, inside};
use super::record::{Flag, Record};
use super::writing::Held;
use crate::store::{Account, Group, Query, Store as _, StoreError};
use crate::task::{State, TaskId};

/// How long until what cannot be followed is tried again.
const AGAIN: Duration = Duration::from_millis(100);
/// How long the servers may take to say that something is followed; half as long again each time, up to
/// [`ANSWER`]. One of them is chosen to do it, for minutes perhaps one that is away, which never says anything:
/// asked again, another one is chosen (nats-server 2.9: at random, an answer comes within milliseconds).
const CHOSEN: Duration = Duration::from_millis(200);
/// How long the server may take to go on with what is there.
const SILENCE: Duration = Duration::from_secs(5);
/// How long a task may take from its host to the server, after which nobody has it.
const JUST_ADDED: Duration = Duration::from_secs(1);
/// How often is looked whether it is there.
const LOOK: Duration = Duration::from_millis(20);

/// What is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Followed {
    /// Tasks.
    Tasks,
    /// How attempts are held up.
    Leases,
    /// What holds for all hosts.
    Flags,
}

impl Followed {
    const fn bucket(self, buckets: &Buckets) -> &Bucket {
        match self {
            Self::Tasks => &buckets.tasks,
            Self::Leases => &buckets.leases,
            Self::Flags => &buckets.flags,
        }
    }
}

impl Phase {
    /// Another one is to be heard from the beginning.
    const fn to_hear(self, what: Followed) -> (u64, u64) {
        match what {
            Followed::Tasks => (self.hearing, 0),
            Followed::Leases | Followed::Flags => (self.hearing, self.others),
        }
    }
}

/// Follows it, for as long as this host lives.
pub(super) async fn follow(host: Arc<Host>, what: Followed) {
    let mut phase = host.phase.subscribe();
    let mut patience = CHOSEN;
    loop {
        let said = phase.borrow_and_update().to_hear(what);
        let hearing = said.0;
        let buckets = inside(&host.buckets).clone();
        let Some(buckets) = buckets else {
            if phase.changed().await.is_err() {
                return;
            }
            continue;
        };
        let changed = async {
            while phase.borrow_and_update().to_hear(what) == said {
                if phase.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = changed => {}
            heard = host.hear(what, &buckets, hearing, &mut patience) => {
                if let Err(error) = heard {
                    tracing::debug!(?what, %error, "cannot follow");
                }
                sleep(AGAIN).await;
            }
        }
    }
}

/// Looks at what happens in the own store: the server is to have it.
pub(super) async fn listen(host: Arc<Host>) {
    let mut changes = host.local.changes();
    loop {
        match changes.recv().await {
            Ok(event) => host.later(&event.task),
            Err(RecvError::Lagged(_)) => {
                if let Err(error) = host.all_later().await {
                    tracing::warn!(%error, "cannot look at all tasks");
                }
            }
            Err(RecvError::Closed) => return,
        }
    }
}

impl Host {
    /// Looks again at all that is not over.
    pub(super) async fn all_later(&self) -> Result<(), StoreError> {
        let states = State::ALL.into_iter().filter(|state| !state.is_over());
        let query = Query {
            states: states.collect(),
            ..Query::default()
        };
        for task in self.local.tasks(query).await?.iter().rev() {
            self.later(&task.id);
        }
        Ok(())
    }

    async fn hear(
        &self,
        what: Followed,
        buckets: &Buckets,
        hearing: u64,
        patience: &mut Duration,
    ) -> Result<(), StoreError> {
        let bucket = what.bucket(buckets);
        let away = |error: &dyn std::fmt::Display| StoreError::from(Away(error.to_string()));
        // All that is there, as there is one writing by each key. Asked for the last by each key, nats-server
        // 2.9 never says anything where the first of them is written again in that moment.
        let entries = timeout(*patience, bucket.watch_from_revision(">", 1)).await;
        *patience = match entries {
            Ok(_) => CHOSEN,
            Err(_) => (*patience * 3 / 2).min(ANSWER),
        };
        let entries = entries.map_err(|_| away(&"nobody follows what it is told"))?;
        let mut entries = entries.map_err(|error| away(&error))?;
        let last = async || {
            let there = bucket.stream.get_info().await;
            let there = there.map_err(|error| away(&error))?;
            Ok::<_, StoreError>((there.state.messages, there.state.last_sequence))
        };
        let (many, mut until) = last().await?;
        // In the order in which they were added, which is not the one in which they were written last.
        let mut first = Some(Vec::new());
        let mut has_come_to_end = false;
        if many == 0 {
            first = None;
            self.is_whole(what, hearing).await?;
        }
        loop {
            let next = match first {
                Some(_) => timeout(SILENCE, entries.next()).await,
                None => Ok(entries.next().await),
            };
            let next = next.map_err(|_| away(&"what is there is not said"))?;
            let Some(entry) = next else {
                return Ok(());
            };
            let mut entry = entry.map_err(|error| away(&error))?;
            if what == Followed::Tasks {
                let Some(name) = entry.key.strip_prefix(buckets.life()) else {
                    continue;
                };
                entry.key = name.to_owned();
            }
            // The server's count of what is still to come is wrong where that was written again meanwhile:
            // then it comes later, under another number.
            let mut is_last = entry.seen_current;
            if first.is_some() && !is_last && entry.revision >= until {
                until = last().await?.1;
                is_last = has_come_to_end || entry.revision >= until;
                has_come_to_end = true;
            }
            match &mut first {
                Some(first) if what == Followed::Tasks => first.push(entry),
                _ => self.heard(what, entry, buckets.life()).await?,
            }
            if is_last && let Some(entries) = first.take() {
                for entry in &entries {
                    self.heard_host(entry, buckets.life());
                }
                for (task, found) in sorted(entries, buckets.life()) {
                    self.heard_task(&task, found).await?;
                }
                self.is_whole(what, hearing).await?;
            }
        }
    }

    /// All that was there was heard.
    async fn is_whole(&self, what: Followed, hearing: u64) -> Result<(), StoreError> {
        if what != Followed::Tasks {
            return Ok(());
        }
        self.phase.send_if_modified(|phase| {
            let is_news = phase.hearing == hearing && !phase.is_whole;
            phase.is_whole |= is_news;
            is_news
        });
        match self.has_heard_all() {
            true => self.wait_no_more().await,
            false => Ok(()),
        }
    }

    async fn heard(&self, what: Followed, entry: Entry, life: &str) -> Result<(), StoreError> {
        match what {
            Followed::Tasks => {
                self.heard_host(&entry, life);
                match found(entry, life) {
                    Some((task, found)) => self.heard_task(&task, found).await,
                    None => Ok(()),
                }
            }
            Followed::Leases => {
                let held = serde_json::from_slice::<Held>(&entry.value);
                if let (Ok(task), Ok(held)) = (entry.key.parse::<TaskId>(), held) {
                    let (revision, lease) = (entry.revision, held.lease);
                    inside(&self.beats).insert(task, Beat { revision, lease });
                }
                Ok(())
            }
            Followed::Flags => match serde_json::from_slice::<Flag>(&entry.value) {
                Ok(flag) => self.heard_flag(flag, entry.revision).await,
                Err(_) => Ok(()),
            },
        }
    }

    async fn heard_task(&self, task: &TaskId, found: Found) -> Result<(), StoreError> {
        let _turn = self.turn(task).await;
        let known = self.known(task).map(|known| known.revision);
        match known.is_some_and(|known| known >= found.revision) {
            true => Ok(()),
            false => self.take(task, found).await,
        }
    }

    /// Asks the server for a task that is not known here: another host may just have added it. Is it heard
    /// of now?
    pub(super) async fn looked_for(&self, task: &TaskId) -> Result<bool, StoreError> {
        let began = Instant::now();
        while self.is_settled() && began.elapsed() < JUST_ADDED {
            let Ok(found) = self.open_buckets()?.read(task).await else {
                return Ok(false);
            };
            if found.revision > 0 {
                self.heard_task(task, found).await?;
                return Ok(true);
            }
            sleep(LOOK).await;
        }
        Ok(false)
    }

    async fn heard_flag(&self, flag: Flag, revision: u64) -> Result<(), StoreError> {
        let mut flags = self.flags.lock().await;
        let known = flags.entry(flag.key()).or_default();
        if *known >= revision {
            return Ok(());
        }
        *known = revision;
        match &flag {
            Flag::Group {
                name,
                parallel,
                is_paused,
            } => {
                let groups = self.local.groups().await?;
                let is_so = |group: &Group| Flag::of_group(group) == flag;
                match groups.iter().any(is_so) {
                    true => Ok(()),
                    false => self.local.set_group(name, *parallel, *is_paused).await,
                }
            }
            Flag::Account {
                name,
                parallel,
                limited_until,
                why,
            } => {
                let accounts = self.local.accounts().await?;
                let is_so = |account: &Account| Flag::of_account(account) == flag;
                if accounts.iter().any(is_so) {
                    return Ok(());
                }
                self.local.set_account(name, *parallel).await?;
                let why = why.as_deref().unwrap_or_default();
                self.local.limit(name, *limited_until, why).await
            }
        }
    }
}

fn found(entry: Entry, life: &str) -> Option<(TaskId, Found)> {
    let task = entry.key.parse().ok()?;
    let record = match entry.operation {
        Operation::Put => match Record::read(&entry.value) {
            Some(record) => Some(record),
            None => {
                tracing::warn!(%task, "what the server has of a task is not understood");
                return None;
            }
        },
        Operation::Delete | Operation::Purge => None,
    };
    let found = Found {
        record,
        revision: entry.revision,
        life: life.to_owned(),
    };
    Some((task, found))
}

fn sorted(entries: Vec<Entry>, life: &str) -> Vec<(TaskId, Found)> {
    let found = |entry| found(entry, life);
    let mut all: Vec<_> = entries.into_iter().filter_map(found).collect();
    all.sort_by_key(|(_, found)| {
        let added = found.record.as_ref().map(|record| record.task.added);
        (added, found.revision)
    });
    all
}
