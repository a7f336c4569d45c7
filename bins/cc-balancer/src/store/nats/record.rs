//! What the server keeps of a task, and who is right where that is not what is known here.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::store::{Account, Event, Group};
use crate::task::{Attempt, State, Task, TaskId};

use super::super::sqlite::Whole;

/// The version of what is written.
const VERSION: u32 = 1;
/// How many events of a task go to the server: the last ones.
const EVENTS: usize = 512;
/// How many of its attempts do: the last ones too, as one that is given back each time has ever more.
const ATTEMPTS: usize = 64;

/// A task as the server keeps it: whoever would change it says which one it has seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    v: u32,
    /// Who added it.
    pub(super) home: String,
    /// Who has its lease, while anybody has.
    pub(super) owner: Option<String>,
    /// Says which writing this is, for a writer that does not know whether it arrived.
    pub(super) stamp: String,
    pub(super) task: Task,
    pub(super) attempts: Vec<Attempt>,
    pub(super) may_repeat: bool,
    pub(super) events: Vec<Event>,
}

impl Record {
    /// What is known here, as `me` writes it.
    pub(super) fn of(whole: &Whole, me: &str) -> Self {
        let owner = match whole.task.state.is_under_way() {
            true => Some(whole.owner.clone().unwrap_or_else(|| me.to_owned())),
            false => None,
        };
        let mut task = whole.task.clone();
        // It is said of what waits for another as long as it does, by each host for itself.
        task.why = task
            .why
            .filter(|why| task.state != State::Queued || !why.starts_with("after "));
        let events = whole.events.len().saturating_sub(EVENTS);
        let attempts = whole.attempts.len().saturating_sub(ATTEMPTS);
        Self {
            v: VERSION,
            home: whole.home.clone().unwrap_or_else(|| me.to_owned()),
            owner,
            stamp: by_chance(),
            task,
            attempts: whole.attempts.iter().skip(attempts).cloned().collect(),
            may_repeat: whole.may_repeat,
            events: whole.events.iter().skip(events).cloned().collect(),
        }
    }

    /// It, as it is kept here; without what came of it, which is elsewhere.
    pub(super) fn whole(&self, me: &str) -> Whole {
        let other = |name: &String| (name != me).then(|| name.clone());
        Whole {
            task: self.task.clone(),
            attempts: self.attempts.clone(),
            events: self.events.clone(),
            outcome: None,
            may_repeat: self.may_repeat,
            home: other(&self.home),
            owner: self.owner.as_ref().and_then(other),
            lease: None,
        }
    }

    /// As it is written.
    pub(super) fn bytes(&self) -> Vec<u8> {
        // Nothing in it can fail to be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads what somebody wrote; `None` where that is no record of a version that is known.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let record: Self = serde_json::from_slice(bytes).ok()?;
        (record.v == VERSION).then_some(record)
    }

    /// Is that said of the task, whoever wrote it?
    pub(super) fn says(&self, other: &Self) -> bool {
        self.task == other.task
            && self.attempts == other.attempts
            && self.owner == other.owner
            && self.may_repeat == other.may_repeat
    }
}

/// A word by chance; two that are the same do no harm but where what they stand for was lost.
pub(super) fn by_chance() -> String {
    TaskId::by_chance().map_or_else(|_| Timestamp::now().to_string(), String::from)
}

/// Who is right about a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    /// Both say the same.
    Both,
    /// The server.
    Server,
    /// What is known here goes on from there, and nobody else can know.
    Here,
}

/// Who is right, where the server has that and `local` is known here.
///
/// The server, as a rule: what is done here is only acknowledged when it is there. But of an attempt that
/// this host has, nobody else can say how it went on; nor that there is one, where the server has lost
/// that it was begun. Attempts are only ever added: a task that waits with fewer of them than are known here
/// was lost and added again by somebody who had not heard of them.
pub(super) fn right(local: &Record, server: &Record, me: &str) -> Right {
    if local.says(server) {
        return Right::Both;
    }
    let (here, there) = (local.attempts.last(), server.attempts.last());
    let is_mine = |owner: &Option<String>| owner.as_deref() == Some(me);
    let number = |attempt: Option<&Attempt>| attempt.map_or(0, |attempt| attempt.number);
    match (here, there) {
        (Some(here), Some(there))
            if here.number == there.number
                && here.nonce == there.nonce
                && is_mine(&server.owner)
                && there.ended.is_none()
                && here.ended.is_some() =>
        {
            Right::Here
        }
        (Some(here), _)
            if here.number > number(there)
                && (local.owner.is_none() || is_mine(&local.owner))
                && server.task.state == State::Queued =>
        {
            Right::Here
        }
        _ => Right::Server,
    }
}

/// What is said of a group or an account, for all hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Flag {
    /// Of a group.
    Group {
        name: String,
        parallel: Option<u32>,
        is_paused: bool,
    },
    /// Of an account.
    Account {
        name: String,
        parallel: Option<u32>,
        limited_until: Option<Timestamp>,
        why: Option<String>,
    },
}

impl Flag {
    pub(super) fn of_group(group: &Group) -> Self {
        Self::Group {
            name: group.name.clone(),
            parallel: group.parallel,
            is_paused: group.is_paused,
        }
    }

    pub(super) fn of_account(account: &Account) -> Self {
        Self::Account {
            name: account.name.clone(),
            parallel: account.parallel,
            limited_until: account.limited_until,
            why: account.why.clone(),
        }
    }

