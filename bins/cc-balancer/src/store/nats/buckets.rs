//! Where the server keeps everything: four buckets, and how one is written to.

use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{GetStreamError, GetStreamErrorKind, KeyValueError};
use async_nats::jetstream::kv::{Store as Bucket, UpdateErrorKind};
use async_nats::jetstream::stream::{Config, DiscardPolicy, LastRawMessageErrorKind, StorageType};
use tokio::time::sleep;

use super::record::{Record, by_chance};
use crate::task::TaskId;

/// Tasks: what is asked for, and how it stands. Whoever changes one says which writing it has seen.
const TASKS: &str = "task";
/// What came of them; written before a task is over there.
const RESULTS: &str = "result";
/// How attempts are held up: each beat writes there, so that it need not write the task.
const LEASES: &str = "lease";
/// What holds for all hosts: groups, accounts, keys.
const FLAGS: &str = "flag";

/// A beat that nobody follows is of no use.
const LEASES_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a bucket that was there has been gone before it is made again: nats-server takes its files away
/// after it says that it is gone, and would take those of the new one with them.
const VANISHING: Duration = Duration::from_secs(1);
/// How many servers keep everything where it can be chosen.
const REPLICAS: usize = 3;

/// Something that the server does not do: in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Away(pub(super) String);

impl Away {
    fn because(error: impl ToString) -> Self {
        Self(error.to_string())
    }
}

/// How a writing failed.
#[derive(Debug)]
pub(super) enum Refused {
    /// Another has written since.
    Changed,
    /// Whether it arrived is not known.
    Away(Away),
}

/// What the server has by a key.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    /// `None`: it was removed.
    pub(super) record: Option<Record>,
    /// Which writing it is; 0: there never was any.
    pub(super) revision: u64,
    /// In which life of the bucket.
    pub(super) life: String,
}

/// The four.
#[derive(Debug, Clone)]
pub(super) struct Buckets {
    pub(super) tasks: Bucket,
    pub(super) results: Bucket,
    pub(super) leases: Bucket,
    pub(super) flags: Bucket,
    /// The keys of tasks begin with it. A bucket that is made anew counts its writings from 1 again, so
    /// that they say nothing of the one before: who has not heard of the new one cannot write to it.
    life: String,
}

/// How the buckets are made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Making<'a> {
    pub(super) queue: &'a str,
    /// On how many servers; `None`: that depends.
    pub(super) replicas: Option<usize>,
    /// How many there are.
    pub(super) servers: usize,
    /// Were they there before?
    pub(super) is_again: bool,
}

/// Which ones they are: another one of the same name is not the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Made {
    pub(super) tasks: i128,
    pub(super) results: i128,
    pub(super) leases: i128,
    pub(super) flags: i128,
}

impl Buckets {
    /// Opens them, and makes those that are not there.
    pub(super) async fn open(jetstream: &Context, making: Making<'_>) -> Result<Self, Away> {
        let mut has_waited = !making.is_again;
        let mut one = async |name: &str| {
            let name = format!("{}_{name}", making.queue);
            if let Some(bucket) = find(jetstream, &name).await? {
                return Ok(bucket);
            }
            if !has_waited {
                sleep(VANISHING).await;
                has_waited = true;
                if let Some(bucket) = find(jetstream, &name).await? {
                    return Ok(bucket);
                }
            }
            make(jetstream, &name, making).await
        };
        let tasks = one(TASKS).await?;
        let life = life(&tasks);
        Ok(Self {
            life,
            tasks,
            results: one(RESULTS).await?,
            leases: one(LEASES).await?,
            flags: one(FLAGS).await?,
        })
    }

    /// Which life of the bucket of tasks it is.
    pub(super) fn life(&self) -> &str {
        &self.life
    }

