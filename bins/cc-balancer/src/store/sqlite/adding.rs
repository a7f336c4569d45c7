//! Tasks come, and go.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};

use super::super::{Added, Edit, Now, StoreError};
use super::row::{damaged, id, json, state};
use super::writer::Work;
use crate::policy;
use crate::task::{Kind, Spec, State, TaskId};

/// How many are forgotten at a time.
const MOST: u32 = 500;

impl Work<'_> {
    pub(super) fn add(&mut self, spec: &Spec, now: Now) -> Result<Added, StoreError> {
        if let Some(key) = &spec.key
            && let Some(id) = self.with_key(key)?
        {
            return Ok(Added {
                id,
                was_there: true,
            });
        }
        let new = TaskId::by_chance().map_err(|error| StoreError::Broken(error.to_string()))?;
        let before = self.before(spec)?;
        let waits = before.iter().filter(|(_, _, state)| *state != State::Done);
        let waits = i64::try_from(waits.count()).unwrap_or(i64::MAX);
        let why = before
            .iter()
            .find_map(|(_, id, state)| policy::after(id, *state));
        let state = match why {
            Some(_) => State::Dead,
            None => State::Queued,
        };
        let since = spec.not_before.map_or(now.wall, |at| at.max(now.wall));
        let recipient = recipient(spec);
        let is_ready = state == State::Queued
            && waits == 0
            && recipient.is_none()
            && spec.not_before.is_none_or(|at| at <= now.wall);
        let lane = self.lane(spec)?;
        self.db
            .prepare_cached(
                "INSERT INTO task (id, key, lane, priority, state, waits, ready, since, not_before,
                     added, ended, recipient, affinity, why, spec)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            )?
            .execute(params![
                new.as_str(),
                spec.key,
                lane,
                spec.priority,
                state.name(),
                waits,
                is_ready,
                since.as_microsecond(),
                spec.not_before.map(Timestamp::as_microsecond),
                now.wall.as_microsecond(),
                state.is_over().then(|| now.wall.as_microsecond()),
                recipient,
                spec.affinity,
                why,
                json(spec)?,
            ])?;
        let seq = self.db.last_insert_rowid();
        for (other, _, _) in &before {
            self.db
                .prepare_cached("INSERT INTO before (task, other) VALUES (?1, ?2)")?
                .execute([seq, *other])?;
        }
        self.tell_of(seq, &new, None, "added", None, now)?;
        if why.is_some() {
            self.tell_of(seq, &new, None, "dead", why, now)?;
        }
        Ok(Added {
            id: new,
            was_there: false,
        })
    }

    fn with_key(&self, key: &str) -> Result<Option<TaskId>, StoreError> {
        let mut query = self
            .db
            .prepare_cached("SELECT id FROM task WHERE key = ?1")?;
        let found: Option<String> = query.query_row([key], |row| row.get(0)).optional()?;
        found.map(|text| id(&text)).transpose()
    }

    /// Those before a task, each once.
    fn before(&self, spec: &Spec) -> Result<Vec<(i64, TaskId, State)>, StoreError> {
        let mut query = self
            .db
            .prepare_cached("SELECT seq, state FROM task WHERE id = ?1")?;
        let mut all = Vec::new();
        for id in spec.after.iter().collect::<BTreeSet<_>>() {
            let found = query.query_row([id.as_str()], |row| {
                Ok((row.get(0)?, row.get::<_, String>(1)?))
            });
            match found.optional()? {
                Some((seq, name)) => all.push((seq, id.clone(), state(&name)?)),
                None => return Err(StoreError::Unknown(id.to_string())),
            }
        }
        Ok(all)
    }

    /// The lane of such tasks, made where there is none.
    pub(super) fn lane(&self, spec: &Spec) -> Result<i64, StoreError> {
        let needs = json(&spec.needs)?;
        let kind = kind(spec.kind);
        let columns = params![spec.group, kind, needs, spec.to, spec.submitter];
        let mut query = self.db.prepare_cached(
            "SELECT id FROM lane WHERE grp = ?1 AND kind = ?2 AND needs = ?3
                 AND recipient IS ?4 AND submitter = ?5",
        )?;
        if let Some(lane) = query.query_row(columns, |row| row.get(0)).optional()? {
            return Ok(lane);
        }
        self.db
            .prepare_cached(
                "INSERT INTO lane (grp, kind, needs, recipient, submitter)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(columns)?;
        Ok(self.db.last_insert_rowid())
    }

    pub(super) fn edit(&mut self, task: &TaskId, edit: Edit, now: Now) -> Result<(), StoreError> {
        let mut kept = self.load(task)?;
        let state = kept.task.state;
        if !matches!(state, State::Queued | State::Held) {
            return Err(not_now(task, state));
        }
        let mut changed = Vec::new();
        let spec = &mut kept.task.spec;
        if let Some(text) = edit.text {
            spec.text = text;
            changed.push("text");
        }
        if let Some(priority) = edit.priority {
            spec.priority = priority;
            changed.push("priority");
        }
        if let Some(needs) = edit.needs {
            spec.needs = needs;
            changed.push("needs");
        }
        if changed.is_empty() {
            return Ok(());
        }
        kept.lane = self.lane(&kept.task.spec)?;
        self.db
            .prepare_cached("UPDATE task SET spec = ?2, priority = ?3, lane = ?4 WHERE seq = ?1")?
            .execute(params![
                kept.seq,
                json(&kept.task.spec)?,
                kept.task.spec.priority,
                kept.lane
            ])?;
        self.tell(&kept, None, "edited", Some(changed.join(", ")), now)
    }

    pub(super) fn note(&mut self, task: &TaskId, detail: &str, now: Now) -> Result<(), StoreError> {
        let kept = self.load(task)?;
        let attempt = kept.task.state.is_under_way().then_some(kept.number);
        self.tell(&kept, attempt, "note", Some(detail.to_owned()), now)
    }

    pub(super) fn remove(&self, task: &TaskId, now: Now) -> Result<(), StoreError> {
        let kept = self.load(task)?;
        match kept.task.state.is_over() {
            true => self.forget(kept.seq, kept.task.state, now.wall),
            false => Err(not_now(task, kept.task.state)),
        }
    }

    /// Forgets some of what was over before that, and says how many.
    pub(super) fn tidy(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT seq, state FROM task WHERE ended IS NOT NULL AND ended < ?1
             ORDER BY ended LIMIT ?2",
        )?;
        let rows = query.query_map(params![before.as_microsecond(), MOST], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })?;
        let over: Vec<_> = rows.collect::<Result<_, _>>()?;
        for (seq, name) in &over {
            self.forget(*seq, state(name)?, before)?;
        }
        if over.is_empty() {
            self.db.execute(
                "DELETE FROM lane WHERE NOT EXISTS (SELECT 1 FROM tally WHERE tally.lane = lane.id)",
                [],
            )?;
        }
        u64::try_from(over.len()).map_err(damaged)
    }

    pub(super) fn forget(&self, seq: i64, state: State, now: Timestamp) -> Result<(), StoreError> {
        if state != State::Done {
            // Nobody waits for what is not there any more.
            self.count_done(seq, true, now)?;
        }
        self.db
            .prepare_cached("DELETE FROM task WHERE seq = ?1")?
            .execute([seq])?;
        Ok(())
    }
}

/// Whom a message is for; tasks have their `to` in their lane alone.
pub(super) fn recipient(spec: &Spec) -> Option<&str> {
    match spec.kind {
        Kind::Message => spec.to.as_deref(),
        Kind::Task => None,
    }
}

/// As it is written.
pub(super) const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Task => "task",
        Kind::Message => "message",
    }
}

pub(super) fn not_now(task: &TaskId, state: State) -> StoreError {
    StoreError::NotNow {
        task: task.clone(),
        state,
    }
}
