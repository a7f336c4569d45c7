//! What a notification says of the tree.

use super::change::Change;
use super::fold::{
    client_differs, pane_differs, rename_session, rename_window, session_differs, window_differs,
};
use super::model::{Place, Tree};
use crate::format::{Fields, FromFormat, Signal};
use crate::wire::{Notification, PaneId, SessionId, WindowId};

/// What came of a notification.
///
/// Example: [`tree`](crate::tree).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Noticed {
    /// What it has changed.
    pub changes: Vec<Change>,
    /// Is it time to list anew? Something may have come, gone or moved that it does not tell of.
    pub stale: bool,
}

/// What tmux is to report of each pane, since nothing else tells of it.
#[derive(FromFormat)]
struct Watched {
    pane_title: Vec<u8>,
    pane_current_command: Vec<u8>,
    pane_pid: Option<u32>,
    pane_dead: bool,
    pane_dead_status: Option<u8>,
    #[tmux(since = "3.3")]
    pane_dead_signal: Option<Signal>,
}

impl Tree {
    /// What a subscription to all panes is to report, for [`report`](Self::report).
    pub const WATCHED: &str = Watched::FORMAT;

    /// Takes what tmux has reported for [`WATCHED`](Self::WATCHED) of a pane, at a window's index in a
    /// session: its title and its programs. That it has died, or stands elsewhere, is for the next
    /// listing to say.
    pub fn report(&mut self, pane: PaneId, at: (SessionId, u32), value: &[u8]) -> Noticed {
        let mut changes = Vec::new();
        let watched = Watched::from_fields(&mut Fields::new(value)).ok();
        let (Some(known), Some(watched)) = (self.panes.get_mut(&pane), watched) else {
            return Noticed {
                changes,
                stale: true,
            };
        };
        let old = known.clone();
        known.title = watched.pane_title;
        known.command = watched.pane_current_command;
        known.pid = watched.pane_pid;
        pane_differs(Some(&old), known, &mut changes);
        let death = known.death.as_ref();
        let dead = death.map(|death| (death.status, death.signal.clone()));
        let reported = (watched.pane_dead_status, watched.pane_dead_signal);
        let is_here = |place: &Place| (place.session, place.window_index) == at;
        let stale =
            dead != watched.pane_dead.then_some(reported) || !known.places.iter().any(is_here);
        Noticed { changes, stale }
    }

    /// Takes a notification: what it says of a session, window, pane or client that is known is true
    /// from now on.
    ///
    /// tmux tells each client of everything, some of it twice, and some of it late: behind a listing
    /// that was newer. What was said already changes nothing; what is late may show what was for as
    /// long as it takes to list anew, which [`stale`](Noticed::stale) asks for. Nothing comes or goes
    /// but by a listing, except that a client leaves.
    ///
    /// **Source:** tmux `control-notify.c`, 3.2 to 3.8.
    pub fn notice(&mut self, notification: &Notification<'_>) -> Noticed {
        use Notification as N;
        let mut changes = Vec::new();
        let mut stale = true;
        match *notification {
            N::SessionRenamed { session, name } => {
                rename_session(self, session, name, &mut changes);
            }
            N::WindowRenamed { window, name } | N::UnlinkedWindowRenamed { window, name } => {
                rename_window(self, window, name, &mut changes);
            }
            N::SessionWindowChanged { session, window } => {
                if let Some(known) = self.sessions.get_mut(&session)
                    && known.windows.iter().any(|(_, linked)| *linked == window)
                {
                    let old = known.clone();
                    known.active = Some(window);
                    session_differs(Some(&old), known, &mut changes);
                }
            }
            N::WindowPaneChanged { window, pane } => self.select(window, pane, &mut changes),
            N::LayoutChange {
                window,
                layout,
                visible,
                flags,
            } => {
                if let Some(known) = self.windows.get_mut(&window) {
                    let old = known.clone();
                    known.layout = layout.to_vec();
                    known.visible_layout = visible.to_vec();
                    known.zoomed = flags.contains(&b'Z');
                    window_differs(Some(&old), known, &mut changes);
                }
            }
            N::ClientSessionChanged {
                client, session, ..
            } => {
                if let Some(known) = self.clients.get_mut(client) {
                    let old = known.clone();
                    known.session = Some(session);
                    client_differs(Some(&old), known, &mut changes);
                }
            }
            N::ClientDetached { client } => {
                let gone = self.clients.remove(client);
                changes.extend(gone.map(Change::ClientDetached));
            }
            N::SessionsChanged
            | N::SessionChanged { .. }
            | N::WindowAdd { .. }
            | N::UnlinkedWindowAdd { .. }
            | N::WindowClose { .. }
            | N::UnlinkedWindowClose { .. }
            | N::PaneModeChanged { .. } => {}
            _ => stale = false,
        }
        Noticed { changes, stale }
    }

    /// A window has that active pane.
    fn select(&mut self, window: WindowId, pane: PaneId, changes: &mut Vec<Change>) {
        let Some(known) = self.windows.get_mut(&window) else {
            return;
        };
        if !known.panes.contains(&pane) || known.active == Some(pane) {
            return;
        }
        known.active = Some(pane);
        changes.push(Change::PaneSelected(known.clone()));
        for id in &known.panes {
            if let Some(pane) = self.panes.get_mut(id)
                && pane.active != (known.active == Some(*id))
            {
                pane.active = !pane.active;
                changes.push(Change::PaneChanged(pane.clone()));
            }
        }
    }
}
