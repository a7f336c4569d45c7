//! What is asked of the daemon.

use std::sync::Arc;
use std::time::Duration;

use cc_kit::exit::{Exit, Failure};
use cc_kit::lease::{Lease, Place, Taken};
use cc_kit::pane::Pane;
use cc_kit::send::{Delivery, Outcome, Prompt, Reader, Receipt, Why, deliver};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};

use super::{Act, Daemon, Note, OWN, unknown};
use crate::instance::{Instance, Phase};
use crate::request::{Request, Spec};

impl Daemon {
    pub(super) async fn asked(&mut self, mut request: Request, reply: oneshot::Sender<Value>) {
        if let Some(unit) = request.one()
            && let Err(refused) = self.name(unit)
        {
            return drop(reply.send(refused));
        }
        let answer = match request {
            Request::Ls | Request::Watch => self.listing(),
            Request::Status => self.status(),
            Request::Up { file, unit } => self.up(file.as_deref(), unit.as_ref()),
            Request::Diff { file } => self.diff(file.as_deref()),
            Request::Apply { file, at_idle } => self.apply(file.as_deref(), at_idle),
            Request::Adopt(adopt) => return self.adopt_pane(adopt, reply),
            Request::Start { .. }
            | Request::Stop { .. }
            | Request::Restart { .. }
            | Request::RestartAtIdle { .. } => self.changed_each(&request),
            Request::Down { now } => {
                let names: Vec<String> = self.instances.keys().cloned().collect();
                for name in names {
                    // Whose pane it is did not ask for that.
                    let is_foreign = self
                        .instances
                        .get(&name)
                        .is_some_and(|it| it.foreign.is_some());
                    if now || !is_foreign {
                        self.stop(&name, false, now);
                    }
                }
                json!({"v": 1})
            }
            Request::Why { unit } => match self.instances.get(&unit) {
                Some(it) => {
                    let told = self.shown(it);
                    let events = self.store.events(Some(&unit), 20).unwrap_or_default();
                    json!({"v": 1, "unit": told, "events": events})
                }
                None => unknown(&unit),
            },
            Request::Events { unit, most, .. } => match self.store.events(unit.as_deref(), most) {
                Ok(events) => match unit {
                    Some(unit)
                        if unit != OWN
                            && events.is_empty()
                            && self.instances_of(&unit).is_empty() =>
                    {
                        unknown(&unit)
                    }
                    _ => json!({"v": 1, "events": events}),
                },
                Err(error) => {
                    let error = error.to_string();
                    json!({"v": 1, "error": error, "exit": Exit::Store.code()})
                }
            },
            Request::Peek { unit } => return self.peek(&unit, reply),
            Request::Explain { unit } => return self.explain(&unit, reply),
            Request::Send {
                unit,
                text,
                wait_ms,
            } => return self.send(&unit, &text, Duration::from_millis(wait_ms), reply),
            Request::Answer { unit, choice, hash } => {
                return self.answered(&unit, choice, hash, reply);
            }
            Request::Hook { unit, token, input } => self.hook(&unit, &token, &input),
        };
        let _ = reply.send(answer);
    }

    fn up(&mut self, file: Option<&std::path::Path>, spec: Option<&Spec>) -> Value {
        if let Err(failure) = self.take_profiles() {
            return refused(&failure);
        }
        let names = match spec {
            Some(spec) => self.declare_spec(spec),
            None => self.declare_given(file),
        };
        let names = match names {
            Ok(names) => names,
            Err(failure) => return refused(&failure),
        };
        let mut started = Vec::new();
        for name in &names {
            let now = self.now();
            let Some(it) = self.instances.get_mut(name) else {
                continue;
            };
            if it.up(now) == Act::Start {
                self.record(name, "up", None);
                started.push(name.clone());
            } else {
                self.keep(name);
            }
        }
        self.take_turns();
        json!({
            "v": 1, "units": names, "started": started, "waits": self.waiting(&names),
            "changed": self.changed_of(&names), "undeclared": self.undeclared(),
        })
    }

    pub(super) fn start(&mut self, name: &str) -> Value {
        let now = self.now();
        let Some(it) = self.instances.get_mut(name) else {
            return unknown(name);
        };
        if !it.can_start() && !it.is_running() {
            return cannot_start(name);
        }
        it.up(now);
        self.take_turns();
        self.keep(name);
        json!({"v": 1, "waits": self.waiting(&[name.to_owned()])})
    }

    /// Where a pane is, as leases know it.
    pub(super) fn place_of(pane: &Pane) -> Option<Place> {
        let server = pane.server().identity()?;
        Some(Place {
            server: server.pid,
            start_time: server.start_time,
            pane: pane.id().0,
        })
    }

