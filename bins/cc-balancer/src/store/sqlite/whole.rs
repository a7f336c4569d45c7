//! Tasks as a whole, for an engine that shares them between hosts: each host keeps all of them in a store
//! like this one, and is told from outside how those of the others stand.
//!
//! Table `elsewhere`: what of a `task` is another host's; `home`: who added it, `owner`: who has its
//! attempt `number`.

use rusqlite::{OptionalExtension as _, params};

use super::super::{Answer, Event, Now, StoreError};
use super::asking::UNDER_WAY;
use super::row::{json, micros};
use super::writer::Work;
use super::{SqliteStore, adding};
use crate::policy;
use crate::task::{Attempt, Outcome, State, Task, TaskId};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS elsewhere (
    task INTEGER PRIMARY KEY REFERENCES task (seq) ON DELETE CASCADE,
    home TEXT, owner TEXT, number INTEGER NOT NULL
) STRICT";

/// For how long the lease of another host is good here before it is looked at again.
const ELSEWHERE: std::time::Duration = std::time::Duration::from_secs(3600);

/// A task, and everything that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Whole {
    /// The task.
    pub(crate) task: Task,
    /// All attempts at it.
    pub(crate) attempts: Vec<Attempt>,
    /// What happened to it.
    pub(crate) events: Vec<Event>,
    /// What came of the last attempt of which something did, and which that was; `None` leaves what is
    /// known.
    pub(crate) outcome: Option<(u32, Outcome)>,
    /// May what the last attempt did be done twice by the next?
    pub(crate) may_repeat: bool,
    /// The other host that added it.
    pub(crate) home: Option<String>,
    /// The other host that has it under way.
    pub(crate) owner: Option<String>,
    /// How long this host has it, while it does; `None` leaves what is known.
    pub(crate) lease: Option<Lease>,
}

/// A lease of this host, as its row has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lease {
    boot: Option<String>,
    long: i64,
    until: i64,
}

impl SqliteStore {
    /// Makes room for what is known of other hosts.
    pub(crate) fn share(&self) -> Answer<'_, ()> {
        self.write(|work| Ok(work.db.execute_batch(TABLE)?))
    }

    /// A task, and everything that is known of it.
    pub(crate) fn whole<'a>(&'a self, task: &'a TaskId) -> Answer<'a, Option<Whole>> {
        let task = task.clone();
        self.read(move |work| match work.whole(&task) {
            Err(StoreError::Unknown(_)) => Ok(None),
            whole => whole.map(Some),
        })
    }

    /// Takes over how a task stands, whatever was known of it. `is_all_here`: what it comes after and is
    /// not known here is not there any more.
    pub(crate) fn keep(&self, whole: Whole, is_all_here: bool) -> Answer<'_, ()> {
        self.write(move |work| work.keep_whole(&whole, is_all_here))
    }

    /// Forgets a task, however it stands.
    pub(crate) fn forget<'a>(&'a self, task: &'a TaskId) -> Answer<'a, ()> {
        let task = task.clone();
        self.write(move |work| match work.load(&task) {
            Ok(kept) => work.forget(kept.seq, kept.task.state, jiff::Timestamp::MIN),
            Err(StoreError::Unknown(_)) => Ok(()),
            Err(error) => Err(error),
        })
    }

    /// Leases of other hosts run out there, not here.
    pub(crate) fn leave_to_others(&self, now: Now) -> Answer<'_, ()> {
        self.write(move |work| {
            let until = micros(now.steady.saturating_add(ELSEWHERE));
            work.db
                .prepare_cached(&format!(
                    "UPDATE task SET boot = ?1, lease = ?2, until = ?3 WHERE state IN {UNDER_WAY}
                         AND EXISTS (SELECT 1 FROM elsewhere AS e WHERE e.task = task.seq
                             AND e.owner IS NOT NULL AND e.number = task.number)"
                ))?
                .execute(params![work.boot, micros(ELSEWHERE), until])?;
            Ok(())
        })
    }
}