    /// Does it say nothing?
    pub(super) fn is_plain(&self) -> bool {
        match self {
            Self::Group {
                parallel,
                is_paused,
                ..
            } => parallel.is_none() && !is_paused,
            Self::Account {
                parallel,
                limited_until,
                ..
            } => parallel.is_none() && limited_until.is_none(),
        }
    }

    /// The key that it is kept by: names can have any character, keys cannot.
    pub(super) fn key(&self) -> String {
        match self {
            Self::Group { name, .. } => format!("group.{}", hashed(name)),
            Self::Account { name, .. } => format!("account.{}", hashed(name)),
        }
    }
}

/// The key of what says which task has a key.
pub(super) fn key_of(key: &str) -> String {
    format!("key.{}", hashed(key))
}

/// A name in characters that any key may have.
pub(super) fn hashed(name: &str) -> String {
    blake3::hash(name.as_bytes())
        .to_hex()
        .chars()
        .take(32)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::{Spec, Worker};

    fn attempt(number: u32, nonce: &str, is_over: bool) -> Attempt {
        Attempt {
            number,
            nonce: nonce.to_owned(),
            host: "h".to_owned(),
            worker: Worker {
                unit: None,
                socket: "s".to_owned(),
                server: "1.2".to_owned(),
                pane: "%1".to_owned(),
                account: None,
            },
            leased: Timestamp::UNIX_EPOCH,
            started: None,
            ended: is_over.then_some(Timestamp::UNIX_EPOCH),
            outcome: None,
            after_lost: false,
        }
    }

    /// A task in that state, with these attempts, which `owner` has.
    fn record(state: State, attempts: Vec<Attempt>, owner: Option<&str>) -> Record {
        let spec: Spec = serde_json::from_value(serde_json::json!({
            "text": "make", "group": "default", "submitter": "me"
        }))
        .unwrap();
        let task = Task {
            id: "0123456789ab".parse().unwrap(),
            spec,
            state,
            why: None,
            added: Timestamp::UNIX_EPOCH,
            not_before: None,
            attempts: 0,
            returned: 0,
            attempt: attempts.last().cloned(),
            cancel: None,
            ended: None,
            exit: None,
        };
        Record {
            v: VERSION,
            home: "a".to_owned(),
            owner: owner.map(str::to_owned),
            stamp: by_chance(),
            task,
            attempts,
            may_repeat: false,
            events: Vec::new(),
        }
    }

    #[test]
    fn the_server_is_right_but_of_the_end_of_an_own_attempt() {
        let queued = record(State::Queued, vec![], None);
        let mine = record(State::Running, vec![attempt(1, "n", false)], Some("me"));
        let ended = record(State::Done, vec![attempt(1, "n", true)], None);
        let others = record(State::Running, vec![attempt(1, "m", false)], Some("b"));
        let held = record(State::Held, vec![], None);
        let returned = record(State::Queued, vec![attempt(1, "n", true)], None);
        let later = record(
            State::Running,
            vec![attempt(1, "n", true), attempt(2, "o", false)],
            Some("b"),
        );
        for (local, server, is) in [
            (&mine, &mine.clone(), Right::Both),
            // It was begun, or ended, and the server was away or has lost it.
            (&mine, &queued, Right::Here),
            (&ended, &mine, Right::Here),
            // Who added it again had not heard what became of it.
            (&ended, &queued, Right::Here),
            (&returned, &queued, Right::Here),
            // Somebody else was first.
            (&mine, &others, Right::Server),
            (&ended, &others, Right::Server),
            (&mine, &later, Right::Server),
            (&ended, &later, Right::Server),
            (&mine, &held, Right::Server),
            // Nobody here is to know better.
            (&queued, &mine, Right::Server),
            (&others, &queued, Right::Server),
            (&queued, &ended, Right::Server),
            (&held, &queued, Right::Server),
        ] {
            assert_eq!(right(local, server, "me"), is, "{local:?}\n{server:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_and_what_a_newer_program_wrote_is_not() {
        let record = record(State::Queued, vec![], None);
        assert_eq!(Record::read(&record.bytes()), Some(record.clone()));
        let newer = Record { v: 2, ..record };
        assert_eq!(Record::read(&newer.bytes()), None);
        assert_eq!(Record::read(b"{}"), None);
    }

    #[test]
    fn only_the_last_attempts_are_written() {
        let attempts: Vec<_> = (1..=1000).map(|n| attempt(n, "n", true)).collect();
        let whole = record(State::Queued, attempts, None).whole("a");
        let written = Record::of(&whole, "a");
        let numbers: Vec<_> = written.attempts.iter().map(|last| last.number).collect();
        assert_eq!(numbers, (937..=1000).collect::<Vec<_>>());
        assert!(written.says(&Record::of(&whole, "a")));
        assert!(written.says(&Record::of(&written.whole("a"), "a")));
    }

    #[test]
    fn any_name_has_a_key() {
        let flag = |name: &str| Flag::Group {
            name: name.to_owned(),
            parallel: None,
            is_paused: false,
        };
        let key = flag("a b.> *\n").key();
        assert!(
            key.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
        );
        assert_ne!(flag("a").key(), flag("b").key());
        assert_ne!(flag("a").key(), key_of("a"));
    }
}
