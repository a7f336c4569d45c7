//! What is asked that only the daemon knows.

use std::time::Duration;

use cc_kit::exit::Exit;
use cc_kit::profile::State;
use jiff::Timestamp;
use serde_json::{Value, json};
use tmux_cc::client::ClientError;
use tmux_cc::protocol::Command;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::{Hand, Serve};
use crate::attempt::course::Event as Told;
use crate::policy::{Wanted, Why, judge};
use crate::request::{Attempt, Request};
use crate::store::Offer;
use crate::worker::DRAIN;

/// How long a tmux server may take to answer.
const ANSWER: Duration = Duration::from_secs(5);

impl Serve {
    pub(super) async fn asked(&mut self, request: Request, reply: oneshot::Sender<Value>) {
        let answer = match request {
            Request::Workers => self.listed(),
            Request::Drain { worker } => return self.drain(&worker, true, reply),
            Request::Resume { worker } => return self.drain(&worker, false, reply),
            Request::Why(one) => self.reasons(&one.task).await,
            Request::ExecBegin(attempt) => self.begun(&attempt).await,
            Request::ExecEnd { attempt, exit } => self.exited(&attempt, exit),
            _ => wrong("the balancer cannot answer that", Exit::Usage),
        };
        let _ = reply.send(answer);
    }

    fn listed(&self) -> Value {
        let workers: Vec<Value> = self.workers.values().map(shown).collect();
        json!({"v": 1, "workers": workers})
    }

    /// Why no worker has a task, of each.
    async fn reasons(&self, task: &str) -> Value {
        let task = match self.store.task(task).await {
            Ok(task) => task,
            Err(error) => return wrong(&error.to_string(), Exit::Unknown),
        };
        let accounts = self.store.accounts().await.unwrap_or_default();
        let accounts = accounts.into_iter().map(|it| (it.name.clone(), it));
        let wanted = Wanted::from(&task.spec);
        let offers: Vec<(&Hand, Offer)> = self
            .workers
            .iter()
            .filter_map(|(key, hand)| Some((hand, self.offer(key)?)))
            .collect();
        let (hands, offers): (Vec<&Hand>, Vec<Offer>) = offers.into_iter().unzip();
        let judged = judge(&wanted, &offers, &accounts.collect(), Timestamp::now());
        let limited = limited(hands.iter().copied().zip(&judged));
        let mut reasons: Vec<Value> = limited.into_iter().collect();
        reasons.extend(hands.iter().zip(judged).map(|(hand, why)| {
            let unready = match why.is_limited() && hand.task.is_none() && !hand.drains {
                // Its screen may still show that, and does not say until when.
                true => None,
                false => unready(hand),
            };
            let (kind, text) = unready.unwrap_or_else(|| ("worker", why.to_string()));
            let worker = hand.worker.name();
            json!({"kind": kind, "text": format!("{worker}: {text}"), "worker": worker})
        }));
        if reasons.is_empty() {
            reasons.push(json!({
                "kind": "no-worker",
                "text": "there is no worker: see [[worker]] in the configuration",
            }));
        }
        json!({"v": 1, "reasons": reasons})
    }

    /// Sets the option of a pane, so that it is known to every life of ours, and to people. Nobody else waits
    /// for a server that does not answer.
    fn drain(&mut self, name: &str, drains: bool, reply: oneshot::Sender<Value>) {
        let mut panes = Vec::new();
        for hand in self.workers.values_mut() {
            if hand.worker.names.iter().any(|own| own == name) {
                hand.drains = drains;
                hand.rests = None;
                panes.push(hand.worker.pane.clone());
            }
        }
        if panes.is_empty() {
            let _ = reply.send(wrong(
                &format!("there is no worker {name:?}"),
                Exit::Unknown,
            ));
            return;
        }
        self.stale = true;
        tokio::spawn(async move {
            let set = async {
                for pane in panes {
                    let set = Command::new("set-option").flag("-p").target(pane.id());
                    let set = match drains {
                        true => set.arg(DRAIN).arg("1"),
                        false => set.flag("-u").arg(DRAIN),
                    };
                    pane.server().command(set).await?;
                }
                Ok::<_, ClientError>(())
            };
            let answer = match timeout(ANSWER, set).await {
                Ok(Ok(())) => json!({"v": 1}),
                Ok(Err(error)) => wrong(&error.to_string(), Exit::Unreachable),
                Err(_) => wrong(
                    "its tmux server does not answer: this holds until the balancer is started anew",
                    Exit::Unreachable,
                ),
            };
            let _ = reply.send(answer);
        });
    }

