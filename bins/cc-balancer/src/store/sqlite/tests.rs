//! What is SQLite's alone; what every engine promises is in the suite of `tests/live`.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::task::{Kind, Labels, Worker};

/// A moment, so many seconds after the first.
fn at(seconds: u32) -> Now {
    Now {
        wall: Timestamp::from_second(1_700_000_000 + i64::from(seconds)).unwrap(),
        steady: Duration::from_secs(1000 + u64::from(seconds)),
    }
}

fn spec(text: &str) -> Spec {
    serde_json::from_value(serde_json::json!({
        "text": text, "group": "default", "submitter": "me"
    }))
    .unwrap()
}

fn offer() -> Offer {
    Offer {
        worker: Worker {
            unit: Some("coder".to_owned()),
            socket: "/tmp/s".to_owned(),
            server: "1.1".to_owned(),
            pane: "%1".to_owned(),
            account: None,
        },
        labels: Labels::new(),
        names: vec!["coder".to_owned(), "%1".to_owned()],
        kinds: vec![Kind::Task, Kind::Message],
        groups: Vec::new(),
        affinity: None,
        failures: 0,
        idle: Duration::ZERO,
    }
}

const LEASE: Duration = Duration::from_secs(60);

async fn pull(store: &SqliteStore, now: Now) -> Option<Leased> {
    store.pull("here", &[offer()], LEASE, now).await.unwrap()
}

#[tokio::test]
async fn the_file_is_for_its_owner_alone_and_what_is_in_it_stays() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tasks.db");
    let store = SqliteStore::open(&path).unwrap();
    let added = store.add(spec("make"), at(0)).await.unwrap();
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", file.path());
    }
    store.close().await.unwrap();
    assert!(store.counts().await.is_err());
    let store = SqliteStore::open(&path).unwrap();
    let leased = pull(&store, at(1)).await.unwrap();
    assert_eq!(leased.task.id, added.id);
    let end = End::Done(Outcome::default());
    assert_eq!(
        store.end(&leased.fence, end, at(2)).await.unwrap(),
        State::Done
    );
    assert!(pull(&store, at(3)).await.is_none());
    // What nobody needs any more goes with the last task.
    assert_eq!(store.tidy(at(9).wall).await.unwrap(), 1);
    let lanes = store.read(|work| {
        let lanes = work
            .db
            .query_row("SELECT count(*) FROM lane", [], |row| row.get::<_, i64>(0));
        Ok(lanes?)
    });
    assert_eq!(lanes.await.unwrap(), 0);
}

#[tokio::test]
async fn a_file_that_others_could_read_is_for_its_owner_alone_from_then_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tasks.db");
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    SqliteStore::open(&path).unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

