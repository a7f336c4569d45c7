//! Panes that somebody else has made become instances.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use cc_kit::exit::Exit;
use cc_kit::journal::Stamp;
use cc_kit::pane::Pane;
use cc_kit::process::{Foreground, Identity, Snapshot};
use serde_json::{Value, json};
use tmux_cc::wire::PaneId;
use tokio::sync::oneshot;

use super::{Daemon, Note, follow, nonce, process};
use crate::config::{Restart, Unit};
use crate::foreign::{self, Found};
use crate::instance::{Made, Run};
use crate::request::{Adopt, Adopted, Spec};

/// A pane that has been found and marked.
#[derive(Debug)]
pub(super) struct Taken {
    adopt: Adopt,
    found: Found,
    run: String,
    process: Option<Identity>,
    reply: oneshot::Sender<Value>,
}

fn refuse(error: String, exit: Exit) -> Value {
    json!({"v": 1, "error": error, "exit": exit.code()})
}

/// Who is to be watched in a pane: the program that somebody has started in the shell there, or else
/// the shell.
fn in_front(pid: u32) -> Option<Identity> {
    let first = i32::try_from(pid).ok();
    let first = first.and_then(|pid| Identity::of(pid).ok().flatten())?;
    let Ok(snapshot) = Snapshot::take() else {
        return Some(first);
    };
    let front = snapshot.foreground(first);
    let leader = front.as_ref().and_then(Foreground::leader);
    Some(leader.map_or(first, |leader| leader.identity))
}

/// A unit in a pane of somebody else: what nobody has said how to start is not started again, and
/// nobody's windows are made narrower to see whether something hangs.
pub(super) fn as_adopted(mut unit: Unit, adopted: &Adopted) -> Unit {
    if !adopted.again {
        unit.restart = Restart::No;
    }
    unit.hang_after = None;
    unit
}

impl Daemon {
    /// Looks for a pane, and marks it where it may be taken.
    pub(super) fn adopt_pane(&self, adopt: Adopt, reply: oneshot::Sender<Value>) {
        let Some(pane) = PaneId::parse(adopt.pane.as_bytes()) else {
            let error = format!(
                "{:?} is no pane: write %N, as `tmux list-panes -a` has it",
                adopt.pane
            );
            let _ = reply.send(refuse(error, Exit::Usage));
            return;
        };
        if let Some(refused) = self.is_taken(&adopt.name) {
            let _ = reply.send(refused);
            return;
        }
        if adopt.socket.parent() == self.places.tmux("any").parent() {
            let error = format!("{} is a server of a guardian", adopt.socket.display());
            let _ = reply.send(refuse(error, Exit::Usage));
            return;
        }
        let options = [
            ("@cc_unit", format!("{}@1", adopt.name)),
            ("@cc_run", nonce()),
            ("@cc_guardian", self.places.id()),
        ];
        let past = self.instances.values().filter(|it| it.is_past());
        let past: Vec<String> = past.map(|it| it.name.clone()).collect();
        let (tmux, notes) = (self.settings.tmux.clone(), self.notes.clone());
        tokio::spawn(async move {
            let found = match foreign::find(&tmux, &adopt.socket, pane).await {
                Ok(found) => found,
                Err(error) => {
                    let socket = adopt.socket.display();
                    let advice =
                        format!("See `tmux -S {socket} list-panes -a` for those that are.");
                    let (error, exit) = (error.to_string(), Exit::Unknown.code());
                    let refused = json!({"v": 1, "error": error, "advice": advice, "exit": exit});
                    let _ = reply.send(refused);
                    return;
                }
            };
            if let Some(unit) = found.unit.as_ref().filter(|unit| !past.contains(unit)) {
                let error = format!("{pane} is a unit's already: {unit}");
                let _ = reply.send(refuse(error, Exit::Usage));
                return;
            }
            if found.is_dead {
                let error = format!("the program of {pane} has ended");
                let _ = reply.send(refuse(error, Exit::Failed));
                return;
            }
            let process = tokio::task::spawn_blocking(move || in_front(found.pid)).await;
            let process = process.ok().flatten();
            let number = process.map(|it| format!("{}.{}", it.pid, it.start));
            let number = number.unwrap_or_default();
            let marks: Vec<(&str, &str)> = options
                .iter()
                .map(|(option, value)| (*option, value.as_str()))
                .chain([
                    ("@cc_own", found.command.as_str()),
                    ("@cc_process", &number),
                ])
                .collect();
            match foreign::mark(&tmux, &adopt.socket, pane, &marks).await {
                Ok(()) => {
                    let [_, (_, run), _] = options;
                    let taken = Taken {
                        adopt,
                        found,
                        run,
                        process,
                        reply,
                    };
                    let _ = notes.send(Note::Taken(Box::new(taken)));
                }
                Err(error) => {
                    let _ = reply.send(refuse(error.to_string(), Exit::Failed));
                }
            }
        });
    }

