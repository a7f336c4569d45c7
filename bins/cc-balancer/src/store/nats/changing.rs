//! What is done to a task here was done when the server has it, and else was not.

use std::sync::Arc;

use super::buckets::{Away, Found};
use super::host::{Host, inside};
use super::record::{Record, Right, right};
use super::writing::{PATIENCE, Unwritten};
use crate::store::sqlite::Whole;
use crate::store::{Answer, StoreError};
use crate::task::{Fence, State, TaskId};

/// How often something is done anew because others changed the same.
const TRIES: u32 = 16;

impl Host {
    /// Does something to a task here, and has it acknowledged by the server; else it was not done.
    pub(super) async fn change<'a, T: Send>(
        &'a self,
        task: &'a TaskId,
        act: impl Fn() -> Answer<'a, T> + Send + Sync,
    ) -> Result<T, StoreError> {
        if !self.is_connected() && self.is_failing() > PATIENCE {
            return Err(Away("it is not reached".to_owned()).into());
        }
        let _turn = self.turn(task).await;
        for _ in 0..TRIES {
            let Some(before) = self.local.whole(task).await? else {
                return act().await;
            };
            let done = act().await?;
            let Some(after) = self.local.whole(task).await? else {
                return Ok(done);
            };
            if after == before {
                return Ok(done);
            }
            match self.publish(&after).await {
                Ok(()) => return Ok(done),
                Err(Unwritten::Changed(found)) => {
                    self.undo(before).await?;
                    self.take(task, *found).await?;
                }
                Err(why) => {
                    self.undo(before).await?;
                    return Err(why.into());
                }
            }
        }
        Err(StoreError::Broken(format!(
            "{task} is changed by others all the time"
        )))
    }

    /// [`Self::change`], of an attempt that this host has.
    pub(super) async fn change_mine<'a, T: Send>(
        &'a self,
        fence: &'a Fence,
        act: impl Fn() -> Answer<'a, T> + Send + Sync,
    ) -> Result<T, StoreError> {
        match self.local.whole(&fence.task).await? {
            Some(whole) if whole.owner.is_none() => self.change(&fence.task, act).await,
            _ => Err(StoreError::Lost(fence.clone())),
        }
    }

    /// What was done here was not done; nor what followed from it.
    async fn undo(&self, before: Whole) -> Result<(), StoreError> {
        let task = before.task.id.clone();
        self.local.keep(before, self.has_heard_all()).await?;
        let after: Vec<Arc<Record>> = inside(&self.known)
            .tasks
            .values()
            .filter_map(|known| known.record.clone())
            .filter(|record| record.task.spec.after.contains(&task))
            .collect();
        for record in after {
            self.local.keep(record.whole(&self.me), true).await?;
        }
        Ok(())
    }

    /// What was taken for a worker here was not taken.
    pub(super) async fn untake(&self, after: Whole) -> Result<(), StoreError> {
        let known = self.known(&after.task.id).and_then(|known| known.record);
        let before = match known {
            Some(record) => record.whole(&self.me),
            None => untaken(after),
        };
        self.local.keep(before, self.has_heard_all()).await
    }

    /// Takes what the server has of a task, whose turn it is.
    pub(super) async fn take(&self, task: &TaskId, found: Found) -> Result<(), StoreError> {
        if inside(&self.known).life != found.life {
            // It was said before the server lost everything.
            return Ok(());
        }
        let Some(record) = found.record else {
            if found.revision == 0 {
                // It was there: the server has lost it, and more perhaps.
                self.phase.send_modify(|phase| phase.is_settled = false);
                self.doubt.notify_one();
                return Ok(());
            }
            inside(&self.known).tasks.remove(task);
            return self.local.forget(task).await;
        };
        let local = self.local.whole(task).await?;
        let mine = local.as_ref().map(|local| Record::of(local, &self.me));
        let verdict = match &mine {
            Some(mine) => right(mine, &record, &self.me),
            None => Right::Server,
        };
        let is_new = local.is_none();
        match verdict {
            Right::Both => {}
            Right::Here => self.later(task),
            Right::Server => self.keep(&record).await?,
        }
        let is_over = record.task.state.is_over();
        let mut whole = record.whole(&self.me);
        self.learn(record, found.revision, &found.life);
        if is_over && whole.home.is_none() && local.is_none_or(|local| local.outcome.is_none()) {
            whole.outcome = self.result(task).await.unwrap_or_default();
            if whole.outcome.is_some() {
                self.local.keep(whole, true).await?;
            }
        }
        let waiting = inside(&self.known).waiting.remove(task);
        for other in waiting.into_iter().flatten().filter(|_| is_new) {
            if let Some(record) = self.known(&other).and_then(|known| known.record) {
                self.keep(&record).await?;
            }
        }
        Ok(())
    }

    /// All was heard: what of it waits for something that is not known here waits for nothing, as that was
    /// removed.
    pub(super) async fn wait_no_more(&self) -> Result<(), StoreError> {
        let waiting = inside(&self.known).waiting.clone();
        for (before, tasks) in waiting {
            let mut is_left = false;
            for task in tasks {
                let _turn = self.turn(&task).await;
                let Some(whole) = self.local.whole(&task).await? else {
                    continue;
                };
                match self.known(&task) {
                    Some(_) => self.local.keep(whole, true).await?,
                    // The server has lost it, and the other perhaps: that may be put back.
                    None => is_left = true,
                }
            }
            if !is_left {
                inside(&self.known).waiting.remove(&before);
            }
        }
        Ok(())
    }

    /// Keeps a task here as the server has it.
    async fn keep(&self, record: &Record) -> Result<(), StoreError> {
        let is_whole = self.has_heard_all();
        if !is_whole {
            for before in &record.task.spec.after {
                if self.known(before).is_none() {
                    let mut known = inside(&self.known);
                    let waiting = known.waiting.entry(before.clone()).or_default();
                    waiting.push(record.task.id.clone());
                }
            }
        }
        self.local.keep(record.whole(&self.me), is_whole).await
    }
}

/// A task as it was before its last attempt, as far as that can be known.
fn untaken(mut whole: Whole) -> Whole {
    let taken = whole.attempts.pop().map(|attempt| attempt.number);
    whole
        .events
        .retain(|event| event.attempt.is_none() || event.attempt != taken);
    whole.may_repeat = whole.may_repeat || whole.task.attempt.is_some_and(|last| last.after_lost);
    whole.task.attempt = whole.attempts.last().cloned();
    whole.task.state = State::Queued;
    whole.task.why = None;
    whole
}
