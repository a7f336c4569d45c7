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

/// Passes when a program whose pane somebody has closed comes back once: beside what else is in its
/// session, which nobody touches or takes for it, also where nobody watched; and where all of the session
/// was closed, in one of its own.
#[cfg(target_os = "linux")]
#[test]
fn what_loses_its_pane_comes_back_beside_what_others_have_there() {
    skip_if_asked!();
    let mut guardian = always();
    until_seen(&guardian, 0);
    let unit = guardian.unit("w@1");
    let socket = unit["socket"].as_str().unwrap().to_owned();
    let tmux = |guardian: &Guardian, words: &[&str]| guardian.tmux(socket.as_ref(), words);
    let new = ["new-window", "-P", "-F", "#{session_id} #{pane_id}"];
    let words = ["-n", "theirs", "-t", "=w@1:", "sleep", "1d"];
    let theirs = tmux(&guardian, &[&new[..], &words].concat());
    let (session, theirs) = theirs.split_once(' ').unwrap();
    let close = |guardian: &Guardian, pane: &str| {
        tmux(guardian, &["select-window", "-t", theirs]);
        tmux(guardian, &["kill-pane", "-t", pane]);
    };
    // What is there: sessions, panes, and whose these are.
    let panes = |guardian: &Guardian| {
        let format = "#{session_id} #{pane_id} #{@cc_unit}";
        let listed = tmux(guardian, &["list-panes", "-a", "-F", format]);
        let mut panes: Vec<String> = listed
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect();
        panes.sort();
        panes
    };
    let beside = |guardian: &Guardian| {
        let unit = guardian.unit("w@1");
        let pane = unit["pane"].as_str().unwrap().to_owned();
        let mut wanted = [
            format!("{session} {theirs}"),
            format!("{session} {pane} w@1"),
        ];
        wanted.sort();
        assert_eq!(panes(guardian), wanted);
        assert_eq!(guardian.processes_of("w@1").len(), 1);
        pane
    };
    close(&guardian, unit["pane"].as_str().unwrap());
    until_seen(&guardian, 1);
    let pane = beside(&guardian);
    // While nobody watches.
    guardian.until_attached("w@1", 1);
    let before = guardian.process_of("w@1");
    guardian.kill();
    close(&guardian, &pane);
    guardian.run(&[]);
    guardian.until("w@1", "to run anew", |unit| {
        unit["pid"]
            .as_u64()
            .is_some_and(|pid| pid != u64::from(before.pid()))
            && unit["evidence"][0]["seen"] == "screen"
    });
    beside(&guardian);
    // All of it.
    tmux(&guardian, &["kill-session", "-t", session]);
    until_seen(&guardian, 2);
    assert_eq!(panes(&guardian).len(), 1);
    assert_eq!(guardian.processes_of("w@1").len(), 1);
    let events = guardian.events("w@1");
    let count = |kind: &str| events.iter().filter(|event| event["kind"] == kind).count();
    assert_eq!((count("start"), count("fail")), (4, 0), "{events:?}");
}
