//! `add` and `send`: what is wanted, from the command line.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use cc_kit::ask::word;
use cc_kit::exit::{Exit, Failure};
use cc_kit::stdout::print;
use serde_json::Value;

use crate::ask::{Place, say, text_of};
use crate::cli;
use crate::desk;
use crate::request::{Request, Wanted};
use crate::task::{Kind, Labels};

/// Adds a task.
pub(crate) fn add(add: &cli::Add) -> Result<(), Failure> {
    let mut wanted = wanted(&add.wanted)?;
    wanted.timeout_ms = add.timeout.map(|span| milliseconds(span.0));
    let place = Place::find(&add.wanted.state)?.configured(add.config.as_deref());
    let answer = place.ask(&Request::Add(Box::new(wanted)))?;
    told(&answer, add.json, add.print_task_id)
}

/// Sends a message.
pub(crate) fn send(send: &cli::Send) -> Result<(), Failure> {
    let wanted = Wanted {
        text: text(&send.input)?,
        kind: Kind::Message,
        to: Some(send.to.clone()),
        key: send.key.clone(),
        delay_ms: send.delay.map(|span| milliseconds(span.0)),
        submitter: submitter(send.submitter.as_deref()),
        ..Wanted::default()
    };
    let wanted = checked(wanted)?;
    let place = Place::find(&send.state)?.configured(send.config.as_deref());
    let answer = place.ask(&Request::Add(Box::new(wanted)))?;
    told(&answer, send.json, send.print_task_id)
}

fn told(answer: &Value, json: bool, only_id: bool) -> Result<(), Failure> {
    let id = word(answer, "task").unwrap_or_default();
    let was_there = answer.get("was_there") == Some(&Value::Bool(true));
    if json {
        return print(&format!("{answer}\n"));
    }
    if was_there && !only_id {
        say("there was one with that key already");
    }
    print(&format!("{id}\n"))
}

/// What the command line asks for.
pub(crate) fn wanted(it: &cli::Wanted) -> Result<Wanted, Failure> {
    let here = || env::current_dir().map_err(|error| Failure::new(Exit::Failed, error));
    let cwd: Option<PathBuf> = match (&it.cwd, it.check.is_empty()) {
        (Some(cwd), _) => Some(here()?.join(cwd)),
        (None, false) => Some(here()?),
        (None, true) => None,
    };
    if let Some(cwd) = cwd.as_ref().filter(|cwd| !cwd.is_dir()) {
        let error = format!("{} is no directory", cwd.display());
        return Err(Failure::new(Exit::Usage, error).advice("Check the path of --cwd."));
    }
    checked(Wanted {
        text: text(&it.input)?,
        kind: Kind::Task,
        needs: labels(&it.labels)?,
        to: it.to.clone(),
        group: Some(it.group.clone()),
        priority: it.priority,
        submitter: submitter(it.submitter.as_deref()),
        key: it.key.clone(),
        after: it.after.clone(),
        delay_ms: it.delay.map(|span| milliseconds(span.0)),
        timeout_ms: None,
        retry: it.retry,
        check: (!it.check.is_empty()).then(|| it.check.clone()),
        cwd,
        affinity: it.affinity.clone(),
    })
}

/// The same, or what is wrong with it: before anybody is asked.
fn checked(wanted: Wanted) -> Result<Wanted, Failure> {
    match desk::checked(&wanted) {
        Ok(()) => Ok(wanted),
        Err(wrong) => {
            let failure = Failure::new(wrong.exit, wrong.error);
            Err(failure.advice(wrong.advice.unwrap_or_default()))
        }
    }
}

fn text(input: &cli::Input) -> Result<String, Failure> {
    match (&input.text, &input.file) {
        (Some(text), _) => Ok(text.clone()),
        (None, Some(file)) => text_of(file),
        (None, None) => {
            Err(Failure::new(Exit::Usage, "there is no text").advice("Say what to do."))
        }
    }
}

/// `role=ci`, each.
pub(crate) fn labels(labels: &[String]) -> Result<Labels, Failure> {
    let pair = |label: &String| {
        let pair = label.split_once('=').filter(|(key, _)| !key.is_empty());
        let pair = pair.map(|(key, value)| (key.to_owned(), value.to_owned()));
        pair.ok_or_else(|| {
            Failure::new(Exit::Usage, format!("{label:?} is no label"))
                .advice("Write it as KEY=VALUE.")
        })
    };
    labels.iter().map(pair).collect()
}

/// Who asks: as it was said, else the user.
fn submitter(said: Option<&str>) -> String {
    let plain = |name: &String| {
        let fits = |c: char| c.is_alphanumeric() || "_-.".contains(c);
        (1..=64).contains(&name.len()) && name.chars().all(fits)
    };
    let user = || {
        ["USER", "LOGNAME"]
            .into_iter()
            .filter_map(|name| env::var(name).ok())
    };
    match said {
        Some(said) => said.to_owned(),
        None => user()
            .find(plain)
            .unwrap_or_else(|| rustix::process::getuid().as_raw().to_string()),
    }
}

pub(crate) fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
