//! Files that change while their units run, and restarts that wait.

use std::fs;
use std::path::PathBuf;

use harness::stand_in::Remote;
use harness::{skip_if_asked, wait};
use serde_json::Value;

use crate::guardian::{Guardian, PATIENCE, stand_in};

/// A guardian with a file.
struct Filed {
    guardian: Guardian,
    file: PathBuf,
}

impl Filed {
    fn new(text: &str) -> Self {
        let guardian = Guardian::start();
        let file = guardian.path("units.toml");
        let filed = Self { guardian, file };
        filed.write(text);
        filed.guardian.ok(&["up", "-c", filed.file()]);
        filed
    }

    fn file(&self) -> &str {
        self.file.to_str().unwrap()
    }

    fn write(&self, text: &str) {
        fs::write(&self.file, format!("version = 1\n{text}")).unwrap();
    }

    /// `diff`, and its exit code.
    fn diff(&self) -> (String, Option<i32>) {
        let output = self.guardian.ask(&["diff"]);
        (
            String::from_utf8(output.stdout).unwrap(),
            output.status.code(),
        )
    }

    fn pid(&self, unit: &str) -> Value {
        self.guardian.unit(unit)["pid"].clone()
    }

    fn runs(&self, unit: &str) -> Value {
        let unit = self
            .guardian
            .until(unit, "to run", |unit| unit["pid"].is_number());
        unit["pid"].clone()
    }