    fn is_taken(&self, name: &str) -> Option<Value> {
        let mut its = self.instances.values();
        let is_there = its.any(|it| it.unit.name == name && !it.is_past());
        is_there.then(|| refuse(format!("there is a unit {name:?} already"), Exit::Usage))
    }

    /// A pane is an instance's from now on.
    pub(super) fn taken(&mut self, taken: Taken) {
        let Taken {
            adopt,
            found,
            run,
            process,
            reply,
        } = taken;
        let answer = self.take(&adopt, &found, run, process);
        if answer.get("error").is_some() {
            self.unmark(&adopt.socket, found.pane);
        }
        let _ = reply.send(answer);
    }

    /// A pane is nobody's again.
    pub(super) fn unmark(&self, socket: &Path, pane: PaneId) {
        let (tmux, socket) = (self.settings.tmux.clone(), socket.to_owned());
        tokio::spawn(async move {
            let none = [("@cc_unit", ""), ("@cc_guardian", "")];
            let _ = foreign::mark(&tmux, &socket, pane, &none).await;
        });
    }

    fn take(
        &mut self,
        adopt: &Adopt,
        found: &Found,
        run: String,
        process: Option<Identity>,
    ) -> Value {
        if let Some(refused) = self.is_taken(&adopt.name) {
            return refused;
        }
        let again = !adopt.command.is_empty();
        let command = match again {
            true => adopt.command.clone(),
            // What it is called tells how its screen is read.
            false => vec![found.command.clone()],
        };
        let spec = Spec {
            name: adopt.name.clone(),
            profile: adopt.profile.clone(),
            replicas: 1,
            cwd: found.cwd.clone(),
            env: BTreeMap::new(),
            command,
            adopted: Some(Adopted {
                socket: adopt.socket.clone(),
                again,
            }),
        };
        let name = format!("{}@1", adopt.name);
        if self.instances.contains_key(&name) {
            self.forget(&name);
        }
        if let Err(failure) = self.declare_spec(&spec) {
            return super::send::refused(&failure);
        }
        let run = Run {
            number: run,
            session: found.session,
            pane: found.pane,
            process,
            pid: process.and_then(|process| u32::try_from(process.pid).ok()),
        };
        let (now, server) = (self.now(), adopt.socket.to_string_lossy().into_owned());
        let Some(it) = self.instances.get_mut(&name) else {
            return refuse(format!("{name} cannot be declared"), Exit::Failed);
        };
        it.made = Some(Made {
            server: server.clone(),
            own: Some(found.command.clone()),
            program: None,
        });
        it.adopted(run.clone(), now, Stamp::now());
        let profile = it.unit.profile.clone();
        self.watch(&name, &run);
        let pid = process.map(|process| format!("pid {}", process.pid));
        self.record(&name, "adopt", pid);
        self.keep_servers();
        if !self.groups.contains_key(&server) && self.following.insert(server.clone()) {
            let (tmux, notes) = (self.settings.tmux.clone(), self.notes.clone());
            follow::start(server, adopt.socket.clone(), &tmux, notes);
        }
        self.look(&name);
        json!({"v": 1, "unit": name, "profile": profile, "again": again})
    }

    /// Has a program in a pane of somebody else end: it is asked as its profile knows, then all of its
    /// processes are, and then they are killed. The pane is left to tmux, unless we have made it.
    pub(super) fn stop_foreign(&self, name: &str, at_once: bool) {
        let Some(it) = self.instances.get(name) else {
            return;
        };
        let run = it.run().cloned();
        let group = self.groups.get(&self.server_of(it));
        let pane = run.as_ref().zip(group);
        let pane = pane.map(|(run, group)| Pane::new(group.server.clone(), run.session, run.pane));
        let keys = it.profile.as_ref().filter(|_| !at_once);
        let keys = keys.map(|profile| profile.keys().clone());
        let is_ours = it.made.as_ref().is_some_and(|made| made.program.is_some());
        let (timeout, mark) = (it.unit.stop.timeout, self.mark(name));
        let (tmux, socket) = (self.settings.tmux.clone(), self.socket_of(it));
        let grace = if at_once {
            Duration::ZERO
        } else {
            super::GRACE
        };
        let (notes, name) = (self.notes.clone(), name.to_owned());
        tokio::spawn(async move {
            if let Some(process) = run.as_ref().and_then(|run| run.process) {
                if let (Some(pane), Some(keys)) = (&pane, keys) {
                    for key in &keys.exit {
                        let _ = pane.press(key).await;
                        tokio::time::sleep(keys.gap()).await;
                    }
                    let _ = tokio::time::timeout(timeout, process::ended(process)).await;
                }
                if let Err(error) = cc_kit::process::end_tree(process, grace).await {
                    tracing::error!(%error, "cannot end what was adopted");
                }
            }
            if is_ours {
                let _ = process::reap(&mark, Duration::ZERO).await;
                if let Some(run) = &run {
                    let _ = foreign::close(&tmux, &socket, run.pane).await;
                }
            }
            let _ = notes.send(Note::Stopped(name));
        });
    }
}
