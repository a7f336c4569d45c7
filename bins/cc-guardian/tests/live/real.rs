//! A unit that is Claude Code itself, where it is installed, and a service of ours that it talks to.

use std::fs;
use std::path::PathBuf;

use harness::claude_code::{Home, Login};
use harness::claude_code_or_skip;
use harness::messages::{Refusal, Service};
use serde_json::{Value, json};

use crate::guardian::{Guardian, PATIENCE};

/// A unit `w@1`, idle, with or without hooks that tell its guardian what happens.
fn unit(program: PathBuf, login: Login, hooks: bool) -> (Service, Guardian) {
    let service = Service::start();
    let mut guardian = Guardian::home();
    let (home, folder) = (guardian.path("claude"), guardian.path("work"));
    let home = Home::furnish(program, &home, &folder, login, &service.url());
    if hooks {
        let hook = format!("{} hook", env!("CARGO_BIN_EXE_cc-guardian"));
        let events = [
            "SessionStart",
            "UserPromptSubmit",
            "PreToolUse",
            "PostToolUse",
            "PermissionRequest",
            "Stop",
            "StopFailure",
            "SessionEnd",
        ];
        let each = json!([{"hooks": [{"type": "command", "command": hook}]}]);
        let each = events
            .iter()
            .map(|event| ((*event).to_owned(), each.clone()));
        let settings = json!({"hooks": each.collect::<serde_json::Map<_, _>>()});
        let file = guardian.path("claude/.claude/settings.json");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, settings.to_string()).unwrap();
    }
    let config = guardian.path("units.toml");
    let text = format!(
        "version = 1\n[account.team]\nafter_reset = \"1s\"\n[unit.w]\nprofile = \"claude\"\n\
         account = \"team\"\ncwd = {folder:?}\ncommand = {:?}\n",
        home.command(),
    );
    fs::write(&config, text).unwrap();
    guardian.run(&["-c", config.to_str().unwrap()]);
    guardian.ok(&["up"]);
    guardian.until_state("w@1", "idle");
    (service, guardian)
}

/// Passes when a real agent is given a prompt, asks, is answered, and is idle at last.
#[test]
fn a_real_agent_is_sent_a_prompt_and_answered() {
    let program = claude_code_or_skip!();
    for hooks in [false, true] {
        let (service, guardian) = unit(program.clone(), Login::Key, hooks);
        let sent = guardian.ok(&[
            "send",
            "w@1",
            "do: say First.\ndo: run touch made\ndo: say Made.",
        ]);
        println!("hooks {hooks}: {sent}");
        let blocked = guardian.until_state("w@1", "blocked");
        assert_eq!(blocked["sub"], "permission", "{blocked}");
        println!("{}", guardian.ok(&["why", "w@1"]));
        assert!(!guardian.path("work/made").exists());
        let said = guardian.ok(&["answer", "w@1", "yes"]);
        assert_eq!(said, "answered \"Yes\"\n");
        guardian.until_state("w@1", "idle");
        assert!(guardian.path("work/made").exists());
        assert_eq!(service.prompts().len(), 1);
        for event in guardian.events("w@1") {
            println!("{event}");
        }
    }
}

/// Passes when a real agent that is limited, with the dialog that opens then, is told to go on when that
/// is over, and not before.
#[test]
fn a_real_agent_that_was_limited_goes_on() {
    goes_on(claude_code_or_skip!(), false);
}

/// The same of one whose hooks tell of it.
#[test]
fn a_real_agent_whose_hooks_told_of_its_limit_goes_on() {
    goes_on(claude_code_or_skip!(), true);
}

fn goes_on(program: PathBuf, hooks: bool) {
    let (service, guardian) = unit(program, Login::Plan, hooks);
    // The agent says the minute in which it ends.
    let reset = jiff::Timestamp::now().as_second() + 61;
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let limit = Refusal {
        status: 429,
        kind: "rate_limit_error".to_owned(),
        message: "This would exceed your rate limit.".to_owned(),
        headers: vec![
            header("x-should-retry", "false"),
            header("anthropic-ratelimit-unified-status", "rejected"),
            header(
                "anthropic-ratelimit-unified-representative-claim",
                "five_hour",
            ),
            header("anthropic-ratelimit-unified-reset", &reset.to_string()),
        ],
    };
    service.refuse(Some(limit));
    guardian.ok(&["send", "w@1", "do: say Made."]);
    let limited = guardian.until_state("w@1", "limited");
    println!("hooks {hooks}: {limited}");
    println!("{}", guardian.ok(&["why", "w@1"]));
    service.refuse(None);
    harness::wait::until(3 * PATIENCE, "it to be told to go on", || {
        service.prompts().iter().any(|prompt| prompt == "continue")
    });
    let early = jiff::Timestamp::now().as_second();
    println!("went on {} s behind the reset", early - reset);
    let idle = guardian.until("w@1", "to be idle and free", |it: &Value| {
        it["state"] == "idle" && it["limit"].is_null()
    });
    println!("{idle}");
    for event in guardian.events("w@1") {
        println!("{event}");
    }
}
