//! A profile that makes no sense is refused where it does not.

use std::fs;
use std::path::Path;

use super::HEAD;
use crate::profile::{Profile, Profiles};

fn refused(text: &str) -> String {
    match Profile::parse(Path::new("toy.toml"), text) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => error.to_string(),
    }
}

/// Where the first row behind the head is.
fn line(number: usize) -> usize {
    HEAD.matches('\n').count() + number
}

#[test]
fn a_mistake_is_said_with_its_line_and_column() {
    // Behind the head, with RULE and SEEN filled in.
    for (rest, at, what) in [
        (
            "RULE 'busy'\nall = [{ title = '(' }]",
            (4, 18),
            "this regex cannot be used",
        ),
        (
            "RULE 'busy'\nall = [{ in = 'no', row = 'x' }]",
            (4, 15),
            "no region \"no\" stands above this",
        ),
        (
            "RULE 'busy'\nall = [{ sign = 'no' }]",
            (4, 17),
            "no sign \"no\" stands above this",
        ),
        (
            "RULE 'dead'\nSEEN",
            (3, 9),
            "no rule can see that a program is dead",
        ),
        (
            "RULE 'busy'\nnone = [{ title = 'x' }]",
            (2, 6),
            "asks for nothing that is seen",
        ),
        ("RULE 'idle'\nSEEN", (2, 6), "an idle rule needs a guard"),
        (
            "RULE 'busy'\ngo_on = { prompt = 'continue' }\nSEEN",
            (4, 9),
            "one that is busy has not been stopped",
        ),
        (
            "RULE 'limited'\ngo_on = { choice = 'x' }\nSEEN",
            (4, 9),
            "a choice needs a `dialog`",
        ),
        ("RULE 'errored'\ngo_on = {}\nSEEN", (4, 9), "it goes on by"),
        (
            "RULE 'errored'\ngo_on = { prompt = ' ' }\nSEEN",
            (4, 9),
            "one line of text",
        ),
        (
            "RULE 'busy'\nSEEN\nRULE 'busy'\nSEEN",
            (6, 6),
            "\"a\" is there already",
        ),
        (
            "RULE 'busy'\nall = [{ title = 'x', command = 'y' }]",
            (4, 8),
            "a condition asks for one thing",
        ),
        (
            "RULE 'busy'\nall = [{ row = 'x' }]",
            (4, 8),
            "`row` and `text` need `in`",
        ),
        (
            "RULE 'busy'\ndialog = 'd'\nSEEN",
            (4, 10),
            "no dialog \"d\"",
        ),
        (
            "RULE 'busy'\ncolour = 1\nSEEN",
            (4, 1),
            "unknown field `colour`",
        ),
        (
            "[[region]]\nname = 'r'\nlast = 2\nfirst = 2\nRULE 'busy'\nSEEN",
            (1, 1),
            "in one way only",
        ),
    ] {
        let rest = rest
            .replace("RULE", "[[rule]]\nid = 'a'\nstate =")
            .replace("SEEN", "all = [{ title = 'x' }]");
        let said = refused(&format!("{HEAD}{rest}"));
        let at = format!("toy.toml:{}:{}: ", line(at.0), at.1);
        assert!(
            said.starts_with(&at) && said.contains(what),
            "{rest}\n{said}"
        );
    }
}

#[test]
fn a_regex_that_grows_too_large_is_refused() {
    let rest = r"
[[rule]]
id = 'a'
state = 'busy'
all = [{ title = '(?:\w{1000}){1000}' }]";
    assert!(refused(&format!("{HEAD}{rest}")).contains("this regex cannot be used"));
}

#[test]
fn a_command_is_matched_whole_and_cannot_undo_that() {
    let text = HEAD.replace("[\"toy\"]", "['toy|tam', 'v\\d']");
    let rest = "[[rule]]\nid = 'a'\nstate = 'busy'\nall = [{ title = 'x' }]";
    let profile = Profile::parse(Path::new("x"), &format!("{text}{rest}")).unwrap();
    for (command, is) in [
        ("toy", true),
        ("tam", true),
        ("v1", true),
        ("toys", false),
        ("v1x", false),
    ] {
        assert_eq!(profile.is_command(command), is, "{command}");
    }
    let text = HEAD.replace("[\"toy\"]", "[')|(?:']");
    assert!(refused(&format!("{text}{rest}")).contains("this regex cannot be used"));
}

#[test]
fn a_folder_overrides_what_is_built_in_and_adds_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let rule = "[[rule]]\nid = 'a'\nstate = 'busy'\nall = [{ title = 'x' }]";
    let own = format!("{HEAD}{rule}");
    fs::write(dir.path().join("mine.toml"), &own).unwrap();
    fs::write(
        dir.path().join("claude.toml"),
        own.replace("\"toy\"", "\"claude\""),
    )
    .unwrap();
    fs::write(dir.path().join("notes.txt"), "no profile").unwrap();
    let profiles = Profiles::builtin().with_overrides(dir.path()).unwrap();
    assert_eq!(profiles.get("claude").unwrap().version(), 3);
    assert_eq!(profiles.get("toy").unwrap().checked_with(), ["1.0"]);
    assert_eq!(profiles.get("codex").unwrap().version(), 2);
    assert_eq!(profiles.iter().count(), 7);

    fs::write(dir.path().join("bad.toml"), "version = ").unwrap();
    let error = Profiles::builtin().with_overrides(dir.path()).unwrap_err();
    assert!(error.to_string().contains("bad.toml:1:"), "{error}");
}

#[test]
fn a_folder_that_is_not_there_overrides_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let profiles = Profiles::builtin().with_overrides(&dir.path().join("no"));
    assert_eq!(profiles.unwrap().iter().count(), 6);
}
