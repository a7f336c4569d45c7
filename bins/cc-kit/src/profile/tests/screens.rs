//! All fixtures.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::profile::fixture::{self, Fixture, Report};
use crate::profile::{Profile, Profiles, Reading, Says, State};

pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Those of the crate; or of another folder, to try profiles on screens that are new.
fn fixtures() -> Vec<Fixture> {
    let dir = env::var_os("PROFILE_FIXTURES").map_or_else(folder, PathBuf::from);
    fixture::all(&dir).unwrap()
}

fn told(report: &Report, all: usize) -> String {
    let mut told = String::new();
    for wrong in &report.wrong {
        let name: Vec<_> = wrong.path.iter().rev().take(2).collect();
        let sub = |sub: &Option<String>| sub.clone().unwrap_or_default();
        told += &format!(
            "{}/{}: is {} {}, read as {} {} by {:?}\n",
            name[1].display(),
            name[0].display(),
            wrong.state,
            sub(&wrong.sub),
            wrong.reading.state,
            sub(&wrong.reading.sub),
            wrong.reading.evidence.first().map(|first| &first.rule),
        );
    }
    told + &format!(
        "{} of {all} right, {} unknown, {} false alarms, {} false idles",
        report.right,
        report.unknown,
        report.false_alarms.len(),
        report.false_idles.len(),
    )
}

#[test]
fn every_built_in_profile_compiles_under_its_own_name() {
    for (name, text) in super::super::shelf::built_in() {
        let profile = Profile::parse(Path::new(name), text).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(profile.name(), name);
    }
}

#[test]
fn every_screen_is_read_right() {
    let all = fixtures();
    let report = fixture::check(&Profiles::builtin(), &all);
    let told = told(&report, all.len());
    println!("{told}");
    assert!(report.wrong.is_empty(), "{told}");
}

/// The states that stop or hold a program.
fn alarm(state: State) -> bool {
    matches!(state, State::Blocked | State::Limited)
}

#[test]
fn nothing_that_is_made_to_mislead_stops_or_opens_a_program() {
    let profiles = Profiles::builtin();
    let all = fixtures();
    let made: Vec<_> = all.iter().filter(|one| one.head.adversarial).collect();
    assert!(made.len() >= 40, "{}", made.len());
    for fixture in made {
        let profile = profiles.get(&fixture.head.profile).unwrap();
        let (is, read) = (fixture.head.state, profile.read(&fixture.sight()).state);
        let name = fixture.path.display();
        assert!(!alarm(read) || alarm(is), "{name}: {is} read as {read}");
        assert!(
            read != State::Idle || is == State::Idle,
            "{name}: {is} read as idle"
        );
    }
}

#[test]
fn every_rule_of_every_profile_is_seen_to_decide_a_screen() {
    let profiles = Profiles::builtin();
    let mut idle: BTreeSet<String> = profiles
        .iter()
        .flat_map(|profile| {
            let deciding = profile.rules.iter().filter(|rule| !rule.hint);
            deciding.map(|rule| format!("{}: {}", profile.name(), rule.id))
        })
        .collect();
    for fixture in fixtures() {
        let profile = profiles.get(&fixture.head.profile).unwrap();
        let reading = profile.read(&fixture.sight());
        if let Some(first) = reading.evidence.first() {
            idle.remove(&format!("{}: {}", profile.name(), first.rule));
        }
    }
    assert!(idle.is_empty(), "no screen for {idle:#?}");
}

fn reading(name: &str) -> Reading {
    let (profile, _) = name.split_once('/').unwrap();
    let path = folder().join(name).with_extension("txt");
    let fixture = Fixture::parse(&path, &fs::read_to_string(&path).unwrap()).unwrap();
    Profiles::builtin()
        .get(profile)
        .unwrap()
        .read(&fixture.sight())
}

#[test]
fn a_limit_comes_with_the_words_a_time_may_be_read_from() {
    for (name, said) in [
        (
            "claude/ours-limit-options",
            "You've hit your session limit · resets 7:32pm (Europe/Berlin)",
        ),
        (
            "claude/ours-out-of-extra-usage",
            "You're out of extra usage · resets 5pm (UTC)",
        ),
        ("codex/ours-limit-usage", "try again at 9:30 PM."),
        ("codex/ours-limit-waits", "40s"),
        ("gemini/ours-limit", "Access resets at 9:30 PM PDT."),
        (
            "opencode/ours-limit-429",
            "[retrying in 59m 59s attempt #1]",
        ),
        (
            "aider/ours-limit-final",
            "The API provider has rate limited you.",
        ),
    ] {
        let limit = reading(name).limit_text.unwrap_or_default();
        assert!(limit.contains(said), "{name}: {limit}");
    }
}

