//! The tap: panes' output through their pipes, held by descriptor.
//!
//! tmux starts a helper for each pane (`pipe-pane`), which hands its end of the pipe over to us and
//! ends. From then on the server writes the pane's bytes to us as they are: no octal, no process
//! for the pane, no client that output could crash the server through, and the tail of a pane that
//! ends is there.
//!
//! - [`helper`]: the program that tmux starts. [`word`]: what it says of the pane.
//! - [`lines`]: what is said to tmux. [`receiver`]: where the helpers bring the pipes to.
//! - [`panes`]: what to do about each pane. [`reader`]: reads the pipes. [`streams`]: what waits for
//!   the consumer.
//! - [`run`]: the task that has all of it.

mod helper;
mod lines;
mod panes;
mod reader;
mod receiver;
mod run;
mod streams;
mod word;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use helper::{TapHelper, hand_over};
pub use lines::TAP_HOOK_INDEX;
use streams::Streams;

use super::events::Batch;
use super::flow::Budget;
use super::screen::Backfill;
use super::server::Reach;

/// How the panes of a server are to be tapped: see [`Server::tap`](super::Server::tap).
///
/// A pane has room for one pipe. One that its user has opened is left alone, and said
/// ([`Event::Untapped`](super::Event::Untapped)); the pane is taken when it is gone. While the tap
/// is on, a `pipe-pane` of the user's replaces ours, and `pipe-pane -o` closes it.
///
/// New panes are taken by hooks, `after-new-window[7301]` and its like ([`TAP_HOOK_INDEX`]), which
/// are set globally and removed at the end; hooks at other indexes are not touched. A pane that no
/// hook tells of (up to 3.7c: one that is made by a hook of the user's; everywhere: one in a
/// session with hooks of its own) is found by listing. It begins with a
/// [`Resync`](super::Event::Resync), as do panes that were there before.
///
/// One tap has a server at a time. One that was killed leaves hooks that do nothing, and the next
/// one replaces them.
///
/// ```no_run
/// # async fn example(server: tmux_cc::client::Server) -> Result<(), Box<dyn std::error::Error>> {
/// use tmux_cc::client::{Event, Tap, TapHelper};
///
/// // A program that begins as the example of `TapHelper` does.
/// let helper = TapHelper::this_program()?.arg("tap-helper");
/// let mut output = server.tap(Tap::new(helper)).await?;
/// while let Some(batch) = output.recv().await {
///     for event in batch.iter() {
///         if let Event::Output(output) = event {
///             println!("{} {} bytes", output.pane, output.data.decoded_len());
///         }
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Tap {
    helper: TapHelper,
    budget: Budget,
    backfill: Backfill,
    rest: Duration,
}

impl Tap {
    /// A tap with that helper.
    #[must_use]
    pub fn new(helper: TapHelper) -> Self {
        Self {
            helper,
            budget: Budget::default(),
            backfill: Backfill::Screen,
            rest: reader::REST,
        }
    }

    /// How long reading rests after it has read something, 1 ms by default: what comes meanwhile is
    /// read in one go. A consumer that is in no hurry has the less work the longer that is, down to a
    /// tenth for 50 panes that redraw all the time and 50 ms. A pane that floods is read more often
    /// all the same.
    #[must_use]
    pub fn rest(mut self, rest: Duration) -> Self {
        self.rest = rest;
        self
    }

    /// How much output may wait for a slow consumer, over all panes. What does not fit is not
    /// waited for: the pane's pipe is closed, and taken again when there is room.
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// What of a pane's past comes with each resync; the screen by default.
    #[must_use]
    pub fn backfill(mut self, backfill: Backfill) -> Self {
        self.backfill = backfill;
        self
    }

    pub(super) async fn start(self, reach: Reach) -> Result<TapOutput, TapError> {
        let streams = Arc::new(Streams::new(self.budget, reach.meter()));
        let stop = CancellationToken::new();
        let (ready, started) = oneshot::channel();
        let task = run::Task::new(self, reach, Arc::clone(&streams))?;
        let task = tokio::spawn(task.run(ready, stop.clone()));
        let output = TapOutput {
            streams,
            stop,
            task: Some(task),
        };
        match started.await {
            Ok(Ok(())) => Ok(output),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(TapError::Closed),
        }
    }
}

/// Why a server cannot be tapped.
///
/// No example: an error, to be shown or handed on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TapError {
    /// Another tap has the server.
    #[error("the panes of this server are tapped already, by whoever listens on {}", socket.display())]
    Taken {
        /// Where that one listens.
        socket: std::path::PathBuf,
    },
    /// The helper cannot be named to tmux.
    #[error("the helper's path or arguments cannot be used")]
    Helper(#[source] io::Error),
    /// The helper's path and arguments are too long for tmux.
    #[error("the helper's path and arguments are too long: {length} bytes when quoted")]
    HelperTooLong {
        /// How long they are when quoted.
        length: usize,
    },
    /// There is no place for the socket that the helpers connect to.
    #[error("cannot listen for the helpers")]
    Listen(#[source] io::Error),
    /// There is no thread for reading.
    #[error("cannot start to read")]
    Read(#[source] io::Error),
    /// The system has no random bytes for the token.
    #[error("no random bytes")]
    Random,
    /// tmux does not take the hooks, in these words.
    #[error("tmux refused the hooks: {}", crate::wire::Shown(said))]
    Refused {
        /// tmux's words.
        said: Vec<u8>,
    },
    /// The server is no longer followed.
    #[error("the server is no longer followed")]
    Closed,
}

/// The output of all panes of a server: batches of [`Event::Output`](super::Event::Output) with
/// [raw](super::PaneBytes::Raw) bytes, [`Event::Resync`](super::Event::Resync),
/// [`Event::Untapped`](super::Event::Untapped) and [`Event::Ended`](super::Event::Ended).
///
/// A pane that is born while the tap is on is there from its first byte, also where it has ended
/// before anybody looked: its stream begins with epoch 0 and offset 0, without a resync. What the
/// server reads of it is delivered, to the last byte; but a server does not always read the last
/// bytes of a program that ends while the machine is busy. It takes its terminal for empty when
/// the system has not moved the rest yet (`window.c`, `window_pane_destroy_ready`, up to 3.8 at
/// least), and neither its own screen nor any pipe shows them. So what is lost at an end is
/// [unknown](super::Loss::Unknown). A pane that is killed while it prints may lose what the server
/// had read and not yet written.
///
/// It goes on from one life of the server to the next, and ends when the
/// [`Server`](super::Server) is closed. Dropping it ends the tap as [`close`](Self::close) does,
/// without waiting for that, and as far as there is a runtime left to do it.
///
/// Example: [`Tap`].
#[derive(Debug)]
pub struct TapOutput {
    streams: Arc<Streams>,
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl TapOutput {
    /// Waits for the next batch.
    ///
    /// Cancelling it loses nothing.
    pub async fn recv(&mut self) -> Option<Batch> {
        std::future::poll_fn(|cx| self.streams.poll_batch(cx)).await
    }

    /// Begins to end the tap: what has come by then can still be received, and then the stream
    /// ends.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Ends the tap, and waits until there is nothing left of it: no hook, no pipe, no socket.
    pub async fn close(mut self) {
        self.stop.cancel();
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
    }
}

impl Stream for TapOutput {
    type Item = Batch;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Batch>> {
        self.streams.poll_batch(cx)
    }
}

impl Drop for TapOutput {
    fn drop(&mut self) {
        self.stop.cancel();
        self.streams.close();
    }
}
