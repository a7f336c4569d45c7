//! Sessions, windows, panes and clients, and how they hang together.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::change::Change;
use super::fold;
use super::listing::{Listing, ServerEntry};
use crate::format::Signal;
use crate::wire::{PaneId, SessionId, WindowId};

/// A session.
///
/// Example: [`Tree`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Its name, as bytes: it need not be UTF-8.
    pub name: Vec<u8>,
    /// How many clients are attached to it, control clients too.
    pub attached: u32,
    /// The group it is in: sessions of one group show the same windows.
    pub group: Option<Vec<u8>>,
    /// The option `destroy-unattached`: does it end when its last client leaves? A control client
    /// of ours is a client too.
    pub destroy_unattached: bool,
    /// Its windows, by index; one may be in it twice.
    pub windows: Vec<(u32, WindowId)>,
    /// Its current window.
    pub active: Option<WindowId>,
}

/// Where a window is linked.
///
/// Example: [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Link {
    /// The session.
    pub session: SessionId,
    /// The window's index in it.
    pub index: u32,
}

/// A window.
///
/// Example: [`Tree`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Window {
    /// Its id.
    pub id: WindowId,
    /// Its name.
    pub name: Vec<u8>,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// All its panes, for [`Layout::parse`](crate::wire::Layout::parse).
    pub layout: Vec<u8>,
    /// What shows of them: one, where it is zoomed.
    pub visible_layout: Vec<u8>,
    /// Is one of its panes zoomed?
    pub zoomed: bool,
    /// Its panes, by index.
    pub panes: Vec<PaneId>,
    /// Its active pane.
    pub active: Option<PaneId>,
    /// Where it is linked, by session: more than once in linked windows and session groups.
    pub links: Vec<Link>,
}

/// Where a pane stands in one session.
///
/// Example: [`Tree`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Place {
    /// The session.
    pub session: SessionId,
    /// The window.
    pub window: WindowId,
    /// The window's index in the session.
    pub window_index: u32,
    /// The pane's index in the window.
    pub pane_index: u32,
    /// The session's name.
    pub session_name: Vec<u8>,
    /// The window's name.
    pub window_name: Vec<u8>,
}

/// How a program ended whose pane was kept (`remain-on-exit`).
///
/// Everything may be missing: builds of tmux with libutempter up to 3.5a lose what became of the
/// program now and then. [`Server`](crate::client::Server) asks such a server to look again.
///
/// Example: [`Tree`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Death {
    /// Its exit status.
    pub status: Option<u8>,
    /// The signal that it died of. From 3.3.
    pub signal: Option<Signal>,
    /// When that was. From 3.3.
    pub time: Option<SystemTime>,
}

impl Death {
    /// Does tmux know how it ended?
    #[must_use]
    pub const fn is_known(&self) -> bool {
        self.status.is_some() || self.signal.is_some()
    }
}

/// A pane, at every place where it stands.
///
/// Example: [`Tree`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Pane {
    /// Its id.
    pub id: PaneId,
    /// Its window.
    pub window: WindowId,
    /// Its index in the window.
    pub index: u32,
    /// Is it the window's active pane?
    pub active: bool,
    /// How its program ended, where it has and the pane was kept.
    pub death: Option<Death>,
    /// Its title, which the program in it may set.
    pub title: Vec<u8>,
    /// The name of the program in its foreground.
    pub command: Vec<u8>,
    /// Its first process.
    pub pid: Option<u32>,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Columns from the window's left edge.
    pub left: i32,
    /// Rows from the window's top edge.
    pub top: i32,
    /// How many modes lie over it, such as copy mode.
    pub in_mode: u32,
    /// The uppermost of them.
    pub mode: Option<Vec<u8>>,
    /// Is the alternate screen in use, as by a full-screen program?
    pub alternate: bool,
    /// The unit it belongs to, where `@cc_unit` says so by a name of letters, digits, `_`, `@`, `.`
    /// and `-`.
    pub unit: Option<String>,
    /// Its places, by session: more than one where its window is linked or its session grouped.
    pub places: Vec<Place>,
}

impl Pane {
    /// The first of its places, by session id.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.places.first()
    }

    /// Does it stand in that session?
    #[must_use]
    pub fn is_in(&self, session: SessionId) -> bool {
        self.places.iter().any(|place| place.session == session)
    }

    /// Has its program ended, and the pane been kept?
    #[must_use]
    pub const fn is_dead(&self) -> bool {
        self.death.is_some()
    }
}

/// A client.
///
/// Example: [`Tree`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Client {
    /// Its name: its terminal, or `client-` and its process.
    pub name: Vec<u8>,
    /// Its process.
    pub pid: u32,
    /// The session it is attached to.
    pub session: Option<SessionId>,
    /// Is it a control client?
    pub control_mode: bool,
    /// Its flags, such as `attached,control-mode,no-output,UTF-8`.
    pub flags: Vec<u8>,
    /// Columns.
    pub width: u32,
    /// Rows; a control client has none.
    pub height: Option<u32>,
}

/// The sessions, windows, panes and clients of one server.
///
/// ```no_run
/// # fn example(server: tmux_cc::client::Server) {
/// let tree = server.tree();
/// for session in tree.sessions() {
///     println!("{} {}: {:?}", session.id, session.name.escape_ascii(), session.windows);
/// }
/// for pane in tree.panes() {
///     println!("{} runs {} in {:?}", pane.id, pane.command.escape_ascii(), pane.place());
///     if let Some(death) = &pane.death {
///         println!("it has ended with {:?}", death.status);
///     }
/// }
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    pub(super) server: Option<ServerEntry>,
    pub(super) sessions: BTreeMap<SessionId, Session>,
    pub(super) windows: BTreeMap<WindowId, Window>,
    pub(super) panes: BTreeMap<PaneId, Pane>,
    pub(super) clients: BTreeMap<Vec<u8>, Client>,
}

impl Tree {
    /// Which server the last listing was of.
    #[must_use]
    pub const fn server(&self) -> Option<&ServerEntry> {
        self.server.as_ref()
    }

    /// The sessions, by id.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values()
    }

    /// The windows, by id.
    pub fn windows(&self) -> impl Iterator<Item = &Window> {
        self.windows.values()
    }

    /// The panes, by id.
    pub fn panes(&self) -> impl Iterator<Item = &Pane> {
        self.panes.values()
    }

    /// The clients, by name.
    pub fn clients(&self) -> impl Iterator<Item = &Client> {
        self.clients.values()
    }

    /// One session.
    #[must_use]
    pub fn session(&self, id: SessionId) -> Option<&Session> {
        self.sessions.get(&id)
    }

    /// One window.
    #[must_use]
    pub fn window(&self, id: WindowId) -> Option<&Window> {
        self.windows.get(&id)
    }

    /// One pane.
    #[must_use]
    pub fn pane(&self, id: PaneId) -> Option<&Pane> {
        self.panes.get(&id)
    }

    /// One client.
    #[must_use]
    pub fn client(&self, name: &[u8]) -> Option<&Client> {
        self.clients.get(name)
    }

    /// Takes a listing of everything in place of what was known, and says what differs: first what
    /// went, panes before their windows and sessions, then what came and changed, the other way
    /// round, each by id.
    pub fn apply(&mut self, listing: Listing) -> Vec<Change> {
        let old = std::mem::replace(self, fold::fold(listing));
        fold::differences(&old, self)
    }

    /// How everything is, as changes from nothing.
    #[must_use]
    pub fn as_changes(&self) -> Vec<Change> {
        fold::differences(&Self::default(), self)
    }
}
