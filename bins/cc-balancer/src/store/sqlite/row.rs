//! Rows as values.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::{Event, Now, StoreError};
use super::writer::Work;
use crate::policy;
use crate::task::{Attempt, State, Task, TaskId, Worker};

/// A task, and what the store alone knows of it.
pub(super) struct Kept {
    pub(super) seq: i64,
    pub(super) lane: i64,
    /// How many of those before it are not done.
    pub(super) waits: i64,
    /// Its last attempt.
    pub(super) number: u32,
    /// Is it a message for somebody?
    pub(super) is_addressed: bool,
    pub(super) task: Task,
}

/// What [`Work::kept`] reads.
pub(super) const KEPT: &str =
    "task.seq, task.id, task.lane, task.waits, task.number, task.recipient,
    task.state, task.why, task.added, task.not_before, task.attempts, task.returned, task.cancel,
    task.ended, task.exit, task.spec";

/// What cannot be read.
pub(super) fn damaged(what: impl std::fmt::Display) -> StoreError {
    StoreError::Broken(format!("a row cannot be read: {what}"))
}

pub(super) fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(damaged)
}

pub(super) fn parsed<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(damaged)
}

pub(super) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// The moment of a row: of every one that there is, also where microseconds alone make none, in the last
/// second of all.
pub(super) fn timestamp(micros: i64) -> Result<Timestamp, StoreError> {
    let nanoseconds = i32::try_from(micros % 1_000_000 * 1_000).map_err(damaged)?;
    Timestamp::new(micros / 1_000_000, nanoseconds).map_err(damaged)
}

pub(super) fn some_timestamp(micros: Option<i64>) -> Result<Option<Timestamp>, StoreError> {
    micros.map(timestamp).transpose()
}

pub(super) fn id(text: &str) -> Result<TaskId, StoreError> {
    text.parse().map_err(damaged)
}

pub(super) fn state(name: &str) -> Result<State, StoreError> {
    State::named(name).ok_or_else(|| damaged(name))
}

fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a str, StoreError> {
    let value = row.get_ref(column)?;
    value.as_str().map_err(damaged)
}