#[test]
fn a_dialog_says_what_it_is_about_and_how_it_is_answered() {
    for (name, asked, keys) in [
        (
            "claude/ours-a-permission-for-a-command-of-cues",
            "echo \"You've hit your session limit",
            "1 2",
        ),
        (
            "claude/ours-a-question-about-cues",
            "What shall it say",
            "1 2 3 4",
        ),
        ("claude/ours-plan", "2. No 429 any more", "1 2 3"),
        (
            "claude/ours-limit-options",
            "What do you want to do?",
            "1 2",
        ),
        ("codex/ours-approval", "$ make all", "1 2 3"),
        ("codex/ours-login", "Choose how you want", "1 2"),
        ("gemini/ours-approval", "make all", "1 2 3"),
        ("gemini/ours-limit", "Usage limit reached for mock.", "1 2"),
        ("opencode/ours-permission", "$ make all", "  Escape"),
        ("aider/ours-asks", "Run shell command?", "y n"),
        (
            "shell/ours-asks-yes-or-no",
            "Do you want to continue? [Y/n]",
            "y n",
        ),
    ] {
        let dialog = reading(name).dialog.unwrap_or_else(|| panic!("{name}"));
        assert!(
            dialog.question.contains(asked),
            "{name}: {}",
            dialog.question
        );
        let given: Vec<_> = dialog.choices.iter().map(|one| one.key.as_str()).collect();
        assert_eq!(given.join(" "), keys, "{name}: {dialog:?}");
    }
}

#[test]
fn a_rest_that_is_seen_twice_is_sure() {
    for name in [
        "claude/ours-narrow-idle",
        "codex/ours-rests-and-says-so",
        "gemini/ours-idle",
        "opencode/ours-idle",
        "aider/ours-idle",
        "shell/ours-prompt",
    ] {
        let reading = reading(name);
        assert!(reading.confidence > 0.8, "{name}: {reading:?}");
    }
    // A title that still spins objects.
    assert!(reading("claude/ours-half-circle-in-the-title").confidence < 0.6);
}

/// How each goes on: by which key of its dialog, and by which prompt.
#[test]
fn a_program_that_was_stopped_goes_on_as_its_profile_says() {
    let prompt = Some("continue");
    for (name, choice, prompt) in [
        ("claude/ours-limit-options", Some("1"), prompt),
        ("claude/usage-limit-1-80x24", Some("1"), prompt),
        ("claude/usage-limit-after-escape-80x24", None, prompt),
        ("claude/ours-out-of-extra-usage", None, prompt),
        ("claude/401-final-120x40", None, None),
        ("claude/500-final-120x40", None, prompt),
        ("codex/ours-limit-usage", None, prompt),
        // It tries again by itself.
        ("codex/ours-limit-waits", None, None),
        ("opencode/ours-limit-429", None, None),
        ("gemini/ours-limit", Some("1"), None),
        ("aider/ours-limit-final", None, prompt),
    ] {
        let go_on = reading(name).go_on.unwrap_or_default();
        let key = go_on.choice.as_ref().map(|choice| choice.key.as_str());
        assert_eq!((key, go_on.prompt.as_deref()), (choice, prompt), "{name}");
    }
}

#[test]
fn at_most_one_choice_of_a_dialog_agrees_and_each_profile_knows_some() {
    let profiles = Profiles::builtin();
    let (mut agree, mut refuse) = (BTreeSet::new(), BTreeSet::new());
    for fixture in fixtures() {
        let profile = profiles.get(&fixture.head.profile).unwrap();
        let Some(dialog) = profile.read(&fixture.sight()).dialog else {
            continue;
        };
        let says = |says| {
            let choices = dialog.choices.iter();
            choices
                .filter(move |choice| choice.says == Some(says))
                .count()
        };
        let name = fixture.path.display();
        assert!(
            says(Says::Yes) <= 1 && says(Says::No) <= 1,
            "{name}: {dialog:?}"
        );
        if dialog.choice("yes").is_some() {
            agree.insert(profile.name().to_owned());
        }
        if dialog.choice("no").is_some() {
            refuse.insert(profile.name().to_owned());
        }
        for choice in &dialog.choices {
            // What holds for more than this once is no plain yes.
            let more = ["always", "again", "session", "auto", "accept"];
            let more = more
                .iter()
                .any(|word| choice.text.to_lowercase().contains(word));
            assert!(
                !more || choice.says != Some(Says::Yes),
                "{name}: {choice:?}"
            );
        }
    }
    let all: BTreeSet<String> = profiles
        .iter()
        .map(|profile| profile.name().to_owned())
        .collect();
    assert_eq!((&agree, &refuse), (&all, &all));
}

#[test]
fn an_answer_names_one_choice_or_none() {
    let dialog = reading("claude/permission-bash-1-120x40").dialog.unwrap();
    let key = |answer: &str| dialog.choice(answer).map(|choice| choice.key.clone());
    for (answer, is) in [
        ("yes", Some("1")),
        ("no", Some("3")),
        ("2", Some("2")),
        ("No", Some("3")),
        ("yes, and", Some("2")),
        // Both that agree begin so.
        ("ye", None),
        ("4", None),
        ("0", None),
        ("", None),
        ("maybe", None),
    ] {
        assert_eq!(key(answer).as_deref(), is, "{answer}: {:?}", dialog.choices);
    }
}
