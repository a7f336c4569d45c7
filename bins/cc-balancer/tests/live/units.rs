//! Units of a guardian as workers: its word is believed, it types, and it starts who does not run.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use harness::{skip_if_asked, wait};
use serde_json::Value;

use crate::floor::{Floor, PATIENCE, built};

/// A guardian with the state of a floor's balancer.
struct Guardian<'a> {
    floor: &'a Floor,
    running: Option<Child>,
}

impl<'a> Guardian<'a> {
    /// One that keeps `coder`, a stand-in like Claude.
    fn of(floor: &'a Floor) -> Self {
        let tmux = Path::new(floor.server.binary());
        let log = floor.queue.path("coder.log");
        let claude = floor.queue.path("bin/claude");
        let control = floor.queue.path("coder.sock");
        let text = format!(
            "version = 1\n[server]\ntmux = {tmux:?}\n[unit.coder]\nrestart = \"always\"\n\
             profile = \"claude\"\nlabels = {{ role = \"ci\" }}\n\
             command = [{claude:?}, \"--obey\", \"--log\", {log:?}, \"--control\", {control:?}]\n",
        );
        fs::write(floor.queue.path("guardian.toml"), text).unwrap();
        let mut guardian = Self {
            floor,
            running: None,
        };
        guardian.run();
        guardian.ok(&["up", "-c", "guardian.toml"]);
        guardian
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let queue = &self.floor.queue;
        let mut command = queue.program(&built("cc-guardian"));
        command
            .args(arguments)
            .arg("--state")
            .arg(queue.path("state"));
        command
    }

    #[track_caller]
    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn run(&mut self) {
        let log = fs::File::create(self.floor.queue.path("guardian.log")).unwrap();
        let mut command = self.command(&["run"]);
        self.running = Some(command.stderr(log).stdout(Stdio::null()).spawn().unwrap());
        wait::until(PATIENCE, "the guardian to answer", || {
            self.command(&["ls"]).output().unwrap().status.success()
        });
    }

    fn kill(&mut self) {
        let mut child = self.running.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn unit(&self) -> Value {
        let listing: Value = serde_json::from_str(&self.ok(&["ls", "--json"])).unwrap();
        listing["units"][0].clone()
    }

    fn until_state(&self, state: &str) {
        wait::until(PATIENCE, &format!("coder to be {state}"), || {
            self.unit()["state"] == state
        });
    }
}

impl Drop for Guardian<'_> {
    fn drop(&mut self) {
        let socket = self.unit()["socket"].as_str().map(str::to_owned);
        let _ = self.command(&["down", "--now"]).output();
        if self.running.is_some() {
            self.kill();
        }
        if let Some(socket) = socket {
            let tmux = self.floor.server.binary();
            let mut end = Command::new(tmux);
            let _ = end.args(["-S", &socket, "kill-server"]).output();
        }
        if std::thread::panicking() {
            let log = fs::read_to_string(self.floor.queue.path("guardian.log"));
            eprintln!("{}", log.unwrap_or_default());
        }
    }
}

/// A balancer whose workers are the units that are called `coder`.
fn floor() -> Floor {
    let mut floor = Floor::new();
    floor.configure("[[worker]]\nunit = \"coder\"\n");
    floor.serve();
    floor
}

/// Passes when a unit gets its task from its guardian, which is believed as to what it is doing, and
/// the result says whose it is.
#[test]
fn a_unit_works_by_the_word_of_its_guardian() {
    skip_if_asked!();
    let floor = floor();
    let guardian = Guardian::of(&floor);
    floor.until_workers(1, "idle");
    let task = floor.queue.add(&["-l", "role=ci", "do: answer first"]);
    floor.until(&task, "done");
    let result = floor.result(&task);
    assert_eq!(result["text"], "● first\n\n✻ Worked for 0s");
    assert_eq!(result["worker"]["unit"], "coder@1", "{result}");
    // Who looks for mistakes finds the same guardian.
    let looked = floor
        .queue
        .ask(&["doctor", "-c", "balancer.toml", "--json"]);
    let looked: Value = serde_json::from_slice(&looked.stdout).unwrap();
    let found = &looked["facts"]["tables"][0]["found"];
    assert_eq!(found["workers"][0], "coder@1", "{found}");
    let events = guardian.ok(&["events", "coder"]);
    assert!(events.contains("\"outcome\":\"delivered\""), "{events}");
    // Whatever its guardian says, nothing is typed meanwhile.
    floor.order("coder", "dialog permission");
    guardian.until_state("blocked");
    floor.until_workers(1, "blocked");
    let waits = floor.queue.add(&["do: answer second"]);
    let why = floor.queue.ok(&["why", &waits]);
    assert!(why.contains("coder@1") && why.contains("blocked"), "{why}");
    guardian.ok(&["answer", "coder", "yes"]);
    floor.until(&waits, "done");
    assert_eq!(floor.prompts_of("coder").len(), 2);
}

/// Passes when a guardian that is gone makes its units nobody, a task that waits is given out once there is
/// one again, and what was being worked on meanwhile is done once.
#[test]
fn tasks_outlive_the_guardian_of_their_workers() {
    skip_if_asked!();
    let floor = floor();
    let mut guardian = Guardian::of(&floor);
    floor.until_workers(1, "idle");
    let during = floor.queue.add(&["do: busy 3s\ndo: answer during"]);
    floor.until(&during, "running");
    let later = floor.queue.add(&["do: answer later"]);
    guardian.kill();
    floor.until_workers(0, "busy");
    guardian.run();
    floor.until(&during, "done");
    floor.until(&later, "done");
    assert!(
        floor.result(&during)["text"]
            .as_str()
            .unwrap()
            .contains("during")
    );
    assert_eq!(floor.prompts_of("coder").len(), 2);
}

/// Passes when the task of a unit that its guardian starts anew is lost and not done, and the unit works on.
#[test]
fn the_task_of_a_unit_that_is_started_anew_is_not_done() {
    skip_if_asked!();
    let floor = floor();
    let guardian = Guardian::of(&floor);
    floor.until_workers(1, "idle");
    let task = floor.queue.add(&["do: busy 100s"]);
    floor.until(&task, "running");
    guardian.until_state("busy");
    guardian.ok(&["restart", "coder", "--now"]);
    let lost = floor.until(&task, "dead");
    assert!(lost.to_string().contains("started it anew"), "{lost}");
    let next = floor.queue.add(&["do: answer next"]);
    floor.until(&next, "done");
}

/// Passes when `run --ensure` has a unit started that does not run, and its result is that unit's.
#[test]
fn a_unit_that_is_stopped_is_started_for_its_task() {
    skip_if_asked!();
    let floor = floor();
    let guardian = Guardian::of(&floor);
    floor.until_workers(1, "idle");
    guardian.ok(&["stop", "coder", "--now"]);
    floor.until_workers(0, "idle");
    let said = floor.queue.ok(&[
        "run",
        "--ensure",
        "coder",
        "--to",
        "coder",
        "do: answer woken",
    ]);
    assert!(said.contains("woken"), "{said}");
    let nobody = floor.queue.ask(&["run", "--ensure", "writer", "x"]);
    assert_eq!(nobody.status.code(), Some(4), "{nobody:?}");
    let said = String::from_utf8_lossy(&nobody.stderr).into_owned();
    assert!(said.contains("cc-guardian ls"), "{said}");
}
