//! The directory of all journals.
//!
//! ```text
//! DIR/lock                              one writer at a time
//! DIR/1700000000-812-5c1d4d1b/          one life of a server: start time, pid, CRC-32 of the socket
//!   server.json                         the same, readable
//!   pane-3/00000001.ccj.zst             segments of %3, numbered upwards: closed ones are packed
//!   pane-3/00000002.ccj                 the one that is being written
//! ```
//!
//! Directories have mode 0700 and files 0600. Whatever else lies around is left alone and not listed.

use std::borrow::Cow;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::clock::Stamp;
use super::format::Position;
use super::lock::{Held, Live, Lock};
use super::note::{Server, Start};
use super::packed;
use super::private;
use super::reader::ReadError;
use super::recovery::Recovered;
use super::summary::Summary;
use super::write_error::OpenError;
use super::writer::Writer;
use crate::exit::{Advise, Exit};

const SERVER_FILE: &str = "server.json";
const SEGMENT: &str = "ccj";

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another writer has it.
    #[error("another cc-logger ({live}) writes to {root}")]
    Busy {
        /// The store.
        root: PathBuf,
        /// Who.
        live: Live,
    },
    /// Others own or may write to the directory, so what is in it proves nothing.
    #[error("{root} is owned by another user or can be written by others")]
    Exposed {
        /// The store.
        root: PathBuf,
    },
    /// The lock cannot be taken.
    #[error("cannot lock {root}")]
    Lock {
        /// The store.
        root: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A directory or a file that describes it cannot be made.
    #[error("cannot prepare {path}")]
    Prepare {
        /// The directory or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A directory cannot be listed.
    #[error("cannot list {path}")]
    List {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A segment cannot be written to.
    #[error(transparent)]
    Segment(#[from] OpenError),
}

impl Advise for StoreError {
    fn exit(&self) -> Exit {
        Exit::Store
    }

    fn advice(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Self::Busy { .. } => "Stop the other one, or name another directory.".into(),
            Self::Exposed { .. } => {
                "Name a directory of your own, or take write permission from the others with `chmod go-w`."
                    .into()
            }
            Self::Lock { .. } | Self::Prepare { .. } => {
                "Check the permissions of the directory and the space on its disk.".into()
            }
            Self::List { .. } => {
                "Check that the directory is there and that you may read it.".into()
            }
            Self::Segment(error) => return error.advice(),
        })
    }
}

/// A directory of journals, held for writing.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    _lock: Lock,
}

/// A pane's journal, opened for writing.
#[derive(Debug)]
#[non_exhaustive]
pub struct Opened {
    /// Stands in a new epoch, [`Writer::position`], behind a Start.
    pub writer: Writer,
    /// What was in the segment, if one was there to go on in.
    pub recovered: Option<Recovered>,
    /// Why the newest segment was left as it is and a new one was made, if so.
    pub left: Option<OpenError>,
    /// Was there a journal of the pane before, so that it was not watched in between?
    pub again: bool,
}

