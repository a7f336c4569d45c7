//! Panes that do their worst: the logger's memory stays flat, and nothing they print reaches the
//! terminal of who reads.

use std::process::Output;

use harness::server::{Boot, Server};
use rustix::process::Signal;

use crate::logger::{Logger, full};

/// What a logger may hold at most, in bytes, whatever panes do.
const MEMORY: u64 = 150 << 20;

/// Does it hold anything but text, line ends, and SGR sequences?
fn drives_a_terminal(bytes: &[u8], sgr: bool) -> bool {
    let text = String::from_utf8(bytes.to_vec()).expect("what is printed is UTF-8");
    let mut rest = text.as_str();
    while let Some(at) = rest.find(|char: char| char.is_control() && char != '\n') {
        let (_, from) = rest.split_at(at);
        let Some(codes) = from.strip_prefix("\x1b[").filter(|_| sgr) else {
            return true;
        };
        let Some((codes, behind)) = codes.split_once('m') else {
            return true;
        };
        if !codes
            .chars()
            .all(|char| char.is_ascii_digit() || char == ';')
        {
            return true;
        }
        rest = behind;
    }
    false
}

fn is_harmless(output: &Output) {
    assert!(!drives_a_terminal(&output.stdout, false), "{output:?}");
    assert!(!drives_a_terminal(&output.stderr, false), "{output:?}");
}

#[test]
fn floods_of_everything_leave_the_memory_flat() {
    let scale: u64 = if full() { 20 } else { 1 };
    let server = Server::start_with(&Boot::running(["sh", "-c", "exec cat"]));
    server.tmux(["set-option", "-g", "history-limit", "10"]);
    let mut logger = Logger::with(&server, &["--segment-size", "16M"]);
    logger.row("the pane is tapped", |row| row["source"] == "tap");
    let megabytes = 5 * scale;
    let programs = [
        // Titles without an end.
        format!(
            "yes \"$(printf '\\033]2;title \\001\\033[31m\\007')\" | head -c {}",
            megabytes << 20
        ),
        // A line without an end.
        format!("yes abcdefghij | tr -d '\\n' | head -c {}", megabytes << 20),
        // An operating system command, a device string without an end, and sixel.
        format!(
            "printf '\\033]52;c;'; yes QUFBQUFB | tr -d '\\n' | head -c {}; printf '\\007'",
            megabytes << 20
        ),
        format!(
            "printf '\\033Pq'; yes '#0;2;0;0;0~~@@vv' | tr -d '\\n' | head -c {}; printf '\\033\\\\'",
            megabytes << 20
        ),
        // Bytes that are no text at all.
        format!("head -c {} /dev/urandom", megabytes << 20),
        // Many things that look like the beginning of a secret.
        format!(
            "yes 'password=ghp_ -----BEGIN sk- token: ' | head -c {}",
            megabytes << 20
        ),
    ];
    for program in &programs {
        let words = format!("stty -onlcr; {program}; exec cat");
        server.tmux(["new-window", "-d", "-t", "=main:", &words]);
    }
    for pane in 1..=programs.len() {
        logger.row(&format!("%{pane} is logged"), |row| {
            // Secrets that are taken out make less of it.
            row["pane"] == format!("%{pane}")
                && row["bytes"].as_u64().unwrap() > (megabytes << 20) / 2
        });
    }
    let memory = logger.process().memory();
    eprintln!(
        "at most {} KiB, now {} KiB",
        memory.peak >> 10,
        memory.resident >> 10
    );
    assert!(memory.peak < MEMORY, "{memory:?}");
    assert!(server.alive());
    logger.stop(Signal::TERM);
    for args in [
        &["cat", "%1"][..],
        &["cat", "%5"],
        &["ls"],
        &["verify"],
        &["grep", "title", "-p", "%1"],
    ] {
        is_harmless(&logger.ask(args));
    }
    let ansi = logger.ask(["cat", "--ansi", "%1"]);
    assert!(!drives_a_terminal(&ansi.stdout, true));
    assert!(logger.ask(["verify"]).status.success());
}

#[test]
fn names_that_strangers_chose_drive_no_terminal() {
    let server = Server::start_with(&Boot::running(["sh", "-c", "exec cat"]));
    let mut logger = Logger::on(&server);
    logger.row("the pane is tapped", |row| row["source"] == "tap");
    server.tmux(["set-option", "-g", "allow-rename", "on"]);
    let name = "x\u{1b}]0;owned\u{7}\u{202e}\u{1b}[2J";
    server.tmux(["rename-window", "-t", "=main:", name]);
    let words = "printf '\\033]2;\\033[31mtitle\\302\\233\\007\\033kname\\302\\233\\033\\\\'; echo '\u{202e}needle'; exec cat";
    server.tmux(["new-window", "-d", "-n", name, "-t", "=main:", words]);
    logger.row("it is logged", |row| {
        row["pane"] == "%1" && row["bytes"].as_u64().unwrap() > 20
    });
    assert!(logger.ask(["mark", "main", name]).status.success());
    logger.stop(Signal::TERM);
    for args in [
        &["ls"][..],
        &["cat", "%1"],
        &["cat", "%0"],
        &["grep", "needle"],
        &["grep", "--json", "needle"],
        &["export", "--txt", "%1"],
        &["export", "--html", "%1"],
        &["verify"],
    ] {
        let output = logger.ask(args);
        assert!(output.status.success(), "{args:?}");
        is_harmless(&output);
    }
}
