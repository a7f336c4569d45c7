//! What is asked of the store.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension as _, params, params_from_iter};

use super::super::{Counts, Event, Query, StoreError};
use super::adding::kind;
use super::row::{ATTEMPT, KEPT, attempt, damaged, parsed, state, timestamp};
use super::writer::Work;
use crate::task::{Attempt, Labels, Outcome, State, Task, TaskId};

/// The states in which a worker has a task.
pub(super) const UNDER_WAY: &str = "('leased', 'delivering', 'running', 'blocked', 'verifying')";

impl Work<'_> {
    /// The task whose id begins like that.
    pub(super) fn find(&self, beginning: &str) -> Result<Task, StoreError> {
        let unknown = || StoreError::Unknown(beginning.to_owned());
        if !TaskId::is_beginning(beginning) {
            return Err(unknown());
        }
        // The character behind the last one that an id may have.
        let mut query = self.db.prepare_cached(&format!(
            "SELECT {KEPT} FROM task WHERE id >= ?1 AND id < ?1 || '{{' LIMIT 2"
        ))?;
        let mut rows = query.query([beginning])?;
        let first = match rows.next()? {
            Some(row) => self.kept(row)?.task,
            None => return Err(unknown()),
        };
        match rows.next()? {
            Some(_) => Err(StoreError::Ambiguous(beginning.to_owned())),
            None => Ok(first),
        }
    }

    pub(super) fn tasks(&self, query: &Query) -> Result<Vec<Task>, StoreError> {
        let states: Vec<_> = query.states.iter().map(|state| state.name()).collect();
        let any = match states.is_empty() {
            true => "?4 = ''".to_owned(),
            false => {
                let marks: Vec<_> = (4..4 + states.len()).map(|n| format!("?{n}")).collect();
                format!("task.state IN ({})", marks.join(", "))
            }
        };
        let mut statement = self.db.prepare(&format!(
            "SELECT {KEPT}, lane.needs FROM task JOIN lane ON lane.id = task.lane
             WHERE (?1 IS NULL OR lane.grp = ?1) AND (?2 IS NULL OR lane.recipient = ?2)
                 AND (?3 IS NULL OR lane.kind = ?3) AND {any}
             ORDER BY task.seq DESC"
        ))?;
        let mut values = vec![
            query.group.as_deref(),
            query.to.as_deref(),
            query.kind.map(kind),
        ];
        values.extend(states.iter().map(|state| Some(*state)));
        if states.is_empty() {
            values.push(Some(""));
        }
        let mut rows = statement.query(params_from_iter(values))?;
        let mut tasks = Vec::new();
        while let Some(row) = rows.next()? {
            if !query.needs.is_empty() {
                let needs: Labels = parsed(&row.get::<_, String>("needs")?)?;
                let has = |(label, value): (&String, &String)| needs.get(label) == Some(value);
                if !query.needs.iter().all(has) {
                    continue;
                }
            }
            tasks.push(self.kept(row)?.task);
            if usize::try_from(query.most) == Ok(tasks.len()) {
                break;
            }
        }
        Ok(tasks)
    }

    pub(super) fn counts(&self) -> Result<Counts, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT iif(state = 'ready', 'queued', state), sum(n) FROM tally GROUP BY 1",
        )?;
        let mut rows = query.query([])?;
        let mut counts = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            let many: i64 = row.get(1)?;
            counts.insert(state(&name)?, u64::try_from(many).map_err(damaged)?);
        }
        Ok(counts)
    }

    fn seq(&self, task: &TaskId) -> Result<i64, StoreError> {
        let mut query = self
            .db
            .prepare_cached("SELECT seq FROM task WHERE id = ?1")?;
        let seq = query.query_row([task.as_str()], |row| row.get(0));
        (seq.optional()?).ok_or_else(|| StoreError::Unknown(task.to_string()))
    }

    pub(super) fn attempts(&self, task: &TaskId) -> Result<Vec<Attempt>, StoreError> {
        let seq = self.seq(task)?;
        let mut query = self.db.prepare_cached(&format!(
            "SELECT {ATTEMPT} FROM attempt WHERE task = ?1 ORDER BY number"
        ))?;
        let mut rows = query.query([seq])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(attempt(row)?);
        }
        Ok(all)
    }

    /// What came of the last attempt of which something did.
    pub(super) fn outcome(&self, task: &TaskId) -> Result<Option<Outcome>, StoreError> {
        let seq = self.seq(task)?;
        let mut query = self.db.prepare_cached(
            "SELECT text, is_cut, exit, check_text FROM outcome WHERE task = ?1
             ORDER BY number DESC LIMIT 1",
        )?;
        let outcome = query.query_row([seq], |row| {
            Ok(Outcome {
                text: row.get(0)?,
                is_cut: row.get(1)?,
                exit: row.get(2)?,
                check: row.get(3)?,
            })
        });
        Ok(outcome.optional()?)
    }

    pub(super) fn events(&self, task: &TaskId) -> Result<Vec<Event>, StoreError> {
        let seq = self.seq(task)?;
        let mut query = self.db.prepare_cached(
            "SELECT at, attempt, kind, detail FROM event WHERE task = ?1 ORDER BY id",
        )?;
        let mut rows = query.query([seq])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(Event {
                at: timestamp(row.get(0)?)?,
                task: task.clone(),
                attempt: row.get(1)?,
                kind: row.get(2)?,
                detail: row.get(3)?,
            });
        }
        Ok(all)
    }

    pub(super) fn under_way(&self, host: &str) -> Result<Vec<Task>, StoreError> {
        let mut query = self.db.prepare_cached(&format!(
            "SELECT {KEPT} FROM task WHERE state IN {UNDER_WAY} AND host = ?1 ORDER BY seq"
        ))?;
        let mut rows = query.query(params![host])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(self.kept(row)?.task);
        }
        debug_assert!(all.iter().all(|task| State::is_under_way(task.state)));
        Ok(all)
    }
}
