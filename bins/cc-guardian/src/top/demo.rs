//! Units that do not exist, to try the dashboard on.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::listing::Listing;

/// When the units of tests are listed: 2026-11-26T14:00:00Z.
#[cfg(test)]
pub(crate) const START: Timestamp = Timestamp::constant(1_795_701_600, 0);

/// One kind of state: the word, the kind of it, the last line.
type Scene = (&'static str, Option<&'static str>, &'static str);

/// What units do, the common things more often.
const SCENES: [Scene; 20] = [
    (
        "busy",
        Some("thinking"),
        "✻ Pondering… (12s · ↓ 1.2k tokens)",
    ),
    ("idle", None, "❯ "),
    ("busy", Some("tool"), "⎿  Running cargo test --workspace"),
    (
        "blocked",
        Some("permission"),
        "Esc to cancel · Tab to amend",
    ),
    ("idle", None, "✻ Worked for 1m 52s"),
    (
        "busy",
        Some("thinking"),
        "日本語のテキストを翻訳しています、少しお待ちください",
    ),
    (
        "limited",
        Some("usage"),
        "You've hit your session limit · resets 3pm",
    ),
    (
        "idle",
        None,
        "C:\\work> \u{1b}[2J\u{1b}]0;owned\u{7} a title that is none",
    ),
    ("busy", Some("compacting"), "Compacting conversation…"),
    (
        "errored",
        Some("auth"),
        "API Error: 401 · Please run /login",
    ),
    ("idle", None, "done\u{202e}txt.exe and \u{200b}nothing"),
    ("starting", None, ""),
    (
        "busy",
        Some("tool"),
        "👩\u{200d}💻 editing src/main.rs ❤\u{fe0f}",
    ),
    ("hung", None, "⠐ Working (44m 12s • esc to interrupt)"),
    ("idle", None, "› "),
    ("dead", Some("exit"), "Segmentation fault (core dumped)"),
    (
        "held",
        Some("start-limit"),
        "bash: claude: command not found",
    ),
    ("suspect", None, "• Working (21m 3s • esc to interrupt)"),
    ("unknown", None, "?"),
    ("idle", None, "$ "),
];

const ROLES: [&str; 5] = [
    "worker",
    "reviewer",
    "docs",
    "integration-tester-backend",
    "ops",
];

const PROFILES: [&str; 4] = ["claude", "codex", "gemini", "shell"];

/// `count` units as they are `step` seconds after `start`: at each step one of them changes between
/// busy and idle. As JSON, as the daemon gives it.
pub(crate) fn json(count: usize, step: u32, start: Timestamp) -> String {
    let units: Vec<_> = (0..count)
        .map(|index| unit(index, count, step, start))
        .collect();
    json!({"v": 1, "units": units}).to_string()
}

/// As [`json`], read.
pub(crate) fn listing(count: usize, step: u32, start: Timestamp) -> Listing {
    Listing::read(&json(count, step, start)).unwrap_or_default()
}

fn unit(index: usize, count: usize, step: u32, start: Timestamp) -> Value {
    let scene = SCENES.get(index * 7 % SCENES.len());
    let (mut state, mut sub, last) = scene.copied().unwrap_or(("unknown", None, ""));
    let at = |seconds: i64| Timestamp::from_second(start.as_second() + seconds).ok();
    let number = i64::try_from(index).unwrap_or_default();
    let mut since = at(-(number * number * 37 + 3));
    // Its turn comes once in as many steps as there are units.
    let turns = (step as usize + count - index - 1) / count.max(1);
    if turns > 0 && matches!(state, "busy" | "idle") {
        if turns % 2 == 1 {
            (state, sub) = if state == "busy" {
                ("idle", None)
            } else {
                ("busy", Some("tool"))
            };
        }
        since = i64::try_from((turns - 1) * count + index + 1)
            .ok()
            .and_then(at);
    }
    let role = ROLES.get(index % ROLES.len()).copied().unwrap_or_default();
    let profile = PROFILES
        .get(index % PROFILES.len())
        .copied()
        .unwrap_or_default();
    let lives = !matches!(state, "dead" | "held");
    json!({
        "unit": format!("{role}@{}", index / ROLES.len() + 1),
        "state": state,
        "sub": sub,
        "since": since.map(|since| since.to_string()),
        "pane": format!("%{index}"),
        "pid": lives.then_some(4000 + index),
        "restarts": index % 9 / 6 * index,
        "profile": profile,
        "socket": "/run/user/1000/cc/group.sock",
        "evidence": [{"rule": format!("{profile}.{state}"), "seen": "screen", "text": last}],
        "confidence": 0.9,
        "labels": {"role": role, "repo": if index.is_multiple_of(2) { "app" } else { "site" }},
        "account": if profile == "shell" { None } else { Some("team-a") },
        "reset": (state == "limited").then(|| at(600 + number * 61).map(|reset| reset.to_string())),
        "last_line": last,
        "cpu": lives.then_some(if state == "busy" { 0.07 * (index % 20) as f64 } else { 0.0 }),
        "memory": lives.then_some((index as u64 % 13 + 1) * 41_000_000),
        "question": (state == "blocked").then(|| question(index)),
        "held": (state == "held").then_some("5 starts within 10m"),
    })
}

fn question(index: usize) -> Value {
    json!({
        "text": format!("Bash command\n\n  rm -r target/{index}\n\nDo you want to proceed?"),
        "choices": [
            {"key": "1", "text": "Yes"},
            {"key": "2", "text": "Yes, and don't ask again for rm in this project"},
            {"key": "3", "text": "No, and tell it what to do differently"},
        ],
        "hash": format!("{index:08x}"),
    })
}

/// The screen of a unit.
pub(crate) fn screen(unit: &str) -> Vec<String> {
    let mut rows: Vec<_> = (1..=30)
        .map(|row| format!("{unit}: row {row} of its screen"))
        .collect();
    rows.push("\u{1b}[31mred\u{1b}[0m and 日本語".to_owned());
    rows.extend(["─".repeat(100), "❯ ".to_owned(), String::new()]);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::listing::State;
    use std::collections::HashSet;

    #[test]
    fn every_state_occurs_and_no_name_twice() {
        let listing = listing(100, 0, START);
        let states: HashSet<_> = listing.units.iter().map(|unit| unit.state()).collect();
        let names: HashSet<_> = listing.units.iter().map(|unit| &unit.unit).collect();
        assert_eq!(states.len(), State::ALL.len() - 1);
        assert_eq!(names.len(), 100);
    }

    #[test]
    fn at_each_step_at_most_one_unit_changes() {
        for step in 0..250 {
            let (one, next) = (listing(100, step, START), listing(100, step + 1, START));
            let changed = one
                .units
                .iter()
                .zip(&next.units)
                .filter(|(one, next)| one != next);
            assert!(changed.count() <= 1, "{step}");
        }
        assert_ne!(listing(100, 0, START), listing(100, 100, START));
    }
}
