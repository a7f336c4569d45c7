//! The tap as the source: every byte of programs that end at once, and of those that are respawned.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cc_kit::journal::note::{Cause, Note, ProgramExit, Source};
use harness::process::Process;
use harness::seeded::Seeded;
use harness::server::{Boot, Server};
use harness::wait;
use rustix::process::Signal;

use crate::logger::{Logger, PATIENCE, full, pane_agent};

/// `seq 1 LINES`, as a terminal shows it.
fn numbers(lines: u32) -> Vec<u8> {
    (1..=lines)
        .flat_map(|line| format!("{line}\r\n").into_bytes())
        .collect()
}

/// A server with a quiet pane, whose dead panes stay.
fn quiet() -> Server {
    let server = Server::start_with(&Boot::running(["sh", "-c", "exec cat"]));
    server.tmux(["set-option", "-g", "remain-on-exit", "on"]);
    server.tmux(["set-option", "-g", "history-limit", "10"]);
    server
}

/// A new window that runs words.
fn window(server: &Server, words: &[&str]) -> String {
    let line = ["new-window", "-dP", "-F", "#{pane_id}", "-t", "=main:"];
    server.answer(line.iter().chain(words))
}

fn number(pane: &str) -> u32 {
    pane[1..].parse().unwrap()
}

/// Passes when the logs of panes that print 2,000 lines and end at once hold all that the server
/// itself has read, from the first byte on, and how the programs ended.
///
/// On a machine that is busy a server does not read the last bytes of some (`window.c`,
/// `window_pane_destroy_ready`, all versions): its own screen does not show them, and nothing can. How
/// much that was is printed.
#[test]
fn panes_that_print_and_end_at_once_are_kept_whole_with_their_exit_status() {
    let panes: u32 = if full() { 200 } else { 24 };
    let server = quiet();
    server.tmux(["set-option", "-g", "history-limit", "5000"]);
    server.tmux(["set-option", "-g", "remain-on-exit-format", ""]);
    let mut logger = Logger::on(&server);
    logger.row("the first pane is tapped", |row| row["source"] == "tap");
    let expected = numbers(2000);
    let mut ends = BTreeMap::new();
    for number in 0..panes {
        let status = number % 200 + 1;
        let pane = window(&server, &[&format!("seq 1 2000; exit {status}")]);
        ends.insert(pane, status);
    }
    let mut read = BTreeMap::new();
    for (pane, status) in &ends {
        logger.row(&format!("the end of {pane}"), |row| {
            row["pane"] == **pane && row["exit"]["status"] == *status
        });
        let shown = server.answer(["capture-pane", "-p", "-S", "-", "-t", pane]);
        // Up to 3.3a, and where there is no format, a line of tmux's own follows.
        let shown: Vec<_> = shown
            .lines()
            .take_while(|line| !line.is_empty() && !line.starts_with("Pane is dead"))
            .collect();
        read.insert(pane.clone(), shown.join("\r\n").into_bytes());
    }
    assert!(server.alive());
    for (pane, read) in &read {
        logger.row(&format!("what the server read of {pane}"), |row| {
            row["pane"] == **pane && row["bytes"].as_u64().unwrap() >= read.len() as u64
        });
    }
    logger.stop(Signal::TERM);
    let (mut missing, mut short) = (0, 0);
    for (pane, status) in ends {
        let journal = logger.journal(number(&pane));
        assert!(journal.gaps().is_empty(), "{pane}: {:?}", journal.notes);
        let kept = journal.stretches.concat();
        assert!(expected.starts_with(&kept), "{pane}");
        assert!(kept.starts_with(&read[&pane]), "{pane}");
        missing += expected.len() - kept.len();
        short += u32::from(kept.len() < expected.len());
        let status = ProgramExit {
            status: Some(u8::try_from(status).unwrap()),
            signal: None,
        };
        assert_eq!(journal.exit(), Some(&status), "{pane}");
    }
    eprintln!(
        "{}: {panes} panes, {missing} bytes that the server did not read, of {short}",
        server.version()
    );
    assert!(short * 2 < panes, "{short} of {panes} panes are short");
    assert!(logger.ask(["verify"]).status.success());
}

