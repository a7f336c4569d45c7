//! What a client costs beside a real server whose panes flood, end to end.
//!
//! Each client is a process of its own, so that its processor time and its memory are its own; so
//! are the panes' programs. The bare client is a blocking loop over 64 KiB reads that keeps
//! nothing, and sends its commands over the same connection, or over one of their own that has no
//! output. The server reads panes no faster than its slowest client takes them, unless a client is
//! attached that takes nothing: a person's terminal, or one for commands alone. Without one the two
//! loops see different servers; so each client is compared with the loop of the same shape too.
//!
//! ```sh
//! cargo bench -p benches --bench live
//! benches/run live                              # the same, and another crate beside them
//! ```
//!
//! `BENCH_SECONDS` (30) is how long each is watched, `BENCH_ROUNDS` (1) how often, `BENCH_SLOW`
//! (60) how long the slow one is, 0 for not at all. `BENCH_PANES` (`1,10,50`) says how many flood,
//! and `BENCH_CLIENTS` which clients there are, by the words below. `BENCH_PEER` is the path of
//! the other crate's client. The server is tmux on a private socket without a configuration; it
//! ends with the bench.

mod bare;
mod ours;
mod report;
mod watch;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;
use std::{env, fs};

use harness::server::{Boot, Server};
use harness::wait::{PATIENCE, until};
use ours::Use;
use report::{Report, Row};
use tmux_cc::client::Attach;

/// A client, by the word that starts it, and what it does.
const CLIENTS: [(&str, &str); 7] = [
    ("bare", report::BARE),
    ("attach", "Attach, undecoded"),
    ("attach-decoded", "Attach, decoded"),
    ("peer", "tmuxctl, decoded"),
    ("apart", report::APART),
    ("server", "Server, undecoded"),
    ("server-decoded", "Server, decoded"),
];

/// Those beside a person's terminal, where more panes than one flood.
const BESIDE: [&str; 4] = ["bare", "attach", "apart", "server"];

/// How many panes flood for a consumer that is too slow.
const SLOW: usize = 20;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["flood"] => flood(),
        ["client", client, socket, tmux, seconds] => {
            let seconds = Duration::from_secs(seconds.parse().expect("seconds"));
            run(client, socket, tmux, seconds);
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

fn run(client: &str, socket: &str, tmux: &str, seconds: Duration) {
    match client {
        "bare" => bare::run(socket, tmux, seconds, false, false),
        "apart" => bare::run(socket, tmux, seconds, true, false),
        // Where the server does not throttle, it pauses panes.
        "bare-beside" => bare::run(socket, tmux, seconds, false, true),
        "apart-beside" => bare::run(socket, tmux, seconds, true, true),
        "attach" => ours::client(socket, tmux, seconds, Use::Undecoded),
        "attach-decoded" => ours::client(socket, tmux, seconds, Use::Decoded),
        "server" => ours::server(socket, tmux, seconds, Use::Undecoded),
        "server-decoded" => ours::server(socket, tmux, seconds, Use::Decoded),
        "slow" => ours::server(socket, tmux, seconds, Use::Slow),
        _ => panic!("no client is called {client}"),
    }
}

fn measure() {
    let seconds = number("BENCH_SECONDS", 30);
    let rounds = number("BENCH_ROUNDS", 1);
    let slow = number("BENCH_SLOW", 60);
    let panes = env::var("BENCH_PANES").unwrap_or_else(|_| "1,10,50".to_owned());
    let panes = panes.split(',').filter(|word| !word.is_empty());
    let panes: Vec<usize> = panes.map(|word| word.parse().expect("panes")).collect();
    let asked = env::var("BENCH_CLIENTS").ok();
    let asked = |word| {
        asked
            .as_ref()
            .is_none_or(|asked| asked.split(',').any(|one| one == word))
    };
    let peer = env::var_os("BENCH_PEER").map(PathBuf::from);

    let mut report = Report::new(seconds, slow, rounds);
    for panes in panes {
        for terminal in [false, true] {
            for _ in 0..rounds {
                for (word, client) in CLIENTS {
                    let beside = BESIDE.contains(&word) && panes > 1;
                    let missing = word == "peer" && peer.is_none();
                    if asked(word) && (!terminal || beside) {
                        let row = Row {
                            panes,
                            terminal,
                            client,
                        };
                        let said = if missing {
                            String::new()
                        } else {
                            watched(row, word, peer.as_ref(), seconds)
                        };
                        report.add(row, &said);
                    }
                }
            }
        }
    }
    if slow > 0 {
        let row = Row {
            panes: SLOW,
            terminal: false,
            client: report::SLOW,
        };
        report.add(row, &watched(row, "slow", None, slow));
    }
    report.print();
    if peer.is_none() {
        println!("tmuxctl was not there: `benches/run live` builds it and names it in BENCH_PEER.");
    }
}

fn number(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |value| value.parse().expect(name))
}

/// The load of the machine, as it is now.
fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// What a client says of itself beside a server with so many flooding panes.
fn watched(row: Row, word: &str, peer: Option<&PathBuf>, seconds: u64) -> String {
    let this = env::current_exe().expect("a path");
    let flood = || [this.as_os_str().to_owned(), "flood".into()];
    let server = Server::start_with(&Boot::running(flood()));
    let window = || {
        let window = ["new-window", "-d", "-t", "=main:"].map(OsString::from);
        window.into_iter().chain(flood()).chain([";".into()])
    };
    if row.panes > 1 {
        // At once: beside floods each command takes its time.
        server.tmux((1..row.panes).flat_map(|_| window()));
    }
    let terminal = row.terminal.then(|| terminal(&server));
    let mut command = match (word, peer) {
        ("peer", Some(peer)) => {
            let mut command = Command::new(peer);
            command
                .args([server.socket().as_os_str(), server.binary()])
                .arg(seconds.to_string())
                // The same flags as ours.
                .args(Attach::to("main").output(5).arguments());
            command
        }
        _ => {
            let beside = row.terminal && ["bare", "apart"].contains(&word);
            let word = format!("{word}{}", if beside { "-beside" } else { "" });
            let mut command = Command::new(&this);
            command
                .args(["client", &word])
                .args([server.socket().as_os_str(), server.binary()])
                .arg(seconds.to_string());
            command
        }
    };
    let output = command.output().expect("a client");
    drop(terminal);
    assert!(
        output.status.success(),
        "{word}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    eprintln!("{row:?}, load {}", load());
    String::from_utf8(output.stdout).expect("figures")
}

/// A person's terminal on a server: a pane of another.
fn terminal(server: &Server) -> Server {
    let socket = server.socket().as_os_str().to_owned();
    let tmux = ["env", "-u", "TMUX", "-u", "TMUX_PANE"].map(OsString::from);
    let tmux = tmux.into_iter().chain([server.binary().to_owned()]);
    let attach = ["-f", "/dev/null", "-S"].map(OsString::from);
    let attach = attach.into_iter().chain([socket]);
    let session = ["attach-session", "-t", "=main"].map(OsString::from);
    let terminal = Server::start_with(&Boot::running(tmux.chain(attach).chain(session)));
    until(PATIENCE, "a terminal on the server", || {
        !server.answer(["list-clients"]).is_empty()
    });
    terminal
}
