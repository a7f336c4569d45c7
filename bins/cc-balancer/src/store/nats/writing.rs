//! How what is done here gets to the server: it is only acknowledged when it is there.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::kv::Store as Bucket;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::buckets::{Away, Buckets, Found, Refused};
use super::host::{Beat, Host, inside};
use super::record::{Flag, Record, key_of};
use crate::store::sqlite::Whole;
use crate::store::{Store as _, StoreError};
use crate::task::{Fence, Outcome, TaskId};

/// How long a server that does not do what it is asked is asked again: a leader may be elected.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
/// How long a task that has claimed a key may take until it is there: longer than its writer asks for it.
const COMING: Duration = Duration::from_secs(30);
/// What a writing needs beside what is written.
const ROOM: usize = 1024;

/// What the server answers, later.
type Asked<'a, T> = Pin<Box<dyn Future<Output = Result<T, Away>> + Send + 'a>>;

/// Whose a key is.
enum Claim {
    /// Of who asked.
    Mine,
    /// Of another, which is there.
    Others(TaskId),
    /// Of another, which is still to come.
    Coming(TaskId),
}

/// Those that have claimed a key and are not there, by that key, and since when that is seen here.
pub(super) type Coming = HashMap<String, (TaskId, Instant)>;

/// Why a task is not on the server as it is here.
#[derive(Debug)]
pub(super) enum Unwritten {
    /// Another wrote since.
    Changed(Box<Found>),
    /// It is not known whether it is.
    Away(Away),
    /// It is larger than the server takes.
    Large(usize),
    /// The own store does not work.
    Local(StoreError),
}

impl From<Unwritten> for StoreError {
    fn from(why: Unwritten) -> Self {
        match why {
            Unwritten::Changed(_) => Self::Broken("others change it all the time".to_owned()),
            Unwritten::Away(away) => away.into(),
            Unwritten::Large(size) => Self::Broken(format!(
                "the task has {size} bytes, which is more than the queue's server takes (max_payload)"
            )),
            Unwritten::Local(error) => error,
        }
    }
}

impl From<StoreError> for Unwritten {
    fn from(error: StoreError) -> Self {
        Self::Local(error)
    }
}

/// How an attempt is held up.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Held {
    pub(super) number: u32,
    pub(super) lease: Duration,
}

/// What came of a task, as it is kept.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Came {
    pub(super) number: u32,
    pub(super) outcome: Outcome,
}

