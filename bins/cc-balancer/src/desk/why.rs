//! Why a task is in its state, as far as the store knows.

use serde_json::{Value, json};

use super::told;
use crate::policy::{self, NoRoom};
use crate::store::{Account, Group, Now, Store, StoreError};
use crate::task::{State, Task};

/// What a task waits for. The daemon adds what its workers say: `no-worker`, `busy`, `drained`,
/// `limited` (everybody who could have it).
pub(super) async fn reasons(
    store: &dyn Store,
    task: &Task,
    now: Now,
) -> Result<Vec<Value>, StoreError> {
    let mut before = Vec::new();
    for id in &task.spec.after {
        match store.task(id.as_str()).await {
            Ok(found) => before.push((id.to_string(), Some(found.state))),
            Err(StoreError::Unknown(_)) => before.push((id.to_string(), None)),
            Err(error) => return Err(error),
        }
    }
    let group = store.groups().await?.into_iter();
    let group = group
        .into_iter()
        .find(|group| group.name == task.spec.group);
    let account = task
        .attempt
        .as_ref()
        .and_then(|attempt| attempt.worker.account.clone());
    let accounts = store.accounts().await?;
    let account = accounts
        .into_iter()
        .find(|it| Some(&it.name) == account.as_ref());
    Ok(decide(task, &before, group.as_ref(), account.as_ref(), now))
}

/// One reason: a word for programs, and a sentence for people.
fn reason(kind: &str, text: impl Into<String>) -> Value {
    json!({"kind": kind, "text": text.into()})
}

fn decide(
    task: &Task,
    before: &[(String, Option<State>)],
    group: Option<&Group>,
    account: Option<&Account>,
    now: Now,
) -> Vec<Value> {
    let mut reasons = Vec::new();
    let why = || {
        task.why
            .as_ref()
            .map(|why| format!(": {why}"))
            .unwrap_or_default()
    };
    match task.state {
        State::Queued => {}
        State::Held => {
            reasons.push(reason("held", format!("it is held{}", why())));
            return reasons;
        }
        State::Blocked => {
            reasons.push(reason(
                "blocked",
                format!("its worker waits for a person{}", why()),
            ));
            return reasons;
        }
        state if state.is_over() => {
            reasons.push(reason("over", format!("it is over: {state}{}", why())));
            return reasons;
        }
        state => {
            let worker = task.attempt.as_ref().map(|attempt| {
                let name = attempt.worker.unit.as_ref().unwrap_or(&attempt.worker.pane);
                format!(" by {name}")
            });
            let worker = worker.unwrap_or_default();
            reasons.push(reason("under-way", format!("it is {state}{worker}")));
            if task.cancel.is_some() {
                reasons.push(reason("cancel", "its worker is told to stop"));
            }
            return reasons;
        }
    }
    for (id, state) in before {
        match state {
            Some(State::Done) => {}
            Some(state) => reasons.push(reason(
                "after",
                format!("{id} must be done, and is {state}"),
            )),
            None => reasons.push(reason(
                "after",
                format!("{id} must be done, and is forgotten"),
            )),
        }
    }
    if let Some(time) = task.not_before.filter(|time| *time > now.wall) {
        reasons.push(reason("not-before", format!("not before {time}{}", why())));
    }
    if let Some(no_room) = group.and_then(|group| policy::group(group).err()) {
        let kind = match no_room {
            NoRoom::Paused(_) => "paused",
            _ => "parallel",
        };
        reasons.push(reason(kind, no_room.to_string()));
    }
    if let Some(account) = account
        && let Some(until) = account.limited_until.filter(|until| *until > now.wall)
    {
        let until = match told::is_never(until) {
            true => "until somebody clears it".to_owned(),
            false => format!("until {until}"),
        };
        reasons.push(reason(
            "limited",
            format!("the account {} is limited {until}", account.name),
        ));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::{Retry, Spec, TaskId};
    use jiff::Timestamp;
    use std::time::Duration;

    fn task(state: State) -> Task {
        let spec = json!({"text": "x", "group": "g", "submitter": "me"});
        let spec: Spec = serde_json::from_value(spec).unwrap();
        Task {
            id: TaskId::by_chance().unwrap(),
            spec: Spec {
                retry: Retry::default(),
                ..spec
            },
            state,
            why: None,
            added: Timestamp::UNIX_EPOCH,
            not_before: None,
            attempts: 0,
            returned: 0,
            attempt: None,
            cancel: None,
            ended: None,
            exit: None,
        }
    }

    fn kinds(reasons: &[Value]) -> Vec<&str> {
        let kinds = reasons.iter().filter_map(|reason| reason["kind"].as_str());
        kinds.collect()
    }

    #[test]
    fn everything_that_a_queued_task_waits_for_is_a_reason() {
        let now = Now {
            wall: Timestamp::UNIX_EPOCH,
            steady: Duration::ZERO,
        };
        let mut it = task(State::Queued);
        assert_eq!(decide(&it, &[], None, None, now), Vec::<Value>::new());
        it.not_before = Some(Timestamp::from_second(60).unwrap());
        let before = [
            ("0a".to_owned(), Some(State::Done)),
            ("0b".to_owned(), Some(State::Running)),
        ];
        let group = |is_paused| Group {
            name: "g".to_owned(),
            parallel: Some(1),
            is_paused,
            queued: 1,
            under_way: 1,
        };
        let account = Account {
            name: "a".to_owned(),
            parallel: None,
            limited_until: Some(told::NEVER),
            why: None,
            under_way: 0,
        };
        let reasons = decide(&it, &before, Some(&group(false)), Some(&account), now);
        assert_eq!(
            kinds(&reasons),
            ["after", "not-before", "parallel", "limited"]
        );
        assert_eq!(reasons[0]["text"], "0b must be done, and is running");
        assert_eq!(
            reasons[3]["text"],
            "the account a is limited until somebody clears it"
        );
        let reasons = decide(&it, &[], Some(&group(true)), None, now);
        assert_eq!(kinds(&reasons), ["not-before", "paused"]);
    }

    #[test]
    fn what_does_not_wait_in_the_queue_has_one_reason() {
        let now = Now {
            wall: Timestamp::UNIX_EPOCH,
            steady: Duration::ZERO,
        };
        for (state, kind) in [
            (State::Held, "held"),
            (State::Blocked, "blocked"),
            (State::Running, "under-way"),
            (State::Dead, "over"),
        ] {
            let mut it = task(state);
            it.not_before = Some(Timestamp::MAX);
            assert_eq!(kinds(&decide(&it, &[], None, None, now)), [kind]);
        }
    }
}
