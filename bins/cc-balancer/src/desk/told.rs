//! How tasks, attempts, groups and accounts are told of: what `--json` prints.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::store::{Account, Event, Group};
use crate::task::{Attempt, Outcome, Task, Worker};

/// A time that is never, such as the end of a limit that only `clear` ends: the year 9999, which every
/// store can keep.
pub const NEVER: Timestamp = Timestamp::constant(253_370_764_800, 0);

/// A task as it stands.
#[must_use]
pub fn task(it: &Task) -> Value {
    let spec = &it.spec;
    json!({
        "task": it.id,
        "kind": spec.kind,
        "state": it.state,
        "why": it.why,
        "text": spec.text,
        "group": spec.group,
        "priority": spec.priority,
        "submitter": spec.submitter,
        "key": spec.key,
        "needs": spec.needs,
        "to": spec.to,
        "after": spec.after,
        "affinity": spec.affinity,
        "check": spec.check,
        "cwd": spec.cwd,
        "timeout_s": spec.timeout.map(|span| span.as_secs_f64()),
        "retry": spec.retry.max,
        "added": it.added,
        "not_before": it.not_before,
        "attempts": it.attempts,
        "returned": it.returned,
        "attempt": it.attempt.as_ref().map(attempt),
        "cancel": it.cancel,
        "ended": it.ended,
        "exit": it.exit,
    })
}

/// An attempt at one.
#[must_use]
pub fn attempt(it: &Attempt) -> Value {
    json!({
        "number": it.number,
        "worker": worker(&it.worker),
        "leased": it.leased,
        "started": it.started,
        "ended": it.ended,
        "outcome": it.outcome,
        "after_lost": it.after_lost,
    })
}

fn worker(it: &Worker) -> Value {
    json!({
        "unit": it.unit,
        "socket": it.socket,
        "server": it.server,
        "pane": it.pane,
        "account": it.account,
    })
}

/// What came of a task, as result files have it.
#[must_use]
pub fn result(
    task: &Task,
    attempts: &[Attempt],
    outcome: Option<&Outcome>,
    now: Timestamp,
) -> Value {
    let last = attempts.last().or(task.attempt.as_ref());
    let seconds = |from: Timestamp, to: Timestamp| {
        let span = to.duration_since(from).as_secs_f64();
        (span.max(0.0) * 1000.0).round() / 1000.0
    };
    let begun = last.map(|attempt| attempt.started.unwrap_or(attempt.leased));
    let ended = last.and_then(|attempt| attempt.ended).or(task.ended);
    let first = attempts.first().or(last).map(|attempt| attempt.leased);
    let waited = first.or(task.ended).unwrap_or(now);
    json!({
        "v": 1,
        "task": task.id,
        "state": task.state,
        "why": task.why,
        "worker": last.map(|attempt| worker(&attempt.worker)),
        "attempt": last.map(|attempt| attempt.number),
        "text": outcome.map(|outcome| &outcome.text),
        "is_cut": outcome.is_some_and(|outcome| outcome.is_cut),
        "exit": outcome.and_then(|outcome| outcome.exit).or(task.exit),
        "check": outcome.and_then(|outcome| outcome.check.as_ref()),
        "waited_s": seconds(task.added, waited),
        "ran_s": begun.map(|begun| seconds(begun, ended.unwrap_or(now))),
        "attempts": attempts.iter().map(attempt).collect::<Vec<_>>(),
    })
}

/// Something that happened. Its time is as exact as stores keep it, so that what is told twice is alike.
#[must_use]
pub fn event(it: &Event) -> Value {
    let at = Timestamp::from_microsecond(it.at.as_microsecond());
    json!({
        "at": at.unwrap_or(it.at),
        "task": it.task,
        "attempt": it.attempt,
        "kind": it.kind,
        "detail": it.detail,
    })
}

/// A group.
#[must_use]
pub fn group(it: &Group) -> Value {
    json!({
        "group": it.name,
        "parallel": it.parallel,
        "paused": it.is_paused,
        "queued": it.queued,
        "under_way": it.under_way,
    })
}

/// An account, at that time.
#[must_use]
pub fn account(it: &Account, now: Timestamp) -> Value {
    let until = it.limited_until.filter(|until| *until > now);
    json!({
        "account": it.name,
        "parallel": it.parallel,
        "limited": until.is_some(),
        "until": until.filter(|until| !is_never(*until)),
        "why": until.and(it.why.as_ref()),
        "under_way": it.under_way,
    })
}

/// Is that a time that does not come?
pub(super) fn is_never(time: Timestamp) -> bool {
    time >= NEVER
}
