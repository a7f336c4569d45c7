//! A running `cc-logger`, and what it has written.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use cc_kit::journal::note::{End, Gap, Note, ProgramExit};
use cc_kit::journal::{Entry, Reader, Tail, panes};
use harness::process::Process;
use harness::server::Server;
use harness::wait;
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take: generous, for machines that do other work too.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The stand-in program for panes, built beside our own binary.
pub(crate) fn pane_agent() -> PathBuf {
    let agent = Path::new(env!("CARGO_BIN_EXE_cc-logger")).with_file_name("pane-agent");
    assert!(
        agent.exists(),
        "build it first: cargo build -p tests --bin pane-agent"
    );
    agent
}

/// Is everything to be run at full scale?
pub(crate) fn full() -> bool {
    std::env::var_os("TMUX_CC_FULL").is_some_and(|value| value == "1")
}

/// A directory of logs, and the logger that may run on it.
pub(crate) struct Logger {
    dir: TempDir,
    running: Option<Running>,
}

struct Running {
    child: Child,
    said: Arc<Mutex<String>>,
    listener: Option<JoinHandle<()>>,
}

impl Logger {
    /// A directory without a logger.
    pub(crate) fn new() -> Self {
        Self {
            dir: TempDir::with_prefix("cc-logs-").unwrap(),
            running: None,
        }
    }

    /// A logger of one server, which writes down what comes as it is.
    pub(crate) fn on(server: &Server) -> Self {
        let mut logger = Self::new();
        logger.start(server);
        logger
    }

    /// The same by control mode alone.
    pub(crate) fn by_control(server: &Server) -> Self {
        Self::with(server, &["--no-redact", "--source", "control"])
    }

    /// A logger of one server with flags.
    pub(crate) fn with(server: &Server, flags: &[&str]) -> Self {
        let mut logger = Self::new();
        logger.start_with(server, flags);
        logger
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.dir.path().join("logs")
    }

    /// Starts a logger of one server.
    pub(crate) fn start(&mut self, server: &Server) {
        self.start_with(server, &["--no-redact"]);
    }

    /// The same with flags.
    pub(crate) fn start_with(&mut self, server: &Server, flags: &[&str]) {
        let mut command = run_on(server);
        command.args(flags);
        self.start_as(command);
    }

    /// Starts a logger by a command to which only the directory is missing.
    pub(crate) fn start_as(&mut self, mut command: Command) {
        assert!(self.running.is_none(), "it runs already");
        let mut child = command
            .arg("--dir")
            .arg(self.dir())
            .env_remove("TMUX")
            .env_remove("XDG_CONFIG_HOME")
            .env("HOME", self.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let stderr = child.stderr.take().unwrap();
        let heard = Arc::clone(&said);
        let listener = thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut heard = heard.lock().unwrap();
                heard.push_str(&line);
                heard.push('\n');
            }
        });
        self.running = Some(Running {
            child,
            said,
            listener: Some(listener),
        });
    }

    fn running(&mut self) -> &mut Running {
        self.running.as_mut().expect("the logger does not run")
    }

    pub(crate) fn process(&mut self) -> Process {
        Process::of(self.running().child.id())
    }

    /// Waits until it has said something.
    pub(crate) fn hear(&mut self, words: &str) {
        self.hear_times(words, 1);
    }

    /// What it has said so far.
    pub(crate) fn told(&mut self) -> String {
        self.running().said.lock().unwrap().clone()
    }

    /// Waits until it has said something so many times.
    pub(crate) fn hear_times(&mut self, words: &str, times: usize) {
        let running = self.running();
        wait::until(PATIENCE, &format!("{words:?} {times} times"), || {
            let said = running.said.lock().unwrap();
            assert!(
                running.child.try_wait().unwrap().is_none(),
                "the logger has ended, waiting for {words:?}: {said}"
            );
            said.matches(words).count() >= times
        });
    }

    /// Waits until it ends, and gives its status and everything it said.
    pub(crate) fn wait(&mut self) -> (ExitStatus, String) {
        let mut running = self.running.take().unwrap();
        let status = wait::until_some(PATIENCE, "the logger ends", || {
            running.child.try_wait().unwrap()
        });
        running.listener.take().unwrap().join().unwrap();
        let said = running.said.lock().unwrap().clone();
        (status, said)
    }

    /// Asks it to stop, and expects that it does so in order.
    pub(crate) fn stop(&mut self, signal: Signal) -> String {
        self.process().signal(signal).unwrap();
        let (status, said) = self.wait();
        assert_eq!(status.code(), Some(0), "{said}");
        said
    }

    /// Runs `cc-logger` with the directory as its last argument.
    pub(crate) fn ask<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Output {
        Command::new(env!("CARGO_BIN_EXE_cc-logger"))
            .args(args)
            .arg("--dir")
            .arg(self.dir())
            .output()
            .unwrap()
    }

    /// The rows of `ls --json`; none while there is no directory.
    pub(crate) fn rows(&self) -> Vec<Value> {
        let output = self.ask(["ls", "--json"]);
        if output.status.code() == Some(7) {
            return Vec::new();
        }
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let listed: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(listed["v"], 1);
        listed["panes"].as_array().unwrap().clone()
    }

    /// Waits for a row of `ls --json`.
    pub(crate) fn row(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        wait::until_some(PATIENCE, what, || self.rows().into_iter().find(&wanted))
    }

    /// What `cat --raw` prints.
    pub(crate) fn raw(&self, selector: &str) -> Vec<u8> {
        let output = self.ask(["cat", "--raw", selector]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }

    /// What a pane's journal holds: its bytes, cut at every gap, and its notes.
    pub(crate) fn journal(&self, pane: u32) -> Journal {
        let mut journal = Journal {
            stretches: vec![Vec::new()],
            ..Journal::default()
        };
        for log in panes(&self.dir()).unwrap().panes {
            if log.pane != pane {
                continue;
            }
            for segment in &log.segments {
                let mut reader = Reader::open(segment).unwrap();
                while let Some(record) = reader.next_record().unwrap() {
                    match record.typed().unwrap() {
                        Entry::Output(bytes) => {
                            journal
                                .stretches
                                .last_mut()
                                .unwrap()
                                .extend_from_slice(bytes);
                        }
                        Entry::Note(note) => {
                            if matches!(note, Note::Gap(_)) {
                                journal.stretches.push(Vec::new());
                            }
                            journal.notes.push(note);
                        }
                        other => panic!("not understood: {other:?}"),
                    }
                }
                journal.torn |= reader.tail() != Some(Tail::Clean);
            }
        }
        journal
    }
}

