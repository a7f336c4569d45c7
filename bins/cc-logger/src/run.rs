//! `run`: follows servers and hands what they print to the recorder.

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;

use cc_kit::exit::{Exit, Failure};
use cc_kit::journal::{Stamp, Store};
use cc_kit::printable::printable;
use cc_kit::signals::Shutdown;
use tmux_cc::client::{
    Changes, PaneFilter, Server, ServerChange, ServerError, ServerOutput, Waiting,
};
use tmux_cc::wire::SessionId;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::cli;
use crate::record::{Message, Recorder};
use crate::shown::Voice;

/// Runs until SIGINT or SIGTERM.
pub(crate) fn run(run: cli::Run, voice: Voice) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Failed, error))?;
    runtime.block_on(log(run, voice))
}

async fn log(run: cli::Run, voice: Voice) -> Result<(), Failure> {
    let mut shutdown = Shutdown::install().map_err(|error| Failure::new(Exit::Failed, error))?;
    let store = Store::open(&run.dir)?;
    voice.say(format_args!("logging to {}", shown(&run.dir)));
    voice.say(
        "the source is %output: a respawned pane (respawn-pane, respawn-window) can crash a tmux \
         server up to 3.7c while its output is attached; open a new pane instead",
    );

    let (stop, stopped) = watch::channel(false);
    let (mut recorder, sender) =
        Recorder::start(store).map_err(|error| Failure::new(Exit::Failed, error))?;
    let mut followers = JoinSet::new();
    for (index, socket) in run.sockets.0.into_iter().enumerate() {
        let server = Server::on(socket)
            .tmux(&run.tmux)
            .start()
            .await
            .map_err(cannot_follow)?;
        let changes = server.changes();
        let output = server.output(PaneFilter::all());
        let follower = Follower {
            index,
            socket: shown(server.socket()),
            sender: sender.clone(),
            voice,
            complaints: HashMap::new(),
        };
        followers.spawn(follower.follow(server, changes, output, stopped.clone()));
    }
    drop(sender);

    // Either we are told to stop, or the journal cannot be written any more.
    let failed = tokio::select! {
        ended = &mut recorder.ended => Some(ended),
        signal = shutdown.requested() => {
            tracing::info!(?signal, "stopping");
            None
        }
    };
    let _ = stop.send(true);
    let finish = async {
        // Followers hand over what has come, and with the last of them the recorder ends.
        let mut servers = Vec::new();
        while let Some(followed) = followers.join_next().await {
            servers.extend(followed.ok());
        }
        let ended = match failed {
            Some(ended) => ended,
            None => (&mut recorder.ended).await,
        };
        for server in servers {
            server.close().await;
        }
        ended
    };
    let ended = tokio::select! {
        ended = finish => ended,
        signal = shutdown.requested() => {
            return Err(Failure::new(signal.exit(), "stopped before everything was finished")
                .advice("The logs are valid; the next run finds where they end."));
        }
    };
    recorder.join();
    match ended {
        Ok(result) => result,
        Err(_) => Err(Failure::new(Exit::Failed, "the journal's thread has died")),
    }
}

fn cannot_follow(error: ServerError) -> Failure {
    let advice = match &error {
        ServerError::NotASocket { .. } => {
            "Name the socket of a tmux server, or leave -S out for the default one."
        }
        _ => "Install tmux 3.2 or later, or name it with --tmux.",
    };
    Failure::new(Exit::Usage, error).advice(advice)
}

fn shown(path: &Path) -> String {
    printable(path.as_os_str().as_encoded_bytes()).to_string()
}

/// Follows one server.
struct Follower {
    index: usize,
    socket: String,
    sender: mpsc::Sender<Message>,
    voice: Voice,
    /// What was said of each session last, so that a failure that repeats is said once.
    complaints: HashMap<SessionId, String>,
}

impl Follower {
    async fn follow(
        mut self,
        server: Server,
        mut changes: Changes,
        mut output: ServerOutput,
        mut stopped: watch::Receiver<bool>,
    ) -> Server {
        loop {
            // A name first and then what was printed under it, where both have come.
            let message = tokio::select! {
                biased;
                _ = stopped.wait_for(|stopped| *stopped) => break,
                change = changes.recv() => match change {
                    Some(change) => {
                        self.tell(&change);
                        Message::Change(self.index, change)
                    }
                    None => break,
                },
                batch = output.recv() => match batch {
                    Some(batch) => Message::Batch(self.index, batch, Stamp::now()),
                    None => break,
                },
            };
            if self.sender.send(message).await.is_err() {
                return server;
            }
        }
        // What has been read is written down.
        while let Some(batch) = tokio::select! {
            biased;
            batch = output.recv() => batch,
            () = std::future::ready(()) => None,
        } {
            let message = Message::Batch(self.index, batch, Stamp::now());
            if self.sender.send(message).await.is_err() {
                break;
            }
        }
        server
    }

    fn tell(&mut self, change: &ServerChange) {
        let socket = &self.socket;
        match change {
            ServerChange::Waiting(why) => self.voice.say(match why {
                Waiting::NoServer => format!("{socket}: waiting for a tmux server"),
                Waiting::NoSession => format!("{socket}: waiting for a session"),
                Waiting::Refused(said) => {
                    format!("{socket}: tmux refuses: {}; trying again", printable(said))
                }
                Waiting::TooOld(version) => {
                    let version = printable(version);
                    format!("{socket}: tmux {version} is too old, 3.2 is the oldest that works")
                }
                _ => format!("{socket}: waiting"),
            }),
            ServerChange::Up(server) => self.voice.say(format_args!(
                "{socket}: following tmux {} (pid {})",
                server.version, server.pid
            )),
            ServerChange::Down { exit, .. } => {
                let reason = printable(exit.to_string().as_bytes()).to_string();
                self.voice
                    .say(format_args!("{socket}: the server is gone: {reason}"));
                self.complaints.clear();
            }
            ServerChange::OutputAttached(session) => {
                self.complaints.remove(&session.id);
                let name = printable(&session.name).to_string();
                self.voice
                    .say(format_args!("{socket}: logging session {name}"));
            }
            ServerChange::Skipped(session) => {
                let name = printable(&session.name).to_string();
                self.voice.say(format_args!(
                    "{socket}: session {name} is not logged: its option destroy-unattached would \
                     end it when we leave; unset that to have it logged"
                ));
            }
            ServerChange::AttachFailed { session, error, .. } => {
                let complaint = chain(&**error);
                if self.complaints.get(&session.id) != Some(&complaint) {
                    let name = printable(&session.name).to_string();
                    let said = printable(complaint.as_bytes()).to_string();
                    self.voice.say(format_args!(
                        "{socket}: cannot attach to session {name}: {said}; trying again"
                    ));
                    self.complaints.insert(session.id, complaint);
                }
            }
            ServerChange::Lagged(missed) => {
                tracing::warn!(
                    missed,
                    "changes came faster than they could be written down"
                );
            }
            _ => {}
        }
    }
}

fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}
