//! What is wrong with a row, or with asking for it.

use thiserror::Error;

use crate::wire::{Shown, Version};

/// A value that its type does not take.
///
/// Example: [`FromValue`](super::FromValue).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not {wanted}")]
pub struct ValueError {
    /// What would have been one, such as `a pane's id`.
    pub wanted: &'static str,
}

impl ValueError {
    /// Not what was wanted.
    #[must_use]
    pub const fn wanted(wanted: &'static str) -> Self {
        Self { wanted }
    }
}

/// A row that does not read.
///
/// No example: an error, to be shown or handed on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RowError {
    /// A value that its field's type does not take.
    #[error("`{field}` is not {wanted}: \"{}\"", Shown(value))]
    Value {
        /// The variable, or the format, of the field.
        field: &'static str,
        /// The value, byte for byte.
        value: Vec<u8>,
        /// What was wanted, such as `a pane's id`.
        wanted: &'static str,
    },
    /// A value that has an escape in it which tmux does not write.
    #[error("`{field}` is escaped as tmux does not do it: \"{}\"", Shown(found))]
    Escape {
        /// The variable, or the format, of the field.
        field: &'static str,
        /// What is there, from the escape on.
        found: Vec<u8>,
    },
    /// A value that does not end.
    #[error("`{field}` has no end: \"{}\"", Shown(found))]
    Cut {
        /// The variable, or the format, of the field.
        field: &'static str,
        /// What is there in its place.
        found: Vec<u8>,
    },
    /// Something behind the last field, where the row should end.
    #[error("the row goes on behind its last field: \"{}\"", Shown(found))]
    Longer {
        /// What is there.
        found: Vec<u8>,
    },
}

/// One of several rows that does not read.
///
/// No example: an error, to be shown or handed on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("row {number} does not read")]
pub struct RowsError {
    /// Which one, counted from 1.
    pub number: usize,
    /// What is wrong with it.
    pub source: RowError,
}

/// A row that a server cannot give.
///
/// No example: an error, to be shown or handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Unavailable {
    /// A variable is newer than the server.
    #[error("`{variable}` came with tmux {since}, and the server is tmux {server}")]
    TooNew {
        /// The variable.
        variable: &'static str,
        /// The first version that knows it.
        since: Version,
        /// The version of the server.
        server: Version,
    },
    /// A variable is gone.
    #[error("`{variable}` is gone since tmux {until}, and the server is tmux {server}")]
    Gone {
        /// The variable.
        variable: &'static str,
        /// The first version without it.
        until: Version,
        /// The version of the server.
        server: Version,
    },
    /// The row itself asks for a newer tmux.
    #[error("the row asks for tmux {since}, and the server is tmux {server}")]
    TooOld {
        /// What it asks for.
        since: Version,
        /// The version of the server.
        server: Version,
    },
}
