//! What happens to a server.

use std::sync::Arc;

use super::listing::Waiting;
use crate::client::error::AttachError;
use crate::client::identity::Identity;
use crate::protocol::Exit;
use crate::tree::{Change, Session};

/// Something that happened to a server.
///
/// Example: [`Changes`](super::Changes).
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
    /// A session, window, pane or client came, changed or went.
    Tree(Change),
    /// A session is left alone: with `destroy-unattached` it would end when our client leaves, and
    /// not when its user does.
    Skipped(Session),
    /// A client could not attach to a session; it is tried again.
    AttachFailed {
        /// The session.
        session: Session,
        /// Was it the client for output?
        output: bool,
        /// Why.
        error: Arc<AttachError>,
    },
    /// A client for output is attached: from here on the session's panes are delivered.
    OutputAttached(Session),
    /// So many changes were missed; what follows is how everything is now.
    Lagged(u64),
}
