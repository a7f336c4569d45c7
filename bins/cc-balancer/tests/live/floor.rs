//! A balancer that runs, and a tmux server with workers.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cc_kit::lease::{Lease, Place, Taken};
pub(crate) use harness::dice::Dice;
use harness::server::{Boot, Server};
use harness::stand_in::remote::Remote;
use harness::wait;
use serde_json::Value;

use crate::queue::Queue;

/// How long anything may take: generous, for machines that do other work too.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Is all of it to be shown at full scale?
pub(crate) fn is_full() -> bool {
    std::env::var_os("TMUX_CC_FULL").is_some_and(|value| value == "1")
}

/// A prompt that a stand-in was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prompt {
    /// When, in milliseconds since 1970.
    pub(crate) at: u64,
    pub(crate) text: String,
    /// Was it typed while the agent worked?
    pub(crate) queued: bool,
}

/// Workers in a tmux server, and the balancer that may run beside them.
pub(crate) struct Floor {
    pub(crate) queue: Queue,
    pub(crate) server: Server,
    pub(crate) running: Option<Child>,
    workers: Vec<String>,
}

/// A program that is built beside our own.
pub(crate) fn built(name: &str) -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_cc-balancer")).with_file_name(name);
    assert!(
        program.exists(),
        "build {name} first: cargo build --workspace --bins"
    );
    program
}

impl Floor {
    /// A server without workers, and no balancer.
    pub(crate) fn new() -> Self {
        let queue = Queue::new();
        fs::create_dir(queue.path("bin")).unwrap();
        // tmux and profiles know an agent by its name.
        std::os::unix::fs::symlink(built("stand-in-agent"), queue.path("bin/claude")).unwrap();
        let server = Server::start_with(&Boot::running(["sleep", "100000"]).size(100, 30));
        Self {
            queue,
            server,
            running: None,
            workers: Vec::new(),
        }
    }

    /// So many stand-ins like Claude, `w1` and so on, and a balancer that gives them tasks.
    pub(crate) fn of(agents: usize) -> Self {
        let mut floor = Self::new();
        for at in 1..=agents {
            floor.hire(&format!("w{at}"), &[]);
        }
        floor.configure(&floor.table("w*", "claude", ""));
        floor.serve();
        floor.until_workers(agents, "idle");
        floor
    }

    /// A stand-in like Claude in a session of that name; it does what prompts say behind `do: `.
    pub(crate) fn hire(&mut self, name: &str, more: &[&str]) {
        let claude = self.queue.path("bin/claude");
        let log = self.log_of(name);
        let control = self.queue.path(&format!("{name}.sock"));
        let mut all: Vec<&str> = vec!["new-session", "-d", "-s", name, "-x", "100", "-y", "30"];
        all.extend([claude.to_str().unwrap(), "--obey", "--log"]);
        all.extend([
            log.to_str().unwrap(),
            "--control",
            control.to_str().unwrap(),
        ]);
        all.extend(more);
        self.server.tmux(all);
        self.workers.push(name.to_owned());
    }

    fn log_of(&self, name: &str) -> PathBuf {
        self.queue.path(&format!("{name}.log"))
    }

    /// A shell in a session of that name.
    pub(crate) fn shell(&self, name: &str) {
        self.server.tmux([
            "new-session",
            "-d",
            "-s",
            name,
            "-x",
            "120",
            "-y",
            "30",
            "env",
            "PS1=$ ",
            "bash",
            "--norc",
        ]);
    }

    /// A table of workers: sessions of that pattern.
    pub(crate) fn table(&self, sessions: &str, profile: &str, more: &str) -> String {
        let socket = self.server.socket().display();
        format!(
            "[[worker]]\nsocket = \"{socket}\"\nsession = \"{sessions}\"\nprofile = \"{profile}\"\n{more}\n"
        )
    }

    /// Writes the configuration.
    pub(crate) fn configure(&self, tables: &str) {
        let tmux = Path::new(self.server.binary()).display().to_string();
        let text = format!("version = 1\ntmux = \"{tmux}\"\n{tables}");
        fs::write(self.queue.path("balancer.toml"), text).unwrap();
    }

    /// Starts the balancer, and waits until it answers.
    pub(crate) fn serve(&mut self) {
        self.serve_as(|command| command);
    }

    /// The same, with more on its command line.
    pub(crate) fn serve_with(&mut self, more: &[&str]) {
        let more: Vec<String> = more.iter().map(|word| (*word).to_owned()).collect();
        self.serve_as(|mut command| {
            command.args(more);
            command
        });
    }

