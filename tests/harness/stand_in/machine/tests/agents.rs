//! What is peculiar to one agent, or made to be.

use super::*;

#[test]
fn claude_says_its_state_in_title_and_rows() {
    let mut play = Play::new(Like::Claude);
    assert_eq!(play.title(), "✳ Claude Code");
    play.shows("\n❯\u{a0}\n─");
    play.shows("? for shortcuts");
    play.order("busy").wait(12_000);
    assert_eq!(play.title(), "⠂ Claude Code");
    play.shows("Pondering… (12s · ↓ 1.2k tokens)")
        .shows("  esc to interrupt · ← for agents");
    play.wait(1_000);
    assert_eq!(play.title(), "⠐ Claude Code");
    play.order("dialog permission");
    assert_eq!(play.title(), "✳ Claude Code", "which does not mean idle");
    play.shows(" Do you want to proceed?\n ❯ 1. Yes\n   2. Yes, and");
    play.shows("   3. No\n\n Esc to cancel · Tab to amend");
    play.order("limit")
        .shows("  ⎿ \u{a0}You've hit your session limit · resets 3pm (Europe/Berlin)");
    play.order("error API Error: 401")
        .shows("● API Error: 401\n\n✻ Worked for 0s");
    assert_eq!(play.title(), "✳ Claude Code");
    play.order("retry")
        .shows("API error · Retrying in 3s · attempt 4/10");
}

#[test]
fn codex_says_its_state_in_title_rows_and_band() {
    let mut play = Play::new(Like::Codex);
    let status = |play: &Play| play.machine.status_at().unwrap_or_default();
    assert_eq!(play.title(), "app");
    assert_eq!(status(&play), "state=idle:app=codex");
    play.shows("› Ask Codex to do anything\n\n  mock-1 medium · /w/app\n  ← for agents");
    play.order("busy").wait(2_000);
    assert_eq!(play.title(), "⠋ app");
    play.shows("Working (2s • esc to interrupt)").wait(100);
    assert_eq!(play.title(), "⠙ app");
    assert_eq!(status(&play), "state=working:app=codex");
    play.order("stream 9 lines every 1s")
        .hides("esc to interrupt");
    assert_eq!(play.title(), "⠙ app", "only the title tells");
    play.order("dialog permission").hides("Ask Codex");
    assert!(play.title().ends_with("] Action Required | app"));
    assert_eq!(status(&play), "state=blocked:app=codex:kind=permission");
    play.text("y").wait(0);
    assert_eq!(status(&play), "state=done:app=codex");
    play.text("x");
    assert_eq!(status(&play), "state=idle:app=codex", "somebody has looked");
    play.order("limit").shows("■ You’ve hit your usage limit.");
    assert_eq!(status(&play), "state=error:app=codex");
}

#[test]
fn an_enter_right_behind_typed_text_is_a_new_line_for_codex() {
    let mut play = Play::new(Like::Codex);
    play.text("one").wait(5).press(Input::Enter).text("two");
    play.wait(19).press(Input::Enter);
    assert_eq!(play.prompts(), [""; 0]);
    play.wait(20).press(Input::Enter);
    assert_eq!(play.prompts(), ["one\ntwo\n"]);
    play.wait(50).paste("three").press(Input::Enter);
    assert_eq!(play.prompts()[1], "three", "a paste is no burst");
    let mut play = Play::new(Like::Claude);
    play.text("one").press(Input::Enter);
    assert_eq!(play.prompts(), ["one"]);
}

#[test]
fn claude_takes_a_backslash_for_a_new_line() {
    let mut play = Play::new(Like::Claude);
    play.send("one\\").send("two");
    assert_eq!(play.prompts(), ["one\ntwo"]);
}

#[test]
fn an_enter_can_be_swallowed() {
    let mut play = Play::with(Setup {
        paste_guard: Duration::from_millis(40),
        eat_enter: 1,
        ..Setup::new(Like::Claude)
    });
    play.paste("one").wait(39).press(Input::Enter);
    play.wait(1).press(Input::Enter);
    assert_eq!(play.prompts(), [""; 0]);
    assert_eq!(play.machine.report(play.now).eaten_enters, 2);
    play.press(Input::Enter);
    assert_eq!(play.prompts(), ["one"]);
}

#[test]
fn an_echo_can_be_late() {
    let mut play = Play::with(Setup {
        slow_echo: Duration::from_millis(300),
        ..Setup::new(Like::Claude)
    });
    play.paste("one")
        .wait(200)
        .text(" two")
        .wait(99)
        .hides("one");
    play.wait(1).shows("❯\u{a0}one two");
}

