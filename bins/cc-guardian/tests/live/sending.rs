//! Prompts that arrive exactly, once, or not at all.

use std::fs;

use harness::skip_if_asked;
use harness::stand_in::Remote;
use harness::wait;
use serde_json::Value;

use crate::guardian::{Guardian, PATIENCE};

/// What a stand-in has been given, in order.
pub(crate) fn given(log: &std::path::Path) -> Vec<Vec<u8>> {
    use base64::Engine as _;
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter(|line| line.get("n").is_some())
        .map(|line| {
            let bytes = line["bytes_base64"].as_str().unwrap();
            base64::engine::general_purpose::STANDARD
                .decode(bytes)
                .unwrap()
        })
        .collect()
}

/// Passes when prompts of all shapes arrive byte for byte and in order, and the receipts say so.
#[test]
fn prompts_arrive_exactly_and_once() {
    skip_if_asked!();
    let guardian = Guardian::start();
    let log = guardian.path("given");
    guardian.up("w", 1, &["--log", log.to_str().unwrap()]);
    guardian.until_state("w@1", "idle");
    let long = "a line of the prompt\n".repeat(500) + "end";
    let prompts = [
        "hello",
        "two\nlines;",
        "naïve 日本 🙂",
        "-x $HOME \\ `id`",
        &long,
    ];
    for (number, prompt) in prompts.iter().enumerate() {
        let file = guardian.path("prompt");
        fs::write(&file, prompt).unwrap();
        let file = file.to_str().unwrap();
        let said = guardian.ok(&["send", "w@1", "-f", file, "--wait", "idle", "--json"]);
        let receipt: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(receipt["receipt"]["outcome"], "delivered", "{receipt}");
        wait::until(PATIENCE, "it to be written down", || {
            given(&log).len() == number + 1
        });
    }
    let wanted: Vec<_> = prompts
        .iter()
        .map(|prompt| prompt.as_bytes().to_vec())
        .collect();
    assert_eq!(given(&log), wanted);
    for text in ["a\u{1b}[201~b", "a\u{3}b", "a\\"] {
        let refused = guardian.ask(&["send", "w@1", text]);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    }
    assert_eq!(guardian.ask(&["send", "w@9", "x"]).status.code(), Some(4));
    assert_eq!(given(&log).len(), prompts.len());
}

/// Passes when nothing is written to a program that is busy, asks something, or is being typed to.
#[test]
fn nothing_is_typed_blindly() {
    skip_if_asked!();
    let guardian = Guardian::start();
    let (log, control) = (guardian.path("given"), guardian.path("control"));
    let (log_text, control_text) = (log.to_str().unwrap(), control.to_str().unwrap());
    guardian.up("w", 1, &["--log", log_text, "--control", control_text]);
    guardian.until_state("w@1", "idle");
    let mut agent = Remote::connect(&control).unwrap();
    agent.order("busy 1h").unwrap();
    guardian.until_state("w@1", "busy");
    let refused = guardian.ask(&["send", "w@1", "one"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    agent.order("dialog permission").unwrap();
    let blocked = guardian.until_state("w@1", "blocked");
    assert_eq!(blocked["sub"], "permission", "{blocked}");
    assert!(
        !blocked["question"]["choices"]
            .as_array()
            .unwrap()
            .is_empty(),
        "{blocked}"
    );
    let refused = guardian.ask(&["send", "w@1", "two"]);
    assert_eq!(refused.status.code(), Some(3), "{refused:?}");
    assert!(given(&log).is_empty());
}

/// Passes when a hook is heard with its token, and refused without.
#[test]
fn hooks_are_heard_with_their_token_alone() {
    skip_if_asked!();
    let guardian = Guardian::start();
    let hook = format!("{} hook", env!("CARGO_BIN_EXE_cc-guardian"));
    let words: Vec<&str> = hook.split(' ').collect();
    let mut arguments = vec![
        "--session-id",
        "11111111-2222-3333-4444-555555555555",
        "--hook",
    ];
    arguments.extend(&words);
    guardian.up("w", 1, &arguments);
    guardian.until("w@1", "its session", |unit| {
        unit["session"] == "11111111-2222-3333-4444-555555555555"
    });
    let input = r#"{"hook_event_name":"Notification","notification_type":"permission_prompt"}"#;
    let forged = guardian
        .command(&["hook", input])
        .env("CC_GUARDIAN", guardian.path("run/cc/guardian.sock"))
        .env("CC_UNIT", "w@1")
        .env("CC_HOOK_TOKEN", "00000000000000000000000000000000")
        .output()
        .unwrap();
    assert_eq!(forged.status.code(), Some(5), "{forged:?}");
    guardian.until_state("w@1", "idle");
}
