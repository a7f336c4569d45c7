//! What an inbox knows: panes, clients that deliver them, and what waits.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::mem;
use std::sync::Arc;
use std::task::Waker;

use bytes::Bytes;
use rustc_hash::FxHashMap;
use tokio::sync::Notify;

use super::pane::{Flow, Owner, PaneFlow, Taken};
use super::stitch::Stitch;
use super::{Budget, Order, SourceId};
use crate::client::events::{Batch, Cause, Ended, Ending, Item, Loss};
use crate::client::health::Meter;
use crate::client::identity::Identity;
use crate::client::output::{OutputRequest, Policy};
use crate::wire::{PaneId, SessionId};

#[derive(Debug)]
pub(super) struct Source {
    /// What tmux calls it.
    pub(super) name: Vec<u8>,
    /// The session it was made for; one that finds itself elsewhere is sent away.
    pub(super) session: Option<SessionId>,
    /// The highest pane that was there when it attached; panes above were born under its eyes.
    pub(super) watermark: Option<PaneId>,
    pub(super) orders: Vec<Order>,
    pub(super) notify: Arc<Notify>,
    /// Panes that it does not deliver and has paused, and whether the server has confirmed that.
    pub(super) paused: HashMap<PaneId, bool>,
    /// How many orders to pause a pane are on their way.
    pub(super) pausing: HashMap<PaneId, usize>,
}

impl Source {
    pub(super) fn order(&mut self, order: Order) {
        if let Order::Pause(pane) = order {
            *self.pausing.entry(pane).or_default() += 1;
        }
        self.orders.push(order);
        self.notify.notify_one();
    }
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) queue: VecDeque<Batch>,
    /// Bytes that the queue keeps alive.
    pub(super) bytes: usize,
    pub(super) panes: FxHashMap<PaneId, PaneFlow>,
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
    /// How many items the last batch had: the next will have about as many.
    pub(super) usual: usize,
    pub(super) budget: Budget,
    pub(super) request: OutputRequest,
    /// Panes that are dealt with in another way than the rest.
    pub(super) policies: HashMap<PaneId, Policy>,
    /// Screens to be asked for.
    pub(super) stitches: Vec<Stitch>,
    /// Told when there is one, or room for one.
    pub(super) to_stitch: Arc<Notify>,
    /// Panes that are dropped until there is room.
    pub(super) droppers: Vec<PaneId>,
    pub(super) waker: Option<Waker>,
    /// Has the consumer gone?
    pub(super) closed: bool,
    /// Will no source ever come again?
    pub(super) finished: bool,
    pub(super) meter: Arc<Meter>,
}

impl State {
    pub(super) fn new(budget: Budget, request: OutputRequest, meter: Arc<Meter>) -> Self {
        Self {
            queue: VecDeque::new(),
            bytes: 0,
            panes: FxHashMap::default(),
            elsewhere: HashSet::new(),
            waiting: Vec::new(),
            holders: 0,
            sources: HashMap::new(),
            next_source: 0,
            server: None,
            lagged: 0,
            usual: 0,
            budget,
            request,
            policies: HashMap::new(),
            stitches: Vec::new(),
            to_stitch: Arc::new(Notify::new()),
            droppers: Vec::new(),
            waker: None,
            closed: false,
            finished: false,
            meter,
        }
    }

    /// Counts output of a pane, and says what becomes of it.
    pub(super) fn take_output(
        &mut self,
        source: SourceId,
        pane: PaneId,
        (len, decoded): (usize, usize),
        items: &mut Vec<Item>,
    ) -> Taken {
        let (bytes, holders, budget) = (self.bytes, self.holders, self.budget);
        let over = |flow: &PaneFlow| budget.is_over(bytes, holders, flow.queued);
        // Nearly every line of a busy stream.
        if let Some(flow) = self.panes.get_mut(&pane)
            && flow.owner == Owner::Source(source)
            && flow.flow == Flow::Live
            && !matches!(flow.policy, Policy::Latest { .. })
            && !(over(flow) || flow.dropping || self.closed)
        {
            self.holders += usize::from(flow.queued == 0);
            flow.queued += len;
            flow.said = false;
            let offset = flow.offset;
            flow.offset += decoded as u64;
            return Taken::At(flow.epoch, offset);
        }
        self.take_unusual(source, pane, (len, decoded), items)
    }