#[test]
fn a_suggestion_is_nobodys_draft() {
    let mut play = Play::new(Like::Claude);
    play.order("suggest fix it").shows("❯\u{a0}fix it");
    let picture = play.machine.draw(None, play.now).unwrap();
    let row = picture.rows.iter().find(|row| row.text.contains("fix"));
    assert_eq!(row.unwrap().dim, Some("❯\u{a0}".len()));
    play.press(Input::Enter).wait(50);
    assert_eq!(play.prompts(), [""; 0]);
}

#[test]
fn escape_breaks_a_turn_off_and_what_waited_is_submitted() {
    for (like, words) in [
        (
            Like::Claude,
            "⎿ \u{a0}Interrupted · What should Claude do instead?",
        ),
        (Like::Codex, "■ Conversation interrupted"),
    ] {
        let mut play = Play::scripted(like, r#""busy", "busy""#);
        play.send("one").send("two").press(Input::Escape);
        play.shows(words);
        assert_eq!(play.prompts(), ["one", "two"]);
        assert_eq!(play.state(), "busy");
        assert!(!play.events().contains(&"Stop"));
    }
}

#[test]
fn a_prompt_that_nothing_came_of_goes_back_into_the_box() {
    let mut play = Play::scripted(Like::Claude, r#""busy", ["print seen", "busy"]"#);
    let before = play.screen();
    play.send("one").press(Input::Escape);
    play.shows("❯\u{a0}one").press(Input::CtrlU);
    assert_eq!(play.screen(), before);
    play.send("two").press(Input::Escape);
    play.shows("⎿ \u{a0}Interrupted").shows("❯\u{a0}\n");
    assert_eq!(play.prompts(), ["one", "two"]);
    assert_eq!(play.state(), "idle");
}

#[test]
fn with_a_draft_in_the_box_only_the_title_says_busy_at_first() {
    let mut play = Play::new(Like::Claude);
    play.order("busy").text("half").wait(900);
    play.shows(" Pondering…\n").hides("esc to interrupt");
    assert_eq!(play.title(), "⠂ Claude Code");
}

#[test]
fn titles_can_have_a_topic() {
    for (like, title) in [(Like::Claude, "✳ Fix it"), (Like::Codex, "Fix it")] {
        let mut play = Play::new(like);
        play.order("topic Fix it");
        assert_eq!(play.title(), title);
    }
}

#[test]
fn a_draft_can_be_cleared() {
    for key in [Input::CtrlC, Input::CtrlU] {
        for like in [Like::Claude, Like::Codex] {
            let mut play = Play::new(like);
            play.text("half").press(key.clone());
            assert_eq!(play.machine.report(play.now).draft_bytes, 0);
            assert_eq!(play.end(), None);
        }
    }
}

#[test]
fn an_empty_box_is_left_by_ctrl_c_or_ctrl_d() {
    for key in [Input::CtrlC, Input::CtrlD] {
        let mut play = Play::new(Like::Codex);
        play.press(key.clone());
        assert_eq!(play.exit_status(), Some(0), "codex goes at once");
        let mut play = Play::new(Like::Claude);
        play.press(key.clone()).shows("again to exit");
        play.wait(2_000).hides("again to exit").press(key.clone());
        assert_eq!(play.end(), None, "too late for a second time");
        play.press(key.clone());
        assert_eq!(play.exit_status(), Some(0));
    }
    let mut play = Play::new(Like::Claude);
    play.press(Input::CtrlC).press(Input::CtrlD);
    assert_eq!(play.end(), None, "two keys are not one key twice");
}

#[test]
fn the_end_tells_how_to_go_on() {
    let mut play = Play::new(Like::Claude);
    play.send("/exit");
    let id = "00000000-0000-4000-8000-000000000000";
    let farewell = format!("Resume this session with: claude --resume {id}");
    assert_eq!(
        play.end(),
        Some(&End::Exit {
            status: 0,
            farewell
        })
    );
}

#[test]
fn a_dialog_owns_the_keys() {
    let mut play = Play::scripted(Like::Claude, r#""dialog permission""#);
    play.send("one").paste("two").text("xx").press(Input::Enter);
    assert_eq!(play.prompts(), ["one"]);
    assert_eq!(
        play.records()[1..],
        [
            &Record::Lost(b"two".to_vec()),
            &Record::Lost(b"xx".to_vec()),
            &Record::Answer {
                dialog: "permission",
                answer: 1
            },
        ],
        "the Enter of the lost prompt says yes"
    );
    assert_eq!(play.state(), "idle");
    play.shows("ok: one");
}

#[test]
fn an_answer_that_is_typed_leaves_the_rest_to_the_box() {
    let mut play = Play::new(Like::Claude);
    play.order("dialog permission").text("ab2cd");
    assert_eq!(play.machine.report(play.now).draft, "cd");
    assert_eq!(play.machine.report(play.now).lost_bytes, 2);
}

#[test]
fn a_refusal_ends_the_turn() {
    for key in [Input::Escape, Input::Text(b"3".to_vec())] {
        let mut play = Play::scripted(Like::Claude, r#"["dialog permission", "busy 1s"]"#);
        play.send("one").press(key);
        assert_eq!(play.state(), "idle");
        play.hides("ok: one").shows("Interrupted");
    }
}

#[test]
fn trust_is_asked_for_before_anything_stands() {
    for like in [Like::Claude, Like::Codex] {
        let setup = Setup {
            trust: true,
            ..Setup::new(like)
        };
        let mut play = Play::with(setup.clone());
        assert_eq!(play.state(), "blocked");
        assert_eq!(play.machine.report(play.now).dialog.unwrap(), "trust");
        assert_eq!(play.events(), [""; 0]);
        play.shows("1. ").press(Input::Enter);
        assert_eq!(
            (play.state(), play.events()),
            ("idle", vec!["SessionStart"])
        );
        let mut play = Play::with(setup);
        assert_eq!(play.title(), "", "the old one stays");
        play.press(Input::Escape);
        assert_eq!(play.exit_status(), Some(1));
    }
}

#[test]
fn a_slow_start_is_blank_for_claude_and_looks_idle_for_codex() {
    let setup = |like| Setup {
        slow_start: Duration::from_secs(2),
        prompt: Some("go".to_owned()),
        ..Setup::new(like)
    };
    let mut play = Play::with(setup(Like::Claude));
    assert!(!play.machine.reads() && play.machine.draw(None, play.now).is_none());
    assert_eq!((play.state(), play.title().as_str()), ("starting", ""));
    play.wait(2_000);
    assert_eq!(
        (play.state(), play.prompts()),
        ("busy", vec!["go".to_owned()])
    );
    let mut play = Play::with(setup(Like::Codex));
    assert!(play.machine.reads());
    play.shows("› Ask Codex to do anything").hides("mock-1");
    assert_eq!((play.state(), play.title().as_str()), ("starting", ""));
    play.wait(2_000).shows("mock-1 medium");
}

#[test]
fn while_it_is_quiet_only_the_title_moves() {
    let mut play = Play::new(Like::Claude);
    play.order("quiet 1h").wait(500);
    let (screen, title) = (play.screen(), play.title());
    play.wait(1_000);
    assert_eq!(play.screen(), screen);
    assert_ne!(play.title(), title);
    assert!(screen.contains("esc to interrupt"));
}

#[test]
fn a_streamed_answer_is_its_lines() {
    let mut play = Play::scripted(Like::Claude, r#""stream 200 lines every 10ms""#);
    play.send("one").wait(1_995).shows("line 199 of the answer");
    play.hides("line 200")
        .wait(5)
        .shows("  line 200 of the answer");
    play.hides("ok: one");
    let (_, rows) = play.machine.transcript.since(0);
    let lines = rows
        .iter()
        .filter(|row| row.text.contains(" of the answer"));
    assert_eq!(lines.count(), 200);
}

#[test]
fn text_that_misleads_is_said_as_it_is() {
    let mut play = Play::new(Like::Claude);
    play.order("print \"Do you want to proceed?\\n❯ 1. Yes\\n\\e[2J429\"");
    play.shows("● Do you want to proceed?\n  ❯ 1. Yes\n  [2J429");
    assert_eq!(play.state(), "idle");
}

#[test]
fn a_prompt_of_300_kilobytes_is_kept_whole_and_shown_as_a_word() {
    let mut play = Play::new(Like::Claude);
    let text = "0123456789abcde\n".repeat(20_000);
    play.paste(&text)
        .shows("❯\u{a0}[Pasted text #1 +20000 lines]");
    play.press(Input::Enter).wait(50);
    assert_eq!(play.prompts(), [text]);
}
