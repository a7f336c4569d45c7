//! Units that do nothing, and units that only seem to.

use std::fs;

use harness::stand_in::Remote;
use harness::{skip_if_asked, wait};

use crate::guardian::{Guardian, PATIENCE, stand_in};

/// Passes when one that hangs is probed, then interrupted, and each rung is told; and one that works
/// silently beside it is left alone.
#[test]
fn who_hangs_is_probed_before_anything_else_is_done() {
    skip_if_asked!();
    let mut guardian = Guardian::home();
    let config = guardian.path("units.toml");
    let (control, other) = (guardian.path("control"), guardian.path("other"));
    let unit = |name: &str, control: &std::path::Path| {
        format!(
            "[unit.{name}]\ncommand = [{:?}, \"--like\", \"claude\", \"--control\", {control:?}]\n\
             profile = \"claude\"\nhang_after = \"6s\"\ntool_hang_after = \"6s\"\n",
            stand_in()
        )
    };
    let text = format!("version = 1\n{}{}", unit("w", &control), unit("v", &other));
    fs::write(&config, text).unwrap();
    guardian.run(&["-c", config.to_str().unwrap()]);
    guardian.ok(&["up"]);
    guardian.until_state("w@1", "idle");
    guardian.until_state("v@1", "idle");
    let mut silent = Remote::connect(&other).unwrap();
    // It shows nothing more of what it does, but is there.
    silent.order("title \u{2802} Thinking").unwrap();
    silent.order("quiet 1h").unwrap();
    guardian.until_state("v@1", "busy");
    let mut agent = Remote::connect(&control).unwrap();
    agent.order("busy 1h").unwrap();
    guardian.until_state("w@1", "busy");
    agent.order("hang").unwrap();
    let pid = guardian.unit("w@1")["pid"].clone();
    guardian.until_state("w@1", "suspect");
    guardian.until_state("w@1", "hung");
    let rungs = |unit: &str| -> Vec<String> {
        let events = guardian.events(unit).into_iter();
        let rungs = events.filter(|event| event["kind"] == "rung");
        rungs
            .map(|event| event["detail"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(rungs("w@1"), ["probe", "probe: silent", "interrupt"]);
    // It has been asked, and nothing of it has been ended.
    assert_eq!(guardian.unit("w@1")["pid"], pid);
    // The other one has drawn itself anew when it was probed, and no more is done to it.
    guardian.until("v@1", "probed", |_| {
        rungs("v@1").contains(&"probe: alive (output)".to_owned())
    });
    let said = rungs("v@1");
    assert!(!said.iter().any(|said| said == "interrupt"), "{said:?}");
}

/// Passes when somebody is told, once, of one that is silent for long and lives all the same; and when
/// nothing else is done to it.
#[test]
fn of_who_is_silent_and_lives_somebody_is_told() {
    skip_if_asked!();
    let mut guardian = Guardian::home();
    let (config, control, told) = (
        guardian.path("config"),
        guardian.path("control"),
        guardian.path("told"),
    );
    let text = format!(
        "version = 1\n[unit.w]\ncommand = [{:?}, \"--like\", \"claude\", \"--control\", {control:?}]\n\
         profile = \"claude\"\nhang_after = \"6s\"\ntool_hang_after = \"6s\"\n\
         [alert.ticket]\ntype = \"exec\"\nevents = [\"hung\"]\n\
         command = [\"sh\", \"-c\", \"cat >> {}\"]\n",
        stand_in(),
        told.display()
    );
    fs::write(&config, text).unwrap();
    guardian.run(&["-c", config.to_str().unwrap()]);
    guardian.ok(&["up"]);
    guardian.until_state("w@1", "idle");
    let mut agent = Remote::connect(&control).unwrap();
    agent.order("quiet 1h").unwrap();
    guardian.until_state("w@1", "busy");
    let said = |kind: &str| -> Vec<String> {
        let events = guardian.events("w@1").into_iter();
        let events = events.filter(|event| event["kind"] == kind);
        events
            .map(|event| event["detail"].as_str().unwrap().to_owned())
            .collect()
    };
    wait::until(PATIENCE, "somebody to be told", || {
        !said("alert").is_empty()
    });
    assert_eq!(said("alert"), ["ticket was told (hung)"]);
    let rungs = said("rung");
    assert!(rungs.contains(&"alert".to_owned()), "{rungs:?}");
    assert!(!rungs.contains(&"interrupt".to_owned()), "{rungs:?}");
    let told = fs::read_to_string(&told).unwrap();
    assert!(told.contains("alive: it answered a probe"), "{told}");
}
