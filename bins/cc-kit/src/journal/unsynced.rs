//! What was written, on its way to the disk.

use std::fs::File;
use std::path::PathBuf;

use super::private;
use super::write_error::WriteError;

/// Bytes of a segment that are on their way to the disk: see [`Writer::unsynced`](super::Writer::unsynced).
#[derive(Debug)]
pub struct Unsynced {
    pub(super) file: File,
    pub(super) path: PathBuf,
    /// Is its name not on the disk either?
    pub(super) fresh: bool,
}

impl Unsynced {
    /// Waits for the disk; where the segment is new also for its name and those of the directories
    /// that it is in.
    ///
    /// # Errors
    /// When the disk does not confirm: [`distrust`](super::Writer::distrust) the writer then.
    pub fn sync(self) -> Result<(), WriteError> {
        let names = if self.fresh { 3 } else { 0 };
        self.file
            .sync_data()
            .and_then(|()| {
                let mut above = self.path.ancestors().skip(1).take(names);
                above.try_for_each(private::sync_directory)
            })
            .map_err(|source| WriteError::Sync {
                path: self.path,
                source,
            })
    }
}