    /// The same, by another command that has it run.
    pub(crate) fn serve_as(&mut self, other: impl FnOnce(Command) -> Command) {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.queue.path("log"))
            .unwrap();
        let config = self.queue.path("balancer.toml");
        let state = format!("--state={}", self.queue.path("state").display());
        let command = self
            .queue
            .command(&["serve", "-c", config.to_str().unwrap(), &state]);
        let child = other(command)
            .env("CC_LOG", "cc_balancer=debug")
            .stderr(log)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        self.running = Some(child);
        wait::until(PATIENCE, "the balancer to answer", || {
            self.queue.ask(&["worker", "ls"]).status.success()
        });
    }

    /// Kills the balancer.
    pub(crate) fn kill(&mut self) {
        let mut child = self.running.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub(crate) fn workers(&self) -> Vec<Value> {
        let listed = self.queue.json(&["worker", "ls", "--json"]);
        listed["workers"].as_array().unwrap().clone()
    }

    /// Waits until so many workers are in that state.
    #[track_caller]
    pub(crate) fn until_workers(&self, count: usize, state: &str) {
        wait::until(PATIENCE, &format!("{count} workers to be {state}"), || {
            let workers = self.workers();
            workers.iter().filter(|it| it["state"] == state).count() == count
        });
    }

    /// Waits until a task is in that state, and gives it as `why` has it.
    #[track_caller]
    pub(crate) fn until(&self, id: &str, state: &str) -> Value {
        wait::until_some(PATIENCE, &format!("{id} to be {state}"), || {
            let told = self.queue.json(&["why", id, "--json"]);
            (told["task"]["state"] == state).then(|| told["task"].clone())
        })
    }

    /// What happened to a task: kinds, oldest first.
    pub(crate) fn events(&self, id: &str) -> Vec<Value> {
        let told = self.queue.json(&["log", id, "--json"]);
        told["events"].as_array().unwrap().clone()
    }

    /// What came of a task.
    pub(crate) fn result(&self, id: &str) -> Value {
        let said = self.queue.ask(&["result", id, "--json"]).stdout;
        serde_json::from_slice(&said).unwrap()
    }

    /// What a stand-in has written down.
    pub(crate) fn records_of(&self, name: &str) -> Vec<Value> {
        let log = fs::read_to_string(self.log_of(name)).unwrap_or_default();
        let lines = log.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect()
    }

    /// The prompts that a stand-in was given.
    pub(crate) fn prompts_of(&self, name: &str) -> Vec<Prompt> {
        let records = self.records_of(name).into_iter();
        records
            .filter(|line: &Value| line["n"].is_u64())
            .map(|line| {
                let bytes = BASE64_STANDARD.decode(line["bytes_base64"].as_str().unwrap());
                Prompt {
                    at: line["t"].as_u64().unwrap(),
                    text: String::from_utf8(bytes.unwrap())
                        .unwrap()
                        .replace('\r', "\n"),
                    queued: line["queued"].as_bool().unwrap(),
                }
            })
            .collect()
    }

    /// Those of all of them.
    pub(crate) fn prompts(&self) -> Vec<Prompt> {
        let all = self.workers.iter().flat_map(|name| self.prompts_of(name));
        all.collect()
    }

    /// What the balancer has logged.
    pub(crate) fn logged(&self) -> String {
        fs::read_to_string(self.queue.path("log")).unwrap()
    }

    /// Tells a stand-in what to do.
    pub(crate) fn order(&self, name: &str, line: &str) {
        self.remote(name).order(line).unwrap();
    }

    pub(crate) fn remote(&self, name: &str) -> Remote {
        Remote::connect(&self.queue.path(&format!("{name}.sock"))).unwrap()
    }

    /// The right to write to a worker's pane: nobody else does as long as that is held.
    pub(crate) fn lease_of(&self, worker: &Value) -> Lease {
        let server = worker["server"].as_str().unwrap();
        let (pid, start) = server.split_once('.').unwrap();
        let place = Place {
            server: pid.parse().unwrap(),
            start_time: start.parse().unwrap(),
            pane: worker["pane"].as_str().unwrap()[1..].parse().unwrap(),
        };
        let taken = Lease::take(&self.queue.path("run/cc/lease"), place, "a test").unwrap();
        let Taken::Ours(lease) = taken else {
            panic!("{taken:?}");
        };
        lease
    }

    /// The session in which a task is worked on.
    pub(crate) fn session_of(&self, task: &Value) -> String {
        let pane = task["attempt"]["worker"]["pane"].as_str().unwrap();
        self.server
            .answer(["display-message", "-p", "-t", pane, "#{session_name}"])
            .trim()
            .to_owned()
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        if let Some(mut child) = self.running.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let log = fs::read(self.queue.path("log")).unwrap_or_default();
            let _ = std::io::stderr().write_all(&log);
            let panes = self.server.answer(["list-panes", "-a", "-F", "#{pane_id}"]);
            for pane in panes.lines() {
                let shown = self.server.answer(["capture-pane", "-p", "-t", pane]);
                eprintln!("{pane}:\n{}", shown.trim_end());
            }
            let _ = std::io::stderr().write_all(&self.queue.ask(&["status"]).stdout);
        }
    }
}
