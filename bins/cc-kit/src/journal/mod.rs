//! The journal: what came out of every pane, on disk.
//!
//! | Room | In it |
//! |---|---|
//! | [`mod@format`] | the bytes of a segment; enough to write another reader |
//! | [`note`] | the records that are not output, as JSON |
//! | [`clock`] | the two times of a record |
//! | [`Writer`] | appends; survives a full disk and a torn tail |
//! | [`Reader`] | yields whole records, and says how a segment ends |
//! | [`Summary`] | what is in a segment, without reading the output |
//! | [`packed`] | closed segments: zstd frames and their index |
//! | [`retention`] | when a segment is closed, and when it is deleted |
//! | [`Store`] | the directory: one writer, a folder per server life, one per pane |
//!
//! What is promised: a record that a reader yields is a record that a writer wrote; bytes that were
//! flushed before the program died are there afterwards, bytes that were synced before the machine
//! died too; and what could not be kept is said in a [`note::Gap`].

pub mod clock;
pub mod format;
pub mod note;
pub mod packed;
pub mod retention;

mod damage;
mod fill;
mod lock;
mod private;
mod reader;
mod recovery;
mod store;
mod summary;
mod unsynced;
mod write_error;
mod writer;

#[cfg(test)]
mod sample;

pub use clock::Stamp;
pub use format::{Kind, Position};
pub use lock::{Live, live_writer};
pub use packed::Stored;
pub use reader::{DecodeError, Entry, ReadError, Reader, Record, Records, Tail};
pub use recovery::Recovered;
pub use store::{Listing, Opened, PaneLog, Store, StoreError, panes};
pub use summary::Summary;
pub use unsynced::Unsynced;
pub use write_error::{OpenError, WriteError};
pub use writer::{Medium, Pending, Writer};