    /// By what something is kept in the bucket of tasks.
    pub(super) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.life)
    }

    /// The first writing that the bucket of tasks still had, when it was opened.
    pub(super) fn first(&self) -> u64 {
        self.tasks.stream.cached_info().state.first_sequence
    }

    /// Which ones they are, as of when they were opened.
    pub(super) fn made(&self) -> Made {
        let of = |bucket: &Bucket| bucket.stream.cached_info().created.unix_timestamp_nanos();
        Made {
            tasks: of(&self.tasks),
            results: of(&self.results),
            leases: of(&self.leases),
            flags: of(&self.flags),
        }
    }

    /// Had the bucket of tasks fewer keys or writings than that, when it was opened?
    pub(super) fn has_less(&self, keys: usize, last: u64) -> bool {
        let state = &self.tasks.stream.cached_info().state;
        usize::try_from(state.messages).is_ok_and(|messages| messages < keys)
            || state.last_sequence < last
    }

    /// On how many servers everything is kept.
    pub(super) fn replicas(&self) -> usize {
        self.tasks.stream.cached_info().config.num_replicas
    }

    /// What the leader has of a task: others may not have heard of the last writing yet.
    pub(super) async fn read(&self, task: &TaskId) -> Result<Found, Away> {
        let subject = format!("{}{}", self.tasks.prefix, self.key(task.as_str()));
        let life = self.life.clone();
        match self
            .tasks
            .stream
            .get_last_raw_message_by_subject(&subject)
            .await
        {
            Ok(message) => {
                // How a bucket says that something was removed.
                let record = match message.headers.get("KV-Operation") {
                    Some(_) => None,
                    None => Some(Record::read(&message.payload).ok_or_else(unread)?),
                };
                Ok(Found {
                    record,
                    revision: message.sequence,
                    life,
                })
            }
            Err(error) => match error.kind() {
                LastRawMessageErrorKind::NoMessageFound => Ok(Found {
                    record: None,
                    revision: 0,
                    life,
                }),
                _ => Err(Away::because(error)),
            },
        }
    }

    /// Writes a task, if the last writing of it is that one.
    pub(super) async fn write(&self, record: &Record, last: u64) -> Result<u64, Refused> {
        let bytes = record.bytes().into();
        let key = self.key(record.task.id.as_str());
        let written = self.tasks.update(key, bytes, last).await;
        written.map_err(|error| match error.kind() {
            UpdateErrorKind::WrongLastRevision => Refused::Changed,
            _ => Refused::Away(Away::because(error)),
        })
    }
}

/// What somebody else wrote there.
fn unread() -> Away {
    Away("what it has of a task is not understood: start the newer program".to_owned())
}

/// What the keys of a bucket of tasks begin with.
fn life(tasks: &Bucket) -> String {
    let subjects = &tasks.stream.cached_info().config.subjects;
    let keys = subjects.first().and_then(|subject| {
        let keys = subject.strip_prefix(&tasks.prefix)?;
        keys.strip_suffix('>')
    });
    keys.unwrap_or_default().to_owned()
}

/// A bucket; `None`: there is none.
async fn find(jetstream: &Context, name: &str) -> Result<Option<Bucket>, Away> {
    match jetstream.get_key_value(name).await {
        Ok(bucket) => Ok(Some(bucket)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(Away::because(error)),
    }
}

async fn make(jetstream: &Context, name: &str, making: Making<'_>) -> Result<Bucket, Away> {
    // Not fewer because some of them are not up yet: it would stay like that.
    let most = if making.servers < REPLICAS {
        1
    } else {
        REPLICAS
    };
    let num_replicas = making.replicas.unwrap_or(most);
    let is = |which: &str| name.strip_suffix(which).is_some();
    let subject = match is(TASKS) {
        true => format!("$KV.{name}.{}.>", by_chance()),
        false => format!("$KV.{name}.>"),
    };
    let max_age = if is(LEASES) {
        LEASES_FOR
    } else {
        Duration::ZERO
    };
    // The client's own way asks for more than nats-server 2.9 says of an account.
    let made = jetstream.create_stream(Config {
        name: format!("KV_{name}"),
        description: Some("cc-balancer".to_owned()),
        subjects: vec![subject],
        max_messages_per_subject: 1,
        max_age,
        discard: DiscardPolicy::New,
        storage: StorageType::File,
        num_replicas,
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        ..Config::default()
    });
    let made = made.await;
    // Another host may have made it in the same moment.
    match find(jetstream, name).await? {
        Some(bucket) => Ok(bucket),
        None => Err(made.map_or_else(Away::because, |_| Away(format!("{name} is gone again")))),
    }
}

/// Does the server say that there is none, and not just nothing?
fn is_missing(error: &KeyValueError) -> bool {
    let cause = std::error::Error::source(error);
    let cause = cause.and_then(|cause| cause.downcast_ref::<GetStreamError>());
    match cause.map(GetStreamError::kind) {
        Some(GetStreamErrorKind::JetStream(error)) => {
            error.error_code() == ErrorCode::STREAM_NOT_FOUND
        }
        _ => false,
    }
}
