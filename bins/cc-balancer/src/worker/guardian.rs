//! What a guardian says of its units, and what it does for us.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cc_kit::control;
use cc_kit::profile::State;
use cc_kit::send::{Outcome, Receipt, Why};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::{Belief, steady};

/// How long until a guardian that is gone is asked for again.
const AGAIN: Duration = Duration::from_millis(500);
/// How long it may take to say something that waits for nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a guardian says of a unit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Listed {
    pub(crate) socket: String,
    pub(crate) pane: Option<String>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) account: Option<String>,
    pub(crate) profile: Option<String>,
    pub(crate) belief: Belief,
}

impl Listed {
    /// What is believed of what the unit was in that pane: it may be started anew in another one.
    pub(crate) fn in_pane(&self, pane: &str) -> Belief {
        let mut belief = self.belief.clone();
        match &self.pane {
            Some(own) if own == pane => {}
            Some(own) => {
                belief.state = State::Dead;
                belief.sub = Some(format!("its guardian has started it anew, in {own}"));
            }
            // Nobody is there who could be idle.
            None if belief.state == State::Idle => belief.state = State::Unknown,
            None => {}
        }
        belief
    }
}

/// What is known of all units of a guardian; empty where it is gone.
pub(crate) type Units = BTreeMap<String, Listed>;

/// A guardian that is listened to, until it is dropped.
#[derive(Debug)]
pub(crate) struct Guardian {
    socket: PathBuf,
    pub(crate) units: watch::Receiver<Units>,
    listening: JoinHandle<()>,
}

impl Drop for Guardian {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Guardian {
    /// Begins to listen.
    pub(crate) fn listen(socket: &Path) -> Self {
        let (tell, units) = watch::channel(Units::new());
        let from = socket.to_owned();
        let listening = tokio::spawn(async move {
            loop {
                if let Err(error) = follow(&from, &tell).await {
                    tracing::debug!(%error, "no guardian answers");
                }
                // What it said is not true for ever.
                tell.send_if_modified(|units| !std::mem::take(units).is_empty());
                sleep(AGAIN).await;
            }
        });
        Self {
            socket: socket.to_owned(),
            units,
            listening,
        }
    }

    /// Who does things for us.
    pub(crate) fn hands(&self) -> Hands {
        Hands {
            socket: self.socket.clone(),
        }
    }
}

/// Asks a guardian to do something.
#[derive(Debug, Clone)]
pub(crate) struct Hands {
    socket: PathBuf,
}

impl Hands {
    /// Has it send a prompt, at once or not at all.
    pub(crate) async fn send(&self, unit: &str, text: &str) -> Outcome {
        let request = json!({"do": "send", "unit": unit, "text": text, "wait_ms": 0});
        let answer = match ask(&self.socket, &request).await {
            Ok(answer) => answer,
            // Whether it was asked or only its answer is missing is not known, unless nobody was there.
            Err(Asking::Nobody(error)) => return Outcome::Held(Why::Gone(error.to_string())),
            Err(Asking::NoAnswer(error)) => {
                return Outcome::Uncertain(Why::Gone(error.to_string()));
            }
        };
        let receipt = answer.get("receipt").cloned().map(serde_json::from_value);
        match receipt {
            Some(Ok(Receipt { outcome, .. })) => outcome,
            Some(Err(error)) => Outcome::Uncertain(Why::Gone(error.to_string())),
            None => {
                let error = answer.get("error").and_then(Value::as_str);
                Outcome::Held(Why::Refused(error.unwrap_or("no receipt").to_owned()))
            }
        }
    }

    /// What a unit is doing now in that pane.
    pub(crate) async fn look(&self, unit: &str, pane: &str) -> Option<Belief> {
        let answer = ask(&self.socket, &json!({"do": "ls"})).await.ok()?;
        let listing: Listing = serde_json::from_value(answer).ok()?;
        let row = listing.units.into_iter().find(|row| row.unit == unit)?;
        Some(row.listed(steady()).1.in_pane(pane))
    }