impl Work<'_> {
    /// The task of a row of [`KEPT`], with its attempt.
    pub(super) fn kept(&self, row: &Row<'_>) -> Result<Kept, StoreError> {
        let seq = row.get(0)?;
        let number = row.get(4)?;
        let waits = row.get(3)?;
        let state = state(text(row, 6)?)?;
        let mut why: Option<String> = row.get(7)?;
        if state == State::Queued && waits > 0 {
            why = self.first_before(seq)?.or(why);
        }
        let recipient: Option<String> = row.get(5)?;
        Ok(Kept {
            seq,
            lane: row.get(2)?,
            waits,
            number,
            is_addressed: recipient.is_some(),
            task: Task {
                id: id(text(row, 1)?)?,
                spec: parsed(text(row, 15)?)?,
                state,
                why,
                added: timestamp(row.get(8)?)?,
                not_before: some_timestamp(row.get(9)?)?,
                attempts: row.get(10)?,
                returned: row.get(11)?,
                attempt: self.attempt(seq, number)?,
                cancel: row.get(12)?,
                ended: some_timestamp(row.get(13)?)?,
                exit: row.get(14)?,
            },
        })
    }

    fn first_before(&self, seq: i64) -> Result<Option<String>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT other.id FROM before JOIN task AS other ON other.seq = before.other
             WHERE before.task = ?1 AND other.state <> 'done' ORDER BY other.seq LIMIT 1",
        )?;
        let first = query.query_row([seq], |row| row.get::<_, String>(0));
        Ok(first.optional()?.map(|id| format!("after {id}")))
    }

    pub(super) fn attempt(&self, seq: i64, number: u32) -> Result<Option<Attempt>, StoreError> {
        if number == 0 {
            return Ok(None);
        }
        let mut query = self.db.prepare_cached(&format!(
            "SELECT {ATTEMPT} FROM attempt WHERE task = ?1 AND number = ?2"
        ))?;
        let mut rows = query.query(params![seq, number])?;
        rows.next()?.map(attempt).transpose()
    }

    /// The task of that id.
    pub(super) fn load(&self, task: &TaskId) -> Result<Kept, StoreError> {
        let mut query = self
            .db
            .prepare_cached(&format!("SELECT {KEPT} FROM task WHERE id = ?1"))?;
        let mut rows = query.query([task.as_str()])?;
        match rows.next()? {
            Some(row) => self.kept(row),
            None => Err(StoreError::Unknown(task.to_string())),
        }
    }

    pub(super) fn load_seq(&self, seq: i64) -> Result<Kept, StoreError> {
        let mut query = self
            .db
            .prepare_cached(&format!("SELECT {KEPT} FROM task WHERE seq = ?1"))?;
        let mut rows = query.query([seq])?;
        match rows.next()? {
            Some(row) => self.kept(row),
            None => Err(damaged("a task is missing")),
        }
    }

    /// Writes down what has changed of a task that was in that state, and what that means for those
    /// after it.
    pub(super) fn save(&mut self, kept: &Kept, was: State, now: Now) -> Result<(), StoreError> {
        self.save_alone(kept, now)?;
        let is = kept.task.state;
        if (was == State::Done) != (is == State::Done) {
            self.count_done(kept.seq, is == State::Done, now.wall)?;
        }
        if policy::after(&kept.task.id, is).is_some() {
            self.bury(kept.seq, &kept.task.id, is, now)?;
        }
        Ok(())
    }

    fn save_alone(&self, kept: &Kept, now: Now) -> Result<(), StoreError> {
        let task = &kept.task;
        let is_due = task.not_before.is_none_or(|at| at <= now.wall);
        let is_ready =
            task.state == State::Queued && kept.waits == 0 && !kept.is_addressed && is_due;
        let mut update = self.db.prepare_cached(
            "UPDATE task SET state = ?2, why = ?3, not_before = ?4, attempts = ?5, returned = ?6,
                 cancel = ?7, ended = ?8, exit = ?9, ready = ?10, lane = ?11,
                 host = iif(?12, host, NULL), account = iif(?12, account, NULL),
                 boot = iif(?12, boot, NULL), lease = iif(?12, lease, NULL),
                 until = iif(?12, until, NULL)
             WHERE seq = ?1",
        )?;
        update.execute(params![
            kept.seq,
            task.state.name(),
            task.why,
            task.not_before.map(Timestamp::as_microsecond),
            task.attempts,
            task.returned,
            task.cancel,
            task.ended.map(Timestamp::as_microsecond),
            task.exit,
            is_ready,
            kept.lane,
            task.state.is_under_way(),
        ])?;
        Ok(())
    }

    /// Those after a task wait for one less, or for one more.
    pub(super) fn count_done(
        &self,
        seq: i64,
        is_done: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let more = if is_done { -1 } else { 1 };
        let mut update = self.db.prepare_cached(
            "UPDATE task SET waits = waits + ?2,
                 ready = state = 'queued' AND waits + ?2 = 0 AND recipient IS NULL
                     AND (not_before IS NULL OR not_before <= ?3)
             WHERE seq IN (SELECT task FROM before WHERE other = ?1)",
        )?;
        update.execute(params![seq, more, now.as_microsecond()])?;
        Ok(())
    }

    /// What waits for a task that will not be done is dead, and what waits for that.
    pub(super) fn bury(
        &mut self,
        seq: i64,
        id: &TaskId,
        state: State,
        now: Now,
    ) -> Result<(), StoreError> {
        let mut ended = vec![(seq, id.clone(), state)];
        while let Some((seq, id, state)) = ended.pop() {
            let why = policy::after(&id, state);
            for after in self.waiting_for(seq)? {
                let mut kept = self.load_seq(after)?;
                kept.task.state = State::Dead;
                kept.task.why.clone_from(&why);
                kept.task.ended = Some(now.wall);
                self.save_alone(&kept, now)?;
                self.tell(&kept, None, "dead", why.clone(), now)?;
                ended.push((kept.seq, kept.task.id, State::Dead));
            }
        }
        Ok(())
    }

    fn waiting_for(&self, seq: i64) -> Result<Vec<i64>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT task.seq FROM before JOIN task ON task.seq = before.task
             WHERE before.other = ?1 AND task.state IN ('queued', 'held')",
        )?;
        let rows = query.query_map([seq], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Writes down what happened, and tells it once that is down.
    pub(super) fn tell(
        &mut self,
        kept: &Kept,
        attempt: Option<u32>,
        kind: &str,
        detail: Option<String>,
        now: Now,
    ) -> Result<(), StoreError> {
        self.tell_of(kept.seq, &kept.task.id, attempt, kind, detail, now)
    }

    pub(super) fn tell_of(
        &mut self,
        seq: i64,
        task: &TaskId,
        attempt: Option<u32>,
        kind: &str,
        detail: Option<String>,
        now: Now,
    ) -> Result<(), StoreError> {
        let mut insert = self.db.prepare_cached(
            "INSERT INTO event (task, at, attempt, kind, detail) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        let at = now.wall.as_microsecond();
        insert.execute(params![seq, at, attempt, kind, detail])?;
        self.told.push(Event {
            at: timestamp(at)?,
            task: task.clone(),
            attempt,
            kind: kind.to_owned(),
            detail,
        });
        Ok(())
    }
}

/// What [`attempt`] reads.
pub(super) const ATTEMPT: &str = "number, nonce, host, unit, socket, server, pane, account, leased,
    started, ended, outcome, after_lost";

pub(super) fn attempt(row: &Row<'_>) -> Result<Attempt, StoreError> {
    Ok(Attempt {
        number: row.get(0)?,
        nonce: row.get(1)?,
        host: row.get(2)?,
        worker: Worker {
            unit: row.get(3)?,
            socket: row.get(4)?,
            server: row.get(5)?,
            pane: row.get(6)?,
            account: row.get(7)?,
        },
        leased: timestamp(row.get(8)?)?,
        started: some_timestamp(row.get(9)?)?,
        ended: some_timestamp(row.get(10)?)?,
        outcome: row.get(11)?,
        after_lost: row.get(12)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_moment_that_is_written_can_be_read() {
        let second = Timestamp::UNIX_EPOCH.as_microsecond();
        assert_eq!(timestamp(second).unwrap(), Timestamp::UNIX_EPOCH);
        for moment in [
            Timestamp::MIN,
            Timestamp::from_nanosecond(-1_500_000_001).unwrap(),
            Timestamp::from_microsecond(1_790_000_000_123_456).unwrap(),
            Timestamp::MAX,
        ] {
            let read = timestamp(moment.as_microsecond()).unwrap();
            assert_eq!(read.as_microsecond(), moment.as_microsecond());
        }
        assert!(timestamp(i64::MAX).is_err() && timestamp(i64::MIN).is_err());
    }
}
