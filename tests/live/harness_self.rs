//! The harness itself: what the other tests take for granted.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use harness::seeded::{LINE, Seeded};
use harness::wait::{PATIENCE, until, until_some};
use harness::{Boot, Process, Server, pane_agent, skip_if_asked};
use rustix::process::Signal;

#[test]
fn a_server_ends_with_its_value() {
    skip_if_asked!();
    let server = Server::start();
    assert!(server.alive());
    let (process, dir) = (Process::of(server.pid()), server.dir().to_owned());
    drop(server);
    assert!(!process.alive());
    assert!(!dir.exists());
}

#[test]
fn a_server_ends_when_its_test_panics() {
    skip_if_asked!();
    let mut process = None;
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let server = Server::start();
        process = server.process();
        panic!("as a failing test does");
    }));
    assert!(outcome.is_err());
    assert!(!process.expect("it was started").alive());
}

#[test]
fn a_stopped_server_ends_all_the_same() {
    skip_if_asked!();
    let server = Server::start();
    let process = Process::of(server.pid());
    process.signal(Signal::STOP).expect("our own server");
    drop(server);
    assert!(!process.alive());
}

#[test]
fn a_killed_server_starts_again_on_the_same_socket() {
    skip_if_asked!();
    let server = Server::start();
    let first = server.pid();
    server.kill_hard();
    assert!(!server.alive());
    assert!(server.socket().exists(), "a crash leaves the socket file");
    assert!(!server.try_tmux(["list-sessions"]).status.success());
    server.boot(&Boot::default());
    assert!(server.alive());
    assert_ne!(server.pid(), first);
}

#[test]
fn an_empty_place_is_only_a_place() {
    skip_if_asked!();
    let server = Server::empty();
    assert!(!server.socket().exists());
    assert!(!server.alive());
    assert!(server.process().is_none());
    assert!(!server.try_tmux(["list-sessions"]).status.success());
    assert!(!server.alive(), "asking has not started one");
}

#[test]
fn a_server_that_others_started_here_ends_too() {
    skip_if_asked!();
    let server = Server::empty();
    let status = server
        .command()
        .args(["new-session", "-d", "cat"])
        .status()
        .expect("tmux runs");
    assert!(status.success());
    let text = server.answer(["display-message", "-p", "#{pid}"]);
    let process = Process::of(text.parse().expect("a number"));
    assert!(process.alive());
    drop(server);
    assert!(!process.alive());
}

#[test]
fn a_failing_command_says_what_tmux_said() {
    skip_if_asked!();
    let server = Server::start();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        server.tmux(["kill-session", "-t", "=nobody"])
    }));
    let panic = outcome.expect_err("there is no such session");
    let said = panic.downcast_ref::<String>().expect("a formatted panic");
    assert!(said.contains("can't find session: nobody"), "{said}");
}

#[test]
fn nobody_else_can_reach_it() {
    skip_if_asked!();
    let server = Server::start();
    let mode = fs::metadata(server.dir())
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    assert!(server.socket().as_os_str().len() <= 100);
}

#[test]
fn the_environment_of_the_tests_does_not_reach_it() {
    skip_if_asked!();
    let server = Server::start();
    let environment = server.answer(["show-environment", "-g"]);
    let mut names: Vec<_> = environment
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0))
        .collect();
    // tmux may add PWD, and the loader's path is let through for a tmux built elsewhere.
    names.retain(|name| *name != "PWD" && !name.ends_with("LD_LIBRARY_PATH"));
    assert_eq!(names, ["HOME", "LANG", "PATH", "SHELL", "TERM"]);
    assert_eq!(
        server.answer(["show-options", "-gv", "default-shell"]),
        "/bin/sh"
    );
}

#[test]
fn text_is_utf8_and_the_size_is_as_asked() {
    skip_if_asked!();
    let boot = Boot::running(["sh", "-c", "printf 'caf\\303\\251 \\342\\202\\254'; cat"]);
    let server = Server::start_with(&boot.size(101, 33));
    let text = until_some(PATIENCE, "the text on the screen", || {
        let text = server.answer(["capture-pane", "-p", "-t", "=main:"]);
        text.contains('€').then_some(text)
    });
    assert_eq!(text.trim_end(), "café €");
    let size = "#{window_width}x#{window_height}";
    assert_eq!(
        server.answer(["display-message", "-p", "-t", "=main:", size]),
        "101x33"
    );
}

