//! The file and its tables.

use std::fs::{File, OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, TransactionBehavior, ffi};

use super::super::StoreError;

/// How long to wait for somebody else who has the file, such as `sqlite3`.
const PATIENCE: Duration = Duration::from_secs(5);
/// Statements that are kept ready.
const READY: usize = 128;

/// What makes tables of version n those of version n + 1.
const CHANGES: [&str; 1] = [FIRST];

const FIRST: &str = "
    CREATE TABLE lane (
        id INTEGER PRIMARY KEY, grp TEXT NOT NULL, kind TEXT NOT NULL, needs TEXT NOT NULL,
        recipient TEXT, submitter TEXT NOT NULL
    ) STRICT;
    CREATE INDEX lane_is ON lane (submitter, recipient, grp, kind, needs);

    CREATE TABLE task (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, key TEXT UNIQUE,
        lane INTEGER NOT NULL, priority INTEGER NOT NULL,
        state TEXT NOT NULL, waits INTEGER NOT NULL, ready INTEGER NOT NULL,
        since INTEGER NOT NULL, not_before INTEGER, added INTEGER NOT NULL, ended INTEGER,
        attempts INTEGER NOT NULL DEFAULT 0, returned INTEGER NOT NULL DEFAULT 0,
        number INTEGER NOT NULL DEFAULT 0, cancel INTEGER, exit INTEGER,
        recipient TEXT, affinity TEXT, why TEXT,
        host TEXT, account TEXT, boot TEXT, lease INTEGER, until INTEGER,
        spec TEXT NOT NULL
    ) STRICT;
    CREATE INDEX task_state ON task (state);
    CREATE INDEX task_ready ON task (lane, priority DESC, since) WHERE ready = 1;
    CREATE INDEX task_due ON task (not_before)
        WHERE state = 'queued' AND waits = 0 AND ready = 0 AND recipient IS NULL;
    CREATE INDEX message_due ON task (not_before)
        WHERE state = 'queued' AND waits = 0 AND recipient IS NOT NULL;
    CREATE INDEX message_first ON task (recipient) WHERE recipient IS NOT NULL AND ended IS NULL;
    CREATE INDEX task_ended ON task (ended) WHERE ended IS NOT NULL;

    CREATE TABLE tally (
        state TEXT NOT NULL, lane INTEGER NOT NULL, n INTEGER NOT NULL,
        PRIMARY KEY (state, lane)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX tally_lane ON tally (lane);
    CREATE TRIGGER tally_in AFTER INSERT ON task BEGIN
        INSERT INTO tally VALUES (iif(new.ready, 'ready', new.state), new.lane, 1)
            ON CONFLICT (state, lane) DO UPDATE SET n = n + 1;
    END;
    CREATE TRIGGER tally_out AFTER DELETE ON task BEGIN
        UPDATE tally SET n = n - 1
            WHERE state = iif(old.ready, 'ready', old.state) AND lane = old.lane;
        DELETE FROM tally
            WHERE state = iif(old.ready, 'ready', old.state) AND lane = old.lane AND n = 0;
    END;
    CREATE TRIGGER tally_on AFTER UPDATE OF state, ready, lane ON task
        WHEN old.state <> new.state OR old.ready <> new.ready OR old.lane <> new.lane
    BEGIN
        UPDATE tally SET n = n - 1
            WHERE state = iif(old.ready, 'ready', old.state) AND lane = old.lane;
        DELETE FROM tally
            WHERE state = iif(old.ready, 'ready', old.state) AND lane = old.lane AND n = 0;
        INSERT INTO tally VALUES (iif(new.ready, 'ready', new.state), new.lane, 1)
            ON CONFLICT (state, lane) DO UPDATE SET n = n + 1;
    END;

    CREATE TABLE before (
        task INTEGER NOT NULL REFERENCES task (seq) ON DELETE CASCADE,
        other INTEGER NOT NULL REFERENCES task (seq) ON DELETE CASCADE,
        PRIMARY KEY (task, other)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX before_other ON before (other);

    CREATE TABLE attempt (
        task INTEGER NOT NULL REFERENCES task (seq) ON DELETE CASCADE, number INTEGER NOT NULL,
        nonce TEXT NOT NULL, host TEXT NOT NULL, unit TEXT, socket TEXT NOT NULL,
        server TEXT NOT NULL, pane TEXT NOT NULL, account TEXT, leased INTEGER NOT NULL,
        started INTEGER, ended INTEGER, outcome TEXT, after_lost INTEGER NOT NULL,
        may_repeat INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (task, number)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE outcome (
        task INTEGER NOT NULL REFERENCES task (seq) ON DELETE CASCADE, number INTEGER NOT NULL,
        text TEXT NOT NULL, is_cut INTEGER NOT NULL, exit INTEGER, check_text TEXT,
        PRIMARY KEY (task, number)
    ) STRICT;

    CREATE TABLE event (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        task INTEGER NOT NULL REFERENCES task (seq) ON DELETE CASCADE,
        at INTEGER NOT NULL, attempt INTEGER, kind TEXT NOT NULL, detail TEXT
    ) STRICT;
    CREATE INDEX event_task ON event (task);

    CREATE TABLE task_group (
        name TEXT PRIMARY KEY, parallel INTEGER, is_paused INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE account (
        name TEXT PRIMARY KEY, parallel INTEGER, limited_until INTEGER, why TEXT
    ) STRICT;
";

/// The version of the tables that this program makes.
pub(super) const KNOWN: usize = CHANGES.len();

/// Opens the file, or makes it, and brings its tables up to date.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let broken =
        |error: &dyn std::fmt::Display| StoreError::Broken(format!("{}: {error}", path.display()));
    let sqlite = |error: rusqlite::Error| match StoreError::from(error) {
        StoreError::Broken(why) => broken(&why),
        other => other,
    };
    // For its owner alone from the beginning; SQLite gives its other files the same mode.
    let own = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .and_then(|file| file.set_permissions(Permissions::from_mode(0o600)));
    own.map_err(|error| broken(&error))?;
    let db = Connection::open(path)
        .and_then(|db| settle(&db).map(|()| db))
        .map_err(sqlite)?;
    upgrade(db, path).map_err(|error| match error {
        StoreError::Broken(why) => broken(&why),
        other => other,
    })
}

fn settle(db: &Connection) -> Result<(), rusqlite::Error> {
    db.busy_timeout(PATIENCE)?;
    db.set_prepared_statement_cache_capacity(READY);
    db.pragma_update(None, "journal_mode", "WAL")?;
    as_it_writes(db)?;
    db.pragma_update(None, "foreign_keys", "ON")?;
    // Nothing beside it, where the disk may be full.
    db.pragma_update(None, "temp_store", "MEMORY")
}

/// An answer is given when the disk has what it says.
pub(super) fn as_it_writes(db: &Connection) -> Result<(), rusqlite::Error> {
    db.pragma_update(None, "synchronous", "FULL")
}

fn upgrade(mut db: Connection, path: &Path) -> Result<Connection, StoreError> {
    let known = KNOWN;
    let changing = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version = version(&changing)?;
    if version > known {
        return Err(StoreError::Broken(format!(
            "it has version {version}, this program knows {known}: start the newer program"
        )));
    }
    let tables: i64 =
        changing.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if version == 0 && tables > 0 {
        return Err(StoreError::Broken(
            "it is a database of something else".to_owned(),
        ));
    }
    for change in CHANGES.iter().skip(version) {
        changing.execute_batch(change)?;
    }
    if version < known {
        let known = i64::try_from(known).unwrap_or(i64::MAX);
        changing.pragma_update(None, "user_version", known)?;
    }
    changing.commit()?;
    if version == 0 {
        // Its name is to last as well.
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let synced = File::open(directory).and_then(|directory| directory.sync_all());
        synced.map_err(|error| StoreError::Broken(error.to_string()))?;
    }
    Ok(db)
}

/// The version of the tables that are there.
pub(super) fn version(db: &Connection) -> Result<usize, StoreError> {
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    usize::try_from(version)
        .map_err(|_| StoreError::Broken("it is a database of something else".to_owned()))
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let is_full = match &error {
            rusqlite::Error::SqliteFailure(failure, _) => {
                // A quota and a limit of size come as a write that failed.
                failure.code == ErrorCode::DiskFull
                    || failure.extended_code == ffi::SQLITE_IOERR_WRITE
            }
            _ => false,
        };
        match is_full {
            true => Self::Full,
            false => Self::Broken(error.to_string()),
        }
    }
}
