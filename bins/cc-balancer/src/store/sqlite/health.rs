//! Looking at a file, for `doctor`: nothing of it is changed.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use serde::Serialize;

use super::super::StoreError;
use super::tables;

/// What is known of a store in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// How large it is, with what is not in its main file yet, in bytes.
    pub size: u64,
    /// How much room is left beside it, in bytes; `None`: that is not known.
    pub free: Option<u64>,
    /// Who may read and write it: the permissions alone.
    pub mode: u32,
    /// How it writes: `wal`.
    pub journal_mode: String,
    /// When it waits for the disk, as this program writes it: 2 is with every commit.
    pub synchronous: i64,
    /// The version of its tables, and the one that this program knows.
    pub version: (usize, usize),
    /// What a check found; none where all is well.
    pub damage: Vec<String>,
}

/// Looks at it; `None` where there is none.
///
/// # Errors
/// When it cannot be read.
pub fn look(path: &Path) -> Result<Option<Health>, StoreError> {
    let broken = |error: &dyn std::fmt::Display| StoreError::Broken(error.to_string());
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(broken(&error)),
    };
    // What was written last is in a file beside it, until it is moved over.
    let mut ahead = path.as_os_str().to_owned();
    ahead.push("-wal");
    let ahead = fs::metadata(ahead).map_or(0, |found| found.len());
    let room = path
        .parent()
        .and_then(|beside| rustix::fs::statvfs(beside).ok());
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    tables::as_it_writes(&db)?;
    let journal_mode = db.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    let synchronous = db.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
    let mut check = db.prepare("PRAGMA quick_check(8)")?;
    let said = check.query_map([], |row| row.get::<_, String>(0))?;
    let mut damage: Vec<String> = said.collect::<Result<_, _>>()?;
    damage.retain(|said| said != "ok");
    Ok(Some(Health {
        size: found.len().saturating_add(ahead),
        free: room.map(|room| room.f_bavail.saturating_mul(room.f_frsize)),
        mode: found.mode() & 0o777,
        journal_mode,
        synchronous,
        version: (tables::version(&db)?, tables::KNOWN),
        damage,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SqliteStore;

    #[test]
    fn a_store_is_looked_at_while_it_is_used_and_damage_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tasks.db");
        assert_eq!(look(&path).unwrap(), None);
        assert!(!path.exists());
        let store = SqliteStore::open(&path).unwrap();
        let health = look(&path).unwrap().unwrap();
        assert_eq!((&*health.journal_mode, health.synchronous), ("wal", 2));
        assert_eq!((health.mode, health.damage), (0o600, Vec::new()));
        assert_eq!(health.version.0, health.version.1);
        assert!(health.size > 4096 && health.free.is_some());
        drop(store);
        let other = dir.path().join("other.db");
        fs::write(
            &other,
            "text that is no database, and long enough for one".repeat(9),
        )
        .unwrap();
        assert!(look(&other).is_err());
    }
}
