//! A queue in a home of its own, and the built `cc-balancer` that asks it.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::{env, fs};

use serde_json::Value;
use tempfile::TempDir;

/// A home without a balancer.
pub(crate) struct Queue {
    home: TempDir,
}

impl Queue {
    pub(crate) fn new() -> Self {
        let home = TempDir::with_prefix("cc-bal-").unwrap();
        let queue = Self { home };
        for name in ["run", "state"] {
            let mut directory = fs::DirBuilder::new();
            directory.mode(0o700).create(queue.path(name)).unwrap();
        }
        queue
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The socket that its balancer listens on.
    pub(crate) fn socket(&self) -> PathBuf {
        let state = self.path("state");
        let home = cc_kit::home::Home::of("balancer", Some(&state)).unwrap();
        self.path(&format!("run/cc/balancer-{}.sock", home.id()))
    }

    /// The program, in this home; the state is named in front of the arguments behind the verb.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(Path::new(env!("CARGO_BIN_EXE_cc-balancer")));
        command.args(arguments);
        command
    }

    /// Any program, in this home.
    pub(crate) fn program(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("USER", "tester")
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .env("CC_STATE", self.path("state"))
            .current_dir(self.home.path())
            .stdin(Stdio::null());
        command
    }

    /// What it says.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Output {
        let mut arguments: Vec<&str> = arguments.to_vec();
        let state = self.path("state");
        let state = format!("--state={}", state.display());
        // Behind the verbs, and before what may take all the rest.
        let verbs = 1 + usize::from(matches!(
            arguments.first(),
            Some(&("dead" | "worker" | "account" | "queue"))
        ));
        let at = verbs.min(arguments.len());
        if arguments.len() >= verbs {
            arguments.insert(at, &state);
        }
        self.command(&arguments).output().unwrap()
    }

    /// What it prints where it ends well.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let output = self.ask(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The JSON that it prints where it ends well.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let said = self.ok(arguments);
        let said: Value =
            serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
        assert_eq!(said["v"], 1, "{said}");
        said
    }

    /// Adds a task, and gives its id.
    pub(crate) fn add(&self, arguments: &[&str]) -> String {
        let all: Vec<&str> = ["add", "-p"].iter().chain(arguments).copied().collect();
        self.ok(&all).trim_end().to_owned()
    }

    /// The state of a task.
    pub(crate) fn state(&self, id: &str) -> String {
        let told = self.json(&["why", id, "--json"]);
        told["task"]["state"].as_str().unwrap().to_owned()
    }

    /// The program, which goes on meanwhile; the arguments begin with one verb.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        let state = format!("--state={}", self.path("state").display());
        // Before what may take all the rest.
        let mut arguments = arguments.to_vec();
        arguments.insert(1, &state);
        let mut command = self.command(&arguments);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}
