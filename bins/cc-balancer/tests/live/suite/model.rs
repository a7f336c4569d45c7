//! A store in memory, as plain as can be: what a store is to do, without any of its cares.

use std::collections::BTreeMap;
use std::time::Duration;

use cc_balancer::policy::{self, Candidate, Wanted};
use cc_balancer::store::{Account, Cancelling, Edit, End, Group, Now, Offer, Step};
use cc_balancer::task::{Attempt, Fence, Kind, Spec, State, Task, TaskId};
use jiff::Timestamp;

/// A task, and what is kept beside it.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) task: Task,
    added: u64,
    since: Timestamp,
    until: Duration,
    may_repeat: bool,
}

impl Kept {
    fn number(&self) -> u32 {
        self.task
            .attempt
            .as_ref()
            .map_or(0, |attempt| attempt.number)
    }
}

/// All tasks, in the order in which they were added.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) tasks: Vec<Kept>,
    pub(super) groups: BTreeMap<String, (Option<u32>, bool)>,
    pub(super) accounts: BTreeMap<String, (Option<u32>, Option<Timestamp>)>,
    added: u64,
}

impl Model {
    pub(super) fn find(&self, id: &TaskId) -> &Kept {
        self.tasks
            .iter()
            .find(|kept| kept.task.id == *id)
            .expect("a task")
    }

    fn find_mut(&mut self, id: &TaskId) -> &mut Kept {
        let found = self.tasks.iter_mut().find(|kept| kept.task.id == *id);
        found.expect("a task")
    }

    pub(super) fn with_key(&self, key: &str) -> Option<TaskId> {
        let has = |kept: &&Kept| kept.task.spec.key.as_deref() == Some(key);
        self.tasks.iter().find(has).map(|kept| kept.task.id.clone())
    }

    /// What stops it for ever, if anything does.
    pub(super) fn hopeless(&self, spec: &Spec) -> Option<String> {
        let before = self
            .tasks
            .iter()
            .filter(|kept| spec.after.contains(&kept.task.id));
        let mut stops = before.filter_map(|kept| policy::after(&kept.task.id, kept.task.state));
        stops.next()
    }

    pub(super) fn add(&mut self, id: TaskId, spec: Spec, now: Now) {
        let hopeless = self.hopeless(&spec);
        self.added += 1;
        let kept = Kept {
            added: self.added,
            since: spec.not_before.map_or(now.wall, |at| at.max(now.wall)),
            until: Duration::ZERO,
            may_repeat: false,
            task: Task {
                id,
                state: hopeless.as_ref().map_or(State::Queued, |_| State::Dead),
                ended: hopeless.as_ref().map(|_| now.wall),
                why: hopeless,
                added: now.wall,
                not_before: spec.not_before,
                attempts: 0,
                returned: 0,
                attempt: None,
                cancel: None,
                exit: None,
                spec,
            },
        };
        self.tasks.push(kept);
    }

    fn is_next_message(&self, kept: &Kept) -> bool {
        let spec = &kept.task.spec;
        let (Kind::Message, Some(to)) = (spec.kind, &spec.to) else {
            return true;
        };
        let open = self
            .tasks
            .iter()
            .filter(|other| other.task.spec.kind == Kind::Message && !other.task.state.is_over());
        let open = open.filter_map(|other| Some((other.task.spec.to.as_deref()?, other.added)));
        policy::heads(open).get(to.as_str()) == Some(&kept.added)
    }

    fn is_ready(&self, kept: &Kept, now: Now) -> bool {
        let task = &kept.task;
        let is_open = |other: &&Kept| {
            task.spec.after.contains(&other.task.id) && other.task.state != State::Done
        };
        task.state == State::Queued
            && task.not_before.is_none_or(|at| at <= now.wall)
            && !self.tasks.iter().any(|other| is_open(&other))
            && self.is_next_message(kept)
            && policy::group(&self.group(&task.spec.group)).is_ok()
    }

    fn under_way(&self, has: impl Fn(&Task) -> bool) -> u64 {
        let has = |kept: &&Kept| kept.task.state.is_under_way() && has(&kept.task);
        self.tasks.iter().filter(has).count() as u64
    }

