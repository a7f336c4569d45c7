//! Pipes of the user's, hooks of the user's, respawns, and taps that come, go and are killed.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command as Program, Stdio};

use harness::process::Process;
use harness::server::{Boot, Server};
use harness::wait::{PATIENCE, until, until_async};
use harness::{pane_agent, skip_if_asked};
use tmux_cc::client::{Cause, Ending, Loss, Tap, TapError, TapHelper};
use tmux_cc::wire::Version;

use super::{Tapped, helper, hooks, nothing_is_left, numbers};
use crate::support::{follow, pane_id, pane_of, soon};

fn is_at_least(server: &Server, major: u16, minor: u16) -> bool {
    let version = Version::parse(server.version().as_bytes()).unwrap();
    version.at_least(Version::new(major, minor))
}

/// Passes when a pipe of the user's is left alone and said, and its pane is taken when that is
/// gone; and when the user's own pipe replaces ours, the same.
#[tokio::test]
async fn a_pipe_of_the_users_is_left_alone() {
    skip_if_asked!();
    let server = Server::start_with(&Boot::running(["cat"]));
    let pane = pane_of(&server, "=main:");
    let log = server.dir().join("log");
    let pipe = format!("cat >>{}", log.display());
    server.tmux(["pipe-pane", "-t", "=main:", &pipe]);
    let mut tapped = Tapped::of(&server).await;
    tapped
        .until(pane, "word of the pipe", |h| h.untapped == 1)
        .await;
    server.tmux(["send-keys", "-t", "=main:", "one", "Enter"]);
    let logged = |word: &str| fs::read_to_string(&log).is_ok_and(|log| log.contains(word));
    until(PATIENCE, "the user's log", || logged("one\r\none\r\n"));
    server.tmux(["pipe-pane", "-t", "=main:"]);
    // Nothing tells of that: a change of any kind makes it look.
    server.tmux(["new-window", "-d", "true"]);
    tapped
        .until(pane, "the first sight", |h| h.resyncs.len() == 1)
        .await;
    let screen = tapped.heard(pane).resyncs[0].screen.clone().unwrap();
    assert!(screen.visible.starts_with(b"one\none\n"));
    server.tmux(["send-keys", "-t", "=main:", "two", "Enter"]);
    tapped
        .until(pane, "two", |h| h.bytes.ends_with(b"two\r\ntwo\r\n"))
        .await;

    server.tmux(["pipe-pane", "-t", "=main:", &pipe]);
    tapped
        .until(pane, "word of the pipe", |h| h.untapped == 2)
        .await;
    server.tmux(["send-keys", "-t", "=main:", "three", "Enter"]);
    until(PATIENCE, "the user's log", || logged("three\r\nthree\r\n"));
    server.tmux(["pipe-pane", "-t", "=main:"]);
    server.tmux(["new-window", "-d", "true"]);
    tapped
        .until(pane, "a resync", |h| h.resyncs.len() == 2)
        .await;
    let resync = &tapped.heard(pane).resyncs[1];
    assert_eq!(resync.cause, Cause::PipeClosed);
    assert_eq!(resync.loss, Loss::Unknown { at_least: 0 });
    assert!(!logged("two"));

    // One that is only closed is taken back at once.
    server.tmux(["pipe-pane", "-t", "=main:"]);
    tapped
        .until(pane, "a resync", |h| h.resyncs.len() == 3)
        .await;
    server.tmux(["send-keys", "-t", "=main:", "four", "Enter"]);
    tapped
        .until(pane, "four", |h| h.bytes.ends_with(b"four\r\nfour\r\n"))
        .await;

    // A pipe of the user's at the end of the tap stays.
    server.tmux(["pipe-pane", "-t", "=main:", &pipe]);
    tapped
        .until(pane, "word of the pipe", |h| h.untapped == 3)
        .await;
    soon("the end of the tap", tapped.output.close()).await;
    assert_eq!(
        server.answer(["display-message", "-p", "-t", "=main:", "#{pane_pipe}"]),
        "1"
    );
    soon("the end", tapped.followed.close()).await;
}

