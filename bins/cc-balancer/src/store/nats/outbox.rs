//! What was added here gets to the server, and gets there again when that has lost it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::buckets::{Away, Buckets, Made, Making};
use super::host::{Host, inside};
use super::record::{Flag, Record};
use super::writing::Unwritten;
use crate::store::{Now, Query, Store as _, StoreError};
use crate::task::{State, TaskId};

/// How long all that is there may take to be heard.
const HEARING: Duration = Duration::from_secs(30);
/// How long a new leader may take until it knows what the one before did.
const LEADING: Duration = Duration::from_millis(500);
/// How long until what failed is done again.
const AGAIN: Duration = Duration::from_millis(50);
/// How often a task is tried that others change.
const TRIES: u32 = 8;

/// Looks whether the server has lost anything, for as long as this host lives.
pub(super) async fn check(host: Arc<Host>) {
    let mut ticks = interval(host.every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut said = String::new();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = host.doubt.notified() => {}
        }
        if host.is_connected() {
            again_after(&host, host.check().await, &mut said, &host.doubt).await;
        }
    }
}

/// Tells the server what it does not know, for as long as this host lives.
pub(super) async fn drain(host: Arc<Host>) {
    let mut said = String::new();
    loop {
        host.wake.notified().await;
        if host.is_connected() {
            again_after(&host, host.drain().await, &mut said, &host.wake).await;
        }
    }
}

/// What failed is to be done again, in a moment.
async fn again_after(host: &Host, done: Result<(), StoreError>, said: &mut String, again: &Notify) {
    match done {
        Ok(()) => said.clear(),
        Err(error) => {
            let error = error.to_string();
            if *said != error {
                tracing::warn!(host = host.me, %error, "the queue's server");
                *said = error;
            }
            sleep(AGAIN).await;
            again.notify_one();
        }
    }
}

impl Host {
    /// Has the server lost anything?
    async fn check(&self) -> Result<(), StoreError> {
        let (there, last) = {
            let known = inside(&self.known);
            (known.tasks.len() + known.here.len(), known.last)
        };
        let buckets = self.open().await?;
        let is_less = buckets.has_less(there, last);
        let (buckets, is_less) = match is_less {
            // A leader that is new may not be that far yet.
            true => {
                sleep(LEADING).await;
                let again = self.open().await?;
                let is_less = again.has_less(there, last);
                (again, is_less)
            }
            false => (buckets, false),
        };
        let made = buckets.made();
        let before = inside(&self.made).unwrap_or_default();
        let is_first = before == Made::default();
        // What broke off is begun again.
        let is_unsettled = !self.phase.borrow().is_settled;
        if made.tasks != before.tasks || is_less || is_unsettled {
            if !is_first && !is_unsettled {
                tracing::warn!("the queue's server has lost tasks: they are added again");
            }
            self.begin_anew(&buckets, is_first).await?;
        } else {
            *inside(&self.buckets) = Some(Arc::clone(&buckets));
            if (made.leases, made.flags) != (before.leases, before.flags) {
                self.phase.send_modify(|phase| phase.others += 1);
            }
        }
        if made.results != before.results && !is_first {
            self.results_again(&buckets).await?;
        }
        if made.flags != before.flags {
            self.flags_again(is_first).await?;
        }
        *inside(&self.made) = Some(made);
        let unsaid: Vec<Flag> = inside(&self.unsaid).drain().map(|(_, flag)| flag).collect();
        for flag in unsaid {
            self.say(flag).await;
        }
        Ok(self.say_here(&buckets).await?)
    }

    async fn open(&self) -> Result<Arc<Buckets>, Away> {
        let info = self.client.try_server_info().unwrap_or_default();
        let servers = match info.cluster {
            Some(_) => info.connect_urls.len().max(self.servers),
            None => 1,
        };
        let making = Making {
            queue: &self.queue,
            replicas: self.replicas,
            servers,
            is_again: inside(&self.made).is_some(),
        };
        Ok(Arc::new(Buckets::open(&self.jetstream, making).await?))
    }