    fn names(&self) -> Vec<String> {
        let units = self.guardian.units().into_iter();
        units
            .map(|unit| unit["unit"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn sleeper(name: &str, more: &str) -> String {
    format!("[unit.{name}]\ncommand = [\"sleep\", \"1d\"]\nstart_stagger = \"1ms\"\n{more}\n")
}

/// Passes when `diff` says unit by unit what a file changes, `up` disturbs nothing of what runs, and
/// `apply` makes it so: what is new started, what is other started anew, what is no more ended and
/// forgotten, and what needs no restart taken over without one.
#[test]
fn a_changed_file_is_told_and_applied() {
    skip_if_asked!();
    let four = [
        sleeper("a", ""),
        sleeper("b", ""),
        sleeper("c", "replicas = 2"),
        sleeper("d", ""),
    ];
    let filed = Filed::new(&four.concat());
    for unit in ["a@1", "b@1", "c@1", "c@2", "d@1"] {
        filed.runs(unit);
    }
    filed.guardian.up("own", 1, &[]);
    filed.runs("own@1");
    assert_eq!(filed.diff(), ("nothing changes\n".to_owned(), Some(0)));
    let before: Vec<Value> = ["a@1", "b@1", "c@1", "d@1", "own@1"]
        .map(|unit| filed.pid(unit))
        .into();
    let changed = [
        sleeper("a", ""),
        sleeper("b", "env = { A = \"1\" }\nlabels = { x = \"y\" }"),
        sleeper("c", "labels = { role = \"z\" }"),
        sleeper("e", ""),
    ];
    filed.write(&changed.concat());
    let told = "! b@1: restarts (env, labels)\n~ c@1: goes on, and takes it over (labels)\n\
                + e@1: starts\n- c@2: stops, and is no more\n- d@1: stops, and is no more\n";
    assert_eq!(filed.diff(), (told.to_owned(), Some(1)));
    let json = filed.guardian.ask(&["diff", "--json", "-c", filed.file()]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["v"], 1);
    assert_eq!(json["changes"][0]["unit"], "b@1");
    assert_eq!(
        json["changes"][0]["fields"],
        serde_json::json!(["env", "labels"])
    );
    // It was only asked: nothing is other.
    assert_eq!(filed.names(), ["a@1", "b@1", "c@1", "c@2", "d@1", "own@1"]);
    let said = filed.guardian.ok(&["up", "-c", filed.file()]);
    assert_eq!(
        said,
        "a@1: runs\nb@1: runs as it was: env changed, see `cc-guardian apply`\nc@1: runs\n\
         e@1: started\nc@2: goes on, but is declared no more: `cc-guardian apply` stops it\n\
         d@1: goes on, but is declared no more: `cc-guardian apply` stops it\n"
    );
    filed.runs("e@1");
    let pids = || -> Vec<Value> {
        ["a@1", "b@1", "c@1", "d@1", "own@1"]
            .map(|unit| filed.pid(unit))
            .into()
    };
    assert_eq!(pids(), before);
    assert_eq!(filed.guardian.unit("c@1")["labels"]["role"], "z");
    assert_eq!(
        filed.guardian.unit("b@1")["changed"],
        serde_json::json!(["env"])
    );
    let gone = [
        filed.guardian.process_of("c@2"),
        filed.guardian.process_of("d@1"),
    ];
    let said = filed.guardian.ok(&["apply"]);
    assert_eq!(
        said,
        "! b@1: restarting (env)\n- c@2: stopping\n- d@1: stopping\n"
    );
    wait::until(PATIENCE, "all to be as declared", || {
        filed.names() == ["a@1", "b@1", "c@1", "e@1", "own@1"]
    });
    assert!(gone.iter().all(|process| !process.alive()));
    let b = filed.guardian.until("b@1", "to run anew", |unit| {
        unit["pid"].is_number() && unit["pid"] != before[1]
    });
    assert_eq!(b["changed"], serde_json::json!([]));
    assert_eq!(filed.diff(), ("nothing changes\n".to_owned(), Some(0)));
    for (unit, was) in [("a@1", 0), ("c@1", 2), ("own@1", 4)] {
        assert_eq!(filed.pid(unit), before[was], "{unit}");
    }
}

/// Passes when a unit that moves to another server leaves nothing behind, and one that is not applied is
/// known as it was also to a guardian that starts anew.
#[test]
fn what_runs_is_known_by_what_it_was_started_with() {
    skip_if_asked!();
    let mut filed = Filed::new(&[sleeper("a", ""), sleeper("b", "")].concat());
    let a = filed.runs("a@1");
    filed.runs("b@1");
    let old = filed.guardian.unit("a@1");
    filed.write(&sleeper("a", "group = \"other\""));
    filed.guardian.kill();
    filed.guardian.run(&[]);
    // Nothing was disturbed, and all of it is known.
    assert_eq!(filed.pid("a@1"), a);
    assert_eq!(
        filed.guardian.unit("a@1")["changed"],
        serde_json::json!(["server"])
    );
    assert_eq!(filed.guardian.unit("b@1")["declared"], false);
    let b = filed.guardian.process_of("b@1");
    assert!(b.alive());
    let (told, code) = filed.diff();
    assert_eq!(
        told,
        "! a@1: restarts (server)\n- b@1: stops, and is no more\n"
    );
    assert_eq!(code, Some(1));
    filed.guardian.ok(&["apply"]);
    let moved = filed.guardian.until("a@1", "to have moved", |unit| {
        unit["pid"].is_number() && unit["pid"] != a
    });
    assert_ne!(moved["socket"], old["socket"]);
    wait::until(PATIENCE, "b to be forgotten", || filed.names() == ["a@1"]);
    assert!(!b.alive());
    let socket = old["socket"].as_str().unwrap();
    wait::until(PATIENCE, "the old sessions to be gone", || {
        let sessions = filed
            .guardian
            .tmux(socket.as_ref(), &["list-sessions", "-F", "#{session_name}"]);
        sessions.is_empty()
    });
}

/// Passes when SIGHUP has the file read again, as `up` does: what is new starts, what was stopped stays
/// so, and a file with mistakes changes nothing and is told of.
#[test]
fn a_hangup_has_the_file_read_again() {
    skip_if_asked!();
    let filed = Filed::new(&[sleeper("a", ""), sleeper("b", "")].concat());
    let a = filed.runs("a@1");
    filed.runs("b@1");
    filed.guardian.ok(&["stop", "b@1", "--now"]);
    filed
        .guardian
        .until("b@1", "to be gone", |unit| unit["pane"].is_null());
    let reloads = || -> Vec<String> {
        let events = filed.guardian.events("guardian").into_iter();
        let reloads = events.filter(|event| event["kind"] == "reload");
        reloads
            .map(|event| event["detail"].as_str().unwrap().to_owned())
            .collect()
    };
    // There is a guardian to ask about, though nothing has happened to it.
    assert_eq!(reloads(), Vec::<String>::new());
    let hangup = |count: usize| {
        let process = filed.guardian.process();
        process.signal(rustix::process::Signal::HUP).unwrap();
        wait::until(PATIENCE, "the file to be read", || reloads().len() == count);
    };
    filed.write("[unit.a]\ncommand = [\"sleep\"]\nbackof = 1\n");
    hangup(1);
    assert!(reloads()[0].starts_with("refused: "), "{:?}", reloads());
    assert!(reloads()[0].contains("units.toml:4:1"), "{:?}", reloads());
    let log = fs::read_to_string(filed.guardian.path("log")).unwrap();
    assert!(log.contains("backof"), "{log}");
    assert_eq!(filed.names(), ["a@1", "b@1"]);
    let changed = [sleeper("a", "nice = 5"), sleeper("b", ""), sleeper("c", "")];
    filed.write(&changed.concat());
    hangup(2);
    assert_eq!(reloads()[1], "1 new, 1 wait for `apply`");
    filed.runs("c@1");
    assert_eq!(filed.pid("a@1"), a);
    assert_eq!(filed.guardian.unit("b@1")["state"], "dead");
}

/// Passes when a restart that was asked for waits while the program works, survives the guardian, is
/// done once it is idle, and is taken back by a stop; with `apply` too.
#[test]
fn a_restart_waits_until_it_is_idle() {
    skip_if_asked!();
    let mut guardian = Guardian::start();
    let control = guardian.path("control");
    guardian.up("w", 1, &["--control", control.to_str().unwrap()]);
    guardian.until_state("w@1", "idle");
    let mut agent = Remote::connect(&control).unwrap();
    agent.order("busy 1h").unwrap();
    let busy = guardian.until_state("w@1", "busy");
    guardian.ok(&["restart", "w@1", "--at-idle"]);
    let waits = guardian.unit("w@1");
    assert_eq!(waits["pending"], "asked for");
    assert!(
        guardian
            .ok(&["ls"])
            .contains("busy (thinking), restart at idle"),
        "{}",
        guardian.ok(&["ls"])
    );
    guardian.kill();
    guardian.run(&[]);
    let found = guardian.until_state("w@1", "busy");
    assert_eq!(
        (&found["pid"], &found["pending"]),
        (&busy["pid"], &waits["pending"])
    );
    agent.order("busy 10ms").unwrap();
    let again = guardian.until("w@1", "to run anew", |unit| {
        unit["pid"].is_number() && unit["pid"] != busy["pid"]
    });
    assert_eq!(again["pending"], Value::Null);
    // One that is taken back.
    guardian.until_state("w@1", "idle");
    let mut agent = Remote::connect(&control).unwrap();
    agent.order("busy 1h").unwrap();
    guardian.until_state("w@1", "busy");
    guardian.ok(&["restart", "w@1", "--at-idle"]);
    guardian.ok(&["stop", "w@1", "--now"]);
    let stopped = guardian.until("w@1", "to be gone", |unit| unit["pane"].is_null());
    assert_eq!(stopped["pending"], Value::Null);
    guardian.ok(&["start", "w@1"]);
    let pid = guardian.until_state("w@1", "idle")["pid"].clone();
    let starts = |guardian: &Guardian| {
        let events = guardian.events("w@1");
        events
            .iter()
            .filter(|event| event["kind"] == "start")
            .count()
    };
    assert_eq!(starts(&guardian), 3);
    assert_eq!(guardian.unit("w@1")["pid"], pid);
    // Nobody knows when one without a profile is idle.
    guardian.ok(&["up", "--name", "x", "--", "sleep", "1d"]);
    let refused = guardian.ask(&["restart", "x@1", "--at-idle"]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
}

/// Passes when what is other is started anew once it is idle, where that is asked for.
#[test]
fn what_is_applied_may_wait_until_it_is_idle() {
    skip_if_asked!();
    let guardian = Guardian::start();
    let control = guardian.path("control");
    let file = guardian.path("units.toml");
    let write = |more: &str| {
        let text = format!(
            "version = 1\n[unit.w]\ncommand = [{:?}, \"--like\", \"claude\", \"--control\", {control:?}]\n\
             profile = \"claude\"\n{more}\n[unit.x]\ncommand = [\"sleep\", \"1d\"]\n{more}\n",
            stand_in()
        );
        fs::write(&file, text).unwrap();
    };
    write("");
    guardian.ok(&["up", "-c", file.to_str().unwrap()]);
    guardian.until_state("w@1", "idle");
    let x = guardian.until("x@1", "to run", |unit| unit["pid"].is_number());
    let mut agent = Remote::connect(&control).unwrap();
    agent.order("busy 1h").unwrap();
    let busy = guardian.until_state("w@1", "busy");
    write("env = { A = \"1\" }");
    let said = guardian.ok(&["apply", "--at-idle"]);
    assert_eq!(
        said,
        "! w@1: restarts once it is idle (env)\n! x@1: left as it is: it has no profile, and nobody \
         knows when it is idle (env)\n"
    );
    assert_eq!(guardian.unit("w@1")["pending"], "changed: env");
    agent.order("busy 10ms").unwrap();
    guardian.until("w@1", "to run anew", |unit| {
        unit["state"] == "idle" && unit["pid"] != busy["pid"]
    });
    assert_eq!(guardian.unit("x@1")["pid"], x["pid"]);
    guardian.ok(&["apply"]);
    guardian.until("x@1", "to run anew", |unit| {
        unit["pid"].is_number() && unit["pid"] != x["pid"]
    });
}
