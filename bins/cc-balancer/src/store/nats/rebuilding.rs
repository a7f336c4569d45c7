//! What a server has lost is put there again, before anything is begun from there.
//!
//! A task that nobody has heard of is added again as it was: it waits. But another host may have begun it, or
//! even be done with it, so that it would be begun twice. Therefore each host first writes what it knows to be
//! under way or over, then that it has done so (key `host.HASH` of the bucket of tasks, written again each
//! time it has looked), and waits until all those that were heard of lately have. Of a host that does not say
//! so in time nobody knows: what waits then counts as begun there and lost, and the next attempt is flagged.

use std::time::Duration;

use async_nats::jetstream::kv::Entry;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::buckets::{Away, Buckets};
use super::host::{Host, Knowledge, inside};
use super::record::{by_chance, hashed};
use super::writing::Unwritten;
use crate::store::{Now, Query, Store as _, StoreError};
use crate::task::{Attempt, State, Task, TaskId, Worker};

/// A host that was not heard of for that long was away before: its leases are looked after as always.
const LATELY: Duration = Duration::from_secs(30);
/// Of what was over before that long, everybody had heard.
const RECENT: Duration = Duration::from_secs(3600);
/// How often is looked whether they have.
const LOOK: Duration = Duration::from_millis(20);

/// What a host says of itself.
#[derive(Debug, Serialize, Deserialize)]
struct Here {
    name: String,
    /// The first writing that the bucket had when it had all that is known there.
    first: u64,
    /// It goes, and leaves nothing.
    is_gone: bool,
}

impl Host {
    /// Did the server have it before it lost everything?
    pub(super) fn had(&self, task: &TaskId) -> bool {
        inside(&self.had).contains(task)
    }

    /// The server has nothing, as far as is known.
    pub(super) fn forget_known(&self, life: &str) {
        let mut known = inside(&self.known);
        let waiting = std::mem::take(&mut known.waiting);
        let new = Knowledge {
            life: life.to_owned(),
            waiting,
            ..Knowledge::default()
        };
        let before = std::mem::replace(&mut *known, new).tasks;
        let waited = before.into_iter().filter(|(_, had)| had.record.is_some());
        inside(&self.had).extend(waited.map(|(task, _)| task));
    }

    /// Puts back what nobody is to begin: what is known to be under way and, where the server has lost
    /// something, what others may not have heard to be over.
    pub(super) async fn put_back(&self, is_first: bool, is_lost: bool) -> Result<(), StoreError> {
        let under_way = State::ALL.into_iter().filter(|state| state.is_under_way());
        let query = Query {
            states: under_way.collect(),
            ..Query::default()
        };
        {
            let _one = self.draining.lock().await;
            for task in self.local.tasks(query).await? {
                self.sync(&task.id).await?;
            }
        }
        let since = Timestamp::now().checked_sub(RECENT).unwrap_or_default();
        match is_lost {
            true => self.over_again(is_first, since).await,
            false => Ok(()),
        }
    }

    /// What is over since then is so for those too who did not hear of it before the server lost it.
    pub(super) async fn over_again(
        &self,
        is_first: bool,
        since: Timestamp,
    ) -> Result<(), StoreError> {
        let over = State::ALL.into_iter().filter(|state| state.is_over());
        let query = Query {
            states: over.collect(),
            ..Query::default()
        };
        let all = self.local.tasks(query).await?;
        let is_since = |task: &&Task| task.ended.is_none_or(|ended| ended >= since);
        for task in all.iter().filter(is_since) {
            let _turn = self.turn(&task.id).await;
            let Some(whole) = self.local.whole(&task.id).await? else {
                continue;
            };
            let is_wanted = !is_first || whole.home.is_some();
            if !is_wanted || !whole.task.state.is_over() || self.known(&task.id).is_some() {
                continue;
            }
            match self.publish(&whole).await {
                Ok(()) | Err(Unwritten::Large(_)) => {}
                Err(Unwritten::Changed(found)) => self.take(&task.id, *found).await?,
                Err(why) => return Err(why.into()),
            }
        }
        Ok(())
    }

