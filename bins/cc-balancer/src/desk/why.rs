//! Why a task is in its state, as far as the store knows.

use serde_json::{Value, json};

use super::told;
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
    if let Some(group) = group {
        if group.is_paused {
            reasons.push(reason(
                "paused",
                format!("the group {} is paused", group.name),
            ));
        }
        if let Some(most) = group
            .parallel
            .filter(|most| group.under_way >= u64::from(*most))
        {
            let text = format!(
                "of the group {} no more than {most} may be under way",
                group.name
            );
            reasons.push(reason("parallel", text));
        }
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
