//! `run`: a task carried through, and its result, for scripts and CI.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use cc_kit::ask::{Answers, Daemon, checked, word};
use cc_kit::exit::{Exit, Failure};
use cc_kit::home::Home;
use cc_kit::signals::Shutdown;
use cc_kit::stdout::print;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::add::{milliseconds, wanted};
use crate::ask::{PATIENCE, Place, runtime, say};
use crate::cli;
use crate::report::{Outputs, Report};
use crate::request::{One, Request};
use crate::wait::{self, Ended, Patience, Rules, Waiter};

const GUARDIAN: Daemon = Daemon {
    name: "guardian",
    start: "No guardian runs: start one with `cc-guardian up`.",
};

/// Adds a task, waits for it, and gives its result and its exit code.
pub(crate) fn run(run: &cli::Run) -> Result<ExitCode, Failure> {
    let began = Instant::now();
    let mut wanted = wanted(&run.wanted)?;
    let outputs = Outputs {
        json: run.json.clone(),
        summary: run.summary.clone(),
        junit: run.junit.clone(),
    };
    outputs.check()?;
    let place = Place::find(&run.wanted.state)?;
    if !place.is_served() {
        return Err(wait::unserved());
    }
    if let Some(unit) = &run.ensure {
        ensure(run, unit)?;
        if wanted.to.is_none() && wanted.needs.is_empty() {
            wanted.to = Some(unit.clone());
        }
    }
    if !run.detach {
        // Whatever becomes of us, no attempt takes longer than all of it may.
        wanted.timeout_ms = run.timeout.map(|span| milliseconds(span.0));
    }
    let runtime = runtime()?;
    // A signal from before it is added is seen to once it is.
    let shutdown = runtime.block_on(async { wait::signals() })?;
    let answer = place.ask_daemon(&Request::Add(Box::new(wanted)))?;
    let id = word(&answer, "task").unwrap_or_default();
    if run.wanted.key.is_some() && answer.get("was_there") == Some(&Value::Bool(true)) {
        say(&format!("there was one with that key already: {id}"));
    }
    let ended = runtime.block_on(carry(run, &place, &id, began, shutdown))?;
    let report = Report::of(wait::result(&place, &id)?)?;
    outputs.write(&report)?;
    if !outputs.json_is_stdout() {
        report.print()?;
    }
    explain(run, ended, &report, &place);
    let exit = wait::exit(ended, std::slice::from_ref(report.value()));
    let of_check = run.exit_code_from.is_some() && exit == Exit::Failed;
    Ok(match report.exit().filter(|_| of_check) {
        Some(code) => code.into(),
        None => exit.into(),
    })
}

/// Waits; where that ends early the task is cancelled, unless it is to go on.
async fn carry(
    run: &cli::Run,
    place: &Place,
    id: &str,
    began: Instant,
    shutdown: Shutdown,
) -> Result<Ended, Failure> {
    let rules = Rules {
        on_blocked: run.on_blocked == cli::OnBlocked::Exit,
        no_wait: run.no_wait,
    };
    let mut waiter = Waiter::begin(place, vec![id.to_owned()], rules, shutdown)?;
    let left = |span: Duration| span.saturating_sub(began.elapsed());
    let patience = Patience {
        all: run.timeout.map(|span| left(span.0)),
        worker: run.worker_timeout.map(|span| left(span.0)),
    };
    // A limit from before tells nothing of itself: it is asked for once.
    let is_limited = run.no_wait && {
        let reasons = wait::reasons(place, id);
        let is_it = |reason: &Value| reason.get("kind").and_then(Value::as_str) == Some("limited");
        reasons.iter().any(is_it)
    };
    let ended = match is_limited {
        true => Ended::Limited,
        false => waiter.wait(patience, |_| Ok(true)).await?,
    };
    let is_early = !matches!(ended, Ended::Over | Ended::Blocked | Ended::Unread);
    if !is_early || run.detach {
        waiter.clear();
        return Ok(ended);
    }
    let cancel = Request::Cancel {
        tasks: vec![id.to_owned()],
        force: false,
    };
    // The balancer may be away in this moment: then that is written down for it. How we were to end stands.
    let own = place.clone();
    let answer = spawn_blocking(move || own.ask_any(&cancel)).await;
    let answer = answer.map_err(|error| Failure::new(Exit::Failed, error))?;
    let answer = answer.map(|(answer, _)| answer);
    let did = answer.as_ref().map(|answer| answer.pointer("/tasks/0/did"));
    let ended = match did.map(|did| did.and_then(Value::as_str)) {
        // It was over in that very moment.
        Ok(Some("over")) => Ended::Over,
        Ok(Some("asked")) => {
            if let Err(failure) = waiter.cancelled().await {
                say(&format!(
                    "whether it is stopped is not known: {}",
                    failure.what()
                ));
            }
            ended
        }
        Ok(_) => ended,
        Err(failure) => {
            say(&format!("it is not cancelled: {}", failure.what()));
            ended
        }
    };
    waiter.clear();
    Ok(ended)
}

/// Says why it ended without a result.
fn explain(run: &cli::Run, ended: Ended, report: &Report, place: &Place) {
    let value = report.value();
    let id = word(value, "task").unwrap_or_default();
    let state = wait::in_words(value);
    let goes_on = match run.detach {
        true => format!("; it goes on: `cc-balancer wait {id}`"),
        false => String::new(),
    };
    match ended {
        Ended::Over | Ended::Unread => {
            if wait::exit_of(value) != Exit::Success {
                say(&state);
            }
        }
        Ended::Blocked => say(&format!(
            "{state}; see to it, then `cc-balancer wait {id}`, or `cc-balancer cancel {id}`"
        )),
        Ended::Timeout => say(&format!("{state}; it was not over in time{goes_on}")),
        Ended::NoWorker => {
            let why = match run.detach {
                true => wait::waits_for(&wait::reasons(place, &id)),
                false => String::new(),
            };
            let said = format!("{state}; nobody took it in time{goes_on} {why}");
            say(said.trim_end());
        }
        Ended::Limited => say(&format!("{state}; its account is limited{goes_on}")),
        Ended::Stopped(_) => say(&format!("{state}; we were told to stop{goes_on}")),
    }
}

/// Has the guardian of the same state start a unit.
fn ensure(run: &cli::Run, unit: &str) -> Result<(), Failure> {
    let home = Home::of("guardian", run.wanted.state.state.as_deref())?;
    let request = json!({"do": "start", "unit": unit});
    let mut lines = Answers::of(GUARDIAN, &home.control(), &request, Some(PATIENCE))?;
    let answer = lines.next_line()?.ok_or_else(|| {
        Failure::new(Exit::Unreachable, "the guardian has gone").advice("Start it again.")
    })?;
    checked(answer)
        .map(|_| ())
        .map_err(|failure| match failure.exit() {
            Exit::Unknown => failure.advice("See `cc-guardian ls` for those that there are."),
            _ => failure,
        })
}

/// Prints what came of a task; ends as `wait` would.
pub(crate) fn result(one: &cli::One) -> Result<Exit, Failure> {
    let place = Place::find(&one.state)?;
    let request = Request::Result(One {
        task: one.id.clone(),
    });
    let report = Report::of(place.ask(&request)?)?;
    let value = report.value();
    if one.json {
        print(&format!("{value}\n"))?;
    } else {
        report.print()?;
        let exit = wait::exit_of(value);
        if exit != Exit::Success {
            say(&wait::in_words(value));
        }
        if value.get("text").is_none_or(Value::is_null) {
            say("nothing came of it yet: `cc-balancer why` says why");
        }
    }
    Ok(wait::exit_of(value))
}