fn refused(path: &Path) -> String {
    match SqliteStore::open(path) {
        Err(StoreError::Broken(why)) => why.replace(&path.display().to_string(), "FILE"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_file_that_is_none_of_its_own_is_refused_in_words_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let newer = dir.path().join("newer.db");
    SqliteStore::open(&newer).unwrap().close().await.unwrap();
    let db = rusqlite::Connection::open(&newer).unwrap();
    db.pragma_update(None, "user_version", 9).unwrap();
    drop(db);
    assert_eq!(
        refused(&newer),
        "FILE: it has version 9, this program knows 1: start the newer program"
    );
    let other = dir.path().join("other.db");
    let db = rusqlite::Connection::open(&other).unwrap();
    db.execute_batch("CREATE TABLE song (name TEXT)").unwrap();
    drop(db);
    assert_eq!(refused(&other), "FILE: it is a database of something else");
    let text = dir.path().join("text");
    std::fs::write(
        &text,
        "not a database, and longer than its header".repeat(99),
    )
    .unwrap();
    assert_eq!(refused(&text), "FILE: file is not a database");
    let kept = std::fs::read_to_string(&text).unwrap();
    assert!(kept.starts_with("not a database"));
    let nowhere = dir.path().join("nowhere/tasks.db");
    assert!(refused(&nowhere).starts_with("FILE: No such file"));
}

#[tokio::test]
async fn a_lease_of_another_boot_has_run_out() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tasks.db");
    let store = SqliteStore::open(&path).unwrap();
    store.add(spec("make"), at(0)).await.unwrap();
    let leased = pull(&store, at(1)).await.unwrap();
    assert_eq!(store.expire(at(2)).await.unwrap(), []);
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute("UPDATE task SET boot = 'another'", []).unwrap();
    assert_eq!(store.expire(at(2)).await.unwrap(), [leased.fence]);
    assert!(pull(&store, at(3)).await.is_some());
}

#[tokio::test]
async fn without_the_name_of_a_boot_a_clock_that_went_back_tells() {
    let dir = tempfile::tempdir().unwrap();
    let db = tables::open(&dir.path().join("tasks.db")).unwrap();
    let mut work = Work {
        db: &db,
        boot: None,
        told: Vec::new(),
    };
    work.add(&spec("make"), at(500)).unwrap();
    work.pull("here", &[offer()], LEASE, at(500))
        .unwrap()
        .unwrap();
    for (seconds, gone) in [(440, 0), (439, 1)] {
        assert_eq!(work.expire(at(seconds)).unwrap().len(), gone, "{seconds}");
    }
}

#[tokio::test]
async fn a_full_disk_refuses_keeps_what_there_is_and_goes_on_when_there_is_space() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&dir.path().join("tasks.db")).unwrap();
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(store.add(spec("small"), at(0)).await.unwrap().id);
    }
    let pages = |most: i64| {
        store.read(move |work| {
            let set = work.db.pragma_update(None, "max_page_count", most);
            Ok(set?)
        })
    };
    // As many as there are, and no more.
    pages(1).await.unwrap();
    let big = || spec(&"x".repeat(100_000));
    let mut changes = store.changes();
    assert!(matches!(
        store.add(big(), at(1)).await,
        Err(StoreError::Full)
    ));
    // Of many in one commit, too, and nothing is told of any that is not there.
    let (first, second, third) = tokio::join!(
        store.add(big(), at(2)),
        store.add(spec("small"), at(2)),
        store.add(big(), at(2)),
    );
    assert!(matches!(first, Err(StoreError::Full)));
    assert!(matches!(third, Err(StoreError::Full)));
    if let Ok(added) = second {
        assert_eq!(changes.try_recv().unwrap().task, added.id);
        ids.push(added.id);
    }
    assert!(changes.try_recv().is_err());
    // What is there can be read, and goes on.
    let there = store.tasks(Query::default()).await.unwrap();
    let there: Vec<_> = there.into_iter().rev().map(|task| task.id).collect();
    assert_eq!(there, ids);
    let ok = store.read(|work| {
        let check = work
            .db
            .query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
        Ok(check?)
    });
    assert_eq!(ok.await.unwrap(), "ok");
    pages(1_000_000).await.unwrap();
    store.add(big(), at(3)).await.unwrap();
    assert_eq!(pull(&store, at(4)).await.unwrap().task.id, ids[0]);
}

#[tokio::test]
async fn a_file_that_somebody_else_holds_keeps_nobody_but_who_asked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tasks.db");
    let store = SqliteStore::open(&path).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut add = store.add(spec("make"), at(0));
    let waits = tokio::time::timeout(Duration::from_millis(50), &mut add).await;
    // The clock went on, and there is no answer.
    assert!(waits.is_err());
    other.execute_batch("COMMIT").unwrap();
    add.await.unwrap();
}

#[tokio::test]
async fn a_backup_is_whole_while_tasks_are_added() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&dir.path().join("tasks.db")).unwrap();
    let copy = dir.path().join("copy.db");
    std::fs::write(&copy, "an older one").unwrap();
    let first = store.add(spec("first"), at(0)).await.unwrap();
    let adds = async {
        let mut added = 1;
        loop {
            store.add(spec(&"x".repeat(5000)), at(1)).await.unwrap();
            added += 1;
            // More than one commit, at least, in the time of a backup.
            tokio::task::yield_now().await;
            if added > 300 {
                return;
            }
        }
    };
    let (done, ()) = tokio::join!(store.backup(&copy), adds);
    done.unwrap();
    let mode = std::fs::metadata(&copy).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!dir.path().join("copy.db.part").exists());
    let copied = SqliteStore::open(&copy).unwrap();
    assert_eq!(
        copied.task(first.id.as_str()).await.unwrap().spec.text,
        "first"
    );
    let counts = copied.counts().await.unwrap();
    let copied = copied.tasks(Query::default()).await.unwrap();
    assert_eq!(counts[&State::Queued], copied.len() as u64);
    // Over itself it would be gone.
    let own = dir.path().join("own.db");
    std::os::unix::fs::symlink(dir.path().join("tasks.db"), &own).unwrap();
    assert!(
        matches!(store.backup(&own).await, Err(StoreError::Broken(why)) if why.ends_with("is the store itself"))
    );
    // And where it cannot be, it is told.
    let wrong = dir.path().join("nowhere/copy.db");
    assert!(matches!(
        store.backup(&wrong).await,
        Err(StoreError::Broken(_))
    ));
}

#[tokio::test]
async fn what_is_asked_each_time_goes_over_no_table_of_tasks() {
    let dir = tempfile::tempdir().unwrap();
    let db = tables::open(&dir.path().join("tasks.db")).unwrap();
    for sql in pulling::ALL {
        let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let values = (1..=plan.parameter_count()).map(|_| 1);
        let steps = plan
            .query_map(rusqlite::params_from_iter(values), |row| {
                row.get::<_, String>("detail")
            })
            .unwrap();
        for step in steps {
            let step = step.unwrap();
            let is_slow = ["SCAN", "task_state", "TEMP B-TREE"].map(|slow| step.contains(slow));
            assert_eq!(is_slow, [false; 3], "{sql}: {step}");
        }
    }
}

