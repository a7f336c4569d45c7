//! Sessions, windows and panes that come, go, move and are shared.

use std::fs;

use cc_kit::journal::note::{Cause, End, Note};
use harness::server::{Boot, Server};
use harness::wait;
use rustix::process::Signal;

use crate::logger::{Logger, PATIENCE, flood, full, pane_agent};

/// How many numbered lines a pane prints while its window is moved about.
fn lines() -> u32 {
    if full() { 2_000_000 } else { 200_000 }
}

/// A window of session `main` whose pane prints numbered lines once it may: the pane, and the file
/// that says it is done.
fn flood_window(server: &Server) -> (String, std::path::PathBuf) {
    let done = server.dir().join("done");
    let pane = server.answer([
        "new-window",
        "-d",
        "-P",
        "-F",
        "#{pane_id}",
        "-t",
        "=main:5",
        pane_agent().to_str().unwrap(),
        "flood",
        "--lines",
        &lines().to_string(),
        "--go-file",
        server.dir().join("go").to_str().unwrap(),
        "--done-file",
        done.to_str().unwrap(),
        "--then-stay",
    ]);
    (pane, done)
}

fn number(pane: &str) -> u32 {
    pane.strip_prefix('%').unwrap().parse().unwrap()
}

#[test]
fn what_is_made_after_the_start_is_logged_from_its_first_byte() {
    let server = Server::start();
    server.tmux(["send-keys", "-t", "=main:", "echo before", "Enter"]);
    let mut logger = Logger::by_control(&server);
    logger.hear("logging session main");
    let window = server.answer([
        "new-window",
        "-d",
        "-P",
        "-F",
        "#{pane_id}",
        "-t",
        "=main:",
        "echo first; exec cat",
    ]);
    let split = server.answer([
        "split-window",
        "-d",
        "-P",
        "-F",
        "#{pane_id}",
        "-t",
        "=main:0",
        "echo split; exec cat",
    ]);
    for pane in [&window, &split] {
        logger.row("a new pane is logged", |row| {
            row["pane"] == **pane && row["bytes"] == 7
        });
    }
    let other = server.answer([
        "new-session",
        "-d",
        "-P",
        "-F",
        "#{pane_id}",
        "-s",
        "other",
        "echo early; exec cat",
    ]);
    logger.hear("logging session other");
    server.tmux(["send-keys", "-t", &other, "typed", "Enter"]);
    logger.row("the new session is logged", |row| {
        row["pane"] == *other && row["bytes"].as_u64().unwrap() >= 14
    });
    server.tmux(["rename-session", "-t", "=other", "renamed"]);
    server.tmux(["rename-window", "-t", &window, "named"]);
    server.tmux(["move-window", "-d", "-s", &window, "-t", "=renamed:7"]);
    logger.row("the moved window has its place", |row| {
        row["pane"] == *window && row["session"] == "renamed" && row["window_index"] == 7
    });
    server.tmux(["send-keys", "-t", &window, "moved", "Enter"]);
    logger.row("the moved window is logged", |row| {
        row["pane"] == *window && row["bytes"].as_u64().unwrap() > 7
    });
    logger.stop(Signal::INT);

    // Born under our eyes: nothing before it, so no gap in front.
    for (pane, words) in [(&window, "first\r\n"), (&split, "split\r\n")] {
        let journal = logger.journal(number(pane));
        assert!(
            matches!(journal.notes[..2], [Note::Start(_), ..]),
            "{:?}",
            journal.notes
        );
        assert!(
            journal.stretches[0].starts_with(words.as_bytes()),
            "{pane}: {journal:?}"
        );
        assert_eq!(journal.end(), Some(&End::Stopped));
    }
    // There before us: what it had printed is a gap.
    let first = logger.journal(0);
    assert!(
        matches!(first.gaps()[..], [gap, ..] if gap.cause == Cause::FirstSight),
        "{:?}",
        first.notes
    );
    // One identity through it all, by whatever name.
    assert_eq!(
        logger
            .rows()
            .iter()
            .filter(|row| row["pane"] == *window)
            .count(),
        1
    );
    let moved = logger.journal(number(&window));
    moved.is_cut_from(b"first\r\nmoved\r\nmoved\r\n");
    assert_eq!(logger.raw("renamed:named.0"), moved.stretches.concat());
}

