//! Keeps one client attached to one session.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::ServerBuilder;
use super::calm::Calm;
use super::shared::{Shared, StreamId, Streaming};
use crate::client::attach::Attach;
use crate::client::driver::Driver;
use crate::client::error::AttachError;
use crate::client::events::{Batch, Event};
use crate::client::flow::SourceId;
use crate::client::handle::{Client, Events};
use crate::client::identity::Identity;
use crate::protocol::Exit;
use crate::tree::Session;
use crate::wire::{Notification, SessionId, WindowId};

/// How long a client that ended waits before the next, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// What the keepers tell who follows the server.
#[derive(Debug)]
pub(super) enum Note {
    /// A client for commands is attached.
    Attached(SessionId, Client),
    /// A client for output is attached.
    Delivers(SessionId, StreamId, SourceId),
    /// A window has left a session, for a while at least.
    Left(SessionId, WindowId),
    /// A client has ended.
    Ended {
        session: SessionId,
        /// Where it was one for output: of which stream, and which.
        source: Option<(StreamId, SourceId)>,
        exit: Exit,
    },
    /// A client could not attach, and will be tried again.
    Failed {
        session: SessionId,
        output: bool,
        error: AttachError,
    },
    /// A client could not attach because there is no server.
    NoServer,
    /// A client is to be attached again, once a listing shows that the session is still there; else
    /// the sender is dropped.
    Again(SessionId, oneshot::Sender<()>),
}

/// What all keepers of a life have in common.
#[derive(Clone, Debug)]
pub(super) struct Context {
    pub(super) builder: Arc<ServerBuilder>,
    pub(super) shared: Arc<Shared>,
    pub(super) notes: mpsc::UnboundedSender<Note>,
    /// Something has changed that only a new listing tells.
    pub(super) dirty: Arc<Notify>,
    /// Which life that is.
    pub(super) server: Arc<Identity>,
    /// When clients may come and go.
    pub(super) calm: Arc<Calm>,
}

/// Pauses that double.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    most: Duration,
}

impl Backoff {
    pub(super) const fn new((first, most): (Duration, Duration)) -> Self {
        Self { next: first, most }
    }

    pub(super) fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (self.next * 2).min(self.most);
        pause
    }
}

impl Context {
    /// Keeps a client on a session until it is told to stop: one for the output of a stream, or one
    /// for commands.
    pub(super) async fn keep(
        self,
        session: Session,
        stream: Option<Streaming>,
        stop: CancellationToken,
    ) {
        let output = stream.is_some();
        let mut backoff = Backoff::new(PAUSES);
        let mut again = false;
        while !stop.is_cancelled() {
            let turn = tokio::select! {
                turn = self.calm.handshake() => turn,
                () = stop.cancelled() => return,
            };
            // Not to be broken off, whatever happens.
            let attached = self.attach(session.id, stream.as_ref()).await;
            drop(turn);
            match attached {
                Ok(running) => {
                    if std::mem::replace(&mut again, true) {
                        self.shared.meter.reconnected(session.id, output);
                    }
                    let source = running.source();
                    let began = Instant::now();
                    let exit = self.run(session.id, running, &stop).await;
                    if began.elapsed() > PAUSES.1 {
                        backoff = Backoff::new(PAUSES);
                    }
                    self.calm.stir();
                    self.note(Note::Ended {
                        session: session.id,
                        source,
                        exit,
                    });
                }
                Err(AttachError::NoServer { .. }) => self.note(Note::NoServer),
                // The session went in the meantime; the next listing says so.
                Err(AttachError::Refused { said }) if said.starts_with(b"can't find") => {
                    self.dirty.notify_one();
                }
                Err(error) => {
                    self.note(Note::Failed {
                        session: session.id,
                        output,
                        error,
                    });
                }
            }
            tokio::select! {
                () = sleep(backoff.pause()) => {}
                () = stop.cancelled() => return,
            }
            if !self.is_still_there(session.id, &stop).await {
                return;
            }
        }
    }

    /// Waits for a listing that shows the session. An attempt to attach to one that has just ended
    /// fails, but not before its handshake, and ends are what makes handshakes dangerous.
    async fn is_still_there(&self, session: SessionId, stop: &CancellationToken) -> bool {
        let (shown, is_shown) = oneshot::channel();
        self.note(Note::Again(session, shown));
        tokio::select! {
            shown = is_shown => shown.is_ok(),
            () = stop.cancelled() => false,
        }
    }

