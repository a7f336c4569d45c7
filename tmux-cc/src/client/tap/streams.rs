//! What waits for the consumer: batches with a budget, and where each pane's stream stands.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::client::events::{Batch, Cause, Data, Ended, Ending, Item, Loss, Resync};
use crate::client::flow::Budget;
use crate::client::health::Meter;
use crate::client::identity::Identity;
use crate::client::screen::Screen;
use crate::wire::PaneId;

/// How a stretch of a pane's stream begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// With the pane's first byte: nothing is said.
    Birth,
    /// Behind a gap, and with how the pane looks then.
    Gap(Cause, Option<Arc<Screen>>),
}

/// A pane's stream, as far as it has come.
#[derive(Debug, Default)]
struct Flow {
    epoch: u32,
    /// Bytes of this stretch so far.
    offset: u64,
    /// Bytes of it in the queue.
    queued: usize,
    /// Bytes that were dropped since the last that was taken.
    dropped: u64,
    /// Is it over its share, so that nothing is taken until it begins anew?
    over: bool,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Batch>,
    /// Bytes that the queue keeps alive.
    bytes: usize,
    panes: HashMap<PaneId, Flow>,
    /// Panes with bytes in the queue.
    holders: usize,
    /// Panes that were over their share, and have not begun anew.
    over: usize,
    server: Option<Arc<Identity>>,
    waker: Option<Waker>,
    /// Has the consumer gone?
    closed: bool,
    /// Will nothing come any more?
    finished: bool,
}

fn wake(state: &mut State) {
    if !state.queue.is_empty()
        && let Some(waker) = state.waker.take()
    {
        waker.wake();
    }
}

/// The streams of all panes of a tap.
#[derive(Debug)]
pub(super) struct Streams {
    state: Mutex<State>,
    budget: Budget,
    meter: Arc<Meter>,
    /// Rung when there is room for panes that were over their share.
    room: Notify,
}

