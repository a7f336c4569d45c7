//! Directories.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::Access;

use crate::doctor::facts::{Folder, Found, Told};

/// Looks at the path of a directory.
pub(super) fn look(path: &Path) -> Folder {
    Folder {
        path: path.to_string_lossy().into_owned(),
        found: found(path),
    }
}

fn found(path: &Path) -> Found {
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Found::Missing {
                can_be_made: can_be_made(path),
            };
        }
        Err(error) => {
            return Found::Closed {
                why: error.to_string(),
            };
        }
    };
    if !found.is_dir() {
        return Found::Other;
    }
    let room = rustix::fs::statvfs(path).ok();
    Found::Directory {
        owner: found.uid(),
        mode: found.mode() & 0o7777,
        is_writable: may_write(path),
        free: room.map(|room| room.f_bavail.saturating_mul(room.f_frsize)),
        is_volatile: is_volatile(path),
    }
}

fn may_write(path: &Path) -> bool {
    rustix::fs::access(path, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

/// Whether the nearest directory above it that exists lets us.
fn can_be_made(path: &Path) -> bool {
    let above = path.ancestors().skip(1);
    let nearest = above.into_iter().find(|above| above.exists());
    nearest.is_some_and(|nearest| nearest.is_dir() && may_write(nearest))
}

#[cfg(target_os = "linux")]
fn is_volatile(path: &Path) -> Told<bool> {
    /// `TMPFS_MAGIC` and `RAMFS_MAGIC` of `linux/magic.h`.
    const IN_MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58f6];
    match rustix::fs::statfs(path) {
        Ok(found) => {
            let kind = u64::try_from(found.f_type).unwrap_or_default();
            Told::Known(IN_MEMORY.contains(&kind))
        }
        Err(error) => Told::NotKnown(error.to_string()),
    }
}

#[cfg(not(target_os = "linux"))]
fn is_volatile(_: &Path) -> Told<bool> {
    Told::NotKnown("this is known on Linux only".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_at_a_path_is_told_and_nothing_is_made() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        let Found::Directory { is_writable, .. } = look(directory.path()).found else {
            panic!("{:?}", look(directory.path()));
        };
        assert!(is_writable);
        assert!(matches!(look(&file).found, Found::Other));
        assert!(matches!(look(&file.join("x")).found, Found::Closed { .. }));
        let missing = directory.path().join("a/b");
        let found = look(&missing).found;
        assert!(matches!(found, Found::Missing { can_be_made: true }));
        assert!(!missing.exists() && !directory.path().join("a").exists());
    }
}
