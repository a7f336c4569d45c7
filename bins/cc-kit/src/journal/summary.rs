//! What is in a segment, without reading the output.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::clock::Stamp;
use super::fill::fill;
use super::format::{HEADER_LEN, Header, Kind, MAGIC, Position, checksum};
use super::note::{End, Lost, Note, Place, ProgramExit, Size, Source, Start};
use super::packed::{self, Stored};
use super::reader::{ReadError, Reader, Tail};

/// What `ls` shows of a segment, or of several in a row.
///
/// Headers are read and output is passed over, so the checksum of output is not checked here: a
/// [`Reader`] does that. Notes are read and checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// Bytes of whole records and magic.
    pub bytes: u64,
    /// Records of any kind.
    pub records: u64,
    /// Bytes of the pane.
    pub output: u64,
    /// Gaps declared.
    pub gaps: u64,
    /// Bytes that are missing in gaps whose size is known.
    pub lost: u64,
    /// Gaps of which nobody knows the size.
    pub uncounted: u64,
    /// Secrets that were taken out.
    pub redacted: u64,
    /// Segments that end torn. The newest segment of a running writer may for a moment.
    pub torn: u64,
    /// Notes whose checksum is right and whose JSON is not understood.
    pub not_understood: u64,
    /// When the first record was written.
    pub first: Option<Stamp>,
    /// When the last one was.
    pub last: Option<Stamp>,
    /// The position after the last one.
    pub position: Position,
    /// The last Start: the server, the pane, its unit.
    pub start: Option<Start>,
    /// Where the pane was last, by Start or Moved.
    pub place: Option<Place>,
    /// Where its bytes came from last.
    pub source: Option<Source>,
    /// Its last size.
    pub size: Option<Size>,
    /// How its program ended last, as far as the server told.
    pub exit: Option<ProgramExit>,
    /// The End after the last Start. `None`: it is being written, or its writer was killed.
    pub ended: Option<End>,
    /// How the last segment ends.
    pub tail: Tail,
}

impl Summary {
    /// Of nothing.
    #[must_use]
    pub const fn empty() -> Self {
        Self {
            bytes: 0,
            records: 0,
            output: 0,
            gaps: 0,
            lost: 0,
            uncounted: 0,
            redacted: 0,
            torn: 0,
            not_understood: 0,
            first: None,
            last: None,
            position: Position {
                epoch: 0,
                offset: 0,
            },
            start: None,
            place: None,
            source: None,
            size: None,
            exit: None,
            ended: None,
            tail: Tail::Clean,
        }
    }

