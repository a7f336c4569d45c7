//! Units that live, end, and live again.

use std::fs;

use harness::{skip_if_asked, wait};
use serde_json::Value;

use crate::guardian::{Guardian, PATIENCE};

/// Passes when a server of ours is not kept busy by status lines that nobody looks at.
#[test]
fn a_server_of_ours_draws_status_lines_once_a_minute() {
    skip_if_asked!();
    let guardian = Guardian::start();
    guardian.up("w", 1, &[]);
    let unit = guardian.until_state("w@1", "idle");
    let socket = unit["socket"].as_str().unwrap();
    let each = guardian.tmux(socket.as_ref(), &["show-options", "-gv", "status-interval"]);
    assert_eq!(each, "60");
}

/// Passes when `up` changes nothing where everything runs, and starts what does not.
#[test]
fn what_is_up_stays_as_it_is() {
    skip_if_asked!();
    let guardian = Guardian::start();
    assert_eq!(guardian.up("w", 2, &[]), "w@1: started\nw@2: started\n");
    guardian.until_state("w@1", "idle");
    guardian.until_state("w@2", "idle");
    let pids = |guardian: &Guardian| -> Vec<_> {
        let units = guardian.units();
        units.iter().map(|unit| unit["pid"].clone()).collect()
    };
    let before = pids(&guardian);
    assert_eq!(guardian.up("w", 2, &[]), "w@1: runs\nw@2: runs\n");
    assert_eq!(pids(&guardian), before);
    // One more, beside those that are there.
    let said = guardian.up("w", 3, &[]);
    assert_eq!(said, "w@1: runs\nw@2: runs\nw@3: started\n");
    guardian.until_state("w@3", "idle");
    assert_eq!(pids(&guardian)[..2], before);
    // One less: it goes on until it is said that it is not to.
    let said = guardian.up("w", 2, &[]);
    let more = "w@3: goes on, but is declared no more: `cc-guardian apply` stops it\n";
    assert_eq!(said, format!("w@1: runs\nw@2: runs\n{more}"));
    assert_eq!(guardian.ok(&["apply"]), "- w@3: stopping\n");
    wait::until(PATIENCE, "w@3 to be no more", || {
        guardian.units().len() == 2
    });
    assert_eq!(
        guardian.up("w", 3, &[]),
        "w@1: runs\nw@2: runs\nw@3: started\n"
    );
    guardian.until_state("w@3", "idle");
    guardian.ok(&["stop", "w@2", "--now"]);
    guardian.until("w@2", "to be gone", |unit| unit["pane"].is_null());
    assert_eq!(
        guardian.up("w", 3, &[]),
        "w@1: runs\nw@2: started\nw@3: runs\n"
    );
}

/// Passes when a program that ends again and again is held after its limit, once, until somebody says
/// that it may go on.
#[test]
fn a_crash_loop_is_held() {
    skip_if_asked!();
    let mut guardian = Guardian::home();
    let config = guardian.path("units.toml");
    // The first of them lasts: an end while our client shakes hands can end tmux 3.3a.
    let told = guardian.path("told");
    let alert = format!(
        "[alert.ticket]\ntype = \"exec\"\nevents = [\"held\"]\ndedupe = \"1ms\"\n\
         command = [\"sh\", \"-c\", \"cat >> {}\"]\n",
        told.display()
    );
    let text = "version = 1\n[unit.w]\ncommand = [\"sh\", \"-c\", \"[ -e ran ] || { touch ran; sleep 3; }; exit 7\"]\n\
                profile = \"shell\"\nrestart = \"always\"\n\
                backoff = { initial = \"10ms\", max = \"20ms\" }\n\
                start_limit = { burst = 4, interval = \"1h\" }\n";
    fs::write(&config, text.to_owned() + &alert).unwrap();
    guardian.run(&["-c", config.to_str().unwrap()]);
    guardian.ok(&["up"]);
    let held = guardian.until_state("w@1", "held");
    assert!(held["held"].as_str().unwrap().contains("exit 7"), "{held}");
    // One alert for the hold, and none for each of the ends before.
    let alerts = || -> Vec<Value> {
        let text = fs::read_to_string(&told).unwrap_or_default();
        let stream = serde_json::Deserializer::from_str(&text).into_iter();
        stream.map_while(Result::ok).collect()
    };
    wait::until(PATIENCE, "the alert to be reported", || {
        let events = guardian.events("w@1");
        events.iter().any(|event| event["kind"] == "alert")
    });
    assert_eq!(alerts().len(), 1);
    assert_eq!(alerts()[0]["unit"], "w@1", "{:?}", alerts());
    let kinds = |kind: &str| -> usize {
        let events = guardian.events("w@1");
        events.iter().filter(|event| event["kind"] == kind).count()
    };
    assert_eq!((kinds("start"), kinds("hold")), (4, 1));
    // Held it stays: the counts behind its release would show another start.
    guardian.ok(&["start", "w@1"]);
    guardian.until_state("w@1", "held");
    assert_eq!((kinds("start"), kinds("hold")), (8, 2));
}

