//! The balancer is killed at random points, over and over: what it acknowledged is there and is done, and
//! what it cannot be sure of is said.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use harness::wait;
use rusqlite::Connection;
use serde_json::Value;

use crate::floor::{Dice, Floor, Prompt, is_full};

/// Who works.
const WORKERS: usize = 4;
/// Until when it may be killed, in milliseconds after it is ready or has something under way.
const LATEST: usize = 900;
/// How long all that was added may take once it is killed no more.
const REST: Duration = Duration::from_secs(300);

/// What is in a store that was killed: a copy of its files, so that whoever starts next finds it as it was
/// left.
fn left(state: &Path) -> (String, BTreeSet<String>, BTreeSet<String>) {
    let copy = tempfile::tempdir().unwrap();
    for name in ["balancer.db", "balancer.db-wal"] {
        let from = state.join(name);
        if from.exists() {
            fs::copy(from, copy.path().join(name)).unwrap();
        }
    }
    let db = Connection::open(copy.path().join("balancer.db")).unwrap();
    let check = db.query_row("PRAGMA integrity_check", [], |row| row.get(0));
    let ids = |of: &str| -> BTreeSet<String> {
        let mut query = db.prepare(of).unwrap();
        let ids = query.query_map([], |row| row.get(0)).unwrap();
        ids.map(Result::unwrap).collect()
    };
    (
        check.unwrap(),
        ids("SELECT id FROM task"),
        ids("SELECT id FROM task WHERE state = 'done'"),
    )
}

/// What became of a task.
#[derive(Debug, Default)]
struct Account {
    /// How often it was typed more than once.
    again: usize,
    /// Of how many attempts nobody knows whether they were carried through.
    flagged: usize,
    /// How many attempts ended before they began.
    given_back: usize,
}

/// How often a task was typed, and what is said of its attempts, checked against each other.
fn account(floor: &Floor, id: &str, prompts: &[Prompt]) -> Account {
    let result = floor.result(id);
    let typed = |mark: &str| prompts.iter().filter(|it| it.text.contains(mark)).count();
    let mut account = Account::default();
    for attempt in result["attempts"].as_array().unwrap() {
        let number = attempt["number"].as_u64().unwrap();
        let times = typed(&format!("[task {id}.{number} "));
        assert!(times <= 1, "one attempt was typed {times} times: {result}");
        match attempt["outcome"].as_str().unwrap() {
            "done" => assert_eq!(times, 1, "{result}"),
            outcome if outcome.starts_with("returned") => {
                assert_eq!(times, 0, "what was given back was typed: {result}");
                account.given_back += 1;
            }
            outcome => {
                let is_flagged = outcome.starts_with("lost") || outcome.starts_with("uncertain");
                assert!(is_flagged, "{result}");
                account.flagged += 1;
            }
        }
    }
    let times = typed(&format!("[task {id}."));
    assert!(
        times <= 1 + account.flagged,
        "typed {times} times: {result}"
    );
    account.again = times.saturating_sub(1);
    account
}

fn part(sorted: &[Duration], of_hundred: usize) -> Duration {
    sorted[(sorted.len() * of_hundred / 100).min(sorted.len() - 1)]
}

/// Has the tmux server died of it, and all who work with it? One of 3.3a does so where a control client
/// goes in the middle of its handshake, as one of a balancer that is killed may; none other may.
fn has_tmux_died(floor: &Floor, version: &str, kills: usize) -> bool {
    if floor.server.alive() {
        return false;
    }
    assert_eq!(version, "3.3a", "the tmux server has died");
    eprintln!("tmux 3.3a died at kill {kills}: what was acknowledged until then was there");
    true
}