#[tokio::test]
async fn of_what_fails_half_way_or_at_its_commit_nothing_is_left_or_told() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&dir.path().join("tasks.db")).unwrap();
    let mut changes = store.changes();
    let half = store.write(|work| {
        work.add(&spec("half"), at(0))?;
        Err::<(), _>(StoreError::Broken("half way".to_owned()))
    });
    let at_its_commit = store.write(|work| {
        work.add(&spec("whole"), at(0))?;
        work.db.pragma_update(None, "defer_foreign_keys", true)?;
        let insert = "INSERT INTO before (task, other) VALUES (1000, 1000)";
        Ok(work.db.execute(insert, [])?)
    });
    assert!(matches!(half.await, Err(StoreError::Broken(why)) if why == "half way"));
    let failed = at_its_commit.await;
    assert!(matches!(failed, Err(StoreError::Broken(why)) if why.contains("FOREIGN KEY")));
    assert_eq!(store.counts().await.unwrap(), Counts::new());
    assert!(changes.try_recv().is_err());
    let added = store.add(spec("next"), at(1)).await.unwrap();
    assert_eq!(changes.try_recv().unwrap().task, added.id);
}

#[tokio::test]
async fn what_is_taken_back_of_an_own_attempt_leaves_it_its_lease() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&dir.path().join("tasks.db")).unwrap();
    store.share().await.unwrap();
    store.add(spec("make"), at(0)).await.unwrap();
    let leased = pull(&store, at(0)).await.unwrap();
    let task = &leased.task.id;
    let before = store.whole(task).await.unwrap().unwrap();
    let ends = [
        End::Done(Outcome::default()),
        End::Returned("no".to_owned(), None),
    ];
    for end in ends {
        store.end(&leased.fence, end, at(1)).await.unwrap();
        // Another worker may have it already.
        let _ = pull(&store, at(1)).await;
        store.keep(before.clone(), true).await.unwrap();
        assert_eq!(store.whole(task).await.unwrap().unwrap(), before);
        assert_eq!(store.expire(at(59)).await.unwrap(), []);
    }
    // A beat since then counts, and one of another boot does not.
    store.beat(&leased.fence, LEASE, at(30)).await.unwrap();
    store.keep(before.clone(), true).await.unwrap();
    assert_eq!(store.expire(at(89)).await.unwrap(), []);
    store
        .write(|work| {
            let update = "UPDATE task SET boot = 'another'";
            Ok(work.db.execute(update, [])?)
        })
        .await
        .unwrap();
    store.keep(before, true).await.unwrap();
    assert_eq!(store.expire(at(89)).await.unwrap(), [leased.fence]);
}

#[tokio::test]
async fn what_comes_after_what_failed_on_another_host_is_dead_whichever_is_heard_first() {
    let dir = tempfile::tempdir().unwrap();
    let [there, here, later] =
        ["there", "here", "later"].map(|name| SqliteStore::open(&dir.path().join(name)).unwrap());
    for store in [&there, &here, &later] {
        store.share().await.unwrap();
    }
    let first = there.add(spec("first"), at(0)).await.unwrap().id;
    let next = Spec {
        after: vec![first.clone()],
        ..spec("next")
    };
    let next = there.add(next, at(1)).await.unwrap().id;
    let whole = async |id: &TaskId| there.whole(id).await.unwrap().unwrap();
    let (mut failed, waits) = (whole(&first).await, whole(&next).await);
    here.keep(failed.clone(), true).await.unwrap();
    failed.task.state = State::Failed;
    failed.task.ended = Some(at(5).wall);
    let mut changes = here.changes();
    for whole in [&waits, &failed] {
        here.keep(whole.clone(), true).await.unwrap();
    }
    for whole in [&failed, &waits] {
        later.keep(whole.clone(), true).await.unwrap();
    }
    for store in [&here, &later] {
        let task = store.task(next.as_str()).await.unwrap();
        let why = format!("after {first} is failed");
        assert_eq!((task.state, task.why), (State::Dead, Some(why)));
        assert_eq!(task.ended, Some(at(5).wall));
    }
    // It is told, so that the others hear of it.
    let mut told = Vec::new();
    while let Ok(event) = changes.try_recv() {
        told.push((event.task, event.kind));
    }
    assert_eq!(told.last(), Some(&(next.clone(), "dead".to_owned())));
    // Whoever tried both again may be heard in another order.
    here.keep(waits, true).await.unwrap();
    let task = here.task(next.as_str()).await.unwrap();
    assert_eq!(task.state, State::Queued);
}