    /// The same, where it is not simply taken.
    #[cold]
    fn take_unusual(
        &mut self,
        source: SourceId,
        pane: PaneId,
        size: (usize, usize),
        items: &mut Vec<Item>,
    ) -> Taken {
        if !self.panes.contains_key(&pane) {
            let given_up = |source: &Source| source.paused.contains_key(&pane);
            let given_up = self.sources.get(&source).is_some_and(given_up);
            match self.request.filter.wants_unseen(pane) {
                Some(true) if !given_up => {
                    items.extend(self.first_sight(pane, source));
                    return self.take_output(source, pane, size, items);
                }
                None if !given_up => {
                    self.elsewhere.insert(pane);
                    return Taken::Dropped;
                }
                _ => {
                    self.not_yours(source, pane);
                    return Taken::Dropped;
                }
            }
        }
        let bytes = self.bytes;
        let Some(flow) = self.panes.get_mut(&pane) else {
            return Taken::Dropped;
        };
        if flow.owner == Owner::Unclaimed {
            flow.owner = Owner::Source(source);
            return self.take_output(source, pane, size, items);
        }
        if flow.owner != Owner::Source(source) {
            self.not_yours(source, pane);
            return Taken::Dropped;
        }
        match flow.flow {
            Flow::Live if !self.closed => match flow.policy {
                Policy::Latest { .. } => {
                    flow.broken.get_or_insert(Cause::Coalesced);
                    self.pause(pane);
                }
                Policy::Pause => self.pause(pane),
                Policy::Drop => {
                    if !mem::replace(&mut flow.dropping, true) {
                        self.droppers.push(pane);
                    }
                }
            },
            Flow::Stitching if bytes < self.budget.bytes && !self.closed => return Taken::Held,
            // It was continued by somebody else, or what comes behind its screen is too much:
            // where it stands is known only once it is paused again.
            Flow::Stitching => self.pause(pane),
            Flow::Paused if flow.is_stitched() => self.pause(pane),
            _ => {}
        }
        if let Some(flow) = self.panes.get_mut(&pane) {
            flow.dropped += size.1 as u64;
        }
        Taken::Dropped
    }

    /// Asks who delivers a pane to pause it.
    pub(super) fn pause(&mut self, pane: PaneId) {
        self.drop_held(pane);
        self.unask(pane);
        if let Some(flow) = self.panes.get_mut(&pane)
            && let Owner::Source(owner) = flow.owner
            && let Some(source) = self.sources.get_mut(&owner)
        {
            flow.flow = Flow::Pausing;
            // Of one that has gone the last is on its way, and an answer behind its end would look
            // like word of a new pane.
            if !flow.ending {
                source.order(Order::Pause(pane));
            }
        }
    }

