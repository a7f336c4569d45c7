//! What `cc-balancer`'s store in SQLite costs: how long an add takes until it is answered, over the
//! same insert and commit by hand; how long a store of many tasks takes to open and to pull from.
//!
//! ```sh
//! cargo bench -p benches --bench balancer
//! ```
//!
//! `ADDS=N` says how many are added, `TASKS=N` how many wait. It writes where it was built, so that is
//! the disk that is measured.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cc_balancer::store::{End, Now, Offer, SqliteStore, Store};
use cc_balancer::task::{Kind, Labels, Outcome, Spec, Worker};
use jiff::Timestamp;
use rusqlite::Connection;
use tokio::task::JoinSet;

/// How many adds wait at once where many do.
const AT_ONCE: usize = 64;
/// How many pulls are measured.
const PULLS: usize = 1000;

fn number(name: &str, usual: usize) -> usize {
    let said = std::env::var(name).ok();
    said.and_then(|said| said.parse().ok()).unwrap_or(usual)
}

fn spec(number: usize) -> Spec {
    let group = number % 4;
    serde_json::from_value(serde_json::json!({
        "text": "Fix the failing test in the parser, and say which one it was. ".repeat(8),
        "group": format!("group-{group}"),
        "submitter": format!("submitter-{}", number % 10),
        "priority": number % 5,
        "needs": { "role": "ci" },
    }))
    .expect("a task")
}

fn now() -> Now {
    let wall = Timestamp::now();
    Now {
        wall,
        steady: Duration::from_secs(wall.as_second().unsigned_abs()),
    }
}

fn offers() -> Vec<Offer> {
    let worker = |number: u32| Offer {
        worker: Worker {
            unit: Some(format!("coder@{number}")),
            socket: "/run/tmux".to_owned(),
            server: "1.1".to_owned(),
            pane: format!("%{number}"),
            account: None,
        },
        labels: Labels::from([("role".to_owned(), "ci".to_owned())]),
        names: vec!["coder".to_owned(), format!("%{number}")],
        kinds: vec![Kind::Task, Kind::Message],
        groups: Vec::new(),
        affinity: None,
        failures: 0,
        idle: Duration::from_secs(1),
    };
    (0..20).map(worker).collect()
}

/// The same by hand: what there is to be down at the least.
struct Bare(Connection);

impl Bare {
    fn open(path: &Path) -> Self {
        let db = Connection::open(path).expect("a database");
        db.pragma_update(None, "journal_mode", "WAL").expect("WAL");
        db.pragma_update(None, "synchronous", "FULL").expect("FULL");
        db.execute_batch("CREATE TABLE task (id INTEGER PRIMARY KEY, spec TEXT NOT NULL) STRICT")
            .expect("a table");
        Self(db)
    }

    fn add(&self, spec: &Spec) {
        let spec = serde_json::to_string(spec).expect("JSON");
        self.0
            .prepare_cached("INSERT INTO task (spec) VALUES (?1)")
            .and_then(|mut insert| insert.execute([spec]))
            .expect("an insert");
    }
}

/// The time below which that share of them is.
fn share(times: &mut [Duration], share: f64) -> f64 {
    times.sort();
    let at = (times.len() as f64 * share) as usize;
    times[at.min(times.len() - 1)].as_secs_f64() * 1e6
}

fn row(name: &str, times: &mut [Duration], bare: (f64, f64)) {
    let (middle, most) = (share(times, 0.5), share(times, 0.99));
    println!(
        "{name:<34} {middle:>9.0} {most:>9.0} {:>8.2} {:>8.2}",
        middle / bare.0,
        most / bare.1
    );
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (adds, tasks) = (number("ADDS", 10_000), number("TASKS", 100_000));
    let dir = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let bare = Bare::open(&dir.path().join("bare.db"));
    let path = dir.path().join("tasks.db");
    let store = Arc::new(SqliteStore::open(&path).expect("a store"));
    let (mut by_hand, mut added) = (Vec::new(), Vec::new());
    for number in 0..adds {
        let spec = spec(number);
        // In turn, so that both see the same machine.
        let start = Instant::now();
        bare.add(&spec);
        by_hand.push(start.elapsed());
        let start = Instant::now();
        store.add(spec, now()).await.expect("an add");
        added.push(start.elapsed());
    }
    println!(
        "microseconds{:>32} {:>9} {:>8} {:>8}",
        "p50", "p99", "over", "over"
    );
    let least = (share(&mut by_hand, 0.5), share(&mut by_hand, 0.99));
    row("INSERT and commit by hand", &mut by_hand, least);
    row("add, until it is answered", &mut added, least);

    let start = Instant::now();
    let mut waiting = tasks.saturating_sub(adds);
    while waiting > 0 {
        let many = waiting.min(AT_ONCE);
        let mut all = JoinSet::new();
        for number in 0..many {
            let store = Arc::clone(&store);
            all.spawn(async move { store.add(spec(number), now()).await.map(drop) });
        }
        while let Some(added) = all.join_next().await {
            added.expect("a task").expect("an add");
        }
        waiting -= many;
    }
    let each = start.elapsed().as_secs_f64() / tasks.saturating_sub(adds).max(1) as f64;
    println!("add, {AT_ONCE} at once: {:.0} a second", 1.0 / each);
    store.close().await.expect("an end");

    let start = Instant::now();
    let store = SqliteStore::open(&path).expect("a store");
    let opened = start.elapsed();
    let (offers, lease) = (offers(), Duration::from_secs(60));
    let pull = async || {
        let leased = store.pull("here", &offers, lease, now()).await;
        leased.expect("a pull").expect("a task")
    };
    let start = Instant::now();
    let first = pull().await;
    let pulled = start.elapsed();
    store
        .end(&first.fence, End::Done(Outcome::default()), now())
        .await
        .expect("an end");
    println!(
        "{tasks} tasks: opened in {:.1} ms, the first pull in {:.1} ms",
        opened.as_secs_f64() * 1e3,
        pulled.as_secs_f64() * 1e3
    );
    let (mut pulls, mut ends, mut counts) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..PULLS {
        let start = Instant::now();
        let leased = pull().await;
        pulls.push(start.elapsed());
        let start = Instant::now();
        let end = End::Done(Outcome::default());
        store.end(&leased.fence, end, now()).await.expect("an end");
        ends.push(start.elapsed());
        let start = Instant::now();
        store.counts().await.expect("counts");
        counts.push(start.elapsed());
    }
    row("pull, of all these", &mut pulls, least);
    row("end", &mut ends, least);
    row("counts", &mut counts, least);
}
