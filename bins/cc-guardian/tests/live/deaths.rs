//! Programs that end: noticed, known by their cause, and started again.

use std::fs;
use std::time::{Duration, Instant};

use harness::skip_if_asked;
use harness::stand_in::Remote;
use serde_json::json;

use crate::guardian::{Guardian, scaled, stand_in};

/// A guardian with one unit that is started again at once, however it ends.
fn always() -> Guardian {
    let mut guardian = Guardian::home();
    let config = guardian.path("units.toml");
    let text = format!(
        "version = 1\n[unit.w]\ncommand = [{:?}, \"--like\", \"claude\", \"--control\", {:?}]\n\
         profile = \"claude\"\nrestart = \"always\"\n\
         backoff = {{ initial = \"10ms\", max = \"10ms\", jitter = 0.0 }}\n\
         start_limit = {{ burst = 1000, interval = \"1h\" }}\n",
        stand_in(),
        guardian.path("agent"),
    );
    fs::write(&config, text).unwrap();
    guardian.run(&["-c", config.to_str().unwrap()]);
    guardian.ok(&["up"]);
    guardian
}

/// Waits until the program of that round has been looked at: an end while our client shakes hands can
/// end tmux 3.3a.
fn until_seen(guardian: &Guardian, round: usize) {
    guardian.until("w@1", "to be seen", |unit| {
        unit["restarts"] == round
            && unit["pid"].is_number()
            && unit["evidence"][0]["seen"] == "screen"
    });
}

/// Passes when each kill is noticed, followed by a start with a new process, and recorded as what it
/// was. How soon is printed.
#[test]
fn what_is_killed_is_noticed_and_comes_back() {
    skip_if_asked!();
    let guardian = always();
    let mut told = guardian.connect();
    told.say(&json!({"do": "events", "unit": "w@1", "most": 0, "follow": true}));
    let mut noticed: Vec<Duration> = Vec::new();
    let mut before = 0;
    for round in 0..scaled(100) {
        until_seen(&guardian, round);
        let process = guardian.process_of("w@1");
        assert_ne!(process.pid(), before);
        before = process.pid();
        let killed = Instant::now();
        process.kill().unwrap();
        let end = loop {
            let event = told.next().expect("the guardian is there");
            if event["kind"] == "end" {
                break event;
            }
        };
        noticed.push(killed.elapsed());
        assert_eq!(end["detail"], "signal 9", "{end}");
        // Whoever asks now is told so too.
        assert_ne!(guardian.unit("w@1")["pid"], before);
    }
    noticed.sort();
    let at = |percent: usize| noticed[(noticed.len() * percent).div_ceil(100).max(1) - 1];
    println!(
        "{} kills, each told as its end after: p50 {:?}, p90 {:?}, p99 {:?}, at most {:?}",
        noticed.len(),
        at(50),
        at(90),
        at(99),
        at(100)
    );
    until_seen(&guardian, noticed.len());
}

/// Passes when it is known of every end how it came, whichever way it did; up to tmux 3.5a the server
/// may not know.
#[test]
fn every_end_is_known_by_its_cause() {
    skip_if_asked!();
    let guardian = always();
    let ways = [
        ("crash exit 7", "exit 7"),
        ("crash signal 15", "signal 15"),
        ("crash exit 0", "exit 0"),
        ("crash signal 3", "signal 3"),
        ("exit", "exit 0"),
        ("crash exit 255", "exit 255"),
        ("crash signal 6", "signal 6"),
    ];
    let rounds = scaled(100).max(ways.len());
    for round in 0..rounds {
        until_seen(&guardian, round);
        let (order, _) = ways[round % ways.len()];
        // It may be gone before it has answered.
        let _ = Remote::connect(&guardian.path("agent"))
            .unwrap()
            .order(order);
    }
    until_seen(&guardian, rounds);
    let events = guardian.events("w@1").into_iter();
    let ends = events.filter(|event| event["kind"] == "end");
    let ends: Vec<_> = ends.map(|event| event["detail"].clone()).collect();
    let wanted: Vec<_> = ways.iter().cycle().take(rounds).map(|way| way.1).collect();
    assert_eq!(ends, wanted);
}
