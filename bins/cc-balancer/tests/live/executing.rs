//! `exec`, which shell workers run, against a balancer that knows one attempt.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::sync::{Arc, Mutex};

use cc_balancer::request::Request;
use serde_json::{Value, json};

use crate::desk::{NONCE, Served};
use crate::queue::Queue;

const ATTEMPT: &str = "0123456789ab.2";

/// What was said of the end.
type Ends = Arc<Mutex<Vec<i32>>>;

/// A balancer that has that command for [`ATTEMPT`] and its nonce.
fn serve(queue: &Queue, text: &'static str) -> (Served, Ends) {
    let ends = Ends::default();
    let told = Arc::clone(&ends);
    let cwd = queue.path("state");
    let script = move |request| -> Value {
        let wrong = json!({"v": 1, "error": "no such attempt is under way", "exit": 5});
        match request {
            Request::ExecBegin(attempt) if attempt.nonce == NONCE && attempt.attempt == 2 => {
                json!({"v": 1, "text": text, "cwd": cwd})
            }
            Request::ExecEnd { attempt, exit } if attempt.nonce == NONCE => {
                told.lock().unwrap().push(exit);
                json!({"v": 1})
            }
            _ => wrong,
        }
    };
    (Served::scripted(queue, Box::new(script)), ends)
}

/// Passes when the command of the attempt runs where it is to run, and its end is told, as a shell has it.
#[test]
fn a_command_is_run_and_its_end_is_told() {
    for (text, code) in [
        ("pwd; echo $CC_TASK $CC_ATTEMPT; exit 3", 3),
        ("true", 0),
        ("kill -9 $$", 137),
        ("kill -TERM $PPID; exec sleep 60", 143),
    ] {
        let queue = Queue::new();
        let (served, ends) = serve(&queue, text);
        let output = queue.ask(&["exec", "--attempt", ATTEMPT, "--nonce", NONCE]);
        assert_eq!(output.status.code(), Some(code), "{text}: {output:?}");
        drop(served);
        assert_eq!(*ends.lock().unwrap(), [code], "{text}");
        if text.starts_with("pwd") {
            let state = fs::canonicalize(queue.path("state")).unwrap();
            let said = format!("{}\n0123456789ab 2\n", state.display());
            assert_eq!(String::from_utf8(output.stdout).unwrap(), said);
        }
    }
}

/// Passes when nothing is run for whoever has a wrong nonce, or an attempt that is not under way.
#[test]
fn nothing_is_run_for_a_wrong_nonce_or_attempt() {
    let queue = Queue::new();
    let (served, ends) = serve(&queue, "touch ran");
    for (attempt, nonce) in [(ATTEMPT, "other"), ("0123456789ab.1", NONCE)] {
        let output = queue.ask(&["exec", "--attempt", attempt, "--nonce", nonce]);
        assert_eq!(output.status.code(), Some(5), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            said,
            "error: no such attempt is under way\nNothing was run.\n"
        );
    }
    drop(served);
    assert!(ends.lock().unwrap().is_empty());
    assert!(!queue.path("state/ran").exists());
}

/// Passes when the end of a command reaches a balancer that was away when it came.
#[test]
fn an_end_waits_for_the_balancer() {
    let queue = Queue::new();
    let fifo = queue.path("state/go");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    let (served, ends) = serve(&queue, "echo begun; read x <go; exit 9");
    let mut child = queue.spawn(&["exec", "--attempt", ATTEMPT, "--nonce", NONCE]);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "begun\n");
    drop(served);
    fs::write(&fifo, "\n").unwrap();
    line.clear();
    stderr.read_line(&mut line).unwrap();
    assert!(line.starts_with("the balancer is away"), "{line}");
    assert!(ends.lock().unwrap().is_empty());
    let (served, ends) = serve(&queue, "");
    assert_eq!(child.wait().unwrap().code(), Some(9));
    drop(served);
    assert_eq!(*ends.lock().unwrap(), [9]);
}