impl Streams {
    pub(super) fn new(budget: Budget, meter: Arc<Meter>) -> Self {
        Self {
            state: Mutex::default(),
            budget,
            meter,
            room: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing below leaves the state half changed, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on batches are of this server.
    pub(super) fn set_server(&self, server: Arc<Identity>) {
        self.lock().server = Some(server);
    }

    /// A pane's bytes come from now on, and how that is.
    pub(super) fn begin(&self, pane: PaneId, begin: Begin) {
        let mut state = self.lock();
        let state = &mut *state;
        let known = state.panes.contains_key(&pane);
        let flow = state.panes.entry(pane).or_default();
        if std::mem::take(&mut flow.over) {
            state.over -= 1;
        }
        let (cause, screen) = match begin {
            Begin::Birth if !known => return,
            // It is not born twice: a program was started in it anew.
            Begin::Birth => (Cause::PipeClosed, None),
            Begin::Gap(cause, screen) => (cause, screen),
        };
        flow.epoch += u32::from(known);
        flow.offset = 0;
        let resync = Resync {
            pane,
            epoch: flow.epoch,
            cause: if known { cause } else { Cause::FirstSight },
            loss: Loss::Unknown {
                at_least: std::mem::take(&mut flow.dropped),
            },
            screen,
        };
        self.enqueue(state, Bytes::new(), vec![Item::Resync(Box::new(resync))]);
        wake(state);
    }

    /// Takes what was read of a pane; calls `over` where it has more than its share, so that
    /// nothing is taken of it until it begins anew. The consumer is not woken: [`wake`](Self::wake)
    /// does that once for all panes of a round.
    pub(super) fn push(&self, pane: PaneId, chunk: Bytes, over: impl FnOnce()) {
        let mut state = self.lock();
        let state = &mut *state;
        let flow = state.panes.entry(pane).or_default();
        let budget = self.budget;
        let is_over = budget.is_over(state.bytes, state.holders, flow.queued);
        if flow.over || state.closed || is_over {
            flow.dropped += chunk.len() as u64;
            if !flow.over && !state.closed {
                flow.over = true;
                state.over += 1;
                over();
            }
            return;
        }
        state.holders += usize::from(flow.queued == 0);
        flow.queued += chunk.len();
        let item = Item::Output {
            pane,
            epoch: flow.epoch,
            offset: flow.offset,
            age: 0,
            data: Data::Chunk(0..chunk.len()),
            raw: true,
        };
        flow.offset += chunk.len() as u64;
        self.enqueue(state, chunk, vec![item]);
    }

    /// Wakes the consumer, where something waits for it.
    pub(super) fn wake(&self) {
        wake(&mut self.lock());
    }

    /// Is there room for panes that were over their share?
    pub(super) fn has_room(&self) -> bool {
        self.budget.has_room(self.lock().bytes)
    }

    /// Waits until there is.
    pub(super) async fn room(&self) {
        self.room.notified().await;
    }

    /// A pane has a pipe that is none of ours.
    pub(super) fn untapped(&self, pane: PaneId) {
        let mut state = self.lock();
        self.enqueue(&mut state, Bytes::new(), vec![Item::Untapped(pane)]);
        wake(&mut state);
    }

    /// A pane's stream has ended; one of which nothing was ever said has none.
    pub(super) fn end(&self, pane: PaneId, why: &Ending) {
        let mut state = self.lock();
        if let Some(item) = Self::ended(&mut state, pane, why) {
            self.enqueue(&mut state, Bytes::new(), vec![item]);
            wake(&mut state);
        }
    }

    /// All of them have.
    pub(super) fn end_all(&self, why: &Ending) {
        let mut state = self.lock();
        let mut panes: Vec<_> = state.panes.keys().copied().collect();
        panes.sort();
        let ended = |pane| Self::ended(&mut state, pane, why);
        let items = panes.into_iter().filter_map(ended).collect();
        self.enqueue(&mut state, Bytes::new(), items);
        state.server = None;
        wake(&mut state);
    }

    fn ended(state: &mut State, pane: PaneId, why: &Ending) -> Option<Item> {
        let flow = state.panes.remove(&pane)?;
        state.holders -= usize::from(flow.queued > 0);
        state.over -= usize::from(flow.over);
        let at_least = flow.dropped;
        Some(Item::Ended(Box::new(Ended {
            pane,
            epoch: flow.epoch,
            offset: flow.offset,
            // What the server did not read of a pane that has ended, nobody can count.
            loss: Loss::Unknown { at_least },
            why: why.clone(),
        })))
    }

    fn enqueue(&self, state: &mut State, chunk: Bytes, items: Vec<Item>) {
        if items.is_empty() || state.closed {
            return;
        }
        for item in &items {
            if let Item::Resync(resync) = item {
                self.meter.resync(resync);
            }
        }
        let batch = Batch::new(state.server.clone(), None, chunk, items);
        state.bytes += batch.weight;
        state.queue.push_back(batch);
    }

    /// The next batch for the consumer, which makes room.
    pub(super) fn poll_batch(&self, cx: &Context<'_>) -> Poll<Option<Batch>> {
        let mut state = self.lock();
        let state = &mut *state;
        let Some(batch) = state.queue.pop_front() else {
            if state.finished {
                return Poll::Ready(None);
            }
            state.waker = Some(cx.waker().clone());
            return Poll::Pending;
        };
        state.bytes -= batch.weight;
        for item in &batch.items {
            // One that has ended is counted no more.
            if let Item::Output { pane, data, .. } = item
                && let Some(flow) = state.panes.get_mut(pane)
                && flow.queued > 0
            {
                flow.queued = flow.queued.saturating_sub(data.len());
                if flow.queued == 0 {
                    state.holders -= 1;
                }
            }
        }
        if state.over > 0 && self.budget.has_room(state.bytes) {
            self.room.notify_one();
        }
        Poll::Ready(Some(batch))
    }

    /// The consumer has gone.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.queue.clear();
        state.bytes = 0;
    }

    /// Nothing will come any more.
    pub(super) fn finish(&self) {
        let mut state = self.lock();
        state.finished = true;
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }
}
