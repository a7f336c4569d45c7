//! Follows a server from one life to the next.

mod asking;
mod clients;
mod looks;
mod mourning;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::ServerBuilder;
use super::calm::Calm;
use super::changes::ServerChange;
use super::keep::{Context, Note};
use super::listing::{self, Waiting};
use super::shared::{Shared, StreamId, Streaming};
use super::subscribed::Subscribed;
use crate::client::attach::warn_of_output;
use crate::client::error::ClientError;
use crate::client::flow::SourceId;
use crate::client::identity::Identity;
use crate::client::orphans;
use crate::client::subscription::Subscription;
use crate::protocol::{Block, Command, Exit, Quirks, ReplyError, Spoof};
use crate::tree::{self, Change, Listing, Tree};
use crate::wire::{SessionId, WindowId};
use asking::Asking;
use looks::Looks;
use mourning::Mourning;

/// How often everything is listed while no client is attached.
const ALONE: Duration = Duration::from_secs(1);

/// The least time between two listings, so that a storm of changes is not answered one by one.
const SETTLE: Duration = Duration::from_millis(20);

/// How long the search for clients left behind, and their end, may take.
const ORPHANS: Duration = Duration::from_secs(3);

/// How often everything is listed although nothing was announced.
const RECONCILE: Duration = Duration::from_secs(10);

/// Runs until it is told to stop.
pub(super) async fn follow(builder: ServerBuilder, shared: Arc<Shared>, stop: CancellationToken) {
    let builder = Arc::new(builder);
    let mut looks = Looks::default();
    loop {
        let found = tokio::select! {
            found = looks.find(&builder, &shared) => found,
            () = stop.cancelled() => break,
        };
        let life = Life::new(Arc::clone(&builder), Arc::clone(&shared), found);
        life.run(&stop).await;
        if stop.is_cancelled() {
            break;
        }
    }
    shared.close();
}

/// One life of a server.
struct Life {
    server: Arc<Identity>,
    context: Context,
    notes: mpsc::UnboundedReceiver<Note>,
    wanted_changed: watch::Receiver<()>,
    /// The streams that are served, and what tells who asks for their screens to stop.
    streams: BTreeMap<StreamId, (Streaming, DropGuard)>,
    sessions: HashMap<SessionId, Session>,
    keepers: JoinSet<()>,
    /// What is watched of panes, for the tree.
    panes: Subscribed,
    mourning: Mourning,
    /// When to ask for what is watched.
    asking: Asking,
    /// Windows that have left a session since the last listing, or have closed.
    left: HashSet<(SessionId, WindowId)>,
    /// What the last client to end was told.
    exit: Exit,
    /// Has the danger of output been said?
    warned: bool,
    first: Option<Listing>,
    /// When everything was listed last.
    listed: Instant,
}

/// A session that is followed.
struct Session {
    row: tree::Session,
    commands: Option<CancellationToken>,
    /// Its clients for output, by stream.
    outputs: HashMap<StreamId, Delivery>,
    /// Clients that wait for a listing to show it.
    again: Vec<oneshot::Sender<()>>,
}

/// A client for output that is kept.
struct Delivery {
    stop: CancellationToken,
    /// While it is attached: which.
    source: Option<SourceId>,
}

impl Session {
    fn stop(&mut self) {
        for (_, delivery) in self.outputs.drain() {
            delivery.stop.cancel();
        }
        self.commands.take().inspect(CancellationToken::cancel);
    }
}

impl Life {
    fn new(
        builder: Arc<ServerBuilder>,
        shared: Arc<Shared>,
        (server, first): (Arc<Identity>, Listing),
    ) -> Self {
        let (notes, receiver) = mpsc::unbounded_channel();
        let wanted_changed = shared.wanted_changed();
        let watch = Subscription::panes(Tree::WATCHED);
        let panes = Subscribed::new(Arc::clone(&shared), watch);
        let context = Context {
            builder,
            shared,
            notes,
            dirty: Arc::new(Notify::new()),
            server: Arc::clone(&server),
            calm: Arc::new(Calm::new(Quirks::of(server.version))),
        };
        Self {
            context,
            notes: receiver,
            wanted_changed,
            streams: BTreeMap::new(),
            sessions: HashMap::new(),
            keepers: JoinSet::new(),
            panes,
            mourning: Mourning::new(Quirks::of(server.version)),
            asking: Asking::new(),
            server,
            left: HashSet::new(),
            exit: Exit::Eof,
            warned: false,
            first: Some(first),
            listed: Instant::now(),
        }
    }