    /// Hears everything from the beginning, and adds what is not there.
    async fn begin_anew(&self, buckets: &Arc<Buckets>, is_first: bool) -> Result<(), StoreError> {
        self.forget_known(buckets.life());
        *inside(&self.buckets) = Some(Arc::clone(buckets));
        self.phase.send_modify(|phase| {
            phase.hearing += 1;
            phase.is_whole = false;
            phase.is_settled = false;
        });
        let mut phase = self.phase.subscribe();
        let is_heard = timeout(HEARING, phase.wait_for(|phase| phase.is_whole))
            .await
            .is_ok();
        if !is_heard {
            return Err(Away("what it has is not heard".to_owned()).into());
        }
        let is_empty = inside(&self.known).tasks.is_empty();
        let is_lost = !is_first || is_empty;
        self.put_back(is_first, is_lost).await?;
        self.say_here(buckets).await?;
        if !is_first {
            let unheard = self.all_back(buckets).await;
            self.may_be_begun(&unheard).await?;
        }
        self.all_later().await?;
        self.phase.send_modify(|phase| phase.is_settled = true);
        self.wake.notify_one();
        if is_lost {
            self.drain().await?;
            self.over_again(is_first, Timestamp::MIN).await?;
        }
        Ok(())
    }

    async fn results_again(&self, buckets: &Buckets) -> Result<(), StoreError> {
        let over = State::ALL.into_iter().filter(|state| state.is_over());
        let query = Query {
            states: over.collect(),
            ..Query::default()
        };
        for task in self.local.tasks(query).await? {
            if let Some(bytes) = self.came(&task.id).await? {
                // Who has it has the same.
                let _ = buckets.results.create(task.id.as_str(), bytes.into()).await;
            }
        }
        Ok(())
    }

    async fn flags_again(&self, is_first: bool) -> Result<(), StoreError> {
        if !is_first {
            self.flags.lock().await.clear();
        }
        let groups = self.local.groups().await?;
        let accounts = self.local.accounts().await?;
        let flags = groups.iter().map(Flag::of_group);
        let flags = flags.chain(accounts.iter().map(Flag::of_account));
        for flag in flags.filter(|flag| !flag.is_plain()) {
            let key = flag.key();
            let buckets = self.open_buckets()?;
            // What is there was said later.
            let there = buckets.flags.get(&key).await;
            let is_there = there.map_err(|error| Away(error.to_string()))?.is_some();
            if !is_there {
                self.say(flag).await;
            }
        }
        Ok(())
    }

    /// Sees to all that the server may not have as it is here.
    pub(super) async fn drain(&self) -> Result<(), StoreError> {
        // In the order in which they were added: messages have one, and others come after others.
        let _one = self.draining.lock().await;
        // Before, it is not known what the server has.
        while self.phase.borrow().is_settled {
            let next = inside(&self.outbox).pop();
            let Some(task) = next else {
                return Ok(());
            };
            if let Err(error) = self.sync(&task).await {
                inside(&self.outbox).push_first(task);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Makes the server have a task as it is here, or here as the server has it.
    pub(super) async fn sync(&self, task: &TaskId) -> Result<(), StoreError> {
        let _turn = self.turn(task).await;
        for _ in 0..TRIES {
            let Some(whole) = self.local.whole(task).await? else {
                return Ok(());
            };
            let record = Record::of(&whole, &self.me);
            let known = self.known(task);
            let is_over = record.task.state.is_over();
            let is_there = known.as_ref().is_some_and(|known| known.record.is_none());
            // Of what others have under way or have added, this host may be the last that knows.
            let is_to_be_there = record.owner.is_some() || whole.home.is_none() || self.had(task);
            if (is_over && is_there) || (known.is_none() && !is_to_be_there) {
                return Ok(());
            }
            let spec = &record.task.spec;
            if let Some(key) = &spec.key
                && known.is_none()
                && whole.owner.is_none()
                && !is_over
                && let Some(other) = self.claim_key(key, task).await?
            {
                // Nobody had heard of the other when this one was added.
                let now = Now {
                    wall: Timestamp::now(),
                    steady: Duration::ZERO,
                };
                self.local
                    .note(task, format!("{other} has the same key"), now)
                    .await?;
                self.local.cancel(task, false, now).await?;
                continue;
            }
            match self.publish(&whole).await {
                Ok(()) => return Ok(()),
                Err(Unwritten::Changed(found)) => self.take(task, *found).await?,
                Err(Unwritten::Large(size)) => {
                    tracing::warn!(%task, size, "a task is larger than the server takes");
                    return Ok(());
                }
                Err(why) => return Err(why.into()),
            }
        }
        Ok(())
    }
}
