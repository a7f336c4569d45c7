//! An attempt goes on, and ends.

use std::time::Duration;

use rusqlite::params;

use super::super::{End, Now, Step, StoreError};
use super::asking::UNDER_WAY;
use super::row::{Kept, micros};
use super::writer::Work;
use crate::policy;
use crate::task::{Fence, Outcome, State, TaskId};

/// Where the system does not name its boots: how much farther away than it is long the end of a lease
/// of this boot may be.
const SLACK: Duration = Duration::from_secs(60);

impl Work<'_> {
    /// The task of an attempt that is under way.
    fn held(&self, fence: &Fence) -> Result<Kept, StoreError> {
        let lost = || StoreError::Lost(fence.clone());
        let kept = self.load(&fence.task).map_err(|error| match error {
            StoreError::Unknown(_) => lost(),
            other => other,
        })?;
        match kept.task.state.is_under_way() && kept.number == fence.number {
            true => Ok(kept),
            false => Err(lost()),
        }
    }

    pub(super) fn beat(&self, fence: &Fence, lease: Duration, now: Now) -> Result<(), StoreError> {
        let mut update = self.db.prepare_cached(&format!(
            "UPDATE task SET boot = ?3, lease = ?4, until = ?5
             WHERE id = ?1 AND number = ?2 AND state IN {UNDER_WAY}"
        ))?;
        let (long, until) = (micros(lease), micros(now.steady.saturating_add(lease)));
        let (task, number) = (fence.task.as_str(), fence.number);
        match update.execute(params![task, number, self.boot, long, until])? {
            0 => Err(StoreError::Lost(fence.clone())),
            _ => Ok(()),
        }
    }

    pub(super) fn step(&mut self, fence: &Fence, step: &Step, now: Now) -> Result<(), StoreError> {
        let mut kept = self.held(fence)?;
        let (state, why) = match step {
            Step::Delivering => (State::Delivering, None),
            Step::Running => (State::Running, None),
            Step::Blocked(why) => (State::Blocked, Some(why.clone())),
            Step::Verifying => (State::Verifying, None),
        };
        let was = kept.task.state;
        kept.task.state = state;
        kept.task.why.clone_from(&why);
        self.save(&kept, was, now)?;
        if state == State::Running {
            self.db
                .prepare_cached(
                    "UPDATE attempt SET started = ifnull(started, ?3)
                     WHERE task = ?1 AND number = ?2",
                )?
                .execute(params![kept.seq, fence.number, now.wall.as_microsecond()])?;
        }
        self.tell(&kept, Some(fence.number), state.name(), why, now)
    }

    pub(super) fn end(&mut self, fence: &Fence, end: &End, now: Now) -> Result<State, StoreError> {
        let mut kept = self.held(fence)?;
        self.finish(&mut kept, end, now)?;
        Ok(kept.task.state)
    }

    fn finish(&mut self, kept: &mut Kept, end: &End, now: Now) -> Result<(), StoreError> {
        let number = kept.number;
        let next = policy::next(&kept.task, end, now.wall, by_chance()?);
        self.db
            .prepare_cached(
                "UPDATE attempt SET ended = ?3, outcome = ?4, may_repeat = ?5
                 WHERE task = ?1 AND number = ?2",
            )?
            .execute(params![
                kept.seq,
                number,
                now.wall.as_microsecond(),
                next.outcome,
                next.may_repeat
            ])?;
        let (kind, detail) = match end {
            End::Done(_) => ("done", None),
            End::Cancelled(_) => ("cancelled", None),
            End::Failed(why, _) => ("failed", Some(why.clone())),
            End::Returned(why, _) => ("returned", Some(why.clone())),
            End::Lost(why) => ("lost", Some(why.clone())),
            End::Uncertain(why) => ("uncertain", Some(why.clone())),
        };
        let was = kept.task.state;
        kept.task.state = next.state;
        kept.task.why = next.why;
        kept.task.not_before = next.not_before;
        match next.counts {
            true => kept.task.attempts += 1,
            false => kept.task.returned += 1,
        }
        if let End::Done(outcome) | End::Failed(_, outcome) | End::Cancelled(outcome) = end {
            self.keep(kept.seq, number, outcome)?;
            kept.task.exit = outcome.exit;
        }
        if next.state.is_over() {
            kept.task.ended = Some(now.wall);
        }
        self.tell(kept, Some(number), kind, detail, now)?;
        if let Some(kind) = follows(kind, next.state) {
            let detail = next.not_before.map(|at| format!("not before {at}"));
            self.tell(kept, None, kind, detail, now)?;
        }
        self.save(kept, was, now)
    }

    pub(super) fn keep(&self, seq: i64, number: u32, outcome: &Outcome) -> Result<(), StoreError> {
        self.db
            .prepare_cached(
                "INSERT INTO outcome (task, number, text, is_cut, exit, check_text)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                seq,
                number,
                outcome.text,
                outcome.is_cut,
                outcome.exit,
                outcome.check
            ])?;
        Ok(())
    }

    pub(super) fn expire(&mut self, now: Now) -> Result<Vec<Fence>, StoreError> {
        let mut gone = Vec::new();
        for seq in self.run_out(now)? {
            let mut kept = self.load_seq(seq)?;
            let number = kept.number;
            self.tell(&kept, Some(number), "expired", None, now)?;
            let why = "its lease ran out".to_owned();
            let end = match kept.task.state {
                State::Leased => End::Returned(why, None),
                _ => End::Lost(why),
            };
            self.finish(&mut kept, &end, now)?;
            gone.push(Fence {
                task: TaskId::clone(&kept.task.id),
                number,
            });
        }
        Ok(gone)
    }

    /// Those whose lease is of another boot, or over.
    fn run_out(&self, now: Now) -> Result<Vec<i64>, StoreError> {
        let mut query = self.db.prepare_cached(&format!(
            "SELECT seq FROM task WHERE state IN {UNDER_WAY}
                 AND (boot IS NOT ?1 OR until <= ?2
                     OR (?1 IS NULL AND until > ?2 + lease + ?3))
             ORDER BY until"
        ))?;
        let rows = query.query_map(
            params![self.boot, micros(now.steady), micros(SLACK)],
            |row| row.get(0),
        )?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// What is told of a task behind the end of its attempt, where that does not say it.
fn follows(kind: &str, state: State) -> Option<&'static str> {
    match state {
        State::Queued if kind != "returned" => Some("retry"),
        State::Held => Some("held"),
        State::Dead => Some("dead"),
        State::Cancelled if kind != "cancelled" => Some("cancelled"),
        _ => None,
    }
}

/// A number by chance from 0 to 1.
fn by_chance() -> Result<f64, StoreError> {
    let chance = getrandom::u32().map_err(|error| StoreError::Broken(error.to_string()))?;
    Ok(f64::from(chance) / f64::from(u32::MAX))
}