/// Passes when what is taken down is gone, process and all, and a second guardian is refused.
#[test]
fn what_is_taken_down_is_gone() {
    skip_if_asked!();
    let guardian = Guardian::start();
    guardian.up("w", 2, &[]);
    guardian.until_state("w@1", "idle");
    guardian.until_state("w@2", "idle");
    let processes = [guardian.process_of("w@1"), guardian.process_of("w@2")];
    let second = guardian.ask(&["run"]);
    assert_eq!(second.status.code(), Some(7), "{second:?}");
    guardian.ok(&["down"]);
    assert!(processes.iter().all(|process| !process.alive()));
    assert!(guardian.units().iter().all(|unit| unit["pane"].is_null()));
    assert!(guardian.process().alive());
}

/// Passes when of two that somebody stopped the one comes back with a guardian that starts anew that
/// always runs, and the other stays stopped.
#[test]
fn what_always_runs_comes_back_with_the_guardian() {
    skip_if_asked!();
    let mut guardian = Guardian::home();
    let config = guardian.path("units.toml");
    let unit = |name: &str, restart: &str| {
        format!("[unit.{name}]\ncommand = [\"sleep\", \"1d\"]\nrestart = \"{restart}\"\n")
    };
    let (a, b) = (unit("a", "always"), unit("b", "unless-stopped"));
    fs::write(&config, format!("version = 1\n{a}{b}")).unwrap();
    guardian.run(&["-c", config.to_str().unwrap()]);
    guardian.ok(&["up"]);
    for unit in ["a@1", "b@1"] {
        guardian.until(unit, "to run", |unit| unit["pid"].is_number());
        guardian.ok(&["stop", unit, "--now"]);
        guardian.until(unit, "to be gone", |unit| unit["pane"].is_null());
    }
    guardian.kill();
    guardian.run(&[]);
    guardian.until("a@1", "to run again", |unit| unit["pid"].is_number());
    let stopped = guardian.unit("b@1");
    assert_eq!(
        (&stopped["state"], &stopped["pid"]),
        (&Value::from("absent"), &Value::Null)
    );
}

/// Passes when the name of a unit means its only instance, or all of them where that makes sense, and else
/// is refused with the names that there are.
#[test]
fn a_unit_is_called_by_its_name_too() {
    skip_if_asked!();
    let guardian = Guardian::start();
    guardian.up("one", 1, &[]);
    guardian.up("w", 2, &[]);
    for unit in ["one@1", "w@1", "w@2"] {
        guardian.until_state(unit, "idle");
    }
    guardian.ok(&["send", "one", "hello"]);
    assert!(guardian.ok(&["events", "one"]).contains("one@1"));
    let both = guardian.ok(&["events", "w"]);
    assert!(both.contains("w@1") && both.contains("w@2"), "{both}");
    assert!(!both.contains("one@1"), "{both}");
    for asked in [&["send", "w", "hello"][..], &["attach", "w"]] {
        let refused = guardian.ask(asked);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    }
    let refused = guardian.ask(&["answer", "w", "yes"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(said, "error: \"w\" is 2 instances\nName one: w@1, w@2.\n");
    assert_eq!(guardian.ask(&["events", "x"]).status.code(), Some(4));
    guardian.ok(&["stop", "w", "--now"]);
    for unit in ["w@1", "w@2"] {
        guardian.until(unit, "to be gone", |unit| unit["pane"].is_null());
    }
    assert!(guardian.unit("one@1")["pane"].is_string());
    guardian.ok(&["start", "w"]);
    for unit in ["w@1", "w@2"] {
        guardian.until_state(unit, "idle");
    }
    assert_eq!(guardian.ask(&["restart", "x"]).status.code(), Some(4));
}
