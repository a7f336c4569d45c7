//! What only a whole process can show: umask, resource limits, signals, exit codes.
//!
//! A test starts this very binary again with a role to play; the players do nothing without one.
#![cfg(test)]

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use cc_kit::exit::{Exit, Failure};
use cc_kit::journal::note::{Place, Server, Source, Start};
use cc_kit::journal::{
    Kind, OpenError, Position, Reader, Stamp, Store, StoreError, Tail, WriteError, Writer,
};
use cc_kit::signals::{Shutdown, Stop};
use cc_kit::telemetry::{self, Verbosity};
use rustix::process::{Resource, Rlimit, Signal, kill_process, setrlimit};
use tracing::level_filters::LevelFilter;

const ROLE: &str = "CC_KIT_TEST_ROLE";
const READY: &str = "ready";

mod players {
    use super::*;

    /// The argument of a role, if this process is to play it.
    fn role(name: &str) -> Option<PathBuf> {
        let role = env::var(ROLE).ok()?;
        let (wanted, argument) = role.split_once(' ').unwrap();
        (wanted == name).then(|| argument.into())
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    }

    #[test]
    fn writes_with_umask() {
        let Some(directory) = role("writes_with_umask") else {
            return;
        };
        let mask = directory.file_name().unwrap().to_str().unwrap();
        let mask = rustix::fs::RawMode::from_str_radix(mask, 8).unwrap();
        let _ = rustix::process::umask(rustix::fs::Mode::from_raw_mode(mask));
        write(&directory.join("deeper/log"));
    }

    fn limited(directory: &Path) {
        let store = Store::open(directory).unwrap();
        let mut writer = store.pane(&start(), Stamp::now()).unwrap().writer;
        let limit = Some(4096);
        let limit = Rlimit {
            current: limit,
            maximum: limit,
        };
        setrlimit(Resource::Fsize, limit).unwrap();
        let none = Some(0);
        let no_core = Rlimit {
            current: none,
            maximum: none,
        };
        setrlimit(Resource::Core, no_core).unwrap();
        for _ in 0..3 {
            let position = writer.position();
            writer.output(position, Stamp::now(), |buffer| buffer.extend([b'x'; 1000]));
            // Not gathered with the next.
            writer
                .append(Kind::new(63).unwrap(), position, Stamp::now(), b"")
                .unwrap();
        }
        writer.flush().unwrap();
        let position = writer.position();
        writer.output(position, Stamp::now(), |buffer| buffer.extend([b'y'; 2000]));
        let error = writer.flush().unwrap_err();
        let WriteError::Write { unwritten, .. } = &error else {
            panic!("{error:?}");
        };
        assert_eq!(*unwritten, 2040);
        assert_eq!(writer.pending().output, 2000);
        let text = error.to_string();
        assert!(text.starts_with("cannot write 2040 bytes to "), "{text}");
        let failure = Failure::from(error);
        let _ = failure.report();
        writer.discard();
        writer.flush().unwrap();
        // A segment that cannot even begin leaves no file.
        let hundred = Rlimit {
            current: Some(100),
            ..limit
        };
        setrlimit(Resource::Fsize, hundred).unwrap();
        let path = directory.join("00000001.ccj");
        let error = Writer::create(&path, &start(), Position::default(), Stamp::now());
        assert!(matches!(error, Err(OpenError::Write(_))), "{error:?}");
        assert!(!path.exists());
    }

    #[test]
    fn writes_over_its_limit() {
        if let Some(directory) = role("writes_over_its_limit") {
            runtime().block_on(async {
                let _shutdown = Shutdown::install().unwrap();
                limited(&directory);
            });
        }
    }

    #[test]
    fn writes_over_its_limit_unprepared() {
        if let Some(directory) = role("writes_over_its_limit_unprepared") {
            limited(&directory);
        }
    }

