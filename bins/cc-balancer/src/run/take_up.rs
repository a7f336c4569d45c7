//! What an earlier life of the balancer had under way.

use std::time::Duration;

use cc_kit::exit::{Exit, Failure};

use super::Serve;
use crate::attempt::course::Event as Told;
use crate::desk::now;
use crate::store::{End, StoreError};
use crate::task::{Fence, State, Task};
use crate::worker::Key;

/// How long a worker of an earlier life is waited for where its guardian says nothing.
const PATIENCE: Duration = Duration::from_secs(20);

impl Serve {
    /// Asks the store what was under way. However long we were away, it is ours still where nobody else
    /// has it.
    pub(super) async fn remember(&mut self) -> Result<(), Failure> {
        let tasks = self.store.under_way(&self.host).await;
        let tasks = tasks.map_err(|error| Failure::new(Exit::Store, error))?;
        for task in tasks {
            self.orphans.insert(task.id.clone(), task);
        }
        self.hold_up().await;
        Ok(())
    }

    /// Holds up the lease of everything that is under way here, also where it has run out and nobody else
    /// has seen that.
    pub(super) async fn hold_up(&mut self) {
        let running = self.running.values().map(|running| running.fence.clone());
        let orphans = self.orphans.values().filter_map(fence_of);
        let fences: Vec<Fence> = running.chain(orphans).collect();
        for fence in fences {
            match self.store.beat(&fence, self.config.lease(), now()).await {
                Ok(()) => {}
                Err(StoreError::Lost(_)) => {
                    self.orphans.remove(&fence.task);
                    self.lost(&fence);
                }
                Err(error) => tracing::warn!(%error, "a lease cannot be held up"),
            }
        }
    }

    /// Goes on with those whose worker is there.
    pub(super) async fn take_up_orphans(&mut self) {
        for task in self.orphans.values().cloned().collect::<Vec<_>>() {
            let (Some(attempt), Some(fence)) = (&task.attempt, fence_of(&task)) else {
                self.orphans.remove(&task.id);
                continue;
            };
            match self.store.beat(&fence, self.config.lease(), now()).await {
                Ok(()) => {}
                Err(StoreError::Lost(_)) => {
                    self.orphans.remove(&task.id);
                    continue;
                }
                Err(error) => {
                    tracing::warn!(%error, "a lease cannot be held up");
                    continue;
                }
            }
            let worker = &attempt.worker;
            let key = Key {
                socket: worker.socket.clone(),
                server: worker.server.clone(),
                pane: worker.pane.clone(),
            };
            let is_free = self.workers.get(&key).map(|hand| hand.task.is_none());
            if is_free == Some(true) {
                let number = attempt.number;
                // Somebody may want it no more since it was remembered.
                let task = match self.store.task(task.id.as_str()).await {
                    Ok(task) => task,
                    Err(error) => {
                        tracing::warn!(%error, "a task cannot be taken up");
                        continue;
                    }
                };
                self.orphans.remove(&task.id);
                self.go_on(&key, task, number);
            }
        }
    }

    /// Looks who is wanted no more: events were missed.
    pub(super) async fn look_for_cancels(&self) {
        for running in self.running.values() {
            match self.store.task(running.fence.task.as_str()).await {
                Ok(task) => {
                    if let Some(force) = task.cancel {
                        let _ = running.tell.send(Told::Cancel(force));
                    }
                }
                Err(error) => tracing::warn!(%error, "whether a task is wanted is not known"),
            }
        }
    }

    /// Gives up those whose worker is not there any more.
    pub(super) async fn give_up_orphans(&mut self) {
        self.take_up_orphans().await;
        let waited = self.began.elapsed();
        for task in self.orphans.values().cloned().collect::<Vec<_>>() {
            let (Some(attempt), Some(fence)) = (&task.attempt, fence_of(&task)) else {
                continue;
            };
            let socket = std::path::Path::new(&attempt.worker.socket);
            // A server that is known, and on which that worker is not.
            let is_known = self.servers.get(socket).is_some_and(|it| {
                it.is_known && it.finding.is_none() && attempt.worker.unit.is_none()
            });
            if !is_known && waited < PATIENCE {
                continue;
            }
            self.orphans.remove(&task.id);
            let end = end_of(&task);
            match self.store.end(&fence, end, now()).await {
                Ok(_) | Err(StoreError::Lost(_)) => {}
                Err(error) => {
                    tracing::error!(%error, task = %task.id, "the store does not take that it is lost");
                    self.orphans.insert(task.id.clone(), task);
                }
            }
            self.stale = true;
        }
    }
}

fn fence_of(task: &Task) -> Option<Fence> {
    let attempt = task.attempt.as_ref()?;
    Some(Fence {
        task: task.id.clone(),
        number: attempt.number,
    })
}

/// How an attempt ends whose worker is gone.
fn end_of(task: &Task) -> End {
    let why = "its worker is gone since the balancer was started anew".to_owned();
    match task.state {
        State::Leased => End::Returned(why, None),
        _ => End::Lost(why),
    }
}
