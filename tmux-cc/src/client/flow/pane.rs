//! One pane's flow: who delivers it, and where its stream stands.

use std::mem;

use tokio::time::Instant;

use super::SourceId;
use super::stitch::Held;
use crate::client::events::{Cause, Item, Loss, Resync};
use crate::client::output::Policy;
use crate::client::screen::Backfill;
use crate::wire::PaneId;

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
    /// It has been asked to tell how the pane looks and to continue it, in one go; what it
    /// delivers since is held until the screen has come.
    Stitching,
}

/// What becomes of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is taken, at that place of its stream: epoch and offset.
    At(u32, u64),
    /// It is held until the screen has come that it follows.
    Held,
    /// It is not wanted, or counted as lost.
    Dropped,
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
    pub(super) policy: Policy,
    /// With what each stretch begins.
    pub(super) backfill: Backfill,
    /// Why the stream broke off, where that is still to be said, with a screen.
    pub(super) broken: Option<Cause>,
    /// What came behind a screen that has not come yet.
    pub(super) held: Vec<Held>,
    /// Which screen is waited for.
    pub(super) stitch: u64,
    /// Has a screen been asked for that has not come, whether it is still wanted or not?
    pub(super) asked: bool,
    /// How often it could not be had since the last that was.
    pub(super) failures: u8,
    /// Before when no screen is to be asked for.
    pub(super) not_before: Option<Instant>,
    /// Screens of it in the queue.
    pub(super) screens: usize,
    /// Is it dropped until there is room, by its policy?
    pub(super) dropping: bool,
}

impl PaneFlow {
    pub(super) fn new(owner: Owner, policy: Policy, backfill: Backfill) -> Self {
        let mut flow = Self {
            owner,
            flow: Flow::Live,
            epoch: 0,
            offset: 0,
            queued: 0,
            dropped: 0,
            said: false,
            ending: false,
            unlisted: false,
            policy,
            backfill,
            broken: None,
            held: Vec::new(),
            stitch: 0,
            asked: false,
            failures: 0,
            not_before: None,
            screens: 0,
            dropping: false,
        };
        flow.set_policy(policy, backfill);
        flow
    }

    pub(super) fn set_policy(&mut self, policy: Policy, backfill: Backfill) {
        self.policy = policy;
        self.backfill = match (policy, backfill) {
            (Policy::Latest { .. }, Backfill::None) => Backfill::Screen,
            _ => backfill,
        };
    }

    /// Does each stretch begin with a screen?
    pub(super) fn is_stitched(&self) -> bool {
        self.backfill != Backfill::None
    }

    /// It breaks off here: the item that says so, unless that comes with a screen later.
    pub(super) fn break_off(&mut self, pane: PaneId, cause: Cause) -> Option<Item> {
        if self.is_stitched() {
            self.broken.get_or_insert(cause);
            return None;
        }
        Some(self.resync(pane, cause))
    }

    /// The next stretch, and the item that says so.
    pub(super) fn resync(&mut self, pane: PaneId, cause: Cause) -> Item {
        let cause = self.broken.take().unwrap_or(cause);
        self.epoch += u32::from(cause != Cause::FirstSight);
        self.offset = 0;
        self.said = true;
        self.dropping = false;
        let lost = mem::take(&mut self.dropped);
        let loss = match cause {
            Cause::Dropped => Loss::Known(lost),
            _ => Loss::Unknown { at_least: lost },
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