#[test]
fn a_window_moved_mid_flood_has_every_byte_once_and_in_order_or_a_stated_gap() {
    let server = Server::start();
    server.tmux(["new-session", "-d", "-s", "other"]);
    let (pane, done) = flood_window(&server);
    let mut logger = Logger::by_control(&server);
    logger.hear("logging session main");
    logger.hear("logging session other");
    fs::write(server.dir().join("go"), "").unwrap();
    let places = ["=other:5", "=main:6", "=other:7", "=main:5"];
    for place in places {
        let before = logger.journal(number(&pane)).stretches.concat().len();
        server.tmux(["move-window", "-d", "-s", &pane, "-t", place]);
        wait::until(PATIENCE, "more is logged, or all is printed", || {
            done.exists() || logger.journal(number(&pane)).stretches.concat().len() > before
        });
    }
    wait::until(PATIENCE, "the flood is over", || done.exists());
    // Where the last move came after the last line, that line is in the gap.
    wait::until(
        PATIENCE,
        "its last line is logged, or the log ends in a gap",
        || {
            let stretches = logger.journal(number(&pane)).stretches;
            let last = stretches.last().unwrap();
            last.is_empty() || last.ends_with(format!("{}\r\n", lines() - 1).as_bytes())
        },
    );
    logger.stop(Signal::TERM);
    let journal = logger.journal(number(&pane));
    assert!(
        journal.stretches.len() > 2,
        "no move was a gap: {:?}",
        journal.notes
    );
    journal.is_cut_from(&flood(lines()));
    assert!(!journal.torn);
}

#[test]
fn a_window_that_several_sessions_show_is_logged_once() {
    let server = Server::start();
    let (pane, done) = flood_window(&server);
    // One by a link, one by a session group.
    server.tmux(["new-session", "-d", "-s", "linked"]);
    server.tmux(["link-window", "-d", "-s", "=main:5", "-t", "=linked:9"]);
    server.tmux(["new-session", "-d", "-s", "grouped", "-t", "=main"]);
    let mut logger = Logger::by_control(&server);
    for session in ["main", "linked", "grouped"] {
        logger.hear(&format!("logging session {session}"));
    }
    fs::write(server.dir().join("go"), "").unwrap();
    wait::until(PATIENCE, "the flood is over", || done.exists());
    let whole = flood(lines());
    wait::until(PATIENCE, "its last line is logged", || {
        logger
            .journal(number(&pane))
            .stretches
            .last()
            .unwrap()
            .ends_with(&whole[whole.len() - 8..])
    });
    // Whoever delivered it goes; another takes over, and says so.
    server.tmux(["kill-session", "-t", "=main"]);
    server.tmux(["kill-session", "-t", "=grouped"]);
    wait::until(PATIENCE, "the hand-over is a gap", || {
        let gaps = logger.journal(number(&pane)).stretches.len();
        gaps > 2
    });
    logger.stop(Signal::TERM);
    let journal = logger.journal(number(&pane));
    journal.is_cut_from(&whole);
    let logged = journal.stretches.concat();
    assert!(
        logged.len() <= whole.len(),
        "{} of {}",
        logged.len(),
        whole.len()
    );
    assert_eq!(
        logger
            .rows()
            .iter()
            .filter(|row| row["pane"] == *pane)
            .count(),
        1
    );
}

#[test]
fn a_session_that_our_leaving_would_end_is_left_alone() {
    let server = Server::start();
    server.tmux(["new-session", "-d", "-s", "fragile"]);
    // The option ends a session that nobody is attached to, so somebody is: a client of its own.
    let mut user = server
        .command()
        .args(["-C", "attach-session", "-t", "=fragile"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    wait::until(PATIENCE, "the user is attached", || {
        server.answer([
            "display-message",
            "-p",
            "-t",
            "=fragile:",
            "#{session_attached}",
        ]) == "1"
    });
    server.tmux(["set-option", "-t", "=fragile:", "destroy-unattached", "on"]);
    let mut logger = Logger::by_control(&server);
    logger.hear("session fragile is not attached to: its option destroy-unattached");
    logger.hear("logging session main");
    logger.stop(Signal::TERM);
    assert!(
        server
            .try_tmux(["has-session", "-t", "=fragile"])
            .status
            .success()
    );
    drop(user.stdin.take());
    user.wait().unwrap();
}

#[test]
fn two_servers_are_told_apart_by_their_sockets() {
    let one = Server::start_with(&Boot::running(["sh", "-c", "echo one; exec cat"]));
    let two = Server::start_with(&Boot::running(["sh", "-c", "echo two; exec cat"]));
    let mut logger = Logger::new();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cc-logger"));
    command.arg("run").arg("--tmux").arg(one.binary());
    command
        .arg("-S")
        .arg(one.socket())
        .arg("-S")
        .arg(two.socket());
    logger.start_as(command);
    for server in [&one, &two] {
        let word = server.socket().to_str().unwrap().to_owned();
        logger.row("its pane is known", |row| row["server"]["socket"] == *word);
        server.tmux(["send-keys", "-t", "=main:", "typed", "Enter"]);
        logger.row("its pane is logged", |row| {
            row["server"]["socket"] == *word && row["bytes"].as_u64().unwrap() >= 14
        });
    }
    let ambiguous = logger.ask(["cat", "%0"]);
    assert_eq!(ambiguous.status.code(), Some(2));
    let said = String::from_utf8_lossy(&ambiguous.stderr).into_owned();
    assert!(
        said.contains("means 2 logs") && said.contains(one.socket().to_str().unwrap()),
        "{said}"
    );
    let selector = format!("{},%0", two.socket().display());
    assert_eq!(logger.raw(&selector), b"typed\r\ntyped\r\n");
    logger.stop(Signal::TERM);
}
