//! What a client costs beside a real server whose panes flood, end to end.
//!
//! Each client is a process of its own, so that its processor time and its memory are its own; so
//! are the panes' programs. The bare client is a blocking loop over 64 KiB reads that keeps
//! nothing, and sends its commands over the same connection, or over one of their own that has no
//! output. The server reads panes no faster than its slowest client takes them, unless a client is
//! attached that takes nothing: so the two see different servers.
//!
//! ```sh
//! cargo bench -p benches --bench live
//! ```
//!
//! `BENCH_SECONDS` (30) is how long each is watched, `BENCH_ROUNDS` (1) how often. The server is
//! tmux on a private socket without a configuration; it ends with the bench.

mod bare;
mod ours;
mod report;
mod watch;

use std::env;
use std::io::Write as _;
use std::process::{Command, ExitCode};
use std::time::Duration;

use harness::server::{Boot, Server};
use report::Report;

/// A client, by the word that starts it, and what it does with output.
const CLIENTS: [(&str, &str); 4] = [
    ("bare", "bare loop"),
    ("apart", "bare, commands apart"),
    ("ours", "Server, undecoded"),
    ("decoded", "Server, decoded"),
];

/// How many panes flood.
const PANES: [usize; 3] = [1, 10, 50];

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["flood"] => flood(),
        ["client", client, socket, tmux, seconds] => {
            let seconds = Duration::from_secs(seconds.parse().expect("seconds"));
            match client {
                "bare" => bare::run(socket, tmux, seconds, false),
                "apart" => bare::run(socket, tmux, seconds, true),
                _ => ours::run(client, socket, tmux, seconds),
            }
        }
        // What cargo adds.
        _ => measure(),
    }
    ExitCode::SUCCESS
}

/// Prints lines of text in colours until nobody takes them.
fn flood() {
    let mut out = std::io::stdout().lock();
    for number in 0_u64.. {
        let line = format!("{number} \x1b[32mok\x1b[0m a line that a program may print\n");
        if out.write_all(line.as_bytes()).is_err() {
            return;
        }
    }
}

fn measure() {
    let seconds = number("BENCH_SECONDS", 30);
    let rounds = number("BENCH_ROUNDS", 1);
    let mut report = Report::new(seconds);
    for panes in PANES {
        for _ in 0..rounds {
            for (client, name) in CLIENTS {
                report.add(panes, name, &watched(panes, client, seconds));
            }
        }
    }
    for _ in 0..rounds {
        report.add(20, "Server, 500 us an event", &watched(20, "slow", seconds));
    }
    report.print();
}

fn number(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |value| value.parse().expect(name))
}

/// What a client says of itself beside a server with so many flooding panes.
fn watched(panes: usize, client: &str, seconds: u64) -> String {
    let this = env::current_exe().expect("a path");
    let flood = || [this.as_os_str().to_owned(), "flood".into()];
    let server = Server::start_with(&Boot::running(flood()));
    for _ in 1..panes {
        let window = ["new-window", "-d", "-t", "=main:"].map(Into::into);
        server.tmux(window.into_iter().chain(flood()));
    }
    let output = Command::new(&this)
        .args(["client", client])
        .args([server.socket().as_os_str(), server.binary()])
        .arg(seconds.to_string())
        .output()
        .expect("a client");
    assert!(
        output.status.success(),
        "{client}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("figures")
}
