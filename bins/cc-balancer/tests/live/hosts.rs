//! Two hosts with one queue: each has a balancer, a state and a tmux server of its own, and a NATS server
//! is between them.

use std::collections::BTreeMap;
use std::time::Instant;

use harness::{skip_if_asked, wait};
use serde_json::Value;

use crate::floor::{Floor, PATIENCE, is_full};
use crate::nats::server::Nats;

/// How many workers each host has.
const WORKERS: usize = 2;

/// A host that shares the queue of that server. Leases are short, so that one that is gone is missed soon.
fn host(nats: &Nats) -> Floor {
    let mut floor = Floor::new();
    for at in 1..=WORKERS {
        floor.hire(&format!("w{at}"), &[]);
    }
    let shared = format!(
        "store = \"{}\"\nlease = \"3s\"\n{}[queue.default]\nretry = {{ max = 3, backoff = \"1s\" }}\n",
        nats.url(),
        floor.table("w*", "claude", "")
    );
    floor.configure(&shared);
    floor.serve();
    floor.until_workers(WORKERS, "idle");
    floor
}

fn counted(host: &Floor, state: &str) -> u64 {
    let told = host.queue.json(&["status", "--json"]);
    told["counts"][state].as_u64().unwrap_or_default()
}

/// How often each of these tasks was typed on that host.
fn typed(host: &Floor, ids: &[String]) -> BTreeMap<String, usize> {
    let prompts = host.prompts();
    let times = |id: &String| {
        let of = |text: &str| text.contains(&format!("[task {id}"));
        prompts.iter().filter(|prompt| of(&prompt.text)).count()
    };
    ids.iter().map(|id| (id.clone(), times(id))).collect()
}

/// Adds so many tasks there, each of which keeps its worker busy for that long.
fn add(host: &Floor, many: usize, busy: &str) -> Vec<String> {
    let text = |at| format!("do: busy {busy}\ndo: answer number {at}");
    (0..many).map(|at| host.queue.add(&[&text(at)])).collect()
}

/// `wait` for all of them there: it ends with 0 where all are done.
#[track_caller]
fn all_done(host: &Floor, ids: &[String]) {
    let mut words = vec!["wait", "--timeout", "5m"];
    words.extend(ids.iter().map(String::as_str));
    let output = host.queue.ask(&words);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

/// Passes when two hosts drain a queue that one of them was given, each task typed once, and each answers
/// for all of it; and when one that vanishes in the middle, with its tmux server, loses nothing: what it had is
/// done by the other, flagged, and only that is typed again.
#[test]
fn two_hosts_drain_one_queue_and_one_that_vanishes_loses_nothing() {
    skip_if_asked!();
    let (first, second, busy) = match is_full() {
        true => (120, 40, "1s"),
        false => (8, 5, "300ms"),
    };
    let nats = Nats::start();
    let (mut a, b) = (host(&nats), host(&nats));

    // What is added on one is worked at on both.
    let began = Instant::now();
    let ids = add(&a, first, busy);
    all_done(&b, &ids);
    let took = began.elapsed();
    for host in [&a, &b] {
        wait::until(PATIENCE, "all to be done there", || {
            counted(host, "done") == first as u64
        });
    }
    let (at_a, at_b) = (typed(&a, &ids), typed(&b, &ids));
    for id in &ids {
        assert_eq!(at_a[id] + at_b[id], 1, "{id}: {at_a:?} {at_b:?}");
        // Whoever is asked knows it all.
        let (here, there) = (a.result(id), b.result(id));
        assert_eq!(here["text"], there["text"], "{here} {there}");
        assert_eq!(here["worker"], there["worker"], "{here} {there}");
        let socket = match at_a[id] {
            1 => a.server.socket(),
            _ => b.server.socket(),
        };
        assert_eq!(here["worker"]["socket"], socket.to_str().unwrap(), "{here}");
        assert_eq!(here["attempts"].as_array().unwrap().len(), 1, "{here}");
    }
    let shares = [&at_a, &at_b].map(|of| of.values().sum::<usize>());
    assert!(shares.iter().all(|share| *share > 0), "{shares:?}");
    for host in [&a, &b] {
        // Workers are those of the host that is asked.
        let workers = host.workers();
        let own = host.server.socket().to_str().unwrap();
        assert_eq!(workers.len(), WORKERS);
        assert!(workers.iter().all(|it| it["socket"] == own), "{workers:?}");
    }
    eprintln!("{first} tasks of {busy} in {took:?}, {shares:?}");

    // One vanishes with what it has under way.
    let ids = add(&b, second, "2s");
    let had: Vec<String> = wait::until_some(PATIENCE, "a to work at all it can", || {
        let told = b.queue.json(&["status", "running", "--json"]);
        let own = a.server.socket().to_str().unwrap();
        let is_at_a = |task: &&Value| task["attempt"]["worker"]["socket"] == own;
        let tasks = told["tasks"].as_array().unwrap();
        let had = tasks.iter().filter(is_at_a);
        let had: Vec<String> = had
            .map(|task| task["task"].as_str().unwrap().to_owned())
            .collect();
        (had.len() == WORKERS).then_some(had)
    });
    a.kill();
    a.server.kill_hard();
    let vanished = Instant::now();
    all_done(&b, &ids);
    let took = vanished.elapsed();
    let (at_a, at_b) = (typed(&a, &ids), typed(&b, &ids));
    let mut lost = Vec::new();
    for id in &ids {
        let result = b.result(id);
        assert_eq!(result["state"], "done", "{result}");
        let attempts = result["attempts"].as_array().unwrap();
        let is_lost = attempts.iter().any(|attempt| {
            let outcome = attempt["outcome"].as_str().unwrap();
            outcome.starts_with("lost: nothing is heard of ")
        });
        // Typed again only where the lease was lost, and said so.
        match is_lost {
            true => assert!(at_a[id] <= 1 && at_b[id] == 1, "{id}: {result}"),
            false => assert_eq!(at_a[id] + at_b[id], 1, "{id}: {result}"),
        }
        let last = attempts.last().unwrap();
        assert_eq!(last["after_lost"], is_lost, "{result}");
        lost.extend(is_lost.then_some(id));
    }
    assert!(!lost.is_empty() && lost.len() <= WORKERS, "{had:?}");
    eprintln!(
        "{second} tasks of 2s, {} of them lost: done {took:?} after it vanished",
        lost.len()
    );

    // It comes back, without its workers: it has heard of all of it, and does nothing of it again.
    a.serve();
    wait::until(PATIENCE, "a to know what b has done", || {
        counted(&a, "done") == (first + second) as u64
    });
    for id in lost {
        assert_eq!(a.result(id)["text"], b.result(id)["text"]);
    }
    assert_eq!(typed(&a, &ids), at_a);
    assert_eq!(a.workers(), Vec::<Value>::new());
}
