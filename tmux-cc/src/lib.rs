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
//! - [`format`](mod@format): rows. What `list-sessions` and `list-panes` print, as structs.
//! - [`tree`]: the model of a server, and what changes in it.
//! - [`client`] (feature `client`, on by default): IO on tokio. One client, or a whole server.
//!
//! Without default features there is no tokio, no IO and no clock in the tree.

#[cfg(feature = "client")]
pub mod client;
pub mod format;
pub mod protocol;
pub mod tree;
pub mod wire;

/// The code in the repository's README compiles.
#[cfg(all(doctest, feature = "client"))]
#[doc = include_str!("../../README.md")]
struct Readme;
