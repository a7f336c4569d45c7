//! What the built `cc-guardian` costs while nobody does anything: its own CPU and memory, and what it
//! adds to the server's CPU.
//!
//! ```sh
//! cargo build --release -p cc-guardian && cargo bench -p benches --bench guardian
//! ```
//!
//! `UNITS=N` says how many units there are, `WATCH=SECONDS` how long they are watched,
//! `TMUX_CC_TEST_TMUX=PATH` takes another tmux.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use benches::program;
use harness::process::Process;
use harness::wait;

const PATIENCE: Duration = Duration::from_secs(120);
/// The most memory without its clients, and for each of them, in MB.
const MEMORY: (f64, f64) = (60.0, 0.5);
/// The most of a core that it may use, and that it may add to the server, in percent.
const CPU: (f64, f64) = (1.0, 0.5);

/// A home with a guardian in it, which is gone with all that it started when this is dropped.
struct Home {
    dir: tempfile::TempDir,
    guardian: Option<Child>,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::TempDir::with_prefix("cc-bench-").expect("a directory");
        let run = dir.path().join("run");
        let mut builder = fs::DirBuilder::new();
        builder.mode(0o700).create(&run).expect("a directory");
        let bin = dir.path().join("bin");
        fs::create_dir(&bin).expect("a directory");
        let tmux = harness::server::tmux_binary();
        if Path::new(&tmux).is_absolute() {
            symlink(&tmux, bin.join("tmux")).expect("a link");
        }
        Self {
            dir,
            guardian: None,
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let home = self.dir.path();
        let mut path = home.join("bin").into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut command = Command::new(program("cc-guardian"));
        command
            .args(arguments)
            .env("HOME", home)
            .env("XDG_RUNTIME_DIR", home.join("run"))
            .env("PATH", path)
            .env_remove("XDG_STATE_HOME")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("TMUX")
            .stdin(Stdio::null());
        command
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("cc-guardian runs");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn run(&mut self) {
        let mut command = self.command(&["run"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        self.guardian = Some(command.spawn().expect("cc-guardian runs"));
        wait::until(PATIENCE, "the guardian to answer", || {
            let ls = self.command(&["ls"]).output();
            ls.is_ok_and(|ls| ls.status.success())
        });
    }

    fn units(&self) -> Vec<serde_json::Value> {
        let listing = self.ok(&["ls", "--json"]);
        let listing: serde_json::Value = serde_json::from_str(&listing).expect("JSON");
        listing["units"].as_array().expect("units").clone()
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(harness::server::tmux_binary());
        command
            .arg("-S")
            .arg(self.dir.path().join("run/cc/tmux/default"));
        command.args(arguments).env_remove("TMUX");
        let output = command.output().expect("tmux runs");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn end_guardian(&mut self) {
        if let Some(mut guardian) = self.guardian.take() {
            let own = Process::of(guardian.id());
            let _ = own.signal(rustix::process::Signal::TERM);
            let _ = guardian.wait();
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.guardian.is_some() {
            let _ = self.command(&["down", "--now"]).output();
        }
        self.end_guardian();
        self.tmux(&["kill-server"]);
    }
}

/// What a process has used of all CPUs, in seconds, to the nanosecond where the kernel tells.
fn cpu(pid: u32) -> f64 {
    let schedule = fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap_or_default();
    let first = schedule.split_whitespace().next();
    // That file is of the first thread alone.
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("a process");
    if first.is_some() {
        let spent = threads.filter_map(|thread| {
            let schedule = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
            schedule.split_whitespace().next()?.parse::<f64>().ok()
        });
        return spent.sum::<f64>() / 1e9;
    }
    benches::cpu(pid)
}

fn number(name: &str, usual: u64) -> u64 {
    let said = std::env::var(name).ok();
    said.and_then(|said| said.parse().ok()).unwrap_or(usual)
}

fn main() {
    let (units, watch) = (
        number("UNITS", 50),
        Duration::from_secs(number("WATCH", 60)),
    );
    let mut home = Home::new();
    home.run();
    // They print a prompt and wait, as agents do.
    let waits = "printf '\\342\\235\\257 '; exec sleep 100000";
    let replicas = units.to_string();
    let up = [
        "up",
        "--name",
        "w",
        "--replicas",
        &replicas,
        "--profile",
        "claude",
        "--",
    ];
    home.ok(&[&up[..], &["sh", "-c", waits]].concat());
    wait::until(PATIENCE, "all units to run", || {
        let units = home.units();
        units.iter().all(|unit| unit["pid"].is_number())
    });
    let clients = || {
        home.tmux(&["list-clients", "-F", "#{client_pid}"])
            .lines()
            .count()
    };
    wait::until(PATIENCE, "a client for each", || clients() as u64 >= units);
    let attached = clients();
    let server: u32 = home
        .tmux(&["display-message", "-p", "#{pid}"])
        .parse()
        .expect("a pid");
    let own = home.guardian.as_ref().expect("it runs").id();
    // What was started is over by then.
    thread::sleep(Duration::from_secs(10));
    let before = (cpu(own), cpu(server));
    thread::sleep(watch);
    let seconds = watch.as_secs_f64();
    let percent = |now: f64, before: f64| (now - before) / seconds * 100.0;
    let with = (percent(cpu(own), before.0), percent(cpu(server), before.1));
    let memory = Process::of(own).memory();
    home.end_guardian();
    wait::until(PATIENCE, "its clients to go", || {
        home.tmux(&["list-clients"]).is_empty()
    });
    let before = cpu(server);
    thread::sleep(watch);
    let without = percent(cpu(server), before);
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    let most = MEMORY.0 + MEMORY.1 * attached as f64;
    println!("{units} units that wait, {attached} control clients, {seconds} s");
    println!(
        "{:<40} {:>10} {:>10} {:>8}",
        "", "measured", "at most", "ratio"
    );
    for (what, measured, most) in [
        ("guardian, % of a core", with.0, CPU.0),
        (
            "server beside it, % of a core, added",
            with.1 - without,
            CPU.1,
        ),
        ("guardian, resident MB", megabytes(memory.resident), most),
        (
            "guardian, resident MB at its most",
            megabytes(memory.peak),
            most,
        ),
    ] {
        println!(
            "{what:<40} {measured:>10.3} {most:>10.3} {:>8.2}",
            measured / most
        );
    }
    println!("{:<40} {without:>10.3}", "server alone, % of a core");
    // So that units that are to be stopped are.
    home.run();
}
