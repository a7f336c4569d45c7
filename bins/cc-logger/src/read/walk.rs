//! Goes through the records of a pane, and over what the index says is not meant.

use std::path::Path;

use cc_kit::journal::packed::{self, Index};
use cc_kit::journal::{ReadError, Reader, Record, Stored, Tail};

use super::Stop;
use super::window::Stretch;

/// Gives every record within a stretch of time to `each`, in order. Of a packed segment the frames
/// that hold none of them are not unpacked.
///
/// Records that come before the stretch and stand in the same frame or segment are given too: they
/// say how large the pane is, and where it stands. [`Stretch::has`] tells them.
pub(crate) fn walk(
    segments: &[std::path::PathBuf],
    stretch: Stretch,
    each: &mut dyn FnMut(&Record<'_>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    for path in segments {
        segment(path, stretch, each)?;
    }
    Ok(())
}

fn segment(
    path: &Path,
    stretch: Stretch,
    each: &mut dyn FnMut(&Record<'_>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let Some(Opened { mut reader, end }) = open(path, stretch)? else {
        return Ok(());
    };
    while let Some(record) = reader.next_record()? {
        if end.is_some_and(|end| record.at >= end) {
            return Ok(());
        }
        each(&record)?;
    }
    if let Some(Tail::Torn { bytes, .. }) = reader.tail() {
        // Of a log that is being written, the last record may be on its way.
        tracing::info!(bytes, path = %path.display(), "the end of a segment is no record");
    }
    Ok(())
}

/// A segment, opened where it matters.
struct Opened {
    reader: Reader<Stored>,
    /// Where in the segment what matters ends, if before its end.
    end: Option<u64>,
}

fn open(path: &Path, stretch: Stretch) -> Result<Option<Opened>, ReadError> {
    let whole = stretch == Stretch::default();
    if whole || path.extension().is_none_or(|extension| extension != "zst") {
        return match Reader::open(path) {
            Ok(reader) => Ok(Some(Opened { reader, end: None })),
            // Deleted since it was listed, as retention does.
            Err(ReadError::Open { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        };
    }
    let Some(index) = packed::index(path)? else {
        let reader = Reader::open(path)?;
        return Ok(Some(Opened { reader, end: None }));
    };
    let frames = index.between(stretch.since, stretch.until);
    if frames.is_empty() {
        return Ok(None);
    }
    let reader = Reader::open_frame(path, &index, frames.start)?;
    let end = begins(&index, frames.end);
    Ok(Some(Opened { reader, end }))
}

fn begins(index: &Index, frame: usize) -> Option<u64> {
    index.frames.get(frame).map(|frame| frame.plain_at)
}