    /// Of a segment.
    ///
    /// # Errors
    /// When it cannot be opened or read, is no journal, or one of another version.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let failed = |source| ReadError::Open {
            path: path.to_owned(),
            source,
        };
        let stored = Stored::open(path).map_err(failed)?;
        match stored {
            Stored::Plain(file) => Self::scan(file, path),
            Stored::Packed(_) => {
                let packed = match packed::is_packed(path) {
                    true => path.to_owned(),
                    false => packed::packed_path(path),
                };
                match packed::index(&packed)? {
                    Some(index) => Ok(index.summary),
                    None => {
                        // Without an index there is nothing for it but to unpack it all.
                        let mut plain = tempfile::tempfile().map_err(failed)?;
                        io::copy(&mut Stored::open(&packed).map_err(failed)?, &mut plain)
                            .map_err(failed)?;
                        plain.rewind().map_err(failed)?;
                        Self::scan(plain, path)
                    }
                }
            }
        }
    }

    /// Of a segment that `inner` holds from its first byte on; `path` is what errors call it.
    ///
    /// # Errors
    /// When it cannot be read, is no journal, or one of another version.
    pub fn scan<R: Read + Seek>(mut inner: R, path: &Path) -> Result<Self, ReadError> {
        // Looks at the magic and has its own opinion of a segment without one.
        let tail = Reader::new(&mut inner, path)?.tail();
        let mut summary = Self::empty();
        if let Some(tail) = tail {
            summary.finish(tail);
            return Ok(summary);
        }
        summary.bytes = MAGIC.len() as u64;
        match summary.walk(inner) {
            Ok(tail) => {
                summary.finish(tail);
                Ok(summary)
            }
            Err(source) => Err(ReadError::Read {
                path: path.to_owned(),
                at: summary.bytes,
                source,
            }),
        }
    }

    fn walk(&mut self, mut inner: impl Read + Seek) -> io::Result<Tail> {
        let end = inner.seek(SeekFrom::End(0))?;
        inner.seek(SeekFrom::Start(self.bytes))?;
        let mut inner = BufReader::new(inner);
        let mut payload = Vec::new();
        loop {
            // What was appended since is left for the next time.
            let left = end.saturating_sub(self.bytes);
            if left == 0 {
                return Ok(Tail::Clean);
            }
            let torn = Ok(Tail::Torn {
                at: self.bytes,
                bytes: left,
            });
            let mut bytes = [0; HEADER_LEN];
            if fill(&mut inner, &mut bytes)? < HEADER_LEN {
                return torn;
            }
            let Some(header) = Header::decode(&bytes).filter(|h| h.record_len() <= left) else {
                return torn;
            };
            if header.kind.is_note() {
                payload.clear();
                (&mut inner)
                    .take(header.length.into())
                    .read_to_end(&mut payload)?;
                if checksum(&bytes, &payload) != header.crc {
                    return torn;
                }
                self.take_note(&header, &payload);
            } else {
                inner.seek_relative(header.length.into())?;
            }
            self.bytes += header.record_len();
            self.records += 1;
            if header.kind == Kind::OUTPUT && header.flags == 0 {
                self.output += u64::from(header.length);
            }
            self.first = self.first.or(Some(header.stamp));
            self.last = Some(header.stamp);
            self.position = header.end();
        }
    }

    fn take_note(&mut self, header: &Header, payload: &[u8]) {
        if header.flags != 0 {
            return;
        }
        match Note::from_json(header.kind, payload) {
            Some(Ok(Note::Start(start))) => {
                self.place = Some(start.place.clone());
                self.source = Some(start.source);
                self.start = Some(*start);
                self.ended = None;
            }
            Some(Ok(Note::Moved(place))) => self.place = Some(place),
            Some(Ok(Note::End(end))) => self.ended = Some(end),
            Some(Ok(Note::Gap(gap))) => {
                self.gaps += 1;
                match gap.lost {
                    Lost::Known(bytes) => self.lost += bytes,
                    Lost::Unknown => self.uncounted += 1,
                }
            }
            Some(Ok(Note::Exit(exit))) => self.exit = Some(exit),
            Some(Ok(Note::Source(change))) => self.source = Some(change.source),
            Some(Ok(Note::Resize(size))) => self.size = Some(size),
            Some(Ok(Note::Redacted(_))) => self.redacted += 1,
            Some(Ok(_)) | None => {}
            Some(Err(_)) => self.not_understood += 1,
        }
    }

    fn finish(&mut self, tail: Tail) {
        self.tail = tail;
        self.torn = u64::from(tail != Tail::Clean);
    }

    /// Adds the segment that follows.
    pub fn extend(&mut self, next: Self) {
        self.bytes += next.bytes;
        self.records += next.records;
        self.output += next.output;
        self.gaps += next.gaps;
        self.lost += next.lost;
        self.uncounted += next.uncounted;
        self.redacted += next.redacted;
        self.torn += next.torn;
        self.not_understood += next.not_understood;
        self.tail = next.tail;
        if next.records == 0 {
            return;
        }
        self.first = self.first.or(next.first);
        self.last = next.last;
        self.position = next.position;
        self.place = next.place.or_else(|| self.place.take());
        self.source = next.source.or(self.source);
        self.size = next.size.or(self.size);
        self.exit = next.exit.or_else(|| self.exit.take());
        self.ended = next.ended;
        self.start = next.start.or_else(|| self.start.take());
    }
}

#[cfg(test)]
mod tests;
