//! Guardians and servers that are killed.

use harness::skip_if_asked;
use harness::wait;

use crate::guardian::{Guardian, PATIENCE, scaled};

/// Passes when a guardian that was killed takes up what runs, and disturbs none of it.
#[test]
fn a_guardian_that_was_killed_takes_up_what_runs() {
    skip_if_asked!();
    let mut guardian = Guardian::start();
    guardian.up("w", 3, &[]);
    for unit in ["w@1", "w@2", "w@3"] {
        guardian.until_state(unit, "idle");
    }
    let pids: Vec<_> = guardian
        .units()
        .iter()
        .map(|unit| unit["pid"].clone())
        .collect();
    for _ in 0..scaled(200) {
        guardian.kill();
        guardian.run(&[]);
        let now: Vec<_> = guardian
            .units()
            .iter()
            .map(|unit| unit["pid"].clone())
            .collect();
        assert_eq!(now, pids);
    }
    for unit in ["w@1", "w@2", "w@3"] {
        guardian.until_state(unit, "idle");
    }
    // One that ends while nobody watches is known to have ended.
    let process = guardian.process_of("w@2");
    guardian.kill();
    process.kill().unwrap();
    guardian.run(&[]);
    let again = guardian.until("w@2", "to run again", |unit| {
        unit["state"] == "idle" && unit["pid"] != pids[1]
    });
    assert_eq!(again["restarts"], 1);
}

/// Passes when units come back that lost their server, and never two of one: those that ignore the
/// hangup are ended first.
#[test]
fn what_loses_its_server_comes_back_once() {
    skip_if_asked!();
    let guardian = Guardian::start();
    let count = scaled(20).max(3);
    guardian.up("w", count, &["--ignore-hup", "--ignore-term"]);
    let names: Vec<String> = (1..=count).map(|n| format!("w@{n}")).collect();
    for name in &names {
        guardian.until_state(name, "idle");
    }
    let before: Vec<_> = names.iter().map(|name| guardian.process_of(name)).collect();
    let server = guardian.server_of(&guardian.unit("w@1"));
    server.kill().unwrap();
    for (name, old) in names.iter().zip(&before) {
        let unit = guardian.until(name, "to be back", |unit| {
            unit["state"] == "idle" && unit["pid"] != old.pid()
        });
        assert!(!old.alive(), "{name} is there twice: {unit}");
        let ends: Vec<_> = guardian
            .events(name)
            .into_iter()
            .filter(|event| event["kind"] == "end")
            .map(|event| event["detail"].clone())
            .collect();
        assert_eq!(ends, ["server-lost"]);
    }
}

/// Passes when the guardian goes on when its store can be written no more.
#[test]
fn what_runs_goes_on_when_the_guardian_stops() {
    skip_if_asked!();
    let mut guardian = Guardian::start();
    guardian.up("w", 1, &[]);
    guardian.until_state("w@1", "idle");
    let process = guardian.process_of("w@1");
    let own = guardian.process();
    own.signal(rustix::process::Signal::TERM).unwrap();
    wait::until(PATIENCE, "the guardian to stop", || {
        !guardian.ask(&["ls"]).status.success()
    });
    assert!(process.alive());
    let refused = guardian.ask(&["ls"]);
    assert_eq!(refused.status.code(), Some(69));
    guardian.run(&[]);
    assert_eq!(guardian.process_of("w@1").pid(), process.pid());
}
