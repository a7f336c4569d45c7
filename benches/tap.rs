//! What it costs a server, and the program in its pane, that the pane is tapped.
//!
//! A pane prints a file of 64 MB, in turn with nobody attached, followed, with the tap on, and with
//! `pipe-pane 'cat > file'`; wall time and the server's CPU are told as ratios to the first, each
//! the median of the ratios within one round. With `FULL=1` also with a control client that takes
//! output. `TAP_BENCH_TMUX=PATH` names another tmux, `ROUNDS=N` how often.
//!
//! ```sh
//! cargo bench -p benches --bench tap
//! ```

use std::cell::Cell;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use benches::{middle, write_text};
use tmux_cc::client::{Event, PaneFilter, Server, Socket, Tap, TapHelper, hand_over};

/// Bytes that the pane prints.
const FILE: usize = 64 << 20;

/// Rounds, of which the median counts.
const ROUNDS: usize = 11;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Nobody,
    Follower,
    Tap,
    PipePane,
    Output,
}

impl Way {
    const fn name(self) -> &'static str {
        match self {
            Self::Nobody => "nobody attached",
            Self::Follower => "Server without output",
            Self::Tap => "Server with the tap",
            Self::PipePane => "pipe-pane 'cat > file'",
            Self::Output => "Server with output",
        }
    }
}

/// A directory of our own that goes with its value.
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Bench {
    /// How many runs there were.
    runs: Cell<usize>,
    tmux: OsString,
    directory: Directory,
    runtime: tokio::runtime::Runtime,
}

/// One run.
#[derive(Clone, Copy, Debug)]
struct Took {
    wall: f64,
    cpu: f64,
    /// Our own.
    own: f64,
}

impl Bench {
    /// One that nobody has listened on before: a server that ends still answers for a while.
    fn socket(&self) -> PathBuf {
        self.directory.0.join(format!("s{}", self.runs.get()))
    }

