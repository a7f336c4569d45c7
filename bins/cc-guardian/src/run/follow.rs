//! Following the tmux servers of units.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cc_kit::exit::{Exit, Failure};
use cc_kit::printable::printable;
use cc_kit::process::Identity;
use tmux_cc::client::{Server, ServerChange, Socket, Subscription, Waiting};
use tmux_cc::protocol::Command;
use tmux_cc::wire::{PaneId, SessionId};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::{ATTACH, Daemon, Group, Note, SOON, Turn, failed};
use crate::instance::{Made, Phase, Run};
use crate::program::Program;
use cc_kit::journal::Stamp;

/// What changes when a program does something that its title does not tell.
const ACTIVITY: &str =
    "#{window_activity} #{cursor_x},#{cursor_y} #{cursor_flag} #{alternate_on} #{history_size}";

/// How long until a server that could not be followed is tried again, at first and at most.
const AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// Begins to follow a server, and says when it does. What keeps it from that, such as a machine that
/// can start no program just now, may pass.
pub(super) fn start(
    name: String,
    socket: PathBuf,
    tmux: &Path,
    notes: mpsc::UnboundedSender<Note>,
) {
    let builder = Server::on(Socket::Path(socket)).tmux(tmux);
    tokio::spawn(async move {
        let (mut pause, most) = AGAIN;
        loop {
            match builder.clone().start().await {
                Ok(server) => {
                    let _ = notes.send(Note::Following(name, server));
                    return;
                }
                Err(error) => tracing::error!(%error, again = ?pause, "cannot follow a server"),
            }
            sleep(pause).await;
            pause = (pause * 2).min(most);
        }
    });
}

/// Keeps the turn until a client of ours is attached to the session.
pub(super) fn until_attached(server: &Server, session: SessionId, turn: Turn) {
    let server = server.clone();
    tokio::spawn(async move {
        if timeout(ATTACH, server.attached(session)).await.is_err() {
            tracing::warn!(%session, "no client could be attached in time");
        }
        drop(turn);
    });
}

/// Hands on what happens to a server.
pub(super) fn listen(name: &str, server: &Server, notes: &mpsc::UnboundedSender<Note>) {
    let mut changes = server.changes();
    let mut active = server.subscribe(Subscription::panes(ACTIVITY));
    let (own, told) = (name.to_owned(), notes.clone());
    tokio::spawn(async move {
        while let Some(change) = changes.recv().await {
            if told
                .send(Note::Change(own.clone(), Box::new(change)))
                .is_err()
            {
                break;
            }
        }
    });
    let (own, told) = (name.to_owned(), notes.clone());
    tokio::spawn(async move {
        while let Some(reported) = active.recv().await {
            if let Some(pane) = reported.pane
                && told
                    .send(Note::Active(own.clone(), pane, reported.value))
                    .is_err()
            {
                break;
            }
        }
    });
}

impl Daemon {
    /// Follows a server, and waits until it is attached to or known not to be there.
    pub(super) async fn follow(&mut self, name: &str, patience: Duration) -> Result<(), Failure> {
        if self.groups.contains_key(name) {
            return Ok(());
        }
        let server = Server::on(Socket::Path(self.places.tmux(name)))
            .tmux(&self.settings.tmux)
            .start()
            .await
            .map_err(|error| {
                Failure::new(Exit::Usage, error)
                    .advice("Install tmux 3.2 or later, or name it in [server] tmux.")
            })?;
        let mut changes = server.changes();
        let mut why = String::new();
        let known = async {
            while let Some(change) = changes.recv().await {
                match change {
                    ServerChange::Waiting(Waiting::NoServer | Waiting::NoSession) => return,
                    // That it does not answer does not say that nothing runs there: who takes it for
                    // that starts what runs already, and ends it for that.
                    ServerChange::Waiting(Waiting::Refused(said) | Waiting::TooOld(said)) => {
                        why = format!(": {}", printable(&said));
                    }
                    ServerChange::Up(_) if server.ready().await => return,
                    _ => {}
                }
            }
        };
        if timeout(patience, known).await.is_err() {
            return Err(silent(name, &why));
        }
        self.followed(name, server);
        Ok(())
    }

    /// A server is followed from now on.
    pub(super) fn followed(&mut self, name: &str, server: Server) {
        listen(name, &server, &self.notes);
        let pid = server.identity().and_then(|it| i32::try_from(it.pid).ok());
        let process = pid.and_then(|pid| Identity::of(pid).ok().flatten());
        self.groups
            .insert(name.to_owned(), Group { server, process });
    }

