//! Servers and loggers that die, and directories that fill up.

use cc_kit::journal::note::{Cause, End, Gap, Lost, Note};
use harness::server::{Boot, Server};
use harness::wait;
use rustix::process::{Resource, Rlimit, Signal};

use crate::logger::{Logger, PATIENCE, flood, pane_agent};

fn flooding() -> Boot {
    Boot::running([pane_agent().to_str().unwrap(), "flood"])
}

/// Enough lines to hold whatever a flood has printed in a test.
const LINES: u32 = 3_000_000;

#[test]
fn a_server_killed_mid_flood_leaves_valid_files_and_the_next_one_is_picked_up() {
    let server = Server::start_with(&flooding());
    let mut logger = Logger::on(&server);
    let row = logger.row("the flood is logged", |row| {
        row["bytes"].as_u64().unwrap() > 100_000
    });
    let first_pid = row["server"]["pid"].clone();
    server.kill_hard();
    logger.hear("the server is gone: server exited unexpectedly");
    logger.row("the log says so", |row| row["state"] == "server-gone");
    let journal = logger.journal(0);
    assert!(
        matches!(journal.end(), Some(End::ServerGone { reason: Some(reason) }) if reason == "server exited unexpectedly"),
        "{:?}",
        journal.notes
    );
    assert!(!journal.torn);
    journal.is_cut_from(&flood(LINES));

    logger.hear_times("waiting for a tmux server", 1);
    server.boot(&Boot::running(["sh", "-c", "exec cat"]));
    logger.hear_times("following tmux", 2);
    logger.row("the next life's pane is known", |row| {
        row["server"]["pid"] != first_pid && row["pane"] == "%0"
    });
    server.tmux(["send-keys", "-t", "=main:", "typed", "Enter"]);
    logger.row("the next life is logged under its own identity", |row| {
        row["server"]["pid"] != first_pid && row["pane"] == "%0" && row["bytes"] == 14
    });
    logger.stop(Signal::TERM);
    assert_eq!(logger.rows().len(), 2);
    // The latest life is what is meant, and the older one is not forgotten.
    assert_eq!(logger.raw("%0"), b"typed\r\ntyped\r\n");
}

#[test]
fn a_logger_killed_mid_flood_loses_its_unwritten_tail_at_most_and_goes_on() {
    let server = Server::start_with(&flooding());
    let mut logger = Logger::on(&server);
    logger.row("the flood is logged", |row| {
        row["bytes"].as_u64().unwrap() > 100_000
    });
    logger.process().kill().unwrap();
    let _ = logger.wait();
    assert!(
        logger.rows().iter().all(|row| row["state"] == "cut"),
        "{:?}",
        logger.rows()
    );
    let killed = logger.journal(0).stretches.concat().len();
    assert!(killed > 100_000);

    logger.start(&server);
    logger.row("it is logged again", |row| {
        row["state"] == "live" && row["bytes"].as_u64().unwrap() > killed as u64 + 100_000
    });
    logger.stop(Signal::INT);
    let journal = logger.journal(0);
    assert!(!journal.torn);
    journal.is_cut_from(&flood(LINES));
    let resumed = journal
        .notes
        .iter()
        .any(|note| matches!(note, Note::Gap(gap) if gap.cause == Cause::NotRunning));
    assert!(resumed, "{:?}", journal.notes);
    assert!(server.alive());
}

#[test]
fn a_server_that_starts_later_is_waited_for_by_name() {
    let server = Server::empty();
    let mut logger = Logger::on(&server);
    logger.hear(&format!(
        "{}: waiting for a tmux server",
        server.socket().display()
    ));
    server.boot(&Boot::running(["sh", "-c", "exec cat"]));
    logger.hear("following tmux");
    logger.stop(Signal::TERM);
    assert!(server.alive());
}

#[test]
fn a_full_disk_is_said_and_counted_and_writing_goes_on_when_there_is_room_again() {
    let server = Server::start_with(&flooding());
    let mut logger = Logger::new();
    // Every write over the limit fails as on a full disk, and the limit can be raised again.
    let limit = Rlimit {
        current: Some(1 << 20),
        maximum: None,
    };
    logger.start(&server);
    let pid = rustix::process::Pid::from_raw(logger.process().pid().try_into().unwrap());
    let limited = |limit: Rlimit| {
        rustix::process::prlimit(pid, Resource::Fsize, limit).unwrap();
    };
    limited(limit);
    logger.hear("what panes print is not kept until that works again");
    let before = logger.row("the pane is there", |_| true)["bytes"].clone();
    limited(Rlimit {
        current: None,
        maximum: None,
    });
    logger.hear("writing works again");
    logger.row("more is logged", |row| {
        row["bytes"].as_u64().unwrap() > before.as_u64().unwrap() + 100_000
    });
    logger.stop(Signal::TERM);
    let journal = logger.journal(0);
    assert!(!journal.torn);
    journal.is_cut_from(&flood(LINES));
    let lost = journal.gaps().iter().find_map(|gap| match gap {
        Gap {
            cause: Cause::WriteFailed,
            lost: Lost::Known(bytes),
        } => Some(*bytes),
        _ => None,
    });
    assert!(lost.is_some_and(|lost| lost > 0), "{:?}", journal.notes);
    assert!(server.alive());
    assert_eq!(logger.ask(["verify"]).status.code(), Some(0));
}

#[test]
fn a_stopped_logger_has_left_nothing_behind_on_the_server() {
    let server = Server::start_with(&flooding());
    let mut logger = Logger::on(&server);
    logger.row("the flood is logged", |row| {
        row["bytes"].as_u64().unwrap() > 100_000
    });
    assert!(!server.answer(["list-clients"]).is_empty());
    logger.stop(Signal::INT);
    wait::until(PATIENCE, "no client is left", || {
        server.answer(["list-clients"]).is_empty()
    });
    assert_eq!(logger.journal(0).end(), Some(&End::Stopped));
    assert!(server.alive());
}