/// Passes when a pane that is born in a hook of the user's, where up to 3.7c no other hook is run,
/// is found and goes on from its screen.
#[tokio::test]
async fn a_pane_that_is_born_in_a_hook_is_found() {
    skip_if_asked!();
    let server = Server::start_with(&Boot::running(["cat"]));
    let hook = "split-window -d 'echo born; exec cat'";
    server.tmux(["set-hook", "-g", "after-new-window[3]", hook]);
    let before = server.answer(["show-hooks", "-g", "after-new-window"]);
    let mut tapped = Tapped::of(&server).await;
    let window = tapped.window(&["cat"]);
    let panes = server.answer(["list-panes", "-t", &window.to_string(), "-F", "#{pane_id}"]);
    let born = pane_id(panes.lines().last().unwrap());
    assert_ne!(born, window);
    if is_at_least(&server, 3, 8) {
        tapped
            .until(born, "its first word", |h| h.bytes == b"born\r\n")
            .await;
        assert_eq!(tapped.heard(born).resyncs, []);
    } else {
        tapped
            .until(born, "the first sight", |h| h.resyncs.len() == 1)
            .await;
    }
    server.tmux(["send-keys", "-t", &born.to_string(), "word", "Enter"]);
    tapped
        .until(born, "the rest", |h| h.bytes.ends_with(b"word\r\nword\r\n"))
        .await;
    tapped.close().await;
    assert_eq!(
        server.answer(["show-hooks", "-g", "after-new-window"]),
        before
    );
}

/// Passes when a hook of the user's that waits, and so lets a new pane print before it is taken,
/// does not make a pane look complete that is not.
#[tokio::test]
async fn a_hook_that_waits_hides_no_gap() {
    skip_if_asked!();
    let server = Server::start_with(&Boot::running(["cat"]));
    let go = server.dir().join("go");
    let wait = format!(
        "run-shell 'while ! test -e {}; do sleep 0.01; done'",
        go.display()
    );
    server.tmux(["set-hook", "-g", "after-new-window[3]", &wait]);
    let mut tapped = Tapped::of(&server).await;
    let window = ["new-window", "-d", "echo first; exec cat"];
    let mut making = server.command().args(window).spawn().unwrap();
    until(PATIENCE, "the first word", || {
        let screens = server.answer(["list-panes", "-a", "-F", "#{pane_id}"]);
        screens.lines().any(|pane| {
            let shown = server.answer(["capture-pane", "-p", "-t", pane]);
            shown.starts_with("first")
        })
    });
    fs::write(&go, "").unwrap();
    making.wait().unwrap();
    let panes = server.answer(["list-panes", "-a", "-F", "#{pane_id}"]);
    let pane = pane_id(panes.lines().last().unwrap());
    tapped.until(pane, "a beginning", |_| true).await;
    server.tmux(["send-keys", "-t", &pane.to_string(), "word", "Enter"]);
    tapped
        .until(pane, "a word", |h| h.bytes.ends_with(b"word\r\nword\r\n"))
        .await;
    let heard = tapped.heard(pane);
    if heard.resyncs.is_empty() {
        assert!(heard.bytes.starts_with(b"first\r\n"), "{heard:?}");
    } else {
        let screen = heard.resyncs[0].screen.clone().unwrap();
        assert!(screen.visible.starts_with(b"first\n"), "{screen:?}");
    }
    tapped.close().await;
}

/// Passes when a pane without a program disturbs nobody.
#[tokio::test]
async fn a_pane_without_a_program_is_no_trouble() {
    skip_if_asked!();
    let server = Server::start_with(&Boot::running(["cat"]));
    let mut tapped = Tapped::of(&server).await;
    let split = [
        "split-window",
        "-dP",
        "-F",
        "#{pane_id}",
        "-t",
        "=main:",
        "",
    ];
    let made = server.tmux(split);
    assert_eq!(made.stderr, b"");
    let window = tapped.window(&["echo x; exec cat"]);
    tapped
        .until(window, "a word", |h| h.bytes == b"x\r\n")
        .await;
    assert_eq!(tapped.heard(window).resyncs, []);
    let quiet = made.stdout;
    let quiet = pane_id(str::from_utf8(&quiet).unwrap());
    assert!(!tapped.panes.contains_key(&quiet));
    tapped.close().await;
}

