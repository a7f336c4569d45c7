//! Commands that ask the running guardian.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cc_kit::ask::{Answers, Daemon, word};
use cc_kit::control;
use cc_kit::exit::{Exit, Failure};
use cc_kit::home::State;
use cc_kit::printable::printable;
use cc_kit::stdout::print;
use serde::Serialize;
use serde_json::{Value, json};

use crate::cli;
use crate::config;
use crate::pick::is_of;
use crate::place::{self, Places};
use crate::request::{Request, Spec};

/// How long an answer may take that waits for nothing.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// How long a guardian may take to be up.
const START: Duration = Duration::from_secs(20);

const GUARDIAN: Daemon = Daemon {
    name: "guardian",
    start: "No guardian runs: start one with `cc-guardian up` or `cc-guardian run`.",
};

/// Asks the guardian, and gives its answer.
pub(crate) fn ask(
    places: &Places,
    request: &impl Serialize,
    patience: Duration,
) -> Result<Value, Failure> {
    let mut lines = open(places, request, Some(patience))?;
    let answer = lines.next_line()?.ok_or_else(|| {
        Failure::new(Exit::Unreachable, "the guardian has gone").advice("Start it again.")
    })?;
    checked(answer)
}

/// Sends a request; its answers are the lines that come.
pub(crate) fn open(
    places: &Places,
    request: &impl Serialize,
    patience: Option<Duration>,
) -> Result<Answers, Failure> {
    Answers::of(GUARDIAN, &places.control(), request, patience)
}

/// The next answer; `None` where the guardian has gone.
pub(crate) fn next(lines: &mut Answers) -> Result<Option<Value>, Failure> {
    lines.next_line()
}

/// An answer, or the mistake that it tells of.
pub(crate) fn checked(answer: Value) -> Result<Value, Failure> {
    let failure = match cc_kit::ask::checked(answer) {
        Ok(answer) => return Ok(answer),
        Err(failure) => failure,
    };
    Err(match (failure.exit(), failure.is_advised()) {
        (Exit::Unknown, false) => failure.advice("See `cc-guardian ls` for those that there are."),
        _ => failure,
    })
}

pub(crate) fn places(state: &State) -> Result<Places, Failure> {
    place::find(state.state.as_deref())
}

/// Declares and starts.
pub(crate) fn up(up: &cli::Up) -> Result<(), Failure> {
    let places = places(&up.state)?;
    let request = match spec(up)? {
        Some(spec) => Request::Up {
            file: None,
            unit: Some(spec),
        },
        None => {
            let usual = || config::usual_file().filter(|file| file.exists());
            let runs = || control::connect(&places.control()).is_ok();
            let file = match &up.config {
                Some(file) => Some(file.clone()),
                None if runs() => None,
                None => usual(),
            };
            if let Some(file) = &file {
                // Before anything is started.
                crate::look::check_file(file)?;
            }
            Request::Up {
                file: absolute(up.config.as_deref())?,
                unit: None,
            }
        }
    };
    ensure(&places)?;
    let answer = ask(&places, &request, PATIENCE)?;
    let list = |name: &str| -> Vec<String> {
        let names = answer
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        names
            .filter_map(|name| Some(name.as_str()?.to_owned()))
            .collect()
    };
    let (units, started) = (list("units"), list("started"));
    if units.is_empty() {
        return Err(Failure::new(Exit::Usage, "there is nothing to start")
            .advice("Name a file with -c, or a program: `cc-guardian up --name w -- CMD`."));
    }
    for unit in &units {
        let waits = answer.get("waits").and_then(|waits| waits.get(unit));
        let word = match waits.and_then(Value::as_str) {
            Some(waits) => waits,
            None if started.contains(unit) => "started",
            None => "runs",
        };
        let changed = answer.get("changed").and_then(|changed| changed.get(unit));
        let changed = match changed.map(crate::change::fields) {
            Some(fields) => format!(" as it was: {fields} changed, see `cc-guardian apply`"),
            None => String::new(),
        };
        print(&format!("{unit}: {word}{changed}\n"))?;
    }
    for unit in list("undeclared") {
        print(&format!(
            "{unit}: goes on, but is declared no more: `cc-guardian apply` stops it\n"
        ))?;
    }
    Ok(())
}

/// A path that means the same to the guardian, who runs elsewhere.
pub(crate) fn absolute(file: Option<&Path>) -> Result<Option<PathBuf>, Failure> {
    let file = file.map(std::path::absolute).transpose();
    file.map_err(|error| Failure::new(Exit::Usage, error))
}