#[test]
fn a_pane_that_is_respawned_loses_nothing_or_is_taken_back_at_once_with_a_stated_gap() {
    let times = 50;
    let server = quiet();
    let mut logger = Logger::on(&server);
    logger.row("the first pane is tapped", |row| row["source"] == "tap");
    // It stays, so that all of it was read before the next one takes its place.
    let prints = "seq 1 2000; echo LAST; exec sleep 1000";
    let pane = window(&server, &[prints]);
    let one = [numbers(2000), b"LAST\r\n".to_vec()].concat();
    let mut all = one.clone();
    // From 3.8 on the pipe closes with the program.
    let outlives = !server.version().contains("3.8");
    let mut slowest = Duration::ZERO;
    for _ in 0..times {
        logger.row("everything so far is logged", |row| {
            row["pane"] == pane && row["bytes"] == all.len()
        });
        if outlives {
            server.tmux(["respawn-pane", "-k", "-t", &pane, prints]);
        } else {
            let tells = |format| server.answer(["display-message", "-p", "-t", &pane, format]);
            let program = Process::of(tells("#{pane_pid}").parse().unwrap());
            program.kill().unwrap();
            wait::until(PATIENCE, "the pane is dead", || {
                tells("#{pane_dead}") == "1"
            });
            // It goes on when its pipe was taken back, so that how long that takes can be seen.
            let waits = format!("read line; {prints}");
            let before = Instant::now();
            server.tmux(["respawn-pane", "-k", "-t", &pane, &waits]);
            wait::until(PATIENCE, "the pane is taken back", || {
                tells("#{pane_pipe}") == "1"
            });
            slowest = slowest.max(before.elapsed());
            server.tmux(["send-keys", "-t", &pane, "Enter"]);
            all.extend_from_slice(b"\r\n");
        }
        all.extend_from_slice(&one);
    }
    logger.row("everything is logged", |row| {
        row["pane"] == pane && row["bytes"] == all.len()
    });
    assert!(server.alive());
    logger.stop(Signal::TERM);
    let journal = logger.journal(number(&pane));
    assert!(journal.stretches.concat() == all);
    if outlives {
        assert!(journal.gaps().is_empty(), "{:?}", journal.notes);
    } else {
        eprintln!("taken back within {slowest:?}");
        let closed = |gap: &&&cc_kit::journal::note::Gap| gap.cause == Cause::PipeClosed;
        let said = journal.gaps().iter().filter(closed).count();
        assert_eq!(said, times, "{:?}", journal.notes);
    }
    assert!(logger.ask(["verify"]).status.success());
}

#[test]
fn floods_of_many_panes_are_kept_byte_for_byte() {
    let (panes, bytes): (u64, u64) = if full() {
        (50, 20 << 20)
    } else {
        (10, 1 << 20)
    };
    let server = quiet();
    for source in ["auto", "control"] {
        let flags = ["--no-redact", "--source", source, "--segment-size", "4M"];
        let mut logger = Logger::with(&server, &flags);
        logger.row("the first pane is logged", |_| true);
        let mut agents = BTreeMap::new();
        for seed in 0..panes {
            let done = server.dir().join(format!("{source}-{seed}"));
            let (agent, done_word) = (pane_agent(), done.to_str().unwrap());
            let (seed_word, bytes_word) = (seed.to_string(), bytes.to_string());
            let words = [
                agent.to_str().unwrap(),
                "random",
                &seed_word,
                &bytes_word,
                "--done-file",
                done_word,
                "--then-stay",
            ];
            agents.insert(window(&server, &words), (seed, done));
        }
        for (pane, (_, done)) in &agents {
            wait::until(PATIENCE * 5, "it has printed", || done.exists());
            // By control there may be a gap, and behind it only the rest.
            logger.row(&format!("all of {pane}"), |row| {
                let gap = source == "control" && row["gaps"] != 0;
                row["pane"] == **pane && (row["bytes"] == bytes || gap)
            });
        }
        logger.stop(Signal::TERM);
        for (pane, (seed, _)) in agents {
            let journal = logger.journal(number(&pane));
            let kept = journal.stretches.concat();
            if source == "auto" || journal.gaps().is_empty() {
                assert_eq!(kept.len() as u64, bytes, "{pane} by {source}");
                Seeded::bytes(seed).check(0, &kept).unwrap();
            } else {
                eprintln!("{pane}: {} of {bytes}: {:?}", kept.len(), journal.gaps());
                journal.is_cut_from(&Seeded::bytes(seed).prefix(usize::try_from(bytes).unwrap()));
            }
            server.tmux(["kill-pane", "-t", &pane]);
        }
        assert!(logger.ask(["verify"]).status.success());
    }
}