/// Whose a task is.
#[derive(Default)]
struct Elsewhere {
    home: Option<String>,
    owner: Option<String>,
    number: u32,
}

impl Work<'_> {
    fn elsewhere(&self, seq: i64) -> Result<Elsewhere, StoreError> {
        let mut query = self
            .db
            .prepare_cached("SELECT home, owner, number FROM elsewhere WHERE task = ?1")?;
        let found = query.query_row([seq], |row| {
            Ok(Elsewhere {
                home: row.get(0)?,
                owner: row.get(1)?,
                number: row.get(2)?,
            })
        });
        Ok(found.optional()?.unwrap_or_default())
    }

    fn whole(&self, id: &TaskId) -> Result<Whole, StoreError> {
        let kept = self.load(id)?;
        let elsewhere = self.elsewhere(kept.seq)?;
        let is_under_way = kept.task.state.is_under_way();
        let owner = elsewhere.owner;
        let owner = owner.filter(|_| is_under_way && elsewhere.number == kept.number);
        let lease = match is_under_way && owner.is_none() {
            true => self.own_lease(kept.seq)?,
            false => None,
        };
        Ok(Whole {
            attempts: self.attempts(id)?,
            events: self.events(id)?,
            outcome: self.last_outcome(kept.seq)?.zip(self.outcome(id)?),
            may_repeat: self.may_repeat(kept.seq, kept.number)?,
            home: elsewhere.home,
            owner,
            lease,
            task: kept.task,
        })
    }

    fn own_lease(&self, seq: i64) -> Result<Option<Lease>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT boot, lease, until FROM task WHERE seq = ?1 AND until IS NOT NULL",
        )?;
        let found = query.query_row([seq], |row| {
            Ok(Lease {
                boot: row.get(0)?,
                long: row.get(1)?,
                until: row.get(2)?,
            })
        });
        Ok(found.optional()?)
    }

    fn keep_whole(&mut self, whole: &Whole, is_all_here: bool) -> Result<(), StoreError> {
        let task = &whole.task;
        let was = match self.load(&task.id) {
            Ok(kept) => Some(kept),
            Err(StoreError::Unknown(_)) => None,
            Err(error) => return Err(error),
        };
        let seq = match &was {
            Some(kept) => kept.seq,
            None => self.make(task)?,
        };
        self.keep_attempts(seq, whole)?;
        let waits = self.keep_before(seq, task, is_all_here)?;
        self.keep_task(seq, whole, waits)?;
        self.keep_outcome(seq, whole)?;
        self.keep_events(seq, whole)?;
        let was = was.map(|kept| kept.task.state);
        let was_done = was == Some(State::Done);
        let is_done = task.state == State::Done;
        if was_done != is_done {
            // What waits for its time is marked when that has come.
            self.count_done(seq, is_done, jiff::Timestamp::MIN)?;
        }
        self.bury_waiting(seq, task, was)
    }

    /// What waits for what will not be done is dead, wherever that ended; at the same moment on all hosts.
    /// What was over here and waits again was tried again, and so will what it comes after be heard to be.
    fn bury_waiting(
        &mut self,
        seq: i64,
        task: &Task,
        was: Option<State>,
    ) -> Result<(), StoreError> {
        let when = |task: &Task| Now {
            wall: task.ended.unwrap_or_else(jiff::Timestamp::now),
            steady: std::time::Duration::ZERO,
        };
        if policy::after(&task.id, task.state).is_some() {
            return self.bury(seq, &task.id, task.state, when(task));
        }
        let is_waiting = matches!(task.state, State::Queued | State::Held);
        if !is_waiting || was.is_some_and(State::is_over) {
            return Ok(());
        }
        for id in &task.spec.after {
            match self.load(id) {
                Ok(before) if policy::after(id, before.task.state).is_some() => {
                    let (state, now) = (before.task.state, when(&before.task));
                    return self.bury(before.seq, id, state, now);
                }
                Ok(_) | Err(StoreError::Unknown(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn make(&self, task: &Task) -> Result<i64, StoreError> {
        let lane = self.lane(&task.spec)?;
        self.db
            .prepare_cached(
                "INSERT INTO task (id, lane, priority, state, waits, ready, since, added, spec)
                 VALUES (?1, ?2, 0, 'held', 0, 0, 0, 0, '')",
            )?
            .execute(params![task.id.as_str(), lane])?;
        Ok(self.db.last_insert_rowid())
    }

    fn keep_task(&self, seq: i64, whole: &Whole, waits: i64) -> Result<(), StoreError> {
        let task = &whole.task;
        let spec = &task.spec;
        let since = spec.not_before.map_or(task.added, |at| at.max(task.added));
        let recipient = adding::recipient(spec);
        let is_queued = task.state == State::Queued;
        let is_ready = is_queued && waits == 0 && recipient.is_none() && task.not_before.is_none();
        let number = whole.attempts.last().map_or(0, |attempt| attempt.number);
        let at = |at: Option<jiff::Timestamp>| at.map(jiff::Timestamp::as_microsecond);
        self.db
            .prepare_cached(
                "UPDATE task SET lane = ?2, priority = ?3, state = ?4, waits = ?5, ready = ?6,
                     since = ?7, not_before = ?8, added = ?9, ended = ?10, attempts = ?11,
                     returned = ?12, cancel = ?13, exit = ?14, recipient = ?15, affinity = ?16,
                     why = ?17, spec = ?18, key = iif(EXISTS (SELECT 1 FROM task AS other
                         WHERE other.key = ?19 AND other.seq <> ?1), NULL, ?19)
                 WHERE seq = ?1",
            )?
            .execute(params![
                seq,
                self.lane(spec)?,
                spec.priority,
                task.state.name(),
                waits,
                is_ready,
                since.as_microsecond(),
                at(task.not_before),
                task.added.as_microsecond(),
                at(task.ended),
                task.attempts,
                task.returned,
                task.cancel,
                task.exit,
                recipient,
                spec.affinity,
                // It is said of what waits for another as long as it does.
                task.why
                    .as_ref()
                    .filter(|why| !is_queued || !why.starts_with("after ")),
                json(spec)?,
                spec.key,
            ])?;
        self.keep_lease(seq, number, whole)
    }

    /// The lease of an attempt of this host goes on if it is known here, or was before what is undone with
    /// this, and is over if not.
    fn keep_lease(&self, seq: i64, number: u32, whole: &Whole) -> Result<(), StoreError> {
        let is_under_way = whole.task.state.is_under_way();
        let attempt = whole.attempts.last().filter(|_| is_under_way);
        let lease = whole.lease.as_ref();
        self.db
            .prepare_cached(
                "UPDATE task SET host = ?3, account = ?4,
                     boot = iif(?3 IS NULL, NULL, iif(?5, ?6,
                         iif(number = ?2 AND until IS NOT NULL, boot, ?8))),
                     lease = iif(?3 IS NULL, NULL, iif(?5, 0,
                         iif(number = ?2, ifnull(lease, ?9), ?9))),
                     until = iif(?3 IS NULL, NULL, iif(?5, ?7,
                         iif(number = ?2, ifnull(until, ?10), ?10))),
                     number = ?2
                 WHERE seq = ?1",
            )?
            .execute(params![
                seq,
                number,
                attempt.map(|attempt| &attempt.host),
                attempt.and_then(|attempt| attempt.worker.account.as_ref()),
                whole.owner.is_some(),
                self.boot,
                i64::MAX,
                lease.map_or(self.boot, |lease| lease.boot.as_deref()),
                lease.map_or(0, |lease| lease.long),
                lease.map_or(0, |lease| lease.until),
            ])?;
        self.db
            .prepare_cached("INSERT OR REPLACE INTO elsewhere VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![seq, whole.home, whole.owner, number])?;
        Ok(())
    }

    fn keep_attempts(&self, seq: i64, whole: &Whole) -> Result<(), StoreError> {
        let last = whole.attempts.last().map_or(0, |attempt| attempt.number);
        self.db
            .prepare_cached("DELETE FROM attempt WHERE task = ?1 AND number > ?2")?
            .execute(params![seq, last])?;
        let mut insert = self.db.prepare_cached(
            "INSERT OR REPLACE INTO attempt (task, number, nonce, host, unit, socket, server, pane,
                 account, leased, started, ended, outcome, after_lost, may_repeat)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        )?;
        let at = |at: Option<jiff::Timestamp>| at.map(jiff::Timestamp::as_microsecond);
        for attempt in &whole.attempts {
            let worker = &attempt.worker;
            insert.execute(params![
                seq,
                attempt.number,
                attempt.nonce,
                attempt.host,
                worker.unit,
                worker.socket,
                worker.server,
                worker.pane,
                worker.account,
                attempt.leased.as_microsecond(),
                at(attempt.started),
                at(attempt.ended),
                attempt.outcome,
                attempt.after_lost,
                whole.may_repeat && attempt.number == last,
            ])?;
        }
        Ok(())
    }

    /// What it comes after; says for how many it waits.
    fn keep_before(&self, seq: i64, task: &Task, is_all_here: bool) -> Result<i64, StoreError> {
        let mut query = self
            .db
            .prepare_cached("SELECT seq, state FROM task WHERE id = ?1")?;
        let mut insert = self
            .db
            .prepare_cached("INSERT OR IGNORE INTO before (task, other) VALUES (?1, ?2)")?;
        let after: std::collections::BTreeSet<_> = task.spec.after.iter().collect();
        let mut waits = 0;
        for id in after {
            let found = query.query_row([id.as_str()], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
            });
            match found.optional()? {
                Some((other, state)) => {
                    insert.execute([seq, other])?;
                    waits += i64::from(state != State::Done.name());
                }
                None => waits += i64::from(!is_all_here),
            }
        }
        Ok(waits)
    }

    fn last_outcome(&self, seq: i64) -> Result<Option<u32>, StoreError> {
        let mut query = self
            .db
            .prepare_cached("SELECT max(number) FROM outcome WHERE task = ?1")?;
        Ok(query.query_row([seq], |row| row.get(0))?)
    }

    fn keep_outcome(&self, seq: i64, whole: &Whole) -> Result<(), StoreError> {
        let last = whole.attempts.last().map_or(0, |attempt| attempt.number);
        // Nothing came yet of one that is under way.
        let too_many = match whole.task.state.is_under_way() {
            true => last,
            false => last + 1,
        };
        let known = whole
            .outcome
            .as_ref()
            .map_or(too_many, |(number, _)| *number);
        self.db
            .prepare_cached("DELETE FROM outcome WHERE task = ?1 AND number >= ?2")?
            .execute(params![seq, known.min(too_many)])?;
        if let Some((number, outcome)) = &whole.outcome {
            self.keep(seq, *number, outcome)?;
        }
        Ok(())
    }

    /// What happened; what was not known is told.
    fn keep_events(&mut self, seq: i64, whole: &Whole) -> Result<(), StoreError> {
        let known = self.events(&whole.task.id)?;
        let (from, is_more) = match whole.events.get(..known.len()) {
            Some(same) if same == known => (known.len(), true),
            _ => (0, false),
        };
        if !is_more {
            self.db
                .prepare_cached("DELETE FROM event WHERE task = ?1")?
                .execute([seq])?;
        }
        let mut insert = self.db.prepare_cached(
            "INSERT INTO event (task, at, attempt, kind, detail) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for event in whole.events.iter().skip(from) {
            insert.execute(params![
                seq,
                event.at.as_microsecond(),
                event.attempt,
                event.kind,
                event.detail
            ])?;
            if !known.contains(event) {
                self.told.push(event.clone());
            }
        }
        Ok(())
    }
}
