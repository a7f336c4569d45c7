//! How prompts get into it.

use super::*;

#[test]
fn a_paste_of_300_kilobytes_arrives_whole() {
    harness::skip_if_asked!();
    for like in ["claude", "codex"] {
        let mut pane = Pane::start(&["--like", like]);
        pane.until("idle");
        let text = "0123456789 äöü ⏺ \\;'\"\n".repeat(12_000);
        assert!(text.len() > 300_000);
        pane.paste(&text, "-pr");
        pane.shows("[Pasted ");
        pane.keys(&["Enter"]);
        pane.remote.until_prompts(1).expect("the prompt");
        pane.until("idle");
        assert!(pane.prompts() == [text], "{like}: it is another text");
        pane.shows("ok: 0123456789");
    }
}

#[test]
fn typed_text_of_100_kilobytes_arrives_whole() {
    harness::skip_if_asked!();
    let mut pane = Pane::start(&["--like", "claude"]);
    pane.until("idle");
    let text = "0123456789 ".repeat(100);
    for _ in 0..100 {
        pane.keys(&["-l", "--", text.as_str()]);
    }
    pane.keys(&["Enter"]);
    pane.remote.until_prompts(1).expect("the prompt");
    assert!(pane.prompts() == [text.repeat(100)]);
}

#[test]
fn several_lines_are_one_prompt_when_they_are_pasted_as_such() {
    harness::skip_if_asked!();
    let mut pane = Pane::start(&["--like", "claude"]);
    pane.until("idle");
    pane.paste("one\ntwo\nthree", "-pr");
    pane.shows("three");
    pane.keys(&["Enter"]);
    pane.remote.until_prompts(1).expect("the prompt");
    assert_eq!(pane.prompts(), ["one\ntwo\nthree"]);
    pane.until("idle");
    // Without the marks each CR is an Enter.
    pane.paste("one\ntwo\nthree\n", "-d");
    pane.remote.until_prompts(4).expect("the prompts");
    assert_eq!(pane.prompts()[1..], ["one", "two", "three"]);
}

#[test]
fn codex_takes_a_fast_enter_for_a_new_line() {
    harness::skip_if_asked!();
    let mut pane = Pane::start(&["--like", "codex"]);
    pane.until("idle");
    pane.keys(&["-l", "hello", ";", "send-keys", "-t", "main:", "Enter"]);
    until(PATIENCE, "the new line in the draft", || {
        pane.state().draft == "hello\n"
    });
    assert_eq!(pane.state().prompts, 0);
    // One that comes later is an Enter; how fast these come is up to the machine.
    until(PATIENCE, "a slow Enter", || {
        pane.keys(&["Enter"]);
        pane.state().prompts == 1
    });
    assert_eq!(pane.prompts()[0].trim_end(), "hello");
}

#[test]
fn a_shell_without_marks_for_pastes_runs_each_line() {
    harness::skip_if_asked!();
    let mut pane = Pane::start(&["--like", "shell"]);
    pane.until("idle");
    pane.paste("echo one\necho two\n", "-p");
    pane.remote.until_prompts(2).expect("the lines");
    assert_eq!(pane.prompts(), ["echo one", "echo two"]);
    pane.shows("$ echo one\none\n$ echo two\ntwo\n$");
}

#[test]
fn a_pasted_prompt_that_meets_a_dialog_is_lost() {
    harness::skip_if_asked!();
    let mut pane = Pane::start(&["--like", "claude"]);
    pane.until("idle");
    pane.order("dialog permission");
    pane.paste("rm -rf /", "-p");
    until(PATIENCE, "the loss", || pane.state().lost_bytes == 8);
    pane.keys(&["Enter"]);
    pane.until("idle");
    let log = pane.log();
    assert_eq!(log[0]["lost"], "rm -rf /");
    assert_eq!(log[1]["dialog"], "permission");
    assert_eq!(log[1]["answer"], 1);
    assert_eq!(log.len(), 2);
}

#[test]
fn what_is_typed_before_it_reads_is_read_later() {
    harness::skip_if_asked!();
    let mut pane = Pane::start(&["--like", "claude", "--slow-start", "1s"]);
    assert_eq!(pane.state().state, "starting");
    pane.keys(&["early"]);
    pane.until("idle");
    pane.shows("❯\u{a0}early");
    assert_eq!(pane.state().draft, "early");
}

#[test]
fn an_enter_within_the_guard_of_a_paste_is_swallowed() {
    harness::skip_if_asked!();
    let mut pane = Pane::start(&["--like", "claude", "--paste-guard", "1h"]);
    pane.until("idle");
    pane.paste("hello", "-p");
    pane.keys(&["Enter"]);
    until(PATIENCE, "the Enter to be swallowed", || {
        pane.state().eaten_enters == 1
    });
    assert_eq!(pane.state().draft, "hello");
    assert_eq!(pane.prompts(), [""; 0]);
}

#[test]
fn the_hook_reads_what_was_submitted() {
    harness::skip_if_asked!();
    let seen = tempfile::NamedTempFile::new().expect("a file");
    let path = seen.path().display().to_string();
    let line = format!("cat >> '{path}'; echo >> '{path}'");
    let mut pane = Pane::start(&["--like", "claude", "--resume", "some-id", "--hook", &line]);
    pane.until("idle");
    pane.keys(&["hello"]);
    pane.shows("❯\u{a0}hello");
    pane.keys(&["Enter"]);
    let events = until_some(PATIENCE, "the end of the turn", || {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let events: Vec<serde_json::Value> = text
            .lines()
            .map_while(|line| serde_json::from_str(line).ok())
            .collect();
        (events.last()?["hook_event_name"] == "Stop").then_some(events)
    });
    assert_eq!(events[0]["source"], "resume");
    assert_eq!(events[1]["prompt"], "hello");
    assert!(events.iter().all(|event| event["session_id"] == "some-id"));
}