    /// Runs until the server has ended, or it is told to stop.
    async fn run(mut self, stop: &CancellationToken) {
        tracing::info!(
            pid = self.server.pid, version = %self.server.version, "following a tmux server");
        self.context.shared.up(&self.server);
        self.end_orphans().await;
        if let Some(first) = self.first.take() {
            self.apply(first);
        }
        while tokio::select! {
            goes_on = self.turn(stop) => goes_on && !stop.is_cancelled(),
            () = stop.cancelled() => false,
        } {}
        self.sessions.values_mut().for_each(Session::stop);
        self.streams.clear();
        while self.keepers.join_next().await.is_some() {}
        while let Ok(note) = self.notes.try_recv() {
            self.remember(&note);
        }
        tracing::info!(pid = self.server.pid, exit = %self.exit, "tmux server is gone");
        self.context.shared.down(self.exit);
    }

    /// Ends what a follower that was killed has left behind; a process that cannot be looked at is
    /// not waited for.
    async fn end_orphans(&self) {
        let socket = self.context.builder.socket.path();
        let ending = spawn_blocking(move || orphans::end(&socket));
        let _ = timeout(ORPHANS, ending).await;
        // The server tells all clients of each that leaves.
        self.context.calm.stir();
    }

    /// Waits for something and answers it; `false` when the server has ended.
    async fn turn(&mut self, stop: &CancellationToken) -> bool {
        let dirty = Arc::clone(&self.context.dirty);
        let reconcile = sleep_until(self.listed + RECONCILE);
        let look = async {
            // Without a client nothing is announced.
            match self.context.shared.any_client() {
                Some(_) => std::future::pending().await,
                None => sleep(ALONE).await,
            }
        };
        tokio::select! {
            note = self.notes.recv() => match note {
                Some(note) => return self.heed(note).await,
                None => return false,
            },
            () = dirty.notified() => sleep(SETTLE).await,
            Some(reported) = self.panes.recv() => {
                if self.context.shared.noticed_of(&reported) {
                    self.context.dirty.notify_one();
                }
                return true;
            }
            () = self.mourning.due() => self.ask_of_the_dead().await,
            () = self.asking.due() => {
                self.ask_for_watched().await;
                return true;
            }
            () = reconcile => {}
            () = look => {}
            changed = self.wanted_changed.changed() => {
                if changed.is_err() {
                    return false;
                }
                let tree = self.context.shared.tree();
                self.keep_all(&tree);
                self.assign(&tree);
                self.asking.now();
                return true;
            }
            Some(_) = self.keepers.join_next() => return true,
            () = stop.cancelled() => return true,
        }
        self.list().await
    }

    /// Has the server look for programs that have ended without its noticing; a listing tells then.
    async fn ask_of_the_dead(&mut self) {
        self.mourning.asked();
        if let Some(client) = self.context.shared.any_client() {
            // Whichever child ends, it looks for all. The client waits for that one, and so does
            // what is sent behind it.
            let child = Command::new("run-shell").arg("true");
            let asked = client.command_within(child, self.context.builder.deadline);
            if let Err(error) = asked.await {
                tracing::debug!(%error, "cannot ask what became of a program");
            }
        }
    }

    fn remember(&mut self, note: &Note) {
        if let Note::Ended { exit, .. } = note
            && (*exit != Exit::Eof || self.exit == Exit::Eof)
        {
            self.exit = exit.clone();
        }
    }

    async fn heed(&mut self, note: Note) -> bool {
        self.remember(&note);
        let shared = &self.context.shared;
        match note {
            Note::Attached(id, client) => {
                if self.sessions.contains_key(&id) {
                    shared.add_client(id, client);
                    self.context.dirty.notify_one();
                    self.asking.now();
                }
                true
            }
            Note::Delivers(id, stream, source) => {
                if let Some(session) = self.sessions.get_mut(&id)
                    && let Some(delivery) = session.outputs.get_mut(&stream)
                {
                    delivery.source = Some(source);
                    shared.say(ServerChange::OutputAttached(session.row.clone()));
                }
                self.warn_of_output();
                self.assign(&self.context.shared.tree());
                self.context.dirty.notify_one();
                true
            }
            Note::Left(session, window) => {
                // A window that has closed looks the same: the next listing tells them apart.
                self.left.insert((session, window));
                self.context.dirty.notify_one();
                true
            }
            Note::Ended {
                session,
                source,
                exit,
            } => {
                match source {
                    None => shared.remove_client(session),
                    Some((stream, source)) => {
                        if let Some(known) = self.sessions.get_mut(&session)
                            && let Some(delivery) = known.outputs.get_mut(&stream)
                            && delivery.source == Some(source)
                        {
                            delivery.source = None;
                        }
                    }
                }
                // The server may have gone with it; a listing tells.
                let died = matches!(exit, Exit::Reason(_) | Exit::Eof);
                if died || shared.any_client().is_none() {
                    return self.list().await;
                }
                self.context.dirty.notify_one();
                true
            }
            Note::Failed {
                session,
                output,
                error,
            } => {
                tracing::warn!(%session, output, %error, "cannot attach");
                if let Some(known) = self.sessions.get(&session) {
                    let (session, error) = (known.row.clone(), Arc::new(error));
                    shared.say(ServerChange::AttachFailed {
                        session,
                        output,
                        error,
                    });
                }
                true
            }
            Note::NoServer => self.list().await,
            Note::Again(session, shown) => {
                if let Some(session) = self.sessions.get_mut(&session) {
                    session.again.push(shown);
                }
                self.context.dirty.notify_one();
                true
            }
        }
    }

