//! What it looks like.

use super::*;

#[test]
fn claude_looks_like_it_at_two_sizes() {
    harness::skip_if_asked!();
    for size in [(80, 24), (120, 40)] {
        let mut pane = Pane::start_at(size, &["--like", "claude"]);
        pane.until("idle");
        let rule = "─".repeat(size.0.into());
        pane.shows(&format!("\n{rule}\n❯\u{a0}\n{rule}\n  ? for shortcuts"));
        until(PATIENCE, "the idle title", || {
            pane.ask("#{pane_title}") == "✳ Claude Code"
        });
        assert_eq!(
            pane.ask("#{alternate_on} #{cursor_flag} #{cursor_x}"),
            "0 0 2"
        );
        pane.order("busy Thinking");
        pane.shows("Thinking… (1s · ↓ ");
        assert!(pane.screen().contains("\n  esc to interrupt"));
        until(PATIENCE, "both busy titles", || {
            pane.ask("#{pane_title}") == "⠂ Claude Code"
        });
        until(PATIENCE, "both busy titles", || {
            pane.ask("#{pane_title}") == "⠐ Claude Code"
        });
        pane.order("dialog permission");
        pane.shows(" Esc to cancel · Tab to amend");
        assert_eq!(pane.ask("#{pane_title}|#{cursor_x}"), "✳ Claude Code|1");
        assert!(!pane.screen().contains("shortcuts"));
        pane.order("limit");
        pane.shows("⎿ \u{a0}You've hit your session limit · resets 3pm");
        assert_eq!(pane.ask("#{pane_title}|#{cursor_x}"), "✳ Claude Code|2");
    }
}

#[test]
fn codex_looks_like_it_and_leaves_the_screen_as_it_was() {
    harness::skip_if_asked!();
    let mut pane = Pane::start(&["--like", "codex"]);
    pane.until("idle");
    pane.shows("› Ask Codex to do anything\n\n  mock-1 medium · ");
    assert_eq!(
        pane.ask("#{alternate_on} #{cursor_flag} #{cursor_x}"),
        "1 1 2"
    );
    pane.order("busy");
    pane.shows("Working (0s • esc to interrupt)");
    until(PATIENCE, "a spinner in the title", || {
        let title = pane.ask("#{pane_title}");
        title.starts_with(|c| ('\u{2800}'..='\u{28ff}').contains(&c))
    });
    pane.order("dialog permission");
    pane.shows("Press enter to confirm or esc to cancel");
    assert_eq!(pane.ask("#{cursor_flag}"), "0");
    pane.order("idle");
    pane.keys(&["C-c"]);
    assert_eq!(pane.ended(), "0|");
    assert_eq!(pane.ask("#{alternate_on}|#{pane_title}"), "0|");
    // The first row, and the note of the dead pane has moved that out of the screen.
    assert!(pane.history().contains("codex resume "));
}

/// Every row of an answer is in the history, once, in order.
#[test]
fn what_leaves_the_screen_becomes_history() {
    harness::skip_if_asked!();
    let mut pane = Pane::start(&["--like", "claude"]);
    pane.until("idle");
    pane.order("stream 200 lines every 1ms");
    pane.until("idle");
    pane.order(&format!("print \"{}last\"", "more\\n".repeat(100)));
    pane.shows("  last");
    let all = pane.history();
    let lines: Vec<&str> = all
        .lines()
        .filter_map(|line| line.strip_suffix(" of the answer"))
        .map(|line| line.trim_start_matches(['●', ' ']))
        .collect();
    let expected: Vec<String> = (1..=200).map(|number| format!("line {number}")).collect();
    assert_eq!(lines, expected);
    assert_eq!(all.matches("more\n").count(), 100);
    assert_eq!(all.matches("? for shortcuts").count(), 1);
}

#[test]
fn another_size_is_another_picture_unless_it_hangs() {
    harness::skip_if_asked!();
    let mut pane = Pane::start(&["--like", "claude"]);
    pane.until("idle");
    let resize = |pane: &Pane, columns: &str| {
        pane.server
            .tmux(["resize-window", "-t", "main:", "-x", columns, "-y", "24"]);
    };
    resize(&pane, "60");
    pane.shows(&format!("\n{}\n❯\u{a0}\n", "─".repeat(60)));
    pane.order("hang");
    resize(&pane, "50");
    pane.keys(&["late"]);
    until(PATIENCE, "the terminal to be smaller", || {
        pane.columns() == 50
    });
    // Had it heard of that, it would have painted before it answers.
    let report = pane.state();
    assert!(report.hung);
    assert_eq!((report.size, report.draft.as_str()), ([60, 24], ""));
    assert!(
        !pane
            .screen()
            .contains(&format!("\n{}\n❯\u{a0}\n", "─".repeat(50)))
    );
    pane.order("resume");
    assert_eq!(pane.state().size, [50, 24]);
    pane.shows(&format!("\n{}\n❯\u{a0}late\n", "─".repeat(50)));
}

#[test]
fn while_it_is_quiet_only_the_title_changes() {
    harness::skip_if_asked!();
    let mut pane = Pane::start(&["--like", "claude"]);
    pane.until("idle");
    pane.order("quiet");
    pane.shows("esc to interrupt");
    let screen = pane.screen();
    let title = pane.ask("#{pane_title}");
    until(PATIENCE, "another title", || {
        pane.ask("#{pane_title}") != title
    });
    assert_eq!(pane.screen(), screen);
}

#[test]
fn a_tall_dialog_comes_and_goes_on_a_small_screen() {
    harness::skip_if_asked!();
    let mut pane = Pane::start_at((80, 10), &["--like", "claude"]);
    pane.until("idle");
    for _ in 0..3 {
        pane.order("dialog permission");
        pane.shows(" Esc to cancel");
        pane.order("idle");
        pane.shows("? for shortcuts");
        assert!(!pane.screen().contains("Esc to cancel"));
    }
}

#[test]
fn bytes_go_past_the_screen_and_text_does_not() {
    harness::skip_if_asked!();
    let mut pane = Pane::start(&["--like", "claude"]);
    pane.until("idle");
    pane.order(r#"raw "\e]2;mine\a""#);
    until(PATIENCE, "the title", || {
        pane.ask("#{pane_title}") == "mine"
    });
    pane.order(r#"print "\e]2;theirs\a""#);
    pane.shows("]2;theirs");
    assert_eq!(pane.ask("#{pane_title}"), "mine");
}

#[test]
fn by_another_name_it_is_what_the_pane_says_it_runs() {
    harness::skip_if_asked!();
    for name in ["claude", "codex"] {
        let server = Server::empty();
        let mut words = Pane::command(&server, &[]);
        let link = server.dir().join(name);
        std::os::unix::fs::symlink(&words[0], &link).expect("a link of ours");
        words[0] = link.display().to_string();
        let boot = Boot::running(words);
        server.boot(&boot);
        let remote = Remote::connect(&server.dir().join("control")).expect("it listens");
        let mut pane = Pane { server, remote };
        assert_eq!(pane.until("idle").like, name);
        assert_eq!(pane.ask("#{pane_current_command}"), name);
    }
}

#[test]
fn an_order_that_is_none_is_refused() {
    harness::skip_if_asked!();
    let mut pane = Pane::start(&["--like", "claude"]);
    for line in ["dance", "", "await dinner"] {
        assert!(pane.remote.order(line).is_err(), "{line}");
    }
    let path = pane.file("control");
    let mut other = Remote::connect(&path).expect("it still listens");
    assert_eq!(other.until("idle").expect("it answers").prompts, 0);
}
