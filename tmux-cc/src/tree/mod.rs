//! Model: sessions, windows, panes and clients of one server, folded from rows and notifications; it
//! says what changed.
//!
//! tmux announces little of what happens to a server, and of panes nothing: that one came, moved,
//! died or went shows only when two listings differ. So a [`Tree`] takes [listings](Listing), and
//! says how each differs from what was known. Notifications are taken too: what one says is true at
//! once, and most of them say above all that it is time to list anew.
//!
//! It does no IO. [`Server`](crate::client::Server) keeps one up to date; whoever has other means to
//! talk to tmux does so by hand:
//!
//! ```
//! use tmux_cc::tree::{Change, Listing, Tree};
//! use tmux_cc::wire::Notification;
//!
//! let mut tree = Tree::default();
//! // What the first of `Listing::commands` asks for, as tmux prints it.
//! let printed: &[u8] = b"S|3.3a|17|1700000000|$0|work|0|1|1700000000|1700000000||0|\n";
//! let changes = tree.apply(Listing::read([printed])?);
//! assert!(matches!(&changes[..], [Change::SessionAdded(session)] if session.name == b"work"));
//!
//! let noticed = tree.notice(&Notification::parse(b"%session-renamed $0 play"));
//! assert!(matches!(&noticed.changes[..], [Change::SessionRenamed(_)]));
//! assert!(noticed.stale, "the next listing confirms it");
//! # Ok::<(), tmux_cc::format::RowError>(())
//! ```

mod change;
mod fold;
mod listing;
mod model;
mod notice;
#[cfg(test)]
mod tests;

pub use change::Change;
pub use listing::{Listing, ServerEntry};
pub use model::{Client, Death, Link, Pane, Place, Session, Tree, Window};
pub use notice::Noticed;
