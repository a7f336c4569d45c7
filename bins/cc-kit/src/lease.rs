//! Who may write to a pane: one at a time, in whichever program.
//!
//! A lease is a locked file, named by the server's life and the pane, in a directory of its owner's.
//! The kernel lets go of it when its holder ends, however that is.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

/// Which pane: ids are unique only within one life of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// The server's process.
    pub server: u32,
    /// When it was started, in seconds since 1970.
    pub start_time: u64,
    /// The pane's number.
    pub pane: u32,
}

/// The right to write to a pane, until it is dropped.
#[derive(Debug)]
pub struct Lease {
    path: PathBuf,
    // Locked as long as it is open.
    _file: File,
}

/// What came of asking for a lease.
#[derive(Debug)]
pub enum Taken {
    /// It is ours.
    Ours(Lease),
    /// Somebody else has it; as they call themselves.
    Theirs(String),
}

impl Lease {
    /// Takes the lease of a pane if nobody has it; `holder` is what others are told then.
    ///
    /// # Errors
    /// When the directory or the file cannot be made, or is not our own.
    pub fn take(directory: &Path, place: Place, holder: &str) -> io::Result<Taken> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)?;
        let Place {
            server,
            start_time,
            pane,
        } = place;
        let path = directory.join(format!("{server}.{start_time}.{pane}"));
        loop {
            let mut file = fs::OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(&path)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    let mut said = String::new();
                    let _ = (&mut file).take(200).read_to_string(&mut said);
                    return Ok(Taken::Theirs(said));
                }
                Err(error) => return Err(error.into()),
            }
            // Its last holder may have taken the file away between our opening and locking it.
            let here = fs::metadata(&path).is_ok_and(|found| {
                file.metadata()
                    .is_ok_and(|ours| (found.dev(), found.ino()) == (ours.dev(), ours.ino()))
            });
            if here {
                file.set_len(0)?;
                file.write_all(holder.as_bytes())?;
                return Ok(Taken::Ours(Self { path, _file: file }));
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // While it is still locked: whoever opens it now finds that it is gone.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    const PLACE: Place = Place {
        server: 7,
        start_time: 1_700_000_000,
        pane: 3,
    };

    fn ours(directory: &Path, place: Place) -> Option<Lease> {
        match Lease::take(directory, place, "cc-test").unwrap() {
            Taken::Ours(lease) => Some(lease),
            Taken::Theirs(_) => None,
        }
    }

    #[test]
    fn one_has_it_and_the_others_are_told_who() {
        let directory = tempfile::tempdir().unwrap();
        let inside = directory.path().join("lease");
        let lease = ours(&inside, PLACE).unwrap();
        let Taken::Theirs(who) = Lease::take(&inside, PLACE, "other").unwrap() else {
            panic!("two have it");
        };
        assert_eq!(who, "cc-test");
        assert!(ours(&inside, Place { pane: 4, ..PLACE }).is_some());
        drop(lease);
        assert!(ours(&inside, PLACE).is_some());
        assert_eq!(fs::read_dir(&inside).unwrap().count(), 0);
    }

    #[test]
    fn never_have_two_of_many_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let inside = AtomicUsize::new(0);
        let taken = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while taken.load(Ordering::SeqCst) < 500 {
                        let Some(lease) = ours(directory.path(), PLACE) else {
                            continue;
                        };
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        taken.fetch_add(1, Ordering::SeqCst);
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(lease);
                    }
                });
            }
        });
    }
}