/// Passes when a pane that is respawned, living or dead, is delivered on, its runs whole, with a
/// gap said where there may be one.
#[tokio::test]
async fn a_respawned_pane_goes_on() {
    skip_if_asked!();
    let server = Server::start_with(&Boot::running(["cat"]));
    server.tmux(["set-option", "-g", "remain-on-exit", "on"]);
    let mut tapped = Tapped::of(&server).await;
    let pane = tapped.window(&["cat"]);
    let name = pane.to_string();
    let run = numbers(3000);
    for round in 0..10 {
        // It ends when everything has been read: what a program leaves in its terminal when it ends
        // tmux itself may lose.
        let flood = [pane_agent!(), "flood", "--lines", "3000", "--then-stay"];
        let before = tapped.panes.get(&pane).map_or(0, |h| h.bytes.len());
        server.tmux(["respawn-pane", "-k", "-t", &name].iter().chain(&flood));
        let whole = |h: &super::Heard| h.bytes.len() >= before + run.len();
        tapped.until(pane, "a whole run", whole).await;
        assert!(tapped.heard(pane).bytes[before..] == run);
        if round % 2 == 0 {
            server.tmux(["send-keys", "-t", &name, "C-d"]);
            until_async(PATIENCE, "the end of the program", async || {
                tapped.tells(pane, "#{pane_dead}") == "1"
            })
            .await;
        }
    }
    let heard = tapped.heard(pane);
    eprintln!(
        "{}: 10 runs, {} resyncs",
        server.version(),
        heard.resyncs.len()
    );
    let closes = is_at_least(&server, 3, 8);
    assert_eq!(!heard.resyncs.is_empty(), closes, "{:?}", heard.resyncs);
    assert_eq!(heard.untapped, 0, "there was no pipe but ours");
    assert!(heard.resyncs.iter().all(|r| r.cause == Cause::PipeClosed));
    server.tmux(["kill-pane", "-t", &name]);
    tapped.until(pane, "the end", |h| h.ended.is_some()).await;
    tapped.close().await;
}

/// Passes when the helper stands at a path that means something to a shell, a format, `strftime`
/// and tmux's parser.
#[tokio::test]
async fn a_helper_may_stand_anywhere() {
    skip_if_asked!();
    let server = Server::start_with(&Boot::running(["cat"]));
    let built = Path::new(env!("CARGO_BIN_EXE_tap-helper"));
    let odd: [&[u8]; 6] = [
        b"two words; and 'quotes' \"of\" `both` kinds",
        b"#{pane_id} #[bold] ##[x] #(touch made) #H",
        b"%H %% %s 100%",
        b"$HOME ${HOME} ~ \\ \\n {} }",
        b"-x * ? & | > <",
        b"caf\xc3\xa9 \xff\xfe tab\there",
    ];
    for name in odd {
        let directory = server.dir().join(OsStr::from_bytes(name));
        fs::create_dir(&directory).unwrap();
        let program = directory.join("tap helper");
        if fs::hard_link(built, &program).is_err() {
            fs::copy(built, &program).unwrap();
        }
        let helper = TapHelper::new(&program).arg("hand-over");
        let mut tapped = Tapped::with(&server, Tap::new(helper)).await;
        let pane = tapped.window(&["echo x; exec cat"]);
        let what = name.escape_ascii().to_string();
        tapped.until(pane, &what, |h| h.bytes == b"x\r\n").await;
        assert_eq!(tapped.heard(pane).resyncs, []);
        // By command too.
        let first = pane_of(&server, "=main:0");
        tapped
            .until(first, "the first sight", |h| h.resyncs.len() == 1)
            .await;
        tapped.close().await;
    }
    assert!(!server.dir().join("made").exists());
}

