//! Starts and ends.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cc_kit::journal::Stamp;
use cc_kit::pane::Pane;
use cc_kit::process::{Exit as ProcessExit, Identity, Mark};
use tmux_cc::wire::{PaneId, SessionId};
use tokio::time::{sleep, timeout};

use super::resume::NOW;
use super::{CRASH, Daemon, GRACE, HOW, LEFT, Note, Turn, dice, follow, nonce, own_name, process};
use crate::beside::{self, Beside};
use crate::config;
use crate::group::{self, Launch, Launched};
use crate::instance::{Act, End, Made, Phase, Run};
use crate::program::Program;
use crate::{confine, foreign};

impl Daemon {
    /// Makes a pane for it, behind whatever is left of an earlier run.
    pub(super) fn launch(&mut self, name: &str) {
        let Some(it) = self.instances.get_mut(name) else {
            return;
        };
        it.making();
        let mut command = it.command();
        let Some(it) = self.instances.get(name) else {
            return;
        };
        self.runs += 1;
        let run = format!("{}-{}", nonce(), self.runs);
        let environment = it.unit.environment().map_err(|mistakes| {
            let said: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            std::io::Error::other(said.join("; "))
        });
        let confined = confine::words(&it.unit);
        let environment = match confined.and_then(|words| Ok((words, environment?))) {
            Ok((words, environment)) => {
                command.splice(0..0, words);
                environment.0
            }
            Err(error) => {
                let _ = self
                    .notes
                    .send(Note::Launched(name.to_owned(), run, Err(error), None));
                return;
            }
        };
        let (mark, beside_mark) = (self.mark(name), self.mark_beside(name));
        let mut environment = environment;
        environment.insert(mark.variable.clone(), mark.value.clone());
        environment.insert("CC_UNIT".to_owned(), name.to_owned());
        environment.insert("CC_HOOK_TOKEN".to_owned(), it.token.clone());
        let control = self.places.control();
        environment.insert(
            "CC_GUARDIAN".to_owned(),
            control.to_string_lossy().into_owned(),
        );
        let foreign = it.foreign.clone();
        let server = match &foreign {
            Some(foreign) => foreign.socket.clone(),
            None => self.settings.server_of(&it.unit).to_owned(),
        };
        let program = Program::of(&it.unit, &server, &self.secret);
        let made = Made {
            server: server.clone(),
            own: own_name(&it.unit.command),
            program: Some(program.clone()),
        };
        let socket = self.places.tmux(&server);
        let beside = self.beside(name, socket.clone());
        // One that moves leaves its old session to be ended.
        let moves = it.made.as_ref().is_some_and(|was| was.server != server);
        let stays = it.last.filter(|_| !moves);
        let left = it.last.filter(|_| moves);
        let left = left.map(|(session, _)| (self.socket_of(it), session));
        let launch = Launch {
            tmux: self.settings.tmux.clone(),
            socket,
            history_limit: self.settings.history_limit,
            name: name.to_owned(),
            run: run.clone(),
            guardian: self.places.id(),
            cwd: it.unit.cwd.clone(),
            environment,
            command,
            session: stays.map(|(session, _)| session),
            old: stays.map(|(_, pane)| pane),
            program: program.to_string(),
            own: made.own.clone().unwrap_or_default(),
        };
        if let Some(it) = self.instances.get_mut(name) {
            it.made = Some(made);
        }
        let notes = self.notes.clone();
        let name = name.to_owned();
        let turns = Arc::clone(self.turns.entry(server).or_default());
        tokio::spawn(async move {
            // Never two of them: whatever an earlier run has left behind goes first.
            let reaped = process::reap(&mark, LEFT).await;
            if foreign.is_some() {
                let launched = match (reaped, launch.session) {
                    (Ok(()), Some(session)) => foreign::launch(&launch, session).await,
                    (Ok(()), None) => {
                        Err(std::io::Error::other("the session that it was in is gone"))
                    }
                    (Err(error), _) => Err(error),
                };
                let _ = notes.send(Note::Launched(name, run, launched, None));
                return;
            }
            if launch.session.is_none() {
                // Its session is made anew, and with it what was beside it.
                let _ = process::reap(&beside_mark, LEFT).await;
            }
            if let Some((socket, session)) = left {
                let _ = group::end(&launch.tmux, &socket, session).await;
            }
            let turn = turns.lock_owned().await;
            let launched = match reaped {
                Ok(()) => start(launch, &mark).await,
                Err(error) => Err(error),
            };
            if let (Ok(launched), Some(beside)) = (&launched, beside) {
                // In the same turn: nothing is to happen there later.
                let made = beside.make(launched.session).await;
                let _ = notes.send(Note::Beside(name.clone(), made));
            }
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
        // It may have been declared otherwise meanwhile.
        self.compare(name);
        self.keep_servers();
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
        let (process, pid) = (run.process, run.pid);
        tokio::spawn(async move {
            let process = match process {
                Some(process) => Some(process),
                None => process::of(pid).await,
            };
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
        // That it has ended is told before it is known how.
        self.changed.send_modify(|count| *count += 1);
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
        // What it was ended for says more than how.
        let cause = it.verdict().and_then(|verdict| verdict.sub.clone());
        let cause = cause.unwrap_or_else(|| end.words());
        let news = it.vigil.news();
        for word in news {
            self.record(name, "rung", Some(word));
        }
        self.usage.remove(name);
        self.record(name, "end", Some(cause));
        if let Act::Hold(why) = act {
            self.record(name, "hold", Some(why));
        }
        self.forget_gone(name);
    }

    pub(super) fn stopped(&mut self, name: &str) {
        let (now, stamp) = (self.now(), Stamp::now());
        let Some(it) = self.instances.get_mut(name) else {
            return;
        };
        let left = it.last;
        let act = it.stopped(now, stamp);
        if act != Act::Start {
            // One that is started again finds its session, and who looks at it stays there.
            self.end_session(name, left);
        }
        self.record(name, "stop", None);
        self.forget_gone(name);
    }

    /// Ends what is left of the session of an instance, and who goes with it.
    pub(super) fn end_session(&mut self, name: &str, left: Option<(SessionId, PaneId)>) {
        let (Some((session, _)), Some(it)) = (left, self.instances.get(name)) else {
            return;
        };
        let group = self.groups.get(&self.server_of(it));
        let is_gone = group.is_some_and(|group| group.server.tree().session(session).is_none());
        if is_gone || it.foreign.is_some() {
            return;
        }
        let (tmux, socket) = (self.settings.tmux.clone(), self.socket_of(it));
        let server = self.server_of(it);
        let turns = Arc::clone(self.turns.entry(server).or_default());
        tokio::spawn(async move {
            // In its turn: who is started next may take its name.
            let _turn = turns.lock_owned().await;
            let _ = group::end(&tmux, &socket, session).await;
        });
    }

    /// The windows that are to be beside an instance.
    fn beside(&self, name: &str, socket: PathBuf) -> Option<Beside> {
        let it = self.instances.get(name)?;
        (!it.unit.windows.is_empty()).then(|| Beside {
            tmux: self.settings.tmux.clone(),
            socket,
            mark: self.mark_beside(name).value,
            windows: it.unit.windows.clone(),
        })
    }

    /// What marks the processes beside an instance.
    fn mark_beside(&self, name: &str) -> Mark {
        Mark {
            variable: beside::MARK.to_owned(),
            ..self.mark(name)
        }
    }

    pub(super) fn made_beside(&self, name: &str, made: std::io::Result<Vec<String>>) {
        match made {
            Ok(made) if made.is_empty() => {}
            Ok(made) => self.record(name, "windows", Some(format!("made: {}", made.join(", ")))),
            Err(error) => self.record(name, "windows", Some(format!("not made: {error}"))),
        }
    }

    pub(super) fn stop(&mut self, name: &str, again: bool, at_once: bool) -> bool {
        let Some(it) = self.instances.get_mut(name) else {
            return false;
        };
        let making = matches!(it.phase, Phase::Making);
        let stopping = matches!(it.phase, Phase::Stopping(..));
        if !it.stop(again) {
            it.leaves |= it.is_past();
            let left = (it.phase == Phase::Absent).then(|| it.last.take());
            if let Some(left) = left {
                self.end_session(name, left);
            }
            if stopping {
                self.keep(name);
            } else {
                self.record(name, "stop", None);
            }
            self.forget_gone(name);
            return false;
        }
        // Whoever takes over from us goes on with it.
        self.record(name, "stopping", at_once.then(|| NOW.to_owned()));
        let Some(it) = self.instances.get_mut(name) else {
            return false;
        };
        if making {
            // Its pane comes still, and is ended then: another start beside it could make two.
            return true;
        }
        if it.foreign.is_some() {
            it.leaves = !again && !it.can_start();
            self.stop_foreign(name, at_once);
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
        let server = self.groups.get(&self.server_of(it));
        let server = server.map(|group| group.server.clone());
        let (mark, beside_mark) = (self.mark(name), self.mark_beside(name));
        let (tmux, socket, left) = (self.settings.tmux.clone(), self.socket_of(it), it.last);
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
            if !again {
                let _ = process::reap(&beside_mark, Duration::ZERO).await;
                if let Some((session, _)) = left {
                    // By a client of its own: one that is attached to the session goes with it.
                    let _ = group::end(&tmux, &socket, session).await;
                }
            }
            let _ = notes.send(Note::Stopped(name));
        });
        true
    }
}

/// Starts it. A session of that name is of a guardian that was killed while it made it, or one whose pane
/// of ours somebody has closed: what runs there of ours goes, and the session is taken over.
async fn start(mut launch: Launch, mark: &Mark) -> std::io::Result<Launched> {
    let launched = launch.start().await;
    if launched.is_ok() {
        return launched;
    }
    let Ok(Some((session, pane))) = launch.left().await else {
        return launched;
    };
    if launch.session == Some(session) {
        return launched;
    }
    process::reap(mark, LEFT).await?;
    (launch.session, launch.old) = (Some(session), pane);
    launch.start().await
}
