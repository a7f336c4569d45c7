//! A whole server: every session, whatever comes and goes.

mod calm;
mod changes;
mod follow;
mod keep;
mod listing;
mod output;
#[cfg(feature = "tap")]
mod reach;
mod run;
mod screens;
mod shared;
mod subscribed;

use std::collections::VecDeque;
use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use changes::ServerChange;
pub use listing::Waiting;
pub use output::ServerOutput;
#[cfg(feature = "tap")]
pub(super) use reach::Reach;
use shared::Shared;
pub use subscribed::Subscribed;

use super::ask::ask;
use super::error::{ClientError, QueryError, ServerError};
use super::flow::Budget;
use super::handle::Client;
use super::health::Health;
use super::identity::Identity;
use super::output::OutputRequest;
use super::socket::Socket;
use super::subscription::Subscription;
use crate::format::FromFormat;
use crate::protocol::{Command, Limits, Reply};
use crate::tree::Tree;
use crate::wire::{SessionId, Version};

/// How a server is to be followed.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// use tmux_cc::client::{Server, Socket};
///
/// let server = Server::on(Socket::Name("ci".into()))
///     .deadline(Duration::from_secs(5))
///     .start()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ServerBuilder {
    socket: Socket,
    tmux: PathBuf,
    pause_after: u32,
    deadline: Duration,
    limits: Limits,
    budget: Budget,
}

impl ServerBuilder {
    /// With that tmux program instead of the one on the path.
    #[must_use]
    pub fn tmux(mut self, program: impl Into<PathBuf>) -> Self {
        self.tmux = program.into();
        self
    }

    /// After how many seconds of backlog the server itself pauses a pane; 5 by default.
    #[must_use]
    pub fn pause_after(mut self, seconds: u32) -> Self {
        self.pause_after = seconds;
        self
    }

    /// How long attaching a client, or a listing, may take; 10 s by default.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// What each connection may hold.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How much output may wait for a slow consumer, over all panes.
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// Begins to follow the server, whether it runs already or not.
    ///
    /// Must be called on a tokio runtime.
    ///
    /// # Errors
    /// [`ServerError`]: the program is no tmux that works, or the path is no socket. That no
    /// server runs is no error: it is waited for, see [`Server::changes`].
    pub async fn start(self) -> Result<Server, ServerError> {
        let socket = self.socket.path();
        if let Ok(found) = fs::metadata(&socket)
            && !found.file_type().is_socket()
        {
            return Err(ServerError::NotASocket { socket });
        }
        self.check_program().await?;
        let shared = Arc::new(Shared::new(self.budget, socket.clone()));
        let stop = CancellationToken::new();
        let tmux = self.tmux.clone();
        let task = tokio::spawn(follow::follow(self, Arc::clone(&shared), stop.clone()));
        let handle = Handle {
            shared,
            stop,
            task: Mutex::new(Some(task)),
            socket,
            tmux,
        };
        Ok(Server {
            handle: Arc::new(handle),
        })
    }

    async fn check_program(&self) -> Result<(), ServerError> {
        let program = || self.tmux.clone();
        let said = ask(&self.tmux, ["-V"], self.deadline, |_| false)
            .await
            .map_err(|source| ServerError::Spawn {
                program: program(),
                source,
            })?;
        let said = said.out.trim_ascii();
        match Version::parse(said) {
            Some(version) if version.at_least(Version::FLOOR) => Ok(()),
            _ => Err(ServerError::NotTmux {
                program: program(),
                said: said.to_vec(),
            }),
        }
    }
}

