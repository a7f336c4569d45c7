//! Flow control: a bounded queue between clients that read and one consumer that may be slow.

mod intake;
mod owners;
mod pane;
mod state;
mod stitch;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::sync::Notify;

use super::events::{Batch, Cause, Ending, Item};
use super::health::Meter;
use super::output::{OutputRequest, Policy};
use crate::wire::{PaneId, SessionId};
pub(super) use intake::Intake;
use pane::{Flow, Owner, PaneFlow};
use state::{Source, State};
pub(super) use stitch::{Asked, Stitch};

/// How many bytes may wait for a slow consumer.
///
/// Past half of it, panes that hold more than their share are paused, past all of it every pane
/// that prints; each goes on, with a [`Resync`](super::Resync), once the queue is a quarter full. What is counted
/// are the bytes read, so what a batch keeps alive. Replies do not pass through here.
///
/// ```
/// use tmux_cc::client::{Budget, OutputRequest, PaneFilter};
///
/// let small = OutputRequest::from(PaneFilter::all()).budget(Budget::bytes(1 << 20));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    bytes: usize,
}

impl Budget {
    /// A budget in bytes; one below 64 KiB, which is a single read, counts as that.
    #[must_use]
    pub fn bytes(bytes: usize) -> Self {
        Self {
            bytes: bytes.max(64 << 10),
        }
    }

    /// Is so much little enough for panes that were held back to go on?
    pub(super) const fn has_room(self, bytes: usize) -> bool {
        bytes <= self.bytes / 4
    }

    /// With so much waiting, of so many panes, is one that has `queued` of it over its share?
    pub(super) const fn is_over(self, bytes: usize, holders: usize, queued: usize) -> bool {
        let holders = if holders == 0 { 1 } else { holders };
        let half = self.bytes / 2;
        bytes >= self.bytes || (bytes >= half && queued >= half / holders)
    }
}

impl Default for Budget {
    /// 8 MiB.
    fn default() -> Self {
        Self { bytes: 8 << 20 }
    }
}

/// A client that delivers into an inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SourceId(u64);

/// What a client's driver is asked to do for the sake of flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// `refresh-client -A '%P:pause'`.
    Pause(PaneId),
    /// `refresh-client -A '%P:continue'`.
    Continue(PaneId),
    /// Send anything, and report when its reply has come: all output before it has come too.
    Barrier(Vec<PaneId>),
    /// Leave the server.
    Detach,
}

/// A queue of batches with a budget, filled by the drivers of one or more clients.
#[derive(Debug)]
pub(super) struct Inbox {
    state: Mutex<State>,
    budget: Budget,
    to_stitch: Arc<Notify>,
    /// Are lines kept, and does the stream end with its last source? So for the events of one
    /// client; the merged output of a server holds nothing but output.
    events: bool,
    meter: Arc<Meter>,
}

impl Inbox {
    /// The events of one client.
    pub(super) fn events(budget: Budget, meter: Arc<Meter>) -> Arc<Self> {
        Self::new(budget, OutputRequest::default(), true, meter)
    }

    /// The merged output of many; the request's own budget goes before the one given.
    pub(super) fn merged(budget: Budget, request: OutputRequest, meter: Arc<Meter>) -> Arc<Self> {
        let budget = request.budget.unwrap_or(budget);
        Self::new(budget, request, false, meter)
    }

    fn new(budget: Budget, request: OutputRequest, events: bool, meter: Arc<Meter>) -> Arc<Self> {
        let state = State::new(budget, request, Arc::clone(&meter));
        Arc::new(Self {
            to_stitch: Arc::clone(&state.to_stitch),
            state: Mutex::new(state),
            budget,
            events,
            meter,
        })
    }

    /// Counts what happens here and to who delivers.
    pub(super) fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing below leaves the state half changed, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new source, and what tells its driver that there are orders.
    pub(super) fn register(&self, session: Option<SessionId>) -> (SourceId, Arc<Notify>) {
        let mut state = self.lock();
        let id = SourceId(state.next_source);
        state.next_source += 1;
        let notify = Arc::new(Notify::new());
        let source = Source {
            name: Vec::new(),
            session,
            watermark: None,
            orders: Vec::new(),
            notify: Arc::clone(&notify),
            paused: HashMap::new(),
            pausing: HashMap::new(),
        };
        state.sources.insert(id, source);
        (id, notify)
    }

    /// Panes above `highest` will be born after the source attached: their first byte is the first.
    pub(super) fn set_watermark(&self, source: SourceId, highest: PaneId) {
        if let Some(source) = self.lock().sources.get_mut(&source) {
            source.watermark = Some(highest);
        }
    }