    #[test]
    fn waits_for_two_signals() {
        if role("waits_for_two_signals").is_none() {
            return;
        }
        let stops = runtime().block_on(async {
            let mut shutdown = Shutdown::install().unwrap();
            println!("{READY}");
            let first = shutdown.requested().await;
            println!("{READY}");
            (first, shutdown.requested().await)
        });
        assert_eq!(stops, (Stop::Interrupt, Stop::Terminate));
        std::process::exit(stops.1.exit().code().into());
    }

    #[test]
    fn speaks() {
        if role("speaks").is_none() {
            return;
        }
        match telemetry::start(LevelFilter::INFO, Verbosity::default()) {
            Ok(()) => {
                tracing::debug!("a detail");
                tracing::info!("a word");
            }
            Err(error) => {
                let failure = Failure::from(error);
                let _ = failure.report();
                std::process::exit(failure.exit().code().into());
            }
        }
    }

    #[test]
    fn dies_while_it_writes() {
        let Some(directory) = role("dies_while_it_writes") else {
            return;
        };
        let store = Store::open(&directory).unwrap();
        let mut writer = store.pane(&start(), Stamp::now()).unwrap().writer;
        println!("{READY}");
        loop {
            let position = writer.position();
            writer.output(position, Stamp::now(), |buffer| {
                buffer.extend((0..100).map(|n| ((position.offset + n) % 251) as u8));
            });
            writer.flush().unwrap();
        }
    }
}

fn start() -> Start {
    Start {
        journal: cc_kit::journal::format::VERSION,
        boot_id: cc_kit::journal::clock::boot_id(),
        server: Server {
            pid: 1,
            start_time: 2,
            socket: "s".into(),
            version: "3.5a".into(),
        },
        pane: 0,
        unit: None,
        place: Place::default(),
        source: Source::Control,
        logger: "0".into(),
    }
}

/// A store with one pane and one word in it.
fn write(root: &Path) -> PathBuf {
    let store = Store::open(root).unwrap();
    let mut writer = store.pane(&start(), Stamp::now()).unwrap().writer;
    writer.output(Position::default(), Stamp::now(), |buffer| {
        buffer.extend(b"word");
    });
    writer.path().to_owned()
}

fn player(role: &str, argument: &Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", &format!("players::{role}"), "--nocapture"])
        .env(ROLE, format!("{role} {}", argument.display()))
        .env_remove("CC_LOG")
        .env_remove("NO_COLOR")
        .stdin(Stdio::null());
    command
}

/// How it ended, and its stderr.
fn play(command: &mut Command) -> (ExitStatus, String) {
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    (output.status, stderr)
}

/// Starts a player and gives what it says.
fn begin(command: &mut Command) -> (Child, BufReader<ChildStdout>) {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    (child, stdout)
}

fn until_ready(stdout: &mut impl BufRead) {
    let mut line = String::new();
    while !line.trim_end().ends_with(READY) {
        line.clear();
        assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "it ended");
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn nobody_else_can_open_what_is_made_under_any_umask() {
    let directory = tempfile::tempdir().unwrap();
    for mask in ["000", "022", "077"] {
        let home = directory.path().join(mask);
        fs::create_dir(&home).unwrap();
        let (status, stderr) = play(&mut player("writes_with_umask", &home));
        assert!(status.success(), "{stderr}");
        let root = home.join("deeper/log");
        let server = root.join(start().server.key());
        let pane = server.join("pane-0");
        for directory in [&home.join("deeper"), &root, &server, &pane] {
            assert_eq!(mode(directory), 0o700, "{} {mask}", directory.display());
        }
        for file in [
            root.join("lock"),
            server.join("server.json"),
            pane.join("00000001.ccj"),
        ] {
            assert_eq!(mode(&file), 0o600, "{} {mask}", file.display());
        }
    }
}

#[test]
fn a_file_size_limit_is_an_error_that_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let (status, stderr) = play(&mut player("writes_over_its_limit", directory.path()));
    assert!(status.success(), "{status}: {stderr}");
    let lines: Vec<_> = stderr.lines().collect();
    let said = lines.iter().position(|line| line.starts_with("error: "));
    let said = said.unwrap_or_else(|| panic!("{stderr}"));
    assert!(lines[said].contains("00000001.ccj: "), "{stderr}");
    assert!(lines[said + 1].contains("ulimit -f"), "{stderr}");
    let segment = directory
        .path()
        .join(start().server.key())
        .join("pane-0/00000001.ccj");
    let mut reader = Reader::open(&segment).unwrap();
    let output: usize = reader
        .records()
        .map(Result::unwrap)
        .filter(|record| record.kind == Kind::OUTPUT)
        .map(|record| record.payload.len())
        .sum();
    assert_eq!(output, 3000);
    assert_eq!(reader.tail(), Some(Tail::Clean));
}

