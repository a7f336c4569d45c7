//! `doctor`: it finds what could hurt, and changes nothing.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::process::{Child, Output};

use harness::raw::Raw;
use harness::server::Server;
use harness::{skip_if_asked, wait};
use serde_json::Value;

use crate::guardian::{Guardian, PATIENCE};

/// A home in which the user's own tmux server has its place too, so that no other is looked at.
struct Home {
    guardian: Guardian,
    sockets: PathBuf,
}

impl Home {
    fn of(guardian: Guardian) -> Self {
        let user = rustix::process::getuid().as_raw();
        let sockets = guardian.path(&format!("tmp/tmux-{user}"));
        let mut builder = fs::DirBuilder::new();
        builder
            .recursive(true)
            .mode(0o700)
            .create(&sockets)
            .unwrap();
        Self { guardian, sockets }
    }

    fn doctor(&self, arguments: &[&str]) -> Output {
        let mut command = self.guardian.command(&["doctor"]);
        command
            .args(arguments)
            .env("TMUX_TMPDIR", self.guardian.path("tmp"));
        command.output().unwrap()
    }

    /// What is said as JSON; also how it ended.
    fn findings(&self, arguments: &[&str]) -> (Value, Option<i32>) {
        let output = self.doctor(&[&["--json"], arguments].concat());
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(said["v"], 1);
        (said, output.status.code())
    }

    /// Every path in this home.
    fn paths(&self) -> Vec<PathBuf> {
        let mut left = vec![self.guardian.path("")];
        let mut paths = Vec::new();
        while let Some(path) = left.pop() {
            if path.symlink_metadata().unwrap().is_dir() {
                let entries = fs::read_dir(&path).unwrap();
                left.extend(entries.map(|entry| entry.unwrap().path()));
            }
            paths.push(path);
        }
        paths.sort();
        paths
    }
}

/// A guardian that ends with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The finding of that topic whose sentence has that part.
#[track_caller]
fn one<'a>(said: &'a Value, topic: &str, part: &str) -> &'a Value {
    let findings = said["findings"].as_array().unwrap();
    let mut found = findings.iter().filter(|finding| {
        finding["topic"] == topic && finding["what"].as_str().unwrap().contains(part)
    });
    let one = found.next();
    assert!(found.next().is_none(), "{topic}: {part}: twice in {said:#}");
    one.unwrap_or_else(|| panic!("{topic}: {part}: not in {said:#}"))
}

/// Passes when a session that would end, a client that takes output and a pipe that is taken are found
/// on the server of the user, and the server has all that it had before.
#[test]
fn what_could_hurt_is_found_and_nothing_is_changed() {
    skip_if_asked!();
    let home = Home::of(Guardian::home());
    let server = Server::start();
    // The same socket, where a plain tmux would have it.
    fs::hard_link(server.socket(), home.sockets.join("default")).unwrap();
    server.tmux(["pipe-pane", "-t", "=main:", "exec cat > /dev/null"]);
    let client = Raw::attach(&server, "=main");
    server.tmux(["set-option", "-t", "=main:", "destroy-unattached", "on"]);
    let seen = || {
        let sessions = "#{session_id} #{session_name} #{session_attached} #{session_created}";
        let panes = "#{pane_id} #{pane_pipe} #{pane_pid} #{pane_dead} #{history_size}";
        let clients = "#{client_name} #{client_pid} #{client_flags} #{session_name}";
        [
            server.answer(["list-sessions", "-F", sessions]),
            server.answer(["list-panes", "-a", "-F", panes]),
            server.answer(["list-clients", "-F", clients]),
            server.answer(["show-options", "-g"]),
            server.answer(["show-options", "-s"]),
        ]
    };
    let (before, paths) = (seen(), home.paths());
    let (said, _) = home.findings(&[]);
    let session = one(&said, "session", "destroy-unattached");
    assert_eq!(session["level"], "warning");
    assert!(session["what"].as_str().unwrap().contains("\"main\" ($0)"));
    let pid = client.process().pid().to_string();
    let attached = one(&said, "client", &format!("pid {pid})"));
    assert_eq!(attached["level"], "warning");
    one(&said, "pipe", "The pipe of %0 (\"main\")");
    one(&said, "history", "Panes on");
    let facts = &said["facts"]["servers"][0];
    assert_eq!(facts["whose"], "user");
    let alive = &facts["answer"]["alive"];
    assert_eq!(alive["version"], server.version());
    assert_eq!(alive["pid"], server.pid());
    assert_eq!(alive["clients"].as_array().unwrap().len(), 1);
    // For people the same stands there, in lines that are not too wide but for long words.
    let text = String::from_utf8(home.doctor(&[]).stdout).unwrap();
    assert!(text.contains("destroy-unattached on."), "{text}");
    let fits = |line: &str| line.len() <= 80 || line.split_whitespace().any(|word| word.len() > 40);
    assert!(text.lines().all(fits), "{text}");
    assert_eq!(seen(), before);
    assert_eq!(home.paths(), paths);
    drop(client);
}

