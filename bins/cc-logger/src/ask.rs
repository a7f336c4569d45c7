//! Commands that ask the running logger: `stats`, `mark`, `rotate` and `gc`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::time::Duration;

use cc_kit::control;
use cc_kit::exit::{Exit, Failure};
use cc_kit::journal::{Stamp, Store, live_writer};
use cc_kit::printable::printable;
use cc_kit::stdout::print;
use serde_json::Value;

use crate::cli::{Dir, Gc, Mark, Stats};
use crate::config::{self, Config, Flags};
use crate::run::CONTROL;
use crate::run::answer::Request;
use crate::upkeep::{self, OpenSegments};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(70);

/// Asks, and gives the answer.
fn ask(dir: &Path, request: &Request) -> Result<Value, Failure> {
    let unreachable = |error: std::io::Error| {
        Failure::new(Exit::Unreachable, error)
            .advice("No logger runs on that directory: start one with `cc-logger run`.")
    };
    let stream = control::connect(&dir.join(CONTROL)).map_err(unreachable)?;
    let _ = stream.set_read_timeout(Some(PATIENCE));
    let mut line = serde_json::to_vec(request).map_err(|e| Failure::new(Exit::Failed, e))?;
    line.push(b'\n');
    (&stream).write_all(&line).map_err(unreachable)?;
    let mut answer = String::new();
    BufReader::new(&stream)
        .read_line(&mut answer)
        .map_err(unreachable)?;
    let answer: Value =
        serde_json::from_str(&answer).map_err(|error| Failure::new(Exit::Unreachable, error))?;
    if let Some(error) = answer.get("error").and_then(Value::as_str) {
        let error = printable(error.as_bytes()).to_string();
        return Err(Failure::new(Exit::Failed, error)
            .advice("The running logger may be of another version: restart it."));
    }
    Ok(answer)
}

/// What the logger has counted.
pub(crate) fn stats(stats: &Stats) -> Result<(), Failure> {
    let dir = config::directory(stats.dir.dir.as_deref())?;
    let answer = ask(&dir, &Request::Stats)?;
    if stats.json {
        return print(&format!("{answer}\n"));
    }
    let mut text = String::new();
    for (name, value) in answer.as_object().into_iter().flatten() {
        match value {
            Value::Object(rules) => {
                for (rule, count) in rules {
                    let rule = printable(rule.as_bytes());
                    text.push_str(&format!("{:<24}{count}\n", format!("{name} {rule}")));
                }
            }
            _ if name == "v" => {}
            value => text.push_str(&format!("{name:<24}{value}\n")),
        }
    }
    print(&text)
}

/// Marks this moment.
pub(crate) fn mark(mark: &Mark) -> Result<(), Failure> {
    let dir = config::directory(mark.dir.dir.as_deref())?;
    crate::select::Selector::parse(&mark.selector)?;
    let request = Request::Mark {
        selector: mark.selector.clone(),
        text: mark.text.clone(),
    };
    let marked = ask(&dir, &request)?.get("marked").and_then(Value::as_u64);
    match marked {
        Some(0) | None => Err(Failure::new(
            Exit::Unknown,
            format!("no pane that is logged now is {:?}", mark.selector),
        )
        .advice("See `cc-logger ls` for those that are live.")),
        Some(1) => print(b"marked 1 pane\n"),
        Some(panes) => print(&format!("marked {panes} panes\n")),
    }
}

/// Begins new segments.
pub(crate) fn rotate(dir: &Dir) -> Result<(), Failure> {
    let dir = config::directory(dir.dir.as_deref())?;
    let answer = ask(&dir, &Request::Rotate)?;
    let rotated = answer.get("rotated").and_then(Value::as_u64).unwrap_or(0);
    print(&format!("began {rotated} segments\n"))
}

/// Tidies up: the running logger does, or where none runs we do.
pub(crate) fn gc(gc: &Gc) -> Result<(), Failure> {
    let dir = config::directory(gc.dir.dir.as_deref())?;
    let running = live_writer(&dir).ok().flatten().is_some();
    let (packed, deleted, bytes) = if running {
        let answer = ask(&dir, &Request::Gc)?;
        let number = |name| answer.get(name).and_then(Value::as_u64).unwrap_or(0);
        (number("packed"), number("deleted"), number("bytes"))
    } else {
        let config = Config::load(&Flags {
            file: gc.config.clone(),
            dir: Some(dir.clone()),
            ..Flags::default()
        })?;
        cc_kit::journal::panes(&dir)?;
        // Held so that no logger begins meanwhile.
        let _store = Store::open(&dir)?;
        let now = Stamp::now().wall_ns;
        let done = upkeep::tidy(&dir, config.keeping, &OpenSegments::default(), now);
        (done.packed, done.deleted, done.bytes)
    };
    print(&format!(
        "packed {packed} segments, deleted {deleted} of {bytes} bytes\n"
    ))
}
