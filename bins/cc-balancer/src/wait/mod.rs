//! Waiting for tasks: by what the balancer tells, never by asking again.
//!
//! | Room | In it |
//! |---|---|
//! | `decide` | when it is over, and with what: pure |
//! | `told` | what the balancer tells, over its restarts |
//! | `progress` | a line for somebody who looks |

mod decide;
mod progress;
mod told;

use std::time::Duration;

use cc_kit::ask::{members, word};
use cc_kit::exit::{Exit, Failure};
use cc_kit::printable::harmless;
use cc_kit::signals::{Shutdown, Stop};
use cc_kit::stdout::{is_read, print};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use decide::Seen;
pub(crate) use decide::{Ended, Rules};
use progress::Progress;
use told::Told;

use crate::ask::{Place, Via, runtime};
use crate::cli;
use crate::desk::Mistake;
use crate::request::{One, Request, Tasks};
use crate::task::State;

/// How long a cancelled task may take to be over, before we go.
const CANCELLED: Duration = Duration::from_secs(10);

/// How long anything may take.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Patience {
    /// All of it.
    pub(crate) all: Option<Duration>,
    /// Until a worker has it.
    pub(crate) worker: Option<Duration>,
}

/// Somebody who waits.
#[derive(Debug)]
pub(crate) struct Waiter {
    told: Told,
    seen: Seen,
    rules: Rules,
    shutdown: Shutdown,
    progress: Progress,
}

impl Waiter {
    /// Begins to wait for those; inside a runtime.
    pub(crate) fn begin(
        place: &Place,
        tasks: Vec<String>,
        rules: Rules,
        shutdown: Shutdown,
    ) -> Result<Self, Failure> {
        Ok(Self {
            seen: Seen::default(),
            told: Told::begin(place, tasks)?,
            rules,
            shutdown,
            progress: Progress::begin(),
        })
    }

    /// Waits until it is over; each line that is told goes to `tell` first.
    pub(crate) async fn wait(
        &mut self,
        patience: Patience,
        mut tell: impl FnMut(&Value) -> Result<bool, Failure>,
    ) -> Result<Ended, Failure> {
        let began = Instant::now();
        let at = |span: Option<Duration>| span.and_then(|span| began.checked_add(span));
        let (all, worker) = (at(patience.all), at(patience.worker));
        loop {
            if let Some(ended) = self.seen.ended(self.rules) {
                return Ok(ended);
            }
            let worker = worker.filter(|_| self.seen.waits_for_worker());
            tokio::select! {
                line = self.told.next() => {
                    let line = line?;
                    self.seen.note(&line);
                    self.progress.show(self.seen.in_words());
                    if !tell(&line)? {
                        return Ok(Ended::Unread);
                    }
                }
                () = until(all) => return Ok(Ended::Timeout),
                () = until(worker) => return Ok(Ended::NoWorker),
                stop = self.shutdown.requested() => return Ok(Ended::Stopped(stop)),
            }
        }
    }

    /// Waits until what was cancelled is over: for a moment, or until somebody is impatient.
    pub(crate) async fn cancelled(&mut self) -> Result<(), Failure> {
        self.rules = Rules::default();
        let patience = Patience {
            all: Some(CANCELLED),
            worker: None,
        };
        self.wait(patience, |_| Ok(true)).await.map(|_| ())
    }

    /// What is shown goes.
    pub(crate) fn clear(&self) {
        self.progress.clear();
    }
}

