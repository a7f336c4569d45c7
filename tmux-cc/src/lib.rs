//! tmux control mode: a zero-copy parser, a sans-IO connection and an async client.
//!
//! # Rooms
//!
//! ```text
//! wire  <----- protocol <----- client
//!  ^                             |
//!  +------- format <-------------+
//!  +------- tree  <--------------+   (tree -> format too: it folds rows)
//! ```
//!
//! - [`wire`]: grammar. Bytes to values and back; it borrows and allocates nothing.
//! - [`protocol`]: state. One connection without IO and without a clock; replies belong to their
//!   commands by a fence behind each.
//! - [`format`](mod@format): rows. What tmux prints for format variables, as structs.
//! - [`tree`]: the model of a server, and what changes in it.
//! - [`client`] (feature `client`, on by default): IO on tokio. One client, or a whole server.
//!
//! Without default features there is no tokio, no IO and no clock in the tree.

// What the derive emits begins with `::tmux_cc`, here too.
extern crate self as tmux_cc;

#[cfg(feature = "client")]
pub mod client;
pub mod format;
pub mod protocol;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tree;
pub mod wire;

/// What the derive of this very version emits paths to.
#[doc(hidden)]
pub mod __private_0_1_0 {
    pub use crate::format::{Column, Fields, FromFormat, FromValue, RowError};
    pub use crate::wire::Version;
}

/// The code in the repository's README compiles.
#[cfg(all(doctest, feature = "client"))]
#[doc = include_str!("../../README.md")]
struct Readme;
