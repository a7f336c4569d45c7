//! A store in SQLite whose process is killed, or whose files may not grow.
//!
//! The process is this binary itself: a test that does nothing unless it is told where the store is.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use cc_balancer::store::{End, Now, Query, SqliteStore, Store, StoreError};
use cc_balancer::task::{Outcome, State, TaskId};
use harness::seeded::Seeded;
use rusqlite::Connection;
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::suite::{at, spec, worker};

/// Where the store is that the process is to use.
const STORE: &str = "CC_TEST_STORE";
/// How often it is killed.
const TIMES: usize = 20;

/// This binary, with one test of it alone.
fn itself(test: &str, path: &Path) -> Vec<std::ffi::OsString> {
    let own = std::env::current_exe().unwrap();
    let test = format!("killed::{test}");
    let arguments = [&test, "--exact", "--nocapture", "--test-threads=1"];
    let mut all = vec!["env".into(), format!("{STORE}={}", path.display()).into()];
    all.push(own.into_os_string());
    all.extend(arguments.map(Into::into));
    all
}

fn store() -> Option<SqliteStore> {
    let path = std::env::var_os(STORE)?;
    Some(SqliteStore::open(Path::new(&path)).unwrap())
}

fn far() -> Now {
    at(1_000_000)
}

#[tokio::test]
async fn adds_and_ends_until_it_is_killed() {
    let Some(store) = store() else {
        return;
    };
    loop {
        // Some of them in one commit.
        let text = "x".repeat(3000);
        let adds = tokio::join!(
            store.add(spec(&text), at(0)),
            store.add(spec("small"), at(0)),
            store.add(spec(&text), at(0)),
        );
        for added in [adds.0, adds.1, adds.2] {
            println!("added {}", added.unwrap().id);
        }
        let (offers, lease) = ([worker(1)], Duration::from_secs(60));
        let leased = store.pull("here", &offers, lease, far()).await;
        let leased = leased.unwrap().unwrap();
        let end = End::Done(Outcome::default());
        store.end(&leased.fence, end, far()).await.unwrap();
        println!("done {}", leased.task.id);
    }
}

/// What a process said before it was killed, once it had said so many lines.
fn killed_after(lines: u64, path: &Path) -> Vec<(String, TaskId)> {
    let command = itself("adds_and_ends_until_it_is_killed", path);
    let mut child = Command::new(&command[0])
        .args(&command[1..])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let mut heard = Vec::new();
    let mut line = String::new();
    let mut hear = |line: &str| {
        // A word of the test's own may be in front, and a half line is none.
        let words = line
            .strip_suffix('\n')
            .and_then(|line| line.rsplit_once(' '));
        let id = words.and_then(|(_, id)| id.parse().ok());
        let what = ["added", "done"]
            .into_iter()
            .find(|word| line.contains(word));
        if let (Some(what), Some(id)) = (what, id) {
            heard.push((what.to_owned(), id));
        }
    };
    for _ in 0..lines {
        line.clear();
        assert_ne!(said.read_line(&mut line).unwrap(), 0, "it ended");
        hear(&line);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it had said by then counts as well.
    loop {
        line.clear();
        match said.read_line(&mut line) {
            Ok(1..) => hear(&line),
            _ => return heard,
        }
    }
}

#[tokio::test]
async fn whatever_was_answered_is_there_after_a_kill_at_any_moment() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tasks.db");
    let mut bytes = [0; TIMES];
    Seeded::bytes(7).fill(0, &mut bytes);
    let mut answered = Vec::new();
    // The first times it is killed while it makes the store.
    let moments = [0, 1, 2]
        .into_iter()
        .chain(bytes.map(|byte| 3 + u64::from(byte) % 100));
    for lines in moments {
        answered.extend(killed_after(lines, &path));
        let db = Connection::open(&path).unwrap();
        let check: String = db
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(check, "ok");
        drop(db);
        let store = SqliteStore::open(&path).unwrap();
        let all = store.tasks(Query::default()).await.unwrap();
        let ids: BTreeSet<_> = all.iter().map(|task| task.id.clone()).collect();
        let done = all.iter().filter(|task| task.state == State::Done);
        let done: BTreeSet<_> = done.map(|task| task.id.clone()).collect();
        for (what, id) in &answered {
            let there = if what == "done" { &done } else { &ids };
            assert!(there.contains(id), "{what} {id} is not there");
        }
        let counts = store.counts().await.unwrap();
        assert_eq!(counts.values().sum::<u64>(), all.len() as u64);
        assert_eq!(
            counts.get(&State::Done).copied().unwrap_or_default(),
            done.len() as u64
        );
        store.close().await.unwrap();
    }
    assert!(answered.len() > 100, "{}", answered.len());
}

#[tokio::test]
async fn adds_until_its_files_may_not_grow() {
    let Some(store) = store() else {
        return;
    };
    let mut ids = Vec::new();
    let refused = loop {
        match store.add(spec(&"x".repeat(50_000)), at(0)).await {
            Ok(added) => ids.push(added.id),
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, StoreError::Full), "{refused:?}");
    assert!(!ids.is_empty());
    let all = store.tasks(Query::default()).await.unwrap();
    assert_eq!(all.len(), ids.len());
    // There is space again.
    let free = Rlimit {
        current: None,
        maximum: None,
    };
    setrlimit(Resource::Fsize, free).unwrap();
    ids.push(
        store
            .add(spec(&"x".repeat(50_000)), at(0))
            .await
            .unwrap()
            .id,
    );
    store.close().await.unwrap();
    for id in ids {
        println!("added {id}");
    }
}

#[tokio::test]
async fn a_store_whose_files_may_not_grow_is_full_and_goes_on_afterwards() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tasks.db");
    // The signal that comes with it would end the process.
    let limited = "trap '' XFSZ; ulimit -S -f 2000; exec \"$@\"";
    let output = Command::new("bash")
        .args(["-c", limited, "bash"])
        .args(itself("adds_until_its_files_may_not_grow", &path))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let ids: Vec<TaskId> = said
        .lines()
        .filter_map(|line| line.rsplit_once("added ")?.1.parse().ok())
        .collect();
    assert!(ids.len() > 2, "{said}");
    let store = SqliteStore::open(&path).unwrap();
    for id in &ids {
        store.task(id.as_str()).await.unwrap();
    }
    assert_eq!(
        store.tasks(Query::default()).await.unwrap().len(),
        ids.len()
    );
}
