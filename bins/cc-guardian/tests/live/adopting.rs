//! Panes that somebody else has made.

use std::path::PathBuf;

use harness::process::Process;
use harness::{skip_if_asked, wait};
use serde_json::Value;

use crate::guardian::{Guardian, PATIENCE, stand_in};

/// A person's own tmux server.
struct Theirs<'a> {
    guardian: &'a Guardian,
    socket: PathBuf,
}

impl<'a> Theirs<'a> {
    fn new(guardian: &'a Guardian) -> Self {
        let socket = guardian.theirs();
        let theirs = Self { guardian, socket };
        theirs.tmux(&[
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-s",
            "own",
            "-x",
            "100",
            "-y",
            "30",
        ]);
        theirs
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        self.guardian.tmux(&self.socket, arguments)
    }

    fn socket(&self) -> &str {
        self.socket.to_str().unwrap()
    }

    /// A window of theirs with a stand-in in it.
    fn agent(&self) -> String {
        let new = ["new-window", "-d", "-t", "=own:", "-P", "-F", "#{pane_id}"];
        let stand_in = stand_in();
        self.tmux(&[&new[..], &["--", &stand_in, "--like", "claude"]].concat())
    }

    fn server(&self) -> Process {
        Process::of(
            self.tmux(&["display-message", "-p", "#{pid}"])
                .parse()
                .unwrap(),
        )
    }

    fn panes(&self) -> Vec<String> {
        let listed = self.tmux(&["list-panes", "-a", "-F", "#{pane_id}"]);
        listed.lines().map(str::to_owned).collect()
    }

    /// Everything that is set there.
    fn options(&self) -> String {
        let all = [
            ["show-options", "-s"],
            ["show-options", "-g"],
            ["show-options", "-gw"],
        ];
        all.map(|arguments| self.tmux(&arguments)).concat()
    }
}

fn ends(guardian: &Guardian, unit: &str) -> Vec<Value> {
    let events = guardian.events(unit).into_iter();
    let ends = events.filter(|event| event["kind"] == "end");
    ends.map(|event| event["detail"].clone()).collect()
}

