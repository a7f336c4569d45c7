//! Follows a server from one life to the next.

mod clients;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::ServerBuilder;
use super::calm::Calm;
use super::changes::ServerChange;
use super::keep::{Context, Note};
use super::listing::{self, Listing, Waiting};
use super::shared::{Shared, StreamId, Streaming, WatchId};
use crate::client::attach::warn_of_output;
use crate::client::error::ClientError;
use crate::client::flow::SourceId;
use crate::client::identity::Identity;
use crate::client::orphans;
use crate::client::subscription::Watch;
use crate::format::SessionRow;
use crate::protocol::{Block, Exit, Quirks, ReplyError, Spoof};
use crate::tree::Change;
use crate::wire::{SessionId, WindowId};

/// How often a socket is looked at while there is no server behind it.
const LOOK: Duration = Duration::from_millis(100);

/// How often tmux is asked while a socket looks the same as when nobody answered.
const ASK: Duration = Duration::from_secs(1);

/// The least time between two listings, so that a storm of changes is not answered one by one.
const SETTLE: Duration = Duration::from_millis(20);

/// How long the search for clients left behind may take.
const ORPHANS: Duration = Duration::from_secs(1);

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

/// Looks for a server.
#[derive(Debug, Default)]
struct Looks {
    /// What the socket was like when there was nothing to attach to, when that was, and why.
    last: Option<((u64, i64, i64), Instant, Waiting)>,
}

impl Looks {
    async fn find(&mut self, builder: &ServerBuilder, shared: &Shared) -> (Arc<Identity>, Listing) {
        loop {
            match self.look(builder).await {
                Ok(mut listing) => {
                    if let Some(server) = listing.server.take() {
                        return (Arc::new(server), listing);
                    }
                }
                Err(why) => shared.waiting(why),
            }
            sleep(LOOK).await;
        }
    }

    async fn look(&mut self, builder: &ServerBuilder) -> Result<Listing, Waiting> {
        let socket = fs::metadata(builder.socket.path())
            .map(|found| (found.ino(), found.ctime(), found.ctime_nsec()))
            .map_err(|_| Waiting::NoServer)?;
        if let Some((then, at, why)) = &self.last
            && *then == socket
            && at.elapsed() < ASK
        {
            return Err(why.clone());
        }
        let found = listing::ask(builder).await;
        self.last = found
            .as_ref()
            .err()
            .map(|why| (socket, Instant::now(), why.clone()));
        found
    }
}

/// One life of a server.
struct Life {
    server: Arc<Identity>,
    context: Context,
    notes: mpsc::UnboundedReceiver<Note>,
    wanted_changed: watch::Receiver<()>,
    /// The streams that are served, and what tells who asks for their screens to stop.
    streams: BTreeMap<StreamId, (Streaming, DropGuard)>,
    /// Which session's client has been asked for which subscription.
    watched: BTreeMap<(SessionId, WatchId), Arc<Watch>>,
    sessions: HashMap<SessionId, Session>,
    keepers: JoinSet<()>,
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
    row: SessionRow,
    commands: Option<CancellationToken>,
    /// Its clients for output, by stream.
    outputs: HashMap<StreamId, Delivery>,
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
        let context = Context {
            builder,
            shared,
            notes,
            dirty: Arc::new(Notify::new()),
            server: Arc::clone(&server),
            calm: Arc::new(Calm::new(Quirks::of(server.version))),
        };
        Self {
            server,
            context,
            notes: receiver,
            wanted_changed,
            streams: BTreeMap::new(),
            watched: BTreeMap::new(),
            sessions: HashMap::new(),
            keepers: JoinSet::new(),
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
                None => sleep(ASK).await,
            }
        };
        tokio::select! {
            note = self.notes.recv() => match note {
                Some(note) => return self.heed(note).await,
                None => return false,
            },
            () = dirty.notified() => sleep(SETTLE).await,
            () = reconcile => {}
            () = look => {}
            changed = self.wanted_changed.changed() => {
                if changed.is_err() {
                    return false;
                }
                self.keep_all();
                self.assign();
                self.watch();
                return true;
            }
            Some(_) = self.keepers.join_next() => return true,
            () = stop.cancelled() => return true,
        }
        self.list().await
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
                    self.watched.retain(|(session, _), _| *session != id);
                    self.watch();
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
                self.assign();
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
        }
    }

    /// Lists everything anew; `false` when there is nobody to ask any more.
    async fn list(&mut self) -> bool {
        self.listed = Instant::now();
        let deadline = self.context.builder.deadline;
        while let Some(client) = self.context.shared.any_client() {
            let reply = client.command_within(Listing::command(), deadline).await;
            match reply.map(|reply| reply.ok()) {
                Ok(Ok(reply)) => {
                    let socket = &self.server.socket;
                    let bodies = reply.blocks().iter().map(Block::body);
                    let listing = match Listing::read(bodies, socket) {
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
                    if listing
                        .server
                        .as_ref()
                        .is_some_and(|found| *found != *self.server)
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
            Ok(listing) if listing.server.as_ref() == Some(&*self.server) => {
                self.apply(listing);
                true
            }
            Err(Waiting::Refused(_)) => true,
            Ok(_) | Err(_) => false,
        }
    }

    fn apply(&mut self, listing: Listing) {
        let changes = self.context.shared.apply(listing);
        let mut gone = Vec::new();
        for change in changes {
            match change {
                Change::SessionAdded(row) | Change::SessionChanged(row) => self.session(row),
                Change::SessionGone(row) => {
                    if let Some(mut session) = self.sessions.remove(&row.id) {
                        session.stop();
                    }
                    self.context.shared.remove_client(row.id);
                }
                Change::PaneGone(pane) => gone.push(pane.id),
                Change::PaneAdded(_) | Change::PaneChanged(_) => {}
            }
        }
        let tree = self.context.shared.tree();
        for (stream, _) in self.streams.values() {
            if !gone.is_empty() {
                stream.inbox.gone(&gone);
            }
            if stream.inbox.unlisted(|pane| tree.pane(pane).is_some()) {
                self.context.dirty.notify_one();
            }
        }
        self.take_away_left();
        self.keep_all();
        self.assign();
    }

    /// A session has come or changed.
    fn session(&mut self, row: SessionRow) {
        let skipped = row.destroy_unattached;
        let stays = self
            .sessions
            .get(&row.id)
            .is_some_and(|known| known.commands.is_some());
        if skipped && !stays {
            tracing::warn!(session = %row.id, "left alone: destroy-unattached is on");
            self.context.shared.say(ServerChange::Skipped(row.clone()));
        }
        let id = row.id;
        let fresh = || Session {
            row: row.clone(),
            commands: None,
            outputs: HashMap::new(),
        };
        let session = self.sessions.entry(id).or_insert_with(fresh);
        session.row = row;
        if skipped && session.commands.is_some() {
            // It was turned on under us: to leave now would end the session. Stay.
        }
    }

    fn warn_of_output(&mut self) {
        if !std::mem::replace(&mut self.warned, true) {
            warn_of_output(&self.server);
        }
    }
}
