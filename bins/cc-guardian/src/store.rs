//! What is remembered: which units there are to be, and everything that happened to them.
//!
//! SQLite in WAL mode, `guardian.db`, readable with `sqlite3`:
//!
//! | Table | A row |
//! |---|---|
//! | `declared` | a unit of the command line: `name`, `spec` (JSON) |
//! | `setting` | `file`: the configuration that was given last; `secret`: what tokens are made of; `servers`: where instances run (JSON); `pending NAME`: why one is started anew once it is idle |
//! | `instance` | `name`, `wanted` (0 or 1), `restarts`, `session` (the agent's own) |
//! | `event` | `id`, `at` (RFC 3339), `unit`, `kind`, `state`, `sub`, `was`, `confidence`, `evidence` (JSON), `detail` |

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of the tables.
const VERSION: i64 = 2;

const TABLES: &str = "
    CREATE TABLE declared (name TEXT PRIMARY KEY, spec TEXT NOT NULL) STRICT;
    CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE instance (
        name TEXT PRIMARY KEY, wanted INTEGER NOT NULL, restarts INTEGER NOT NULL, session TEXT
    ) STRICT;
    CREATE TABLE event (
        id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, unit TEXT NOT NULL,
        kind TEXT NOT NULL, state TEXT, sub TEXT, was TEXT, confidence REAL,
        evidence TEXT, detail TEXT
    ) STRICT;
    CREATE INDEX event_unit ON event (unit, id);
";

/// What makes tables of version 1 tables of version 2.
const FROM_1: &str = "ALTER TABLE instance ADD COLUMN session TEXT;";
/// How many events are kept.
const KEPT: i64 = 100_000;

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("guardian.db cannot be used: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("guardian.db has version {0}, this program knows {VERSION}")]
    Version(i64),
    #[error("a row of guardian.db cannot be read: {0}")]
    Row(#[from] serde_json::Error),
}

/// Something that happened to a unit.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
pub(crate) struct Event {
    /// 0 until it is stored.
    pub(crate) id: i64,
    pub(crate) at: Timestamp,
    pub(crate) unit: String,
    /// `state`, `start`, `end`, `hold`, `stopping`, `stop`, `adopt`, `send`, `fail`, `alert`,
    /// `rung`, `limit`, `go-on`, `answer`, `wait`, `restart`, `remove`, `memory`, `windows`; of the
    /// guardian itself `reload`.
    pub(crate) kind: String,
    pub(crate) state: Option<String>,
    pub(crate) sub: Option<String>,
    pub(crate) was: Option<String>,
    pub(crate) confidence: Option<f64>,
    pub(crate) evidence: Value,
    pub(crate) detail: Option<String>,
}

/// What is remembered of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Is it to run?
    pub(crate) wanted: bool,
    /// How often it was started again.
    pub(crate) restarts: u32,
    /// The agent's own session.
    pub(crate) session: Option<String>,
}

/// The store.
#[derive(Debug)]
pub(crate) struct Store {
    db: Connection,
}

