//! State: one control mode connection, without IO and without a clock.
//!
//! [`Connection`] takes bytes in, in any pieces, and gives events and bytes to write out. It knows
//! which reply belongs to which command by a fence behind every command line, closes a block only
//! at its own guard, and answers limits with errors instead of growth. [`Command`] is any line;
//! [`commands`] has a type for each of those that are used most, and for what they answer.

mod command;
pub mod commands;
mod connection;
mod doubt;
mod error;
mod event;
mod exit;
mod input;
mod limits;
mod pending;
mod quirks;
mod reply;
mod target;
#[cfg(test)]
mod tests;

pub use command::{Command, Interactive};
pub use connection::Connection;
#[cfg(feature = "client")]
pub(crate) use connection::Polled;
pub use error::CommandError;
pub use event::{Desync, Event};
pub use exit::Exit;
pub use limits::Limits;
pub use pending::{CommandId, Nonce};
pub use quirks::{Quirk, QuirkRow, Quirks, ReplyText};
pub use reply::{Block, Failed, Lines, Reply, ReplyError, Spoof};
pub use target::Target;