    /// Lists everything anew; `false` when there is nobody to ask any more.
    async fn list(&mut self) -> bool {
        self.listed = Instant::now();
        let deadline = self.context.builder.deadline;
        while let Some(client) = self.context.shared.any_client() {
            let reply = client.command_within(listing::command(), deadline).await;
            match reply.map(|reply| reply.ok()) {
                Ok(Ok(reply)) => {
                    let socket = &self.server.socket;
                    let bodies = reply.blocks().iter().map(Block::body);
                    let listing = match Listing::read(bodies) {
                        Ok(listing) if reply.spoof() != Some(Spoof::Broken) => listing,
                        // What is known stays; the next listing may tell.
                        Ok(_) => {
                            tracing::warn!("a listing holds forged guards, and is passed over");
                            return true;
                        }
                        Err(error) => {
                            tracing::warn!(%error, "a listing does not read, and is passed over");
                            return true;
                        }
                    };
                    if listing::identity(&listing, socket)
                        .is_some_and(|found| found != *self.server)
                    {
                        return false;
                    }
                    self.apply(listing);
                    // It lives: whoever ended before has not ended with it.
                    self.exit = Exit::Eof;
                    return true;
                }
                // It has ended, which says nothing of the others: the socket may be deleted, and
                // then they alone know that the server lives. An ended one is not picked again.
                Err(ClientError::Ended(_) | ClientError::Reply(ReplyError::Disconnected(_))) => {}
                Err(ClientError::Reply(_)) => break,
                Ok(Err(_)) | Err(_) => {
                    self.context.dirty.notify_one();
                    return true;
                }
            }
        }
        match listing::ask(&self.context.builder).await {
            Ok(listing) if self.is_of(&listing) => {
                self.apply(listing);
                true
            }
            Err(Waiting::Refused(_)) => true,
            Ok(_) | Err(_) => false,
        }
    }

    fn is_of(&self, listing: &Listing) -> bool {
        listing::identity(listing, &self.server.socket).as_ref() == Some(&*self.server)
    }

    fn apply(&mut self, listing: Listing) {
        let changes = self.context.shared.apply(listing);
        let gone = changes.iter().filter_map(|change| match change {
            Change::PaneGone(pane) => Some(pane.id),
            _ => None,
        });
        let gone = Vec::from_iter(gone);
        let tree = self.context.shared.tree();
        self.sessions.retain(|&id, session| {
            let stays = tree.session(id).is_some();
            if !stays {
                session.stop();
                self.context.shared.remove_client(id);
            }
            stays
        });
        for session in tree.sessions() {
            self.session(session);
        }
        for (stream, _) in self.streams.values() {
            if !gone.is_empty() {
                stream.inbox.gone(&gone);
            }
            if stream.inbox.unlisted(|pane| tree.pane(pane).is_some()) {
                self.context.dirty.notify_one();
            }
        }
        self.mourning.listed(&tree);
        self.take_away_left(&tree);
        self.keep_all(&tree);
        self.assign(&tree);
        let again = self
            .sessions
            .values_mut()
            .flat_map(|session| session.again.drain(..));
        for waiting in again {
            // It may have been told to stop.
            let _ = waiting.send(());
        }
    }

    /// A session is there, and perhaps new.
    fn session(&mut self, row: &tree::Session) {
        match self.sessions.entry(row.id) {
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                if known.row != *row {
                    let skips = row.destroy_unattached && known.commands.is_none();
                    let was_skipped = std::mem::replace(&mut known.row, row.clone());
                    // Where it is turned on under us we stay: to leave now would end the session.
                    if skips && !was_skipped.destroy_unattached {
                        self.skip(row);
                    }
                }
            }
            Entry::Vacant(place) => {
                place.insert(Session {
                    row: row.clone(),
                    commands: None,
                    outputs: HashMap::new(),
                    again: Vec::new(),
                });
                if row.destroy_unattached {
                    self.skip(row);
                }
            }
        }
    }

    fn skip(&self, session: &tree::Session) {
        tracing::warn!(session = %session.id, "left alone: destroy-unattached is on");
        let skipped = ServerChange::Skipped(session.clone());
        self.context.shared.say(skipped);
    }

    fn warn_of_output(&mut self) {
        if !std::mem::replace(&mut self.warned, true) {
            warn_of_output(&self.server);
        }
    }
}