    fn tmux(&self, words: &[&str]) -> String {
        let output = Command::new(&self.tmux)
            .env_remove("TMUX")
            .args(["-f", "/dev/null", "-S"])
            .arg(self.socket())
            .args(words)
            .stdin(Stdio::null())
            .output()
            .expect("tmux runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {said}");
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    fn wait_for(what: &str, mut is: impl FnMut() -> bool) {
        let began = Instant::now();
        while !is() {
            assert!(began.elapsed() < PATIENCE, "waited in vain for {what}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Prints the file in a pane of a server of its own, and says what that took.
    fn run(&self, way: Way) -> Took {
        self.runs.set(self.runs.get() + 1);
        let path = |name: &str| self.directory.0.join(name);
        let (go, done, file) = (path("go"), path("done"), path("file"));
        for old in [&go, &done] {
            let _ = fs::remove_file(old);
        }
        // What makes the pane wait is not what is measured, so it may be slow.
        let program = format!(
            "stty -echo; while ! test -e {go}; do sleep 0.05; done; cat {file}; : >{done}; exec cat",
            go = go.display(),
            file = file.display(),
            done = done.display()
        );
        self.tmux(&[
            "new-session",
            "-d",
            "-s",
            "main",
            "-x",
            "80",
            "-y",
            "24",
            "cat",
        ]);
        let pid: u32 = self
            .tmux(&["display-message", "-p", "#{pid}"])
            .parse()
            .expect("a server");
        let bytes = Arc::new(AtomicU64::new(0));
        let window = ["new-window", "-d", "-n", "prints", &program];
        let follow = || async {
            let server = Server::on(Socket::Path(self.socket())).tmux(&self.tmux);
            server.start().await.expect("a server")
        };
        let mut held = None;
        match way {
            Way::Nobody | Way::PipePane => {}
            Way::Follower | Way::Output | Way::Tap => held = Some(self.runtime.block_on(follow())),
        }
        let counted = Arc::clone(&bytes);
        let mut stop = None;
        if let (Way::Tap, Some(server)) = (way, held.clone()) {
            let (end, ended) = tokio::sync::oneshot::channel::<()>();
            let helper = TapHelper::this_program().expect("a path").arg("tap-helper");
            let mut tap = self
                .runtime
                .block_on(server.tap(Tap::new(helper)))
                .expect("a tap");
            let reading = self.runtime.spawn(async move {
                let mut ended = ended;
                loop {
                    let batch = tokio::select! {
                        batch = tap.recv() => batch.expect("it goes on"),
                        _ = &mut ended => break,
                    };
                    count(&batch, &counted);
                }
                tap.close().await;
            });
            stop = Some((end, reading));
        } else if let (Way::Output, Some(server)) = (way, held.clone()) {
            let mut output = server.output(PaneFilter::all());
            self.runtime.spawn(async move {
                while let Some(batch) = output.recv().await {
                    count(&batch, &counted);
                }
            });
        }
        self.tmux(&window);
        if way == Way::PipePane {
            let pipe = format!("exec cat >{}", path("log").display());
            self.tmux(&["pipe-pane", "-O", "-t", "=main:prints", &pipe]);
        }
        if held.is_some() {
            let wanted = if way == Way::Output { 2 } else { 1 };
            Self::wait_for("the clients", || {
                self.tmux(&["list-clients"]).lines().count() >= wanted
            });
        }
        Self::wait_for("the pane", || {
            let said = [
                "display-message",
                "-p",
                "-t",
                "=main:prints",
                "#{pane_current_command} #{pane_pipe}",
            ];
            let said = self.tmux(&said);
            let piped = matches!(way, Way::Tap | Way::PipePane);
            said.ends_with(if piped { "1" } else { "0" }) && !said.starts_with("stty")
        });
        // Whatever was started for it has ended.
        thread::sleep(Duration::from_millis(300));
        let (cpu, own) = (benches::cpu(pid), benches::cpu(std::process::id()));
        let began = Instant::now();
        fs::write(&go, "").expect("a file");
        Self::wait_for("the end", || done.exists());
        let wall = began.elapsed().as_secs_f64();
        if matches!(way, Way::Tap) {
            // LF comes as CR LF.
            Self::wait_for("every byte", || {
                bytes.load(Ordering::Relaxed) >= FILE as u64
            });
        }
        let took = Took {
            wall,
            cpu: benches::cpu(pid) - cpu,
            own: benches::cpu(std::process::id()) - own,
        };
        if let Some((end, reading)) = stop {
            drop(end);
            self.runtime.block_on(reading).expect("it ends");
        }
        if let Some(server) = held {
            self.runtime.block_on(server.close());
        }
        self.tmux(&["kill-server"]);
        Self::wait_for("the server's end", || {
            !Path::new(&format!("/proc/{pid}/exe")).exists()
        });
        took
    }
}

fn count(batch: &tmux_cc::client::Batch, bytes: &AtomicU64) {
    for event in batch.iter() {
        match event {
            Event::Output(output) => {
                bytes.fetch_add(output.data.decoded_len() as u64, Ordering::Relaxed);
            }
            Event::Resync(resync) if resync.epoch > 0 => panic!("{resync:?}"),
            _ => {}
        }
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == "tap-helper") {
        return hand_over(arguments);
    }
    let variable = |name| std::env::var_os(name);
    let rounds = variable("ROUNDS")
        .and_then(|n| n.to_str()?.parse().ok())
        .unwrap_or(ROUNDS);
    let directory = std::env::temp_dir().join(format!("tap-bench-{}", std::process::id()));
    fs::create_dir(&directory).expect("a directory");
    let bench = Bench {
        runs: Cell::new(0),
        tmux: variable("TAP_BENCH_TMUX").unwrap_or_else(|| "tmux".into()),
        directory: Directory(directory),
        runtime: tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime"),
    };
    write_text(&bench.directory.0.join("file"), FILE, false);
    let mut ways = vec![Way::Nobody, Way::Follower, Way::Tap, Way::PipePane];
    if variable("FULL").is_some_and(|full| full == "1") {
        ways.push(Way::Output);
    }
    let mut took: Vec<Vec<Took>> = vec![Vec::new(); ways.len()];
    for round in 0..rounds {
        // Whoever comes second finds a warmer machine: so they take turns.
        for at in 0..ways.len() {
            let at = (at + round) % ways.len();
            took[at].push(bench.run(ways[at]));
        }
    }
    let version = bench.tmux(&["-V"]);
    println!("{version}, {} MB, medians of {rounds}", FILE >> 20);
    println!(
        "{:<24} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "", "wall s", "ratio", "cpu s", "ratio", "own cpu"
    );
    let mut json =
        format!("{{\"tmux\":{version:?},\"bytes\":{FILE},\"rounds\":{rounds},\"ways\":[");
    for (at, way) in ways.iter().enumerate() {
        let of = |get: fn(&Took) -> f64| middle(took[at].iter().map(get).collect());
        let ratio = |get: fn(&Took) -> f64| {
            middle(
                took[at]
                    .iter()
                    .zip(&took[0])
                    .map(|(one, base)| get(one) / get(base))
                    .collect(),
            )
        };
        let (wall, cpu, own) = (of(|t| t.wall), of(|t| t.cpu), of(|t| t.own));
        let (wall_ratio, cpu_ratio) = (ratio(|t| t.wall), ratio(|t| t.cpu));
        println!(
            "{:<24} {wall:>8.3} {wall_ratio:>8.3} {cpu:>8.2} {cpu_ratio:>8.3} {own:>8.2}",
            way.name()
        );
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(
            json,
            "{comma}{{\"way\":{:?},\"wall\":{wall},\"wall_ratio\":{wall_ratio},\"cpu\":{cpu},\
             \"cpu_ratio\":{cpu_ratio},\"own_cpu\":{own}}}",
            way.name()
        );
    }
    json.push_str("]}\n");
    let target = variable("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
        PathBuf::from,
    );
    fs::write(target.join("tap.json"), json).expect("a place for the figures");
    ExitCode::SUCCESS
}