    /// What tmux calls the client.
    pub(super) fn set_name(&self, source: SourceId, name: &[u8]) {
        if let Some(source) = self.lock().sources.get_mut(&source) {
            source.name = name.to_vec();
        }
        // Screens may have waited for it.
        self.to_stitch.notify_one();
    }

    pub(super) fn take_orders(&self, source: SourceId) -> Vec<Order> {
        self.lock()
            .sources
            .get_mut(&source)
            .map(|s| mem::take(&mut s.orders))
            .unwrap_or_default()
    }

    /// The next batch for the consumer, which makes room for paused panes.
    pub(super) fn poll_batch(&self, cx: &Context<'_>) -> Poll<Option<Batch>> {
        let mut state = self.lock();
        if state.queue.is_empty() {
            // Nothing may follow for long that could say it.
            let lagged = Vec::from_iter(state.lagged());
            state.enqueue(Bytes::new(), lagged);
        }
        if state.queue.is_empty() {
            // It may say what was dropped.
            state.resume();
        }
        let Some(batch) = state.queue.pop_front() else {
            if state.finished || (self.events && state.sources.is_empty()) {
                return Poll::Ready(None);
            }
            state.waker = Some(cx.waker().clone());
            return Poll::Pending;
        };
        state.taken(&batch);
        if self.budget.has_room(state.bytes) {
            state.resume();
        }
        Poll::Ready(Some(batch))
    }

    /// What a driver was asked to do is done, or cannot be done any more.
    pub(super) fn settled(&self, source: SourceId, order: &Order) {
        let mut state = self.lock();
        let state = &mut *state;
        match order {
            Order::Barrier(panes) => state.end(panes, &Ending::Pane),
            Order::Detach => {}
            Order::Pause(pane) => state.pause_settled(source, *pane),
            // tmux has said `%continue` before it answered, unless the pane was running already.
            Order::Continue(pane) => {
                if state.flow(source, *pane) == Some(Flow::Resuming) {
                    let items = Vec::from_iter(state.continued(source, *pane));
                    state.enqueue(Bytes::new(), items);
                }
            }
        }
    }

    /// Has the consumer gone?
    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// The consumer has gone: nothing more is kept, though panes are still followed.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        // A driver whose handles have gone too leaves now.
        state
            .sources
            .values()
            .for_each(|source| source.notify.notify_one());
        state.queue.clear();
        state.bytes = 0;
        state.holders = 0;
        for flow in state.panes.values_mut() {
            (flow.queued, flow.screens) = (0, 0);
            flow.held.clear();
        }
        state.resume();
    }

    /// No source will ever come again.
    pub(super) fn finish(&self) {
        let mut state = self.lock();
        state.finished = true;
        state.wake();
    }

    /// From now on that is done about a pane.
    pub(super) fn set_policy(&self, pane: PaneId, policy: Policy) {
        let mut state = self.lock();
        state.policies.insert(pane, policy);
        let backfill = state.request.backfill;
        if let Some(flow) = state.panes.get_mut(&pane) {
            flow.set_policy(policy, backfill);
            if flow.is_stitched() && flow.flow == Flow::Resuming {
                state.pause(pane);
            }
        }
        if self.budget.has_room(state.bytes) {
            state.resume();
        }
    }

    /// A source has ended; the panes it delivered have a gap from here on.
    pub(super) fn remove(&self, source: SourceId) {
        let mut state = self.lock();
        let orders = state.sources.remove(&source).map(|source| source.orders);
        let mut items = Vec::new();
        let owned = |flow: &PaneFlow| flow.owner == Owner::Source(source);
        let panes: Vec<_> = state
            .panes
            .iter()
            .filter(|(_, flow)| owned(flow))
            .map(|(&pane, _)| pane)
            .collect();
        for pane in panes {
            state.release_held(pane);
            if let Some(flow) = state.panes.get_mut(&pane) {
                flow.owner = Owner::Nobody;
                flow.flow = Flow::Live;
                items.extend(flow.break_off(pane, Cause::Disconnected));
            }
        }
        items.sort_by_key(|item| match item {
            Item::Resync(resync) => resync.pane,
            _ => PaneId(0),
        });
        if self.events {
            // The stream ends here; `Exited` has said so.
            items.clear();
        }
        state.enqueue(Bytes::new(), items);
        for order in orders.unwrap_or_default() {
            if let Order::Barrier(panes) = order {
                state.end(&panes, &Ending::Pane);
            }
        }
        state.wake();
    }
}
