//! Rows: what tmux prints for a format, as structs.
//!
//! A struct with `#[derive(FromFormat)]` asks for the variables that its fields are named after,
//! and reads what comes back, whatever it holds: names, titles, paths and options are text of
//! strangers, with newlines, escape sequences and bytes that are no UTF-8. Names and types are
//! checked when it is compiled, against [the table of all variables](VARIABLES), and versions when
//! it is asked for: to a server that does not know a variable, it is empty without a word.
//!
//! ```
//! use tmux_cc::format::{FromFormat, rows};
//! use tmux_cc::wire::PaneId;
//!
//! #[derive(FromFormat, Debug, PartialEq)]
//! struct Title {
//!     pane_id: PaneId,
//!     pane_title: Vec<u8>,
//!     /// A user option that may not be set.
//!     #[tmux(name = "@owner")]
//!     owner: Option<String>,
//! }
//!
//! // What `list-panes -a -F` prints for `Title::FORMAT`.
//! let printed = b"%0|a\\|b\nc|me|\n%1|||\n";
//! let titles = rows::<Title>(printed)?;
//! assert_eq!(titles[0].pane_title, b"a|b\nc");
//! assert_eq!(titles[1].owner, None);
//! # Ok::<(), tmux_cc::format::RowsError>(())
//! ```
//!
//! [`Client::rows`](crate::client::Client::rows) and [`Server::rows`](crate::client::Server::rows)
//! do all of it. [`SessionRow`], [`WindowRow`], [`PaneRow`], [`ClientRow`] and [`BufferRow`] are rows
//! that most programs want.
//!
//! **Shape:** each value ends at a `|`, and each row at the newline behind its last one. A backslash
//! stands before each `|` and `\` of a value, and before what else `q:` takes for special; so up to
//! 3.5a, whose replies pass through vis(3), its escapes can be told from what was there.

mod error;
mod fields;
mod from_format;
mod rows;
mod value;
mod variables;

pub use error::{RowError, RowsError, Unavailable, ValueError};
pub use fields::{Fields, print_row_into, quote_value_into};
pub use from_format::{Column, FromFormat, rows};
pub use rows::{BufferRow, ClientRow, PaneRow, SessionRow, Signal, WindowRow};
pub use tmux_cc_derive::FromFormat;
pub use value::FromValue;
pub use variables::{Context, Kind, VARIABLES, Variable};
