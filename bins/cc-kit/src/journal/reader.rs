//! Yields whole records, and says how a segment ends.

use std::borrow::Cow;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::clock::Stamp;
use super::damage;
use super::fill::fill;
use super::format::{HEADER_LEN, Header, Kind, MAGIC, Position, checksum, encode};
use super::note::Note;
use super::packed::{Index, Stored};
use crate::exit::{Advise, Exit};

/// Why a segment cannot be read. A torn tail is none of these: see [`Tail`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It cannot be opened.
    #[error("cannot open {path}")]
    Open {
        /// The segment.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The system cannot read it.
    #[error("cannot read {path} at byte {at}")]
    Read {
        /// The segment.
        path: PathBuf,
        /// Where the record began that was read.
        at: u64,
        /// Why.
        source: io::Error,
    },
    /// Its frames cannot be written.
    #[error("cannot pack {path}")]
    Pack {
        /// The segment.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It does not begin with the magic.
    #[error("{path} is no journal")]
    NotAJournal {
        /// The file.
        path: PathBuf,
    },
    /// It is a journal of another version.
    #[error("{path} is a journal of version {found}, which is not known here")]
    Version {
        /// The segment.
        path: PathBuf,
        /// The version it names.
        found: u8,
    },
}

impl Advise for ReadError {
    fn exit(&self) -> Exit {
        Exit::Store
    }

    fn advice(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Self::Open { .. } => "Check that the file is there and that you may read it.".into(),
            Self::Read { .. } => "Copy what can be read to another disk: this one may fail.".into(),
            Self::Pack { .. } => {
                "Check the permissions of the directory and the space on its disk.".into()
            }
            Self::NotAJournal { .. } => {
                "Name a file that cc-logger wrote; if it did, its first bytes are damaged.".into()
            }
            Self::Version { .. } => "Use the newer cc-logger that wrote it.".into(),
        })
    }
}

/// A payload is not the JSON that its kind asks for, though its checksum is right.
#[derive(Debug, thiserror::Error)]
#[error("record of kind {} at byte {at} cannot be understood", kind.number())]
#[non_exhaustive]
pub struct DecodeError {
    /// The kind of the record.
    pub kind: Kind,
    /// Where in the file it stands.
    pub at: u64,
    /// Why.
    pub source: serde_json::Error,
}

/// How a segment ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tail {
    /// With a whole record, or with the magic.
    Clean,
    /// With bytes that are no whole record: cut off by a crash, being written this moment, or
    /// damaged. A segment shorter than its magic is torn at 0.
    Torn {
        /// Where the first of them stands.
        at: u64,
        /// How many there are.
        bytes: u64,
    },
}

/// One whole record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<'a> {
    /// Where in the file it stands.
    pub at: u64,
    /// What it is.
    pub kind: Kind,
    /// Now always 0; a record with others is not to be understood, see [`format`](super::format).
    pub flags: u8,
    /// Where in the pane's stream.
    pub position: Position,
    /// When.
    pub stamp: Stamp,
    /// Output, or JSON.
    pub payload: Cow<'a, [u8]>,
}

/// A record, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Entry<'a> {
    /// Bytes of the pane.
    Output(&'a [u8]),
    /// Anything else that is known here.
    Note(Note),
    /// A kind or a flag that is not known here: to be skipped.
    Unknown,
}

impl Record<'_> {
    /// The record as what it means.
    ///
    /// # Errors
    /// When the payload of a known kind is not its JSON.
    pub fn typed(&self) -> Result<Entry<'_>, DecodeError> {
        if self.flags != 0 {
            return Ok(Entry::Unknown);
        }
        if self.kind == Kind::OUTPUT {
            return Ok(Entry::Output(&self.payload));
        }
        match Note::from_json(self.kind, &self.payload) {
            Some(Ok(note)) => Ok(Entry::Note(note)),
            Some(Err(source)) => Err(DecodeError {
                kind: self.kind,
                at: self.at,
                source,
            }),
            None => Ok(Entry::Unknown),
        }
    }

    /// The position after it.
    #[must_use]
    pub fn end(&self) -> Position {
        match self.kind {
            Kind::OUTPUT => self.position.advance(self.payload.len() as u64),
            _ => self.position,
        }
    }

    /// Appends the record as it stands in a segment. A flag, and a length over the limit, is of a
    /// later version and not written.
    pub(super) fn write_into(&self, out: &mut Vec<u8>) {
        if let Ok(header) = encode(self.kind, self.position, self.stamp, &self.payload) {
            out.extend_from_slice(&header);
            out.extend_from_slice(&self.payload);
        }
    }

    /// The same record with a payload of its own.
    #[must_use]
    pub fn into_owned(self) -> Record<'static> {
        Record {
            payload: Cow::Owned(self.payload.into_owned()),
            ..self
        }
    }
}

