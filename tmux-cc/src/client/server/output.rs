//! A stream of output, as its consumer has it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::shared::{Shared, Streaming};
use crate::client::events::Batch;
use crate::client::output::{OutputRequest, Policy};
use crate::wire::PaneId;

/// The output that was asked for: batches of [`Event::Output`](crate::client::Event::Output),
/// [`Event::Resync`](crate::client::Event::Resync) and
/// [`Event::Ended`](crate::client::Event::Ended).
///
/// It goes on from one life of the server to the next, and ends when the
/// [`Server`](super::Server) is closed. Dropping it detaches its clients.
///
/// Example: [`Server`](super::Server).
#[derive(Debug)]
pub struct ServerOutput {
    shared: Arc<Shared>,
    stream: Streaming,
}

impl ServerOutput {
    pub(super) fn new(shared: Arc<Shared>, request: OutputRequest) -> Self {
        let stream = shared.add_stream(request);
        Self { shared, stream }
    }

    /// Waits for the next batch.
    ///
    /// Cancelling it loses nothing.
    pub async fn recv(&mut self) -> Option<Batch> {
        std::future::poll_fn(|cx| self.stream.inbox.poll_batch(cx)).await
    }

    /// What is done from now on, and in every life of the server, about a pane of that number that
    /// the consumer is too slow for.
    pub fn set_policy(&self, pane: PaneId, policy: Policy) {
        self.stream.inbox.set_policy(pane, policy);
    }
}

impl Stream for ServerOutput {
    type Item = Batch;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Batch>> {
        self.stream.inbox.poll_batch(cx)
    }
}

impl Drop for ServerOutput {
    fn drop(&mut self) {
        self.shared.remove_stream(&self.stream);
    }
}
