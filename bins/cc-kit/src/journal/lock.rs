//! One writer for a store.

use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{self, Read, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::private;

/// In the store's directory; stays there, locked or not.
const NAME: &str = "lock";

/// A reader that asks holds the lock for microseconds; a writer outlasts that.
const TRIES: u32 = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

/// Held as long as the value lives, and at most as long as the process.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

/// Somebody else has it.
#[derive(Debug)]
pub(super) struct Held(pub(super) Option<u32>);

impl Lock {
    /// Takes the lock of a store, or says who has it. Waits a tenth of a second at most.
    pub(super) fn take(root: &Path) -> io::Result<Result<Self, Held>> {
        Self::take_with(root, || thread::sleep(BETWEEN_TRIES))
    }

    fn take_with(root: &Path, mut wait: impl FnMut()) -> io::Result<Result<Self, Held>> {
        let mut file = private::open_file(&root.join(NAME))?;
        let mut tries = TRIES;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if tries > 0 => {
                    tries -= 1;
                    wait();
                }
                Err(TryLockError::WouldBlock) => return Ok(Err(Held(holder(&file)))),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        // The number is for people; the lock is what counts. So a full disk does not matter.
        let _ = file
            .set_len(0)
            .and_then(|()| file.write_all(format!("{}\n", std::process::id()).as_bytes()));
        Ok(Ok(Self { file }))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
    }
}

/// A writer is at work on a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Live {
    /// Its process, if it could leave its number.
    pub pid: Option<u32>,
}

impl fmt::Display for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "pid {pid}"),
            None => f.write_str("pid unknown"),
        }
    }
}

/// The writer that is at work on the store in `root`, if one is.
///
/// # Errors
/// When the lock cannot be opened or asked; a store without one has no writer.
pub fn live_writer(root: &Path) -> io::Result<Option<Live>> {
    let file = match File::open(root.join(NAME)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(Live { pid: holder(&file) })),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The file stands at its beginning.
fn holder(file: &File) -> Option<u32> {
    let mut text = String::new();
    file.take(20).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_writer_learns_of_the_first() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        assert_eq!(live_writer(root).unwrap(), None);
        let lock = Lock::take(root).unwrap().unwrap();
        let us = Some(std::process::id());
        assert_eq!(live_writer(root).unwrap(), Some(Live { pid: us }));
        assert_eq!(Lock::take(root).unwrap().unwrap_err().0, us);
        drop(lock);
        assert_eq!(live_writer(root).unwrap(), None);
        assert!(Lock::take(root).unwrap().is_ok());
    }

    #[test]
    fn a_reader_that_asks_does_not_keep_a_writer_out() {
        let directory = tempfile::tempdir().unwrap();
        drop(Lock::take(directory.path()).unwrap().unwrap());
        let asking = File::open(directory.path().join(NAME)).unwrap();
        asking.try_lock_shared().unwrap();
        let mut asking = Some(asking);
        let writer = Lock::take_with(directory.path(), || drop(asking.take())).unwrap();
        assert!(writer.is_ok());
        assert!(asking.is_none(), "it did not have to wait");
    }

    #[test]
    fn what_somebody_wrote_into_the_lock_does_no_harm() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(NAME);
        std::fs::write(&path, b"\xff\x1b[2J not a number").unwrap();
        let file = File::open(&path).unwrap();
        assert_eq!(holder(&file), None);
        file.lock_shared().unwrap();
        assert_eq!(Lock::take(directory.path()).unwrap().unwrap_err().0, None);
    }
}
