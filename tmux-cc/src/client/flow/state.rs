//! What an inbox knows: panes, who delivers them, and what waits.

use std::collections::{HashMap, HashSet, VecDeque};
use std::mem;
use std::sync::Arc;
use std::task::Waker;

use bytes::Bytes;
use tokio::sync::Notify;

use super::{Budget, Order, SourceId};
use crate::client::events::{Batch, Cause, Data, Ended, Ending, Item, Loss, Resync};
use crate::client::health::Meter;
use crate::client::identity::Identity;
use crate::wire::{PaneId, SessionId};

/// Where a pane's flow stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// Output is taken.
    Live,
    /// It is dropped; the server has been asked to pause the pane.
    Pausing,
    /// The server has paused it.
    Paused,
    /// It has been asked to continue.
    Resuming,
}

/// Who delivers a pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Whoever delivers it first.
    Unclaimed,
    /// One client; the others' copies are dropped.
    Source(SourceId),
    /// Nobody until [`Inbox::assign`](super::Inbox::assign) says so: the client that did has gone.
    Nobody,
}

#[derive(Debug)]
pub(super) struct PaneFlow {
    pub(super) owner: Owner,
    pub(super) flow: Flow,
    pub(super) epoch: u32,
    pub(super) offset: u64,
    /// Bytes of it in the queue.
    pub(super) queued: usize,
    /// Decoded bytes dropped since the last that was taken.
    pub(super) dropped: u64,
    /// Has a resync been said since the last byte?
    pub(super) said: bool,
    /// Has the pane gone, so that nothing more is to be asked for it?
    pub(super) ending: bool,
    /// Did the last listing not show it?
    pub(super) unlisted: bool,
}

impl PaneFlow {
    /// The next stretch, and the item that says so.
    pub(super) fn resync(&mut self, pane: PaneId, cause: Cause) -> Item {
        self.epoch += u32::from(cause != Cause::FirstSight);
        self.offset = 0;
        self.said = true;
        let loss = Loss::Unknown {
            at_least: mem::take(&mut self.dropped),
        };
        Item::Resync(Box::new(Resync {
            pane,
            epoch: self.epoch,
            cause,
            loss,
            screen: None,
        }))
    }
}

#[derive(Debug)]
pub(super) struct Source {
    /// The session it was made for; one that finds itself elsewhere is sent away.
    pub(super) session: Option<SessionId>,
    /// The highest pane that was there when it attached; panes above were born under its eyes.
    pub(super) watermark: Option<PaneId>,
    pub(super) orders: Vec<Order>,
    pub(super) notify: Arc<Notify>,
    /// Panes that it does not deliver and has paused, and whether the server has confirmed that.
    pub(super) paused: HashMap<PaneId, bool>,
}

impl Source {
    pub(super) fn order(&mut self, order: Order) {
        self.orders.push(order);
        self.notify.notify_one();
    }
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) queue: VecDeque<Batch>,
    /// Bytes that the queue keeps alive.
    pub(super) bytes: usize,
    pub(super) panes: HashMap<PaneId, PaneFlow>,
    /// Panes that have been seen where nobody delivers them, and have not been delivered since.
    pub(super) elsewhere: HashSet<PaneId>,
    /// Panes that wait to be continued.
    pub(super) waiting: Vec<PaneId>,
    /// Panes with bytes in the queue.
    pub(super) holders: usize,
    pub(super) sources: HashMap<SourceId, Source>,
    pub(super) next_source: u64,
    pub(super) server: Option<Arc<Identity>>,
    pub(super) lagged: u64,
    pub(super) waker: Option<Waker>,
    /// Has the consumer gone?
    pub(super) closed: bool,
    /// Will no source ever come again?
    pub(super) finished: bool,
    meter: Arc<Meter>,
}

impl State {
    pub(super) fn new(meter: Arc<Meter>) -> Self {
        Self {
            queue: VecDeque::new(),
            bytes: 0,
            panes: HashMap::new(),
            elsewhere: HashSet::new(),
            waiting: Vec::new(),
            holders: 0,
            sources: HashMap::new(),
            next_source: 0,
            server: None,
            lagged: 0,
            waker: None,
            closed: false,
            finished: false,
            meter,
        }
    }