    /// Waits until the others have put back what they know; says who has not.
    pub(super) async fn all_back(&self, buckets: &Buckets) -> Vec<String> {
        let began = Instant::now();
        loop {
            let is_lately = |at: &Instant| began.saturating_duration_since(*at) < LATELY;
            let others: Vec<_> = {
                let others = inside(&self.others);
                let lately = others.iter().filter(|(_, at)| is_lately(at));
                lately.map(|(name, _)| name.clone()).collect()
            };
            let unheard: Vec<_> = {
                let known = inside(&self.known);
                let is_back = |name: &String| {
                    let first = known.here.get(name);
                    first.is_some_and(|first| *first >= buckets.first())
                };
                others.into_iter().filter(|name| !is_back(name)).collect()
            };
            if unheard.is_empty() || began.elapsed() > self.settling {
                return unheard;
            }
            sleep(LOOK).await;
        }
    }

    /// What waits and was lost may have been begun by those: it counts as an attempt that was lost.
    pub(super) async fn may_be_begun(&self, unheard: &[String]) -> Result<(), StoreError> {
        if unheard.is_empty() {
            return Ok(());
        }
        let who = unheard.join(", ");
        tracing::warn!(%who, "nothing is heard of: what waits may have been begun there");
        let had: Vec<_> = inside(&self.had).iter().cloned().collect();
        for task in had {
            let _turn = self.turn(&task).await;
            let Some(mut whole) = self.local.whole(&task).await? else {
                continue;
            };
            if whole.task.state != State::Queued || self.known(&task).is_some() {
                continue;
            }
            let now = Timestamp::now();
            let last = whole.attempts.last().map_or(0, |last| last.number);
            whole.attempts.push(Attempt {
                number: last + 1,
                nonce: by_chance(),
                host: who.clone(),
                worker: Worker {
                    unit: None,
                    socket: String::new(),
                    server: String::new(),
                    pane: String::new(),
                    account: None,
                },
                leased: now,
                started: None,
                ended: Some(now),
                outcome: Some("lost: the server lost it, and nothing is heard".to_owned()),
                after_lost: whole.may_repeat,
            });
            whole.may_repeat = true;
            whole.task.attempt = whole.attempts.last().cloned();
            self.local.keep(whole, self.has_heard_all()).await?;
            let now = Now {
                wall: now,
                steady: Duration::ZERO,
            };
            let note = format!("the server lost it, and nothing is heard of {who}");
            self.local.note(&task, note, now).await?;
        }
        Ok(())
    }

    /// All that is known here is on the server as it was when it was looked at.
    pub(super) async fn say_here(&self, buckets: &Buckets) -> Result<(), Away> {
        self.say_of_me(buckets, false).await
    }

    /// Nobody needs to wait for this host.
    pub(super) async fn say_gone(&self) -> Result<(), Away> {
        let buckets = self.open_buckets()?;
        self.say_of_me(&buckets, true).await
    }

    async fn say_of_me(&self, buckets: &Buckets, is_gone: bool) -> Result<(), Away> {
        let here = Here {
            name: self.me.clone(),
            first: buckets.first(),
            is_gone,
        };
        let bytes = serde_json::to_vec(&here).unwrap_or_default();
        let key = buckets.key(&format!("host.{}", hashed(&self.me)));
        let put = buckets.tasks.put(key, bytes.into()).await;
        put.map(|_| ()).map_err(|error| Away(error.to_string()))
    }

    /// Hears who is there.
    pub(super) fn heard_host(&self, entry: &Entry, life: &str) {
        if !entry.key.starts_with("host.") {
            return;
        }
        let Ok(here) = serde_json::from_slice::<Here>(&entry.value) else {
            return;
        };
        {
            let mut known = inside(&self.known);
            if known.life != life {
                return;
            }
            known.last = known.last.max(entry.revision);
            known.here.insert(here.name.clone(), here.first);
        }
        if here.name == self.me {
            return;
        }
        let mut others = inside(&self.others);
        match here.is_gone {
            true => others.remove(&here.name),
            false => others.insert(here.name, Instant::now()),
        };
    }
}