impl Drop for Logger {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _ = running.child.kill();
            let _ = running.child.wait();
            if thread::panicking() {
                eprintln!("the logger said:\n{}", running.said.lock().unwrap());
            }
        }
    }
}

/// `cc-logger run` on one server.
pub(crate) fn run_on(server: &Server) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cc-logger"));
    command
        .arg("run")
        .arg("-S")
        .arg(server.socket())
        .arg("--tmux")
        .arg(server.binary());
    command
}

/// What a pane's journal holds.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    pub(crate) stretches: Vec<Vec<u8>>,
    pub(crate) notes: Vec<Note>,
    pub(crate) torn: bool,
}

impl Journal {
    pub(crate) fn gaps(&self) -> Vec<&Gap> {
        let notes = self.notes.iter();
        notes
            .filter_map(|note| match note {
                Note::Gap(gap) => Some(gap),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn exit(&self) -> Option<&ProgramExit> {
        self.notes.iter().rev().find_map(|note| match note {
            Note::Exit(exit) => Some(exit),
            _ => None,
        })
    }

    pub(crate) fn end(&self) -> Option<&End> {
        match self.notes.last() {
            Some(Note::End(end)) => Some(end),
            _ => None,
        }
    }

    /// Checks that every stretch is a piece of `0`, `1`, `2` and so on, a number a line, each behind
    /// the one before: every byte once and in order, or a stated gap.
    pub(crate) fn counts_up(&self) {
        let mut from = 0_u64;
        for (index, stretch) in self.stretches.iter().enumerate() {
            // The first line may be cut: the one behind it says which it is.
            let Some(at) = memchr::memmem::find(stretch, b"\r\n") else {
                continue;
            };
            let (begun, rest) = stretch.split_at(at + 2);
            let Some(end) = memchr::memmem::find(rest, b"\r\n") else {
                continue;
            };
            let first: u64 = str::from_utf8(&rest[..end]).unwrap().parse().unwrap();
            // It may also be cut between its CR and its LF.
            let before = format!("{}\r\n{}\r\n", first.saturating_sub(2), first - 1);
            assert!(
                before.as_bytes().ends_with(begun),
                "stretch {index} at {first}"
            );
            assert!(
                first >= from,
                "stretch {index} begins at {first}, not behind {from}"
            );
            let mut rest = rest;
            from = first;
            while !rest.is_empty() {
                let line = format!("{from}\r\n").into_bytes();
                let length = line.len().min(rest.len());
                assert!(
                    rest.starts_with(&line[..length]),
                    "stretch {index} at {from}"
                );
                rest = &rest[length..];
                from += 1;
            }
        }
    }

    /// Checks that every stretch is a piece of `whole`, each behind the one before: every byte
    /// once and in order, or a stated gap.
    pub(crate) fn is_cut_from(&self, whole: &[u8]) {
        let mut from = 0;
        for (index, stretch) in self.stretches.iter().enumerate() {
            let rest = &whole[from..];
            let at = memchr::memmem::find(rest, stretch).unwrap_or_else(|| {
                panic!(
                    "stretch {index} of {} bytes is no piece of what was printed behind {from}: \
                     {:?}...",
                    stretch.len(),
                    String::from_utf8_lossy(&stretch[..stretch.len().min(60)])
                )
            });
            from += at + stretch.len();
        }
    }
}

/// What `pane-agent flood --lines LINES` prints, behind the tty.
pub(crate) fn flood(lines: u32) -> Vec<u8> {
    (0..lines)
        .flat_map(|line| format!("{line}\r\n").into_bytes())
        .collect()
}
