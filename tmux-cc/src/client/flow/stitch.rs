//! Screens: a pane that goes on begins with how it looked, exactly where its bytes go on.
//!
//! The pane is paused, which the answer to that command confirms: all that was printed before has
//! come by then. One line on a client for commands then captures it and continues it, and nothing
//! is read from it between the two. So what its client delivers from then on follows the screen,
//! and is held here until that has come.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::futures::Notified;
use tokio::time::Instant;

use super::pane::{Flow, Owner};
use super::state::State;
use super::{Inbox, Order, SourceId};
use crate::client::events::{Cause, Data, Item};
use crate::client::output::Policy;
use crate::client::screen::{Backfill, Screen};
use crate::wire::{PaneId, SessionId};

/// How long a screen that could not be had is not asked for again.
const AGAIN: Duration = Duration::from_millis(200);

/// A screen that is to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::client) struct Stitch {
    pub(in crate::client) pane: PaneId,
    /// Who delivers it, which session that is on, and what tmux calls it.
    pub(in crate::client) source: SourceId,
    pub(in crate::client) session: Option<SessionId>,
    pub(in crate::client) client: Vec<u8>,
    pub(in crate::client) backfill: Backfill,
    /// Which request for a screen of this pane it is.
    number: u64,
    not_before: Option<Instant>,
}

/// What came of asking for a screen.
#[derive(Debug)]
pub(in crate::client) enum Asked {
    /// The pane has been continued, and so it looked just before, where that was asked for.
    Done(Option<Screen>),
    /// There was no answer that could be used; another question may have one.
    Refused,
    /// There was nobody to ask, or they ended before they answered.
    Unreachable,
}

/// Output that came behind a screen that has not come yet: a copy, since how long it is held is
/// not known, and what it was a part of may be a thousand times as large.
#[derive(Debug)]
pub(super) struct Held {
    age: u64,
    data: Data,
    decoded: usize,
}

impl Held {
    pub(super) fn new(age: u64, data: &[u8], decoded: usize) -> Self {
        Self {
            age,
            data: Data::Own(data.into()),
            decoded,
        }
    }

    /// What of the budget it takes, in bytes.
    fn weight(&self) -> usize {
        self.data.len() + size_of::<Self>()
    }
}

impl Inbox {
    /// Waits until there may be a screen to ask for.
    pub(in crate::client) fn to_stitch(&self) -> Notified<'_> {
        self.to_stitch.notified()
    }

    /// A screen to be asked for now; else when there will be one, if that is known.
    pub(in crate::client) fn take_stitch(&self, now: Instant) -> Result<Stitch, Option<Instant>> {
        let mut state = self.lock();
        let state = &mut *state;
        if state.bytes > self.budget.bytes / 2 {
            return Err(None);
        }
        let due = |stitch: &Stitch| stitch.not_before.is_none_or(|at| at <= now);
        // A client that is not attached yet has no name to be continued by.
        let sources = &state.sources;
        let name = |stitch: &Stitch| sources.get(&stitch.source).map(|s| s.name.clone());
        let named = |stitch: &Stitch| name(stitch).is_some_and(|name| !name.is_empty());
        let can = |stitch: &Stitch| due(stitch) && named(stitch);
        match state.stitches.iter().position(can) {
            Some(at) => {
                let mut stitch = state.stitches.remove(at);
                stitch.client = name(&stitch).unwrap_or_default();
                Ok(stitch)
            }
            None => {
                let later = state.stitches.iter().filter_map(|s| s.not_before);
                Err(later.filter(|at| *at > now).min())
            }
        }
    }

    /// Takes what came of asking for a screen.
    pub(in crate::client) fn stitched(&self, stitch: &Stitch, asked: Asked) {
        self.lock().stitched(stitch, asked);
    }
}

impl State {
    /// Asks for the screen of a pane that is paused.
    pub(super) fn stitch(&mut self, pane: PaneId) {
        let Some(flow) = self.panes.get_mut(&pane) else {
            return;
        };
        if flow.asked {
            // The answer comes first: what was asked may continue the pane at any time.
            return;
        }
        if matches!(flow.policy, Policy::Latest { .. }) && flow.screens > 0 {
            self.waiting.push(pane);
            return;
        }
        let Owner::Source(owner) = flow.owner else {
            return;
        };
        let Some(source) = self.sources.get(&owner) else {
            return;
        };
        flow.flow = Flow::Stitching;
        flow.asked = true;
        flow.stitch += 1;
        let backfill = match flow.failures {
            0 => flow.backfill,
            // The history may be more than a reply can hold.
            1 => Backfill::Screen,
            _ if matches!(flow.policy, Policy::Latest { .. }) => Backfill::Screen,
            _ => Backfill::None,
        };
        self.stitches.push(Stitch {
            pane,
            source: owner,
            session: source.session,
            client: Vec::new(),
            backfill,
            number: flow.stitch,
            not_before: flow.not_before,
        });
        self.to_stitch.notify_one();
    }

