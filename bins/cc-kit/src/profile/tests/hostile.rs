//! Whatever a pane shows, a reading is text that only draws.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::super::fixture;
use super::screens::folder;
use crate::profile::{Profiles, Screen, Sight, State, explain};

static PROFILES: LazyLock<Profiles> = LazyLock::new(Profiles::builtin);

/// Rows that rules look for, and others.
fn rows() -> impl Strategy<Value = String> {
    let known: BTreeSet<String> = fixture::all(&folder())
        .unwrap()
        .into_iter()
        .flat_map(|fixture| fixture.screen.rows)
        .collect();
    let known: Vec<String> = known.into_iter().collect();
    prop_oneof![
        4 => proptest::sample::select(known),
        1 => any::<String>(),
        1 => Just(String::new()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_rows_in_any_order_are_read_without_harm(
        rows in proptest::collection::vec(rows(), 0..40),
        cursor in proptest::option::of((0_u16..200, 0_u16..60)),
        cursor_visible in proptest::option::of(any::<bool>()),
        title in prop_oneof![Just("✳ x".to_owned()), Just("⠂ x".to_owned()), any::<String>()],
    ) {
        let screen = Screen { rows, width: 80, cursor, cursor_visible, alternate: false };
        for profile in PROFILES.iter() {
            let sight = Sight { screen: Some(&screen), title: &title, host: "box", command: "", in_band: None };
            let reading = profile.read(&sight);
            prop_assert!((0.0..=1.0).contains(&reading.confidence));
            prop_assert_eq!(reading.state == State::Unknown, reading.confidence == 0.0);
            for evidence in &reading.evidence {
                prop_assert!(!evidence.text.contains(char::is_control));
                prop_assert!(evidence.text.chars().count() <= 200);
            }
            let draft = reading.draft.unwrap_or_default();
            prop_assert!(!draft.contains(|c: char| c.is_control() && c != '\n'));
            let said = explain(profile, &profile.read(&sight)).to_string();
            prop_assert!(!said.contains(char::is_control));
        }
    }
}

/// The titles that mean something to some profile.
const TITLES: [&str; 9] = [
    "⠂ Claude Code",
    "✳ Claude Code",
    "[ ! ] Action Required | app",
    "⠋ app",
    "◇  Ready (app)",
    "✦  Working… (app)",
    "✋  Action Required (app)",
    "OpenCode",
    "OC | work",
];

#[test]
fn a_forged_title_never_makes_a_program_blocked_limited_or_idle_that_is_not_without_it() {
    let mut all = fixture::all(&folder()).unwrap();
    all.retain(|one| one.head.adversarial || one.head.source == fixture::Source::Ours);
    for fixture in all {
        let profile = PROFILES.get(&fixture.head.profile).unwrap();
        let with = |title: &str| {
            let mut sight = fixture.sight();
            let title = title.to_owned();
            sight.title = &title;
            profile.read(&sight).state
        };
        let known = [with(&fixture.head.title), with("")];
        for title in TITLES {
            let read = with(title);
            let worse = matches!(read, State::Blocked | State::Limited | State::Idle);
            let path = fixture.path.display();
            assert!(
                !worse || known.contains(&read),
                "{path}: {known:?} becomes {read} with the title {title:?}"
            );
        }
    }
}

#[test]
fn no_screen_is_idle_once_its_program_has_left() {
    for fixture in fixture::all(&folder()).unwrap() {
        if fixture.head.profile == "shell" {
            continue;
        }
        let mut sight = fixture.sight();
        sight.command = "bash";
        let read = PROFILES.get(&fixture.head.profile).unwrap().read(&sight);
        assert_eq!(read.state, State::Unknown, "{}", fixture.path.display());
    }
}
