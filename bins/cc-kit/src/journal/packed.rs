//! Closed segments as zstd frames, with an index behind them.
//!
//! # Layout
//!
//! `00000001.ccj.zst` holds the bytes of `00000001.ccj`, cut into frames: each a zstd frame of its own
//! (with its checksum) of whole records, about 1 MiB before compression; the first also has the magic.
//! Behind them stands one skippable frame (RFC 8878, 3.1.2, magic `0x184D2A5E`), which `zstdcat`
//! passes over:
//!
//! | Bytes | What |
//! |---|---|
//! | 4 | `5e 2a 4d 18` |
//! | 4 | length of what follows, little-endian |
//! | n | JSON, [`Index`] |
//! | 4 | n, little-endian |
//! | 4 | `CCJI` |
//!
//! So a reader finds the index from the end of the file, and does without it when there is none.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zstd::stream::read::Decoder;
use zstd::stream::write::Encoder;

use super::format::{Kind, MAGIC};
use super::private;
use super::reader::{ReadError, Reader, Tail};
use super::summary::Summary;

/// The extension behind that of a segment.
pub(super) const EXTENSION: &str = "zst";

const SKIPPABLE: u32 = 0x184D_2A5E;
const FOOT: [u8; 4] = *b"CCJI";

/// An index longer than this is none of ours.
const INDEX_MAX: u32 = 64 << 20;

/// How closed segments are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packing {
    /// zstd's level, 1 to 19.
    pub level: i32,
    /// Bytes of a frame before compression; a longer record has a frame of its own.
    pub frame: u64,
}

impl Default for Packing {
    fn default() -> Self {
        Self {
            level: 6,
            frame: 1 << 20,
        }
    }
}

/// What stands in which frame, and what is in all of them.
///
/// `{"v":1,"frames":[{"at":0,"plain_at":0,"first":..,"last":..,"lines":120}],"summary":{..}}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Version of the index, now 1.
    pub v: u32,
    /// The frames, in order.
    pub frames: Vec<Frame>,
    /// What is in the segment.
    pub summary: Summary,
}

/// One frame of a packed segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// Where it begins in the file.
    pub at: u64,
    /// Where its records begin in the segment before it was packed.
    pub plain_at: u64,
    /// The earliest wall time of its records, nanoseconds since 1970.
    pub first: i64,
    /// The latest.
    pub last: i64,
    /// Line feeds in its output.
    pub lines: u64,
}

impl Index {
    /// The frames that may hold records of a stretch of wall time, both ends included.
    #[must_use]
    pub fn between(&self, since: Option<i64>, until: Option<i64>) -> Range<usize> {
        let wanted = |frame: &Frame| {
            since.is_none_or(|since| frame.last >= since)
                && until.is_none_or(|until| frame.first <= until)
        };
        let first = self.frames.iter().position(wanted);
        let last = self.frames.iter().rposition(wanted);
        match (first, last) {
            (Some(first), Some(last)) => first..last + 1,
            _ => 0..0,
        }
    }
}

/// Replaces a closed segment by its frames, and gives their path. What is there under that name is
/// whole, also after a crash in between.
///
/// One that ends torn is left as it is, since more than a tail may be at stake: `None`.
///
/// # Errors
/// When the segment cannot be read, or the frames cannot be written.
pub fn pack(path: &Path, packing: Packing) -> Result<Option<PathBuf>, ReadError> {
    let failed = |source| ReadError::Pack {
        path: path.to_owned(),
        source,
    };
    let packed = packed_path(path);
    let draft = packed.with_extension("zst.new");
    let _ = fs::remove_file(&draft);
    let file = private::create_file(&draft).map_err(failed)?;
    let written = write_frames(path, &file, packing);
    let written = written.and_then(|whole| {
        if whole {
            file.sync_all().map_err(failed)?;
        }
        Ok(whole)
    });
    match written {
        Ok(true) => {}
        other => {
            let _ = fs::remove_file(&draft);
            return other.map(|_| None);
        }
    }
    let directory = private::directory_of(path);
    fs::rename(&draft, &packed)
        .and_then(|()| private::sync_directory(directory))
        .and_then(|()| fs::remove_file(path))
        .map_err(failed)?;
    Ok(Some(packed))
}

/// Where the frames of a segment go.
pub(super) fn packed_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(EXTENSION);
    name.into()
}