    /// Keeps output until its screen has come.
    pub(super) fn hold(&mut self, pane: PaneId, held: Held) {
        if let Some(flow) = self.panes.get_mut(&pane) {
            self.bytes += held.weight();
            flow.held.push(held);
        }
    }

    /// Takes what is held of a pane out of the queue's account.
    fn take_held(&mut self, pane: PaneId) -> Vec<Held> {
        let held = self.panes.get_mut(&pane).map(|flow| &mut flow.held);
        let held = held.map(mem::take).unwrap_or_default();
        self.bytes -= held.iter().map(Held::weight).sum::<usize>();
        held
    }

    /// What is held of a pane counts as lost.
    pub(super) fn drop_held(&mut self, pane: PaneId) {
        let lost: usize = self.take_held(pane).iter().map(|held| held.decoded).sum();
        if let Some(flow) = self.panes.get_mut(&pane) {
            flow.dropped += lost as u64;
        }
    }

    /// A screen that was to be asked for is not, unless it has been asked for already.
    pub(super) fn unask(&mut self, pane: PaneId) {
        let before = self.stitches.len();
        self.stitches.retain(|stitch| stitch.pane != pane);
        if self.stitches.len() < before
            && let Some(flow) = self.panes.get_mut(&pane)
        {
            flow.asked = false;
        }
    }

    /// Whatever is held of a pane is handed on, without the screen that was waited for.
    pub(super) fn release_held(&mut self, pane: PaneId) {
        self.unask(pane);
        if self
            .panes
            .get(&pane)
            .is_some_and(|flow| !flow.held.is_empty())
        {
            self.release(pane, None);
        }
    }

    /// Begins a pane's next stretch with its screen and what is held behind that.
    fn release(&mut self, pane: PaneId, screen: Option<Arc<Screen>>) {
        let held = self.take_held(pane);
        let Some(flow) = self.panes.get_mut(&pane) else {
            return;
        };
        let mut resync = flow.resync(pane, Cause::Paused);
        if let Item::Resync(resync) = &mut resync {
            flow.screens += usize::from(screen.is_some());
            resync.screen = screen;
        }
        let mut items = vec![resync];
        for held in held {
            if flow.queued == 0 {
                self.holders += 1;
            }
            flow.queued += held.data.len();
            flow.said = false;
            items.push(Item::Output {
                pane,
                epoch: flow.epoch,
                offset: flow.offset,
                age: held.age,
                data: held.data,
                raw: false,
            });
            flow.offset += held.decoded as u64;
        }
        self.enqueue(Bytes::new(), items);
    }

    fn stitched(&mut self, stitch: &Stitch, asked: Asked) {
        let Stitch { pane, source, .. } = *stitch;
        let Some(flow) = self.panes.get_mut(&pane) else {
            return;
        };
        flow.asked = false;
        if flow.owner != Owner::Source(source) {
            // It may have been continued where another delivers it by now.
            if let Some(source) = self.sources.get_mut(&source) {
                source.paused.insert(pane, false);
                source.order(Order::Pause(pane));
            }
            if flow.flow == Flow::Paused {
                self.stitch(pane);
            }
            return;
        }
        flow.failures = match &asked {
            Asked::Done(_) => 0,
            Asked::Refused => flow.failures.saturating_add(1),
            Asked::Unreachable => flow.failures,
        };
        let wanted = flow.stitch == stitch.number && flow.flow == Flow::Stitching;
        let screen = match asked {
            Asked::Done(screen) if wanted => screen,
            _ => {
                // Whether it is paused now is not known.
                if flow.flow != Flow::Live && !flow.ending {
                    flow.not_before = Some(Instant::now() + AGAIN);
                    self.pause(pane);
                }
                return;
            }
        };
        flow.flow = Flow::Live;
        flow.not_before = None;
        let screen = screen.map(Arc::new);
        let Policy::Latest { every } = flow.policy else {
            self.release(pane, screen);
            return;
        };
        flow.not_before = Some(Instant::now() + every);
        let held = self.take_held(pane);
        self.release(pane, screen);
        if held.is_empty() {
            return;
        }
        // It has printed since.
        if let Some(flow) = self.panes.get_mut(&pane) {
            flow.dropped += held.iter().map(|held| held.decoded as u64).sum::<u64>();
            flow.broken = Some(Cause::Coalesced);
        }
        self.pause(pane);
    }
}
