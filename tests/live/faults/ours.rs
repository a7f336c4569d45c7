//! Our own process dies: nobody cleans up after it, and the server must not care.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use harness::process::Process;
use harness::server::{Boot, Server};
use harness::wait::{PATIENCE, until};
use harness::{pane_agent, skip_if_asked};
use rustix::process::Signal;
use tmux_cc::protocol::{Quirk, Quirks};
use tmux_cc::wire::{PaneId, Version};

use super::super::support::{pane_id, scaled};

/// A process that follows a server with its output, until it is killed.
struct Follower {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Follower {
    fn start(server: &Server) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_follower"))
            .args([server.socket().as_os_str(), server.binary()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("our own program");
        let said = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, said }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("it prints text");
        line.trim_end().to_owned()
    }

    /// Waits until output of all these panes has come.
    fn has(&mut self, panes: &[PaneId]) {
        let mut missing = panes.to_vec();
        while !missing.is_empty() {
            let line = self.line();
            let pane = line.strip_prefix("pane ").map(pane_id);
            let pane = pane.unwrap_or_else(|| panic!("{line:?} while {missing:?} are awaited"));
            missing.retain(|awaited| *awaited != pane);
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The tmux processes that are clients of a server.
fn clients(server: &Server) -> Vec<Process> {
    let pids = server.answer(["list-clients", "-F", "#{client_pid}"]);
    let pids = pids.lines().map(|pid| pid.parse().expect("a number"));
    pids.map(Process::of).collect()
}

/// Passes when the server lives on each time that our process was killed, and the next start has
/// all panes again, is rid of the clients of those before it, and leaves in order. tmux gives clients
/// that nobody reads 10 seconds, up to 3.7c for ever (tmux #5444): the next start ends them.
/// Up to 3.6 a server can end with a client whose output is on its way (seen once with
/// 3.3a), so there the panes say little.
#[test]
fn what_is_killed_leaves_the_server_as_it_was_and_starts_again() {
    skip_if_asked!();
    let quirks = |server: &Server| {
        let version = Version::parse(server.version().as_bytes());
        Quirks::of(version.expect("a version"))
    };
    let server = Server::empty();
    let may_stay = quirks(&server).has(Quirk::StuckClientBlocksExit);
    // The abort is the same one, "not enough data" in `control_append_data`.
    let may_end = quirks(&server).has(Quirk::OffAborts);
    let agent = match may_end {
        true => ["sh", "-c", "while sleep .3; do echo x; done"]
            .map(str::to_owned)
            .to_vec(),
        false => vec![pane_agent!().to_owned(), "flood".to_owned()],
    };
    server.boot(&Boot::running(agent.clone()));
    for line in [
        ["new-session", "-d", "-s", "second"],
        ["new-window", "-d", "-t", "=main:"],
    ] {
        server.tmux([&line.map(str::to_owned)[..], &agent].concat());
    }
    let panes = server.answer(["list-panes", "-a", "-F", "#{pane_id}"]);
    let panes: Vec<_> = panes.lines().map(pane_id).collect();
    let mut left = Vec::new();
    for _ in 0..scaled(100) {
        let mut follower = Follower::start(&server);
        follower.has(&panes);
        left.extend(clients(&server));
        follower.child.kill().expect("our own child");
        follower.child.wait().expect("our own child");
        assert!(server.alive());
    }
    let mut follower = Follower::start(&server);
    follower.has(&panes);
    if may_stay && cfg!(not(target_os = "linux")) {
        for client in &left {
            client.signal(Signal::TERM).expect("our own");
        }
    }
    until(PATIENCE, "the end of its clients", || {
        left.iter().all(|client| !client.alive())
    });
    drop(follower.child.stdin.take());
    assert_eq!(follower.line(), "closed");
    assert!(server.alive());
    assert_eq!(clients(&server), []);
}
