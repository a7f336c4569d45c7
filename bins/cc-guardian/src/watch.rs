//! `top`: the dashboard, fed by the guardian.

use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use cc_kit::exit::{Exit, Failure};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::ask;
use crate::cli;
use crate::logs;
use crate::place::{self, Places};
use crate::request::Request;
use crate::show;
use crate::top::{self, Action, Doing, Event, Hands, Listing, Look, once};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long until a guardian that is gone is asked for again.
const AGAIN: Duration = Duration::from_millis(500);
/// How wide a frame is that goes to no terminal.
const WIDTH: u16 = 120;

pub(crate) fn top(top: &cli::Top) -> Result<(), Failure> {
    let places = place::find(top.state.state.as_deref())?;
    let failed = |error: io::Error| Failure::new(Exit::Failed, error);
    if top.once {
        let answer = ask::ask(&places, &Request::Ls, PATIENCE)?.to_string();
        let mut out = io::stdout().lock();
        if top.json {
            return once::json(&answer, &mut out).map_err(failed);
        }
        let listing = Listing::read(&answer).map_err(|e| Failure::new(Exit::Failed, e))?;
        let width = rustix::termios::tcgetwinsize(io::stdout()).map_or(WIDTH, |size| size.ws_col);
        return once::plain(listing, Timestamp::now(), width.max(40), &mut out).map_err(failed);
    }
    if std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb") {
        return Err(
            Failure::new(Exit::Usage, "this terminal cannot show a dashboard").advice(
                "Print it once: `cc-guardian top --once`; or set TERM to what the terminal is.",
            ),
        );
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    let places = Arc::new(places);
    let color = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let ended = runtime.block_on(async {
        let (tell, listings) = mpsc::channel(8);
        let feed = Arc::clone(&places);
        std::thread::spawn(move || feed_from(&feed, &tell));
        top::run(listings, &mut Asker { places }, Look { color }).await
    });
    // What still waits for an answer is not waited for.
    runtime.shutdown_background();
    let ended = ended.map_err(failed)?;
    tracing::debug!(frames = ?ended.frames, "the dashboard has ended");
    if ended.undone.is_empty() {
        return match ended.signal {
            Some(signal) => Err(Failure::new(signal.exit(), "stopped by a signal")),
            None => Ok(()),
        };
    }
    let what: Vec<String> = ended
        .undone
        .iter()
        .map(|action| format!("{} {}", action.verb(), action.unit().unwrap_or_default()))
        .collect();
    Err(Failure::new(
        Exit::DeliveryUncertain,
        format!("not waited for: {}", what.join(", ")),
    )
    .advice("See `cc-guardian events` for what became of it."))
}

/// Hands on every listing, until nobody reads.
fn feed_from(places: &Places, tell: &mpsc::Sender<Event>) {
    loop {
        let mut lost = "it has gone; it is looked for".to_owned();
        match ask::open(places, &Request::Watch, None) {
            Ok(mut lines) => {
                while let Ok(Some(listing)) = ask::next(&mut lines) {
                    match Listing::read(&listing.to_string()) {
                        Ok(listing) => {
                            if tell.blocking_send(Event::Listing(listing)).is_err() {
                                return;
                            }
                        }
                        Err(error) => {
                            lost = error.to_string();
                            break;
                        }
                    }
                }
            }
            Err(_) => lost = "none runs; it is looked for".to_owned(),
        }
        if tell.blocking_send(Event::Lost(lost)).is_err() {
            return;
        }
        std::thread::sleep(AGAIN);
    }
}

/// Does what the dashboard asks for.
#[derive(Debug)]
struct Asker {
    places: Arc<Places>,
}

impl Hands for Asker {
    fn act(&mut self, action: Action) -> Doing {
        let places = Arc::clone(&self.places);
        Box::pin(async move {
            match &action {
                Action::Attach { unit, read_only } => {
                    return attach(&places, unit, *read_only).await;
                }
                Action::Logs(unit) => return logs::show(places, unit.clone()).await,
                _ => {}
            }
            let done = tokio::task::spawn_blocking(move || act(&places, &action)).await;
            done.unwrap_or_else(|error| Event::Failed(error.to_string()))
        })
    }
}

/// A failure on one line.
pub(crate) fn one_line(failure: &Failure) -> String {
    let parts = std::iter::once(failure.what()).chain(failure.next_step());
    parts.collect::<Vec<_>>().join(". ")
}

fn act(places: &Places, action: &Action) -> Event {
    let request = match action.clone() {
        Action::Peek(unit) => Request::Peek { unit },
        Action::Restart(unit) => Request::Restart { unit, now: false },
        Action::Stop(unit) => Request::Stop { unit, now: false },
        Action::Send { unit, text } => Request::Send {
            unit,
            text,
            wait_ms: 0,
        },
        Action::Explain(unit) => Request::Why { unit },
        Action::Answer {
            unit,
            answer,
            dialog,
        } => Request::Answer {
            unit,
            choice: answer,
            hash: dialog,
        },
        Action::Logs(_) | Action::Attach { .. } | Action::Quit => return Event::Tick,
    };
    let answer = match ask::ask(places, &request, PATIENCE) {
        Ok(answer) => answer,
        Err(failure) => return Event::Failed(one_line(&failure)),
    };
    let words = |name: &str| -> Vec<String> {
        let rows = answer
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        rows.map(|row| row.as_str().map_or_else(|| row.to_string(), str::to_owned))
            .collect()
    };
    match request {
        Request::Peek { unit } => Event::Peeked {
            unit,
            rows: words("rows"),
        },
        Request::Why { unit } => Event::Page {
            title: format!("why {unit}"),
            lines: show::reasons(&answer),
        },
        Request::Send { unit, .. } => {
            let outcome = answer.pointer("/receipt/outcome").and_then(Value::as_str);
            match outcome {
                Some("delivered") => Event::Said(format!("sent to {unit}")),
                Some("uncertain") => Event::Failed(format!(
                    "sent to {unit}, and nobody knows whether it arrived: look before you send again"
                )),
                _ => {
                    let why = answer
                        .pointer("/receipt/reason/why")
                        .and_then(Value::as_str);
                    let why = why.unwrap_or("nobody knows why");
                    Event::Failed(format!("not sent to {unit}: {why}"))
                }
            }
        }
        Request::Answer { unit, .. } => {
            let came = answer.get("answer").cloned().unwrap_or_default();
            let words = format!("{unit}: {}", crate::answer::words(&came));
            match came.get("outcome").and_then(Value::as_str) {
                Some("answered") => Event::Said(words),
                _ => Event::Failed(words),
            }
        }
        _ => Event::Said(format!(
            "{} {}",
            action.verb(),
            action.unit().unwrap_or_default()
        )),
    }
}

/// Gives the terminal to tmux until it is detached from.
async fn attach(places: &Places, unit: &str, read_only: bool) -> Event {
    let this = match std::env::current_exe() {
        Ok(this) => this,
        Err(error) => return Event::Failed(error.to_string()),
    };
    let mut command = tokio::process::Command::new(this);
    command
        .arg("attach")
        .arg(unit)
        .arg("--state")
        .arg(places.state());
    if read_only {
        command.arg("--read-only");
    }
    match command.stdin(Stdio::inherit()).status().await {
        Ok(status) if status.success() => Event::Said(format!("back from {unit}")),
        Ok(status) => Event::Failed(format!("cannot attach to {unit}: {status}")),
        Err(error) => Event::Failed(error.to_string()),
    }
}
