//! What a store promises, of tasks that are shared.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::broadcast;
use tokio::time::timeout;

use super::NatsStore;
use super::host::inside;
use super::record::Flag;
use super::writing::Unwritten;
use crate::store::{
    Account, Added, Answer, Cancelling, Counts, Edit, End, Event, Group, Leased, Now, Offer, Query,
    Step, Store, StoreError,
};
use crate::task::{Attempt, Fence, Outcome, Spec, State, Task, TaskId};

/// How long is waited at the end for what the server is still to be told.
const FAREWELL: Duration = Duration::from_secs(2);

impl Store for NatsStore {
    fn add(&self, spec: Spec, now: Now) -> Answer<'_, Added> {
        Box::pin(async move {
            let size = serde_json::to_vec(&spec).map_or(0, |bytes| bytes.len());
            // Its attempts and events are to have room as well.
            if size > self.host.largest() / 2 {
                return Err(Unwritten::Large(size).into());
            }
            let added = self.host.local.add(spec, now).await?;
            self.host.later(&added.id);
            Ok(added)
        })
    }

    fn task<'a>(&'a self, beginning: &'a str) -> Answer<'a, Task> {
        Box::pin(async move {
            match (self.host.local.task(beginning).await, beginning.parse()) {
                (Err(StoreError::Unknown(_)), Ok(id)) if self.host.looked_for(&id).await? => {
                    self.host.local.task(beginning).await
                }
                (found, _) => found,
            }
        })
    }

    fn tasks(&self, query: Query) -> Answer<'_, Vec<Task>> {
        self.host.local.tasks(query)
    }

    fn counts(&self) -> Answer<'_, Counts> {
        self.host.local.counts()
    }

    fn attempts<'a>(&'a self, task: &'a TaskId) -> Answer<'a, Vec<Attempt>> {
        self.host.local.attempts(task)
    }

    fn outcome<'a>(&'a self, task: &'a TaskId) -> Answer<'a, Option<Outcome>> {
        Box::pin(async move {
            let here = self.host.local.outcome(task).await?;
            if here.is_some() || !self.host.is_connected() {
                return Ok(here);
            }
            // Another host's, of a task that this one did not add.
            match self.host.known(task) {
                Some(known) if known.record.is_none() => {
                    let there = self.host.result(task).await?;
                    Ok(there.map(|(_, outcome)| outcome))
                }
                _ => Ok(None),
            }
        })
    }

    fn events<'a>(&'a self, task: &'a TaskId) -> Answer<'a, Vec<Event>> {
        self.host.local.events(task)
    }

    fn note<'a>(&'a self, task: &'a TaskId, detail: String, now: Now) -> Answer<'a, ()> {
        Box::pin(async move {
            let act = || self.host.local.note(task, detail.clone(), now);
            self.host.change(task, act).await
        })
    }

    fn pull<'a>(
        &'a self,
        host: &'a str,
        offers: &'a [Offer],
        lease: Duration,
        now: Now,
    ) -> Answer<'a, Option<Leased>> {
        Box::pin(self.pull_one(host, offers, lease, now))
    }

    fn next_due(&self, now: Now) -> Answer<'_, Option<Timestamp>> {
        self.host.local.next_due(now)
    }

    fn beat<'a>(&'a self, fence: &'a Fence, lease: Duration, now: Now) -> Answer<'a, ()> {
        Box::pin(async move {
            let whole = self.host.local.whole(&fence.task).await?;
            let is_mine = whole.is_some_and(|whole| {
                let number = whole.attempts.last().map(|attempt| attempt.number);
                number == Some(fence.number)
                    && whole.task.state.is_under_way()
                    && whole.owner.is_none()
            });
            if !is_mine {
                return Err(StoreError::Lost(fence.clone()));
            }
            self.host.hold_up(fence, lease).await?;
            self.host.local.beat(fence, lease, now).await
        })
    }

    fn step<'a>(&'a self, fence: &'a Fence, step: Step, now: Now) -> Answer<'a, ()> {
        Box::pin(async move {
            let act = || self.host.local.step(fence, step.clone(), now);
            self.host.change_mine(fence, act).await
        })
    }

    fn end<'a>(&'a self, fence: &'a Fence, end: End, now: Now) -> Answer<'a, State> {
        Box::pin(async move {
            let act = || self.host.local.end(fence, end.clone(), now);
            self.host.change_mine(fence, act).await
        })
    }

    fn under_way<'a>(&'a self, host: &'a str) -> Answer<'a, Vec<Task>> {
        self.host.local.under_way(host)
    }

    fn expire(&self, now: Now) -> Answer<'_, Vec<Fence>> {
        Box::pin(async move {
            self.host.local.leave_to_others(now).await?;
            let mut gone = self.host.local.expire(now).await?;
            for fence in &gone {
                self.host.later(&fence.task);
            }
            self.expire_others(now, &mut gone).await?;
            Ok(gone)
        })
    }

    fn cancel<'a>(&'a self, task: &'a TaskId, force: bool, now: Now) -> Answer<'a, Cancelling> {
        Box::pin(async move {
            let act = || self.host.local.cancel(task, force, now);
            self.host.change(task, act).await
        })
    }

    fn retry<'a>(&'a self, task: &'a TaskId, now: Now) -> Answer<'a, ()> {
        Box::pin(async move {
            let act = || self.host.local.retry(task, now);
            self.host.change(task, act).await
        })
    }

    fn hold<'a>(&'a self, task: &'a TaskId, held: bool, now: Now) -> Answer<'a, ()> {
        Box::pin(async move {
            let act = || self.host.local.hold(task, held, now);
            self.host.change(task, act).await
        })
    }

    fn edit<'a>(&'a self, task: &'a TaskId, edit: Edit, now: Now) -> Answer<'a, ()> {
        Box::pin(async move {
            let act = || self.host.local.edit(task, edit.clone(), now);
            self.host.change(task, act).await
        })
    }

    fn remove<'a>(&'a self, task: &'a TaskId, now: Now) -> Answer<'a, ()> {
        Box::pin(async move {
            let _turn = self.host.turn(task).await;
            let found = self.host.local.task(task.as_str()).await?;
            if found.state.is_over() {
                self.host.purge(task).await?;
            }
            self.host.local.remove(task, now).await
        })
    }

    fn tidy(&self, before: Timestamp) -> Answer<'_, u64> {
        Box::pin(async move {
            let over = State::ALL.into_iter().filter(|state| state.is_over());
            let query = Query {
                states: over.collect(),
                ..Query::default()
            };
            let all = self.host.local.tasks(query).await?;
            let is_old = |task: &&Task| task.ended.is_some_and(|ended| ended < before);
            let gone = self.host.local.tidy(before).await?;
            for task in all.iter().filter(is_old) {
                self.host.purge(&task.id).await?;
            }
            Ok(gone)
        })
    }

    fn groups(&self) -> Answer<'_, Vec<Group>> {
        self.host.local.groups()
    }

    fn set_group<'a>(
        &'a self,
        name: &'a str,
        parallel: Option<u32>,
        is_paused: bool,
    ) -> Answer<'a, ()> {
        Box::pin(async move {
            self.host.local.set_group(name, parallel, is_paused).await?;
            let name = name.to_owned();
            let flag = Flag::Group {
                name,
                parallel,
                is_paused,
            };
            self.host.say(flag).await;
            Ok(())
        })
    }

    fn accounts(&self) -> Answer<'_, Vec<Account>> {
        self.host.local.accounts()
    }

    fn set_account<'a>(&'a self, name: &'a str, parallel: Option<u32>) -> Answer<'a, ()> {
        Box::pin(async move {
            self.host.local.set_account(name, parallel).await?;
            self.host.say_account(name).await
        })
    }

    fn limit<'a>(
        &'a self,
        name: &'a str,
        until: Option<Timestamp>,
        why: &'a str,
    ) -> Answer<'a, ()> {
        Box::pin(async move {
            self.host.local.limit(name, until, why).await?;
            self.host.say_account(name).await
        })
    }

    fn changes(&self) -> broadcast::Receiver<Event> {
        self.host.local.changes()
    }

    fn backup<'a>(&'a self, to: &'a Path) -> Answer<'a, ()> {
        self.host.local.backup(to)
    }

    fn close(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            if self.host.is_settled() {
                // What is left goes when this host is there again.
                let _ = timeout(FAREWELL, self.host.drain()).await;
                let _ = timeout(FAREWELL, self.host.say_gone()).await;
            }
            inside(&self.work).abort_all();
            self.host.local.close().await
        })
    }
}
