//! What the built `cc-logger` costs: the program in a pane, the server, and itself; and how long it
//! takes to find something again.
//!
//! ```sh
//! cargo build --release -p cc-logger && cargo bench -p benches --bench logger
//! ```
//!
//! `LOGGER_BENCH=cost,busy,memory,grep` names what is measured (all of it otherwise), `ROUNDS=N` how
//! often, `GREP_MB=N` how much is searched, `TMUX_CC_TEST_TMUX=PATH` another tmux.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use benches::{cpu, middle, program, write_text};
use harness::server::{Boot, Server};
use harness::wait;

/// Bytes that the one pane prints.
const FILE: usize = 64 << 20;

/// How long the busy panes are watched.
const BUSY: Duration = Duration::from_secs(15);

const PATIENCE: Duration = Duration::from_secs(300);

/// A running logger, which is killed when it is dropped.
struct Logger {
    child: Child,
    dir: PathBuf,
}

impl Logger {
    fn on(server: &Server, flags: &[&str]) -> Self {
        let dir = server.dir().join("logs");
        let _ = fs::remove_dir_all(&dir);
        let child = Command::new(program("cc-logger"))
            .arg("run")
            .args(flags)
            .arg("-S")
            .arg(server.socket())
            .arg("--tmux")
            .arg(server.binary())
            .arg("--dir")
            .arg(&dir)
            .env_remove("TMUX")
            .env("HOME", server.dir())
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("cc-logger runs");
        wait::until(PATIENCE, "the server is tapped", || {
            let pipes = server.answer(["list-panes", "-a", "-F", "#{pane_pipe}"]);
            pipes.lines().all(|pipe| pipe == "1")
        });
        Self { child, dir }
    }

    fn bytes(&self) -> u64 {
        let output = Command::new(program("cc-logger"))
            .args(["stats", "--json", "--dir"])
            .arg(&self.dir)
            .output()
            .expect("cc-logger runs");
        let stats: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        stats["bytes"].as_u64().unwrap_or(0)
    }
}

