//! Appends records to a segment; survives a full disk and a torn tail.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, IoSlice, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::clock::Stamp;
use super::format::{HEADER_LEN, Header, Kind, MAGIC, PAYLOAD_MAX, Position, encode};
use super::note::{Note, Start};
use super::private;
use super::unsynced::Unsynced;
use super::write_error::{OpenError, WriteError};

/// What a [`Writer`] writes to: a file, or in tests something that fails on demand.
pub trait Medium: Write + Seek {
    /// Cuts or extends to `len` bytes; the place to write at stays.
    ///
    /// # Errors
    /// As [`File::set_len`].
    fn set_len(&mut self, len: u64) -> io::Result<()>;

    /// Waits until what was written is on the disk.
    ///
    /// # Errors
    /// As [`File::sync_data`].
    fn sync_data(&mut self) -> io::Result<()>;
}

impl Medium for File {
    fn set_len(&mut self, len: u64) -> io::Result<()> {
        Self::set_len(self, len)
    }

    fn sync_data(&mut self) -> io::Result<()> {
        Self::sync_data(self)
    }
}

/// What was gathered and is not in the file yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pending {
    /// Bytes of records, headers included.
    pub bytes: u64,
    /// Bytes of the pane among them.
    pub output: u64,
}

/// Output in one record is at most this far apart, so that a replay is true to 10 ms.
const GATHER_NS: u64 = 10_000_000;

/// A record that has this much output takes no more.
const GATHER_BYTES: usize = 256 << 10;

/// Output that came in one piece is cut into records of this size.
const OUTPUT_MAX: usize = 1 << 20;

/// Buffers larger than this are given back once they are empty.
const KEEP_BUFFER: usize = 512 << 10;

const _: () = assert!(OUTPUT_MAX <= PAYLOAD_MAX as usize);

/// Appends records to one segment.
///
/// Records are gathered in memory; [`flush`](Self::flush) hands them to the system in one write,
/// [`sync`](Self::sync) waits for the disk. How often is the caller's policy, and so is the bound on
/// what is [`pending`](Self::pending) while the disk is full. Dropping a writer flushes it.
///
/// Nothing here is asynchronous: a slow disk makes `flush` and `sync` slow.
pub struct Writer<M: Medium = File> {
    medium: M,
    path: PathBuf,
    /// Length of the whole records in the file, magic included.
    size: u64,
    /// The file may not end at `size`, or the medium not stand there.
    ragged: bool,
    /// A sync failed.
    unsynced: bool,
    /// Nothing of it was synced yet, its name included.
    fresh: bool,
    /// Whole records, and the magic of a new segment.
    sealed: Vec<u8>,
    /// Of those, payload bytes of output.
    sealed_output: u64,
    /// The output record that is being gathered.
    gather: Option<(Position, Stamp)>,
    /// Its payload.
    payload: Vec<u8>,
    /// After all of that.
    position: Position,
}

impl Writer {
    /// Creates a segment of mode 0600 with `start` at `position`; when it fails no file is left. It is
    /// on the disk, name and all, when what [`unsynced`](Self::unsynced) gives was synced.
    ///
    /// # Errors
    /// When there is a file of that name, or the new one cannot be created or written.
    pub fn create(
        path: &Path,
        start: &Start,
        position: Position,
        stamp: Stamp,
    ) -> Result<Self, OpenError> {
        let file = private::create_file(path).map_err(|source| OpenError::Create {
            path: path.to_owned(),
            source,
        })?;
        let created = Self::resume(file, path, 0, start, position, stamp);
        if created.is_err() {
            let _ = fs::remove_file(path);
        }
        Ok(created?)
    }

    /// What was flushed so far, to be synced elsewhere: a slow disk then holds up nobody who writes.
    ///
    /// # Errors
    /// When there are no more descriptors, or an earlier sync failed.
    pub fn unsynced(&mut self) -> Result<Unsynced, WriteError> {
        let path = || self.path.clone();
        if self.unsynced {
            return Err(WriteError::Unsynced { path: path() });
        }
        let file = self.medium.try_clone().map_err(|source| WriteError::Sync {
            path: path(),
            source,
        })?;
        Ok(Unsynced {
            file,
            path: path(),
            fresh: std::mem::take(&mut self.fresh),
        })
    }

    /// Such a sync failed: from now on no other is believed.
    pub fn distrust(&mut self) {
        self.unsynced = true;
    }
}

impl<M: Medium> Writer<M> {
    /// Begins a segment on a medium that is empty; `path` is what errors call it.
    ///
    /// # Errors
    /// When the magic and the Start cannot be written.
    pub fn begin(
        medium: M,
        path: &Path,
        start: &Start,
        position: Position,
        stamp: Stamp,
    ) -> Result<Self, WriteError> {
        Self::resume(medium, path, 0, start, position, stamp)
    }