/// Kills it so often, with tasks coming in all the time.
fn is_killed(times: usize, seed: u64) {
    let began = Instant::now();
    let mut floor = Floor::of(WORKERS);
    let version = floor.server.answer(["display-message", "-p", "#{version}"]);
    let version = version.trim();
    let mut dice = Dice::of(seed);
    let mut acknowledged = BTreeSet::new();
    let mut done = BTreeSet::new();
    let mut ready = Vec::new();
    for round in 0..times {
        let pauses = [dice.below(LATEST), dice.below(LATEST)];
        let point = Duration::from_millis(dice.below(LATEST) as u64);
        let wanted = usize::from(round % 2 == 0) + usize::from(dice.below(4) == 0);
        // It takes a while until who works is known to be idle: most live for longer than that.
        let is_late = dice.below(4) > 0;
        let running = floor.running.take().unwrap();
        let added = scope(|scope| {
            let queue = &floor.queue;
            let adding = scope.spawn(move || {
                let mut ids = Vec::new();
                for (at, pause) in pauses.into_iter().take(wanted).enumerate() {
                    sleep(Duration::from_millis(pause as u64 / 2));
                    let text = format!("do: busy 200ms\ndo: answer {round}/{at}");
                    let said = queue.ask(&["add", "-p", "--retry", "3", &text]);
                    // It may be killed before it answers: then nothing is promised.
                    if said.status.success() {
                        ids.push(String::from_utf8(said.stdout).unwrap().trim().to_owned());
                    } else {
                        assert_eq!(said.status.code(), Some(69), "{said:?}");
                    }
                }
                ids
            });
            if is_late && acknowledged.len() > done.len() {
                wait::until(REST, "something to be under way", || {
                    if !floor.server.alive() {
                        return true;
                    }
                    let status = queue.json(&["status", "--json"]);
                    let counts = status["counts"].as_object().unwrap();
                    let count = |state| counts.get(state).and_then(Value::as_u64).unwrap_or(0);
                    let under_way = ["leased", "delivering", "running", "verifying"];
                    count("queued") == 0 || under_way.into_iter().any(|state| count(state) > 0)
                });
            }
            // The moment is what the dice say: nothing is waited for here.
            sleep(point);
            let mut running = running;
            running.kill().unwrap();
            running.wait().unwrap();
            adding.join().unwrap()
        });
        acknowledged.extend(added);
        let (check, ids, now_done) = left(&floor.queue.path("state"));
        assert_eq!(check, "ok");
        let lost: Vec<_> = acknowledged.difference(&ids).collect();
        assert!(lost.is_empty(), "{lost:?}");
        assert!(now_done.is_superset(&done), "what was done is not any more");
        done = now_done;
        let start = Instant::now();
        floor.serve();
        ready.push(start.elapsed());
        if has_tmux_died(&floor, version, round + 1) {
            return;
        }
    }
    // The last one has attached, or tmux has died of the one before.
    wait::until(REST, "everybody to be known", || {
        !floor.server.alive() || floor.workers().len() == WORKERS
    });
    if has_tmux_died(&floor, version, times) {
        return;
    }
    let killed = began.elapsed();
    let mut held = 0;
    for id in &acknowledged {
        wait::until(REST, &format!("{id} to be over"), || {
            let told = floor.queue.json(&["why", id, "--json"]);
            let state = told["task"]["state"].as_str().unwrap();
            if state == "held" {
                let why = told["task"]["why"].as_str().unwrap();
                assert!(why.starts_with("uncertain: "), "{told}");
                held += 1;
            }
            state == "held" || state == "done"
        });
    }
    let prompts = floor.prompts();
    assert!(prompts.iter().all(|prompt| !prompt.queued), "{prompts:?}");
    let mut all = Account::default();
    for id in &acknowledged {
        let account = account(&floor, id, &prompts);
        all.again += account.again;
        all.flagged += account.flagged;
        all.given_back += account.given_back;
    }
    // No pane was left in a state in which it is of no use.
    let last: Vec<String> = (1..=WORKERS)
        .map(|at| {
            floor
                .queue
                .add(&["do: answer last", "--to", &format!("w{at}")])
        })
        .collect();
    for id in &last {
        floor.until(id, "done");
    }
    floor.kill();
    assert_eq!(left(&floor.queue.path("state")).0, "ok");
    ready.sort();
    eprintln!(
        "{times} kills in {killed:?}, all over after {:?}: {} tasks, 0 lost, {held} held, {all:?}; \
         ready after p50 {:?}, p99 {:?}",
        began.elapsed(),
        acknowledged.len(),
        part(&ready, 50),
        part(&ready, 99),
    );
}

/// In four parts, which run beside each other.
macro_rules! is_killed {
    ($($name:ident: $seed:literal,)*) => {$(
        /// Passes when no task that was acknowledged is lost, and none is typed twice without its attempt
        /// having been flagged, though the balancer is killed at random points.
        #[test]
        fn $name() {
            is_killed(if is_full() { 125 } else { 5 }, $seed);
        }
    )*};
}

is_killed! {
    killed_by_the_first_dice_it_loses_nothing: 0x8_0002,
    killed_by_the_second_dice_it_loses_nothing: 0x8_0012,
    killed_by_the_third_dice_it_loses_nothing: 0x8_0022,
    killed_by_the_fourth_dice_it_loses_nothing: 0x8_0032,
}