/// Reads a segment from front to back, in memory of one record.
///
/// ```no_run
/// use cc_kit::journal::{Entry, Reader, Tail};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut reader = Reader::open("00000001.ccj".as_ref())?;
/// while let Some(record) = reader.next_record()? {
///     if let Entry::Output(bytes) = record.typed()? {
///         println!("{} bytes at {:?}", bytes.len(), record.position);
///     }
/// }
/// if let Some(Tail::Torn { at, bytes }) = reader.tail() {
///     println!("{bytes} bytes from {at} on are no record");
/// }
/// # Ok(())
/// # }
/// ```
///
/// To follow a segment that is being written, keep [`position`](Self::position) when `None` came and
/// go on from there with [`Reader::at`] when the file has grown.
#[derive(Debug)]
pub struct Reader<R> {
    inner: BufReader<R>,
    path: PathBuf,
    /// Where the next record begins.
    at: u64,
    payload: Vec<u8>,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Reading,
    Ended(Tail),
    Failed,
}

/// Small enough that an interactive pane's records come in bulk; big payloads go past the buffer.
const BUFFER: usize = 16 << 10;

impl Reader<Stored> {
    /// Opens a segment, packed or not; one that was packed since it was listed is found too.
    ///
    /// # Errors
    /// When it cannot be opened or read, is no journal, or one of another version.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let stored = Stored::open(path).map_err(|source| ReadError::Open {
            path: path.to_owned(),
            source,
        })?;
        Self::new(stored, path)
    }

    /// Opens a packed segment at one of its frames.
    ///
    /// # Errors
    /// When it cannot be opened or read; at the first frame as [`open`](Self::open).
    pub fn open_frame(path: &Path, index: &Index, frame: usize) -> Result<Self, ReadError> {
        match index.frames.get(frame) {
            Some(frame) if frame.plain_at > 0 => {
                let stored = Stored::packed(path, frame.at).map_err(|source| ReadError::Open {
                    path: path.to_owned(),
                    source,
                })?;
                Ok(Self::at(stored, path, frame.plain_at))
            }
            _ => Self::open(path),
        }
    }

    /// Goes on at byte `at` of the segment, where a record begins; false where the segment is shorter.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn go_to(&mut self, at: u64) -> Result<bool, ReadError> {
        let found = match self.inner.get_mut() {
            Stored::Plain(file) => file
                .metadata()
                .map(|metadata| metadata.len() >= at)
                .and_then(|long| {
                    self.inner.seek(SeekFrom::Start(at))?;
                    Ok(long)
                }),
            Stored::Packed(_) => {
                let ahead = at.saturating_sub(self.at);
                io::copy(&mut (&mut self.inner).take(ahead), &mut io::sink())
                    .map(|passed| passed == ahead)
            }
        };
        let found = found.map_err(|source| self.failure(source))?;
        self.at = at;
        self.state = State::Reading;
        Ok(found)
    }

    /// After a torn tail: looks for a whole record further on, as there is one when a byte in the
    /// midst of a segment went bad. Gives the number of bytes skipped, or `None` when nothing follows.
    ///
    /// What stands behind damage may be forged: a program can print bytes that look like records, and
    /// they are found when the record around them is the damaged one. Show it as found, not as fact.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn skip_damage(&mut self) -> Result<Option<u64>, ReadError> {
        let State::Ended(Tail::Torn { at, .. }) = self.state else {
            return Ok(None);
        };
        let start = at.max(MAGIC.len() as u64);
        // Frames have checksums of their own, and nothing behind one that is bad can be unpacked.
        let Stored::Plain(file) = self.inner.get_ref() else {
            return Ok(None);
        };
        let next = damage::find_record(file, start + 1).map_err(|source| self.failure(source))?;
        let damage::Search::Found(next) = next else {
            return Ok(None);
        };
        self.inner
            .seek(SeekFrom::Start(next))
            .map_err(|source| self.failure(source))?;
        self.at = next;
        self.state = State::Reading;
        Ok(Some(next - at))
    }
}