fn spec(up: &cli::Up) -> Result<Option<Spec>, Failure> {
    let Some(program) = up.command.first() else {
        return Ok(None);
    };
    let usage = |error: String| Failure::new(Exit::Usage, error);
    let file_name = Path::new(program)
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let name = up.name.clone().or(file_name);
    let name = name.ok_or_else(|| usage("the unit needs a name: add --name".to_owned()))?;
    let here = env::current_dir().map_err(|e| Failure::new(Exit::Failed, e))?;
    let cwd = up
        .cwd
        .as_ref()
        .map_or_else(|| here.clone(), |cwd| here.join(cwd));
    let pairs = up.env.iter().map(|pair| {
        let (name, value) = pair
            .split_once('=')
            .ok_or_else(|| usage(format!("{pair:?} is no variable: write --env NAME=VALUE")))?;
        Ok((name.to_owned(), value.to_owned()))
    });
    Ok(Some(Spec {
        name,
        profile: up.profile.clone(),
        replicas: up.replicas,
        cwd,
        env: pairs.collect::<Result<BTreeMap<_, _>, Failure>>()?,
        command: up.command.clone(),
        adopted: None,
    }))
}

/// Starts a guardian in the background where none runs, and waits until it answers.
pub(crate) fn ensure(places: &Places) -> Result<(), Failure> {
    let answers = || ask(places, &Request::Ls, PATIENCE).is_ok();
    if control::connect(&places.control()).is_ok() {
        return Ok(());
    }
    let log = places.state().join("guardian.log");
    let log = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&log)
        .map_err(|error| Failure::new(Exit::Store, error))?;
    let this = env::current_exe().map_err(|e| Failure::new(Exit::Failed, e))?;
    let mut command = Command::new(this);
    command
        .arg("run")
        .arg("--state")
        .arg(places.state())
        .current_dir("/")
        .env_remove("TMUX")
        .env_remove("TMUX_PANE")
        .env_remove(crate::group::MARK)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        // A terminal that closes is nothing to it.
        .process_group(0);
    let mut child = command.spawn().map_err(|e| Failure::new(Exit::Failed, e))?;
    let began = Instant::now();
    while began.elapsed() < START {
        if control::connect(&places.control()).is_ok() && answers() {
            return Ok(());
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(
                Failure::new(Exit::Unreachable, format!("the guardian ended: {status}")).advice(
                    format!(
                        "Its last words are in {}.",
                        places.state().join("guardian.log").display()
                    ),
                ),
            );
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err(
        Failure::new(Exit::Timeout, "the guardian is not up in time").advice(format!(
            "See {}.",
            places.state().join("guardian.log").display()
        )),
    )
}

/// Stops everything, and waits for that.
pub(crate) fn down(down: &cli::Down) -> Result<(), Failure> {
    let places = places(&down.state)?;
    let mut lines = open(&places, &Request::Watch, None)?;
    ask(&places, &Request::Down { now: down.now }, PATIENCE)?;
    while let Some(listing) = next(&mut lines)? {
        let units = listing.get("units").and_then(Value::as_array);
        let goes_on = |unit: &Value| !down.now && unit.get("adopted") == Some(&Value::Bool(true));
        let has_pane = |unit: &Value| unit.get("pane").is_some_and(|pane| !pane.is_null());
        let runs = |unit: &Value| has_pane(unit) && !goes_on(unit);
        if !units.is_some_and(|units| units.iter().any(runs)) {
            for unit in units.into_iter().flatten().filter(|unit| has_pane(unit)) {
                let unit = word(unit, "unit").unwrap_or_default();
                print(&format!(
                    "{unit}: goes on, since it was adopted: `stop` ends it\n"
                ))?;
            }
            return Ok(());
        }
    }
    Ok(())
}

fn one(one: &cli::One, request: &Request) -> Result<(), Failure> {
    ask(&places(&one.state)?, request, PATIENCE).map(|_| ())
}

pub(crate) fn start(start: &cli::One) -> Result<(), Failure> {
    one(
        start,
        &Request::Start {
            unit: start.unit.clone(),
        },
    )
}

pub(crate) fn stop(stop: &cli::Stop) -> Result<(), Failure> {
    let unit = stop.one.unit.clone();
    one(
        &stop.one,
        &Request::Stop {
            unit,
            now: stop.now,
        },
    )
}

pub(crate) fn restart(restart: &cli::Restart) -> Result<(), Failure> {
    let (unit, now) = (restart.one.unit.clone(), restart.now);
    let request = match restart.at_idle {
        true => Request::RestartAtIdle { unit },
        false => Request::Restart { unit, now },
    };
    one(&restart.one, &request)
}

/// Has a prompt sent. A guardian that ends meanwhile leaves open how far it came.
fn delivered(places: &Places, request: &Request, patience: Duration) -> Result<Value, Failure> {
    let mut lines = open(places, request, Some(patience))?;
    match next(&mut lines) {
        Ok(Some(answer)) => checked(answer),
        Ok(None) | Err(_) => {
            let error = "the guardian has gone, or does not answer, while it was sending";
            Err(Failure::new(Exit::DeliveryUncertain, error).advice(
                "Look at the unit before you send it again: it may have been written, or taken.",
            ))
        }
    }
}

/// Sends a prompt.
pub(crate) fn send(send: &cli::Send) -> Result<Exit, Failure> {
    let text = match (&send.text, &send.file) {
        (Some(text), _) => text.clone(),
        (None, Some(file)) => {
            let read = if file.as_os_str() == "-" {
                let mut all = Vec::new();
                io::stdin().read_to_end(&mut all).map(|_| all)
            } else {
                fs::read(file)
            };
            let all = read.map_err(|error| {
                Failure::new(Exit::Usage, error).advice("Check the path of the prompt's file.")
            })?;
            let text = String::from_utf8(all)
                .map_err(|_| Failure::new(Exit::Usage, "the prompt is not UTF-8"))?;
            text.strip_suffix('\n').map(str::to_owned).unwrap_or(text)
        }
        (None, None) => return Err(Failure::new(Exit::Usage, "there is no prompt")),
    };
    let wait = match &send.wait {
        Some(_) => send.timeout.0,
        None => Duration::ZERO,
    };
    let request = Request::Send {
        unit: send.unit.clone(),
        text,
        wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
    };
    let answer = delivered(&places(&send.state)?, &request, wait + PATIENCE + PATIENCE)?;
    let receipt = answer.get("receipt").cloned().unwrap_or_default();
    let outcome = receipt
        .get("outcome")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let why = receipt
        .pointer("/reason/why")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if send.json {
        let told = json!({"v": 1, "unit": send.unit, "receipt": receipt});
        print(&format!("{told}\n"))?;
    } else if outcome == "delivered" {
        print("delivered\n")?;
    } else {
        let detail = receipt.pointer("/reason/detail").and_then(Value::as_str);
        let detail = detail.map(|detail| format!(": {}", printable(detail.as_bytes())));
        let advice = match why {
            "limited" => format!("; `cc-guardian why {}` says until when", send.unit),
            _ => String::new(),
        };
        let detail = detail.unwrap_or_default();
        print(&format!("{outcome}: {why}{detail}{advice}\n"))?;
    }
    let detail = receipt.pointer("/reason/detail").and_then(Value::as_str);
    let is = |state: &str| detail.is_some_and(|detail| detail.starts_with(state));
    Ok(match (outcome, why) {
        ("delivered", _) => Exit::Success,
        ("uncertain", _) => Exit::DeliveryUncertain,
        (_, "draft" | "human-typing" | "in-mode") => Exit::Blocked,
        (_, "not-idle") if is("blocked") => Exit::Blocked,
        _ if send.wait.is_some() => Exit::Timeout,
        (_, "limited") => Exit::RateLimited,
        (_, "not-idle") if is("limited") => Exit::RateLimited,
        _ => Exit::Failed,
    })
}

/// Attaches this terminal.
pub(crate) fn attach(attach: &cli::Attach) -> Result<Exit, Failure> {
    let answer = ask(&places(&attach.one.state)?, &Request::Ls, PATIENCE)?;
    let units = answer.get("units").and_then(Value::as_array);
    let is_it = |unit: &&Value| {
        let named = unit.get("unit").and_then(Value::as_str);
        named.is_some_and(|named| is_of(named, &attach.one.unit))
    };
    let mut meant = units.into_iter().flatten().filter(is_it);
    let Some(unit) = meant.next() else {
        return Err(Failure::new(
            Exit::Unknown,
            format!("there is no unit {:?}", attach.one.unit),
        )
        .advice("See `cc-guardian ls` for those that there are."));
    };
    if meant.next().is_some() {
        let several = format!("there are several instances of {:?}", attach.one.unit);
        return Err(
            Failure::new(Exit::Usage, several).advice("Name one of them: see `cc-guardian ls`.")
        );
    }
    let (Some(socket), Some(pane)) = (
        unit.get("socket").and_then(Value::as_str),
        unit.get("pane").and_then(Value::as_str),
    ) else {
        return Err(
            Failure::new(Exit::Failed, format!("{} does not run", attach.one.unit)).advice(
                format!("Start it: `cc-guardian start {}`.", attach.one.unit),
            ),
        );
    };
    let mut tmux = Command::new("tmux");
    tmux.args(["-S", socket, "attach-session"])
        .env_remove("TMUX");
    if attach.read_only {
        tmux.arg("-r");
    }
    let error = tmux.args(["-t", pane]).exec();
    Err(Failure::new(Exit::Failed, error).advice("Is tmux on the path?"))
}
