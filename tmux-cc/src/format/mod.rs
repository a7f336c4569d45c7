//! Rows: what `list-sessions` and `list-panes` print for a format, as structs.
//!
//! Only the rows that [`Server`](crate::client::Server) itself needs, written by hand: fields are
//! separated by TAB, which tmux lets into none of them, and a row that does not have its fields is
//! no row. An unknown variable expands to nothing without a word, so every field is checked.

mod rows;

pub use rows::{PaneRow, SessionRow};