/// Signals are kept for whoever waits, from now on; inside a runtime.
pub(crate) fn signals() -> Result<Shutdown, Failure> {
    Shutdown::install().map_err(|error| Failure::new(Exit::Failed, error))
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Waits until tasks are over.
pub(crate) fn wait(wait: &cli::Wait) -> Result<Exit, Failure> {
    let place = Place::find(&wait.ids.state)?;
    let rules = Rules {
        on_blocked: wait.on_blocked == cli::OnBlocked::Exit,
        no_wait: false,
    };
    let ids = &wait.ids.ids;
    let ended = match over(&place, ids)? {
        Some(ended) => ended,
        None => {
            let patience = Patience {
                all: wait.timeout.map(|span| span.0),
                worker: None,
            };
            runtime()?.block_on(async {
                let mut waiter = Waiter::begin(&place, ids.clone(), rules, signals()?)?;
                let ended = waiter.wait(patience, |_| Ok(true)).await;
                waiter.clear();
                ended
            })?
        }
    };
    let results = ids.iter().map(|id| {
        let (answer, _) = place.ask_any(&Request::Result(One { task: id.clone() }))?;
        Ok(answer)
    });
    let results = results.collect::<Result<Vec<Value>, Failure>>()?;
    if wait.ids.json {
        print(&format!("{}\n", json!({"v": 1, "tasks": results})))?;
    } else {
        for result in &results {
            print(&format!("{}\n", in_words(result)))?;
        }
    }
    Ok(exit(ended, &results))
}

/// `ID: failed: exit 3`.
pub(crate) fn in_words(result: &Value) -> String {
    let why = word(result, "why").map(|why| format!(": {why}"));
    format!(
        "{}: {}{}",
        word(result, "task").unwrap_or_default(),
        word(result, "state").unwrap_or_default(),
        why.unwrap_or_default()
    )
}

/// Are they over already, where no balancer runs? One must run for those that are not.
fn over(place: &Place, ids: &[String]) -> Result<Option<Ended>, Failure> {
    if place.is_served() {
        return Ok(None);
    }
    let tasks = Tasks {
        tasks: ids.to_vec(),
        only_dead: false,
    };
    let (answer, via) = place.ask_any(&Request::Follow(tasks))?;
    if via == Via::Daemon {
        return Ok(None);
    }
    let state = |task: &Value| {
        task.get("state")
            .and_then(Value::as_str)
            .and_then(State::named)
    };
    let is_over = |task| state(task).is_some_and(State::is_over);
    match members(&answer, "tasks").all(is_over) {
        true => Ok(Some(Ended::Over)),
        false => Err(unserved()),
    }
}

/// Nobody works.
pub(crate) fn unserved() -> Failure {
    let wrong = Mistake::no_daemon();
    Failure::new(wrong.exit, wrong.error).advice(wrong.advice.unwrap_or_default())
}

/// The exit code of how waiting ended, by the tasks as they are then.
pub(crate) fn exit(ended: Ended, results: &[Value]) -> Exit {
    match ended {
        Ended::Timeout => Exit::Timeout,
        Ended::NoWorker => Exit::NoWorker,
        Ended::Limited => Exit::RateLimited,
        Ended::Stopped(Stop::Interrupt) => Exit::Interrupted,
        Ended::Stopped(Stop::Terminate) => Exit::Terminated,
        Ended::Unread => Exit::Success,
        Ended::Over | Ended::Blocked => {
            let mut exits = results.iter().map(decide::exit);
            let is_bad = |exit: &Exit| *exit != Exit::Success;
            exits.find(is_bad).unwrap_or(Exit::Success)
        }
    }
}

/// The exit code that a task as it is gives to `result`.
pub(crate) fn exit_of(result: &Value) -> Exit {
    decide::exit(result)
}

/// Shows what happens to a task until it is over.
pub(crate) fn follow(one: &cli::One) -> Result<Exit, Failure> {
    let place = Place::find(&one.state)?;
    let log = || {
        Request::Log(One {
            task: one.id.clone(),
        })
    };
    let line = |event: &Value| match one.json {
        true => {
            let mut event = event.clone();
            if let Some(event) = event.as_object_mut() {
                event.insert("v".to_owned(), 1.into());
            }
            format!("{event}\n")
        }
        false => format!("{}\n", crate::show::event(event)),
    };
    let ids = vec![one.id.clone()];
    if let Some(ended) = over(&place, &ids)? {
        let (answer, _) = place.ask_any(&log())?;
        let all: String = members(&answer, "events").map(line).collect();
        print(&all)?;
        return Ok(exit(ended, &[result(&place, &one.id)?]));
    }
    let ended = runtime()?.block_on(async {
        // What happens while the past is read is told twice, and shown once.
        let mut waiter = Waiter::begin(&place, ids, Rules::default(), signals()?)?;
        let answer = place.ask_daemon(&log())?;
        let past: Vec<Value> = members(&answer, "events").cloned().collect();
        waiter.clear();
        let all: String = past.iter().map(line).collect();
        if !is_read(&all)? {
            return Ok(Ended::Unread);
        }
        let tell = |told: &Value| {
            if let Some(missed) = told.get("missed").and_then(Value::as_u64) {
                crate::ask::say(&format!(
                    "{missed} events were missed: see `cc-balancer log`"
                ));
            }
            match told.get("event") {
                Some(event) if !past.contains(event) => is_read(&line(event)),
                _ => Ok(true),
            }
        };
        waiter.wait(Patience::default(), tell).await
    })?;
    Ok(exit(ended, &[result(&place, &one.id)?]))
}

/// What came of a task.
pub(crate) fn result(place: &Place, id: &str) -> Result<Value, Failure> {
    let one = One {
        task: id.to_owned(),
    };
    place
        .ask_any(&Request::Result(one))
        .map(|(answer, _)| answer)
}

/// What a task waits for, in words; nothing where nobody knows.
pub(crate) fn reasons(place: &Place, id: &str) -> Vec<Value> {
    let why = place.ask_daemon(&Request::Why(One {
        task: id.to_owned(),
    }));
    let reasons = why.map(|answer| members(&answer, "reasons").cloned().collect());
    reasons.unwrap_or_default()
}

/// A task, its state and what it waits for.
pub(crate) fn waits_for(reasons: &[Value]) -> String {
    let words: Vec<String> = reasons
        .iter()
        .filter_map(|reason| word(reason, "text"))
        .collect();
    harmless(&words.join("; ")).to_string()
}