    /// Goes on at `size`, where the medium stands and the last whole record ends.
    pub(super) fn resume(
        medium: M,
        path: &Path,
        size: u64,
        start: &Start,
        position: Position,
        stamp: Stamp,
    ) -> Result<Self, WriteError> {
        let mut writer = Self {
            medium,
            path: path.to_owned(),
            size,
            ragged: false,
            unsynced: false,
            fresh: true,
            sealed: Vec::new(),
            sealed_output: 0,
            gather: None,
            payload: Vec::new(),
            position,
        };
        if size == 0 {
            writer.sealed.extend(MAGIC);
        }
        let opened = writer
            .note(position, stamp, &Note::Start(Box::new(start.clone())))
            .and_then(|()| writer.flush());
        if let Err(error) = opened {
            writer.forget();
            return Err(error);
        }
        Ok(writer)
    }

    /// Gathers output that begins at `position`: `fill` appends the decoded bytes to the buffer, and
    /// their number is returned.
    ///
    /// Calls that join (same epoch, next offset, within 10 ms and 256 KiB) become one record with the
    /// position and the stamp of the first. So the buffer may hold earlier bytes of that record; `fill`
    /// must leave them alone. When `fill` appends nothing, nothing is recorded.
    pub fn output(
        &mut self,
        position: Position,
        stamp: Stamp,
        fill: impl FnOnce(&mut Vec<u8>),
    ) -> u64 {
        let joins = self.gather.is_some_and(|(_, first)| {
            position == self.position
                && stamp.monotonic_ns.saturating_sub(first.monotonic_ns) < GATHER_NS
        });
        if !joins {
            self.seal();
            self.gather = Some((position, stamp));
            self.position = position;
        }
        let before = self.payload.len();
        fill(&mut self.payload);
        let added = self.payload.len().saturating_sub(before) as u64;
        self.position = self.position.advance(added);
        if self.payload.is_empty() {
            self.gather = None;
        } else if self.payload.len() >= GATHER_BYTES {
            self.seal();
        }
        added
    }

    /// Gathers one record of any kind.
    ///
    /// # Errors
    /// When the payload is too long; nothing is recorded then.
    pub fn append(
        &mut self,
        kind: Kind,
        position: Position,
        stamp: Stamp,
        payload: &[u8],
    ) -> Result<(), WriteError> {
        self.seal();
        if !self.push(kind, position, stamp, payload) {
            return Err(WriteError::TooLong {
                path: self.path.clone(),
                length: payload.len(),
            });
        }
        self.position = match kind {
            Kind::OUTPUT => position.advance(payload.len() as u64),
            _ => position,
        };
        Ok(())
    }

    /// Gathers one record that is not output.
    ///
    /// # Errors
    /// When it is too long; nothing is recorded then.
    pub fn note(
        &mut self,
        position: Position,
        stamp: Stamp,
        note: &Note,
    ) -> Result<(), WriteError> {
        let json = note.to_json().map_err(|source| WriteError::Encode {
            path: self.path.clone(),
            source,
        })?;
        self.append(note.kind(), position, stamp, &json)
    }

    /// Hands everything gathered to the system, in one write if it takes it.
    ///
    /// # Errors
    /// [`WriteError::Write`] when not all was taken. The whole records that were are kept, the rest is
    /// taken back and stays [`pending`](Self::pending). [`WriteError::TakeBack`] when that failed
    /// earlier and fails again.
    pub fn flush(&mut self) -> Result<(), WriteError> {
        if self.ragged {
            self.take_back().map_err(|source| WriteError::TakeBack {
                path: self.path.clone(),
                unwritten: self.pending().bytes,
                source,
            })?;
        }
        if self.pending().bytes == 0 {
            return Ok(());
        }
        let header = match self.gather {
            Some((position, stamp)) => encode(Kind::OUTPUT, position, stamp, &self.payload).ok(),
            None => None,
        };
        let header = header.as_ref().map_or(&[][..], |header| header.as_slice());
        let mut slices = [
            IoSlice::new(&self.sealed),
            IoSlice::new(header),
            IoSlice::new(&self.payload),
        ];
        match write_all(&mut self.medium, &mut slices) {
            Ok(written) => {
                self.size += written;
                self.forget();
                Ok(())
            }
            Err((written, source)) => {
                let kept = self.keep(written);
                self.size += kept;
                self.ragged = true;
                // When this fails too, the next flush tries again before it writes.
                let _ = self.take_back();
                Err(WriteError::Write {
                    path: self.path.clone(),
                    unwritten: self.pending().bytes,
                    source,
                })
            }
        }
    }

    /// Waits until everything flushed so far is on the disk. What is pending is not: flush it before.
    ///
    /// # Errors
    /// When the disk does not confirm. After that it fails for good, because the system reports a lost
    /// write once and then forgets it: go on in a new segment.
    pub fn sync(&mut self) -> Result<(), WriteError> {
        if self.unsynced {
            return Err(WriteError::Unsynced {
                path: self.path.clone(),
            });
        }
        self.medium.sync_data().map_err(|source| {
            self.unsynced = true;
            WriteError::Sync {
                path: self.path.clone(),
                source,
            }
        })
    }