/// Passes when a pane of somebody else is read, sent to, found again, left alone by `down`, and its
/// end known and recorded; and nothing else of its server is touched.
#[test]
fn a_pane_of_somebody_else_is_watched_and_not_owned() {
    skip_if_asked!();
    let mut guardian = Guardian::start();
    guardian.ok(&["ls"]);
    let (socket, pane, other, options, server) = {
        let theirs = Theirs::new(&guardian);
        let pane = theirs.agent();
        let other = theirs.agent();
        (
            theirs.socket.clone(),
            pane,
            other,
            theirs.options(),
            theirs.server(),
        )
    };
    let said = guardian.ok(&[
        "adopt",
        &pane,
        "--name",
        "a",
        "--profile",
        "claude",
        "-S",
        socket.to_str().unwrap(),
    ]);
    assert_eq!(
        said,
        "a@1: adopted; read as claude; what ends is not started again: no command was given\n"
    );
    let unit = guardian.until_state("a@1", "idle");
    assert_eq!(
        (&unit["adopted"], &unit["pane"]),
        (&Value::from(true), &Value::from(pane.as_str()))
    );
    assert_eq!(guardian.ok(&["send", "a@1", "hello"]), "delivered\n");
    guardian.kill();
    guardian.run(&[]);
    let again = guardian.until_state("a@1", "idle");
    assert_eq!(again["pid"], unit["pid"]);
    let said = guardian.ok(&["down"]);
    assert_eq!(said, "a@1: goes on, since it was adopted: `stop` ends it\n");
    let process = guardian.process_of("a@1");
    assert!(process.alive());
    let theirs = Theirs {
        guardian: &guardian,
        socket,
    };
    assert_eq!(theirs.options(), options);
    for (arguments, code) in [
        (
            vec!["adopt", &pane, "--name", "b", "-S", theirs.socket()],
            2,
        ),
        (
            vec!["adopt", &other, "--name", "a", "-S", theirs.socket()],
            2,
        ),
        (
            vec!["adopt", "%999", "--name", "b", "-S", theirs.socket()],
            4,
        ),
        (
            vec!["adopt", "own:1", "--name", "b", "-S", theirs.socket()],
            2,
        ),
        (
            vec!["adopt", &other, "--name", "no name", "-S", theirs.socket()],
            2,
        ),
        (
            vec![
                "adopt",
                &other,
                "--name",
                "b",
                "--profile",
                "x",
                "-S",
                theirs.socket(),
            ],
            2,
        ),
        (vec!["adopt", &other, "--name", "b", "-S", "/nowhere"], 69),
        (vec!["restart", "a@1"], 2),
    ] {
        let refused = guardian.ask(&arguments);
        assert_eq!(
            refused.status.code(),
            Some(code),
            "{arguments:?}: {refused:?}"
        );
    }
    let unknown = guardian.ask(&["adopt", "%999", "--name", "b", "-S", theirs.socket()]);
    let said = String::from_utf8(unknown.stderr).unwrap();
    assert!(said.contains("list-panes -a"), "{said}");
    assert!(process.alive());
    // It ends, in a pane that tmux takes away at once.
    process.kill().unwrap();
    guardian.until("a@1", "its end", |_| !ends(&guardian, "a@1").is_empty());
    let dead = guardian.until_state("a@1", "dead");
    assert_eq!(dead["restarts"], 0);
    assert_eq!(ends(&guardian, "a@1"), [dead["sub"].clone()]);
    println!("how it ended: {}", dead["sub"]);
    assert_eq!(guardian.ask(&["start", "a@1"]).status.code(), Some(2));
    assert_eq!(theirs.server().pid(), server.pid());
    assert!(theirs.panes().contains(&other), "{:?}", theirs.panes());
    // Its name is free again.
    let socket = theirs.socket();
    guardian.ok(&[
        "adopt",
        &other,
        "--name",
        "a",
        "--profile",
        "claude",
        "-S",
        socket,
    ]);
    let process = {
        guardian.until_state("a@1", "idle");
        guardian.process_of("a@1")
    };
    guardian.ok(&["stop", "a@1", "--now"]);
    wait::until(PATIENCE, "it to be no more", || guardian.units().is_empty());
    assert!(!process.alive());
    assert_eq!(theirs.panes().len(), 1);
    assert_eq!(theirs.server().pid(), server.pid());
}

/// Passes when what was adopted with a command is started again in a new window of its session, also by a
/// guardian that starts anew, and ends with `down --now`, while all else of that server goes on.
#[test]
fn what_was_adopted_with_a_command_is_started_again() {
    skip_if_asked!();
    let mut guardian = Guardian::start();
    let stand_in = stand_in();
    let (socket, pane, server, options) = {
        let theirs = Theirs::new(&guardian);
        (
            theirs.socket.clone(),
            theirs.agent(),
            theirs.server(),
            theirs.options(),
        )
    };
    let adopt = [
        "adopt",
        &pane,
        "--name",
        "a",
        "--profile",
        "claude",
        "-S",
        socket.to_str().unwrap(),
    ];
    let said = guardian.ok(&[&adopt[..], &["--", &stand_in, "--like", "claude"]].concat());
    assert!(
        said.ends_with("what ends is started again by its policy\n"),
        "{said}"
    );
    let first = guardian.until_state("a@1", "idle");
    guardian.process_of("a@1").kill().unwrap();
    let second = guardian.until("a@1", "to be started again", |unit| {
        unit["state"] == "idle" && unit["pid"] != first["pid"]
    });
    assert_eq!(second["restarts"], 1);
    guardian.kill();
    guardian.run(&[]);
    let found = guardian.until_state("a@1", "idle");
    assert_eq!(found["pid"], second["pid"]);
    let theirs = Theirs {
        guardian: &guardian,
        socket,
    };
    let sessions = || theirs.tmux(&["list-sessions", "-F", "#{session_name}"]);
    assert_eq!(sessions(), "own");
    assert_eq!(theirs.panes().len(), 2);
    assert_eq!(theirs.options(), options);
    let process = guardian.process_of("a@1");
    guardian.ok(&["down", "--now"]);
    assert!(!process.alive());
    wait::until(PATIENCE, "its window to be gone", || {
        theirs.panes().len() == 1
    });
    assert_eq!(sessions(), "own");
    assert_eq!(theirs.server().pid(), server.pid());
    // Its session is there still, and so it can be started.
    guardian.ok(&["start", "a@1"]);
    let third = guardian.until_state("a@1", "idle");
    assert_eq!(third["adopted"], true);
    assert_eq!(theirs.panes().len(), 2);
    assert_eq!(sessions(), "own");
    // And where the server is gone, none is started in its place.
    server.kill().unwrap();
    wait::until(PATIENCE, "a start to fail", || {
        let events = guardian.events("a@1");
        events.iter().any(|event| {
            event["kind"] == "fail" && event["detail"] == "the session that it was in is gone"
        })
    });
    assert_eq!(ends(&guardian, "a@1").last().unwrap(), "not-started");
    assert_eq!(theirs.panes(), [""; 0]);
}

