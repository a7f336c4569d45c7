//! A subscription, as its consumer has it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::shared::{Shared, WatchId};
use crate::client::subscription::{Reported, Subscription, Watch};

/// The values of a [`Subscription`], as they change.
///
/// It begins with what each is when first told, and goes on over clients that end and from one
/// life of the server to the next. Who is slow gets of each subject the latest value. It ends when
/// the [`Server`](super::Server) is closed; dropping it ends the subscription.
///
/// ```no_run
/// # async fn example(server: tmux_cc::client::Server) {
/// use tmux_cc::client::Subscription;
///
/// let mut titles = server.subscribe(Subscription::panes("#{pane_title}"));
/// while let Some(found) = titles.recv().await {
///     println!("{:?} is called {}", found.pane, found.value.escape_ascii());
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Subscribed {
    shared: Arc<Shared>,
    id: WatchId,
    watch: Arc<Watch>,
}

impl Subscribed {
    pub(super) fn new(shared: Arc<Shared>, subscription: Subscription) -> Self {
        let (id, watch) = shared.add_watch(subscription);
        Self { shared, id, watch }
    }

    /// Waits for the next value.
    ///
    /// Cancelling it loses nothing.
    pub async fn recv(&mut self) -> Option<Reported> {
        std::future::poll_fn(|cx| self.watch.poll(cx)).await
    }
}

impl Stream for Subscribed {
    type Item = Reported;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Reported>> {
        self.watch.poll(cx)
    }
}

impl Drop for Subscribed {
    fn drop(&mut self) {
        self.shared.remove_watch(self.id);
    }
}
