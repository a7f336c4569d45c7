//! The task that has a tap.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::UnixStream;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::lines::{Claim, Lines, Row, Survey};
use super::panes::{Action, Answer, Panes};
use super::reader::{Reader, Report};
use super::receiver::{self, Handed, Place};
use super::streams::Streams;
use super::word::Token;
use super::{Tap, TapError};
use crate::client::error::ClientError;
use crate::client::events::Ending;
use crate::client::identity::Identity;
use crate::client::screen::{Backfill, Screen};
use crate::client::server::{Changes, Reach, ServerChange};
use crate::protocol::Reply;
use crate::tree::Change;
use crate::wire::{PaneId, Version};

/// How long a command may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// How long one may take on the way out.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long what could not be asked waits.
const AGAIN: Duration = Duration::from_millis(50);

/// How often all panes are looked at although nothing was announced.
const RECONCILE: Duration = Duration::from_secs(10);

/// How many panes are taken at a time: for each, the server starts a process.
const TAKES: usize = 8;

type Ready = oneshot::Sender<Result<(), TapError>>;

#[derive(Debug)]
pub(super) struct Task {
    reach: Reach,
    backfill: Backfill,
    streams: Arc<Streams>,
    lines: Arc<Lines>,
    token: Token,
    place: Place,
    receiver: JoinHandle<()>,
    handed: UnboundedReceiver<Handed>,
    reader: Reader,
    reports: UnboundedReceiver<Report>,
    panes: Panes<OwnedFd>,
    /// Panes to be taken, and the tickets for that.
    wanted: VecDeque<(PaneId, u64)>,
    takes: JoinSet<(PaneId, u64, Answer)>,
    life: Option<Life>,
    /// What the server is that has our hooks, also when nobody follows it any more.
    hooked: Option<Version>,
    /// When all panes are to be looked at.
    survey: Instant,
    /// Before when they are not, since there was nobody to ask.
    not_before: Instant,
    changes: Changes,
}

#[derive(Debug)]
struct Life {
    server: Arc<Identity>,
    /// Are claim and hooks ours?
    installed: bool,
}

/// Why a life is not tapped yet.
enum NotYet {
    /// It cannot be asked.
    Unreachable,
    Failed(TapError),
}

impl From<ClientError> for NotYet {
    fn from(_: ClientError) -> Self {
        Self::Unreachable
    }
}

impl Task {
    pub(super) fn new(tap: Tap, reach: Reach, streams: Arc<Streams>) -> Result<Self, TapError> {
        let token = Token::random().map_err(|_| TapError::Random)?;
        let (place, listener) = receiver::listen().map_err(TapError::Listen)?;
        let lines = Arc::new(Lines::new(&tap.helper, place.socket(), token)?);
        let (reporter, reports) = mpsc::unbounded_channel();
        let reader =
            Reader::start(Arc::clone(&streams), reporter, tap.rest).map_err(TapError::Read)?;
        let (to, handed) = mpsc::unbounded_channel();
        Ok(Self {
            changes: reach.changes(),
            reach,
            backfill: tap.backfill,
            streams,
            lines,
            token,
            place,
            receiver: tokio::spawn(receiver::receive(listener, to)),
            handed,
            reader,
            reports,
            panes: Panes::new(),
            wanted: VecDeque::new(),
            takes: JoinSet::new(),
            life: None,
            hooked: None,
            survey: Instant::now(),
            not_before: Instant::now(),
        })
    }

    /// Runs until it is told to stop, or the server is closed.
    pub(super) async fn run(mut self, ready: Ready, stop: CancellationToken) {
        let mut ready = Some(ready);
        while tokio::select! {
            goes_on = self.turn(&mut ready) => goes_on && !stop.is_cancelled(),
            () = stop.cancelled() => false,
        } {}
        self.leave().await;
    }

