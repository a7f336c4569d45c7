//! What output is asked for: of which panes, with how much of their past, and what is to be done
//! about a consumer that is too slow.

use std::collections::BTreeSet;
use std::time::Duration;

use super::flow::Budget;
use super::screen::Backfill;
use crate::tree::Pane;
use crate::wire::{PaneId, SessionId, WindowId};

/// Which panes are asked for.
///
/// Example: [`OutputRequest`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaneFilter(Which);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Which {
    #[default]
    All,
    Panes(BTreeSet<PaneId>),
    Windows(BTreeSet<WindowId>),
    Sessions(BTreeSet<SessionId>),
}

impl PaneFilter {
    /// Every pane, also those to come.
    #[must_use]
    pub const fn all() -> Self {
        Self(Which::All)
    }

    /// These panes, wherever they are moved.
    #[must_use]
    pub fn panes(panes: impl IntoIterator<Item = PaneId>) -> Self {
        Self(Which::Panes(panes.into_iter().collect()))
    }

    /// The panes that are in these windows, also those to come; one that is moved to another
    /// window [ends](super::Event::Ended). The first bytes of a new pane may be lost, and are said
    /// to be: which window it is in is only known from a listing.
    #[must_use]
    pub fn windows(windows: impl IntoIterator<Item = WindowId>) -> Self {
        Self(Which::Windows(windows.into_iter().collect()))
    }

    /// The panes that these sessions show, also those to come; one that is moved to another
    /// session [ends](super::Event::Ended).
    #[must_use]
    pub fn sessions(sessions: impl IntoIterator<Item = SessionId>) -> Self {
        Self(Which::Sessions(sessions.into_iter().collect()))
    }

    /// Is a pane asked for that nothing is known of but who delivers it? `None` if only a listing
    /// can tell.
    pub(super) fn wants_unseen(&self, pane: PaneId) -> Option<bool> {
        match &self.0 {
            // Only the sessions that are asked for have a client that delivers.
            Which::All | Which::Sessions(_) => Some(true),
            Which::Panes(panes) => Some(panes.contains(&pane)),
            Which::Windows(_) => None,
        }
    }

    /// Is that pane asked for?
    pub(super) fn wants(&self, pane: &Pane) -> bool {
        let mut places = pane.places.iter();
        match &self.0 {
            Which::All => true,
            Which::Panes(panes) => panes.contains(&pane.id),
            Which::Windows(windows) => places.any(|place| windows.contains(&place.window)),
            Which::Sessions(sessions) => places.any(|place| sessions.contains(&place.session)),
        }
    }

    /// Does a session need a client for it whatever panes it shows? `None` if that depends on them.
    pub(super) fn wants_session(&self, session: SessionId) -> Option<bool> {
        match &self.0 {
            Which::All => Some(true),
            Which::Sessions(sessions) => Some(sessions.contains(&session)),
            Which::Panes(_) | Which::Windows(_) => None,
        }
    }
}

impl From<PaneId> for PaneFilter {
    fn from(pane: PaneId) -> Self {
        Self::panes([pane])
    }
}

/// What is done about a pane whose consumer is too slow.
///
/// However it is, the consumer is told: what is missing stands in a [`Resync`](super::Resync), and
/// no reply ever waits for it.
///
/// ```
/// use tmux_cc::client::{OutputRequest, PaneFilter, Policy};
///
/// let counted = OutputRequest::from(PaneFilter::all()).policy(Policy::Drop);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Everything is kept up to the [`Budget`]; then the server is made to pause the pane, and to
    /// continue it when there is room. What it prints in between is lost, and cannot be counted.
    #[default]
    Pause,
    /// The consumer gets no bytes but the pane's latest [`Screen`](super::Screen), each in a
    /// [`Resync`](super::Resync): one at the beginning and one whenever the pane has printed, yet
    /// none before the one before it was taken, and none sooner than `every` after that.
    Latest {
        /// The least time between two screens.
        every: Duration,
    },
    /// Everything is kept up to the [`Budget`]; what comes then is read, counted and dropped. The
    /// server is not made to pause the pane, though it may by itself. The stretch behind what was
    /// dropped begins without a screen, whatever [`Backfill`] says: for one the pane would have to
    /// be paused.
    Drop,
}

/// What output is asked for; see [`Server::output`](super::Server::output).
///
/// ```
/// use tmux_cc::client::{Backfill, OutputRequest, PaneFilter};
/// use tmux_cc::wire::PaneId;
///
/// let everything = OutputRequest::from(PaneFilter::all());
/// let one_with_its_past = OutputRequest::from(PaneId(3)).backfill(Backfill::History(2000));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputRequest {
    pub(super) filter: PaneFilter,
    pub(super) backfill: Backfill,
    pub(super) policy: Policy,
    pub(super) budget: Option<Budget>,
}

impl OutputRequest {
    /// How much of its past comes with each stretch of a pane's stream that does not begin with
    /// the pane's first byte; none by default.
    ///
    /// The screen stands in the [`Resync`](super::Resync) that begins the stretch, and the bytes
    /// behind it go on exactly where the screen was taken: nothing is missing, nothing is twice.
    /// A history that passes [`Limits::reply`](crate::protocol::Limits::reply) is left out, and
    /// then the screen; both are where a client ends, or a pane, while its screen is on the way.
    #[must_use]
    pub const fn backfill(mut self, backfill: Backfill) -> Self {
        self.backfill = backfill;
        self
    }

    /// What is done about a pane whose consumer is too slow; [`Policy::Pause`] by default. See
    /// [`ServerOutput::set_policy`](super::ServerOutput::set_policy) for one pane.
    #[must_use]
    pub const fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// How much may wait for the consumer, over all its panes; by default what
    /// [`ServerBuilder::budget`](super::ServerBuilder::budget) says.
    #[must_use]
    pub const fn budget(mut self, budget: Budget) -> Self {
        self.budget = Some(budget);
        self
    }
}

impl From<PaneFilter> for OutputRequest {
    fn from(filter: PaneFilter) -> Self {
        Self {
            filter,
            ..Self::default()
        }
    }
}

impl From<PaneId> for OutputRequest {
    fn from(pane: PaneId) -> Self {
        PaneFilter::from(pane).into()
    }
}
