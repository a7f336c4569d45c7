//! Following the tmux servers of workers, and who works there.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tmux_cc::client::{Server, ServerChange, Socket, Subscription};
use tmux_cc::wire::PaneId;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::{Followed, Hand, Note, Serve};
use crate::config::Workers;
use crate::task::Labels;
use crate::worker::{
    Belief, DRAIN, Eyes, Found, Guardian, Key, LABELS, Listed, Units, Worker, find,
};

/// What changes when a program does something that its title does not tell.
const ACTIVITY: &str =
    "#{window_activity} #{cursor_x},#{cursor_y} #{cursor_flag} #{alternate_on} #{history_size}";

/// How long it is waited where a server does not answer yet.
const AGAIN: Duration = Duration::from_millis(100);

impl Serve {
    /// Begins to follow whatever the configuration means.
    pub(super) async fn follow_all(&mut self) {
        for table in self.config.workers.clone() {
            match &table.socket {
                Some(socket) => self.follow(socket).await,
                None => {
                    let socket = table.guardian_socket(&self.home);
                    self.listen_to(&socket);
                }
            }
        }
    }

    fn listen_to(&mut self, socket: &Path) {
        if self.guardians.contains_key(socket) {
            return;
        }
        let guardian = Guardian::listen(socket);
        let mut units = guardian.units.clone();
        let (notes, own) = (self.notes.clone(), socket.to_owned());
        tokio::spawn(async move {
            while units.changed().await.is_ok() {
                if notes.send(Note::Units(own.clone())).is_err() {
                    return;
                }
            }
        });
        self.guardians.insert(socket.to_owned(), guardian);
    }

    async fn follow(&mut self, socket: &Path) {
        if self.servers.contains_key(socket) {
            return;
        }
        let started = Server::on(Socket::Path(socket.to_owned()))
            .tmux(self.config.tmux())
            .start()
            .await;
        let server = match started {
            Ok(server) => server,
            Err(error) => {
                tracing::error!(%error, socket = %socket.display(), "cannot follow a server");
                return;
            }
        };
        let listening = listen(socket, &server, &self.notes);
        self.servers.insert(
            socket.to_owned(),
            Followed {
                server,
                finding: None,
                is_known: false,
                labels: HashMap::new(),
                listening,
            },
        );
        self.find(socket);
    }

    pub(super) fn changed_on(&mut self, socket: &Path, change: ServerChange) {
        match change {
            ServerChange::Up(_) | ServerChange::Tree(_) | ServerChange::Lagged(_) => {
                self.find(socket);
            }
            ServerChange::Waiting(_) | ServerChange::Down { .. } => {
                if let Some(followed) = self.servers.get_mut(socket) {
                    followed.labels.clear();
                    followed.is_known = true;
                }
                let name = socket.to_string_lossy();
                self.workers.retain(|key, _| key.socket != name);
                self.stale = true;
            }
            _ => {}
        }
    }

    pub(super) fn active(&mut self, socket: &Path, pane: PaneId, value: Vec<u8>) {
        if let Some(eyes) = self.eyes_of(socket, pane) {
            eyes.notify_one();
        }
        // Behind the first bar stands what makes a pane a worker.
        let labels = value.splitn(2, |&byte| byte == b'|').nth(1);
        let labels = labels.unwrap_or_default().to_vec();
        let Some(followed) = self.servers.get_mut(socket) else {
            return;
        };
        let before = followed.labels.insert(pane, labels.clone());
        if before.is_none_or(|before| before != labels) {
            self.find(socket);
        }
    }

    /// Looks for workers; once more where somebody is looking already.
    pub(super) fn find(&mut self, socket: &Path) {
        let tables = self.config.workers.clone();
        let Some(followed) = self.servers.get_mut(socket) else {
            return;
        };
        if let Some(again) = &mut followed.finding {
            *again = true;
            return;
        }
        let Some(identity) = followed.server.identity() else {
            return;
        };
        followed.finding = Some(false);
        let (server, notes) = (followed.server.clone(), self.notes.clone());
        let socket = socket.to_owned();
        tokio::spawn(async move {
            let meant = tables.iter().enumerate();
            // Units are wherever their guardian has put them.
            let meant = meant.filter(|(_, table)| {
                let own = table.socket.as_deref();
                own.is_none_or(|own| own == socket)
            });
            let meant: Vec<_> = meant.map(|(at, table)| (at, &table.wanted)).collect();
            // That nobody answers yet does not say that nobody works there.
            let found = loop {
                match find(&server, &identity, &meant).await {
                    Ok(found) => break Some(found),
                    Err(error) => tracing::debug!(%error, "workers cannot be looked for"),
                }
                if server.identity().is_none_or(|now| *now != *identity) {
                    break None;
                }
                sleep(AGAIN).await;
            };
            let _ = notes.send(Note::Found(socket, found));
        });
    }

