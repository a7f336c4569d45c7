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
}
