//! Bad input: one clear sentence, what to do next, and the documented exit code.

use std::fs;
use std::process::{Command, Output};

use harness::server::{Boot, Server};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::logger::Logger;

fn logger(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cc-logger"))
        .args(args)
        .env_remove("TMUX")
        .output()
        .unwrap()
}

/// Checks the code, the sentence, and that advice stands under it.
fn is_refused(output: &Output, code: i32, sentence: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    let mut lines = said.lines().skip_while(|line| !line.starts_with("error: "));
    let error = lines.next().unwrap_or_default();
    assert!(error.contains(sentence), "{said}");
    assert!(
        lines.next().is_some_and(|advice| advice.ends_with('.')),
        "{said}"
    );
    assert_eq!(output.stdout, b"");
}

#[test]
fn each_mistake_has_its_sentence_and_its_code() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "not a directory").unwrap();
    let file = file.to_str().unwrap();
    let logs = dir.path().join("logs");
    let logs = logs.to_str().unwrap();
    let below_file = format!("{file}/logs");

    is_refused(
        &logger(&["run", "-S", file, "--dir", logs]),
        2,
        "is not a socket",
    );
    is_refused(
        &logger(&[
            "run",
            "-S",
            "/nowhere/s",
            "--tmux",
            "/nowhere/tmux",
            "--dir",
            logs,
        ]),
        2,
        "cannot start /nowhere/tmux",
    );
    is_refused(
        &logger(&["run", "-S", "/nowhere/s", "--tmux", "true", "--dir", logs]),
        2,
        "true is no tmux of 3.2 or later",
    );
    is_refused(
        &logger(&["run", "-S", "/nowhere/s", "--dir", &below_file]),
        7,
        "cannot prepare",
    );
    is_refused(
        &logger(&["ls", "--dir", "/nowhere"]),
        7,
        "cannot list /nowhere",
    );
    is_refused(
        &logger(&["cat", "--dir", "/nowhere", "%0"]),
        7,
        "cannot list /nowhere",
    );
    is_refused(
        &logger(&["cat", "--dir", logs, "%x"]),
        2,
        "\"%x\" is no pane",
    );
    is_refused(&logger(&["cat", "--dir", logs, "["]), 2, "\"[\" is no glob");
    is_refused(
        &logger(&["cat", "--dir", logs, ""]),
        2,
        "the selector is empty",
    );
    is_refused(
        &logger(&["cat", "--dir", logs, "%7"]),
        4,
        "no log of \"%7\"",
    );
    assert_eq!(logger(&["nonsense"]).status.code(), Some(2));
}

#[test]
fn a_second_logger_on_a_directory_is_refused() {
    let server = Server::start_with(&Boot::running(["sh", "-c", "exec cat"]));
    let mut first = Logger::on(&server);
    first.hear("following tmux");
    let second = first.ask(["run", "-S", server.socket().to_str().unwrap()]);
    is_refused(&second, 7, "another cc-logger");
    first.stop(Signal::TERM);
}

#[test]
fn a_file_that_is_no_journal_is_left_alone() {
    let server = Server::start_with(&Boot::running(["sh", "-c", "exec cat"]));
    let mut logger = Logger::on(&server);
    logger.hear("following tmux");
    server.tmux(["send-keys", "-t", "=main:", "typed", "Enter"]);
    logger.row("the pane is logged", |row| row["bytes"] == 14);
    logger.stop(Signal::TERM);
    let stranger = logger.dir().join("notes.txt");
    fs::write(&stranger, "mine").unwrap();
    fs::create_dir(logger.dir().join("1-2-zz")).unwrap();
    assert_eq!(logger.rows().len(), 1);
    assert_eq!(logger.raw("%0"), b"typed\r\ntyped\r\n");
    assert_eq!(fs::read(stranger).unwrap(), b"mine");
}
