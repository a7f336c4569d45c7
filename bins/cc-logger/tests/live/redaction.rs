//! Secrets never reach the disk.

use std::process::{Command, Stdio};

use harness::server::{Boot, Server};
use harness::wait;
use rustix::process::Signal;

use crate::logger::{Logger, PATIENCE, run_on};

/// A key of the right shape that is none, put together here so that no scanner stumbles over it.
fn key() -> String {
    let body: String = (0..36)
        .map(|n| char::from(b"qzXw7Kp2Rt9LmV4n"[(n * 7 + 3) % 16]))
        .collect();
    ["ghp", &body].join("_")
}

/// Does any file below the directory hold any eight characters in a row of the secret?
fn holds(logger: &Logger, secret: &str) -> bool {
    let windows: Vec<_> = secret.as_bytes().windows(8).collect();
    walkdir(&logger.dir()).iter().any(|path| {
        let bytes = std::fs::read(path).unwrap_or_default();
        let unpacked = zstd::decode_all(&bytes[..]).unwrap_or_default();
        windows.iter().any(|window| {
            memchr::memmem::find(&bytes, window).is_some()
                || memchr::memmem::find(&unpacked, window).is_some()
        })
    })
}

fn walkdir(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walkdir(&path));
        } else if path.is_file() {
            files.push(path);
        }
    }
    files
}

/// Passes when nothing of a secret is on the disk, however it is printed: at once, over colours, over
/// lines, in a title, slowly by hand, in a screen that was there before, in a packed segment.
#[test]
fn nothing_of_a_secret_is_on_the_disk_however_it_is_printed() {
    let key = key();
    let (first, second) = key.split_at(17);
    let server = Server::start_with(&Boot::running(["sh", "-c", "exec sh"]));
    // There before the logger, so that it stands on the screen that is captured.
    server.tmux(["send-keys", "-t", "=main:", &format!(": {key}"), "Enter"]);
    wait::until(PATIENCE, "it is on the screen", || {
        server
            .answer(["capture-pane", "-p", "-t", "=main:"])
            .contains(first)
    });
    let mut logger = Logger::with(&server, &[]);
    logger.row("the pane is tapped", |row| row["source"] == "tap");
    let prints = |words: &str| {
        server.tmux([
            "new-window",
            "-d",
            "-t",
            "=main:",
            &format!("{words}; exec cat"),
        ]);
    };
    prints(&format!("echo token={key}"));
    prints(&format!(
        r"printf 'a %s\033[1;31m%s\033[0m b\n' {first} {second}"
    ));
    prints(&format!(r"printf 'a %s\n%s b\n' {first} {second}"));
    prints(&format!(r"printf '\033]2;title %s\007x' {key}"));
    prints(&format!(
        "printf %s {first}; sleep 1; printf '%s end\\n' {second}"
    ));
    // A name is written down too.
    server.tmux(["rename-window", "-t", "=main:0", &format!("named {key}")]);
    // Typed by hand: each character comes back alone.
    for character in key.chars() {
        server.tmux(["send-keys", "-t", "=main:", "-l", &character.to_string()]);
    }
    server.tmux(["send-keys", "-t", "=main:", "Enter"]);
    let taken = |pane: u32| {
        logger.row(&format!("%{pane} is taken out"), |row| {
            row["pane"] == format!("%{pane}") && row["redacted"].as_u64().unwrap() > 0
        });
    };
    (0..=5).filter(|pane| *pane != 4).for_each(taken);
    wait::until(PATIENCE, "the slow one has ended", || {
        String::from_utf8_lossy(&logger.raw("%5")).contains("end")
    });
    assert!(logger.ask(["rotate"]).status.success());
    assert!(!holds(&logger, &key));
    logger.stop(Signal::TERM);
    assert!(!holds(&logger, &key));
    let text = String::from_utf8(logger.raw("%1")).unwrap();
    assert!(text.starts_with("token=<redacted:github-"), "{text}");
    // One secret is known as one.
    let hash = |pane: &str| {
        let text = String::from_utf8(logger.raw(pane)).unwrap();
        let (_, from) = text.split_once("<redacted:").unwrap();
        from.split_once('>').unwrap().0.to_owned()
    };
    assert_eq!(hash("%1"), hash("%2"));
    assert_eq!(hash("%1"), hash("%3"));
    assert!(logger.ask(["verify"]).status.success());
}

#[test]
fn the_values_of_secret_variables_of_the_server_are_taken_out() {
    let server = Server::start_with(&Boot::running(["sh", "-c", "exec cat"]));
    server.tmux([
        "set-environment",
        "-g",
        "DEPLOY_TOKEN",
        "no-rule-knows-this-one",
    ]);
    let mut logger = Logger::new();
    let mut run = run_on(&server);
    run.env("OUR_API_KEY", "nor-does-any-know-that");
    logger.start_as(run);
    logger.row("the pane is tapped", |row| row["source"] == "tap");
    let words = "echo no-rule-knows-this-one nor-does-any-know-that and this; exec cat";
    server.tmux(["new-window", "-d", "-t", "=main:", words]);
    logger.row("both are taken out", |row| {
        row["pane"] == "%1" && row["redacted"] == 2
    });
    logger.stop(Signal::TERM);
    assert!(!holds(&logger, "no-rule-knows-this-one"));
    assert!(!holds(&logger, "nor-does-any-know-that"));
    assert!(
        String::from_utf8(logger.raw("%1"))
            .unwrap()
            .ends_with("> and this\r\n")
    );
}

#[test]
fn rules_can_be_listed_and_tried() {
    let run = |args: &[&str], input: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cc-logger"))
            .args(args)
            .env("HOME", "/nowhere")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (rules, _) = run(&["rules", "ls"], "");
    assert!(rules.lines().count() > 50, "{rules}");
    let (text, said) = run(
        &["redact", "test", "-"],
        &format!("before {} after\n", key()),
    );
    assert!(
        text.starts_with("before <redacted:github-") && text.ends_with("> after\n"),
        "{text}"
    );
    assert!(said.contains("1 secrets"), "{said}");
}