/// Passes when of a program that somebody has started in a shell it is the program that is watched and
/// stopped, and the shell is left to them, also by a guardian that starts anew.
#[test]
fn of_a_program_in_a_shell_the_shell_is_left_alone() {
    skip_if_asked!();
    let mut guardian = Guardian::start();
    let (socket, pane, shell) = {
        let theirs = Theirs::new(&guardian);
        let new = [
            "new-window",
            "-d",
            "-t",
            "=own:",
            "-P",
            "-F",
            "#{pane_id}",
            "--",
            "bash",
            "--norc",
        ];
        let pane = theirs.tmux(&new);
        let shell = theirs.tmux(&["display-message", "-p", "-t", &pane, "#{pane_pid}"]);
        (theirs.socket, pane, Process::of(shell.parse().unwrap()))
    };
    let start = |guardian: &Guardian| {
        let line = format!("{} --like claude", stand_in());
        guardian.tmux(&socket, &["send-keys", "-t", &pane, &line, "Enter"]);
        wait::until(PATIENCE, "the program to be in front", || {
            let format = [
                "display-message",
                "-p",
                "-t",
                &pane,
                "#{pane_current_command}",
            ];
            guardian.tmux(&socket, &format) == "stand-in-agent"
        });
    };
    let path = socket.to_str().unwrap();
    let adopt = [
        "adopt",
        &pane,
        "--name",
        "a",
        "--profile",
        "claude",
        "-S",
        path,
    ];
    start(&guardian);
    guardian.ok(&adopt);
    let unit = guardian.until_state("a@1", "idle");
    assert_ne!(unit["pid"], shell.pid());
    guardian.kill();
    guardian.run(&[]);
    assert_eq!(guardian.until_state("a@1", "idle")["pid"], unit["pid"]);
    guardian.process_of("a@1").kill().unwrap();
    guardian.until("a@1", "its end", |_| !ends(&guardian, "a@1").is_empty());
    assert!(shell.alive());
    // The same pane can be adopted again, and stopped.
    start(&guardian);
    guardian.ok(&adopt);
    guardian.until_state("a@1", "idle");
    let process = guardian.process_of("a@1");
    guardian.ok(&["stop", "a@1"]);
    wait::until(PATIENCE, "it to be no more", || guardian.units().is_empty());
    assert!(!process.alive());
    assert!(shell.alive());
    // It is nobody's: its options are empty.
    wait::until(PATIENCE, "the pane to be unmarked", || {
        guardian
            .tmux(
                &socket,
                &[
                    "display-message",
                    "-p",
                    "-t",
                    &pane,
                    "#{@cc_unit}#{@cc_guardian}",
                ],
            )
            .is_empty()
    });
}