    /// Has it start a unit anew, at once.
    pub(crate) async fn restart(&self, unit: &str) -> io::Result<()> {
        let request = json!({"do": "restart", "unit": unit, "now": true});
        let answer = ask(&self.socket, &request).await.map_err(|why| match why {
            Asking::Nobody(error) | Asking::NoAnswer(error) => error,
        })?;
        match answer.get("error").and_then(Value::as_str) {
            Some(error) => Err(io::Error::other(error.to_owned())),
            None => Ok(()),
        }
    }
}

/// The units of a guardian, by their names.
pub(crate) async fn units_at(socket: &Path) -> io::Result<Vec<String>> {
    let answer = ask(socket, &json!({"do": "ls"})).await;
    let answer = answer.map_err(|why| match why {
        Asking::Nobody(error) | Asking::NoAnswer(error) => error,
    })?;
    let listing: Listing = serde_json::from_value(answer).map_err(io::Error::other)?;
    Ok(listing.units.into_iter().map(|row| row.unit).collect())
}

enum Asking {
    Nobody(io::Error),
    NoAnswer(io::Error),
}

async fn connect(socket: &Path) -> io::Result<UnixStream> {
    let stream = control::connect(socket)?;
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}

async fn ask(socket: &Path, request: &Value) -> Result<Value, Asking> {
    let stream = connect(socket).await.map_err(Asking::Nobody)?;
    let asked = async {
        let (read, mut write) = stream.into_split();
        write.write_all(format!("{request}\n").as_bytes()).await?;
        let mut line = String::new();
        BufReader::new(read).read_line(&mut line).await?;
        serde_json::from_str(&line).map_err(io::Error::other)
    };
    match timeout(PATIENCE, asked).await {
        Ok(answer) => answer.map_err(Asking::NoAnswer),
        Err(_) => Err(Asking::NoAnswer(io::ErrorKind::TimedOut.into())),
    }
}

async fn follow(socket: &Path, tell: &watch::Sender<Units>) -> io::Result<()> {
    let stream = connect(socket).await?;
    let (read, mut write) = stream.into_split();
    write.write_all(b"{\"do\":\"watch\"}\n").await?;
    let mut lines = BufReader::new(read).lines();
    while let Some(line) = lines.next_line().await? {
        let listing: Listing = serde_json::from_str(&line).map_err(io::Error::other)?;
        let now = steady();
        let units = listing.units.into_iter();
        let units: Units = units.map(|row| row.listed(now)).collect();
        tell.send_replace(units);
    }
    Ok(())
}

#[derive(Debug, Deserialize)]
struct Listing {
    units: Vec<Row>,
}

#[derive(Debug, Deserialize)]
struct Row {
    unit: String,
    state: String,
    #[serde(default)]
    sub: Option<String>,
    #[serde(default)]
    since: Option<Timestamp>,
    #[serde(default)]
    pane: Option<String>,
    #[serde(default)]
    profile: Option<String>,
    socket: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    account: Option<String>,
    #[serde(default)]
    session: Option<String>,
    #[serde(default)]
    reset: Option<String>,
}

impl Row {
    fn listed(self, now: Duration) -> (String, Listed) {
        let state = serde_json::from_value(Value::String(self.state)).unwrap_or(State::Unknown);
        let listed = Listed {
            socket: self.socket,
            pane: self.pane,
            labels: self.labels,
            account: self.account,
            profile: self.profile,
            belief: Belief {
                state,
                sub: self.sub,
                since: self.since,
                steady: now,
                seen: now,
                draft: false,
                session: self.session,
                limit: self.reset,
                // That is the guardian's to say.
                goes_on: false,
            },
        };
        (self.unit, listed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_read_and_what_is_not_known_is_unknown() {
        let row = |state: &str| {
            let row = json!({"unit": "w@1", "state": state, "socket": "/s", "pane": "%3",
                "labels": {"role": "ci"}, "account": null, "more": [1]});
            serde_json::from_value::<Row>(row).unwrap()
        };
        let (unit, listed) = row("idle").listed(Duration::ZERO);
        assert_eq!(unit, "w@1");
        assert_eq!(listed.belief.state, State::Idle);
        assert_eq!(listed.labels["role"], "ci");
        // It is started anew: what it was has gone.
        assert_eq!(listed.in_pane("%3").state, State::Idle);
        assert_eq!(listed.in_pane("%4").state, State::Dead);
        let nowhere = Listed {
            pane: None,
            ..listed
        };
        assert_eq!(nowhere.in_pane("%3").state, State::Unknown);
        // Guardians know more words than a profile has states.
        assert_eq!(
            row("absent").listed(Duration::ZERO).1.belief.state,
            State::Unknown
        );
    }
}