    /// Counts output of a pane, and says where in its stream it stands if it is taken.
    pub(super) fn take_output(
        &mut self,
        source: SourceId,
        pane: PaneId,
        len: usize,
        decoded: usize,
        budget: Budget,
        items: &mut Vec<Item>,
    ) -> Option<(u32, u64)> {
        if !self.panes.contains_key(&pane) {
            self.first_sight(pane, source, items);
        }
        let (bytes, holders) = (self.bytes, self.holders.max(1));
        let flow = self.panes.get_mut(&pane)?;
        if flow.owner == Owner::Unclaimed {
            flow.owner = Owner::Source(source);
        }
        if flow.owner != Owner::Source(source) {
            self.keep_paused(source, pane);
            return None;
        }
        if flow.flow == Flow::Live && !self.closed {
            let share = budget.bytes / 2 / holders;
            let over = bytes >= budget.bytes || (bytes >= budget.bytes / 2 && flow.queued >= share);
            if !over {
                if flow.queued == 0 {
                    self.holders += 1;
                }
                flow.queued += len;
                flow.said = false;
                let offset = flow.offset;
                flow.offset += decoded as u64;
                return Some((flow.epoch, offset));
            }
            flow.flow = Flow::Pausing;
            if let Some(source) = self.sources.get_mut(&source) {
                source.order(Order::Pause(pane));
            }
        }
        flow.dropped += decoded as u64;
        None
    }

    /// A pane that nobody has delivered before.
    pub(super) fn first_sight(&mut self, pane: PaneId, source: SourceId, items: &mut Vec<Item>) {
        let watermark = self
            .sources
            .get(&source)
            .and_then(|source| source.watermark);
        let born_here =
            watermark.is_some_and(|highest| pane > highest) && !self.elsewhere.remove(&pane);
        let mut flow = PaneFlow {
            owner: Owner::Source(source),
            flow: Flow::Live,
            epoch: 0,
            offset: 0,
            queued: 0,
            dropped: 0,
            said: false,
            ending: false,
            unlisted: false,
        };
        if !born_here {
            items.push(flow.resync(pane, Cause::FirstSight));
        }
        self.panes.insert(pane, flow);
    }

    /// Which source delivers a pane.
    pub(super) fn owner(&self, pane: PaneId) -> Option<SourceId> {
        match self.panes.get(&pane)?.owner {
            Owner::Source(owner) => Some(owner),
            Owner::Unclaimed | Owner::Nobody => None,
        }
    }

    /// Where a pane's flow stands, if that source delivers it.
    pub(super) fn flow(&self, source: SourceId, pane: PaneId) -> Option<Flow> {
        (self.owner(pane) == Some(source)).then(|| self.panes.get(&pane).map(|flow| flow.flow))?
    }

    /// Nobody delivers the pane any more, and who did pauses it: there is a gap from here on.
    pub(super) fn take_away(&mut self, pane: PaneId) {
        let Some(owner) = self.owner(pane) else {
            return;
        };
        if let Some(flow) = self.panes.get_mut(&pane) {
            if let Some(source) = self.sources.get_mut(&owner) {
                source.paused.insert(pane, flow.flow == Flow::Paused);
                if matches!(flow.flow, Flow::Live | Flow::Resuming) {
                    source.order(Order::Pause(pane));
                }
            }
            flow.owner = Owner::Nobody;
            flow.flow = Flow::Live;
            let item = flow.resync(pane, Cause::Moved);
            self.enqueue(Bytes::new(), vec![item]);
        }
    }

    /// A source delivers the pane from now on.
    ///
    /// What it has on its way may be older than what another has delivered, so it begins with a
    /// pause. It is continued only when that is confirmed: on its way out of tmux, output of a pane
    /// can overtake `%pause` and `%continue`, though not while it is paused (`control.c`,
    /// `control_write_callback`).
    pub(super) fn give(&mut self, pane: PaneId, owner: SourceId) {
        if !self.panes.contains_key(&pane) {
            let mut items = Vec::new();
            self.first_sight(pane, owner, &mut items);
            self.enqueue(Bytes::new(), items);
            let source = self.sources.get(&owner);
            if !source.is_some_and(|source| source.paused.contains_key(&pane)) {
                return;
            }
            // It had left the source before it printed anything, and is paused there.
        }
        let Some(flow) = self.panes.get_mut(&pane) else {
            return;
        };
        flow.owner = Owner::Source(owner);
        flow.flow = Flow::Pausing;
        let Some(source) = self.sources.get_mut(&owner) else {
            return;
        };
        match source.paused.remove(&pane) {
            None => source.order(Order::Pause(pane)),
            Some(false) => {}
            Some(true) => {
                flow.flow = Flow::Paused;
                self.waiting.push(pane);
            }
        }
    }