impl Store {
    /// Opens it, or makes it.
    pub(crate) fn open(state: &Path) -> Result<Self, StoreError> {
        let path = state.join("guardian.db");
        // For its owner alone, since there is a secret in it; SQLite gives its other files the same
        // mode. Where that fails, opening tells why.
        let _ = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path);
        let mut db = Connection::open(path)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "NORMAL")?;
        db.busy_timeout(std::time::Duration::from_secs(5))?;
        let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let change = match version {
            0 => TABLES,
            1 => FROM_1,
            VERSION => "",
            other => return Err(StoreError::Version(other)),
        };
        if !change.is_empty() {
            let changing = db.transaction()?;
            changing.execute_batch(change)?;
            changing.pragma_update(None, "user_version", VERSION)?;
            changing.commit()?;
        }
        Ok(Self { db })
    }

    /// Adds an event, and gives it its number.
    pub(crate) fn add(&self, event: &mut Event) -> Result<(), StoreError> {
        self.db.execute(
            "INSERT INTO event (at, unit, kind, state, sub, was, confidence, evidence, detail)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                event.at.to_string(),
                event.unit,
                event.kind,
                event.state,
                event.sub,
                event.was,
                event.confidence,
                serde_json::to_string(&event.evidence)?,
                event.detail,
            ],
        )?;
        event.id = self.db.last_insert_rowid();
        if event.id % 1000 == 0 {
            self.db
                .execute("DELETE FROM event WHERE id <= ?1", [event.id - KEPT])?;
        }
        Ok(())
    }

    /// The last events, oldest first; of one unit or of all.
    pub(crate) fn events(&self, unit: Option<&str>, most: u32) -> Result<Vec<Event>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT id, at, unit, kind, state, sub, was, confidence, evidence, detail FROM event
             WHERE ?1 IS NULL OR unit = ?1 OR substr(unit, 1, length(?1) + 1) = ?1 || '@'
             ORDER BY id DESC LIMIT ?2",
        )?;
        let rows = query.query_map(params![unit, most], |row| {
            let at: String = row.get(1)?;
            let evidence: Option<String> = row.get(8)?;
            Ok(Event {
                id: row.get(0)?,
                at: at.parse().unwrap_or_default(),
                unit: row.get(2)?,
                kind: row.get(3)?,
                state: row.get(4)?,
                sub: row.get(5)?,
                was: row.get(6)?,
                confidence: row.get(7)?,
                evidence: evidence
                    .and_then(|text| serde_json::from_str(&text).ok())
                    .unwrap_or_default(),
                detail: row.get(9)?,
            })
        })?;
        let mut events: Vec<Event> = rows.collect::<Result<_, _>>()?;
        events.reverse();
        Ok(events)
    }

    /// Where a run of that unit stood last: the kind and the detail of its last event of a start or an
    /// end.
    pub(crate) fn stood(&self, unit: &str) -> Result<Option<(String, String)>, StoreError> {
        Ok(self
            .db
            .query_row(
                "SELECT kind, detail FROM event WHERE unit = ?1
                 AND kind IN ('start', 'stopping', 'stop', 'end', 'hold') ORDER BY id DESC LIMIT 1",
                [unit],
                |row| {
                    Ok((
                        row.get(0)?,
                        row.get::<_, Option<String>>(1)?.unwrap_or_default(),
                    ))
                },
            )
            .optional()?)
    }

    /// Declares units of the command line.
    pub(crate) fn declare(&self, name: &str, spec: &Value) -> Result<(), StoreError> {
        self.db.execute(
            "INSERT INTO declared (name, spec) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET spec = excluded.spec",
            params![name, spec.to_string()],
        )?;
        Ok(())
    }

    pub(crate) fn declared(&self) -> Result<Vec<Value>, StoreError> {
        let mut query = self.db.prepare("SELECT spec FROM declared ORDER BY name")?;
        let specs = query.query_map([], |row| row.get::<_, String>(0))?;
        let specs: Vec<String> = specs.collect::<Result<_, _>>()?;
        Ok(specs
            .iter()
            .map(|spec| serde_json::from_str(spec))
            .collect::<Result<_, _>>()?)
    }

    /// A unit of the command line is one no more.
    pub(crate) fn withdraw(&self, name: &str) -> Result<(), StoreError> {
        self.db
            .execute("DELETE FROM declared WHERE name = ?1", [name])?;
        Ok(())
    }

    /// What tokens are made of: `new`, where there is none yet.
    pub(crate) fn secret(&self, new: [u8; 32]) -> Result<[u8; 32], StoreError> {
        self.db.execute(
            "INSERT INTO setting (name, value) VALUES ('secret', hex(?1)) ON CONFLICT DO NOTHING",
            [new],
        )?;
        Ok(self.db.query_row(
            "SELECT unhex(value) FROM setting WHERE name = 'secret'",
            [],
            |row| row.get(0),
        )?)
    }

    /// Keeps a text under a name; what is kept there goes.
    pub(crate) fn keep(&self, name: &str, value: &str) -> Result<(), StoreError> {
        self.db.execute(
            "INSERT INTO setting (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [name, value],
        )?;
        Ok(())
    }

    /// What is kept under a name.
    pub(crate) fn kept(&self, name: &str) -> Result<Option<String>, StoreError> {
        let mut query = self
            .db
            .prepare_cached("SELECT value FROM setting WHERE name = ?1")?;
        Ok(query.query_row([name], |row| row.get(0)).optional()?)
    }

    /// The configuration that was given last.
    pub(crate) fn set_file(&self, file: &str) -> Result<(), StoreError> {
        self.set("file", Some(file))
    }

    pub(crate) fn file(&self) -> Result<Option<String>, StoreError> {
        self.get("file")
    }

    /// The tmux servers that instances run on.
    pub(crate) fn set_servers(&self, servers: &BTreeSet<&str>) -> Result<(), StoreError> {
        self.set("servers", Some(&serde_json::to_string(servers)?))
    }

    pub(crate) fn servers(&self) -> Result<Vec<String>, StoreError> {
        let servers = self.get("servers")?;
        Ok(servers.map_or_else(|| Ok(Vec::new()), |text| serde_json::from_str(&text))?)
    }

    /// Why an instance is started anew as soon as it is idle.
    pub(crate) fn set_pending(&self, name: &str, why: Option<&str>) -> Result<(), StoreError> {
        self.set(&format!("pending {name}"), why)
    }

    pub(crate) fn pending(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.get(&format!("pending {name}"))
    }

    fn set(&self, name: &str, value: Option<&str>) -> Result<(), StoreError> {
        match value {
            Some(value) => self.db.execute(
                "INSERT INTO setting (name, value) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                [name, value],
            )?,
            None => self
                .db
                .execute("DELETE FROM setting WHERE name = ?1", [name])?,
        };
        Ok(())
    }

    fn get(&self, name: &str) -> Result<Option<String>, StoreError> {
        Ok(self
            .db
            .query_row("SELECT value FROM setting WHERE name = ?1", [name], |row| {
                row.get(0)
            })
            .optional()?)
    }

    /// An instance is one no more; what happened to it stays.
    pub(crate) fn forget(&self, name: &str) -> Result<(), StoreError> {
        self.set_pending(name, None)?;
        self.db
            .execute("DELETE FROM instance WHERE name = ?1", [name])?;
        Ok(())
    }

    /// Is an instance to run, how often was it started again, and which session is it in?
    pub(crate) fn set_instance(&self, name: &str, kept: &Kept) -> Result<(), StoreError> {
        self.db.execute(
            "INSERT INTO instance (name, wanted, restarts, session) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (name) DO UPDATE SET wanted = excluded.wanted,
                 restarts = excluded.restarts, session = excluded.session",
            params![name, kept.wanted, kept.restarts, kept.session],
        )?;
        Ok(())
    }

    pub(crate) fn instance(&self, name: &str) -> Result<Option<Kept>, StoreError> {
        Ok(self
            .db
            .query_row(
                "SELECT wanted, restarts, session FROM instance WHERE name = ?1",
                [name],
                |row| {
                    Ok(Kept {
                        wanted: row.get(0)?,
                        restarts: row.get(1)?,
                        session: row.get(2)?,
                    })
                },
            )
            .optional()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_there_after_it_is_opened_again() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let mut event = Event {
            unit: "w@1".to_owned(),
            kind: "end".to_owned(),
            evidence: serde_json::json!([{"rule": "ended"}]),
            ..Event::default()
        };
        store.add(&mut event).unwrap();
        let spec = serde_json::json!({"name": "w"});
        store.declare("w", &spec).unwrap();
        let kept = Kept {
            wanted: true,
            restarts: 3,
            session: Some("abc".to_owned()),
        };
        store.set_instance("w@1", &kept).unwrap();
        store.set_file("/etc/x.toml").unwrap();
        store.set_servers(&BTreeSet::from(["a", "b"])).unwrap();
        store.set_pending("w@1", Some("asked")).unwrap();
        store.set_pending("w@2", Some("asked")).unwrap();
        store.set_pending("w@2", None).unwrap();
        assert_eq!(store.secret([1; 32]).unwrap(), [1; 32]);
        assert_eq!(store.secret([2; 32]).unwrap(), [1; 32]);
        drop(store);
        let store = Store::open(directory.path()).unwrap();
        assert_eq!(store.events(Some("w@1"), 9).unwrap(), [event]);
        assert_eq!(store.events(Some("other"), 9).unwrap(), []);
        assert_eq!(store.declared().unwrap(), [spec]);
        assert_eq!(store.instance("w@1").unwrap(), Some(kept));
        assert_eq!(store.instance("w@2").unwrap(), None);
        assert_eq!(store.file().unwrap().as_deref(), Some("/etc/x.toml"));
        assert_eq!(store.servers().unwrap(), ["a", "b"]);
        assert_eq!(store.pending("w@1").unwrap().as_deref(), Some("asked"));
        assert_eq!(store.pending("w@2").unwrap(), None);
        store.withdraw("w").unwrap();
        store.forget("w@1").unwrap();
        assert_eq!(store.declared().unwrap(), [] as [Value; 0]);
        assert_eq!(store.instance("w@1").unwrap(), None);
        assert_eq!(store.pending("w@1").unwrap(), None);
    }

    #[test]
    fn where_a_run_stood_last_is_known_whatever_else_happened_since() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        assert_eq!(store.stood("w@1").unwrap(), None);
        for (unit, kind, detail) in [
            ("w@1", "start", Some("pid 7")),
            ("w@1", "stopping", Some("now")),
            ("w@2", "end", Some("exit 1")),
            ("w@1", "state", None),
            ("w@1", "adopt", Some("pid 7")),
        ] {
            let mut event = Event {
                unit: unit.to_owned(),
                kind: kind.to_owned(),
                detail: detail.map(str::to_owned),
                ..Event::default()
            };
            store.add(&mut event).unwrap();
        }
        let stood = |unit| store.stood(unit).unwrap().unwrap();
        assert_eq!(stood("w@1"), ("stopping".to_owned(), "now".to_owned()));
        assert_eq!(stood("w@2"), ("end".to_owned(), "exit 1".to_owned()));
    }

    #[test]
    fn a_store_of_version_1_is_taken_over() {
        let directory = tempfile::tempdir().unwrap();
        let db = Connection::open(directory.path().join("guardian.db")).unwrap();
        let before = TABLES.replace(", session TEXT", "");
        db.execute_batch(&before).unwrap();
        db.pragma_update(None, "user_version", 1).unwrap();
        db.execute("INSERT INTO instance VALUES ('w@1', 1, 2)", [])
            .unwrap();
        drop(db);
        for _ in 0..2 {
            let kept = Store::open(directory.path()).unwrap().instance("w@1");
            let kept = kept.unwrap().unwrap();
            assert_eq!((kept.wanted, kept.restarts, kept.session), (true, 2, None));
        }
    }

    #[test]
    fn a_store_of_another_version_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        drop(Store::open(directory.path()).unwrap());
        let db = Connection::open(directory.path().join("guardian.db")).unwrap();
        db.pragma_update(None, "user_version", 99).unwrap();
        let refused = Store::open(directory.path());
        assert!(matches!(refused, Err(StoreError::Version(99))));
    }
}
