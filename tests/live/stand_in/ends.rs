//! How it ends, and what is left then.

use super::*;

#[test]
fn a_crash_is_what_the_pane_says_it_was() {
    harness::skip_if_asked!();
    for (line, says) in [
        ("crash exit 7", "7|"),
        ("crash signal 9", "|9"),
        ("crash signal 15", "|15"),
    ] {
        let mut pane = Pane::start(&["--like", "claude"]);
        pane.until("idle");
        pane.keys(&["half"]);
        pane.shows("❯\u{a0}half");
        pane.order(line);
        assert_eq!(pane.ended(), says, "{line}");
        assert_eq!(pane.ask("#{pane_title}"), "✳ Claude Code");
        assert_eq!(pane.log()[0]["draft"], "half");
    }
}

#[test]
fn the_end_gives_the_terminal_back() {
    harness::skip_if_asked!();
    let server = Server::empty();
    let words = Pane::command(&server, &["--like", "claude", "--resume", "some-id"]);
    server.boot(&Boot::default());
    let line = format!("{}; stty -a | grep -o ' echo '; cat", words.join(" "));
    server.tmux(["send-keys", "-t", "main:", line.as_str(), "Enter"]);
    let remote = Remote::connect(&server.dir().join("control")).expect("it listens");
    let mut pane = Pane { server, remote };
    pane.until("idle");
    pane.keys(&["/exit"]);
    pane.shows("❯\u{a0}/exit");
    pane.keys(&["Enter"]);
    pane.shows("Resume this session with: claude --resume some-id\n echo\n");
    assert_eq!(pane.ask("#{pane_title}"), "");
    assert!(!pane.file("control").exists());
    // Were pastes still marked, `cat` would show it.
    pane.paste("plain", "-p");
    pane.shows("\nplain");
}

#[test]
fn what_ignores_sighup_outlives_its_pane() {
    harness::skip_if_asked!();
    let mut pane = Pane::start(&["--like", "claude", "--ignore-hup"]);
    pane.until("idle");
    pane.order("fork 10m");
    let (agent, report) = (pane.process(), pane.state());
    let child = Process::of(report.children[0]);
    pane.server.tmux(["new-window"]);
    pane.server.tmux(["kill-pane", "-t", "main:0"]);
    until(PATIENCE, "it to miss its terminal", || {
        !pane.state().terminal
    });
    assert!(agent.alive() && child.alive());
    child.kill().expect("a child of our program");
    agent.kill().expect("our program");
    until(PATIENCE, "both to be gone", || {
        !agent.alive() && !child.alive()
    });
}

#[test]
fn without_a_pane_it_ends_and_its_child_does_not() {
    harness::skip_if_asked!();
    for like in ["claude", "codex", "shell"] {
        let mut pane = Pane::start(&["--like", like]);
        pane.until("idle");
        pane.order("fork 10m");
        let child = Process::of(pane.state().children[0]);
        let agent = pane.process();
        pane.order("hang");
        pane.server.tmux(["new-window"]);
        pane.server.tmux(["kill-pane", "-t", "main:0"]);
        until(PATIENCE, "the program to be gone", || !agent.alive());
        assert!(child.alive());
        child.kill().expect("a child of our program");
    }
}

#[test]
fn an_orphan_does_not_live_for_ever() {
    harness::skip_if_asked!();
    let args = ["--like", "claude", "--ignore-hup", "--orphan-for", "1s"];
    let mut pane = Pane::start(&args);
    pane.until("idle");
    let agent = pane.process();
    pane.server.tmux(["new-window"]);
    pane.server.tmux(["kill-pane", "-t", "main:0"]);
    until(PATIENCE, "the orphan to be gone", || !agent.alive());
}