    pub(super) fn group(&self, name: &str) -> Group {
        let (parallel, is_paused) = self.groups.get(name).copied().unwrap_or_default();
        let queued =
            |kept: &&Kept| kept.task.spec.group == name && kept.task.state == State::Queued;
        Group {
            name: name.to_owned(),
            parallel,
            is_paused,
            queued: self.tasks.iter().filter(queued).count() as u64,
            under_way: self.under_way(|task| task.spec.group == name),
        }
    }

    fn accounts(&self) -> BTreeMap<String, Account> {
        let account = |(name, (parallel, limited_until)): (&String, &(_, _))| {
            let account = Account {
                name: name.clone(),
                parallel: *parallel,
                limited_until: *limited_until,
                why: None,
                under_way: self.under_way(|task| {
                    let attempt = task.attempt.as_ref();
                    attempt.is_some_and(|attempt| attempt.worker.account.as_ref() == Some(name))
                }),
            };
            (name.clone(), account)
        };
        self.accounts.iter().map(account).collect()
    }

    /// Those that may come, in their order, and to which offer.
    pub(super) fn candidates(&self, offers: &[Offer], now: Now) -> Vec<(TaskId, usize)> {
        let accounts = self.accounts();
        let mut all = Vec::new();
        for kept in self.tasks.iter().filter(|kept| self.is_ready(kept, now)) {
            let spec = &kept.task.spec;
            let chosen = policy::choose(&Wanted::from(spec), offers, &accounts, now.wall);
            let Some(offer) = chosen else {
                continue;
            };
            let waited = now.wall.duration_since(kept.since);
            let turn = Candidate {
                priority: spec.priority,
                waited: Duration::try_from(waited).unwrap_or_default(),
                under_way: self.under_way(|task| task.spec.submitter == spec.submitter),
                added: kept.added,
            };
            all.push((turn, kept.task.id.clone(), offer));
        }
        all.sort_by(|left, right| policy::order(&left.0, &right.0));
        all.into_iter().map(|(_, id, offer)| (id, offer)).collect()
    }

    /// When the next may come that time alone keeps back.
    pub(super) fn next_due(&self, now: Now) -> Option<Timestamp> {
        let later = |kept: &Kept| {
            let at = kept.task.not_before.filter(|at| *at > now.wall)?;
            let then = Now { wall: at, ..now };
            // Room is no matter of time.
            let free = Self {
                tasks: self.tasks.clone(),
                ..Self::default()
            };
            free.is_ready(kept, then).then_some(at)
        };
        self.tasks.iter().filter_map(later).min()
    }

    /// That attempt was begun.
    pub(super) fn lease(&mut self, id: &TaskId, attempt: Attempt, lease: Duration, now: Now) {
        let kept = self.find_mut(id);
        assert_eq!(attempt.number, kept.number() + 1);
        assert_eq!(attempt.after_lost, kept.may_repeat, "{kept:?}");
        kept.task.state = State::Leased;
        kept.task.why = None;
        kept.task.attempt = Some(attempt);
        kept.until = now.steady + lease;
    }

    /// Is that attempt under way?
    pub(super) fn holds(&self, fence: &Fence) -> bool {
        let found = self.tasks.iter().find(|kept| kept.task.id == fence.task);
        found.is_some_and(|kept| kept.task.state.is_under_way() && kept.number() == fence.number)
    }

    pub(super) fn beat(&mut self, fence: &Fence, lease: Duration, now: Now) {
        self.find_mut(&fence.task).until = now.steady + lease;
    }

    pub(super) fn step(&mut self, fence: &Fence, step: &Step) {
        let kept = self.find_mut(&fence.task);
        (kept.task.state, kept.task.why) = match step {
            Step::Delivering => (State::Delivering, None),
            Step::Running => (State::Running, None),
            Step::Blocked(why) => (State::Blocked, Some(why.clone())),
            Step::Verifying => (State::Verifying, None),
        };
    }