    /// A source that does not deliver the pane has it paused, once.
    pub(super) fn keep_paused(&mut self, source: SourceId, pane: PaneId) {
        if let Some(source) = self.sources.get_mut(&source)
            && !source.paused.contains_key(&pane)
        {
            source.paused.insert(pane, false);
            source.order(Order::Pause(pane));
        }
    }

    /// The server has paused a pane.
    pub(super) fn paused(&mut self, source: SourceId, pane: PaneId, budget: Budget) {
        let asked = |source: &mut Source| source.paused.get_mut(&pane).map(|done| *done = true);
        if self.sources.get_mut(&source).and_then(asked).is_some() {
            return;
        }
        if !self.panes.contains_key(&pane) {
            // It was paused before it had printed anything that came.
            let mut items = Vec::new();
            self.first_sight(pane, source, &mut items);
            self.enqueue(Bytes::new(), items);
        }
        let Some(flow) = self.panes.get_mut(&pane) else {
            return;
        };
        if flow.owner != Owner::Source(source) {
            if let Some(source) = self.sources.get_mut(&source) {
                source.paused.insert(pane, true);
            }
            return;
        }
        flow.flow = Flow::Paused;
        self.meter.paused(pane);
        self.waiting.push(pane);
        if self.bytes <= budget.bytes / 4 {
            self.resume();
        }
    }

    /// The server delivers a pane again.
    pub(super) fn continued(&mut self, source: SourceId, pane: PaneId) -> Option<Item> {
        let flow = self.panes.get_mut(&pane)?;
        if flow.owner != Owner::Source(source) {
            return None;
        }
        flow.flow = Flow::Live;
        // What was dropped behind a resync, with nothing taken since, is a part of that gap.
        (!flow.said).then(|| flow.resync(pane, Cause::Paused))
    }

    /// There is room: lets the panes that wait go on.
    pub(super) fn resume(&mut self) {
        for pane in mem::take(&mut self.waiting) {
            let Some(flow) = self.panes.get_mut(&pane) else {
                continue;
            };
            if flow.flow != Flow::Paused || flow.ending {
                continue;
            }
            if let Owner::Source(owner) = flow.owner
                && let Some(source) = self.sources.get_mut(&owner)
            {
                flow.flow = Flow::Resuming;
                source.order(Order::Continue(pane));
            }
        }
    }

    /// A client that has been moved to another session would deliver what others do already.
    pub(super) fn on_session(&mut self, source: SourceId, session: SessionId) {
        if let Some(source) = self.sources.get_mut(&source)
            && source.session.is_some_and(|own| own != session)
        {
            source.order(Order::Detach);
        }
    }

    pub(super) fn end(&mut self, panes: &[PaneId], why: &Ending) {
        let mut items = Vec::new();
        for &pane in panes {
            let Some(flow) = self.panes.remove(&pane) else {
                continue;
            };
            if flow.queued > 0 {
                self.holders = self.holders.saturating_sub(1);
            }
            items.push(Item::Ended(Box::new(Ended {
                pane,
                epoch: flow.epoch,
                offset: flow.offset,
                loss: Loss::Unknown {
                    at_least: flow.dropped,
                },
                why: why.clone(),
            })));
        }
        self.enqueue(Bytes::new(), items);
    }

    /// What has been dropped of what is not output, to be said.
    pub(super) fn lagged(&mut self) -> Option<Item> {
        let count = mem::take(&mut self.lagged);
        if count == 0 {
            return None;
        }
        self.meter.lagged(count);
        Some(Item::Lagged(count))
    }

    pub(super) fn enqueue(&mut self, chunk: Bytes, items: Vec<Item>) {
        self.enqueue_of(None, chunk, items);
    }

    pub(super) fn enqueue_of(
        &mut self,
        session: Option<SessionId>,
        chunk: Bytes,
        items: Vec<Item>,
    ) {
        if items.is_empty() || self.closed {
            return;
        }
        for item in &items {
            if let Item::Resync(resync) = item {
                self.meter.resync(resync);
            }
        }
        self.bytes += weight(&chunk, &items);
        self.queue.push_back(Batch {
            server: self.server.clone(),
            session,
            chunk,
            items,
        });
        self.wake();
    }

    pub(super) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// What a batch keeps alive, in bytes: its chunk and its items.
pub(super) fn weight(chunk: &Bytes, items: &[Item]) -> usize {
    let own: usize = items
        .iter()
        .map(|item| match item {
            Item::Output {
                data: Data::Own(own),
                ..
            }
            | Item::Line(Data::Own(own)) => own.len(),
            Item::Block(block) => block.body().len(),
            _ => 0,
        })
        .sum();
    chunk.len() + own + size_of_val(items)
}
