//! Starts and ends.

use std::sync::Arc;
use std::time::Duration;

use cc_kit::journal::Stamp;
use cc_kit::pane::Pane;
use cc_kit::process::{Exit as ProcessExit, Identity, Mark};
use tmux_cc::wire::PaneId;
use tokio::time::{sleep, timeout};

use super::resume::NOW;
use super::{CRASH, Daemon, GRACE, HOW, LEFT, Note, Turn, dice, follow, nonce, process};
use crate::config;
use crate::group::{self, Launch, Launched};
use crate::instance::{Act, End, Phase, Run};

impl Daemon {
    /// Makes a pane for it, behind whatever is left of an earlier run.
    pub(super) fn launch(&mut self, name: &str) {
        let Some(it) = self.instances.get_mut(name) else {
            return;
        };
        let command = it.command();
        let Some(it) = self.instances.get(name) else {
            return;
        };
        self.runs += 1;
        let run = format!("{}-{}", nonce(), self.runs);
        let environment = match it.unit.environment() {
            Ok(environment) => environment.0,
            Err(mistakes) => {
                let said: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
                let error = std::io::Error::other(said.join("; "));
                let _ = self
                    .notes
                    .send(Note::Launched(name.to_owned(), run, Err(error), None));
                return;
            }
        };
        let mark = self.mark(name);
        let mut environment = environment;
        environment.insert(mark.variable.clone(), mark.value.clone());
        environment.insert("CC_UNIT".to_owned(), name.to_owned());
        environment.insert("CC_HOOK_TOKEN".to_owned(), it.token.clone());
        let control = self.places.control();
        environment.insert(
            "CC_GUARDIAN".to_owned(),
            control.to_string_lossy().into_owned(),
        );
        let server = self.server_of(it);
        let launch = Launch {
            tmux: self.settings.tmux.clone(),
            socket: self.socket_of(it),
            history_limit: self.settings.history_limit,
            name: name.to_owned(),
            run: run.clone(),
            guardian: self.places.id(),
            cwd: it.unit.cwd.clone(),
            environment,
            command,
            old: it.last,
        };
        let notes = self.notes.clone();
        let name = name.to_owned();
        let turns = Arc::clone(self.turns.entry(server).or_default());
        tokio::spawn(async move {
            // Never two of them: whatever an earlier run has left behind goes first.
            let reaped = process::reap(&mark, LEFT).await;
            let turn = turns.lock_owned().await;
            let launched = match reaped {
                Ok(()) => start(launch, &mark).await,
                Err(error) => Err(error),
            };
            let _ = notes.send(Note::Launched(name, run, launched, Some(turn)));
        });
    }

    pub(super) fn launched(
        &mut self,
        name: &str,
        run: String,
        launched: std::io::Result<Launched>,
        turn: Turn,
    ) {
        let (now, stamp) = (self.now(), Stamp::now());
        let Some(it) = self.instances.get_mut(name) else {
            return;
        };
        let launched = match launched {
            Ok(launched) => launched,
            Err(error) => {
                let stopping = matches!(it.phase, Phase::Stopping(..));
                self.record(name, "fail", Some(error.to_string()));
                if stopping {
                    self.stopped(name);
                } else {
                    self.ended(name, End::NotMade);
                }
                return;
            }
        };
        let process = i32::try_from(launched.pid)
            .ok()
            .and_then(|pid| Identity::of(pid).ok().flatten());
        let run = Run {
            number: run,
            session: launched.session,
            pane: launched.pane,
            process,
            pid: Some(launched.pid),
        };
        let stopping = match it.phase {
            Phase::Stopping(_, again) => Some(again),
            _ => None,
        };
        it.started(run.clone(), now, stamp);
        self.watch(name, &run);
        self.record(name, "start", Some(format!("pid {}", launched.pid)));
        if let Some(again) = stopping {
            self.stop(name, again, true);
            return;
        }
        let Some(server) = self.instances.get(name).map(|it| self.server_of(it)) else {
            return;
        };
        if !self.groups.contains_key(&server) && self.following.insert(server.clone()) {
            let socket = self.places.tmux(&server);
            follow::start(
                server.clone(),
                socket,
                &self.settings.tmux,
                self.notes.clone(),
            );
        }
        match self.groups.get(&server) {
            Some(group) => follow::until_attached(&group.server, launched.session, turn),
            None => self.first.push((server, launched.session, turn)),
        }
        self.look(name);
    }

    pub(super) fn watch(&self, name: &str, run: &Run) {
        let (notes, name, number) = (self.notes.clone(), name.to_owned(), run.number.clone());
        let process = run.process;
        tokio::spawn(async move {
            let exit = match process {
                Some(process) => process::ended(process).await,
                // It was over before it could be looked at.
                None => None,
            };
            let _ = notes.send(Note::Gone(name, number, exit));
        });
    }

