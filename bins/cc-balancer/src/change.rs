//! Commands that change tasks, groups, accounts and workers.

use std::path::PathBuf;

use cc_kit::ask::{members, word};
use cc_kit::exit::{Exit, Failure};
use cc_kit::stdout::print;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::add::labels;
use crate::ask::{Place, say, text_of};
use crate::cli;
use crate::request::{Parallel, Request, Tasks};

/// Wants tasks no more.
pub(crate) fn cancel(cancel: &cli::Cancel) -> Result<Exit, Failure> {
    let request = Request::Cancel {
        tasks: cancel.ids.ids.clone(),
        force: cancel.force,
    };
    each(&cancel.ids, &request)
}

/// Does something to each of some tasks.
pub(crate) fn tasks(
    ids: &cli::Ids,
    only_dead: bool,
    verb: fn(Tasks) -> Request,
) -> Result<Exit, Failure> {
    let tasks = ids.ids.clone();
    each(ids, &verb(Tasks { tasks, only_dead }))
}

/// Says of each what came of it; ends as the first that went wrong.
fn each(ids: &cli::Ids, request: &Request) -> Result<Exit, Failure> {
    let answer = Place::find(&ids.state)?.ask(request)?;
    let mut exit = Exit::Success;
    for task in members(&answer, "tasks") {
        let Some(error) = word(task, "error") else {
            continue;
        };
        let code = task.get("exit").and_then(Value::as_u64).unwrap_or(1);
        if exit == Exit::Success {
            exit = Exit::of_code(code).unwrap_or(Exit::Failed);
        }
        if !ids.json {
            say(&format!("error: {error}"));
            if let Some(advice) = word(task, "advice") {
                say(&advice);
            }
        }
    }
    if ids.json {
        print(&format!("{answer}\n"))?;
        return Ok(exit);
    }
    for task in members(&answer, "tasks") {
        let did = match word(task, "did").as_deref() {
            Some("asked") => "its worker is told to stop".to_owned(),
            Some("over") => "was over before".to_owned(),
            Some(did) => did.to_owned(),
            None => continue,
        };
        print(&format!(
            "{}: {did}\n",
            word(task, "task").unwrap_or_default()
        ))?;
    }
    Ok(exit)
}

/// Changes a task that waits.
pub(crate) fn edit(edit: &cli::Edit) -> Result<(), Failure> {
    let text = match (&edit.text, &edit.file) {
        (Some(text), _) => Some(text.clone()),
        (None, Some(file)) => Some(text_of(file)?),
        (None, None) => None,
    };
    let needs = match edit.labels.is_empty() {
        true => None,
        false => Some(labels(&edit.labels)?),
    };
    if text.is_none() && needs.is_none() && edit.priority.is_none() {
        return Err(Failure::new(Exit::Usage, "there is nothing to change")
            .advice("Give --text, -f, --priority or -l."));
    }
    let request = Request::Edit {
        task: edit.id.clone(),
        text,
        priority: edit.priority,
        needs,
    };
    Place::find(&edit.state)?.ask(&request).map(|_| ())
}

/// Drains a worker, or gives it tasks again.
pub(crate) fn worker(named: &cli::Named, verb: fn(String) -> Request) -> Result<(), Failure> {
    let place = Place::find(&named.state)?;
    place.ask_daemon(&verb(named.name.clone())).map(|_| ())
}

/// Begins nothing on an account.
pub(crate) fn limit(limit: &cli::Limit) -> Result<(), Failure> {
    let now = Timestamp::now();
    let until = match (limit.span, limit.until) {
        (Some(span), _) => {
            let span = SignedDuration::try_from(span.0).ok();
            let until = span.and_then(|span| now.checked_add(span).ok());
            Some(until.ok_or_else(|| {
                Failure::new(Exit::Usage, "that is too long")
                    .advice("Leave out --for: until `clear`.")
            })?)
        }
        (None, until) => until,
    };
    if until.is_some_and(|until| until <= now) {
        return Err(Failure::new(Exit::Usage, "that time is over")
            .advice("Name a time to come, or use `cc-balancer account clear`."));
    }
    let request = Request::Limit {
        name: limit.named.name.clone(),
        until,
        why: limit.why.clone(),
    };
    one(&limit.named, &request)
}

/// Asks for something that is answered with nothing to print.
pub(crate) fn one(named: &cli::Named, request: &Request) -> Result<(), Failure> {
    Place::find(&named.state)?.ask(request).map(|_| ())
}

/// Pauses a group, or goes on with it.
pub(crate) fn pause(named: &cli::Named, paused: bool) -> Result<(), Failure> {
    let request = Request::SetGroup {
        name: named.name.clone(),
        parallel: None,
        paused: Some(paused),
    };
    one(named, &request)
}

/// Says how many of a group may be under way.
pub(crate) fn group_parallel(set: &cli::SetParallel) -> Result<(), Failure> {
    let most = set.parallel.0;
    let request = Request::SetGroup {
        name: set.name.clone(),
        parallel: Some(Parallel { most }),
        paused: None,
    };
    Place::find(&set.state)?.ask(&request).map(|_| ())
}

/// Says how many may be under way on an account.
pub(crate) fn account_parallel(set: &cli::SetParallel) -> Result<(), Failure> {
    let request = Request::SetAccount {
        name: set.name.clone(),
        most: set.parallel.0,
    };
    Place::find(&set.state)?.ask(&request).map(|_| ())
}

/// Writes a copy.
pub(crate) fn backup(backup: &cli::Backup) -> Result<(), Failure> {
    let file: PathBuf =
        std::path::absolute(&backup.file).map_err(|error| Failure::new(Exit::Usage, error))?;
    let request = Request::Backup { file };
    Place::find(&backup.state)?.ask(&request).map(|_| ())
}

/// Moves to another store.
pub(crate) fn migrate(migrate: &cli::Migrate) -> Result<(), Failure> {
    let to = &migrate.to;
    if !to.starts_with("nats://") && !to.starts_with("tls://") {
        return Err(Failure::new(Exit::Usage, format!("{to:?} is no store"))
            .advice("Write it as nats://HOST:PORT, or tls://HOST:PORT."));
    }
    let place = Place::find(&migrate.state)?.configured(migrate.config.as_deref());
    let moved = place.moved(to, migrate.insecure)?;
    print(&format!(
        "{} tasks are on {to}; say store = \"{to}\" in balancer.toml, and start `cc-balancer serve`\n",
        moved.tasks
    ))
}