impl Host {
    /// Asks until it is done, or the server has not done anything for too long.
    async fn insist<'a, T>(
        &self,
        once: impl Fn(Arc<Buckets>) -> Asked<'a, T> + Send + Sync,
    ) -> Result<T, Away> {
        let mut pause = SHORTEST_PAUSE;
        loop {
            let done = match self.open_buckets() {
                Ok(buckets) => once(buckets).await,
                Err(away) => Err(away),
            };
            match done {
                Ok(done) => {
                    self.is_well();
                    return Ok(done);
                }
                Err(away) => self.pause(&mut pause, away).await?,
            }
        }
    }

    async fn pause(&self, pause: &mut Duration, away: Away) -> Result<(), Away> {
        let failing = self.is_failing();
        self.doubt.notify_one();
        if failing > PATIENCE {
            return Err(away);
        }
        sleep(*pause).await;
        *pause = (*pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }

    /// Writes something that anybody may write over.
    pub(super) async fn put(
        &self,
        which: fn(&Buckets) -> &Bucket,
        key: &str,
        bytes: Vec<u8>,
    ) -> Result<u64, Away> {
        self.insist(|buckets| {
            let bytes = bytes.clone().into();
            Box::pin(async move {
                let put = which(&buckets).put(key, bytes).await;
                put.map_err(|error| Away(error.to_string()))
            })
        })
        .await
    }

    async fn write(&self, record: &Record, last: u64, life: &str) -> Result<u64, Unwritten> {
        let mut pause = SHORTEST_PAUSE;
        loop {
            let away = match self.open_buckets() {
                Ok(buckets) if buckets.life() != life => {
                    return Err(Unwritten::Away(Away("it has lost everything".to_owned())));
                }
                Ok(buckets) => match buckets.write(record, last).await {
                    Ok(revision) => {
                        self.is_well();
                        return Ok(revision);
                    }
                    Err(Refused::Away(away)) => away,
                    Err(Refused::Changed) => match buckets.read(&record.task.id).await {
                        Ok(found) => {
                            let stamp = found.record.as_ref().map(|record| &record.stamp);
                            if stamp == Some(&record.stamp) {
                                // It had arrived, and its answer had not.
                                self.is_well();
                                return Ok(found.revision);
                            }
                            if found.revision != last {
                                self.is_well();
                                return Err(Unwritten::Changed(Box::new(found)));
                            }
                            Away("its servers do not agree".to_owned())
                        }
                        Err(away) => away,
                    },
                },
                Err(away) => away,
            };
            let paused = self.pause(&mut pause, away).await;
            paused.map_err(Unwritten::Away)?;
        }
    }

    /// Makes the server have a task as it is here.
    pub(super) async fn publish(&self, whole: &Whole) -> Result<(), Unwritten> {
        let record = Record::of(whole, &self.me);
        let (known, life) = {
            let all = inside(&self.known);
            (all.tasks.get(&record.task.id).cloned(), all.life.clone())
        };
        if let Some(there) = known.as_ref().and_then(|known| known.record.as_ref())
            && there.says(&record)
            && there.events == record.events
        {
            return Ok(());
        }
        let is_more = record.owner.is_some() || record.task.state.is_over();
        if known.is_none() && !is_more && !self.phase.borrow().is_settled {
            return Err(Unwritten::Away(Away(
                "who has what under way is not known yet".to_owned(),
            )));
        }
        if known.is_none() && !is_more && record.home != self.me && !self.had(&record.task.id) {
            return Err(Unwritten::Away(Away(format!(
                "it does not have the task, and {} has not added it again",
                record.home
            ))));
        }
        let size = record.bytes().len();
        if size > self.largest() {
            return Err(Unwritten::Large(size));
        }
        if record.task.state.is_over()
            && let Some((number, outcome)) = &whole.outcome
        {
            let bytes = fitting(*number, outcome.clone(), self.largest());
            let put = self.put(|buckets| &buckets.results, record.task.id.as_str(), bytes);
            put.await.map_err(Unwritten::Away)?;
        }
        let last = known.map_or(0, |known| known.revision);
        let revision = self.write(&record, last, &life).await?;
        self.learn(record, revision, &life);
        Ok(())
    }

    /// How much the server takes at a time.
    pub(super) fn largest(&self) -> usize {
        let most = self
            .client
            .try_server_info()
            .map_or(0, |info| info.max_payload);
        match most {
            0 => 1 << 20,
            most => most,
        }
        .saturating_sub(ROOM)
    }

    /// What came of a task, as the server has it.
    pub(super) async fn result(&self, task: &TaskId) -> Result<Option<(u32, Outcome)>, Away> {
        let found = self
            .insist(|buckets| {
                Box::pin(async move {
                    let found = buckets.results.get(task.as_str()).await;
                    found.map_err(|error| Away(error.to_string()))
                })
            })
            .await?;
        let result = found.and_then(|bytes| serde_json::from_slice::<Came>(&bytes).ok());
        Ok(result.map(|result| (result.number, result.outcome)))
    }

    /// Says that an attempt is held up for that long.
    pub(super) async fn hold_up(&self, fence: &Fence, lease: Duration) -> Result<(), Away> {
        let held = Held {
            number: fence.number,
            lease,
        };
        // There will be another beat.
        self.open_buckets()?;
        let bytes = serde_json::to_vec(&held).unwrap_or_default();
        let put = self.put(|buckets| &buckets.leases, fence.task.as_str(), bytes);
        let revision = put.await?;
        let beat = Beat { revision, lease };
        inside(&self.beats).insert(fence.task.clone(), beat);
        Ok(())
    }

    /// Tells all hosts something of a group or an account: at once, or when the server is there again.
    pub(super) async fn say(&self, flag: Flag) {
        let key = flag.key();
        let bytes = serde_json::to_vec(&flag).unwrap_or_default();
        let mut flags = self.flags.lock().await;
        let put = match self.is_connected() {
            true => self.put(|buckets| &buckets.flags, &key, bytes).await,
            false => Err(Away("it is not reached".to_owned())),
        };
        match put {
            Ok(revision) => {
                flags.insert(key, revision);
            }
            Err(_) => {
                inside(&self.unsaid).insert(key, flag);
            }
        }
    }

    /// Tells all hosts how an account stands here.
    pub(super) async fn say_account(&self, name: &str) -> Result<(), StoreError> {
        let accounts = self.local.accounts().await?;
        if let Some(account) = accounts.iter().find(|account| account.name == name) {
            self.say(Flag::of_account(account)).await;
        }
        Ok(())
    }

    /// What came of a task here, as it is written.
    pub(super) async fn came(&self, task: &TaskId) -> Result<Option<Vec<u8>>, StoreError> {
        let whole = self.local.whole(task).await?;
        let outcome = whole.and_then(|whole| whole.outcome);
        Ok(outcome.map(|(number, outcome)| fitting(number, outcome, self.largest())))
    }

    /// The other task that has a key; `None`: this one has it now.
    pub(super) async fn claim_key(
        &self,
        key: &str,
        task: &TaskId,
    ) -> Result<Option<TaskId>, StoreError> {
        let key = &key_of(key);
        let claim = self.insist(|buckets| {
            Box::pin(async move {
                let away = |error: &dyn std::fmt::Display| Away(error.to_string());
                let there = buckets
                    .flags
                    .entry(key)
                    .await
                    .map_err(|error| away(&error))?;
                let last = there.as_ref().map_or(0, |entry| entry.revision);
                let other = there.and_then(|entry| String::from_utf8(entry.value.into()).ok());
                let other = other.and_then(|id| id.parse::<TaskId>().ok());
                if other.as_ref() == Some(task) {
                    return Ok(Claim::Mine);
                }
                if let Some(other) = other {
                    let found = buckets.read(&other).await?;
                    if found.record.is_some() {
                        return Ok(Claim::Others(other));
                    }
                    // A key is claimed first, and the task written then.
                    let was_never = found.revision == 0;
                    if was_never && is_coming(&mut inside(&self.coming), key, &other) {
                        return Ok(Claim::Coming(other));
                    }
                }
                // Nobody has it, or nobody has any more.
                let id = task.as_str().to_owned().into();
                let put = buckets.flags.update(key, id, last).await;
                put.map(|_| Claim::Mine).map_err(|error| away(&error))
            })
        });
        let claim = claim.await?;
        if let Claim::Coming(other) = claim {
            let why = format!("{other} has the same key, and is not there yet");
            return Err(StoreError::Broken(why));
        }
        inside(&self.coming).remove(key);
        Ok(match claim {
            Claim::Others(other) => Some(other),
            Claim::Mine | Claim::Coming(_) => None,
        })
    }

    /// Removes a task from the server. It is known until that is heard: what was written before is heard
    /// first, and is not news.
    pub(super) async fn purge(&self, task: &TaskId) -> Result<(), Away> {
        self.insist(|buckets| {
            Box::pin(async move {
                let all = [
                    (&buckets.tasks, buckets.key(task.as_str())),
                    (&buckets.results, task.to_string()),
                ];
                for (bucket, key) in all {
                    let purged = bucket.purge(key).await;
                    purged.map_err(|error| Away(error.to_string()))?;
                }
                Ok(())
            })
        })
        .await
    }
}

