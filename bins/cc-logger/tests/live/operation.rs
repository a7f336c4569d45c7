//! A daemon around the clock: configuration, signals, the control socket, metrics, and what is kept.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

use cc_kit::journal::note::Note;
use harness::server::{Boot, Server};
use harness::wait;
use rustix::process::Signal;
use serde_json::Value;

use crate::logger::{Logger, PATIENCE, run_on};

fn cat() -> Server {
    Server::start_with(&Boot::running(["sh", "-c", "exec cat"]))
}

/// Types a line, which the pane prints twice: the echo, and what `cat` says.
fn types(server: &Server, line: &str) {
    server.tmux(["send-keys", "-t", "=main:", line, "Enter"]);
}

fn said(logger: &Logger, args: &[&str]) -> (Option<i32>, String) {
    let output = logger.ask(args);
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn marks_segments_and_what_is_kept_can_be_asked_for_while_it_runs() {
    let server = cat();
    let mut logger = Logger::on(&server);
    logger.row("the pane is tapped", |row| row["source"] == "tap");
    types(&server, "before");
    logger.row("it is logged", |row| row["bytes"] == 16);
    assert_eq!(
        said(&logger, &["mark", "main", "an \u{1b}[31mupgrade"]),
        (Some(0), "marked 1 pane\n".into())
    );
    assert_eq!(said(&logger, &["mark", "nobody", "x"]).0, Some(4));
    assert_eq!(
        said(&logger, &["rotate"]),
        (Some(0), "began 1 segments\n".into())
    );
    types(&server, "after");
    logger.row("it is logged", |row| row["bytes"] == 30);
    let (code, stats) = said(&logger, &["stats", "--json"]);
    let stats: Value = serde_json::from_str(&stats).unwrap();
    assert_eq!(
        (code, &stats["bytes"], &stats["panes"]),
        (Some(0), &30.into(), &1.into())
    );
    assert_eq!(said(&logger, &["gc"]).0, Some(0));
    let packed = || {
        let found = Command::new("find").arg(logger.dir()).output().unwrap();
        String::from_utf8(found.stdout)
            .unwrap()
            .contains("00000001.ccj.zst")
    };
    wait::until(PATIENCE, "the closed segment is packed", packed);
    logger.stop(Signal::TERM);
    assert_eq!(said(&logger, &["mark", "main", "x"]).0, Some(69));
    assert_eq!(said(&logger, &["stats"]).0, Some(69));
    // Over both segments, one of which is packed.
    let (_, text) = said(&logger, &["cat", "%0"]);
    let at = |words: &str| {
        text.find(words)
            .unwrap_or_else(|| panic!("{words:?} in {text}"))
    };
    assert!(at("before") < at("mark: an \\x1b[31mupgrade") && at("mark: ") < at("after"));
    assert_eq!(logger.raw("%0"), b"before\r\nbefore\r\nafter\r\nafter\r\n");
    let (code, found) = said(&logger, &["grep", "--json", "^af"]);
    assert_eq!(code, Some(0));
    assert_eq!(found.lines().count(), 2);
    assert_eq!(
        said(&logger, &["grep", "nowhere"]),
        (Some(1), String::new())
    );
    assert_eq!(said(&logger, &["grep", "("]).0, Some(2));
    assert_eq!(said(&logger, &["verify"]).0, Some(0));
}

#[test]
fn everything_that_is_made_is_its_owners_alone() {
    let server = cat();
    let mut logger = Logger::new();
    let mut command = Command::new("sh");
    let run = run_on(&server);
    command
        .args(["-c", "umask 0; exec \"$0\" \"$@\""])
        .arg(run.get_program())
        .args(run.get_args());
    logger.start_as(command);
    logger.row("the pane is tapped", |row| row["source"] == "tap");
    types(&server, "x");
    logger.row("it is logged", |row| row["bytes"] == 6);
    let found = Command::new("find").arg(logger.dir()).output().unwrap();
    let found = String::from_utf8(found.stdout).unwrap();
    assert!(
        found.contains("/control\n") && found.contains(".ccj\n"),
        "{found}"
    );
    for path in found.lines() {
        let mode = fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777;
        let expected = if fs::metadata(path).unwrap().is_dir() {
            0o700
        } else {
            0o600
        };
        assert_eq!(mode, expected, "{path}");
    }
    logger.stop(Signal::TERM);
    assert!(!logger.dir().join("control").exists());
}

#[test]
fn a_configuration_is_read_again_when_it_changed_and_kept_when_it_is_wrong() {
    let server = cat();
    let mut logger = Logger::new();
    let file = server.dir().join("logger.toml");
    let write = |text: &str| fs::write(&file, text).unwrap();
    write("[segment]\nsize = \"64M\"\n[redact]\nenabled = false\n");
    logger.start_with(&server, &["--config", file.to_str().unwrap()]);
    logger.row("the pane is tapped", |row| row["source"] == "tap");
    types(&server, "the word is swordfish-one");
    logger.row("it is logged", |row| row["bytes"] == 54);
    let hangup = |logger: &mut Logger| logger.process().signal(Signal::HUP).unwrap();

    write("[segment]\nsize = \"large\"\n");
    hangup(&mut logger);
    logger.hear("logger.toml:2:8: \"large\" is no size");
    assert_eq!(said(&logger, &["stats"]).0, Some(0));

    write(
        "[[redact.rule]]\nid = \"word\"\nregex = \"swordfish-[a-z]+\"\nkeywords = [\"swordfish\"]\n",
    );
    hangup(&mut logger);
    logger.hear("the configuration was read again");
    types(&server, "the word is swordfish-two");
    logger.row("it is taken out", |row| row["redacted"] == 2);
    logger.stop(Signal::TERM);
    let kept = String::from_utf8(logger.raw("%0")).unwrap();
    assert!(
        kept.contains("swordfish-one") && !kept.contains("swordfish-two"),
        "{kept}"
    );
    assert!(kept.contains("<redacted:word:"), "{kept}");
}

#[test]
fn a_mistake_in_a_configuration_is_said_with_its_line_and_nothing_is_started() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("logger.toml");
    let check = |text: &str| {
        fs::write(&file, text).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_cc-logger"))
            .args(["check", "--config"])
            .arg(&file)
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    };
    let full = "dir = \"~/logs\"\nservers = [\"default\", \"ci\", \"/run/s\"]\nall_groups = true\n\
        source = \"tap\"\nsync = \"always\"\nmetrics = \"127.0.0.1:0\"\n\
        [segment]\nsize = \"64M\"\nage = \"day\"\n[retain]\nage = \"30d\"\ntotal = \"20G\"\n\
        min_free = \"2G\"\n[compress]\nlevel = 3\nframe = \"1MiB\"\n\
        [redact]\nenv = [\"*_KEY\"]\nallow = [\"EXAMPLE\"]\n";
    let (code, said) = check(full);
    assert_eq!(code, Some(0), "{said}");
    for (text, wrong) in [
        ("dirr = \"x\"\n", "1:1: unknown field `dirr`"),
        ("\nsource = \"pipe\"\n", "2:10: unknown variant `pipe`"),
        ("sync = \"often\"\n", "1:8: \"often\" is no way to sync"),
        ("[segment]\nage = \"0s\"\n", "2:7: \"0s\" is no age"),
        ("[compress]\nlevel = 40\n", "2:9: level 40 is none"),
        ("[retain]\ntotal = -1\n", "2:9: expected a size"),
        ("metrics = \"everywhere\"\n", "1:11: "),
        (
            "metrics = \"0.0.0.0:9464\"\n",
            "is not on this machine alone",
        ),
        ("[[redact.rule]]\nid = \"x\"\nregex = \"(\"\n", "x"),
        ("[redact]\nenv = [\"[\"]\n", "error parsing glob"),
    ] {
        let (code, said) = check(text);
        assert_eq!(code, Some(2), "{text:?}: {said}");
        assert!(said.contains(wrong), "{text:?}: {said}");
    }
}

