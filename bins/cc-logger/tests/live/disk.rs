//! Disks that are slow or fail, by a tracer that does so to the logger's system calls.

use std::process::{Command, Stdio};
use std::time::Duration;

use cc_kit::journal::note::Cause;
use harness::seeded::Seeded;
use harness::server::{Boot, Server};
use harness::wait;
use rustix::process::Signal;

use crate::logger::{Logger, PATIENCE, pane_agent, run_on};

/// Is there a tracer that may trace? Without one the test says so and is skipped.
fn strace() -> bool {
    let works = Command::new("strace")
        .args(["-f", "-e", "trace=none", "true"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !works {
        eprintln!("SKIPPED: there is no strace that may trace here");
    }
    works
}

/// A logger under a tracer that does `inject` to it.
fn traced(server: &Server, inject: &str) -> Command {
    let run = run_on(server);
    let mut command = Command::new("strace");
    command
        .args(["-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e"])
        .arg(format!("inject={inject}"))
        .arg(run.get_program())
        .args(run.get_args())
        .arg("--no-redact");
    command
}

/// Prints bytes of a seed in a new pane.
fn prints(server: &Server, seed: u64, bytes: u64) -> String {
    let (seed, bytes) = (seed.to_string(), bytes.to_string());
    let agent = pane_agent();
    let words = [
        "new-window",
        "-dP",
        "-F",
        "#{pane_id}",
        "-t",
        "=main:",
        agent.to_str().unwrap(),
        "random",
        &seed,
        &bytes,
        "--then-stay",
    ];
    server.answer(words)
}

#[test]
fn a_disk_that_takes_seconds_to_sync_holds_up_nobody() {
    if !strace() {
        return;
    }
    let server = Server::start_with(&Boot::running(["sh", "-c", "exec cat"]));
    let mut logger = Logger::new();
    let mut command = traced(&server, "fsync,fdatasync:delay_enter=2000000");
    command.args(["--sync", "always"]);
    logger.start_as(command);
    logger.row("the pane is tapped", |row| row["source"] == "tap");
    let bytes = 4 << 20;
    let panes: Vec<_> = (0..5).map(|seed| prints(&server, seed, bytes)).collect();
    for pane in &panes {
        logger.row("all of it is logged", |row| {
            row["pane"] == **pane && row["bytes"] == bytes
        });
    }
    let inner = logger.process().children();
    assert_eq!(inner.len(), 1);
    let memory = inner[0].memory();
    eprintln!("at most {} KiB", memory.peak >> 10);
    assert!(memory.peak < 100 << 20, "{memory:?}");
    inner[0].signal(Signal::KILL).unwrap();
    let _ = logger.wait();
    for (seed, pane) in panes.iter().enumerate() {
        let journal = logger.journal(pane[1..].parse().unwrap());
        assert!(journal.gaps().is_empty(), "{:?}", journal.notes);
        Seeded::bytes(seed as u64)
            .check(0, &journal.stretches.concat())
            .unwrap();
    }
}

#[test]
fn a_disk_that_refuses_for_a_while_is_a_stated_gap() {
    if !strace() {
        return;
    }
    for error in ["EROFS", "EIO", "ENOSPC"] {
        let counts = "i=0; while :; do echo $i; i=$((i+1)); done";
        let server = Server::start_with(&Boot::running(["sh", "-c", counts]));
        let mut logger = Logger::new();
        // Writes to segments alone are vectored.
        logger.start_as(traced(&server, &format!("writev:error={error}:when=3..4")));
        logger.hear("what panes print is not kept until that works again");
        logger.hear("writing works again");
        let before = logger.row("it is there", |_| true)["bytes"]
            .as_u64()
            .unwrap();
        logger.row("it goes on", |row| {
            row["bytes"].as_u64().unwrap() > before + 100_000
        });
        let inner = logger.process().children();
        inner[0].signal(Signal::TERM).unwrap();
        let (_, said) = logger.wait();
        let journal = logger.journal(0);
        journal.counts_up();
        let refused = journal
            .gaps()
            .iter()
            .filter(|gap| gap.cause == Cause::WriteFailed)
            .count();
        assert!(refused > 0, "{error}: {said}: {:?}", journal.notes);
        assert!(logger.ask(["verify"]).status.success());
        assert!(server.alive());
    }
}

#[test]
fn a_sync_that_fails_makes_it_go_on_in_a_new_segment() {
    if !strace() {
        return;
    }
    let server = Server::start_with(&Boot::running(["sh", "-c", "exec cat"]));
    let mut logger = Logger::new();
    let mut command = traced(&server, "fdatasync:error=EIO:when=2");
    command.args(["--sync", "100ms"]);
    logger.start_as(command);
    logger.row("the pane is tapped", |row| row["source"] == "tap");
    let mut typed = Vec::new();
    let second = || {
        let found = Command::new("find").arg(logger.dir()).output().unwrap();
        String::from_utf8(found.stdout)
            .unwrap()
            .contains("00000002.ccj")
    };
    wait::until(PATIENCE, "there is a second segment", || {
        server.tmux(["send-keys", "-t", "=main:", "line", "Enter"]);
        typed.extend_from_slice(b"line\r\nline\r\n");
        std::thread::sleep(Duration::from_millis(50));
        second()
    });
    logger.row("all of it is logged", |row| row["bytes"] == typed.len());
    let inner = logger.process().children();
    inner[0].signal(Signal::TERM).unwrap();
    let _ = logger.wait();
    assert_eq!(logger.journal(0).stretches.concat(), typed);
    assert!(logger.ask(["verify"]).status.success());
}
