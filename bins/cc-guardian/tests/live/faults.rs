//! Guardians and servers that are killed.

use std::fs;
use std::io::Read as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Stdio};

use harness::skip_if_asked;
use harness::wait;

use crate::guardian::{Guardian, PATIENCE};

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
    for _ in 0..3 {
        guardian.until_attached("w@1", 3);
        guardian.kill();
        guardian.run(&[]);
        let now: Vec<_> = guardian
            .units()
            .iter()
            .map(|unit| unit["pid"].clone())
            .collect();
        assert_eq!(now, pids, "{:?}", guardian.events("w@1"));
    }
    for unit in ["w@1", "w@2", "w@3"] {
        guardian.until_state(unit, "idle");
    }
    // One that ends while nobody watches is known to have ended.
    let process = guardian.process_of("w@2");
    guardian.until_attached("w@1", 3);
    guardian.kill();
    process.kill().unwrap();
    guardian.run(&[]);
    let again = guardian.until("w@2", "to run again", |unit| {
        unit["state"] == "idle" && unit["pid"] != pids[1]
    });
    assert_eq!(again["restarts"], 1);
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

/// A program that is killed at the latest when the test is over.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Passes when a guardian that starts anew does not take a server that does not answer for one that has
/// gone: it says so, ends nothing, and takes up what runs once the server answers.
#[test]
fn a_server_that_does_not_answer_is_not_taken_for_one_that_has_gone() {
    skip_if_asked!();
    let mut guardian = Guardian::start();
    guardian.up("w", 1, &[]);
    let unit = guardian.until_state("w@1", "idle");
    let process = guardian.process_of("w@1");
    guardian.kill();
    let socket = Path::new(unit["socket"].as_str().unwrap());
    let aside = guardian.path("aside");
    fs::rename(socket, &aside).unwrap();
    // Whoever comes is turned away without a word, until the socket is another.
    let listener = UnixListener::bind(socket).unwrap();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let mut run = guardian.command(&["run"]);
    let mut own = Ended(run.stderr(Stdio::piped()).spawn().unwrap());
    let ended = wait::until_some(PATIENCE, "it to end", || own.0.try_wait().unwrap());
    fs::rename(&aside, socket).unwrap();
    assert!(process.alive(), "{ended:?}");
    assert_eq!(ended.code(), Some(1));
    let mut said = String::new();
    let stderr = own.0.stderr.as_mut().unwrap();
    stderr.read_to_string(&mut said).unwrap();
    assert!(
        said.contains("the tmux server default does not answer"),
        "{said}"
    );
    guardian.run(&[]);
    assert_eq!(guardian.until_state("w@1", "idle")["pid"], unit["pid"]);
    assert_eq!(guardian.unit("w@1")["restarts"], 0);
}