    /// Attaches to the session in this life of the server.
    async fn attach(
        &self,
        session: SessionId,
        stream: Option<&Streaming>,
    ) -> Result<Running, AttachError> {
        let running = self.start(session, stream).await?;
        if *running.server() != *self.server {
            // It ended in the meantime, and another has taken its place: what belongs to that one
            // must not be taken for this one's.
            running.leave().await;
            let socket = self.server.socket.clone();
            return Err(AttachError::NoServer { socket });
        }
        Ok(running)
    }

    async fn start(
        &self,
        session: SessionId,
        stream: Option<&Streaming>,
    ) -> Result<Running, AttachError> {
        let attach = Attach::to_session(session)
            .socket(self.builder.socket.clone())
            .tmux(&self.builder.tmux)
            .deadline(self.builder.deadline)
            .limits(self.builder.limits);
        if let Some(stream) = stream {
            let inbox = Arc::clone(&stream.inbox);
            let attach = attach.output(self.builder.pause_after);
            let (client, source, driver) = attach.start_into(inbox, Some(session)).await?;
            Ok(Running::Output(client, (stream.id, source), driver))
        } else {
            let meter = Arc::clone(&self.shared.meter);
            let (client, events, driver) = attach.start_metered(meter).await?;
            Ok(Running::Commands(client, events, driver))
        }
    }

    /// Runs a client to its end, or lets it leave in order when told to stop.
    async fn run(&self, session: SessionId, running: Running, stop: &CancellationToken) -> Exit {
        let mut moved = false;
        let (client, mut driver) = match running {
            Running::Output(client, source, driver) => {
                self.note(Note::Delivers(session, source.0, source.1));
                (client, tokio::spawn(driver))
            }
            Running::Commands(client, mut events, driver) => {
                let driver = tokio::spawn(driver);
                self.note(Note::Attached(session, client.clone()));
                while let Some(batch) = tokio::select! {
                    batch = events.recv() => batch,
                    () = stop.cancelled() => None,
                } {
                    moved = !self.heed(session, &batch);
                    if moved {
                        break;
                    }
                }
                (client, driver)
            }
        };
        let told = async {
            if !moved {
                stop.cancelled().await;
            }
        };
        let exit = tokio::select! {
            exit = &mut driver => exit,
            () = told => {
                let _leaving = self.calm.leave().await;
                client.detach().await;
                driver.await
            }
        };
        exit.unwrap_or(Exit::Eof)
    }

    /// Looks for what a new listing must follow; `false` when the client has been moved to another
    /// session, where it would be one too many.
    fn heed(&self, own: SessionId, batch: &Batch) -> bool {
        let mut stays = true;
        let mut dirty = false;
        for event in batch.iter() {
            match event {
                Event::Notification(found @ Notification::SessionChanged { session, .. }) => {
                    stays &= session == own;
                    dirty |= self.shared.notice(&found);
                }
                Event::Notification(found) => {
                    // Which of the two is sent says where the window is by now, not where it was.
                    if let Notification::WindowClose { window }
                    | Notification::UnlinkedWindowClose { window } = found
                    {
                        self.note(Note::Left(own, window));
                    }
                    dirty |= self.shared.notice(&found);
                    if is_for_all(&found) {
                        self.calm.stir();
                    }
                }
                Event::Lagged(_) => dirty = true,
                _ => {}
            }
        }
        if dirty {
            self.dirty.notify_one();
        }
        stays
    }

    fn note(&self, note: Note) {
        // Who follows the server stops all keepers before it goes.
        let _ = self.notes.send(note);
    }
}

/// A client that has just been attached.
enum Running {
    Commands(Client, Events, Driver),
    Output(Client, (StreamId, SourceId), Driver),
}

impl Running {
    fn server(&self) -> &Identity {
        let (Self::Commands(client, ..) | Self::Output(client, ..)) = self;
        &client.attached().server
    }

    /// Leaves again at once.
    async fn leave(self) {
        let (Self::Commands(client, _, driver) | Self::Output(client, _, driver)) = self;
        client.detach().await;
        driver.await;
    }

    const fn source(&self) -> Option<(StreamId, SourceId)> {
        match self {
            Self::Output(_, source, _) => Some(*source),
            Self::Commands(..) => None,
        }
    }
}

/// Is it sent to every control client, also to one that has no session yet?
fn is_for_all(notification: &Notification<'_>) -> bool {
    use Notification as N;
    matches!(
        notification,
        N::SessionsChanged
            | N::SessionRenamed { .. }
            | N::SessionWindowChanged { .. }
            | N::WindowPaneChanged { .. }
            | N::PaneModeChanged { .. }
            | N::ClientDetached { .. }
            | N::PasteBufferChanged { .. }
            | N::PasteBufferDeleted { .. }
    )
}
