//! Attempts: who begins one, and which of other hosts are given up.

use std::sync::Arc;
use std::time::Duration;

use super::NatsStore;
use super::buckets::Away;
use super::host::{Host, Looked, inside};
use super::writing::Unwritten;
use crate::store::{End, Leased, Now, Offer, Query, Store as _, StoreError};
use crate::task::{Fence, State};

/// How often another task is tried where others take the same.
const TRIES: u32 = 64;
/// The lease of an attempt that nothing was heard of but that it is there.
const LEASE: Duration = Duration::from_secs(60);

impl NatsStore {
    /// Takes the next task, if the server says that nobody else has.
    pub(super) async fn pull_one(
        &self,
        name: &str,
        offers: &[Offer],
        lease: Duration,
        now: Now,
    ) -> Result<Option<Leased>, StoreError> {
        let host = &self.host;
        for _ in 0..TRIES {
            if !host.settles().await || host.drain().await.is_err() {
                return Ok(None);
            }
            // Until the server has it, nobody else here is to take it for begun.
            let one = host.draining.lock().await;
            let Some(mut leased) = host.local.pull(name, offers, lease, now).await? else {
                return Ok(None);
            };
            let task = leased.task.id.clone();
            let turn = host.turn(&task).await;
            let Some(after) = host.local.whole(&task).await? else {
                continue;
            };
            let taken = leased.task.attempt.as_ref().map(|attempt| &attempt.nonce);
            let has = after.attempts.last().map(|attempt| &attempt.nonce);
            if taken != has || after.owner.is_some() || after.task.state != State::Leased {
                // Another host has it.
                continue;
            }
            if host.known(&task).is_none() {
                // It is to be there first, as what it was.
                host.untake(after).await?;
                drop((turn, one));
                if let Err(error) = host.sync(&task).await {
                    tracing::debug!(%task, %error, "cannot begin a task");
                    return Ok(None);
                }
                continue;
            }
            match host.publish(&after).await {
                Ok(()) => {
                    leased.task = after.task;
                    let (host, fence) = (Arc::clone(host), leased.fence.clone());
                    let mut work = inside(&self.work);
                    // Nobody asks what came of those before.
                    while work.try_join_next().is_some() {}
                    work.spawn(async move {
                        let _ = host.hold_up(&fence, lease).await;
                    });
                    return Ok(Some(leased));
                }
                Err(Unwritten::Changed(found)) => {
                    host.untake(after).await?;
                    host.take(&task, *found).await?;
                }
                Err(why @ Unwritten::Large(_)) => {
                    host.untake(after).await?;
                    // Else it is the next again, and nothing behind it is begun.
                    let why = StoreError::from(why).to_string();
                    tracing::warn!(%task, why, "cannot begin a task: it is held");
                    host.local.note(&task, why, now).await?;
                    host.local.hold(&task, true, now).await?;
                }
                Err(Unwritten::Local(error)) => return Err(error),
                Err(why) => {
                    host.untake(after).await?;
                    tracing::warn!(%task, ?why, "cannot begin a task");
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }

    /// Gives up what another host does not hold up any more.
    pub(super) async fn expire_others(
        &self,
        now: Now,
        gone: &mut Vec<Fence>,
    ) -> Result<(), StoreError> {
        let host = &self.host;
        if !host.is_settled() {
            // No beat is heard while nothing is.
            inside(&host.looked).clear();
            return Ok(());
        }
        let under_way = State::ALL.into_iter().filter(|state| state.is_under_way());
        let query = Query {
            states: under_way.collect(),
            ..Query::default()
        };
        let mut seen = Vec::new();
        for task in host.local.tasks(query).await? {
            let owner = match host.known(&task.id).and_then(|known| known.record) {
                Some(record) => record.owner.clone().filter(|owner| *owner != host.me),
                None => host
                    .local
                    .whole(&task.id)
                    .await?
                    .and_then(|whole| whole.owner),
            };
            let (Some(owner), Some(attempt)) = (owner, &task.attempt) else {
                continue;
            };
            seen.push(task.id.clone());
            let fence = Fence {
                task: task.id.clone(),
                number: attempt.number,
            };
            if host.is_over(&fence, now).await? {
                let why = format!("nothing is heard of {owner}");
                let end = match task.state {
                    State::Leased => End::Returned(why, None),
                    _ => End::Lost(why),
                };
                let act = || host.local.end(&fence, end.clone(), now);
                match host.change(&fence.task, act).await {
                    Ok(_) => gone.push(fence.clone()),
                    Err(StoreError::Lost(_)) => {}
                    Err(error) => tracing::warn!(%error, "cannot give up an attempt"),
                }
            }
        }
        inside(&host.looked).retain(|task, _| seen.contains(task));
        Ok(())
    }
}

impl Host {
    /// Was an attempt of another host not held up for too long?
    async fn is_over(&self, fence: &Fence, now: Now) -> Result<bool, StoreError> {
        let task = &fence.task;
        let revision = self.known(task).map_or(0, |known| known.revision);
        let beat = inside(&self.beats).get(task).copied();
        let news = Looked {
            task: revision,
            beat: beat.map_or(0, |beat| beat.revision),
            steady: now.steady,
        };
        let before = {
            let mut looked = inside(&self.looked);
            *looked.entry(task.clone()).or_insert(news)
        };
        if (before.task, before.beat) != (news.task, news.beat) {
            inside(&self.looked).insert(task.clone(), news);
            return Ok(false);
        }
        let lease = beat.map_or(LEASE, |beat| beat.lease);
        if now.steady.saturating_sub(before.steady) < lease + lease / 2 {
            return Ok(false);
        }
        // What was not heard may have been said.
        let buckets = self.open_buckets()?;
        let there = buckets.leases.entry(task.as_str()).await;
        let there = there.map_err(|error| Away(error.to_string()))?;
        let revision = there.map_or(0, |entry| entry.revision);
        if revision > before.beat {
            let news = Looked {
                beat: before.beat,
                ..news
            };
            inside(&self.looked).insert(task.clone(), news);
            return Ok(false);
        }
        Ok(true)
    }
}
