//! `diff` and `apply`: what a file would change.

use cc_kit::ask::members;
use cc_kit::exit::{Exit, Failure};
use cc_kit::stdout::print;
use serde_json::Value;

use crate::ask::{PATIENCE, absolute, ask, places};
use crate::cli;
use crate::request::Request;

/// Says what would change; exits with 1 where that is anything.
pub(crate) fn diff(diff: &cli::Diff) -> Result<Exit, Failure> {
    let file = absolute(diff.config.as_deref())?;
    let answer = ask(&places(&diff.state)?, &Request::Diff { file }, PATIENCE)?;
    show(&answer, diff.json)?;
    let is_empty = ["changes", "server", "alerts", "accounts"]
        .iter()
        .all(|what| members(&answer, what).next().is_none());
    Ok(if is_empty {
        Exit::Success
    } else {
        Exit::Failed
    })
}

/// Has it changed.
pub(crate) fn apply(apply: &cli::Apply) -> Result<(), Failure> {
    let request = Request::Apply {
        file: absolute(apply.diff.config.as_deref())?,
        at_idle: apply.at_idle,
    };
    let answer = ask(&places(&apply.diff.state)?, &request, PATIENCE)?;
    show(&answer, apply.diff.json)
}

fn show(answer: &Value, json: bool) -> Result<(), Failure> {
    if json {
        return print(&format!("{answer}\n"));
    }
    let mut text = String::new();
    for change in members(answer, "changes") {
        text.push_str(&line(change));
    }
    let beside = [
        ("server", "for what is started from now on"),
        ("alerts", "at once"),
        ("accounts", "at once"),
    ];
    for (what, when) in beside {
        let names: Vec<&str> = members(answer, what).filter_map(Value::as_str).collect();
        if !names.is_empty() {
            text.push_str(&format!("~ {what}: {}: {when}\n", names.join(", ")));
        }
    }
    if text.is_empty() {
        text.push_str("nothing changes\n");
    }
    print(&text)
}

/// What becomes of one instance.
fn line(change: &Value) -> String {
    let word = |name: &str| change.get(name).and_then(Value::as_str).unwrap_or_default();
    let done = match word("done") {
        "left" => "left as it is: it has no profile, and nobody knows when it is idle",
        "once idle" => "restarts once it is idle",
        done => done,
    };
    let (sign, would) = match word("change") {
        "start" => ("+", "starts"),
        "stop" => ("-", "stops, and is no more"),
        "restart" => ("!", "restarts"),
        _ => ("~", "goes on, and takes it over"),
    };
    let what = if done.is_empty() { would } else { done };
    let fields = change.get("fields").map(fields).unwrap_or_default();
    let fields = if fields.is_empty() {
        fields
    } else {
        format!(" ({fields})")
    };
    format!("{sign} {}: {what}{fields}\n", word("unit"))
}

/// A list of fields, for people.
pub(crate) fn fields(list: &Value) -> String {
    let fields = list.as_array().into_iter().flatten();
    let fields: Vec<&str> = fields.filter_map(Value::as_str).collect();
    fields.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_becomes_of_an_instance_is_one_line() {
        let would = json!({"unit": "w@1", "change": "restart", "fields": ["command", "env"]});
        assert_eq!(line(&would), "! w@1: restarts (command, env)\n");
        let done = json!({"unit": "w@2", "change": "start", "fields": [], "done": "started"});
        assert_eq!(line(&done), "+ w@2: started\n");
        let left = json!({"unit": "w@3", "change": "restart", "fields": ["cwd"], "done": "left"});
        assert!(line(&left).contains("no profile"), "{}", line(&left));
    }
}