    /// Waits for something and answers it; `false` when the tap has ended.
    async fn turn(&mut self, ready: &mut Option<Ready>) -> bool {
        if self.life.is_some() && Instant::now() >= self.survey {
            return self.look(ready).await;
        }
        let room = self.streams.has_room();
        let due = self.panes.due(room);
        let wake = if self.life.is_some() {
            let due = due.map(|due| due.max(self.not_before));
            due.map_or(self.survey, |due| due.min(self.survey))
        } else {
            Instant::now() + RECONCILE
        };
        tokio::select! {
            change = self.changes.recv() => match change {
                Some(change) => self.heed(change, ready).await,
                None => return false,
            },
            Some(handed) = self.handed.recv() => self.take_in(handed),
            Some(report) = self.reports.recv() => self.panes.reported(report, Instant::now()),
            Some(done) = self.takes.join_next() => {
                // One that was cut off is waited for in vain, and asked again.
                if let Ok((pane, ticket, answer)) = done {
                    self.panes.answered(pane, ticket, answer, Instant::now());
                }
            }
            () = self.streams.room() => {}
            () = sleep_until(wake.into()) => {}
        }
        // What else has come is answered together.
        while let Ok(report) = self.reports.try_recv() {
            self.panes.reported(report, Instant::now());
        }
        while let Ok(handed) = self.handed.try_recv() {
            self.take_in(handed);
        }
        self.panes.passed(self.streams.has_room(), Instant::now());
        self.act();
        true
    }

    fn take_in(&mut self, handed: Handed) {
        let Handed { word, pipe } = handed;
        let server = self.life.as_ref().map(|life| life.server.pid);
        if word.token == self.token && Some(word.server) == server {
            self.panes.handed(&word, pipe, Instant::now());
        }
    }

    /// Does what the panes want.
    fn act(&mut self) {
        for action in self.panes.actions() {
            match action {
                Action::Take(pane, ticket) => self.wanted.push_back((pane, ticket)),
                Action::Hold(pane, id, pipe, begin) => self.reader.hold(pane, id, pipe, begin),
                Action::Untapped(pane) => {
                    tracing::info!(%pane, "a pane has a pipe of its user's");
                    self.streams.untapped(pane);
                }
                Action::End(pane) => self.streams.end(pane, &Ending::Pane),
                Action::Survey => {
                    let soon = Instant::now().max(self.not_before);
                    self.survey = self.survey.min(soon);
                }
            }
        }
        while self.takes.len() < TAKES
            && let Some((pane, ticket)) = self.wanted.pop_front()
        {
            let line = self.lines.take(pane, ticket, self.backfill);
            let (reach, backfill) = (self.reach.clone(), self.backfill);
            self.takes.spawn(async move {
                let reply = reach.command(line, DEADLINE).await;
                (pane, ticket, answer(pane, backfill, reply))
            });
        }
    }

    async fn heed(&mut self, change: ServerChange, ready: &mut Option<Ready>) {
        match change {
            ServerChange::Waiting(_) => {
                if let Some(ready) = ready.take() {
                    let _ = ready.send(Ok(()));
                }
            }
            ServerChange::Up(server) => {
                self.streams.set_server(Arc::clone(&server));
                self.life = Some(Life {
                    server,
                    installed: false,
                });
                self.survey = Instant::now();
            }
            ServerChange::Down { exit, .. } => {
                self.reader.release_all().await;
                self.takes = JoinSet::new();
                self.wanted.clear();
                self.panes.clear();
                self.streams.end_all(&Ending::Server(exit));
                self.life = None;
            }
            ServerChange::Tree(
                Change::PaneAdded(_) | Change::PaneChanged(_) | Change::PaneGone(_),
            )
            | ServerChange::Lagged(_) => self.survey = self.survey.min(Instant::now()),
            _ => {}
        }
    }

