//! Dialogs that are answered, by somebody or by a rule, and never anything else.

use std::fs;

use harness::stand_in::Remote;
use harness::{skip_if_asked, wait};
use serde_json::Value;

use crate::guardian::{Guardian, PATIENCE, stand_in};

/// Passes when a dialog is answered by what is read of it, and each way not to has its code.
#[test]
fn a_dialog_is_answered_or_left_alone() {
    skip_if_asked!();
    let guardian = Guardian::start();
    let control = guardian.path("control");
    guardian.up("w", 1, &["--control", control.to_str().unwrap()]);
    guardian.until_state("w@1", "idle");
    let code = |arguments: &[&str]| guardian.ask(arguments).status.code();
    assert_eq!(code(&["answer", "w@1", "yes"]), Some(1));
    assert_eq!(code(&["answer", "w@9", "yes"]), Some(4));
    let mut agent = Remote::connect(&control).unwrap();
    agent.order("busy 1h").unwrap();
    guardian.until_state("w@1", "busy");
    agent.order("dialog permission").unwrap();
    let blocked = guardian.until_state("w@1", "blocked");
    let why = guardian.ok(&["why", "w@1"]);
    assert!(why.contains("    1 (yes): Yes\n"), "{why}");
    assert!(why.contains("    3 (no): No\n"), "{why}");
    let unclear = guardian.ask(&["answer", "w@1", "perhaps"]);
    assert_eq!(unclear.status.code(), Some(2), "{unclear:?}");
    let said = String::from_utf8(unclear.stderr).unwrap();
    assert!(
        said.contains("1 (Yes)") && said.contains("3 (No)"),
        "{said}"
    );
    let other = ["answer", "w@1", "yes", "--dialog", "0123456789abcdef"];
    assert_eq!(code(&other), Some(3));
    // Nothing has been pressed so far.
    assert_eq!(guardian.unit("w@1")["question"], blocked["question"]);
    let hash = blocked["question"]["hash"].as_str().unwrap();
    let said = guardian.ok(&["answer", "w@1", "yes", "--dialog", hash, "--json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["answer"]["outcome"], "answered", "{said}");
    assert_eq!(said["answer"]["choice"]["key"], "1", "{said}");
    guardian.until("w@1", "to go on", |unit| unit["state"] != "blocked");
    agent.order("busy 1h").unwrap();
    guardian.until_state("w@1", "busy");
    agent.order("dialog permission").unwrap();
    guardian.until_state("w@1", "blocked");
    assert_eq!(guardian.ok(&["answer", "w@1", "3"]), "answered \"No\"\n");
    guardian.until_state("w@1", "idle");
    let answers = guardian.events("w@1").into_iter();
    let answers = answers.filter(|event| event["kind"] == "answer");
    assert_eq!(answers.count(), 2);
}

/// Passes when a rule answers what it may, leaves what it may not to somebody, and tells of it.
#[test]
fn a_units_own_rules_answer_what_it_asks() {
    skip_if_asked!();
    let mut guardian = Guardian::home();
    let (config, control) = (guardian.path("units.toml"), guardian.path("control"));
    let told = guardian.path("told");
    let text = format!(
        "version = 1\n[unit.w]\nprofile = \"claude\"\n\
         command = [{:?}, \"--like\", \"claude\", \"--control\", {control:?}, \"--hook\", {:?}, \"hook\"]\n\
         on_prompt = [{{ kind = \"trust\", action = \"accept\" }}, \
         {{ kind = \"permission\", action = \"accept\", allow = [\"true*\"], per_hour = 1 }}, \
         {{ kind = \"plan\", action = \"ignore\" }}]\n\
         [alert.ticket]\ntype = \"exec\"\nevents = [\"blocked\"]\ndedupe = \"1ms\"\n\
         command = [\"sh\", \"-c\", \"cat >> {}\"]\n",
        stand_in(),
        env!("CARGO_BIN_EXE_cc-guardian"),
        told.display(),
    );
    fs::write(&config, text).unwrap();
    guardian.run(&["-c", config.to_str().unwrap()]);
    guardian.ok(&["up"]);
    guardian.until_state("w@1", "idle");
    let mut agent = Remote::connect(&control).unwrap();
    let answers = || -> Vec<String> {
        let events = guardian.events("w@1").into_iter();
        let answers = events.filter(|event| event["kind"] == "answer");
        answers
            .map(|event| event["detail"].as_str().unwrap().to_owned())
            .collect()
    };
    agent.order("busy 1h").unwrap();
    guardian.until_state("w@1", "busy");
    agent.order("dialog trust").unwrap();
    wait::until(PATIENCE, "the rule to answer", || answers().len() == 1);
    let said = answers().remove(0);
    assert!(
        said.starts_with("by rule for trust: answered \"Yes, I trust this folder\""),
        "{said}"
    );
    guardian.until("w@1", "to go on", |unit| unit["state"] != "blocked");
    // What is ignored stands, and nobody is told.
    agent.order("dialog plan").unwrap();
    guardian.until_state("w@1", "blocked");
    guardian.ok(&["answer", "w@1", "yes"]);
    guardian.until("w@1", "to go on", |unit| unit["state"] != "blocked");
    assert_eq!(answers().len(), 2);
    // Which command it is about, its hook told; it is none that may run.
    agent.order("dialog permission").unwrap();
    wait::until(PATIENCE, "the rule to decline", || {
        answers()
            .iter()
            .any(|said| said.contains("no `allow` matches the command"))
    });
    let blocked = guardian.until_state("w@1", "blocked");
    assert_eq!(blocked["sub"], "permission");
    wait::until(PATIENCE, "somebody to be told", || {
        let events = guardian.events("w@1");
        events.iter().any(|event| event["kind"] == "alert")
    });
    let text = fs::read_to_string(&told).unwrap();
    let alerts: Vec<Value> = serde_json::Deserializer::from_str(&text)
        .into_iter()
        .map_while(Result::ok)
        .collect();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert_eq!(alerts[0]["sub"], "permission", "{alerts:?}");
}

/// Passes when a guardian that starts anew tells nothing of what was told and stands still.
#[test]
fn the_next_guardian_does_not_tell_it_again() {
    skip_if_asked!();
    let mut guardian = Guardian::home();
    let config = guardian.path("units.toml");
    let (one, other) = (guardian.path("one"), guardian.path("other"));
    let unit = |name: &str, control: &std::path::Path| {
        format!(
            "[unit.{name}]\nprofile = \"claude\"\n\
             command = [{:?}, \"--like\", \"claude\", \"--control\", {control:?}]\n",
            stand_in()
        )
    };
    let text = format!(
        "version = 1\n{}{}[alert.ticket]\ntype = \"exec\"\nevents = [\"blocked\"]\ndedupe = \"1ms\"\n\
         command = [\"sh\", \"-c\", \"cat > /dev/null\"]\n",
        unit("w", &one),
        unit("v", &other),
    );
    fs::write(&config, text).unwrap();
    guardian.run(&["-c", config.to_str().unwrap()]);
    guardian.ok(&["up"]);
    for unit in ["w@1", "v@1"] {
        guardian.until_state(unit, "idle");
    }
    let alerts = |guardian: &Guardian, unit: &str| -> usize {
        let events = guardian.events(unit);
        events
            .iter()
            .filter(|event| event["kind"] == "alert")
            .count()
    };
    let mut agent = Remote::connect(&one).unwrap();
    agent.order("busy 1h").unwrap();
    guardian.until_state("w@1", "busy");
    agent.order("dialog permission").unwrap();
    wait::until(PATIENCE, "somebody to be told", || {
        alerts(&guardian, "w@1") == 1
    });
    guardian.kill();
    guardian.run(&[]);
    guardian.until_state("w@1", "blocked");
    // What begins later is told later: nothing of the first can come behind it.
    let mut agent = Remote::connect(&other).unwrap();
    agent.order("busy 1h").unwrap();
    guardian.until_state("v@1", "busy");
    agent.order("dialog permission").unwrap();
    wait::until(PATIENCE, "somebody to be told", || {
        alerts(&guardian, "v@1") == 1
    });
    assert_eq!(alerts(&guardian, "w@1"), 1);
}
