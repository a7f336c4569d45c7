//! A balancer whose disk is full, and one with very many tasks.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use cc_balancer::store::{Query, SqliteStore, Store as _};
use rusqlite::Connection;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::floor::{Floor, is_full};
use crate::queue::Queue;
use crate::suite::{at, spec};

/// The same command, whose files may not grow above so many KiB. The signal that comes with that would end
/// it, where a full disk ends nobody.
fn within(kib: u32, command: &Command) -> Command {
    let limited = format!("trap '' XFSZ; ulimit -S -f {kib}; exec \"$@\"");
    let mut bash = Command::new("bash");
    bash.args(["-c", &limited, "bash"])
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .current_dir(command.get_current_dir().unwrap())
        .stdin(Stdio::null());
    bash
}

fn is_sound(queue: &Queue) {
    let db = Connection::open(queue.path("state/balancer.db")).unwrap();
    let check: String = db
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
}

/// What `add` says where nothing can be kept any more.
const FULL: &str = "there is no space left for the store";

/// Passes when a balancer whose disk is full refuses what it cannot keep, with 7 and in a sentence, keeps
/// what it has, and goes on by itself as soon as there is space.
#[test]
fn what_does_not_fit_on_the_disk_is_refused_and_the_rest_goes_on() {
    let mut floor = Floor::new();
    floor.hire("w1", &[]);
    floor.configure(&floor.table("w*", "claude", ""));
    floor.serve_as(|command| within(600, &command));
    floor.until_workers(1, "idle");
    floor.queue.ok(&["worker", "drain", "w1"]);
    let text = floor.queue.path("text");
    fs::write(&text, format!("do: answer x\n{}", "y".repeat(20_000))).unwrap();
    let add = || {
        floor
            .queue
            .ask(&["add", "-p", "-f", text.to_str().unwrap()])
    };
    let mut ids = Vec::new();
    let refused = loop {
        let added = add();
        if !added.status.success() {
            break added;
        }
        ids.push(String::from_utf8(added.stdout).unwrap().trim().to_owned());
        assert!(ids.len() < 100, "it is never full");
    };
    assert!(ids.len() > 2, "{refused:?}");
    for refused in [refused, add()] {
        assert_eq!(refused.status.code(), Some(7), "{refused:?}");
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(said.contains(FULL), "{said}");
        assert!(said.lines().count() <= 2, "{said}");
    }
    // It answers still, and has what it had.
    let told = floor.queue.json(&["status", "--json"]);
    assert_eq!(told["counts"]["queued"], ids.len(), "{told}");
    assert_eq!(told["tasks"].as_array().unwrap().len(), ids.len(), "{told}");
    // There is space again.
    let pid = i32::try_from(floor.running.as_ref().unwrap().id()).unwrap();
    let free = Rlimit {
        current: None,
        maximum: None,
    };
    prlimit(Pid::from_raw(pid), Resource::Fsize, free).unwrap();
    ids.push(floor.queue.add(&["do: answer z"]));
    floor.queue.ok(&["worker", "resume", "w1"]);
    for id in [&ids[0], &ids[1]] {
        floor.until(id, "done");
    }
    for id in &ids[2..] {
        assert_ne!(floor.queue.state(id), "failed");
    }
    floor.kill();
    is_sound(&floor.queue);
}

/// Passes when the same is so where no balancer runs, and `add` keeps the task itself.
#[test]
fn what_does_not_fit_on_the_disk_is_refused_without_a_balancer_too() {
    let queue = Queue::new();
    let text = queue.path("text");
    fs::write(&text, "y".repeat(100_000)).unwrap();
    let state = format!("--state={}", queue.path("state").display());
    let all = ["add", &state, "-p", "-f", text.to_str().unwrap()];
    let mut ids = vec![queue.add(&["first"])];
    let refused = loop {
        let added = within(600, &queue.command(&all)).output().unwrap();
        if !added.status.success() {
            break added;
        }
        ids.push(String::from_utf8(added.stdout).unwrap().trim().to_owned());
        assert!(ids.len() < 100, "it is never full");
    };
    assert_eq!(refused.status.code(), Some(7), "{refused:?}");
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains(FULL), "{said}");
    is_sound(&queue);
    ids.push(queue.add(&["last"]));
    for id in &ids {
        assert_eq!(queue.state(id), "queued");
    }
    let told = queue.json(&["status", "--json"]);
    assert_eq!(told["counts"]["queued"], ids.len(), "{told}");
}

/// Passes when a balancer that has very many tasks is ready soon, and gives the one that is first.
#[tokio::test]
async fn a_balancer_with_very_many_tasks_is_ready_soon() {
    let many: usize = if is_full() { 100_000 } else { 5_000 };
    let mut floor = Floor::new();
    floor.hire("w1", &[]);
    floor.configure(&floor.table("w*", "claude", ""));
    let first = floor.queue.add(&["do: answer x", "--priority", "9"]);
    let store = SqliteStore::open(&floor.queue.path("state/balancer.db")).unwrap();
    let store = Arc::new(store);
    // As many in one commit as come at once.
    for begin in (0..many - 1).step_by(1000) {
        let adding: Vec<_> = (begin..(begin + 1000).min(many - 1))
            .map(|n| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    let mut it = spec(&format!("task {n}"));
                    it.to = Some("nobody".to_owned());
                    store.add(it, at(0)).await.unwrap();
                })
            })
            .collect();
        for added in adding {
            added.await.unwrap();
        }
    }
    assert_eq!(store.tasks(Query::default()).await.unwrap().len(), many);
    store.close().await.unwrap();
    drop(store);
    let (mut ready, mut done) = (Vec::new(), None);
    for _ in 0..if is_full() { 5 } else { 2 } {
        let began = Instant::now();
        floor.serve();
        ready.push(began.elapsed());
        floor.until(&first, "done");
        done = done.or_else(|| Some(began.elapsed()));
        floor.kill();
    }
    let size = fs::metadata(floor.queue.path("state/balancer.db")).unwrap();
    eprintln!(
        "{many} tasks, {} KiB: ready after {ready:?}; the first was done after {done:?}",
        size.len() >> 10
    );
}