#[test]
fn prometheus_is_answered_on_this_machine_and_no_stranger_is() {
    let server = cat();
    let mut logger = Logger::with(&server, &["--no-redact", "--metrics", "127.0.0.1:0"]);
    logger.row("the pane is tapped", |row| row["source"] == "tap");
    types(&server, "counted");
    logger.row("it is logged", |row| row["bytes"] == 18);
    let told = logger.told();
    let address = told
        .lines()
        .find_map(|line| line.split_once("http://")?.1.strip_suffix("/metrics"))
        .unwrap()
        .to_owned();
    let get = |path: &str, host: &str| {
        let mut stream = TcpStream::connect(&address).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let answer = get("/metrics", &address);
    for line in [
        "cc_log_bytes_total 18",
        "cc_log_panes 1",
        "cc_log_gap_bytes_total 0",
        "# EOF",
    ] {
        assert!(answer.contains(line), "{line}: {answer}");
    }
    assert!(get("/", &address).starts_with("HTTP/1.1 404"));
    assert!(get("/metrics", "evil.example").starts_with("HTTP/1.1 403"));
    logger.stop(Signal::TERM);
}

#[test]
fn the_control_socket_tells_what_only_raw_bytes_show() {
    let server = cat();
    let mut logger = Logger::on(&server);
    logger.row("the pane is tapped", |row| row["source"] == "tap");
    let connect = |request: &str| {
        let mut stream = cc_kit::control::connect(&logger.dir().join("control")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        writeln!(stream, "{request}").unwrap();
        BufReader::new(stream)
            .lines()
            .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap())
    };
    let mut facts = connect(r#"{"do":"facts","selector":"main"}"#);
    let mut output = connect(r#"{"do":"follow","selector":"%*"}"#);
    // A selector that is none is said, and so is what nobody knows.
    assert!(output.next().unwrap()["error"].is_string());
    assert!(connect(r#"{"do":"dance"}"#).next().unwrap()["error"].is_string());
    let mut output = connect(r#"{"do":"follow","selector":"main"}"#);
    for told in [&mut facts, &mut output] {
        assert_eq!(told.next().unwrap()["listening"], true);
    }
    let program =
        r"printf '\033]9;4;1;50\007\033]7501;busy\033\\\033]2;a title\007\007done\n'; exec cat";
    server.tmux(["respawn-pane", "-k", "-t", "=main:", program]);
    let mut heard = Vec::new();
    while heard.len() < 4 {
        let fact = facts.next().unwrap();
        assert_eq!(fact["pane"]["pane"], "%0");
        heard.push(fact);
    }
    let has = |wanted: &dyn Fn(&Value) -> bool| assert!(heard.iter().any(wanted), "{heard:?}");
    has(&|fact| fact["osc"]["code"] == 9 && fact["osc"]["text"] == "4;1;50");
    has(&|fact| fact["osc"]["code"] == 7501 && fact["osc"]["text"] == "busy");
    has(&|fact| fact["title"] == "a title");
    has(&|fact| fact["bells"] == 1);
    let mut text = String::new();
    while !text.contains("done\r\n") {
        text.push_str(
            output.next().unwrap()["output"]
                .as_str()
                .unwrap_or_default(),
        );
    }
    logger.stop(Signal::TERM);
    let notes = logger.journal(0).notes;
    assert!(
        notes
            .iter()
            .any(|note| matches!(note, Note::Title(title) if title.title == "a title"))
    );
    assert!(
        notes
            .iter()
            .any(|note| matches!(note, Note::Osc(osc) if osc.code == 7501))
    );
}

#[test]
fn follow_prints_what_comes_of_panes_old_and_new_and_over_segments() {
    let server = cat();
    let mut logger = Logger::on(&server);
    logger.row("the pane is tapped", |row| row["source"] == "tap");
    types(&server, "old");
    logger.row("it is logged", |row| row["bytes"] == 10);
    let mut follow = Command::new(env!("CARGO_BIN_EXE_cc-logger"))
        .args(["follow", "*", "-n", "0", "--dir"])
        .arg(logger.dir())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(follow.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    // Told apart from what was there before it began to look.
    let mut until = |wanted: &str| lines.find(|line| line == wanted).unwrap();
    let typing = || types(&server, "tick");
    wait::until(PATIENCE, "it follows", || {
        typing();
        std::thread::sleep(Duration::from_millis(20));
        logger.rows()[0]["bytes"].as_u64().unwrap() > 100
    });
    until("tick");
    said(&logger, &["rotate"]);
    types(&server, "behind");
    until("behind");
    let words = [
        "new-window",
        "-d",
        "-t",
        "=main:",
        "echo 'a \u{1b}[31mnew\u{1b}[0m one'; exec cat",
    ];
    server.tmux(words);
    until("a new one");
    follow.kill().unwrap();
    follow.wait().unwrap();
    logger.stop(Signal::TERM);
}

#[test]
fn readiness_and_signs_of_life_are_told_to_a_supervisor() {
    let server = cat();
    let mut logger = Logger::new();
    let path = server.dir().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = run_on(&server);
    command
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "600000");
    logger.start_as(command);
    let mut heard = String::new();
    while !heard.contains("READY=1") || heard.matches("WATCHDOG=1").count() < 3 {
        let mut buffer = [0; 256];
        let got = socket.recv(&mut buffer).unwrap();
        heard.push_str(str::from_utf8(&buffer[..got]).unwrap());
    }
    logger.stop(Signal::TERM);
}

#[test]
fn what_is_kept_too_long_goes_oldest_first_and_what_is_open_stays() {
    let server = cat();
    let mut logger = Logger::new();
    let file = server.dir().join("logger.toml");
    fs::write(
        &file,
        "[retain]\ntotal = \"1k\"\n[redact]\nenabled = false\n",
    )
    .unwrap();
    logger.start_with(&server, &["--config", file.to_str().unwrap()]);
    logger.row("the pane is tapped", |row| row["source"] == "tap");
    for line in ["first", "second", "third"] {
        types(&server, line);
        wait::until(PATIENCE, "it is logged", || {
            String::from_utf8(logger.raw("%0"))
                .unwrap()
                .matches(line)
                .count()
                == 2
        });
        said(&logger, &["rotate"]);
    }
    wait::until(PATIENCE, "what is closed goes", || {
        said(&logger, &["gc"]);
        logger.raw("%0").is_empty()
    });
    types(&server, "last");
    wait::until(PATIENCE, "it is logged", || {
        logger.raw("%0") == b"last\r\nlast\r\n"
    });
    logger.stop(Signal::TERM);
}

#[test]
fn every_server_of_a_guardian_is_followed_as_it_comes() {
    let (one, two) = (cat(), cat());
    let runtime = one.dir().join("run");
    let groups = runtime.join("cc/tmux");
    fs::create_dir_all(&groups).unwrap();
    let mut logger = Logger::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cc-logger"));
    command
        .args(["run", "--all-groups", "--no-redact", "--tmux"])
        .arg(one.binary())
        .env("XDG_RUNTIME_DIR", &runtime);
    logger.start_as(command);
    for (name, server) in [("alpha", &one), ("beta", &two)] {
        // Under the name that its guardian gave it.
        fs::hard_link(server.socket(), groups.join(name)).unwrap();
        let pid = server.pid();
        logger.row("its pane is known", |row| row["server"]["pid"] == pid);
        types(server, name);
        logger.row("it is logged", |row| {
            row["server"]["pid"] == pid && row["bytes"] == 2 * (name.len() + 2)
        });
    }
    logger.stop(Signal::TERM);
}
