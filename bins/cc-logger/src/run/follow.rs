//! Follows one server, and hands what it prints to the recorder.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cc_kit::exit::{Exit, Failure, chain};
use cc_kit::journal::Stamp;
use cc_kit::journal::note::Source;
use cc_kit::printable::printable;
use tmux_cc::client::{
    Batch, Changes, Event, PaneFilter, Server, ServerChange, ServerError, ServerOutput, Socket,
    Tap, TapHelper, TapOutput, Waiting,
};
use tmux_cc::protocol::Command;
use tmux_cc::wire::{PaneId, SessionId};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_stream::{StreamExt as _, StreamMap};

use super::secrets::Secrets;
use super::shown;
use crate::config::From;
use crate::counters::Counters;
use crate::record::{Ask, Message};
use crate::shown::Voice;

/// How long a server is asked for its environment, before anything of it is written down.
const ENVIRONMENT: Duration = Duration::from_secs(2);

/// How long the tap rests between two looks at what quiet panes print: as long as the writer lets it
/// lie anyway. Each look costs as much as what it finds; with half of it 50 panes that redraw cost
/// nearly twice as much (`benches/logger.rs`, busy).
const REST: Duration = Duration::from_millis(200);

/// How many batches are handed on together, so that the thread that writes is woken once for all.
const TOGETHER: usize = 64;

/// What all followers share.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) helper: TapHelper,
    pub(super) source: From,
    pub(super) tmux: PathBuf,
    pub(super) sender: mpsc::Sender<Message>,
    pub(super) secrets: Secrets,
    pub(super) counters: Arc<Counters>,
    pub(super) voice: Voice,
    pub(super) stopped: watch::Receiver<bool>,
}

/// Follows one server.
#[derive(Debug)]
pub(super) struct Follower {
    index: usize,
    at: Socket,
    socket: String,
    shared: Shared,
    /// What was said of each session last, so that a failure that repeats is said once.
    complaints: HashMap<SessionId, String>,
    /// Was a server there before?
    up: bool,
}

/// A follower whose server is attached to, or waited for.
#[derive(Debug)]
pub(super) struct Begun {
    follower: Follower,
    server: Server,
    changes: Changes,
    tap: Option<TapOutput>,
    control: Option<ServerOutput>,
    /// Panes that have a pipe of their own.
    untapped: StreamMap<PaneId, ServerOutput>,
}

/// What came.
enum Came {
    Change(ServerChange),
    Batches(Source, Vec<Batch>),
    Stopped,
}

impl Follower {
    pub(super) fn new(index: usize, at: Socket, shared: Shared) -> Self {
        Self {
            index,
            at,
            socket: String::new(),
            shared,
            complaints: HashMap::new(),
            up: false,
        }
    }

    /// Attaches, or begins to wait for a server.
    pub(super) async fn begin(mut self) -> Result<Begun, Failure> {
        let server = Server::on(self.at.clone())
            .tmux(&self.shared.tmux)
            .start()
            .await
            .map_err(cannot_follow)?;
        self.socket = shown(server.socket());
        let changes = server.changes();
        let tap = match self.shared.source {
            From::Control => None,
            wanted => self.tap(&server, wanted).await?,
        };
        let control = match (&tap, self.shared.source) {
            (None, From::Auto | From::Control) => Some(server.output(PaneFilter::all())),
            _ => None,
        };
        Ok(Begun {
            follower: self,
            server,
            changes,
            tap,
            control,
            untapped: StreamMap::new(),
        })
    }

    async fn tap(&self, server: &Server, wanted: From) -> Result<Option<TapOutput>, Failure> {
        match server
            .tap(Tap::new(self.shared.helper.clone()).rest(REST))
            .await
        {
            Ok(tap) => Ok(Some(tap)),
            Err(error) if wanted == From::Auto => {
                let why = printable(chain(&error).as_bytes()).to_string();
                let socket = &self.socket;
                self.shared.voice.say(format_args!(
                    "{socket}: no tap: {why}; the source is %output instead, which can lose the last \
                     output of a program"
                ));
                Ok(None)
            }
            Err(error) => Err(Failure::new(Exit::Failed, error)
                .advice("Stop who else taps the server, or leave the source to --source auto.")),
        }
    }