    /// Takes up the instances that run on a server already.
    ///
    /// # Errors
    /// When the server is there, and does not say what runs there.
    pub(super) async fn adopt(&mut self, server: &str) -> Result<(), Failure> {
        let Some(group) = self.groups.get(server) else {
            return Ok(());
        };
        // Of a dead pane tmux 3.8 knows no pid.
        let format = "#{session_id} #{pane_id} #{pane_dead} #{@cc_guardian} #{@cc_run} #{@cc_unit} \
                      #{pane_pid} #{@cc_program} #{@cc_process} #{@cc_own}";
        let command = Command::new("list-panes").flag("-a").option("-F", format);
        let began = Instant::now();
        let reply = loop {
            if group.server.identity().is_none() {
                return Ok(());
            }
            match group.server.command(command.clone()).await {
                Ok(reply) => break reply,
                Err(error) if began.elapsed() > ATTACH => {
                    return Err(silent(server, &format!(": {error}")));
                }
                Err(_) => sleep(SOON).await,
            }
        };
        let id = self.places.id();
        let found: Vec<(String, Run, Made, bool)> = reply
            .lines()
            .filter_map(|line| {
                let line = str::from_utf8(line).ok()?;
                let mut words = line.splitn(10, ' ');
                let mut word = || words.next();
                let session = SessionId::parse(word()?.as_bytes())?;
                let pane = PaneId::parse(word()?.as_bytes())?;
                let dead = word()? == "1";
                let (guardian, number, unit) = (word()?, word()?, word()?);
                let pid: Option<u32> = word().and_then(|pid| pid.parse().ok());
                let program = word().and_then(Program::parse);
                // Of one that was adopted: the first process of its pane may be a shell.
                let watched = word().and_then(watched);
                let made = Made {
                    server: server.to_owned(),
                    program,
                    own: word().filter(|own| !own.is_empty()).map(str::to_owned),
                };
                (guardian == id).then(|| {
                    let first = || {
                        let pid = pid.and_then(|pid| i32::try_from(pid).ok());
                        pid.and_then(|pid| Identity::of(pid).ok().flatten())
                    };
                    let process = watched.or_else(first).filter(|_| !dead);
                    let pid = watched.and_then(|it| u32::try_from(it.pid).ok()).or(pid);
                    let dead = dead || watched.is_some_and(|it| !it.is_alive().unwrap_or(true));
                    let run = Run {
                        number: number.to_owned(),
                        session,
                        pane,
                        process,
                        pid,
                    };
                    (unit.to_owned(), run, made, dead)
                })
            })
            .collect();
        for (name, run, made, dead) in found {
            let now = self.now();
            if !self.instances.contains_key(&name) {
                self.declared_no_more(&name);
            }
            let Some(it) = self.instances.get_mut(&name) else {
                continue;
            };
            if it.phase != Phase::Absent {
                continue;
            }
            it.made = Some(made);
            if dead {
                self.adopt_dead(&name, run);
                continue;
            }
            it.adopted(run.clone(), now, Stamp::now());
            self.compare(&name);
            self.watch(&name, &run);
            self.record(&name, "adopt", run.pid.map(|pid| format!("pid {pid}")));
            self.look(&name);
        }
        Ok(())
    }
}

fn silent(server: &str, why: &str) -> Failure {
    failed(format!("the tmux server {server} does not answer{why}"))
        .advice("Start the guardian again once it does; what runs there goes on.")
}

/// A process, as the option of its pane has it: `PID.START`.
fn watched(text: &str) -> Option<Identity> {
    let (pid, start) = text.split_once('.')?;
    Some(Identity {
        pid: pid.parse().ok()?,
        start: start.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn a_server_that_cannot_be_followed_is_tried_again() {
        let folder = tempfile::TempDir::new().unwrap();
        // As where no program can be started at first.
        let failed = folder.path().join("failed");
        let text = format!(
            "mkdir {} 2>/dev/null && exit 1; echo tmux 3.5a",
            failed.display()
        );
        let tmux = folder.path().join("tmux");
        fs::write(&tmux, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&tmux, fs::Permissions::from_mode(0o700)).unwrap();
        let (notes, mut told) = mpsc::unbounded_channel();
        start("s".to_owned(), folder.path().join("socket"), &tmux, notes);
        let note = timeout(ATTACH, told.recv()).await.unwrap();
        assert!(matches!(note, Some(Note::Following(name, _)) if name == "s"));
        assert!(failed.exists());
    }
}