    /// Looks at all panes; at first also sees to the hooks.
    async fn look(&mut self, ready: &mut Option<Ready>) -> bool {
        self.survey = Instant::now() + RECONCILE;
        let Some(life) = &self.life else {
            return true;
        };
        let server = Arc::clone(&life.server);
        if !life.installed {
            match self.install(&server).await {
                Ok(()) => {}
                Err(NotYet::Unreachable) => {
                    self.look_again();
                    return true;
                }
                Err(NotYet::Failed(error)) => match ready.take() {
                    Some(ready) => {
                        let _ = ready.send(Err(error));
                        return false;
                    }
                    // Another was faster; whoever has it now may let it go.
                    None => {
                        tracing::warn!(%error, "cannot tap this server; trying again");
                        return true;
                    }
                },
            }
        }
        let asked = self
            .reach
            .command(self.lines.survey(server.version), DEADLINE);
        let found = asked
            .await
            .ok()
            .and_then(|reply| Survey::read(reply.lines()));
        match found {
            Some(found) if found.server == server.pid => {
                if let Some(life) = &mut self.life {
                    life.installed &= found.hooked;
                    if !found.hooked {
                        self.survey = Instant::now() + AGAIN;
                    }
                }
                let room = self.streams.has_room();
                self.panes.surveyed(&found.rows, room, Instant::now());
                self.act();
                if let Some(ready) = ready.take() {
                    let _ = ready.send(Ok(()));
                }
            }
            _ => self.look_again(),
        }
        true
    }

    /// There was nobody to ask: whatever is wanted, nothing is looked at for a while.
    fn look_again(&mut self) {
        self.not_before = Instant::now() + AGAIN;
        self.survey = self.not_before;
    }

    /// Claims the server, and sets the hooks.
    async fn install(&mut self, server: &Identity) -> Result<(), NotYet> {
        let own = self.place.socket().to_owned();
        let mut stale = None;
        loop {
            let line = self.lines.claim(&own, stale.as_ref());
            let reply = self.reach.command(line, DEADLINE).await?;
            let reply = reply.ok().map_err(|failed| refused(failed.message()))?;
            let holder = reply.lines().find_map(Claim::read);
            match holder {
                Some(holder) if holder.token == self.token => break,
                Some(holder) if stale.as_ref() != Some(&holder) => {
                    if is_listened_to(&holder).await {
                        let socket = holder.socket;
                        return Err(NotYet::Failed(TapError::Taken { socket }));
                    }
                    Place::clear(&holder.socket);
                    stale = Some(holder);
                }
                _ => return Err(refused(b"the option @tmux_cc_tap cannot be set")),
            }
        }
        self.hooked = Some(server.version);
        let line = self.lines.install(server.version);
        let reply = self.reach.command(line, DEADLINE).await?;
        reply.ok().map_err(|failed| refused(failed.message()))?;
        if let Some(life) = &mut self.life {
            life.installed = true;
        }
        tracing::info!(pid = server.pid, "tapping the panes of a tmux server");
        Ok(())
    }

    /// Ends it all: pipes, hooks, the claim, and the socket.
    async fn leave(mut self) {
        self.takes.abort_all();
        self.reader.release_all().await;
        if let Some(version) = self.hooked {
            let line = self.lines.leave(version);
            let left = self.reach.command(line, FAREWELL).await;
            if self.life.is_none() || left.is_err() {
                // Nobody follows it any more, or it is gone: a client of its own finds out.
                let words = self.lines.leave_words(version);
                self.reach.run(words, FAREWELL).await;
            }
        }
        self.receiver.abort();
        self.streams.finish();
    }
}

fn refused(said: &[u8]) -> NotYet {
    NotYet::Failed(TapError::Refused {
        said: said.to_vec(),
    })
}

/// Does anybody listen for helpers there?
async fn is_listened_to(holder: &Claim) -> bool {
    let connect = UnixStream::connect(&holder.socket);
    matches!(timeout(FAREWELL, connect).await, Ok(Ok(_)) | Err(_))
}

/// What became of a line that was to take a pane.
fn answer(pane: PaneId, backfill: Backfill, reply: Result<Reply, ClientError>) -> Answer {
    let Ok(Ok(reply)) = reply.map(Reply::ok) else {
        // Most often the pane is gone; the next look tells.
        return Answer::Failed;
    };
    let screens = match backfill {
        Backfill::None => 1,
        _ => Screen::BLOCKS,
    };
    let row = reply.blocks().get(screens);
    match row.and_then(|row| Row::read(row.text())) {
        Some(row) if row.pane == pane && (row.piped || !row.runs) => Answer::NotFree,
        // Where text of the pane has spoilt the reply, it may be taken all the same.
        _ => Answer::Taken(Screen::read(reply.blocks()).map(Arc::new)),
    }
}
