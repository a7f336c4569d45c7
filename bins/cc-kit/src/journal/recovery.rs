//! What a writer finds in a segment that it opens again.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::Path;

use super::clock::Stamp;
use super::damage::{Search, find_record};
use super::format::{Kind, MAGIC, Position};
use super::note::{End, Note, Start};
use super::reader::{Entry, Reader, Tail};
use super::write_error::OpenError;
use super::writer::Writer;

/// What was in a segment when it was opened again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovered {
    /// Whole records in it.
    pub records: u64,
    /// Bytes of the file that were cut from its end because they were no whole record. They held pane
    /// bytes, how many cannot be told: worth a [`Gap`](super::note::Gap) with
    /// [`TornTail`](super::note::Cause::TornTail).
    pub cut: u64,
    /// The position after the last record. The writer stands in a later epoch.
    pub position: Position,
    /// When the last record was written.
    pub last: Option<Stamp>,
    /// The last Start.
    pub start: Option<Start>,
    /// The End after the last Start, if there is one. Without it the writer before was killed, and what
    /// it had gathered and not flushed is lost, whatever `cut` says.
    pub ended: Option<End>,
}

impl Writer {
    /// Opens a segment to go on in it: checks every record, cuts a torn tail, and appends `start` in a
    /// new epoch, which is at least `epoch` and greater than any in the segment. It is on the disk when
    /// what [`unsynced`](Self::unsynced) gives was synced.
    ///
    /// The caller holds the lock of the [`Store`](super::Store); two writers would tear each other's
    /// records.
    ///
    /// # Errors
    /// When the file cannot be read, cut or written; when it is no journal or one of another version;
    /// when it is about another pane ([`OpenError::OtherPane`]); and when good records stand behind the
    /// bad place ([`OpenError::Damaged`]): cutting would destroy them, so nothing is changed then.
    pub fn open(
        path: &Path,
        start: &Start,
        epoch: u32,
        stamp: Stamp,
    ) -> Result<(Self, Recovered), OpenError> {
        let mut file = File::options()
            .read(true)
            .write(true)
            .open(path)
            .map_err(|source| OpenError::Open {
                path: path.to_owned(),
                source,
            })?;
        let (mut found, end) = scan(&file, path)?;
        if found.records > 0
            && !found
                .start
                .as_ref()
                .is_some_and(|before| before.same_pane(start))
        {
            return Err(OpenError::OtherPane {
                path: path.to_owned(),
            });
        }
        let cut = |source| OpenError::Cut {
            path: path.to_owned(),
            at: end,
            source,
        };
        let length = file.metadata().map_err(cut)?.len();
        if length > end {
            file.set_len(end).map_err(cut)?;
        }
        file.seek(SeekFrom::Start(end)).map_err(cut)?;
        found.cut = length - end;
        let position = Position {
            epoch: match found.records {
                0 => epoch,
                _ => found.position.epoch.saturating_add(1).max(epoch),
            },
            offset: 0,
        };
        let writer = Self::resume(file, path, end, start, position, stamp)?;
        Ok((writer, found))
    }
}

/// Reads a segment to its end: what is in it, and where the last whole record ends.
fn scan(file: &File, path: &Path) -> Result<(Recovered, u64), OpenError> {
    let mut found = Recovered {
        records: 0,
        cut: 0,
        position: Position::default(),
        last: None,
        start: None,
        ended: None,
    };
    let mut reader = Reader::new(file, path)?;
    while let Some(record) = reader.next_record()? {
        found.records += 1;
        found.last = Some(record.stamp);
        found.position = record.end();
        match record.kind {
            Kind::START => {
                found.ended = None;
                found.start = match record.typed() {
                    Ok(Entry::Note(Note::Start(start))) => Some(*start),
                    // Written by something newer: not ours to go on with.
                    _ => None,
                };
            }
            Kind::END => {
                if let Ok(Entry::Note(Note::End(end))) = record.typed() {
                    found.ended = Some(end);
                }
            }
            _ => {}
        }
    }
    let end = reader.position();
    if let Some(Tail::Torn { at, .. }) = reader.tail() {
        let from = at.max(MAGIC.len() as u64) + 1;
        let behind = find_record(file, from).map_err(|source| OpenError::Open {
            path: path.to_owned(),
            source,
        })?;
        if behind != Search::Nothing {
            return Err(OpenError::Damaged {
                path: path.to_owned(),
                at,
            });
        }
    }
    Ok((found, end))
}