/// What a pipe gets of a waiting agent that `go` sets free: at least `wanted` bytes of it.
fn piped(server: &Server, arguments: &[&str], wanted: u64, go: impl FnOnce()) -> Vec<u8> {
    let log = server.dir().join("log");
    let ready = server.dir().join("ready");
    let command = [&[pane_agent!(), "--ready-file", path(&ready)], arguments].concat();
    server.boot(&Boot::running(command));
    until(PATIENCE, "the agent to be ready", || ready.exists());
    server.tmux([
        "pipe-pane",
        "-O",
        "-t",
        "=main:",
        &format!("cat > '{}'", path(&log)),
    ]);
    go();
    let size = || fs::metadata(&log).map_or(0, |log| log.len());
    until(PATIENCE, "the pipe to have it all", || size() >= wanted);
    fs::read(&log).expect("the log can be read")
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a temporary path is UTF-8")
}

#[test]
fn random_bytes_pass_the_pane_as_they_are() {
    skip_if_asked!();
    const BYTES: u64 = 300_000;
    let server = Server::empty();
    let go = server.dir().join("go");
    let count = BYTES.to_string();
    let arguments = [
        "random",
        "42",
        &count,
        "--go-file",
        path(&go),
        "--then-stay",
    ];
    let bytes = piped(&server, &arguments, BYTES, || {
        fs::write(&go, []).expect("our own directory");
    });
    // The bytes hold questions to the terminal; had the tty echoed the answers, there were more.
    assert_eq!(bytes.len() as u64, BYTES);
    Seeded::bytes(42)
        .check(0, &bytes)
        .unwrap_or_else(|mismatch| panic!("{mismatch}"));
}

#[test]
fn a_line_sets_the_agent_free_and_is_not_echoed() {
    skip_if_asked!();
    let server = Server::empty();
    let wanted = 100 * LINE;
    let count = wanted.to_string();
    let arguments = ["text", "7", &count, "--go-line", "--then-stay"];
    let bytes = piped(&server, &arguments, wanted, || {
        server.tmux(["send-keys", "-t", "=main:", "go", "Enter"]);
    });
    assert_eq!(bytes, Seeded::text(7).prefix(bytes.len()));
}

/// The lines of history and screen.
fn lines(server: &Server) -> Vec<String> {
    let text = server.answer(["capture-pane", "-p", "-t", "=main:", "-S", "-"]);
    text.trim_end().lines().map(str::to_owned).collect()
}

#[test]
fn a_flood_is_numbers_without_a_gap() {
    skip_if_asked!();
    let flood = [pane_agent!(), "flood", "--lines", "1500", "--then-stay"];
    let server = Server::start_with(&Boot::running(flood));
    let lines = until_some(PATIENCE, "the last number", || {
        Some(lines(&server)).filter(|lines| lines.last().is_some_and(|line| line == "1499"))
    });
    let wanted: Vec<_> = (0..1500).map(|number: u32| number.to_string()).collect();
    assert_eq!(lines, wanted);
}

#[test]
fn guards_name_the_seconds_and_numbers_to_come() {
    skip_if_asked!();
    let guards = [
        "guards",
        "--before",
        "1",
        "--after",
        "1",
        "--numbers",
        "5-7",
        "--then-stay",
    ];
    let server = Server::start_with(&Boot::running([&[pane_agent!()], &guards[..]].concat()));
    let lines = until_some(PATIENCE, "nine guards on the screen", || {
        let ends = |line: &&String| line.starts_with("%end ");
        Some(lines(&server)).filter(|lines| lines.iter().filter(ends).count() == 9)
    });
    let first = lines[0]
        .split(' ')
        .nth(1)
        .and_then(|time| time.parse::<u64>().ok());
    let first = first.expect("a time after %begin");
    assert_eq!(lines[0], format!("%begin {first} 5 1"));
    for time in first..first + 3 {
        for number in 5..8 {
            let guard = format!("%end {time} {number} 1");
            assert!(lines.contains(&guard), "{guard} is not in {lines:?}");
        }
    }
    let booted = server.answer(["display-message", "-p", "#{start_time}"]);
    let booted: u64 = booted.parse().expect("seconds since the epoch");
    let late = PATIENCE.as_secs();
    assert!(
        (booted..=booted + late).contains(&(first + 1)),
        "{first} is not near {booted}"
    );
}
