//! Every example of the library, built by a crate outside the workspace, against a live server.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use outside::Title;
use tmux_cc::format::{FromFormat as _, rows};
use tmux_cc::wire::PaneId;

const PATIENCE: Duration = Duration::from_secs(30);

/// The tmux under test.
fn tmux() -> String {
    std::env::var("TMUX_CC_TEST_TMUX").unwrap_or_else(|_| "tmux".to_owned())
}

/// A server of its own, that ends with it.
struct Server {
    directory: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let server = Self { directory };
        server.tmux(&[
            "new-session",
            "-d",
            "-s",
            "main",
            "-x",
            "80",
            "-y",
            "24",
            "cat",
            "-",
        ]);
        server
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("s")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(tmux());
        command.env_remove("TMUX").arg("-S").arg(self.socket());
        command.args(["-f", "/dev/null"]);
        command
    }

    fn tmux(&self, words: &[&str]) -> String {
        let output = self.command().args(words).output().expect("tmux runs");
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout)
            .unwrap()
            .trim_end()
            .to_owned()
    }

    /// An example, with the tmux under test as the one on the path.
    fn example(&self, name: &str) -> Command {
        let this = std::env::current_exe().unwrap();
        let built = this.parent().and_then(Path::parent).unwrap();
        let mut command = Command::new(built.join("examples").join(name));
        let bin = self.directory.path().join("bin");
        std::fs::create_dir_all(&bin).unwrap();
        let script = format!("#!/bin/sh\nexec {} \"$@\"\n", tmux());
        let program = bin.join("tmux");
        if !program.exists() && tmux() != "tmux" {
            std::fs::write(&program, script).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(&program, mode).unwrap();
        }
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", bin.display()));
        command.env_remove("TMUX").stdin(Stdio::null());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.command().arg("kill-server").output();
    }
}

/// An example that goes on until it is ended.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = child.stdout.take().unwrap();
        let (say, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(out).split(b'\n') {
                let line = String::from_utf8_lossy(&line.unwrap()).into_owned();
                if say.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    /// Waits for a line that says this.
    fn says(&self, what: &str) {
        let began = Instant::now();
        let mut said = Vec::new();
        while let Some(left) = PATIENCE.checked_sub(began.elapsed()) {
            match self.lines.recv_timeout(left) {
                Ok(line) if line.contains(what) => return,
                Ok(line) => said.push(line),
                Err(_) => break,
            }
        }
        panic!("waited in vain for {what:?}: {said:#?}");
    }

    /// Waits for its end.
    fn ends(mut self) -> i32 {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap();
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("it does not end");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has no clients that a server would miss: all are its own, and leave with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn said(output: &Output) -> &str {
    assert!(output.status.success(), "{output:?}");
    std::str::from_utf8(&output.stdout).unwrap()
}

#[test]
fn a_row_of_ones_own_needs_no_other_crate() {
    let server = Server::start();
    server.tmux(&["select-pane", "-t", "%0", "-T", "a | title"]);
    let printed = server.tmux(&["list-panes", "-a", "-F", Title::FORMAT]);
    let pane_title = b"a | title".to_vec();
    let title = Title {
        pane_id: PaneId(0),
        pane_title,
    };
    assert_eq!(rows::<Title>(printed.as_bytes()).unwrap(), [title]);
}

#[test]
fn list_panes() {
    let server = Server::start();
    server.tmux(&["set-option", "-p", "-t", "%0", "@owner", "some body"]);
    let output = server.example("list_panes").arg(server.socket()).output();
    let line = "%0 in main runs cat, status None, owner Some(\"some body\")\n";
    assert_eq!(said(&output.unwrap()), line);
}

#[test]
fn watch_titles() {
    let server = Server::start();
    let mut example = server.example("watch_titles");
    example.arg(server.socket());
    let running = Running::start(example);
    running.says("%0 is now called");
    server.tmux(&["select-pane", "-t", "%0", "-T", "another title"]);
    running.says("%0 is now called another title");
}

#[test]
fn stream_pane() {
    let server = Server::start();
    server.tmux(&["send-keys", "-t", "%0", "before", "Enter"]);
    let mut example = server.example("stream_pane");
    example.arg(server.socket()).arg("%0");
    let running = Running::start(example);
    running.says("before");
    server.tmux(&["send-keys", "-t", "%0", "behind", "Enter"]);
    running.says("behind");
    // Up to 3.7c a pane that ends is only safe where nobody respawns it: this one just ends.
    server.tmux(&["new-window", "-d", "cat", "-"]);
    server.tmux(&["send-keys", "-t", "%0", "C-d"]);
    assert_eq!(running.ends(), 0);
}

#[test]
fn run_command() {
    let server = Server::start();
    for code in [0, 7] {
        let words = [
            "sh",
            "-c",
            &format!("test \"$1\" = 'a  b' && exit {code}"),
            "sh",
            "a  b",
        ];
        let mut example = server.example("run_command");
        example.arg(server.socket()).args(words);
        assert_eq!(Running::start(example).ends(), code);
    }
    assert_eq!(server.tmux(&["list-panes", "-a", "-F", "#{pane_id}"]), "%0");
}

#[test]
fn mirror_tree() {
    let server = Server::start();
    let mut example = server.example("mirror_tree");
    example.arg(server.socket());
    let running = Running::start(example);
    running.says("%0 in @0 came");
    server.tmux(&["rename-window", "-t", "@0", "tests"]);
    running.says("@0 is tests");
    server.tmux(&["split-window", "-d", "-t", "%0", "cat", "-"]);
    running.says("%1 in @0 came");
    server.tmux(&["kill-pane", "-t", "%1"]);
    running.says("%1 went");
}

#[test]
fn over_ssh() {
    let server = Server::start();
    // As ssh does: the words are joined, and a shell at the other end reads them.
    let remote = "exec sh -c \"$*\"";
    let mut example = server.example("over_ssh");
    example.args(["main", "sh", "-c", remote, "ssh"]);
    example.args([&tmux(), "-S"]).arg(server.socket());
    let output = example.output().unwrap();
    // The window's name is its program's only a moment later.
    assert!(said(&output).contains("(1 panes) [80x24]"), "{output:?}");
}
