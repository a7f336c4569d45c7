//! What a unit may use, and for how long.

use std::fs;

use harness::process::Process;
use harness::skip_if_asked;
use harness::stand_in::Remote;
use serde_json::Value;

use crate::guardian::{Guardian, stand_in};

fn details(guardian: &Guardian, unit: &str, kind: &str) -> Vec<String> {
    let events = guardian.events(unit).into_iter();
    let events = events.filter(|event| event["kind"] == kind);
    events
        .map(|event| event["detail"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// The niceness of a process, and the processors that it may run on.
fn bounds(process: Process) -> (i32, String) {
    let read = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", process.pid())).unwrap();
    let stat = read("stat");
    let behind_name = stat.rsplit_once(')').unwrap().1;
    let nice = behind_name.split_whitespace().nth(16).unwrap();
    let status = read("status");
    let cpus = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    (nice.parse().unwrap(), cpus.unwrap().trim().to_owned())
}

/// Passes when a program and what it starts have the niceness and the processors of their unit, and a
/// processor that is not there is told of where it can be seen.
#[test]
fn a_unit_has_its_niceness_and_its_processors() {
    skip_if_asked!();
    let mut guardian = Guardian::home();
    let config = guardian.path("units.toml");
    let text = "version = 1\n[unit.a]\ncommand = \"sleep 1d & exec sleep 2d\"\nshell = true\n\
                nice = 7\ncpus = \"0\"\n\
                [unit.b]\ncommand = [\"sleep\", \"1d\"]\ncpus = \"1000\"\nrestart = \"no\"\n";
    fs::write(&config, text).unwrap();
    guardian.run(&[]);
    guardian.ok(&["up", "-c", config.to_str().unwrap()]);
    guardian.until("a@1", "to be two", |unit| {
        unit["pid"].is_number() && guardian.process_of("a@1").children().len() == 1
    });
    let process = guardian.process_of("a@1");
    assert_eq!(bounds(process), (7, "0".to_owned()));
    let child = process.children()[0];
    assert_eq!(bounds(child), (7, "0".to_owned()));
    // How it ended may be known a moment later.
    let dead = |unit: &Value| unit["state"] == "dead" && unit["sub"] == "exit 1";
    guardian.until("b@1", "to have ended with 1", dead);
    let socket = guardian.unit("a@1")["socket"].clone();
    // tmux has moved it up by a line, to say that the pane is dead.
    let screen = guardian.tmux(
        socket.as_str().unwrap().as_ref(),
        &["capture-pane", "-p", "-S", "-", "-t", "=b@1:"],
    );
    assert!(
        screen.contains("cannot stay on the processors 1000"),
        "{screen}"
    );
}

/// Passes when one that grows above its soft limit is told of once and started anew when it is idle, and
/// one that grows above its hard limit is ended for that, with the cause recorded, and started again by
/// its policy.
#[test]
fn who_grows_too_large_is_started_anew_or_ended() {
    skip_if_asked!();
    let mut guardian = Guardian::home();
    let config = guardian.path("units.toml");
    let unit = |name: &str| {
        format!(
            "[unit.{name}]\ncommand = [{:?}, \"--like\", \"claude\", \"--control\", {:?}]\n\
             profile = \"claude\"\nrestart = \"on-failure\"\nbackoff = {{ initial = \"10ms\" }}\n\
             memory = {{ soft = \"100M\", hard = \"200M\" }}\n",
            stand_in(),
            guardian.path(name)
        )
    };
    let told = guardian.path("told");
    let alert = format!(
        "[alert.ticket]\ntype = \"exec\"\nevents = [\"oom\"]\ndedupe = \"1ms\"\n\
         command = [\"sh\", \"-c\", \"cat >> {}\"]\n",
        told.display()
    );
    let text = format!("version = 1\n{}{}{alert}", unit("soft"), unit("hard"));
    fs::write(&config, text).unwrap();
    guardian.run(&[]);
    guardian.ok(&["up", "-c", config.to_str().unwrap()]);
    let soft = guardian.until_state("soft@1", "idle");
    let hard = guardian.until_state("hard@1", "idle");
    let mut agent = Remote::connect(&guardian.path("soft")).unwrap();
    agent.order("busy 1h").unwrap();
    guardian.until_state("soft@1", "busy");
    agent.order("grow 130MB").unwrap();
    let grown = guardian.until("soft@1", "to be to be started anew", |unit| {
        unit["pending"].is_string()
    });
    assert_eq!(
        (&grown["state"], &grown["pid"]),
        (&Value::from("busy"), &soft["pid"])
    );
    let said = details(&guardian, "soft@1", "memory");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("above its soft limit of 100 MB"),
        "{said:?}"
    );
    agent.order("idle").unwrap();
    guardian.until("soft@1", "to be small again", |unit| {
        unit["state"] == "idle" && unit["pid"] != soft["pid"]
    });
    let mut agent = Remote::connect(&guardian.path("hard")).unwrap();
    agent.order("grow 300MB").unwrap();
    let again = guardian.until("hard@1", "to be small again", |unit| {
        unit["state"] == "idle" && unit["pid"] != hard["pid"]
    });
    assert_eq!(again["restarts"], 1);
    assert_eq!(details(&guardian, "hard@1", "end"), ["oom"]);
    let said = details(&guardian, "hard@1", "memory");
    assert!(
        said[0].contains("above its hard limit of 200 MB, it is ended"),
        "{said:?}"
    );
    let alerts = || fs::read_to_string(&told).unwrap_or_default();
    guardian.until("hard@1", "to be told of", |_| {
        alerts().contains("hard@1") && alerts().contains("soft@1")
    });
}

/// Passes when one that has run for as long as it may is started afresh once it is idle, though nothing
/// is wrong, and not while it works.
#[test]
fn who_has_run_for_long_is_started_afresh_when_idle() {
    skip_if_asked!();
    let mut guardian = Guardian::home();
    let (config, control) = (guardian.path("units.toml"), guardian.path("control"));
    let text = format!(
        "version = 1\n[unit.w]\ncommand = [{:?}, \"--like\", \"claude\", \"--control\", {control:?}]\n\
         profile = \"claude\"\nrestart_every = {{ age = \"8s\" }}\n",
        stand_in()
    );
    fs::write(&config, text).unwrap();
    guardian.run(&[]);
    guardian.ok(&["up", "-c", config.to_str().unwrap()]);
    let first = guardian.until_state("w@1", "idle");
    let mut agent = Remote::connect(&control).unwrap();
    agent.order("busy 1h").unwrap();
    let old = guardian.until("w@1", "to be old", |unit| unit["pending"].is_string());
    assert_eq!(
        (&old["pid"], &old["state"]),
        (&first["pid"], &Value::from("busy"))
    );
    assert!(
        old["pending"]
            .as_str()
            .unwrap()
            .starts_with("it has run for "),
        "{old}"
    );
    agent.order("idle").unwrap();
    let again = guardian.until("w@1", "to run anew", |unit| {
        unit["state"] == "idle" && unit["pid"] != first["pid"]
    });
    assert_eq!(again["restarts"], 0);
}
