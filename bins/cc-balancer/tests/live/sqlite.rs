//! The store in SQLite.

use std::path::PathBuf;
use std::sync::Arc;

use cc_balancer::store::{SqliteStore, Store};

use crate::suite::{self, Later, Order, Place, Topic, topics};

/// A file, and the directory that goes with it.
struct File {
    _dir: tempfile::TempDir,
    path: PathBuf,
}

impl Place for File {
    fn open(&self) -> Later<'_, Arc<dyn Store>> {
        Box::pin(async {
            let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&self.path).unwrap());
            store
        })
    }
}

async fn make() -> File {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tasks.db");
    File { _dir: dir, path }
}

/// One test for each topic, so that they run beside each other.
macro_rules! conforms {
    ($($name:ident: $topic:ident,)*) => {
        $(#[tokio::test]
        async fn $name() {
            suite::conforms(make, &[Topic::$topic]).await;
        })*
    };
}

topics!(conforms);

#[tokio::test]
async fn whatever_is_asked_in_whatever_order_it_does_what_the_model_does() {
    for seed in 0..12 {
        suite::plays(make().await, seed, Order::Exact).await;
    }
}