/// A process that holds a tap.
struct Holder {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Holder {
    fn start(server: &Server, runtime: &Path) -> Self {
        let mut child = Program::new(env!("CARGO_BIN_EXE_tap-helper"))
            .arg("hold")
            .args([server.socket().as_os_str(), server.binary()])
            .env("XDG_RUNTIME_DIR", runtime)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let mut holder = Self { child, said };
        assert_eq!(holder.line(), "ready");
        holder
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn kill(mut self) {
        Process::of(self.child.id()).kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// Passes when a tap that was killed leaves a server that works as before, and the next one
/// replaces what is left of it and leaves nothing; also its socket, in a directory that nobody else
/// may enter.
#[tokio::test]
async fn a_killed_tap_harms_nobody_and_is_replaced() {
    skip_if_asked!();
    let server = Server::start_with(&Boot::running(["cat"]));
    let quiet = pane_of(&server, "=main:");
    let runtime = server.dir().join("run");
    fs::create_dir(&runtime).unwrap();
    let mut holder = Holder::start(&server, &runtime);
    assert_eq!(holder.line(), format!("pane {quiet}"));
    let [directory] = &entries(&runtime)[..] else {
        panic!("{:?}", entries(&runtime));
    };
    let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(directory).unwrap());
    assert_eq!(mode & 0o7777, 0o700);

    let followed = follow(&server).start().await.unwrap();
    let second = soon("an answer", followed.tap(Tap::new(helper()))).await;
    assert!(matches!(&second, Err(TapError::Taken { socket }) if socket.starts_with(directory)));
    let before = hooks(&server);
    assert!(!before.is_empty());
    holder.kill();
    assert_eq!(hooks(&server), before);
    until_async(PATIENCE, "no pipe of the quiet pane", async || {
        server.answer(["display-message", "-p", "-t", "=main:", "#{pane_pipe}"]) == "0"
    })
    .await;
    // Its hooks find nobody, and say nothing.
    let made = server.tmux(["new-window", "-dP", "-F", "#{pane_id}", "cat"]);
    assert_eq!(made.stderr, b"");
    let pane = pane_id(str::from_utf8(&made.stdout).unwrap());
    server.tmux(["send-keys", "-t", &pane.to_string(), "word", "Enter"]);
    until_async(PATIENCE, "a pane that works", async || {
        let shown = server.answer(["capture-pane", "-p", "-t", &pane.to_string()]);
        shown.starts_with("word\nword")
    })
    .await;
    soon("the end", followed.close()).await;

    let mut tapped = Tapped::of(&server).await;
    assert!(entries(&runtime).is_empty());
    assert_ne!(hooks(&server), before);
    for pane in [quiet, pane] {
        tapped
            .until(pane, "the first sight", |h| h.resyncs.len() == 1)
            .await;
    }
    let window = tapped.window(&["echo x; exec cat"]);
    tapped
        .until(window, "a word", |h| h.bytes == b"x\r\n")
        .await;
    assert_eq!(tapped.heard(window).resyncs, []);
    tapped.close().await;
}

/// Passes when a tap in order leaves no socket, and one that is only dropped goes as well.
#[tokio::test]
async fn an_end_in_order_leaves_nothing() {
    skip_if_asked!();
    let server = Server::start_with(&Boot::running(["cat"]));
    let runtime = server.dir().join("run");
    fs::create_dir(&runtime).unwrap();
    let mut holder = Holder::start(&server, &runtime);
    drop(holder.child.stdin.take());
    while holder.line() != "closed" {}
    holder.child.wait().unwrap();
    assert!(entries(&runtime).is_empty());
    nothing_is_left(&server).await;

    let tapped = Tapped::of(&server).await;
    drop(tapped.output);
    until_async(PATIENCE, "no hooks", async || hooks(&server).is_empty()).await;
    nothing_is_left(&server).await;
    // Whether the tap or the server goes first.
    let tapped = Tapped::of(&server).await;
    soon("the end", tapped.followed.close()).await;
    soon("the end of the tap", tapped.output.close()).await;
    nothing_is_left(&server).await;
}

/// Passes when hooks of ours that the user has thrown away come back, and what was born meanwhile
/// is found.
#[tokio::test]
async fn hooks_that_are_thrown_away_come_back() {
    skip_if_asked!();
    let server = Server::start_with(&Boot::running(["cat"]));
    let mut tapped = Tapped::of(&server).await;
    let before = hooks(&server);
    for hook in [
        "after-new-session",
        "after-new-window",
        "after-split-window",
    ] {
        server.tmux(["set-hook", "-gu", hook]);
    }
    let window = tapped.window(&["echo x; exec cat"]);
    tapped.until(window, "a beginning", |_| true).await;
    until_async(PATIENCE, "the hooks", async || hooks(&server) == before).await;
    tapped.close().await;
}

/// Passes when the panes of the next life of a server are tapped as those of the one before.
#[tokio::test]
async fn the_next_life_is_tapped_too() {
    skip_if_asked!();
    let server = Server::start_with(&Boot::running(["cat"]));
    let mut tapped = Tapped::of(&server).await;
    for _ in 0..2 {
        let pane = tapped.window(&["echo x; exec cat"]);
        tapped.until(pane, "a word", |h| h.bytes == b"x\r\n").await;
        server.kill_hard();
        let ended = |h: &super::Heard| matches!(h.ended, Some((Ending::Server(_), _)));
        tapped.until(pane, "the end", ended).await;
        tapped.panes.clear();
        server.boot(&Boot::running(["cat"]));
        let first = pane_of(&server, "=main:");
        tapped
            .until(first, "the first sight", |h| h.resyncs.len() == 1)
            .await;
    }
    tapped.close().await;
}