impl Store {
    /// Takes a directory for writing, and makes it if it is not there. Waits a tenth of a second at most.
    ///
    /// # Errors
    /// When another writer has it, when others could write to it, and when it cannot be made or locked.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        let prepare = |source| StoreError::Prepare {
            path: root.to_owned(),
            source,
        };
        private::create_directory(root).map_err(prepare)?;
        let metadata = fs::metadata(root).map_err(prepare)?;
        let ours = metadata.uid() == rustix::process::geteuid().as_raw();
        if !ours || metadata.mode() & 0o022 != 0 {
            return Err(StoreError::Exposed {
                root: root.to_owned(),
            });
        }
        // Not always permitted, and only a first start needs it.
        let _ = private::sync_directory(private::directory_of(root));
        match Lock::take(root) {
            Ok(Ok(lock)) => Ok(Self {
                root: root.to_owned(),
                _lock: lock,
            }),
            Ok(Err(Held(pid))) => Err(StoreError::Busy {
                root: root.to_owned(),
                live: Live { pid },
            }),
            Err(source) => Err(StoreError::Lock {
                root: root.to_owned(),
                source,
            }),
        }
    }

    /// The directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Opens the journal of the pane that `start` names: goes on in its newest segment, or makes a new
    /// one when there is none, when it is damaged or not understood, or when it is about another pane.
    ///
    /// The writer stands in an epoch of its own, after all that the directory knows of.
    ///
    /// # Errors
    /// When directories or the segment cannot be made, cut or written.
    pub fn pane(&self, start: &Start, stamp: Stamp) -> Result<Opened, StoreError> {
        let directory = self.prepare(start)?;
        let segments = segments(&directory)?;
        let epoch = next_epoch(&segments);
        let mut left = None;
        if let Some(newest) = segments.last().filter(|newest| newest.form == Form::Plain) {
            match Writer::open(&newest.path, start, epoch, stamp) {
                Ok((writer, recovered)) => {
                    return Ok(Opened {
                        writer,
                        again: segments.len() > 1 || recovered.records > 0,
                        recovered: Some(recovered).filter(|found| found.records > 0),
                        left: None,
                    });
                }
                Err(
                    error @ (OpenError::Open { .. }
                    | OpenError::Read(_)
                    | OpenError::Damaged { .. }
                    | OpenError::OtherPane { .. }),
                ) => left = Some(error),
                Err(error) => return Err(error.into()),
            }
        }
        let position = Position { epoch, offset: 0 };
        let path = next_path(&directory, &segments);
        Ok(Opened {
            writer: Writer::create(&path, start, position, stamp)?,
            recovered: None,
            left,
            again: !segments.is_empty(),
        })
    }

    /// Makes the segment after the newest of the pane that `start` names. To go on without a hole,
    /// flush the writer before and give its [`position`](Writer::position).
    ///
    /// # Errors
    /// When directories or the segment cannot be made or written.
    pub fn next_segment(
        &self,
        start: &Start,
        position: Position,
        stamp: Stamp,
    ) -> Result<Writer, StoreError> {
        let directory = self.prepare(start)?;
        let path = next_path(&directory, &segments(&directory)?);
        Ok(Writer::create(&path, start, position, stamp)?)
    }

    /// Makes the pane's directory, and what describes its server.
    fn prepare(&self, start: &Start) -> Result<PathBuf, StoreError> {
        let server = self.root.join(start.server.key());
        let pane = server.join(format!("pane-{}", start.pane));
        let description = server.join(SERVER_FILE);
        let made = |path: &Path, result: io::Result<()>| {
            result.map_err(|source| StoreError::Prepare {
                path: path.to_owned(),
                source,
            })
        };
        if !pane.is_dir() {
            // They are synced with the first segment: see `Unsynced`.
            made(&pane, private::create_directory(&pane))?;
        }
        if !description.is_file() {
            made(&description, describe(&description, &start.server))?;
        }
        Ok(pane)
    }
}

/// Writes `server.json`: there in full, or not there.
fn describe(path: &Path, server: &Server) -> io::Result<()> {
    let draft = path.with_extension("json.new");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private::create_file(&draft)?;
    let mut text = serde_json::to_string_pretty(server)?;
    text.push('\n');
    file.write_all(text.as_bytes())?;
    // Not synced: every Start says the same, and a slow disk would hold up all panes.
    fs::rename(&draft, path)
}

/// What a store holds.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Listing {
    /// Every pane with at least one segment, by the start of its server, then by number.
    pub panes: Vec<PaneLog>,
    /// Directories that are ours by name and cannot be read.
    pub unreadable: Vec<StoreError>,
}

/// The journal of one pane of one server life.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PaneLog {
    /// The folder of the server life, [`Server::key`].
    pub key: String,
    /// The server, if `server.json` is there and whole; every Start names it too.
    pub server: Option<Server>,
    /// The number in tmux's `%3`.
    pub pane: u32,
    /// Where its segments are.
    pub directory: PathBuf,
    /// Its segments, oldest first.
    pub segments: Vec<PathBuf>,
}

impl PaneLog {
    /// What is in all segments together, and which of them cannot be read.
    #[must_use]
    pub fn summary(&self) -> (Summary, Vec<ReadError>) {
        let mut all = Summary::empty();
        let mut errors = Vec::new();
        for segment in &self.segments {
            match Summary::open(segment) {
                Ok(summary) => all.extend(summary),
                Err(error) => errors.push(error),
            }
        }
        (all, errors)
    }
}

/// Lists the panes in the store at `root`. Needs no lock; a writer may be at work.
///
/// # Errors
/// When `root` itself cannot be listed. Anything below that cannot is in [`Listing::unreadable`].
pub fn panes(root: &Path) -> Result<Listing, StoreError> {
    let mut listing = Listing::default();
    let mut servers: Vec<_> = directories(root)?
        .into_iter()
        .filter_map(|(name, path)| Some((parse_key(&name)?, name, path)))
        .collect();
    servers.sort();
    for (_, key, path) in servers {
        match panes_of_server(key, &path, &mut listing.unreadable) {
            Ok(panes) => listing.panes.extend(panes),
            Err(error) => listing.unreadable.push(error),
        }
    }
    Ok(listing)
}