    pub(super) fn gone(&mut self, name: &str, run: &str, exit: Option<ProcessExit>) {
        let now = self.now();
        let Some(it) = self.instances.get_mut(name) else {
            return;
        };
        let Phase::Running(current) = &it.phase else {
            return;
        };
        if current.number != run {
            return;
        }
        let pane = current.pane;
        let wait = if exit.is_some() { CRASH } else { HOW };
        it.gone(now + wait, exit.map_or(End::Unknown, End::from));
        let Some(it) = self.instances.get(name) else {
            return;
        };
        let server = self.server_of(it);
        let group = self.groups.get(&server);
        if group.is_some_and(|group| !group.is_alive()) {
            self.ended(name, End::ServerLost);
        } else if exit.is_none() {
            match group.and_then(|group| group.death(pane)) {
                Some(end) => self.ended(name, end),
                None => self.ask_how(name, run, pane),
            }
        }
    }

    /// Asks tmux how a program ended, until it knows: it learns of the end of the terminal and of that
    /// of the process one after the other, and would tell only a second later.
    fn ask_how(&self, name: &str, run: &str, pane: PaneId) {
        let Some(it) = self.instances.get(name) else {
            return;
        };
        let Some(group) = self.groups.get(&self.server_of(it)) else {
            return;
        };
        let server = group.server.clone();
        let (notes, name, run) = (self.notes.clone(), name.to_owned(), run.to_owned());
        tokio::spawn(async move {
            let asked = async {
                for pause in [5, 10, 20, 40, 80]
                    .into_iter()
                    .chain(std::iter::repeat(160))
                {
                    if let Some(end) = process::told_by_tmux(&server, pane).await? {
                        return Ok(end);
                    }
                    sleep(Duration::from_millis(pause)).await;
                }
                Err(())
            };
            if let Ok(Ok(end)) = timeout(HOW, asked).await {
                let _ = notes.send(Note::Ended(name, run, end));
            }
        });
    }

    pub(super) fn ended(&mut self, name: &str, end: End) {
        let (now, stamp) = (self.now(), Stamp::now());
        let Some(it) = self.instances.get_mut(name) else {
            return;
        };
        let act = it.ended(end, now, stamp, dice());
        let news = it.vigil.news();
        for word in news {
            self.record(name, "rung", Some(word));
        }
        self.usage.remove(name);
        self.record(name, "end", Some(end.words()));
        if let Act::Hold(why) = act {
            self.record(name, "hold", Some(why));
        }
    }

    pub(super) fn stopped(&mut self, name: &str) {
        let (now, stamp) = (self.now(), Stamp::now());
        let Some(it) = self.instances.get_mut(name) else {
            return;
        };
        let act = it.stopped(now, stamp);
        self.record(name, "stop", None);
        if act == Act::Start {
            self.launch(name);
        }
    }

    pub(super) fn stop(&mut self, name: &str, again: bool, at_once: bool) -> bool {
        let Some(it) = self.instances.get_mut(name) else {
            return false;
        };
        let making = matches!(it.phase, Phase::Making);
        let stopping = matches!(it.phase, Phase::Stopping(..));
        if !it.stop(again) {
            if stopping {
                self.keep(name);
            } else {
                self.record(name, "stop", None);
            }
            return false;
        }
        // Whoever takes over from us goes on with it.
        self.record(name, "stopping", at_once.then(|| NOW.to_owned()));
        let Some(it) = self.instances.get(name) else {
            return false;
        };
        if making {
            // Its pane comes still, and is ended then: another start beside it could make two.
            return true;
        }
        let run = it.run().cloned();
        let Some(it) = self.instances.get(name) else {
            return false;
        };
        let keys = it
            .profile
            .as_ref()
            .filter(|_| !at_once && it.unit.stop.method == config::StopMethod::Profile)
            .map(|profile| profile.keys().clone());
        let timeout = it.unit.stop.timeout;
        let socket = self.socket_of(it);
        let server = self.groups.get(&self.server_of(it));
        let server = server.map(|group| group.server.clone());
        let mark = self.mark(name);
        let tmux = self.settings.tmux.clone();
        let (notes, name) = (self.notes.clone(), name.to_owned());
        tokio::spawn(async move {
            if let (Some(run), Some(server), Some(keys)) = (&run, &server, keys) {
                let pane = Pane::new(server.clone(), run.session, run.pane);
                for key in &keys.exit {
                    let _ = pane.press(key).await;
                    sleep(keys.gap()).await;
                }
                if let Some(process) = run.process {
                    let _ = tokio::time::timeout(timeout, process::ended(process)).await;
                }
            }
            let grace = if at_once { Duration::ZERO } else { GRACE };
            if let Err(error) = process::reap(&mark, grace).await {
                tracing::error!(%error, "cannot end what is left of a unit");
            }
            let is_there = |run: &Run| {
                let server = server.as_ref();
                server.is_none_or(|server| server.tree().session(run.session).is_some())
            };
            if let Some(run) = run.filter(is_there) {
                // By a client of its own: one that is attached to the session goes with it.
                let _ = group::end(&tmux, &socket, run.session).await;
            }
            let _ = notes.send(Note::Stopped(name));
        });
        true
    }
}

/// Starts it. A session of that name is of a guardian that was killed while it made it: what runs there
/// goes, and the session is taken over.
async fn start(mut launch: Launch, mark: &Mark) -> std::io::Result<Launched> {
    let launched = launch.start().await;
    if launched.is_ok() || launch.old.is_some() {
        return launched;
    }
    let Ok(Some(left)) = launch.left().await else {
        return launched;
    };
    process::reap(mark, LEFT).await?;
    launch.old = Some(left);
    launch.start().await
}