/// Counts what goes through.
struct Counted<W> {
    inner: W,
    count: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.inner.write(bytes)?;
        self.count += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Writes frames and index; false where the segment ends torn.
fn write_frames(path: &Path, to: &File, packing: Packing) -> Result<bool, ReadError> {
    let failed = |source| ReadError::Pack {
        path: path.to_owned(),
        source,
    };
    let summary = Summary::open(path)?;
    let mut reader = Reader::open(path)?;
    let mut out = Counted {
        inner: BufWriter::new(to),
        count: 0,
    };
    let mut frames: Vec<Frame> = Vec::new();
    let mut frame = MAGIC.to_vec();
    let mut open: Option<Frame> = None;
    let mut raw = Vec::new();
    loop {
        let record = reader.next_record()?;
        let full = frame.len() as u64 >= packing.frame && open.is_some();
        if let (Some(done), true) = (open, record.is_none() || full) {
            let mut encoder = Encoder::new(&mut out, packing.level).map_err(failed)?;
            encoder.include_checksum(true).map_err(failed)?;
            encoder.write_all(&frame).map_err(failed)?;
            encoder.finish().map_err(failed)?;
            frames.push(done);
            frame.clear();
            open = None;
        }
        let Some(record) = record else { break };
        let at = if record.at == MAGIC.len() as u64 {
            0
        } else {
            record.at
        };
        let wall = record.stamp.wall_ns;
        let began = open.get_or_insert(Frame {
            at: out.count,
            plain_at: at,
            first: wall,
            last: wall,
            lines: 0,
        });
        began.first = began.first.min(wall);
        began.last = began.last.max(wall);
        if record.kind == Kind::OUTPUT {
            began.lines += memchr::memchr_iter(b'\n', &record.payload).count() as u64;
        }
        raw.clear();
        record.write_into(&mut raw);
        frame.extend_from_slice(&raw);
    }
    if reader.tail() != Some(Tail::Clean) || frames.is_empty() {
        return Ok(false);
    }
    let index = Index {
        v: 1,
        frames,
        summary,
    };
    let json = serde_json::to_vec(&index).map_err(|error| failed(error.into()))?;
    let length = u32::try_from(json.len())
        .ok()
        .filter(|length| *length <= INDEX_MAX)
        .ok_or_else(|| failed(io::ErrorKind::InvalidData.into()))?;
    let write = || -> io::Result<()> {
        out.write_all(&SKIPPABLE.to_le_bytes())?;
        out.write_all(&(length + 8).to_le_bytes())?;
        out.write_all(&json)?;
        out.write_all(&length.to_le_bytes())?;
        out.write_all(&FOOT)?;
        out.flush()
    };
    let mut write = write;
    write().map_err(failed)?;
    Ok(true)
}

/// The index of a packed segment; `None` where there is none, or none that is understood.
///
/// # Errors
/// When the file cannot be opened or read.
pub fn index(path: &Path) -> Result<Option<Index>, ReadError> {
    let file = open(path)?;
    read_index(file).map_err(|source| ReadError::Read {
        path: path.to_owned(),
        at: 0,
        source,
    })
}

fn read_index(mut file: File) -> io::Result<Option<Index>> {
    let end = file.seek(SeekFrom::End(0))?;
    if end < 16 {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(end - 8))?;
    let mut foot = [0; 8];
    file.read_exact(&mut foot)?;
    let [a, b, c, d, name @ ..] = foot;
    let length = u32::from_le_bytes([a, b, c, d]);
    if name != FOOT || length > INDEX_MAX || u64::from(length) + 16 > end {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(end - 8 - u64::from(length)))?;
    let mut json = Vec::new();
    file.take(length.into()).read_to_end(&mut json)?;
    Ok(serde_json::from_slice(&json)
        .ok()
        .filter(|index: &Index| index.v == 1))
}

fn open(path: &Path) -> Result<File, ReadError> {
    File::open(path).map_err(|source| ReadError::Open {
        path: path.to_owned(),
        source,
    })
}

/// The bytes of a segment, packed or not.
pub enum Stored {
    /// As it is written.
    Plain(File),
    /// Out of its frames.
    Packed(Box<Decoder<'static, BufReader<File>>>),
}

impl std::fmt::Debug for Stored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain",
            Self::Packed(_) => "Packed",
        })
    }
}

impl Stored {
    /// Opens a segment. One that was packed since it was listed is found where it is now.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if is_packed(path) {
            return Self::packed(path, 0);
        }
        match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Self::packed(&packed_path(path), 0).map_err(|_| error)
            }
            other => other.map(Self::Plain),
        }
    }

    /// The bytes from a frame on.
    pub(super) fn packed(path: &Path, at: u64) -> io::Result<Self> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(at))?;
        Ok(Self::Packed(Box::new(Decoder::new(file)?)))
    }
}

/// Is it a segment that was packed?
pub(super) fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|is| is == EXTENSION)
}

impl Read for Stored {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read(buffer),
            Self::Packed(frames) => frames.read(buffer),
        }
    }
}

impl Seek for Stored {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::Plain(file) => file.seek(to),
            Self::Packed(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

#[cfg(test)]
mod tests;
