//! Which rule wins, and what comes out.

use serde_json::json;

use super::{in_band, look, toy};
use crate::profile::{InBand, Profile, Screen, Seen, Sight, State, explain};

const STATUS: &str = r#"
[[region]]
name = "end"
last = 2

[[rule]]
id = "spins"
state = "busy"
sub = "tool"
priority = 1
all = [{ title = '^\* ' }]

[[rule]]
id = "says"
state = "busy"
priority = 2
all = [{ in_band = 'state=working' }]

[[rule]]
id = "failed"
state = "errored"
priority = 50
all = [{ in = "end", row = '^failed' }]

[[rule]]
id = "limit"
state = "limited"
priority = 40
all = [{ in = "end", text = '^limit: (?P<limit>.*)' }]

[[rule]]
id = "asks"
state = "blocked"
priority = 0
all = [{ in = "end", row = '^y/n' }]

[[rule]]
id = "prompt"
state = "idle"
priority = 99
all = [{ in = "end", row = '^>' }]
none = [{ in = "end", row = '^busy' }]

[[rule]]
id = "rests"
state = "idle"
hint = true
all = [{ title = '^- ' }]
"#;

fn state(screen: &str, title: &str, said: Option<InBand>) -> (State, f32) {
    let reading = look(&toy(STATUS), screen, title, said);
    (reading.state, reading.confidence)
}

#[test]
fn what_no_rule_knows_is_unknown_and_never_idle() {
    for screen in ["", "hello", "> \nbusy", "$ "] {
        assert_eq!(
            state(screen, "- x", None),
            (State::Unknown, 0.0),
            "{screen}"
        );
    }
}

#[test]
fn a_screen_may_take_trust_away_from_a_title_and_never_give_it() {
    for (screen, read) in [
        ("> ", State::Busy),
        ("failed", State::Busy),
        ("limit: 3 pm", State::Limited),
        ("y/n", State::Blocked),
        ("y/n\nlimit: 3 pm", State::Blocked),
    ] {
        assert_eq!(state(screen, "* x", None).0, read, "{screen}");
        assert_eq!(
            state(screen, "", in_band("7501;state=working")).0,
            read,
            "{screen}"
        );
    }
}

#[test]
fn idle_wins_only_where_nothing_else_is_seen_whatever_its_priority() {
    assert_eq!(state("> ", "", None).0, State::Idle);
    assert_eq!(state("failed\n> ", "", None).0, State::Errored);
    assert_eq!(state("y/n\n> ", "", None).0, State::Blocked);
}

#[test]
fn of_two_that_say_the_same_the_higher_priority_gives_the_words() {
    let both = look(&toy(STATUS), "", "* x", in_band("7501;state=working"));
    assert_eq!((both.state, both.sub), (State::Busy, None));
    assert_eq!(both.evidence[0].rule, "says");
}

#[test]
fn more_sources_are_more_sure_and_one_that_objects_is_less() {
    assert_eq!(state("> ", "", None), (State::Idle, 0.6));
    assert_eq!(state("> ", "- x", None), (State::Idle, 0.85));
    assert_eq!(
        state("", "* x", in_band("7501;state=working")),
        (State::Busy, 0.85)
    );
    let (busy, sure) = state("> ", "* x", None);
    assert_eq!(busy, State::Busy);
    assert!((sure - 0.42).abs() < 1e-6, "{sure}");
    // Who has failed rests too.
    assert_eq!(state("failed", "- x", None), (State::Errored, 0.6));
}

#[test]
fn without_a_screen_a_title_can_say_busy_and_nothing_can_say_idle() {
    let profile = toy(STATUS);
    let sight = |title| Sight {
        screen: None,
        title,
        host: "box",
        command: "toy",
        in_band: None,
    };
    assert_eq!(profile.read(&sight("* x")).state, State::Busy);
    assert_eq!(profile.read(&sight("- x")).state, State::Unknown);
}

#[test]
fn with_another_program_in_front_nothing_on_the_screen_counts() {
    let profile = toy(STATUS);
    let screen = Screen::from_text("y/n\n> ");
    let mut sight = Sight {
        screen: Some(&screen),
        title: "* x",
        host: "box",
        command: "bash",
        in_band: None,
    };
    let reading = profile.read(&sight);
    assert_eq!(reading.state, State::Unknown);
    assert_eq!(reading.sub.as_deref(), Some("another-program"));
    assert_eq!(reading.evidence[0].seen, Seen::Command);
    assert_eq!(reading.evidence[0].text, "bash");
    sight.command = "";
    assert_eq!(profile.read(&sight).state, State::Blocked);
}

#[test]
fn the_title_is_not_set_while_it_is_the_hosts_name() {
    let profile = toy(
        "[[rule]]\nid = 'a'\nstate = 'starting'\nall = [{ title_unset = true }, { blank = true }]",
    );
    for (title, read) in [
        ("box", State::Starting),
        (" box  ", State::Starting),
        ("", State::Starting),
        ("boxes", State::Unknown),
    ] {
        assert_eq!(
            look(&profile, "\n  \n", title, None).state,
            read,
            "{title:?}"
        );
    }
    assert_eq!(look(&profile, "x", "box", None).state, State::Unknown);
}

#[test]
fn what_is_said_of_a_limit_is_taken_from_over_the_ends_of_rows() {
    let reading = look(
        &toy(STATUS),
        "limit: try again\n  at 9:30 PM.\n\n",
        "",
        None,
    );
    assert_eq!(reading.limit_text.as_deref(), Some("try again at 9:30 PM."));
}