/// May a task that has claimed a key and is not there still come? By this host's own clock.
fn is_coming(coming: &mut Coming, key: &str, other: &TaskId) -> bool {
    let now = Instant::now();
    match coming.get(key) {
        Some((seen, since)) if seen == other => now.duration_since(*since) < COMING,
        _ => {
            coming.insert(key.to_owned(), (other.clone(), now));
            true
        }
    }
}

/// What came of a task, in so many bytes at most.
fn fitting(number: u32, outcome: Outcome, most: usize) -> Vec<u8> {
    let mut result = Came { number, outcome };
    loop {
        let bytes = serde_json::to_vec(&result).unwrap_or_default();
        if bytes.len() <= most {
            return bytes;
        }
        let outcome = &mut result.outcome;
        let halved = |text: &mut String| text.truncate(text.floor_char_boundary(text.len() / 2));
        match &mut outcome.check {
            Some(check) if check.len() > outcome.text.len() => halved(check),
            _ => halved(&mut outcome.text),
        }
        outcome.is_cut = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_has_a_key_and_does_not_come_has_it_for_a_time() {
        let [one, other] = ["0123456789ab", "0123456789ac"].map(|id| id.parse().unwrap());
        let mut coming = Coming::new();
        assert!(is_coming(&mut coming, "k", &one));
        sleep(COMING - Duration::from_secs(1)).await;
        assert!(is_coming(&mut coming, "k", &one));
        sleep(Duration::from_secs(1)).await;
        assert!(!is_coming(&mut coming, "k", &one));
        // Another one that has it now has its own time.
        assert!(is_coming(&mut coming, "k", &other));
    }

    #[test]
    fn what_is_too_long_is_cut_and_says_so() {
        let outcome = Outcome {
            text: "\u{1b}ä".repeat(4000),
            check: Some("x".repeat(9000)),
            ..Outcome::default()
        };
        let bytes = fitting(3, outcome.clone(), 2000);
        assert!(bytes.len() <= 2000);
        let read: Came = serde_json::from_slice(&bytes).unwrap();
        assert!(read.outcome.is_cut && read.number == 3);
        assert!(outcome.text.starts_with(&read.outcome.text));
        let whole = fitting(3, outcome.clone(), 1 << 20);
        let read: Came = serde_json::from_slice(&whole).unwrap();
        assert_eq!(read.outcome, outcome);
    }
}