    /// Ends an attempt. When it is tried again is by chance, and left open.
    pub(super) fn end(&mut self, fence: &Fence, end: &End, now: Now) -> State {
        let kept = self.find_mut(&fence.task);
        let next = policy::next(&kept.task, end, now.wall, 0.0);
        kept.task.state = next.state;
        kept.task.why = next.why;
        kept.task.not_before = next.not_before;
        kept.may_repeat = next.may_repeat;
        match next.counts {
            true => kept.task.attempts += 1,
            false => kept.task.returned += 1,
        }
        if let End::Done(outcome) | End::Failed(_, outcome) | End::Cancelled(outcome) = end {
            kept.task.exit = outcome.exit;
        }
        if next.state.is_over() {
            kept.task.ended = Some(now.wall);
        }
        self.bury(now);
        next.state
    }

    /// What cannot be begun any more is dead.
    fn bury(&mut self, now: Now) {
        loop {
            let waits = |kept: &&Kept| matches!(kept.task.state, State::Queued | State::Held);
            let mut waiting = self.tasks.iter().filter(waits);
            let dead = waiting
                .find_map(|kept| Some((kept.task.id.clone(), self.hopeless(&kept.task.spec)?)));
            let Some((id, why)) = dead else {
                return;
            };
            let kept = self.find_mut(&id);
            kept.task.state = State::Dead;
            kept.task.why = Some(why);
            kept.task.ended = Some(now.wall);
        }
    }

    /// Gives up whose lease is over, and says which.
    pub(super) fn expire(&mut self, now: Now) -> Vec<Fence> {
        let over = |kept: &&Kept| kept.task.state.is_under_way() && kept.until <= now.steady;
        let fence = |kept: &Kept| Fence {
            task: kept.task.id.clone(),
            number: kept.number(),
        };
        let over: Vec<_> = self.tasks.iter().filter(over).map(fence).collect();
        for fence in &over {
            let end = match self.find(&fence.task).task.state {
                State::Leased => End::Returned(String::new(), None),
                _ => End::Lost(String::new()),
            };
            self.end(fence, &end, now);
        }
        over
    }

    pub(super) fn cancel(&mut self, id: &TaskId, force: bool, now: Now) -> Cancelling {
        let task = &mut self.find_mut(id).task;
        if task.state.is_over() {
            return Cancelling::Over;
        }
        task.cancel = Some(force || task.cancel == Some(true));
        if task.state.is_under_way() {
            return Cancelling::Asked;
        }
        task.state = State::Cancelled;
        task.why = None;
        task.ended = Some(now.wall);
        self.bury(now);
        Cancelling::Cancelled
    }

    /// Begins it anew, where that may be.
    pub(super) fn retry(&mut self, id: &TaskId) -> bool {
        let task = &self.find(id).task;
        let may = task.state.is_over() || task.state == State::Held;
        if !may || self.hopeless(&task.spec).is_some() {
            return false;
        }
        let task = &mut self.find_mut(id).task;
        task.state = State::Queued;
        task.why = None;
        task.not_before = None;
        (task.attempts, task.returned) = (0, 0);
        (task.cancel, task.ended, task.exit) = (None, None, None);
        true
    }

    /// Holds it or lets it go, where that may be.
    pub(super) fn hold(&mut self, id: &TaskId, is_held: bool) -> bool {
        let task = &mut self.find_mut(id).task;
        let wanted = if is_held { State::Held } else { State::Queued };
        let may = matches!(task.state, State::Queued | State::Held);
        if may && task.state != wanted {
            task.state = wanted;
            task.why = None;
        }
        may
    }

    pub(super) fn edit(&mut self, id: &TaskId, edit: Edit) -> bool {
        let task = &mut self.find_mut(id).task;
        let may = matches!(task.state, State::Queued | State::Held);
        if may {
            task.spec.text = edit.text.unwrap_or_else(|| task.spec.text.clone());
            task.spec.priority = edit.priority.unwrap_or(task.spec.priority);
            task.spec.needs = edit.needs.unwrap_or_else(|| task.spec.needs.clone());
        }
        may
    }

    pub(super) fn remove(&mut self, id: &TaskId) -> bool {
        let may = self.find(id).task.state.is_over();
        if may {
            self.tasks.retain(|kept| kept.task.id != *id);
        }
        may
    }

    /// Takes over what is left to chance.
    pub(super) fn set_not_before(&mut self, id: &TaskId, at: Option<Timestamp>) {
        self.find_mut(id).task.not_before = at;
    }
}