/// Follows every session of a tmux server, from one life of it to the next; cheap to clone.
///
/// Each session has a control client for commands and notifications, which takes no output, so
/// that a command never waits behind it. Where output is asked for, each session has a second
/// client, and all their output is merged into one stream. Clients and servers that end are
/// followed by new ones, with growing pauses in between.
///
/// When the last handle is dropped, all clients detach; [`close`](Self::close) waits for that.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use tmux_cc::client::{Event, PaneFilter, Server, Socket};
///
/// let server = Server::on(Socket::Name("ci".into())).start().await?;
/// let mut output = server.output(PaneFilter::all());
/// while let Some(batch) = output.recv().await {
///     for event in batch.iter() {
///         if let Event::Output(output) = event {
///             println!("{} {} bytes at {}", output.pane, output.data.decoded_len(), output.offset);
///         }
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Server {
    handle: Arc<Handle>,
}

#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
    stop: CancellationToken,
    task: Mutex<Option<JoinHandle<()>>>,
    socket: PathBuf,
    tmux: PathBuf,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Server {
    /// The server of that socket, with the defaults of [`ServerBuilder`].
    #[must_use]
    pub fn on(socket: Socket) -> ServerBuilder {
        ServerBuilder {
            socket,
            tmux: PathBuf::from("tmux"),
            pause_after: 5,
            deadline: Duration::from_secs(10),
            limits: Limits::default(),
            budget: Budget::default(),
        }
    }

    /// The path of its socket.
    #[must_use]
    pub fn socket(&self) -> &std::path::Path {
        &self.handle.socket
    }

    /// Which life of the server it is, while one is attached to.
    #[must_use]
    pub fn identity(&self) -> Option<Arc<Identity>> {
        self.handle.shared.identity()
    }

    /// The sessions, windows, panes and clients as they are known now; cheap.
    ///
    /// What tmux announces is in it within some 50 ms, and what it only reports when asked, such as
    /// a pane's title, program or death, within one or two seconds.
    #[must_use]
    pub fn tree(&self) -> Arc<Tree> {
        self.handle.shared.tree()
    }

    /// What happens to the server, beginning with how it is now.
    #[must_use]
    pub fn changes(&self) -> Changes {
        Changes::new(Arc::clone(&self.handle.shared))
    }

    /// How often what has happened since it is followed, over all its clients and lives.
    #[must_use]
    pub fn health(&self) -> Health {
        self.handle.shared.meter.read()
    }

    /// Waits until a client is attached, so that commands can be sent; `false` where the server is
    /// closed instead.
    ///
    /// While no server runs, or it has no session, this waits: [`changes`](Self::changes) says for
    /// what.
    pub async fn ready(&self) -> bool {
        let any = self.handle.shared.until_client(Shared::any_client);
        any.await.is_some()
    }

    /// Waits until a client is attached to that session, and gives it; nothing where the server is
    /// closed instead. While there is no such session, this waits.
    ///
    /// Example: [`client`](Self::client), which gives it where it is there already.
    pub async fn attached(&self, session: SessionId) -> Option<Client> {
        let shared = &self.handle.shared;
        shared.until_client(|shared| shared.client(session)).await
    }

    /// The control client of a session, for commands that concern it.
    #[must_use]
    pub fn client(&self, session: SessionId) -> Option<Client> {
        self.handle.shared.client(session)
    }

    /// Any of the control clients that take no output, for commands whose target is an id: a pane outlives the
    /// session that it was found in where somebody moves its window.
    #[must_use]
    pub fn any_client(&self) -> Option<Client> {
        self.handle.shared.any_client()
    }

    /// Sends a command through any of the clients that take no output; give it a target by id.
    ///
    /// # Errors
    /// [`ClientError::Detached`] while no client is attached; what else [`ClientError`] names.
    pub async fn command(&self, command: impl Into<Command>) -> Result<Reply, ClientError> {
        match self.any_client() {
            Some(client) => client.command(command).await,
            None => Err(ClientError::Detached),
        }
    }

    /// Sends a command that lists something, and reads its rows, through any of these clients.
    ///
    /// ```no_run
    /// # async fn example(server: tmux_cc::client::Server) -> Result<(), Box<dyn std::error::Error>> {
    /// use tmux_cc::format::WindowRow;
    /// use tmux_cc::protocol::Command;
    ///
    /// let windows = server.rows::<WindowRow>(Command::new("list-windows").flag("-a")).await?;
    /// println!("{} windows", windows.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Client::rows`], and [`ClientError::Detached`] while no client is attached.
    pub async fn rows<T: FromFormat>(
        &self,
        command: impl Into<Command>,
    ) -> Result<Vec<T>, QueryError> {
        match self.handle.shared.any_client() {
            Some(client) => client.rows(command).await,
            None => Err(ClientError::Detached.into()),
        }
    }

    /// Asks for output: of all panes, of some, or of one; [`OutputRequest`] says what else there is
    /// to ask for.
    ///
    /// From now on each session that shows such a pane has an output client. Each pane's bytes
    /// come once and in order, whatever sessions show it. A pane that the consumer is too slow for
    /// is dealt with by its [`Policy`](super::Policy). Streams do not disturb each other: each has
    /// clients and a budget of its own, so several are several times the work for tmux. Up to 3.7c
    /// output is unsafe beside somebody's `respawn-pane`: see
    /// [`Attach::output`](super::Attach::output).
    #[must_use]
    pub fn output(&self, request: impl Into<OutputRequest>) -> ServerOutput {
        ServerOutput::new(Arc::clone(&self.handle.shared), request.into())
    }

    /// Watches a format, on every session; each change is told within a second or two, and the value
    /// there is at first.
    ///
    /// A value comes whole, with newlines and whatever else it holds.
    #[must_use]
    pub fn subscribe(&self, subscription: Subscription) -> Subscribed {
        Subscribed::new(Arc::clone(&self.handle.shared), subscription)
    }

    /// Takes the output of all panes through their pipes, see [`Tap`](super::Tap).
    ///
    /// Returns when it is in force: panes that are made from then on are delivered from their first
    /// byte. Where no server runs yet it returns at once, and waits for one.
    ///
    /// # Errors
    /// [`TapError`](super::TapError): above all, that another tap has the server already.
    #[cfg(feature = "tap")]
    pub async fn tap(&self, tap: super::Tap) -> Result<super::TapOutput, super::TapError> {
        tap.start(self.reach()).await
    }

    /// Detaches all clients, and waits until they have left.
    pub async fn close(self) {
        self.handle.stop.cancel();
        let task = self
            .handle
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(task) = task {
            let _ = task.await;
        }
    }
}