#[test]
fn without_the_handler_the_limit_kills() {
    let directory = tempfile::tempdir().unwrap();
    let role = "writes_over_its_limit_unprepared";
    let (status, _) = play(&mut player(role, directory.path()));
    assert_eq!(status.signal(), Some(Signal::XFSZ.as_raw()), "{status}");
}

#[test]
fn both_signals_are_told_apart() {
    let (mut child, mut stdout) = begin(&mut player("waits_for_two_signals", "-".as_ref()));
    let pid = rustix::process::Pid::from_child(&child);
    until_ready(&mut stdout);
    kill_process(pid, Signal::INT).unwrap();
    until_ready(&mut stdout);
    kill_process(pid, Signal::TERM).unwrap();
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143), "{rest}");
}

#[test]
fn telemetry_goes_to_stderr_without_colours_and_by_the_variable() {
    let speaks = |log: Option<&str>| {
        let mut command = player("speaks", "-".as_ref());
        command.envs(log.map(|log| ("CC_LOG", log)));
        play(&mut command)
    };
    let (status, stderr) = speaks(None);
    assert!(status.success());
    assert!(
        stderr.contains("INFO process::players: a word"),
        "{stderr:?}"
    );
    assert!(!stderr.contains("a detail"), "{stderr:?}");
    assert!(!stderr.contains('\u{1b}'), "{stderr:?}");
    let (_, stderr) = speaks(Some("debug"));
    assert!(stderr.contains("a detail"), "{stderr:?}");
    let (status, stderr) = speaks(Some("process=loud"));
    assert_eq!(status.code(), Some(Exit::Usage.code().into()));
    assert!(
        stderr.contains("error: cannot read the filter in CC_LOG: "),
        "{stderr:?}"
    );
    assert!(stderr.contains("\nSet CC_LOG to a level"), "{stderr:?}");
}

#[test]
fn a_writer_that_is_killed_leaves_nothing_to_mend_by_hand() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let mut expected_epochs = 0;
    for _ in 0..10 {
        let (mut child, mut stdout) = begin(&mut player("dies_while_it_writes", root));
        until_ready(&mut stdout);
        if expected_epochs == 0 {
            assert!(matches!(Store::open(root), Err(StoreError::Busy { .. })));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        expected_epochs += 1;
    }
    let log = cc_kit::journal::panes(root).unwrap().panes.remove(0);
    assert_eq!(log.segments.len(), 1);
    let store = Store::open(root).unwrap();
    let opened = store.pane(&start(), Stamp::now()).unwrap();
    assert_eq!(opened.writer.position().epoch, expected_epochs);
    let mut reader = Reader::open(&log.segments[0]).unwrap();
    let mut next = Position::default();
    for record in reader.records().map(Result::unwrap) {
        if record.kind != Kind::OUTPUT {
            next = record.position;
            continue;
        }
        assert_eq!(record.position, next);
        for (n, byte) in (next.offset..).zip(&*record.payload) {
            assert_eq!(u64::from(*byte), n % 251);
        }
        next = record.end();
    }
    assert_eq!(reader.tail(), Some(Tail::Clean));
}