#[test]
fn a_pane_with_a_pipe_of_its_users_is_logged_by_control_and_tapped_when_that_is_gone() {
    let server = Server::start_with(&Boot::running(["sh", "-c", "exec cat"]));
    let theirs = server.dir().join("theirs");
    let pipe = format!("exec cat >>'{}'", theirs.display());
    server.tmux(["pipe-pane", "-t", "=main:", &pipe]);
    let mut logger = Logger::on(&server);
    logger.hear("has a pipe of its own");
    logger.row("it is logged by control", |row| row["source"] == "control");
    server.tmux(["send-keys", "-t", "=main:", "theirs", "Enter"]);
    logger.row("what is printed is logged", |row| {
        row["bytes"].as_u64().unwrap() >= 16
    });
    assert_eq!(std::fs::read(&theirs).unwrap(), b"theirs\r\ntheirs\r\n");
    server.tmux(["pipe-pane", "-t", "=main:"]);
    logger.row("it is tapped", |row| row["source"] == "tap");
    server.tmux(["send-keys", "-t", "=main:", "ours", "Enter"]);
    logger.row("what is printed is logged", |row| {
        row["bytes"].as_u64().unwrap() >= 28
    });
    logger.stop(Signal::TERM);
    let journal = logger.journal(0);
    let sources: Vec<_> = journal
        .notes
        .iter()
        .filter_map(|note| match note {
            Note::Start(start) => Some(start.source),
            Note::Source(change) => Some(change.source),
            _ => None,
        })
        .collect();
    assert_eq!(sources, [Source::Control, Source::Tap]);
    journal.is_cut_from(b"theirs\r\ntheirs\r\nours\r\nours\r\n");
}

#[test]
fn a_logger_that_is_killed_again_and_again_needs_no_hand_and_disturbs_nobody() {
    let times = if full() { 200 } else { 10 };
    let server = Server::start_with(&Boot::running([pane_agent().to_str().unwrap(), "flood"]));
    let pid = || server.answer(["display-message", "-p", "-t", "=main:", "#{pane_pid}"]);
    let pid_before = pid();
    let moments = Seeded::bytes(7);
    let mut logger = Logger::new();
    for time in 0..times {
        logger.start_with(&server, &["--no-redact", "--segment-size", "1M"]);
        // Not waited for: a moment of any kind is what is wanted.
        std::thread::sleep(Duration::from_millis(u64::from(moments.at(time)) * 3));
        logger.process().kill().unwrap();
        let _ = logger.wait();
    }
    // A last one, to look at what the others left.
    logger.start(&server);
    let before = logger.row("it is logged", |row| row["state"] == "live")["bytes"].clone();
    logger.row("it goes on", |row| {
        row["bytes"].as_u64().unwrap() > before.as_u64().unwrap() + 100_000
    });
    logger.stop(Signal::TERM);
    assert_eq!(pid(), pid_before);
    let hooks = server.answer(["show-hooks", "-g"]);
    assert!(!hooks.contains("7301"), "{hooks}");
    let journal = logger.journal(0);
    assert!(!journal.torn);
    journal.counts_up();
    let not_running = |gap: &&&cc_kit::journal::note::Gap| gap.cause == Cause::NotRunning;
    assert!(journal.gaps().iter().filter(not_running).count() > 0);
    let verified = logger.ask(["verify"]);
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stdout)
    );
}