/// A stream of [`ServerChange`], beginning with how everything is at first.
///
/// ```no_run
/// # async fn example(server: tmux_cc::client::Server) {
/// use tmux_cc::client::ServerChange;
/// use tmux_cc::tree::Change;
///
/// let mut changes = server.changes();
/// while let Some(change) = changes.recv().await {
///     match change {
///         ServerChange::Waiting(why) => println!("no server yet: {why:?}"),
///         ServerChange::Tree(Change::PaneAdded(pane)) => println!("{} came", pane.id),
///         other => println!("{other:?}"),
///     }
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Changes {
    shared: Arc<Shared>,
    first: VecDeque<ServerChange>,
    later: broadcast::Receiver<ServerChange>,
}

impl Changes {
    fn new(shared: Arc<Shared>) -> Self {
        let (first, later) = shared.subscribe();
        Self {
            shared,
            first,
            later,
        }
    }

    /// Waits for the next change; `None` once the server is closed.
    ///
    /// Who is too slow gets [`Lagged`](ServerChange::Lagged), and then everything as it is.
    /// Cancelling it loses nothing.
    pub async fn recv(&mut self) -> Option<ServerChange> {
        if let Some(change) = self.first.pop_front() {
            return Some(change);
        }
        match self.later.recv().await {
            Ok(change) => Some(change),
            Err(RecvError::Closed) => None,
            Err(RecvError::Lagged(missed)) => {
                (self.first, self.later) = self.shared.subscribe();
                Some(ServerChange::Lagged(missed))
            }
        }
    }
}