    /// The workers of a server, as they are.
    pub(super) async fn found(&mut self, socket: &Path, found: Option<(Vec<Found>, Vec<PaneId>)>) {
        let again = self.servers.get_mut(socket).and_then(|followed| {
            followed.is_known |= found.is_some();
            followed.finding.take()
        });
        let Some((found, living)) = found else {
            // Another life of the server has begun meanwhile, or will be told of.
            if again == Some(true) {
                self.find(socket);
            }
            return;
        };
        let name = socket.to_string_lossy().into_owned();
        let alive: Vec<&Key> = found
            .iter()
            .filter(|it| !it.dead)
            .map(|it| &it.key)
            .collect();
        self.workers.retain(|key, hand| {
            if key.socket != name || alive.contains(&key) {
                return true;
            }
            // Its session has another name, or it has other labels: what it works on is seen to its end.
            hand.leaves = hand.task.is_some() && living.contains(&hand.worker.pane.id());
            hand.leaves
        });
        for one in found.iter().filter(|one| !one.dead) {
            self.take(one);
        }
        self.stale = true;
        if again == Some(true) {
            self.find(socket);
        }
        self.take_up_orphans().await;
    }

    /// Takes a pane as a worker, or as it is now.
    fn take(&mut self, found: &Found) {
        let Some(table) = self.config.workers.get(found.table).cloned() else {
            return;
        };
        if let Some(hand) = self.workers.get_mut(&found.key) {
            let is_same = hand.worker.guarded == found.guarded && hand.worker.pid == found.pid;
            if is_same {
                hand.drains = found.drains;
                hand.leaves = false;
                hand.worker.session.clone_from(&found.session);
                // What a guardian says of labels stands above what its pane says.
                if hand.worker.guarded.is_none() {
                    hand.worker.labels = joined(&table, found, None);
                }
                return;
            }
            // Another program is in that pane.
            self.workers.remove(&found.key);
        }
        let listed = match &found.guarded {
            Some((guardian, unit)) => {
                let socket = self.home.control_of("guardian", guardian);
                self.listen_to(&socket);
                let units = self.guardians.get(&socket).map(|it| it.units.clone());
                let listed = units
                    .as_ref()
                    .and_then(|units| units.borrow().get(unit).cloned());
                // It comes again with the next word of its guardian.
                let here = |listed: &Listed| listed.pane.as_ref() == Some(&found.key.pane);
                let Some(listed) = listed.filter(here) else {
                    return;
                };
                Some((units, unit.clone(), listed))
            }
            None => None,
        };
        let profile = match &listed {
            Some((.., listed)) => listed.profile.as_ref().or(table.profile.as_ref()),
            None => table.profile.as_ref(),
        };
        let Some(profile) = profile.and_then(|name| self.profiles.get(name)).cloned() else {
            tracing::warn!(worker = %found.key, "nobody knows how its program is read");
            return;
        };
        let (eyes, belief) = match &listed {
            Some((Some(units), unit, _)) => {
                let pane = found.key.pane.clone();
                (None, follow_unit(units.clone(), unit.clone(), pane))
            }
            _ => {
                let eyes = Eyes::open(
                    found.pane.clone(),
                    Arc::clone(&profile),
                    Arc::clone(&self.tools.host),
                    found.own.clone(),
                );
                let belief = eyes.belief.clone();
                (Some(eyes), belief)
            }
        };
        let mut names = vec![found.key.pane.clone()];
        if let Some((_, unit)) = &found.guarded {
            names.push(unit.clone());
            names.extend(unit.split_once('@').map(|(base, _)| base.to_owned()));
        } else {
            names.push(found.session.clone());
        }
        let of_unit = listed.as_ref().map(|(.., listed)| listed);
        let account = table.account.clone();
        let worker = Worker {
            key: found.key.clone(),
            pane: found.pane.clone(),
            pid: found.pid,
            guarded: found.guarded.clone(),
            labels: joined(&table, found, of_unit.map(|it| &it.labels)),
            names,
            groups: table.groups.clone(),
            account: account.or_else(|| of_unit.and_then(|it| it.account.clone())),
            session: found.session.clone(),
            commands: table.commands.unwrap_or_else(|| profile.name() == "shell"),
            own: found.own.clone(),
            belief: belief.clone(),
            profile,
        };
        tracing::info!(worker = worker.name(), "works");
        let telling = tell(worker.name(), belief, self.notes.clone());
        self.workers.insert(
            found.key.clone(),
            Hand {
                worker,
                eyes,
                telling,
                task: None,
                drains: found.drains,
                leaves: false,
                rests: None,
                failures: 0,
                affinity: None,
            },
        );
    }

