//! What somebody wants of a task: that it ends, waits, or begins again.

use super::super::{Cancelling, Now, StoreError};
use super::adding::not_now;
use super::row::Kept;
use super::writer::Work;
use crate::policy;
use crate::task::{State, TaskId};

impl Work<'_> {
    pub(super) fn cancel(
        &mut self,
        task: &TaskId,
        force: bool,
        now: Now,
    ) -> Result<Cancelling, StoreError> {
        let mut kept = self.load(task)?;
        let was = kept.task.state;
        if was.is_over() {
            return Ok(Cancelling::Over);
        }
        if was.is_under_way() {
            let number = kept.number;
            // Force is not taken back.
            kept.task.cancel = Some(force || kept.task.cancel == Some(true));
            self.save(&kept, was, now)?;
            let how = force.then(|| "force".to_owned());
            self.tell(&kept, Some(number), "cancel", how, now)?;
            return Ok(Cancelling::Asked);
        }
        kept.task.state = State::Cancelled;
        kept.task.why = None;
        kept.task.cancel = Some(force);
        kept.task.ended = Some(now.wall);
        self.tell(&kept, None, "cancelled", None, now)?;
        self.save(&kept, was, now)?;
        Ok(Cancelling::Cancelled)
    }

    pub(super) fn retry(&mut self, task: &TaskId, now: Now) -> Result<(), StoreError> {
        let mut kept = self.load(task)?;
        let was = kept.task.state;
        if was != State::Held && !was.is_over() {
            return Err(not_now(task, was));
        }
        self.refuse_hopeless(&kept)?;
        let task = &mut kept.task;
        task.state = State::Queued;
        task.why = None;
        task.not_before = None;
        task.attempts = 0;
        task.returned = 0;
        task.cancel = None;
        task.ended = None;
        task.exit = None;
        self.tell(&kept, None, "retry", None, now)?;
        self.save(&kept, was, now)
    }

    /// What comes after something that failed cannot be queued: that is to be tried again first.
    fn refuse_hopeless(&self, kept: &Kept) -> Result<(), StoreError> {
        for id in &kept.task.spec.after {
            match self.load(id) {
                Ok(before) if policy::after(id, before.task.state).is_some() => {
                    return Err(not_now(id, before.task.state));
                }
                Ok(_) | Err(StoreError::Unknown(_)) => (),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    pub(super) fn hold(
        &mut self,
        task: &TaskId,
        is_held: bool,
        now: Now,
    ) -> Result<(), StoreError> {
        let mut kept = self.load(task)?;
        let was = kept.task.state;
        let (state, kind) = match is_held {
            true => (State::Held, "held"),
            false => (State::Queued, "released"),
        };
        if !matches!(was, State::Queued | State::Held) {
            return Err(not_now(task, was));
        }
        if was == state {
            return Ok(());
        }
        kept.task.state = state;
        kept.task.why = None;
        self.tell(&kept, None, kind, None, now)?;
        self.save(&kept, was, now)
    }
}
