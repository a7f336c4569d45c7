//! The least that a client can do: read, look for the answers to its own commands, forget.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tmux_cc::client::Attach;

use crate::watch::{EVERY, WARM, Watch};

/// What a command prints, and what nothing else does.
const ANSWER: &str = "answer-to-the-bare-loop";

const COMMAND: &str = "display-message -p answer-to-the-bare-loop\n";

/// A client's process and its pipes.
type Client = (Child, ChildStdin, ChildStdout);

fn start(socket: &str, tmux: &str, attach: Attach) -> Client {
    let mut child = Command::new(tmux)
        .args(["-S", socket])
        // The same flags as ours.
        .args(attach.arguments())
        .env_remove("TMUX")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("tmux");
    let stdin = child.stdin.take().expect("a pipe");
    let stdout = child.stdout.take().expect("a pipe");
    (child, stdin, stdout)
}

/// Sends a command, waits for its answer, and so on.
fn ask_apart((mut child, mut stdin, stdout): Client, watch: &OnceLock<Watch>, end: Instant) {
    let mut lines = BufReader::new(stdout).split(b'\n');
    let _ = lines.next();
    while Instant::now() < end {
        let sent = Instant::now();
        stdin.write_all(COMMAND.as_bytes()).expect("a client");
        let answer = lines.find(|line| line.as_ref().is_ok_and(|line| line == ANSWER.as_bytes()));
        if answer.is_some()
            && let Some(watch) = watch.get()
        {
            watch.trip(sent);
        }
        thread::sleep(EVERY.saturating_sub(sent.elapsed()));
    }
    let _ = stdin.write_all(b"detach-client\n");
    let _ = lines.count();
    let _ = child.wait();
}

/// Output and commands on one client, or the commands on one of their own without output. It may
/// have panes continue that the server has paused, which it does not look for where none is.
pub(crate) fn run(socket: &str, tmux: &str, seconds: Duration, apart: bool, continues: bool) {
    let attach = Attach::to("main");
    let (mut child, stdin, mut stdout) = start(socket, tmux, attach.clone().output(5));
    let stdin = Arc::new(Mutex::new(stdin));
    let watch: Arc<OnceLock<Watch>> = Arc::default();
    let sent = Arc::new(Mutex::new(VecDeque::new()));
    let began = Instant::now();
    let end = began + WARM + seconds;

    let mut chunk = vec![0; 64 << 10];
    // The command that attached must have answered before anything is sent.
    let _ = stdout.read(&mut chunk).expect("a greeting");
    // Like the others it waits for an answer before it asks again: else its commands meet the
    // server's rounds at other moments than theirs. Not where an answer may take seconds.
    let (answered, answers) = mpsc::channel();
    let asking = if apart {
        let client = start(socket, tmux, attach);
        let watch = Arc::clone(&watch);
        thread::spawn(move || ask_apart(client, &watch, end))
    } else {
        let (stdin, sent) = (Arc::clone(&stdin), Arc::clone(&sent));
        thread::spawn(move || {
            while Instant::now() < end {
                let now = Instant::now();
                sent.lock().expect("no panic").push_back(now);
                let mut stdin = stdin.lock().expect("no panic");
                if stdin.write_all(COMMAND.as_bytes()).is_err() {
                    break;
                }
                drop(stdin);
                if !continues && answers.recv().is_err() {
                    break;
                }
                thread::sleep(EVERY.saturating_sub(now.elapsed()));
            }
        })
    };

    let finder = memchr::memmem::Finder::new(ANSWER);
    let paused = memchr::memmem::Finder::new("\n%pause ");
    let (mut bytes, mut pauses) = (0, 0);
    // The end of the last read stays in front of the next, for an answer that was cut.
    let mut kept = 0;
    while Instant::now() < end {
        let read = stdout.read(&mut chunk[kept..]).expect("output");
        assert!(read > 0, "tmux has ended");
        let (all, mut from) = (kept + read, 0);
        for at in finder.find_iter(&chunk[..all]) {
            from = at + ANSWER.len();
            let sent = sent.lock().expect("no panic").pop_front();
            if let (Some(watch), Some(sent)) = (watch.get(), sent) {
                watch.trip(sent);
            }
            let _ = answered.send(());
        }
        if continues {
            // One that a read has cut is left paused.
            for at in paused.find_iter(&chunk[kept..all]) {
                let pane = &chunk[kept + at + "\n%pause ".len()..all];
                if let Some(end) = memchr::memchr(b'\n', pane) {
                    let pane = String::from_utf8_lossy(&pane[..end]);
                    let command = format!("refresh-client -A '{pane}:continue'\n");
                    let mut stdin = stdin.lock().expect("no panic");
                    let _ = stdin.write_all(command.as_bytes());
                    pauses += 1;
                }
            }
        }
        bytes += read as u64;
        let tail = from.max(all - (ANSWER.len() - 1).min(all));
        chunk.copy_within(tail..all, 0);
        kept = all - tail;
        if watch.get().is_none() && began.elapsed() > WARM {
            let _ = watch.set(Watch::begin());
            (bytes, pauses) = (0, 0);
        }
    }
    watch.get().expect("enough time").say(bytes, pauses);
    drop(answered);
    asking.join().expect("no panic");
    let mut stdin = stdin.lock().expect("no panic");
    let _ = stdin.write_all(b"detach-client\n");
    // The server is not left in the middle of a write, unless its backlog has no end.
    thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
    let patience = Instant::now() + WARM;
    while matches!(child.try_wait(), Ok(None)) {
        if Instant::now() > patience {
            child.kill().expect("our own child");
        }
        thread::sleep(Duration::from_millis(10));
    }
}