    /// Drops what is pending, notes too, and gives the number of pane bytes lost, for a
    /// [`Gap`](super::note::Gap) with [`WriteFailed`](super::note::Cause::WriteFailed). What comes next
    /// begins a new epoch.
    pub fn discard(&mut self) -> u64 {
        let lost = self.pending().output;
        let magic = self.size == 0;
        self.forget();
        if magic {
            self.sealed.extend(MAGIC);
        }
        lost
    }

    /// What was gathered and is not in the file.
    #[must_use]
    pub fn pending(&self) -> Pending {
        let gathered = self.payload.len() as u64;
        let header = match self.gather {
            Some(_) => HEADER_LEN as u64,
            None => 0,
        };
        Pending {
            bytes: self.sealed.len() as u64 + header + gathered,
            output: self.sealed_output + gathered,
        }
    }

    /// Bytes in the file, without what is pending.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The position after everything gathered: where output joins.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }

    /// The segment.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Turns what was gathered into whole records.
    fn seal(&mut self) {
        let Some((mut position, stamp)) = self.gather.take() else {
            return;
        };
        let payload = std::mem::take(&mut self.payload);
        for part in payload.chunks(OUTPUT_MAX) {
            // Cannot be too long: see the assertion on OUTPUT_MAX.
            self.push(Kind::OUTPUT, position, stamp, part);
            position = position.advance(part.len() as u64);
        }
        self.payload = payload;
        empty(&mut self.payload);
    }

    /// Puts a record behind the others; false when it is too long.
    fn push(&mut self, kind: Kind, position: Position, stamp: Stamp, payload: &[u8]) -> bool {
        let Ok(header) = encode(kind, position, stamp, payload) else {
            return false;
        };
        self.sealed.reserve(header.len() + payload.len());
        self.sealed.extend_from_slice(&header);
        self.sealed.extend_from_slice(payload);
        if kind == Kind::OUTPUT {
            self.sealed_output += payload.len() as u64;
        }
        true
    }

    /// Of what is pending, forgets the whole records within the first `written` bytes; gives their
    /// length. What is being gathered was written last, so it is not among them.
    fn keep(&mut self, written: u64) -> u64 {
        let mut kept = 0;
        let mut output = 0;
        for record in pieces(&self.sealed, self.size) {
            if (kept + record.len()) as u64 > written {
                break;
            }
            kept += record.len();
            if let Some(header) = record.first_chunk().and_then(Header::decode)
                && header.kind == Kind::OUTPUT
            {
                output += u64::from(header.length);
            }
        }
        self.sealed.drain(..kept);
        self.sealed_output -= output;
        kept as u64
    }

    /// Makes the file end with its last whole record.
    fn take_back(&mut self) -> io::Result<()> {
        self.medium.set_len(self.size)?;
        self.medium.seek(SeekFrom::Start(self.size))?;
        self.ragged = false;
        Ok(())
    }

    /// Forgets everything that is pending.
    fn forget(&mut self) {
        empty(&mut self.sealed);
        empty(&mut self.payload);
        self.sealed_output = 0;
        self.gather = None;
    }
}

impl<M: Medium> Drop for Writer<M> {
    fn drop(&mut self) {
        if let Err(error) = self.flush() {
            tracing::error!(error = &error as &dyn std::error::Error, "log lost its end");
        }
    }
}

impl<M: Medium> fmt::Debug for Writer<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("path", &self.path)
            .field("size", &self.size)
            .field("position", &self.position)
            .field("pending", &self.pending())
            .field("ragged", &self.ragged)
            .field("unsynced", &self.unsynced)
            .finish_non_exhaustive()
    }
}

/// The records one by one; before them, if they are to begin a file, the magic.
fn pieces(sealed: &[u8], size: u64) -> impl Iterator<Item = &[u8]> {
    let mut rest = sealed;
    let mut magic = size == 0;
    std::iter::from_fn(move || {
        let length = if std::mem::take(&mut magic) {
            MAGIC.len()
        } else {
            let header = Header::decode(rest.first_chunk()?)?;
            HEADER_LEN + header.length as usize
        };
        let (piece, behind) = rest.split_at_checked(length)?;
        rest = behind;
        Some(piece)
    })
}

/// Writes all slices; on an error says how many bytes were taken before it.
fn write_all(
    medium: &mut impl Write,
    mut slices: &mut [IoSlice<'_>],
) -> Result<u64, (u64, io::Error)> {
    let mut written = 0;
    IoSlice::advance_slices(&mut slices, 0);
    while !slices.is_empty() {
        match medium.write_vectored(slices) {
            Ok(0) => return Err((written, io::ErrorKind::WriteZero.into())),
            Ok(taken) => {
                written += taken as u64;
                IoSlice::advance_slices(&mut slices, taken);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((written, error)),
        }
    }
    Ok(written)
}

/// Clears, and gives memory back after a flood.
fn empty(buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.shrink_to(KEEP_BUFFER);
}

#[cfg(test)]
mod tests;