impl Drop for Logger {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Prints a file in a pane; gives wall time, the server's CPU and the logger's.
fn cost_of(flags: Option<&[&str]>, file: &Path) -> (f64, f64, f64) {
    let server = Server::start_with(&Boot::running(["sh", "-c", "exec cat"]));
    let logger = flags.map(|flags| Logger::on(&server, flags));
    let (go, done) = (server.dir().join("go"), server.dir().join("done"));
    let words = format!(
        "stty -echo; while ! test -e {}; do sleep 0.05; done; cat {}; : >{}; exec cat",
        go.display(),
        file.display(),
        done.display()
    );
    let line = [
        "new-window",
        "-dP",
        "-F",
        "#{pane_id}",
        "-t",
        "=main:",
        &words,
    ];
    let pane = server.answer(line);
    if logger.is_some() {
        wait::until(PATIENCE, "the pane is tapped", || {
            server.answer(["display-message", "-p", "-t", &pane, "#{pane_pipe}"]) == "1"
        });
    }
    thread::sleep(Duration::from_millis(500));
    let own = |logger: &Option<Logger>| logger.as_ref().map_or(0.0, |l| cpu(l.child.id()));
    let (server_before, own_before) = (cpu(server.pid()), own(&logger));
    let began = Instant::now();
    fs::write(&go, "").expect("a file");
    wait::until(PATIENCE, "the end", || done.exists());
    let wall = began.elapsed().as_secs_f64();
    if let Some(logger) = &logger {
        wait::until(PATIENCE, "every byte", || logger.bytes() >= FILE as u64);
    }
    (
        wall,
        cpu(server.pid()) - server_before,
        own(&logger) - own_before,
    )
}

fn cost(rounds: usize) {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("file");
    write_text(&file, FILE, true);
    let ways: [(&str, Option<&[&str]>); 3] = [
        ("nobody", None),
        ("cc-logger", Some(&[])),
        ("cc-logger --no-redact", Some(&["--no-redact"])),
    ];
    let mut took = [const { Vec::new() }; 3];
    for round in 0..rounds {
        for at in 0..3 {
            let at = (at + round) % 3;
            took[at].push(cost_of(ways[at].1, &file));
        }
    }
    println!("64 MB through one pane, medians of {rounds}");
    println!(
        "{:<24} {:>8} {:>8} {:>10} {:>10}",
        "", "wall s", "ratio", "server cpu", "own cpu"
    );
    for (at, (name, _)) in ways.iter().enumerate() {
        let wall = middle(took[at].iter().map(|t| t.0).collect());
        let ratio = middle(
            took[at]
                .iter()
                .zip(&took[0])
                .map(|(a, b)| a.0 / b.0)
                .collect(),
        );
        let server = middle(took[at].iter().map(|t| t.1).collect());
        let own = middle(took[at].iter().map(|t| t.2).collect());
        println!("{name:<24} {wall:>8.3} {ratio:>8.3} {server:>10.2} {own:>10.2}");
    }
}

/// Panes that redraw as agents do, and what the server and the logger use meanwhile.
fn busy() {
    println!("50 busy panes for {} s", BUSY.as_secs());
    println!(
        "{:<24} {:>10} {:>10} {:>8} {:>10}",
        "", "server cpu", "own cpu", "ratio", "MB"
    );
    let redraws = "i=0; while :; do i=$((i+1)); \
        printf '\\r\\033[2K\\033[35m*\\033[0m Working... \\033[2m(%ds - esc to interrupt)\\033[0m' $i; \
        printf '\\033[1A\\r\\033[2K> tool call %d: reading src/lib.rs and thinking about it\\033[1B' $i; \
        test $((i % 10)) = 0 && printf '\\n%s\\n' 'a line of output that stays and scrolls away'; \
        sleep 0.05; done";
    let builds = "while :; do i=0; while [ $i -lt 40 ]; do i=$((i+1)); \
        printf '\\033[32m   Compiling\\033[0m crate-%d v1.0.%d (/home/user/src/project/crates)\\r\\n' $i $i; \
        done; sleep 0.1; done";
    for (name, program) in [
        ("agents that redraw", redraws),
        ("builds that scroll", builds),
    ] {
        for (how, flags) in [("", &[][..]), (" --no-redact", &["--no-redact"][..])] {
            let server = Server::start_with(&Boot::running(["sh", "-c", "exec cat"]));
            let logger = Logger::on(&server, flags);
            for _ in 0..50 {
                server.tmux(["new-window", "-d", "-t", "=main:", program]);
            }
            thread::sleep(Duration::from_secs(3));
            let before = (cpu(server.pid()), cpu(logger.child.id()), logger.bytes());
            thread::sleep(BUSY);
            let used = cpu(server.pid()) - before.0;
            let own = cpu(logger.child.id()) - before.1;
            let bytes = (logger.bytes() - before.2) as f64 / 1e6;
            let name = format!("{name}{how}");
            println!(
                "{name:<32} {used:>8.2} {own:>10.2} {:>8.3} {bytes:>10.1}",
                own / used
            );
        }
    }
}

fn memory() {
    let server = Server::start_with(&Boot::running(["sh", "-c", "exec cat"]));
    let logger = Logger::on(&server, &[]);
    for _ in 0..200 {
        server.tmux(["new-window", "-d", "-t", "=main:", "seq 1 2000; exec cat"]);
    }
    wait::until(PATIENCE, "all of it is logged", || {
        logger.bytes() >= 200 * 10_893
    });
    thread::sleep(Duration::from_secs(2));
    let status =
        fs::read_to_string(format!("/proc/{}/status", logger.child.id())).expect("it runs");
    let line = |name| {
        status
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or("?")
    };
    println!(
        "200 panes: {}, {}, {}",
        line("VmRSS"),
        line("VmHWM"),
        line("Threads")
    );
}

fn grep() {
    let megabytes = std::env::var("GREP_MB")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1_000);
    let server = Server::start_with(&Boot::running(["sh", "-c", "exec cat"]));
    server.tmux(["set-option", "-g", "history-limit", "10"]);
    let file = server.dir().join("file");
    let panes = 8;
    write_text(&file, megabytes * 1_000_000 / panes, true);
    let mut logger = Logger::on(&server, &["--no-redact"]);
    for pane in 0..panes {
        let words = format!("cat {}; echo needle {pane}; exec cat", file.display());
        server.tmux(["new-window", "-d", "-t", "=main:", &words]);
    }
    let total = megabytes as u64 * 1_000_000;
    wait::until(PATIENCE * 4, "all of it is logged", || {
        logger.bytes() > total
    });
    let _ = Command::new(program("cc-logger"))
        .args(["rotate", "--dir"])
        .arg(&logger.dir)
        .status();
    // Packing goes on in the background until no closed segment is plain.
    wait::until(PATIENCE * 4, "all of it is packed", || {
        let mut plain = Command::new("find");
        plain
            .arg(&logger.dir)
            .args(["-name", "*.ccj", "-size", "+64k"]);
        plain.output().is_ok_and(|found| found.stdout.is_empty())
    });
    let _ = logger.child.kill();
    let _ = logger.child.wait();
    let dir = logger.dir.clone();
    let shell = |line: String| {
        let began = Instant::now();
        let output = Command::new("sh")
            .arg("-c")
            .arg(&line)
            .output()
            .expect("sh runs");
        (
            began.elapsed().as_secs_f64(),
            String::from_utf8_lossy(&output.stdout).lines().count(),
        )
    };
    let ours = format!(
        "{} grep 'needle [0-9]' --dir {}",
        program("cc-logger").display(),
        dir.display()
    );
    let theirs = format!(
        "find {} -name '*.zst' | xargs zstdcat | grep -a 'needle [0-9]'",
        dir.display()
    );
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let (took, found) = shell(ours.clone());
        assert_eq!(found, panes);
        a.push(took);
        let (took, found) = shell(theirs.clone());
        assert_eq!(found, panes);
        b.push(took);
    }
    let (a, b) = (middle(a), middle(b));
    println!(
        "grep over {megabytes} MB: {a:.2} s, zstdcat | grep: {b:.2} s, ratio {:.2}",
        a / b
    );
}

fn main() {
    let wanted = std::env::var("LOGGER_BENCH").unwrap_or_else(|_| "cost,busy,memory,grep".into());
    let rounds = std::env::var("ROUNDS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(5);
    for what in wanted.split(',') {
        match what {
            "cost" => cost(rounds),
            "busy" => busy(),
            "memory" => memory(),
            "grep" => grep(),
            other => eprintln!("{other:?} is nothing that is measured"),
        }
    }
}