impl<R: Read> Reader<R> {
    /// Reads a segment from its first byte on; `path` is what errors call it.
    ///
    /// # Errors
    /// When it cannot be read, is no journal, or one of another version.
    pub fn new(inner: R, path: impl Into<PathBuf>) -> Result<Self, ReadError> {
        let mut reader = Self::at(inner, path, 0);
        let mut magic = [0; MAGIC.len()];
        let got = fill(&mut reader.inner, &mut magic).map_err(|source| reader.failure(source))?;
        let start = magic.get(..got).unwrap_or_default();
        if got < magic.len() && MAGIC.starts_with(start) {
            reader.state = State::Ended(Tail::Torn {
                at: 0,
                bytes: got as u64,
            });
            return Ok(reader);
        }
        let path = || reader.path.clone();
        let ([ours @ .., version], [theirs @ .., found]) = (&MAGIC, &magic);
        if ours != theirs {
            return Err(ReadError::NotAJournal { path: path() });
        }
        if version != found {
            return Err(ReadError::Version {
                path: path(),
                found: *found,
            });
        }
        reader.at = MAGIC.len() as u64;
        Ok(reader)
    }

    /// Goes on in a segment: `inner` stands at byte `position`, where a record begins.
    pub fn at(inner: R, path: impl Into<PathBuf>, position: u64) -> Self {
        Self {
            inner: BufReader::with_capacity(BUFFER, inner),
            path: path.into(),
            at: position,
            payload: Vec::new(),
            state: State::Reading,
        }
    }

    /// The next whole record, or `None` at the end; [`tail`](Self::tail) then says which end it is.
    ///
    /// # Errors
    /// When the system cannot read on. Nothing follows after that.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, ReadError> {
        if !matches!(self.state, State::Reading) {
            return Ok(None);
        }
        match self.read_record() {
            Ok(Ok(header)) => {
                let at = self.at;
                self.at += header.record_len();
                Ok(Some(Record {
                    at,
                    kind: header.kind,
                    flags: header.flags,
                    position: header.position,
                    stamp: header.stamp,
                    payload: Cow::Borrowed(self.payload.as_slice()),
                }))
            }
            Ok(Err(tail)) => {
                self.state = State::Ended(tail);
                Ok(None)
            }
            Err(source) => {
                self.state = State::Failed;
                Err(self.failure(source))
            }
        }
    }

    fn read_record(&mut self) -> io::Result<Result<Header, Tail>> {
        let mut bytes = [0; HEADER_LEN];
        let got = fill(&mut self.inner, &mut bytes)?;
        if got == 0 {
            return Ok(Err(Tail::Clean));
        }
        let mut got = got as u64;
        let header = Header::decode(&bytes).filter(|_| got == HEADER_LEN as u64);
        if let Some(header) = header {
            self.payload.clear();
            // Grows with what is really there, so that a wrong length allocates nothing.
            let length = (&mut self.inner)
                .take(header.length.into())
                .read_to_end(&mut self.payload)?;
            got += length as u64;
            if got == header.record_len() && checksum(&bytes, &self.payload) == header.crc {
                return Ok(Ok(header));
            }
        }
        let rest = io::copy(&mut self.inner, &mut io::sink())?;
        Ok(Err(Tail::Torn {
            at: self.at,
            bytes: got + rest,
        }))
    }

    /// How the segment ends; `None` as long as that is not known.
    #[must_use]
    pub const fn tail(&self) -> Option<Tail> {
        match self.state {
            State::Ended(tail) => Some(tail),
            State::Reading | State::Failed => None,
        }
    }

    /// Where the next record begins, or would.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.at
    }

    /// The records as an iterator, each with a payload of its own.
    pub const fn records(&mut self) -> Records<'_, R> {
        Records(self)
    }

    fn failure(&self, source: io::Error) -> ReadError {
        ReadError::Read {
            path: self.path.clone(),
            at: self.at,
            source,
        }
    }
}

/// See [`Reader::records`].
#[derive(Debug)]
pub struct Records<'a, R>(&'a mut Reader<R>);

impl<R: Read> Iterator for Records<'_, R> {
    type Item = Result<Record<'static>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = self.0.next_record().transpose()?;
        Some(record.map(Record::into_owned))
    }
}

#[cfg(test)]
mod tests;