    fn tell(&mut self, change: &ServerChange) {
        let socket = &self.socket;
        let voice = self.shared.voice;
        match change {
            ServerChange::Waiting(why) => voice.say(match why {
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
            ServerChange::Up(server) => voice.say(format_args!(
                "{socket}: following tmux {} (pid {})",
                server.version, server.pid
            )),
            ServerChange::Down { exit, .. } => {
                let reason = printable(exit.to_string().as_bytes()).to_string();
                voice.say(format_args!("{socket}: the server is gone: {reason}"));
                self.complaints.clear();
            }
            ServerChange::OutputAttached(session) => {
                self.complaints.remove(&session.id);
                let name = printable(&session.name).to_string();
                voice.say(format_args!("{socket}: logging session {name} by %output"));
            }
            ServerChange::Skipped(session) => {
                let name = printable(&session.name).to_string();
                voice.say(format_args!(
                    "{socket}: session {name} is not attached to: its option destroy-unattached \
                     would end it when we leave; unset that to have all of it logged"
                ));
            }
            ServerChange::AttachFailed { session, error, .. } => {
                let complaint = chain(&**error);
                if self.complaints.get(&session.id) != Some(&complaint) {
                    let name = printable(&session.name).to_string();
                    let said = printable(complaint.as_bytes()).to_string();
                    voice.say(format_args!(
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

    async fn send(&self, message: Message) -> bool {
        self.shared.sender.send(message).await.is_ok()
    }

    async fn pass(&self, source: Source, batches: Vec<Batch>) -> bool {
        let length = batches
            .iter()
            .flat_map(Batch::iter)
            .map(|event| match event {
                Event::Output(output) => output.data.as_bytes().len() as u64,
                _ => 0,
            })
            .sum();
        self.shared.counters.queued.add(length);
        self.send(Message::Batches(self.index, source, batches, Stamp::now()))
            .await
    }
}

impl Begun {
    /// Follows until told to stop; gives the server back to be closed.
    pub(super) async fn follow(mut self) -> Server {
        loop {
            match self.next().await {
                Came::Stopped => break,
                Came::Change(change) => {
                    self.follower.tell(&change);
                    if matches!(change, ServerChange::Up(_)) {
                        if std::mem::replace(&mut self.follower.up, true) {
                            self.follower.shared.counters.reconnects.add(1);
                        }
                        self.learn().await;
                    }
                    let message = Message::Change(self.follower.index, change);
                    if !self.follower.send(message).await {
                        return self.server;
                    }
                }
                Came::Batches(source, mut batches) => {
                    if source == Source::Tap {
                        together(&mut batches, &mut self.tap).await;
                        batches.iter().for_each(|batch| self.heed(batch));
                    }
                    if !self.follower.pass(source, batches).await {
                        return self.server;
                    }
                }
            }
        }
        self.finish().await
    }

    async fn next(&mut self) -> Came {
        // A name first and then what was printed under it, where both have come.
        tokio::select! {
            biased;
            _ = self.follower.shared.stopped.wait_for(|stopped| *stopped) => Came::Stopped,
            change = self.changes.recv() => change.map_or(Came::Stopped, Came::Change),
            batch = tapped(&mut self.tap) => match batch {
                Some(batch) => Came::Batches(Source::Tap, vec![batch]),
                None => Came::Stopped,
            },
            batch = controlled(&mut self.control) => match batch {
                Some(batch) => Came::Batches(Source::Control, vec![batch]),
                None => Came::Stopped,
            },
            Some((_, batch)) = self.untapped.next() => {
                Came::Batches(Source::Control, vec![batch])
            }
        }
    }

    /// Sees which panes the tap does not have.
    fn heed(&mut self, batch: &Batch) {
        for event in batch.iter() {
            match event {
                Event::Untapped(pane) => {
                    let socket = &self.follower.socket;
                    let voice = self.follower.shared.voice;
                    if self.follower.shared.source == From::Tap {
                        voice.say(format_args!(
                            "{socket}: {pane} has a pipe of its own and is not logged until that \
                             is gone"
                        ));
                    } else if !self.untapped.contains_key(&pane) {
                        voice.say(format_args!(
                            "{socket}: {pane} has a pipe of its own: its source is %output until \
                             that is gone; respawning it then can crash a tmux server up to 3.7c"
                        ));
                        self.untapped.insert(pane, self.server.output(pane));
                    }
                }
                Event::Output(output) if !self.untapped.is_empty() => {
                    self.untapped.remove(&output.pane);
                }
                Event::Resync(resync) => {
                    self.untapped.remove(&resync.pane);
                }
                _ => {}
            }
        }
    }

    /// Learns of the server's environment which values are secrets, before anything is written.
    async fn learn(&self) {
        let command = Command::new("show-environment").flag("-g");
        let asked = timeout(ENVIRONMENT, self.server.command(command)).await;
        let Some(reply) = asked.ok().and_then(Result::ok).and_then(|r| r.ok().ok()) else {
            return;
        };
        let variables = reply.lines().filter_map(|line| {
            let at = memchr::memchr(b'=', line)?;
            let (name, value) = line.split_at_checked(at)?;
            let name = str::from_utf8(name).ok()?.to_owned();
            Some((name, value.get(1..)?.to_vec()))
        });
        if let Some(rules) = self.follower.shared.secrets.learn(variables) {
            self.follower.send(Message::Ask(Ask::Rules(rules))).await;
        }
    }

    /// What has been read is written down.
    async fn finish(mut self) -> Server {
        if let Some(mut tap) = self.tap.take() {
            tap.stop();
            while let Some(batch) = tap.recv().await {
                if !self.follower.pass(Source::Tap, vec![batch]).await {
                    break;
                }
            }
            tap.close().await;
        }
        loop {
            let batch = tokio::select! {
                biased;
                Some(batch) = controlled(&mut self.control) => batch,
                Some((_, batch)) = self.untapped.next() => batch,
                () = std::future::ready(()) => return self.server,
            };
            if !self.follower.pass(Source::Control, vec![batch]).await {
                return self.server;
            }
        }
    }
}

async fn tapped(tap: &mut Option<TapOutput>) -> Option<Batch> {
    match tap {
        Some(tap) => tap.recv().await,
        None => std::future::pending().await,
    }
}

/// Adds what else has come of the tap already.
async fn together(batches: &mut Vec<Batch>, tap: &mut Option<TapOutput>) {
    while batches.len() < TOGETHER {
        tokio::select! {
            biased;
            Some(batch) = tapped(tap) => batches.push(batch),
            () = std::future::ready(()) => break,
        }
    }
}

async fn controlled(control: &mut Option<ServerOutput>) -> Option<Batch> {
    match control {
        Some(control) => control.recv().await,
        None => std::future::pending().await,
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