    /// A guardian says something else of its units.
    pub(super) async fn units(&mut self, socket: &Path) {
        let Some(guardian) = self.guardians.get(socket) else {
            return;
        };
        let units: Units = guardian.units.borrow().clone();
        self.stale = true;
        let mut sockets: Vec<PathBuf> = units
            .iter()
            .filter(|(_, unit)| unit.pane.is_some())
            .map(|(_, unit)| PathBuf::from(&unit.socket))
            .collect();
        sockets.sort();
        sockets.dedup();
        let known = |unit: &str| {
            let mut hands = self.workers.values();
            hands.any(|hand| {
                hand.worker
                    .guarded
                    .as_ref()
                    .is_some_and(|(_, of)| of == unit)
            })
        };
        let is_new = units.keys().any(|unit| !known(unit));
        for of in sockets {
            let wanted = self
                .config
                .workers
                .iter()
                .any(|table| table.socket.as_ref().is_none_or(|own| *own == of));
            if !wanted {
                continue;
            }
            if !self.servers.contains_key(&of) {
                self.follow(&of).await;
            } else if is_new {
                self.find(&of);
            }
        }
    }
}

/// Hands on what happens to a server.
fn listen(
    socket: &Path,
    server: &Server,
    notes: &mpsc::UnboundedSender<Note>,
) -> Vec<JoinHandle<()>> {
    let mut changes = server.changes();
    let format = format!("{ACTIVITY}|#{{@cc_unit}}|#{{{DRAIN}}}|#{{{LABELS}}}");
    let mut active = server.subscribe(Subscription::panes(format));
    let (own, told) = (socket.to_owned(), notes.clone());
    let changing = tokio::spawn(async move {
        while let Some(change) = changes.recv().await {
            if told
                .send(Note::Change(own.clone(), Box::new(change)))
                .is_err()
            {
                return;
            }
        }
    });
    let (own, told) = (socket.to_owned(), notes.clone());
    let working = tokio::spawn(async move {
        while let Some(reported) = active.recv().await {
            if let Some(pane) = reported.pane
                && told
                    .send(Note::Active(own.clone(), pane, reported.value))
                    .is_err()
            {
                return;
            }
        }
    });
    vec![changing, working]
}

/// What a guardian says of one of its units in that pane, as long as somebody wants to know.
fn follow_unit(
    mut units: watch::Receiver<Units>,
    unit: String,
    pane: String,
) -> watch::Receiver<Belief> {
    let of = move |units: &Units| {
        let listed = units.get(&unit);
        listed.map_or_else(Belief::unknown, |listed| listed.in_pane(&pane))
    };
    let (tell, belief) = watch::channel(of(&units.borrow_and_update()));
    tokio::spawn(async move {
        loop {
            tokio::select! {
                changed = units.changed() => match changed {
                    Ok(()) => {
                        let _ = tell.send(of(&units.borrow_and_update()));
                    }
                    Err(_) => return,
                },
                () = tell.closed() => return,
            }
        }
    });
    belief
}

/// Hands on that a worker is believed to be in another state.
fn tell(
    worker: String,
    mut belief: watch::Receiver<Belief>,
    notes: mpsc::UnboundedSender<Note>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut last = None;
        loop {
            let state = belief.borrow_and_update().state;
            if last.replace(state) != Some(state) {
                tracing::debug!(worker, %state, "believed");
                if notes.send(Note::Believed).is_err() {
                    return;
                }
            }
            if belief.changed().await.is_err() {
                return;
            }
        }
    })
}

/// What a worker has: as its table says, else its guardian, else its pane.
fn joined(table: &Workers, found: &Found, unit: Option<&Labels>) -> Labels {
    let mut labels = found.labels.clone();
    labels.extend(unit.cloned().unwrap_or_default());
    labels.extend(table.labels.clone());
    labels
}
