//! What the balancer tells of tasks, line by line, over its restarts.

use std::thread;
use std::time::{Duration, Instant};

use cc_kit::exit::{Exit, Failure};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::ask::{Place, gone, say};
use crate::request::{Request, Tasks};

/// How long a balancer may be away.
const AWAY: Duration = Duration::from_secs(60);
/// How long it is waited before it is looked for again: at first, and at most.
const AGAIN: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// Lines that come.
#[derive(Debug)]
pub(super) struct Told(mpsc::UnboundedReceiver<Result<Value, Failure>>);

impl Told {
    /// Begins to listen; a balancer runs.
    pub(super) fn begin(place: &Place, tasks: Vec<String>) -> Result<Self, Failure> {
        let only_dead = false;
        let request = Request::Follow(Tasks { tasks, only_dead });
        let mut lines = place.open(&request, None)?;
        let (tell, told) = mpsc::unbounded_channel();
        let place = place.clone();
        thread::spawn(move || {
            loop {
                let line = match lines.next_line() {
                    Ok(Some(line)) => cc_kit::ask::checked(line),
                    Ok(None) | Err(_) => match again(&place, &request, &tell) {
                        Ok(Some(found)) => {
                            lines = found;
                            continue;
                        }
                        Ok(None) => return,
                        Err(failure) => Err(failure),
                    },
                };
                let is_end = |line: &Value| line.get("end").is_some();
                let is_last = line.as_ref().map_or(true, is_end);
                if tell.send(line).is_err() || is_last {
                    return;
                }
            }
        });
        Ok(Self(told))
    }

    /// The next line.
    pub(super) async fn next(&mut self) -> Result<Value, Failure> {
        self.0.recv().await.unwrap_or_else(|| Err(gone()))
    }
}

/// Finds the balancer that comes after one that has gone; `None` once nobody listens to us.
fn again(
    place: &Place,
    request: &Request,
    tell: &mpsc::UnboundedSender<Result<Value, Failure>>,
) -> Result<Option<cc_kit::ask::Answers>, Failure> {
    let began = Instant::now();
    let (mut rest, most) = AGAIN;
    let mut is_said = false;
    while !tell.is_closed() {
        match place.open(request, None) {
            Ok(lines) => return Ok(Some(lines)),
            Err(failure) if failure.exit() != Exit::Unreachable => return Err(failure),
            Err(_) if began.elapsed() > AWAY => return Err(gone()),
            Err(_) => {}
        }
        if !is_said {
            say("the balancer has gone: waiting for it to come back");
            is_said = true;
        }
        thread::sleep(rest);
        rest = (rest * 2).min(most);
    }
    Ok(None)
}
