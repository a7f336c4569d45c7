//! The least that a client can do: read, look for the answers to its own commands, forget.

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tmux_cc::client::Attach;

use crate::watch::{EVERY, WARM, Watch};

/// What a command prints, and what nothing else does.
const ANSWER: &str = "answer-to-the-bare-loop";

pub(crate) fn run(socket: &str, tmux: &str, seconds: Duration) {
    let mut child = Command::new(tmux)
        .args(["-S", socket])
        // The same flags as ours.
        .args(Attach::to("main").output(5).arguments())
        .env_remove("TMUX")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("tmux");
    let mut stdin = child.stdin.take().expect("a pipe");
    let mut stdout = child.stdout.take().expect("a pipe");
    let sent = Arc::new(Mutex::new(VecDeque::new()));
    let began = Instant::now();
    let end = began + WARM + seconds;

    let mut chunk = vec![0; 64 << 10];
    // The command that attached must have answered before anything is sent.
    let _ = stdout.read(&mut chunk).expect("a greeting");
    let asking = thread::spawn({
        let sent = Arc::clone(&sent);
        move || {
            while Instant::now() < end {
                sent.lock().expect("no panic").push_back(Instant::now());
                let line = format!("display-message -p {ANSWER}\n");
                if stdin.write_all(line.as_bytes()).is_err() {
                    break;
                }
                thread::sleep(EVERY);
            }
            stdin
        }
    });

    let finder = memchr::memmem::Finder::new(ANSWER);
    let (mut watch, mut bytes) = (None, 0);
    // The end of the last read stays in front of the next, for an answer that was cut.
    let mut kept = 0;
    while Instant::now() < end {
        let read = stdout.read(&mut chunk[kept..]).expect("output");
        assert!(read > 0, "tmux has ended");
        let (all, mut from) = (kept + read, 0);
        for at in finder.find_iter(&chunk[..all]) {
            from = at + ANSWER.len();
            let sent = sent.lock().expect("no panic").pop_front();
            if let (Some(watch), Some(sent)) = (&watch, sent) {
                Watch::trip(watch, sent);
            }
        }
        bytes += read as u64;
        let tail = from.max(all - (ANSWER.len() - 1).min(all));
        chunk.copy_within(tail..all, 0);
        kept = all - tail;
        if watch.is_none() && began.elapsed() > WARM {
            watch = Some(Watch::begin());
            bytes = 0;
        }
    }
    watch.expect("enough time").say(bytes, 0);
    // The server must not be left in the middle of a write.
    let mut stdin = asking.join().expect("no panic");
    let _ = stdin.write_all(b"detach-client\n");
    let _ = std::io::copy(&mut stdout, &mut std::io::sink());
    let _ = child.wait();
}
