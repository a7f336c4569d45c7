//! What changes.

use super::model::{Client, Pane, Session, Window};

/// What differs between what was known and what is; each has the whole of what it is about, as it
/// is now, or as it was last where it is gone.
///
/// One listing can bring several for the same pane: one for each thing that has changed.
///
/// Example: [`tree`](crate::tree).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A session came.
    SessionAdded(Session),
    /// A session has another name.
    SessionRenamed(Session),
    /// A session has another current window.
    WindowSelected(Session),
    /// A session has other windows, or they have other indexes.
    WindowsChanged(Session),
    /// A session is in another group, has more or fewer clients, or another `destroy-unattached`.
    SessionChanged(Session),
    /// A session went.
    SessionGone(Session),
    /// A window came.
    WindowAdded(Window),
    /// A window has another name.
    WindowRenamed(Window),
    /// A window has another size, other panes or other places for them, or is zoomed or no longer.
    LayoutChanged(Window),
    /// A window has another active pane.
    PaneSelected(Window),
    /// A window is linked elsewhere.
    WindowMoved(Window),
    /// A window went.
    WindowGone(Window),
    /// A pane came.
    PaneAdded(Pane),
    /// A pane stands elsewhere, or what it stands in has another name or index.
    PaneMoved(Pane),
    /// A pane's program ended, and the pane was kept; said again when tmux comes to know how. Also
    /// where it was dead already when it came.
    PaneDied(Pane),
    /// A dead pane has a program again.
    PaneRespawned(Pane),
    /// A pane has another title.
    TitleChanged(Pane),
    /// A pane has another program in its foreground.
    CommandChanged(Pane),
    /// A pane entered or left a mode, such as copy mode.
    ModeChanged(Pane),
    /// Something else of a pane: its size or position, unit, process, active or alternate screen.
    PaneChanged(Pane),
    /// A pane went; how its program ended is known only where the pane was kept before.
    PaneGone(Pane),
    /// A client came.
    ClientAttached(Client),
    /// A client shows another session.
    ClientMoved(Client),
    /// A client has another size or other flags.
    ClientChanged(Client),
    /// A client left.
    ClientDetached(Client),
}

impl Change {
    /// The session that it is about.
    #[must_use]
    pub const fn session(&self) -> Option<&Session> {
        match self {
            Self::SessionAdded(session)
            | Self::SessionRenamed(session)
            | Self::WindowSelected(session)
            | Self::WindowsChanged(session)
            | Self::SessionChanged(session)
            | Self::SessionGone(session) => Some(session),
            _ => None,
        }
    }

    /// The window that it is about.
    #[must_use]
    pub const fn window(&self) -> Option<&Window> {
        match self {
            Self::WindowAdded(window)
            | Self::WindowRenamed(window)
            | Self::LayoutChanged(window)
            | Self::PaneSelected(window)
            | Self::WindowMoved(window)
            | Self::WindowGone(window) => Some(window),
            _ => None,
        }
    }

    /// The pane that it is about.
    #[must_use]
    pub const fn pane(&self) -> Option<&Pane> {
        match self {
            Self::PaneAdded(pane)
            | Self::PaneMoved(pane)
            | Self::PaneDied(pane)
            | Self::PaneRespawned(pane)
            | Self::TitleChanged(pane)
            | Self::CommandChanged(pane)
            | Self::ModeChanged(pane)
            | Self::PaneChanged(pane)
            | Self::PaneGone(pane) => Some(pane),
            _ => None,
        }
    }

    /// The client that it is about.
    #[must_use]
    pub const fn client(&self) -> Option<&Client> {
        match self {
            Self::ClientAttached(client)
            | Self::ClientMoved(client)
            | Self::ClientChanged(client)
            | Self::ClientDetached(client) => Some(client),
            _ => None,
        }
    }
}
