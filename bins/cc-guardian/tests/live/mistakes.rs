//! What is done wrongly: one clear sentence, a documented exit code, and nothing is lost.

use std::fs;

use harness::skip_if_asked;

use crate::guardian::Guardian;

/// Passes when every mistake of a file is said with its line, and nothing is started.
#[test]
fn a_bad_file_starts_nothing() {
    skip_if_asked!();
    let guardian = Guardian::home();
    let config = guardian.path("units.toml");
    fs::write(
        &config,
        "version = 1\n[unit.a]\ncommand = []\n[unit.b]\ncommand = [\"x\"]\nhang_afer = \"1m\"\n",
    )
    .unwrap();
    let path = config.to_str().unwrap();
    for arguments in [
        &["up", "-c", path][..],
        &["check", path],
        &["run", "-c", path],
    ] {
        let output = guardian.ask(arguments);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        for place in ["units.toml:3:", "units.toml:6:"] {
            assert!(said.contains(place), "{arguments:?}: {said}");
        }
        assert!(said.contains("hang_after"), "{said}");
    }
    assert!(!guardian.path("run/cc/tmux/default").exists());
    assert_eq!(guardian.ask(&["ls"]).status.code(), Some(69));
}

/// Passes when screens can be explained without a guardian and without tmux.
#[test]
fn a_screen_is_explained() {
    let guardian = Guardian::home();
    let screen = guardian.path("screen");
    fs::write(&screen, "429 Too Many Requests\n").unwrap();
    let path = screen.to_str().unwrap();
    let said = guardian.ok(&["explain", "--profile", "claude", "--file", path, "--json"]);
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&said["v"], &said["state"]), (&1.into(), &"unknown".into()));
    let wrong = guardian.ask(&["explain", "--profile", "claud", "--file", path]);
    assert_eq!(wrong.status.code(), Some(2));
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert!(said.contains("claude, codex"), "{said}");
}
