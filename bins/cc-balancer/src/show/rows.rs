//! Tasks, workers, groups and accounts as rows.

use cc_kit::ask::{members, word};
use jiff::Timestamp;
use serde_json::Value;

use super::table::table;

/// How much of a text is shown.
const BEGINNING: usize = 200;

/// All of it: how many, and which.
pub(super) fn status(answer: &Value, now: Timestamp, absolute: bool, columns: usize) -> String {
    let mut text = tasks(answer, now, absolute, columns);
    let counts = answer.get("counts").and_then(Value::as_object);
    let counts: Vec<String> = counts
        .into_iter()
        .flatten()
        .filter(|(_, count)| count.as_u64() != Some(0))
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    match counts.is_empty() {
        true => text.push_str("no tasks\n"),
        false => text.push_str(&format!("{}\n", counts.join(", "))),
    }
    for group in
        members(answer, "groups").filter(|group| group.get("paused") == Some(&Value::Bool(true)))
    {
        let name = word(group, "group").unwrap_or_default();
        text.push_str(&format!("the group {name} is paused\n"));
    }
    for account in members(answer, "accounts") {
        if account.get("limited") == Some(&Value::Bool(true)) {
            text.push_str(&format!("{}\n", limited(account)));
        }
    }
    text
}

/// Which tasks.
pub(super) fn tasks(answer: &Value, now: Timestamp, absolute: bool, columns: usize) -> String {
    let head = ["TASK", "STATE", "ADDED", "GROUP", "PRIO", "WORKER", "TEXT"];
    let rows: Vec<Vec<String>> = members(answer, "tasks")
        .map(|task| row(task, now, absolute))
        .collect();
    match rows.is_empty() {
        true => String::new(),
        false => table(&head, &rows, columns),
    }
}

fn row(task: &Value, now: Timestamp, absolute: bool) -> Vec<String> {
    let cell = |name: &str| word(task, name).unwrap_or_else(|| "-".to_owned());
    let why = word(task, "why").map(|why| format!(" ({why})"));
    let added = word(task, "added").unwrap_or_default();
    let added = match (absolute, added.parse::<Timestamp>()) {
        (false, Ok(at)) => span(now.as_second() - at.as_second()),
        _ => added,
    };
    let worker = task
        .get("attempt")
        .and_then(|attempt| attempt.get("worker"));
    let worker = worker.and_then(|worker| word(worker, "unit").or_else(|| word(worker, "pane")));
    let worker = worker.or_else(|| word(task, "to").map(|to| format!("to {to}")));
    let text: String = task
        .get("text")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .chars()
        .take(BEGINNING)
        .collect();
    vec![
        cell("task"),
        format!("{}{}", cell("state"), why.unwrap_or_default()),
        added,
        cell("group"),
        cell("priority"),
        worker.unwrap_or_else(|| "-".to_owned()),
        text.lines().collect::<Vec<_>>().join(" "),
    ]
}

/// How long ago.
fn span(seconds: i64) -> String {
    match seconds.max(0) {
        s @ 0..60 => format!("{s}s ago"),
        s @ 60..3600 => format!("{}m ago", s / 60),
        s @ 3600..172_800 => format!("{}h ago", s / 3600),
        s => format!("{}d ago", s / 86_400),
    }
}

/// Who works.
pub(super) fn workers(answer: &Value, columns: usize) -> String {
    let head = ["WORKER", "PANE", "STATE", "TASK", "ACCOUNT", "LABELS"];
    let rows: Vec<Vec<String>> = members(answer, "workers")
        .map(|worker| {
            let cell = |name: &str| word(worker, name).unwrap_or_else(|| "-".to_owned());
            let state = match worker.get("drained") == Some(&Value::Bool(true)) {
                true => format!("{} (drained)", cell("state")),
                false => cell("state"),
            };
            let labels = worker.get("labels").and_then(Value::as_object);
            let labels: Vec<String> = labels
                .into_iter()
                .flatten()
                .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
                .collect();
            vec![
                cell("unit"),
                cell("pane"),
                state,
                cell("task"),
                cell("account"),
                labels.join(" "),
            ]
        })
        .collect();
    table(&head, &rows, columns)
}

/// Which groups.
pub(super) fn groups(answer: &Value, columns: usize) -> String {
    let head = ["GROUP", "PARALLEL", "QUEUED", "UNDER WAY", ""];
    let rows: Vec<Vec<String>> = members(answer, "groups")
        .map(|group| {
            let number = |name: &str| word(group, name).unwrap_or_else(|| "any".to_owned());
            let paused = match group.get("paused") == Some(&Value::Bool(true)) {
                true => "paused",
                false => "",
            };
            vec![
                number("group"),
                number("parallel"),
                number("queued"),
                number("under_way"),
                paused.to_owned(),
            ]
        })
        .collect();
    table(&head, &rows, columns)
}

/// Which accounts.
pub(super) fn accounts(answer: &Value, columns: usize) -> String {
    let head = ["ACCOUNT", "PARALLEL", "UNDER WAY", ""];
    let rows: Vec<Vec<String>> = members(answer, "accounts")
        .map(|account| {
            let number = |name: &str| word(account, name).unwrap_or_else(|| "any".to_owned());
            let limited = match account.get("limited") == Some(&Value::Bool(true)) {
                true => limited(account),
                false => String::new(),
            };
            vec![
                number("account"),
                number("parallel"),
                number("under_way"),
                limited,
            ]
        })
        .collect();
    table(&head, &rows, columns)
}

fn limited(account: &Value) -> String {
    let until = word(account, "until").unwrap_or_else(|| "somebody clears it".to_owned());
    let why = word(account, "why")
        .map(|why| format!(": {why}"))
        .unwrap_or_default();
    let name = word(account, "account").unwrap_or_default();
    format!("{name} is limited until {until}{why}")
}