    async fn begun(&self, attempt: &Attempt) -> Value {
        let Some(running) = self.of(attempt) else {
            return self.unknown(attempt);
        };
        let (tell, id) = (running.tell.clone(), running.fence.task.clone());
        match self.store.task(id.as_str()).await {
            Ok(task) => {
                let _ = tell.send(Told::Began);
                json!({"v": 1, "text": task.spec.text, "cwd": task.spec.cwd})
            }
            Err(error) => wrong(&error.to_string(), Exit::Store),
        }
    }

    fn exited(&self, attempt: &Attempt, code: i32) -> Value {
        match self.of(attempt) {
            Some(running) => {
                let _ = running.tell.send(Told::Exited(code));
                json!({"v": 1})
            }
            None => self.unknown(attempt),
        }
    }

    /// It is not under way here; not yet, where it is to be taken up.
    fn unknown(&self, attempt: &Attempt) -> Value {
        match self.orphans.keys().any(|id| id.as_str() == attempt.task) {
            true => wrong(
                "the balancer is just being started: say it again",
                Exit::Unreachable,
            ),
            false => wrong("that attempt is over, or somebody else's", Exit::NotAllowed),
        }
    }

    fn of(&self, attempt: &Attempt) -> Option<&super::Running> {
        let mut all = self.running.values();
        all.find(|running| {
            running.fence.task.as_str() == attempt.task
                && running.fence.number == attempt.attempt
                && running.nonce == attempt.nonce
        })
    }
}

/// That everybody is limited who could have it, where that is so.
fn limited<'a>(judged: impl Iterator<Item = (&'a Hand, &'a Why)>) -> Option<Value> {
    let mut able = judged.filter(|(hand, why)| why.is_able() && !hand.drains);
    let is_limited = |(hand, why): (&Hand, &Why)| {
        let is_stopped = !hand.is_free() && hand.worker.belief.borrow().state == State::Limited;
        why.is_limited() || is_stopped
    };
    let first = able.next()?;
    (is_limited(first) && able.all(is_limited))
        .then(|| json!({"kind": "limited", "text": "whoever could have it is limited"}))
}

/// Why a worker is given nothing now, whatever it is.
fn unready(hand: &Hand) -> Option<(&'static str, String)> {
    if let Some(task) = &hand.task {
        return Some(("busy", format!("works on {task}")));
    }
    if hand.drains {
        return Some(("drained", "is given nothing more".to_owned()));
    }
    if hand.is_free() {
        return None;
    }
    // Asked before the belief is held: it is looked at there too.
    let rest = hand.rest();
    let belief = hand.worker.belief.borrow();
    if belief.state != State::Idle {
        let sub = belief.sub.as_ref().map(|sub| format!(" ({sub})"));
        let text = format!("is {}{}", belief.state, sub.unwrap_or_default());
        return Some(("busy", text));
    }
    rest.map(|rest| {
        let why = &rest.why;
        ("rests", format!("took nothing a moment ago: {why}"))
    })
}

fn shown(hand: &Hand) -> Value {
    let worker = &hand.worker;
    let rest = hand.rest();
    let belief = worker.belief.borrow();
    json!({
        "unit": worker.guarded.as_ref().map(|(_, unit)| unit),
        "socket": worker.key.socket,
        "server": worker.key.server,
        "pane": worker.key.pane,
        "session": worker.session,
        "profile": worker.profile.name(),
        "state": belief.state.name(),
        "sub": belief.sub,
        "since": belief.since.map(|since| since.to_string()),
        "task": hand.task,
        "labels": worker.labels,
        "groups": worker.groups,
        "account": worker.account,
        "drained": hand.drains,
        "failures": hand.failures,
        "rests": rest.map(|rest| &rest.why),
        "guarded": worker.guarded.is_some(),
    })
}

fn wrong(error: &str, exit: Exit) -> Value {
    json!({"v": 1, "error": error, "exit": exit.code()})
}