/// Passes when a running guardian, its server and its clients are known for what they are, and when
/// units that nobody guards any more are a problem.
#[test]
fn a_guardian_that_runs_is_known_and_so_is_one_that_was_killed() {
    skip_if_asked!();
    let mut home = Home::of(Guardian::start());
    home.guardian.up("w", 1, &[]);
    home.guardian.until_state("w@1", "idle");
    // Its client comes a moment after the unit.
    let said = wait::until_some(PATIENCE, "the guardian's client to be attached", || {
        let (said, _) = home.findings(&[]);
        let clients = said["facts"]["servers"][0]["answer"]["alive"]["clients"].as_array()?;
        (!clients.is_empty()).then_some(said)
    });
    one(&said, "daemon", "1 of its 1 instances run");
    let server = &said["facts"]["servers"][0];
    assert_eq!(server["whose"], "guardian");
    let alive = &server["answer"]["alive"];
    assert_eq!(alive["sessions"][0]["name"], "w@1");
    assert_eq!(alive["panes"][0]["remain_on_exit"], true);
    if cfg!(target_os = "linux") {
        assert_eq!(alive["clients"][0]["is_guardian"], true);
        let findings = said["findings"].as_array().unwrap();
        assert!(!findings.iter().any(|finding| finding["topic"] == "client"));
    }
    home.guardian.kill();
    let (said, code) = home.findings(&[]);
    assert_eq!(code, Some(1));
    assert_eq!(
        one(&said, "daemon", "has left its socket")["level"],
        "warning"
    );
    assert_eq!(one(&said, "daemon", "and no guardian")["level"], "problem");
}

/// Passes when a guardian with a state of its own is found by that.
#[test]
fn a_guardian_with_a_state_of_its_own_is_found() {
    skip_if_asked!();
    let home = Home::of(Guardian::home());
    let own = home.guardian.path("own");
    let own = own.to_str().unwrap();
    let running = home.guardian.command(&["run", "--state", own]).spawn();
    let running = Running(running.unwrap());
    wait::until(PATIENCE, "it to answer", || {
        let (said, _) = home.findings(&["--state", own]);
        said["facts"]["daemon"]["answers"]["pid"] == running.0.id()
    });
    let (said, _) = home.findings(&[]);
    assert_eq!(said["facts"]["daemon"], "absent");
}

/// Passes when without a tmux, and with a state that cannot be used, each is a problem that is said,
/// and all else is looked at still.
#[test]
fn what_is_missing_is_said() {
    let home = Home::of(Guardian::home());
    let before = home.paths();
    let mut command = home.guardian.command(&["doctor", "--json"]);
    command
        .env("PATH", "/nowhere")
        .env("TMUX_TMPDIR", home.guardian.path("tmp"));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let tmux = one(&said, "tmux", "no program \"tmux\" in PATH");
    assert_eq!(tmux["level"], "problem");
    assert!(tmux["next"].as_str().unwrap().contains("Install"));
    one(&said, "limits", "files open");
    assert_eq!(home.paths(), before);
    // A file where the directory should be, and one that lets nobody in.
    let file = home.guardian.path("file");
    fs::write(&file, "").unwrap();
    let (said, code) = home.findings(&["--state", file.to_str().unwrap()]);
    assert_eq!(code, Some(1));
    assert_eq!(one(&said, "state", "is no directory")["level"], "problem");
    let closed = home.guardian.path("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let (said, code) = home.findings(&["--state", closed.to_str().unwrap()]);
    // Nothing is closed to root.
    if !rustix::process::geteuid().is_root() {
        assert_eq!(code, Some(1));
        assert_eq!(
            one(&said, "state", "may not read and write")["level"],
            "problem"
        );
    }
    // A configuration with a mistake, and one that is not there.
    let config = home.guardian.path("units.toml");
    fs::write(&config, "version = 1\n[unit.a]\ncommand = []\n").unwrap();
    for (path, part) in [
        (&*config, "units.toml:3:"),
        ("/nowhere/x.toml".as_ref(), "x.toml"),
    ] {
        let (said, code) = home.findings(&["-c", path.to_str().unwrap()]);
        assert_eq!(code, Some(1));
        one(&said, "configuration", part);
    }
}
