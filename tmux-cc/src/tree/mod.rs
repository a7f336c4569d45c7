//! Model: the sessions and panes of one server, folded from rows; it says what changed.
//!
//! tmux announces no pane: that one came, moved or went shows only when two listings differ.
//! The little that [`Server`](crate::client::Server) needs so far.

mod model;

pub use model::{Change, Pane, Place, Tree};