    pub(super) fn pane_of(&self, it: &Instance) -> Option<Pane> {
        let Phase::Running(run) = &it.phase else {
            return None;
        };
        let group = self.groups.get(&self.server_of(it))?;
        Some(Pane::new(group.server.clone(), run.session, run.pane))
    }

    fn peek(&self, unit: &str, reply: oneshot::Sender<Value>) {
        let Some(it) = self.instances.get(unit) else {
            let _ = reply.send(unknown(unit));
            return;
        };
        let Some(pane) = self.pane_of(it) else {
            let error = format!("{unit} does not run");
            let _ = reply.send(json!({"v": 1, "error": error, "exit": Exit::Failed.code()}));
            return;
        };
        tokio::spawn(async move {
            let answer = match pane.look().await {
                Ok(found) => json!({"v": 1, "rows": found.screen.rows}),
                Err(error) => {
                    let error = error.to_string();
                    json!({"v": 1, "error": error, "exit": Exit::Unreachable.code()})
                }
            };
            let _ = reply.send(answer);
        });
    }

    fn send(&mut self, unit: &str, text: &str, patience: Duration, reply: oneshot::Sender<Value>) {
        let refuse =
            |error: String, exit: Exit| json!({"v": 1, "error": error, "exit": exit.code()});
        let prompt = match Prompt::new(text.as_bytes()) {
            Ok(prompt) => prompt,
            Err(error) => {
                let _ = reply.send(refuse(error.to_string(), Exit::Usage));
                return;
            }
        };
        let Some(it) = self.instances.get(unit) else {
            let _ = reply.send(unknown(unit));
            return;
        };
        let Some(profile) = it.profile.clone() else {
            let error = format!("{unit} has no profile, so that nobody knows when it is idle");
            let _ = reply.send(refuse(error, Exit::Usage));
            return;
        };
        if let Err(error) = prompt.fits(profile.sending()) {
            let _ = reply.send(refuse(error.to_string(), Exit::Usage));
            return;
        }
        let Some(pane) = self.pane_of(it) else {
            let _ = reply.send(refuse(format!("{unit} does not run"), Exit::Failed));
            return;
        };
        let Some(place) = Self::place_of(&pane) else {
            let _ = reply.send(refuse(
                format!("{unit} has lost its server"),
                Exit::Unreachable,
            ));
            return;
        };
        let reader = Reader {
            own: it.made.as_ref().and_then(|made| made.own.clone()),
            pane,
            profile: Arc::clone(&profile),
            host: Arc::clone(&self.host),
            in_band: None,
        };
        let account = it.unit.account.clone();
        let mut closed = self.closed.subscribe();
        let writer = Arc::clone(self.writers.entry(unit.to_owned()).or_default());
        let mut prompts = self.prompts.subscribe();
        let leases = self.places.leases();
        let (notes, unit) = (self.notes.clone(), unit.to_owned());
        tokio::spawn(async move {
            let began = Instant::now();
            let open =
                closed.wait_for(|closed| account.as_ref().is_none_or(|of| !closed.contains(of)));
            let is_open = timeout(patience, open).await.is_ok();
            let patience = patience.saturating_sub(began.elapsed());
            // One after another, in the order in which they came.
            let _turn = writer.lock().await;
            let (tell, hooks) = mpsc::unbounded_channel();
            let own = unit.clone();
            let told = tokio::spawn(async move {
                while let Ok((of, prompt)) = prompts.recv().await {
                    if of == own && tell.send(prompt).is_err() {
                        break;
                    }
                }
            });
            let receipt = match Lease::take(&leases, place, "cc-guardian") {
                _ if !is_open => held(Why::Limited),
                Ok(Taken::Ours(_lease)) => {
                    let delivery =
                        Delivery::new(prompt, profile.sending(), patience, began.elapsed());
                    deliver(delivery, &profile.sending().enter, &reader, hooks, began).await
                }
                Ok(Taken::Theirs(who)) => held(Why::Leased(who)),
                Err(error) => held(Why::Refused(error.to_string())),
            };
            told.abort();
            let said = serde_json::to_string(&receipt).unwrap_or_default();
            let _ = notes.send(Note::Sent(unit, said));
            let _ = reply.send(json!({"v": 1, "receipt": receipt}));
        });
    }
}

fn held(why: Why) -> Receipt {
    Receipt {
        outcome: Outcome::Held(why),
        stage: None,
        times: Vec::new(),
        enters: 0,
    }
}

pub(super) fn cannot_start(unit: &str) -> Value {
    let error =
        format!("{unit} was adopted without a command, so that nobody knows how to start it");
    json!({"v": 1, "error": error, "exit": Exit::Usage.code()})
}

pub(super) fn refused(failure: &Failure) -> Value {
    let (error, advice) = (failure.what(), failure.next_step());
    json!({"v": 1, "error": error, "advice": advice, "exit": failure.exit().code()})
}
