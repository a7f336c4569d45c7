//! How a connection ends.

use std::fmt;

use crate::wire::Shown;

/// How a connection ended.
///
/// Example: [`Driver`](crate::client::Driver).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Exit {
    /// `%exit`: detached, the session or the server ended in order.
    Detached,
    /// `%exit REASON`, such as `server exited unexpectedly` or `too far behind`.
    Reason(Vec<u8>),
    /// The stream ended without `%exit`: the client's process or the transport broke off.
    Eof,
}

impl Exit {
    pub(super) fn said(reason: &[u8]) -> Self {
        if reason.is_empty() {
            Self::Detached
        } else {
            Self::Reason(reason.to_vec())
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Detached => f.write_str("detached, or the session ended"),
            Self::Reason(reason) => Shown(reason).fmt(f),
            Self::Eof => f.write_str("the control client ended without a reason"),
        }
    }
}

impl std::error::Error for Exit {}
