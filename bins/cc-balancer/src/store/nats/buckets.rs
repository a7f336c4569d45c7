//! Where the server keeps everything: four buckets, and how one is written to.

use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{GetStreamError, GetStreamErrorKind, KeyValueError};
use async_nats::jetstream::kv::{Store as Bucket, UpdateErrorKind};
use async_nats::jetstream::stream::{Config, DiscardPolicy, LastRawMessageErrorKind, StorageType};

use super::record::Record;
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
}

/// The four.
#[derive(Debug, Clone)]
pub(super) struct Buckets {
    pub(super) tasks: Bucket,
    pub(super) results: Bucket,
    pub(super) leases: Bucket,
    pub(super) flags: Bucket,
}

/// Which ones they are: another one of the same name is not the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Made {
    pub(super) tasks: i128,
    pub(super) results: i128,
    pub(super) flags: i128,
}

impl Buckets {
    /// Opens them, and makes those that are not there.
    pub(super) async fn open(
        jetstream: &Context,
        queue: &str,
        replicas: Option<usize>,
        servers: usize,
    ) -> Result<Self, Away> {
        let one = async |name, age| {
            open(
                jetstream,
                &format!("{queue}_{name}"),
                age,
                replicas,
                servers,
            )
            .await
        };
        Ok(Self {
            tasks: one(TASKS, Duration::ZERO).await?,
            results: one(RESULTS, Duration::ZERO).await?,
            leases: one(LEASES, LEASES_FOR).await?,
            flags: one(FLAGS, Duration::ZERO).await?,
        })
    }

    /// Which ones they are, as of when they were opened.
    pub(super) fn made(&self) -> Made {
        let of = |bucket: &Bucket| bucket.stream.cached_info().created.unix_timestamp_nanos();
        Made {
            tasks: of(&self.tasks),
            results: of(&self.results),
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
        let subject = format!("{}{task}", self.tasks.prefix);
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
                })
            }
            Err(error) => match error.kind() {
                LastRawMessageErrorKind::NoMessageFound => Ok(Found {
                    record: None,
                    revision: 0,
                }),
                _ => Err(Away::because(error)),
            },
        }
    }

    /// Writes a task, if the last writing of it is that one.
    pub(super) async fn write(&self, record: &Record, last: u64) -> Result<u64, Refused> {
        let bytes = record.bytes().into();
        let written = self
            .tasks
            .update(record.task.id.as_str(), bytes, last)
            .await;
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

async fn open(
    jetstream: &Context,
    name: &str,
    age: Duration,
    replicas: Option<usize>,
    servers: usize,
) -> Result<Bucket, Away> {
    let missing = match jetstream.get_key_value(name).await {
        Ok(bucket) => return Ok(bucket),
        Err(error) => error,
    };
    if !is_missing(&missing) {
        return Err(Away::because(missing));
    }
    // Not fewer because some of them are not up yet: it would stay like that.
    let num_replicas = replicas.unwrap_or(if servers < REPLICAS { 1 } else { REPLICAS });
    // The client's own way asks for more than nats-server 2.9 says of an account.
    let made = jetstream.create_stream(Config {
        name: format!("KV_{name}"),
        description: Some("cc-balancer".to_owned()),
        subjects: vec![format!("$KV.{name}.>")],
        max_messages_per_subject: 1,
        max_age: age,
        discard: DiscardPolicy::New,
        storage: StorageType::File,
        num_replicas,
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        ..Config::default()
    });
    made.await.map_err(Away::because)?;
    jetstream.get_key_value(name).await.map_err(Away::because)
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
