//! What happens to a server.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::shared::Shared;
use crate::client::error::AttachError;
use crate::client::events::Identity;
use crate::format::SessionRow;
use crate::protocol::Exit;
use crate::tree::Change;

/// Something that happened to a server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ServerChange {
    /// There is nothing to attach to; it is waited for.
    Waiting(Waiting),
    /// A life of the server is attached to.
    Up(Arc<Identity>),
    /// It has ended, or all clients have lost it.
    Down {
        /// The life that ended.
        server: Arc<Identity>,
        /// Why, in the words of the last client.
        exit: Exit,
    },
    /// A session or pane came, changed or went.
    Tree(Change),
    /// A session is left alone: with `destroy-unattached` it would end when our client leaves, and
    /// not when its user does.
    Skipped(SessionRow),
    /// A client could not attach to a session; it is tried again.
    AttachFailed {
        /// The session.
        session: SessionRow,
        /// Was it the client for output?
        output: bool,
        /// Why.
        error: Arc<AttachError>,
    },
    /// A client for output is attached: from here on the session's panes are delivered.
    OutputAttached(SessionRow),
    /// So many changes were missed; what follows is how everything is now.
    Lagged(u64),
}

/// Why there is nothing to attach to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Waiting {
    /// No server runs on the socket.
    NoServer,
    /// It has no session, or none that may be attached to.
    NoSession,
    /// tmux refuses, in these words.
    Refused(Vec<u8>),
    /// The server is older than the oldest that works, in these words.
    TooOld(Vec<u8>),
}

/// A stream of [`ServerChange`], beginning with how everything is at first.
#[derive(Debug)]
pub struct Changes {
    shared: Arc<Shared>,
    first: VecDeque<ServerChange>,
    later: broadcast::Receiver<ServerChange>,
}

impl Changes {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let (first, later) = shared.subscribe();
        Self {
            shared,
            first,
            later,
        }
    }

    /// Waits for the next change; `None` once the server is closed.
    ///
    /// Who is too slow gets [`Lagged`](ServerChange::Lagged), and then everything as it is.
    /// Cancelling it loses nothing.
    pub async fn recv(&mut self) -> Option<ServerChange> {
        if let Some(change) = self.first.pop_front() {
            return Some(change);
        }
        match self.later.recv().await {
            Ok(change) => Some(change),
            Err(RecvError::Closed) => None,
            Err(RecvError::Lagged(missed)) => {
                (self.first, self.later) = self.shared.subscribe();
                Some(ServerChange::Lagged(missed))
            }
        }
    }
}
