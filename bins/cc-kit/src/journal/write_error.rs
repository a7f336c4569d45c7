//! Why a segment was not opened, and why something was not written.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use super::reader::ReadError;
use crate::exit::{Advise, Exit};

/// Why a segment cannot be opened for writing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file cannot be created.
    #[error("cannot create {path}")]
    Create {
        /// The segment.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be opened.
    #[error("cannot open {path} for writing")]
    Open {
        /// The segment.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is in it cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Good records stand behind a bad place.
    #[error("{path} is damaged at byte {at}, with good records behind")]
    Damaged {
        /// The segment.
        path: PathBuf,
        /// Where no whole record stands.
        at: u64,
    },
    /// It is about another pane or another server life.
    #[error("{path} is the journal of another pane")]
    OtherPane {
        /// The segment.
        path: PathBuf,
    },
    /// The torn tail cannot be cut.
    #[error("cannot cut the torn tail of {path} at byte {at}")]
    Cut {
        /// The segment.
        path: PathBuf,
        /// Where it should end.
        at: u64,
        /// Why.
        source: io::Error,
    },
    /// Its Start cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Advise for OpenError {
    fn exit(&self) -> Exit {
        Exit::Store
    }

    fn advice(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Self::Read(error) => return error.advice(),
            Self::Write(error) => return error.advice(),
            Self::Damaged { .. } | Self::OtherPane { .. } => {
                "Leave the file as it is and write to a new segment.".into()
            }
            _ => "Check the permissions and the health of the disk, then try again.".into(),
        })
    }
}

/// Why something was not written. Nothing that was written before is lost.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// A payload is longer than the format allows.
    #[error("a payload of {length} bytes is too long for {path}")]
    TooLong {
        /// The segment.
        path: PathBuf,
        /// Length of the payload.
        length: usize,
    },
    /// A note does not turn into JSON.
    #[error("cannot encode a note for {path}")]
    Encode {
        /// The segment.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The system did not take the bytes: disk full, quota, limit, failure. The file ends with a whole
    /// record, and what is missing is still [`pending`](super::Writer::pending): a later flush may succeed.
    #[error("cannot write {unwritten} bytes to {path}")]
    Write {
        /// The segment.
        path: PathBuf,
        /// Bytes of records, headers included, that are not in the file.
        unwritten: u64,
        /// Why.
        source: io::Error,
    },
    /// A write failed half way and the half cannot be taken back, now or before. Readers see a torn
    /// tail. Nothing more is written until it is taken back; every flush tries.
    #[error("cannot take back a partial write to {path}, {unwritten} bytes not written")]
    TakeBack {
        /// The segment.
        path: PathBuf,
        /// Bytes of records, headers included, that are not in the file.
        unwritten: u64,
        /// Why.
        source: io::Error,
    },
    /// The disk did not confirm. What was flushed since the last good sync may be lost, and the system
    /// may forget that it is: go on in a new segment.
    #[error("cannot sync {path}")]
    Sync {
        /// The segment.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// An earlier sync failed, so no later one can be trusted.
    #[error("cannot vouch for {path}, since a sync failed before")]
    Unsynced {
        /// The segment.
        path: PathBuf,
    },
}

impl Advise for WriteError {
    fn exit(&self) -> Exit {
        Exit::Store
    }

    fn advice(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Self::TooLong { .. } | Self::Encode { .. } => {
                "Report this: the program must not ask for such a record.".into()
            }
            Self::Write { source, .. } if source.kind() == io::ErrorKind::FileTooLarge => {
                "Raise the file size limit (`ulimit -f`), or let segments be smaller.".into()
            }
            Self::Write { .. } | Self::TakeBack { .. } => {
                "Free space on the disk, or check its quota and its health.".into()
            }
            Self::Sync { .. } | Self::Unsynced { .. } => {
                "Check the health of the disk; what was logged last may be lost.".into()
            }
        })
    }
}
