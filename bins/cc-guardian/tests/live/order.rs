//! Units that come after others, and instances that come one after the other.

use std::fs;

use harness::{skip_if_asked, wait};
use serde_json::Value;

use crate::guardian::{Guardian, PATIENCE, stand_in};

/// When something happened, in milliseconds.
fn millis(event: &Value) -> i64 {
    let at: jiff::Timestamp = event["at"].as_str().unwrap().parse().unwrap();
    at.as_millisecond()
}

fn of_kind(guardian: &Guardian, unit: &str, kind: &str) -> Vec<Value> {
    let events = guardian.events(unit).into_iter();
    events.filter(|event| event["kind"] == kind).collect()
}

/// Passes when a unit is started only once all that it comes after are ready, says so meanwhile, and
/// comes after them again when all lose their server.
#[test]
fn a_unit_waits_for_those_that_it_comes_after() {
    skip_if_asked!();
    let mut guardian = Guardian::home();
    let config = guardian.path("units.toml");
    let text = format!(
        "version = 1\n[defaults]\nbackoff = {{ initial = \"10ms\", max = \"10ms\" }}\n\
         [unit.app]\ncommand = [\"sleep\", \"1d\"]\ndepends_on = [\"db\", \"log\"]\n\
         restart = \"always\"\n\
         [unit.log]\ncommand = [\"sleep\", \"1d\"]\nrestart = \"always\"\n\
         [unit.db]\ncommand = [{:?}, \"--like\", \"claude\", \"--slow-start\", \"2s\"]\n\
         profile = \"claude\"\nrestart = \"always\"\n",
        stand_in()
    );
    fs::write(&config, text).unwrap();
    guardian.run(&[]);
    let said = guardian.ok(&["up", "-c", config.to_str().unwrap()]);
    assert_eq!(
        said,
        "app@1: waits for db@1 to be idle\ndb@1: started\nlog@1: started\n"
    );
    let waiting = guardian.unit("app@1");
    assert_eq!(waiting["state"], "starting");
    assert_eq!(waiting["sub"], "waiting");
    assert_eq!(waiting["waits"], "waits for db@1 to be idle");
    assert!(guardian.ok(&["ls"]).contains("waits for db@1 to be idle"));
    assert!(guardian.ok(&["why", "app@1"]).contains("waits for db@1"));
    guardian.until("app@1", "to run", |unit| unit["pid"].is_number());
    assert_eq!(guardian.unit("db@1")["state"], "idle");
    assert_eq!(guardian.unit("app@1")["waits"], Value::Null);
    // And so again, when all of them start over.
    guardian.until("app@1", "to be followed", |unit| unit["state"] == "unknown");
    let server = guardian.server_of(&guardian.unit("db@1"));
    server.kill().unwrap();
    wait::until(PATIENCE, "app@1 to be started again", || {
        of_kind(&guardian, "app@1", "start").len() == 2
    });
    let idle = of_kind(&guardian, "db@1", "state");
    let idle = idle.iter().rfind(|event| event["state"] == "idle").unwrap();
    let started = of_kind(&guardian, "app@1", "start");
    assert!(millis(idle) <= millis(&started[1]), "{idle} {started:?}");
    // What it waits for is stopped, and that disturbs nobody who runs.
    guardian.ok(&["stop", "db@1", "--now"]);
    guardian.until("db@1", "to be gone", |unit| unit["pane"].is_null());
    assert!(guardian.unit("app@1")["pid"].is_number());
    // One that waits can be stopped.
    guardian.ok(&["restart", "app@1", "--now"]);
    guardian.until("app@1", "to wait", |unit| unit["waits"].is_string());
    guardian.ok(&["stop", "app@1"]);
    let stopped = guardian.unit("app@1");
    assert_eq!(
        (&stopped["pid"], &stopped["waits"]),
        (&Value::Null, &Value::Null)
    );
}

/// Passes when instances of a unit are started with their stagger between them, also after they ended
/// together, and those of another unit do not wait for them.
#[test]
fn instances_start_one_after_the_other() {
    skip_if_asked!();
    let mut guardian = Guardian::home();
    let config = guardian.path("units.toml");
    let text = "version = 1\n[unit.a]\ncommand = [\"sleep\", \"1d\"]\nreplicas = 4\n\
                start_stagger = \"700ms\"\n[unit.b]\ncommand = [\"sleep\", \"1d\"]\n";
    fs::write(&config, text).unwrap();
    guardian.run(&[]);
    guardian.ok(&["up", "-c", config.to_str().unwrap()]);
    for unit in ["a@1", "a@2", "a@3", "a@4", "b@1"] {
        guardian.until(unit, "to run", |unit| unit["pid"].is_number());
    }
    let starts: Vec<i64> = (1..=4)
        .map(|n| millis(&of_kind(&guardian, &format!("a@{n}"), "start")[0]))
        .collect();
    let gaps: Vec<i64> = starts.windows(2).map(|two| two[1] - two[0]).collect();
    // Each start takes its own time to be done: what is between the ends of two is not exact.
    assert!(starts[3] - starts[0] >= 1800, "{gaps:?}");
    let other = millis(&of_kind(&guardian, "b@1", "start")[0]);
    assert!(other < starts[3], "{other} {starts:?}");
}