#[test]
fn in_band_status_is_a_level_and_forged_parts_are_not_taken() {
    let mut said = InBand::default();
    for (body, took, shown) in [
        ("0;title", false, ""),
        ("7501;app=codex", false, ""),
        (
            "7501;state=working:app=codex",
            true,
            "state=working:app=codex",
        ),
        ("9;4;3;", true, "state=working:app=codex:progress=3"),
        ("9;4;x", false, "state=working:app=codex:progress=3"),
        ("9;hello", false, "state=working:app=codex:progress=3"),
        (
            "7501;state=id le",
            false,
            "state=working:app=codex:progress=3",
        ),
        (
            "7501;state=blocked:app=codex:kind=permission:x=1",
            true,
            "state=blocked:app=codex:kind=permission:progress=3",
        ),
        (
            "9;4;0;",
            true,
            "state=blocked:app=codex:kind=permission:progress=0",
        ),
        ("7501;state=clear", true, "progress=0"),
    ] {
        assert_eq!(said.take(body), took, "{body}");
        assert_eq!(said.to_string(), shown, "{body}");
    }
}

const ASKS: &str = r#"
[box]
region = "box"
prompt = '^>\s?'
placeholders = ['^type here$']
cursor = true

[[region]]
name = "box"
from = '^>'

[[region]]
name = "asked"
below = '^---'
frame = "|"

[[dialog]]
name = "asked"
region = "asked"
choice = '^ *(?:\* )?(?P<key>\d)\. (?P<text>.+)$'
help = '^Esc'

[[rule]]
id = "asks"
state = "blocked"
dialog = "asked"
all = [{ in = "asked", row = '\d\. ' }]

[[rule]]
id = "prompt"
state = "idle"
all = [{ present = "box" }]
none = [{ present = "asked" }]
"#;

#[test]
fn a_dialog_is_its_question_and_its_choices() {
    let screen = "---\n| 1. read\n| Run rm -rf x?\n\n * 1. Yes\n   2. Yes, and do not\n      ask again\n   3. No\n\nEsc to cancel";
    let dialog = look(&toy(ASKS), screen, "", None).dialog.unwrap();
    assert_eq!(dialog.question, "1. read Run rm -rf x?");
    let choices: Vec<_> = dialog
        .choices
        .iter()
        .map(|choice| (choice.key.as_str(), choice.text.as_str()))
        .collect();
    let expected = [
        ("1", "Yes"),
        ("2", "Yes, and do not ask again"),
        ("3", "No"),
    ];
    assert_eq!(choices, expected);
}

#[test]
fn two_dialogs_have_one_hash_only_if_all_that_is_asked_is_the_same() {
    let profile = toy(ASKS);
    let hash = |screen: &str| look(&profile, screen, "", None).dialog.unwrap().hash;
    let asked = hash("---\nRun rm x?\n* 1. Yes\n  2. No");
    assert_eq!(
        asked,
        hash("old\n---\nRun rm x?\n  1. Yes\n* 2. No\n\nEsc to cancel")
    );
    for other in [
        "---\nRun rm y?\n* 1. Yes\n  2. No",
        "---\nRun rm\nx?\n* 1. Yes\n  2. No",
        "---\nRun rm x?\n* 1. Yes, always\n  2. No",
        "---\nRun rm x?\n* 1. Yes",
        "---\nRun rm x?\n* 1. Yes 2. No",
    ] {
        assert_ne!(asked, hash(other), "{other}");
    }
}

fn draft(screen: &str, cursor: Option<(u16, u16)>) -> Option<String> {
    let mut screen = Screen::from_text(screen);
    screen.cursor = cursor;
    let reading = toy(ASKS).read(&Sight {
        screen: Some(&screen),
        title: "",
        host: "box",
        command: "toy",
        in_band: None,
    });
    let drafted = reading.sub.as_deref() == Some("draft");
    assert_eq!(drafted, reading.draft.is_some());
    reading.draft
}

#[test]
fn a_draft_is_what_stands_in_the_box_and_is_no_placeholder() {
    assert_eq!(draft("> ", None), None);
    assert_eq!(draft(">", None), None);
    assert_eq!(draft("> one\n  two", None).as_deref(), Some("one\ntwo"));
    assert_eq!(draft("> type here", None), None);
    assert_eq!(draft("> type here", Some((2, 0))), None);
    // Somebody typed just that.
    assert_eq!(
        draft("> type here", Some((11, 0))).as_deref(),
        Some("type here")
    );
}

#[test]
fn all_that_comes_out_is_printable_and_capped() {
    let screen = format!("> \u{1b}[2J\u{202e}{}", "x".repeat(5000));
    let reading = look(&toy(ASKS), &screen, "", None);
    assert_eq!(reading.evidence[0].text.chars().count(), 200);
    let draft = reading.draft.unwrap();
    assert!(draft.starts_with("\\x1b[2J\\u{202e}xxx"), "{draft}");
    assert!(draft.chars().count() <= 2000);
}

#[test]
fn explained_it_is_json_with_a_version() {
    let profile: Profile = toy(ASKS);
    let screen = Screen::from_text("---\nSure?\n1. Yes");
    let sight = Sight {
        screen: Some(&screen),
        title: "",
        host: "box",
        command: "toy",
        in_band: None,
    };
    let mut said = explain(&profile, &profile.read(&sight));
    let hash = said["dialog"]["hash"].take();
    assert_eq!(hash.as_str().unwrap().len(), 16);
    assert_eq!(
        said,
        json!({
            "v": 1, "profile": "toy", "profile_version": 3,
            "state": "blocked", "sub": null, "confidence": 0.6,
            "evidence": [{ "rule": "asks", "seen": "screen", "text": "1. Yes" }],
            "limit_text": null, "draft": null,
            "dialog": { "hash": null, "question": "Sure?", "choices": [{ "key": "1", "text": "Yes" }] },
        })
    );
}