    /// A pane that nobody has delivered before.
    pub(super) fn first_sight(&mut self, pane: PaneId, source: SourceId) -> Option<Item> {
        let watermark = self
            .sources
            .get(&source)
            .and_then(|source| source.watermark);
        let born_here =
            watermark.is_some_and(|highest| pane > highest) && !self.elsewhere.remove(&pane);
        let policy = self.policies.get(&pane).copied();
        let policy = policy.unwrap_or(self.request.policy);
        let mut flow = PaneFlow::new(Owner::Source(source), policy, self.request.backfill);
        let item = if born_here {
            None
        } else {
            flow.break_off(pane, Cause::FirstSight)
        };
        let has_to_look = flow.broken.is_some();
        self.panes.insert(pane, flow);
        if has_to_look {
            self.pause(pane);
        }
        item
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

    /// The server has said that it has paused a pane.
    pub(super) fn paused(&mut self, source: SourceId, pane: PaneId) {
        if !self.sources.contains_key(&source) {
            // What a client that has ended was asked for is of no account.
            return;
        }
        if let Some(found) = self.sources.get_mut(&source)
            && let Some(done) = found.paused.get_mut(&pane)
        {
            // While an order is on its way this may be of an earlier one: its answer tells.
            *done |= !found.pausing.contains_key(&pane);
            return;
        }
        if !self.panes.contains_key(&pane) {
            // It was paused before it had printed anything that came.
            let wanted = self.request.filter.wants_unseen(pane);
            if wanted != Some(true) {
                if let Some(source) = self.sources.get_mut(&source) {
                    source.paused.insert(pane, true);
                }
                if wanted.is_none() {
                    self.elsewhere.insert(pane);
                }
                return;
            }
            let items = Vec::from_iter(self.first_sight(pane, source));
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
        if self.is_pausing(source, pane) {
            // It may be of an earlier order, since when the pane was continued: the answer tells.
            return;
        }
        let Some(flow) = self.panes.get(&pane) else {
            return;
        };
        if flow.is_stitched() {
            // From 3.8 on this comes behind the answer to the command, perhaps to an earlier one:
            // only an answer tells that everything before the pause has come.
            if matches!(flow.flow, Flow::Live | Flow::Stitching) {
                self.meter.paused(pane);
                self.pause(pane);
            }
            return;
        }
        self.is_paused(pane);
    }

    /// The server has answered that it has paused a pane.
    pub(super) fn pause_settled(&mut self, source: SourceId, pane: PaneId) {
        if let Some(found) = self.sources.get_mut(&source)
            && let Entry::Occupied(mut orders) = found.pausing.entry(pane)
        {
            *orders.get_mut() -= 1;
            if *orders.get() > 0 {
                // It was continued since that one: only the last says where it stands.
                return;
            }
            orders.remove();
        }
        match self.panes.get(&pane) {
            Some(flow) if flow.owner == Owner::Source(source) => {
                // tmux has said `%pause` before it answered, unless the pane was paused already.
                if flow.flow == Flow::Pausing {
                    self.is_paused(pane);
                }
            }
            _ => self.paused(source, pane),
        }
    }

    fn is_paused(&mut self, pane: PaneId) {
        if let Some(flow) = self.panes.get_mut(&pane) {
            flow.flow = Flow::Paused;
            self.meter.paused(pane);
            self.waiting.push(pane);
            if self.budget.has_room(self.bytes) {
                self.resume();
            }
        }
    }

    /// Is an order to pause a pane on its way?
    fn is_pausing(&self, source: SourceId, pane: PaneId) -> bool {
        let source = self.sources.get(&source);
        source.is_some_and(|source| source.pausing.contains_key(&pane))
    }

    /// The server delivers a pane again.
    pub(super) fn continued(&mut self, source: SourceId, pane: PaneId) -> Option<Item> {
        if self.is_pausing(source, pane) {
            // Word of an earlier order: what comes until the pane is paused may be older than what
            // another client has delivered since.
            return None;
        }
        let flow = self.panes.get_mut(&pane)?;
        if flow.owner != Owner::Source(source) || flow.is_stitched() {
            return None;
        }
        flow.flow = Flow::Live;
        // What was dropped behind a resync, with nothing taken since, is a part of that gap.
        (!flow.said || flow.broken.is_some() || flow.dropping)
            .then(|| flow.resync(pane, Cause::Paused))
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
            if flow.is_stitched() {
                self.stitch(pane);
            } else if let Owner::Source(owner) = flow.owner
                && let Some(source) = self.sources.get_mut(&owner)
            {
                flow.flow = Flow::Resuming;
                source.order(Order::Continue(pane));
            }
        }
        for pane in mem::take(&mut self.droppers) {
            let Some(flow) = self.panes.get_mut(&pane).filter(|flow| flow.dropping) else {
                continue;
            };
            if flow.flow == Flow::Live {
                let item = flow.resync(pane, Cause::Dropped);
                self.enqueue(Bytes::new(), vec![item]);
            } else {
                self.droppers.push(pane);
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
            // Its screen will not come any more.
            self.release_held(pane);
            let Some(mut flow) = self.panes.remove(&pane) else {
                continue;
            };
            if flow.broken.is_some() {
                items.push(flow.resync(pane, Cause::Paused));
            }
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

    /// The consumer has taken a batch.
    pub(super) fn taken(&mut self, batch: &Batch) {
        self.bytes -= batch.weight;
        for item in &batch.items {
            match item {
                Item::Output { pane, data, .. } => {
                    if let Some(flow) = self.panes.get_mut(pane) {
                        flow.queued = flow.queued.saturating_sub(data.len());
                        if flow.queued == 0 {
                            self.holders = self.holders.saturating_sub(1);
                        }
                    }
                }
                Item::Resync(resync) if resync.screen.is_some() => {
                    if let Some(flow) = self.panes.get_mut(&resync.pane) {
                        flow.screens = flow.screens.saturating_sub(1);
                    }
                }
                _ => {}
            }
        }
        if !self.stitches.is_empty() {
            self.to_stitch.notify_one();
        }
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
        let batch = Batch::new(self.server.clone(), session, chunk, items);
        self.bytes += batch.weight;
        self.queue.push_back(batch);
        self.wake();
    }

    pub(super) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
