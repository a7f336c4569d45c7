//! The two ends of a control client: one sends commands, the other takes events.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::error::{ClientError, QueryError};
use super::events::Batch;
use super::flow::Inbox;
use super::health::{Health, Meter};
use super::identity::Attached;
use crate::format::{FromFormat, rows};
use crate::protocol::{Block, Command, Exit, Reply, Spoof};

/// What a handle asks of the driver.
#[derive(Debug)]
pub(super) enum Request {
    /// Send a command.
    Command {
        command: Command,
        reply: oneshot::Sender<Result<Reply, ClientError>>,
    },
    /// Leave the server once all that was asked before is written.
    Detach,
}

/// Sends commands to one control client; cheap to clone.
///
/// When the last handle is dropped and [`Events`] too, the client detaches.
///
/// ```no_run
/// # async fn example(client: tmux_cc::client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use tmux_cc::protocol::Command;
///
/// let attached = client.attached();
/// println!("{} of tmux {}", attached.session, attached.server.version);
/// let reply = client.command(Command::new("list-windows")).await?.ok()?;
/// println!("{}", reply.text().escape_ascii());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) requests: mpsc::Sender<Request>,
    pub(super) attached: Arc<Attached>,
    pub(super) exit: Arc<OnceLock<Exit>>,
    pub(super) meter: Arc<Meter>,
}

impl Client {
    /// Sends a command and waits for its whole reply.
    ///
    /// Commands sent one after another are answered in that order, and may be sent without waiting
    /// for the one before. Dropping the future drops the reply, and nothing else: a command that
    /// was sent runs, and the next reply is still the right one. There is no deadline here; see
    /// [`command_within`](Self::command_within).
    ///
    /// # Errors
    /// [`ClientError`]. A command that fails in tmux is no error: see
    /// [`Reply::ok`](crate::protocol::Reply::ok).
    pub async fn command(&self, command: impl Into<Command>) -> Result<Reply, ClientError> {
        let command = command.into();
        let (reply, answer) = oneshot::channel();
        if self
            .requests
            .send(Request::Command { command, reply })
            .await
            .is_err()
        {
            return Err(self.ended());
        }
        match answer.await {
            Ok(result) => result,
            Err(_) => Err(self.ended()),
        }
    }

    /// The same with a deadline.
    ///
    /// # Errors
    /// [`ClientError::Deadline`] when no reply came in time; what else [`ClientError`] names.
    pub async fn command_within(
        &self,
        command: impl Into<Command>,
        deadline: Duration,
    ) -> Result<Reply, ClientError> {
        match timeout(deadline, self.command(command)).await {
            Ok(result) => result,
            Err(_) => Err(ClientError::Deadline { deadline }),
        }
    }

    /// Sends a command that lists something, with `-F` for the row, and reads what it prints.
    ///
    /// The command is one that takes `-F`: `list-panes`, `list-windows`, `list-sessions`,
    /// `list-clients`, `list-buffers`, or `display-message -p` for a single row.
    ///
    /// ```no_run
    /// # async fn example(client: tmux_cc::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use tmux_cc::format::FromFormat;
    /// use tmux_cc::protocol::Command;
    /// use tmux_cc::wire::PaneId;
    ///
    /// #[derive(FromFormat)]
    /// struct Title {
    ///     pane_id: PaneId,
    ///     pane_title: Vec<u8>,
    /// }
    ///
    /// for row in client.rows::<Title>(Command::new("list-panes").flag("-a")).await? {
    ///     println!("{}: {}", row.pane_id, row.pane_title.escape_ascii());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`QueryError`]: the server is too old for the row, which is found before anything is sent;
    /// there is no reply, the command failed, or a row does not read.
    pub async fn rows<T: FromFormat>(
        &self,
        command: impl Into<Command>,
    ) -> Result<Vec<T>, QueryError> {
        T::available_on(self.attached.server.version)?;
        let command = command.into().option("-F", T::FORMAT);
        let reply = self.command(command).await?.ok()?;
        if reply.spoof() == Some(Spoof::Broken) {
            return Err(QueryError::Forged);
        }
        // More than one block is printed where an alias stands for several commands.
        let printed: Vec<u8> = reply
            .blocks()
            .iter()
            .flat_map(Block::body)
            .copied()
            .collect();
        Ok(rows(&printed)?)
    }

    /// Detaches the client: what was sent before still runs, and its replies still come.
    ///
    /// Returns at once; [`Events`] and the driver end when tmux has let it go.
    pub async fn detach(&self) {
        // One that has ended is detached.
        let _ = self.requests.send(Request::Detach).await;
    }

    /// What is known of the client and its server since it was attached.
    #[must_use]
    pub fn attached(&self) -> &Attached {
        &self.attached
    }

    /// How the client ended, once it has.
    #[must_use]
    pub fn exit(&self) -> Option<&Exit> {
        self.exit.get()
    }

    /// How often what has happened to this client so far; to all clients of its
    /// [`Server`](super::Server), where it is one of those.
    #[must_use]
    pub fn health(&self) -> Health {
        self.meter.read()
    }

    fn ended(&self) -> ClientError {
        ClientError::Ended(self.exit.get().cloned().unwrap_or(Exit::Eof))
    }
}

/// The events of one client, in batches: one for each read that brought any.
///
/// Ends after [`Event::Exited`](super::Event::Exited). Dropping it drops the events, not the client.
///
/// Example: [`Attach`](super::Attach).
#[derive(Debug)]
pub struct Events {
    pub(super) inbox: Arc<Inbox>,
}

impl Events {
    /// Waits for the next batch; `None` when the client has ended and all was taken.
    ///
    /// Cancelling it loses nothing.
    pub async fn recv(&mut self) -> Option<Batch> {
        std::future::poll_fn(|cx| self.inbox.poll_batch(cx)).await
    }
}

impl Stream for Events {
    type Item = Batch;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Batch>> {
        self.inbox.poll_batch(cx)
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.inbox.close();
    }
}
