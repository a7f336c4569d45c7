//! Who is at the two ends: which server, and which client of it.

use std::path::PathBuf;

use crate::wire::{SessionId, Version};

/// Which server it is: ids are unique only within one life of a server.
///
/// Example: [`Client`](super::Client).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Identity {
    /// `#{pid}` of the server.
    pub pid: u32,
    /// `#{start_time}`: seconds since the epoch.
    pub start_time: u64,
    /// `#{version}`.
    pub version: Version,
    /// The socket, as it was asked for.
    pub socket: PathBuf,
}

/// What is known of a client since it was attached.
///
/// Example: [`Client`](super::Client).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attached {
    /// The server.
    pub server: Identity,
    /// The session it was attached to; it may be on another one since.
    pub session: SessionId,
    /// That session's name then.
    pub session_name: Vec<u8>,
    /// The client's own name, such as `client-1234`.
    pub client_name: Vec<u8>,
}
