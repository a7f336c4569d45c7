//! Windows beside a unit's own.

use std::fs;

use harness::process::Process;
use harness::{skip_if_asked, wait};
use serde_json::Value;

use crate::guardian::{Guardian, PATIENCE};

/// Passes when the windows of a unit are made when it starts, stay when its program ends, are made again
/// where they are missing or dead when it starts anew, are never guarded, and go with the unit: also what
/// in them ignores the hangup.
#[test]
fn windows_beside_a_unit_come_and_go_with_it() {
    skip_if_asked!();
    let mut guardian = Guardian::home();
    let config = guardian.path("units.toml");
    let text = "version = 1\n[unit.w]\ncommand = [\"sleep\", \"1d\"]\nrestart = \"always\"\n\
                backoff = { initial = \"10ms\", max = \"10ms\" }\nwindows = [\n\
                { name = \"log\", command = [\"sleep\", \"2d\"], cwd = \"/\" },\n\
                { name = \"ticks\", command = \"trap '' HUP; echo up; exec sleep 3d\", shell = true },\n\
                { name = \"shell\" },\n]\n";
    fs::write(&config, text).unwrap();
    guardian.run(&[]);
    guardian.ok(&["up", "-c", config.to_str().unwrap()]);
    let unit = guardian.until("w@1", "to run", |unit| unit["pid"].is_number());
    let socket = unit["socket"].as_str().unwrap().to_owned();
    let windows = || -> Vec<(String, String, String)> {
        let format = "#{window_name} #{window_id} #{pane_pid}";
        let listed = guardian.tmux(
            socket.as_ref(),
            &["list-windows", "-t", "=w@1", "-F", format],
        );
        let mut windows: Vec<_> = listed
            .lines()
            .map(|line| {
                let words: Vec<&str> = line.split(' ').collect();
                (
                    words[0].to_owned(),
                    words[1].to_owned(),
                    words[2].to_owned(),
                )
            })
            .collect();
        windows.sort();
        windows
    };
    let names = |windows: &[(String, String, String)]| -> Vec<String> {
        windows.iter().map(|(name, ..)| name.clone()).collect()
    };
    let first = windows();
    assert_eq!(names(&first), ["log", "shell", "ticks", "w@1"]);
    let current = guardian.tmux(
        socket.as_ref(),
        &["display-message", "-p", "-t", "=w@1:", "#{window_name}"],
    );
    assert_eq!(current, "w@1");
    // They are no instances, and know nothing that only those know.
    assert_eq!(guardian.units().len(), 1);
    let of = |name: &str, windows: &[(String, String, String)]| -> Process {
        let found = windows.iter().find(|(of, ..)| of == name).unwrap();
        Process::of(found.2.parse().unwrap())
    };
    let environment = fs::read(format!("/proc/{}/environ", of("log", &first).pid())).unwrap();
    let environment = String::from_utf8_lossy(&environment);
    assert!(!environment.contains("CC_HOOK_TOKEN"), "it has the token");
    assert!(!environment.contains("CC_INSTANCE"), "it has the mark");
    // One ends, one is closed, and the program is killed: both are made again, the third stays.
    guardian.until("w@1", "to be followed", |unit| unit["state"] == "unknown");
    of("shell", &first).kill().unwrap();
    let log = first.iter().find(|(name, ..)| name == "log").unwrap();
    guardian.tmux(socket.as_ref(), &["kill-window", "-t", &log.1]);
    wait::until(PATIENCE, "the shell to be dead", || {
        let dead = guardian.tmux(
            socket.as_ref(),
            &["list-panes", "-s", "-t", "=w@1", "-F", "#{pane_dead}"],
        );
        dead.contains('1')
    });
    assert_eq!(guardian.unit("w@1")["restarts"], 0);
    guardian.process_of("w@1").kill().unwrap();
    guardian.until("w@1", "to run again", |unit| {
        unit["pid"].is_number() && unit["restarts"] == 1
    });
    let second = windows();
    assert_eq!(names(&second), ["log", "shell", "ticks", "w@1"]);
    assert_eq!(of("ticks", &second).pid(), of("ticks", &first).pid());
    assert_ne!(of("shell", &second).pid(), of("shell", &first).pid());
    let events = guardian.events("w@1").into_iter();
    let made: Vec<Value> = events
        .filter(|event| event["kind"] == "windows")
        .map(|event| event["detail"].clone())
        .collect();
    assert_eq!(made, ["made: log, ticks, shell", "made: log, shell"]);
    // Whoever looks at it stays there when it is restarted.
    let pid = guardian.unit("w@1")["pid"].clone();
    guardian.ok(&["restart", "w@1", "--now"]);
    guardian.until("w@1", "to run anew", |unit| {
        unit["pid"].is_number() && unit["pid"] != pid
    });
    assert_eq!(of("ticks", &windows()).pid(), of("ticks", &first).pid());
    guardian.ok(&["stop", "w@1", "--now"]);
    guardian.until("w@1", "to be gone", |unit| unit["pane"].is_null());
    let left: Vec<Process> = ["log", "ticks", "shell"]
        .map(|name| of(name, &second))
        .into();
    wait::until(PATIENCE, "what is beside it to be gone", || {
        windows().is_empty() && left.iter().all(|process| !process.alive())
    });
}