fn panes_of_server(
    key: String,
    path: &Path,
    unreadable: &mut Vec<StoreError>,
) -> Result<Vec<PaneLog>, StoreError> {
    let mut panes = Vec::new();
    let mut server = None;
    for (name, directory) in directories(path)? {
        let Some(pane) = name.strip_prefix("pane-").and_then(canonical) else {
            continue;
        };
        match segments(&directory) {
            Ok(segments) => {
                let segments: Vec<_> = segments
                    .into_iter()
                    .filter(|segment| segment.form != Form::Other)
                    .map(|segment| segment.path)
                    .collect();
                if !segments.is_empty() {
                    panes.push(PaneLog {
                        key: key.clone(),
                        server: server
                            .get_or_insert_with(|| described(&path.join(SERVER_FILE)))
                            .clone(),
                        pane,
                        directory,
                        segments,
                    });
                }
            }
            Err(error) => unreadable.push(error),
        }
    }
    panes.sort_by_key(|log| log.pane);
    Ok(panes)
}

/// What `server.json` says, if it is a file, of a sensible size, and whole.
fn described(path: &Path) -> Option<Server> {
    const LONGEST: u64 = 64 << 10;
    if !fs::symlink_metadata(path).ok()?.is_file() {
        return None;
    }
    let mut text = Vec::new();
    let file = File::open(path).ok()?;
    file.take(LONGEST).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Start time and pid, to sort by, of a folder that is named like a server life.
fn parse_key(name: &str) -> Option<(i64, u32)> {
    let mut parts = name.rsplitn(3, '-');
    let (socket, pid, start_time) = (parts.next()?, parts.next()?, parts.next()?);
    let hash = socket.len() == 8 && u32::from_str_radix(socket, 16).is_ok();
    Some((canonical(start_time)?, canonical(pid)?)).filter(|_| hash)
}

/// A number that is written as we write it.
fn canonical<N: std::str::FromStr + fmt::Display>(text: &str) -> Option<N> {
    let number: N = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// A file in a pane's directory that takes a number.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Segment {
    number: u64,
    form: Form,
    path: PathBuf,
}

/// What became of a segment. Of two files with one number the first of these is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    /// Its frames, as `00000001.ccj.zst`.
    Packed,
    /// As it was written.
    Plain,
    /// Something of a later version, or half done: it only takes the number.
    Other,
}

fn segments(directory: &Path) -> Result<Vec<Segment>, StoreError> {
    let mut segments: Vec<_> = entries(directory)?
        .into_iter()
        .filter(|(_, kind, _)| kind.is_file())
        .filter_map(|(name, _, path)| {
            let (number, extension) = name.split_once('.')?;
            let form = extension.strip_prefix(SEGMENT)?;
            let canonical = number.parse().ok().filter(|n| segment_name(*n) == number)?;
            let form = match form.strip_prefix('.') {
                None if form.is_empty() => Form::Plain,
                None => return None,
                Some(packed::EXTENSION) => Form::Packed,
                Some(_) => Form::Other,
            };
            Some(Segment {
                number: canonical,
                form,
                path,
            })
        })
        .collect();
    segments.sort();
    // Packing was cut short before the plain one was removed.
    segments.dedup_by_key(|segment| segment.number);
    Ok(segments)
}

fn segment_name(number: u64) -> String {
    format!("{number:08}")
}

fn next_path(directory: &Path, segments: &[Segment]) -> PathBuf {
    let number = segments
        .last()
        .map_or(1, |newest| newest.number.saturating_add(1));
    directory.join(segment_name(number)).with_extension(SEGMENT)
}

/// The epoch after the last one in these segments.
fn next_epoch(segments: &[Segment]) -> u32 {
    segments
        .iter()
        .rev()
        .filter(|segment| segment.form != Form::Other)
        .filter_map(|segment| Summary::open(&segment.path).ok())
        .find(|summary| summary.records > 0)
        .map_or(0, |summary| summary.position.epoch.saturating_add(1))
}

fn directories(path: &Path) -> Result<Vec<(String, PathBuf)>, StoreError> {
    let entries = entries(path)?.into_iter();
    Ok(entries
        .filter(|(_, kind, _)| kind.is_dir())
        .map(|(name, _, path)| (name, path))
        .collect())
}

/// What is in a directory, links not followed. Names that are not UTF-8 are none of ours.
fn entries(path: &Path) -> Result<Vec<(String, fs::FileType, PathBuf)>, StoreError> {
    let list = || -> io::Result<Vec<_>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            if let (Ok(name), Ok(kind)) = (entry.file_name().into_string(), entry.file_type()) {
                found.push((name, kind, entry.path()));
            }
        }
        Ok(found)
    };
    list().map_err(|source| StoreError::List {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests;
