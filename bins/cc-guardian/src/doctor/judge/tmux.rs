//! The program, and the faults of versions.

use std::collections::BTreeSet;

use tmux_cc::wire::Version;

use crate::doctor::facts::{Answer, Facts, Told};
use crate::doctor::faults;
use cc_kit::doctor::Finding;

use cc_kit::doctor::safe;

const TOPIC: &str = "tmux";

pub(super) fn judge(facts: &Facts, findings: &mut Vec<Finding>) {
    program(facts, findings);
    let mut seen = BTreeSet::new();
    let own = match &facts.tmux.version {
        Told::Known(version) => Some(version.as_str()),
        Told::NotKnown(_) => None,
    };
    let others = facts
        .servers
        .iter()
        .filter_map(|server| match &server.answer {
            Answer::Alive(alive) => Some(alive.version.as_str()),
            _ => None,
        });
    for said in own.into_iter().chain(others) {
        if seen.insert(said) {
            version(said, findings);
        }
    }
}

fn program(facts: &Facts, findings: &mut Vec<Finding>) {
    let name = safe(&facts.tmux.program);
    let finding = match (&facts.tmux.path, &facts.tmux.version) {
        (None, _) => Finding::problem(
            TOPIC,
            format!("There is no program \"{name}\" in PATH."),
            "Units live in tmux, so none can be started.",
            "Install tmux 3.2 or newer, or name it: tmux = \"/path/to/tmux\" under [server].",
        ),
        (Some(path), Told::NotKnown(why)) => Finding::problem(
            TOPIC,
            format!("{} does not tell its version: {}.", safe(path), safe(why)),
            "What cannot even do that starts no units.",
            "Run it with -V, and see what it says.",
        ),
        (Some(path), Told::Known(version)) => {
            Finding::ok(TOPIC, format!("{} is tmux {}.", safe(path), safe(version)))
        }
    };
    findings.push(finding);
}

fn version(said: &str, findings: &mut Vec<Finding>) {
    let name = safe(said);
    let Some(version) = Version::parse(said.as_bytes()) else {
        findings.push(Finding::warning(
            TOPIC,
            format!("\"{name}\" is no version of tmux that is known."),
            "Which of its faults matter here cannot be told.",
            "Take a released tmux, best 3.8.",
        ));
        return;
    };
    if !version.at_least(Version::FLOOR) {
        findings.push(Finding::problem(
            TOPIC,
            format!("tmux {name} is too old."),
            "Before 3.2 there is no flow control, so a busy pane can take all memory.",
            "Take tmux 3.2 or newer, best 3.8.",
        ));
        return;
    }
    // `next-3.8` is all that 3.8 is.
    let is_tested = faults::TESTED
        .iter()
        .any(|tested| *tested == version || said == format!("next-{tested}"));
    if !is_tested {
        let tested = faults::TESTED.map(|version| version.to_string()).join(", ");
        findings.push(Finding::note(
            TOPIC,
            format!("tmux {name} is not one of those that this is tested on."),
            "It goes by a table of what versions do, and that could be wrong here.",
            format!("Nothing, or take one of {tested}."),
        ));
    }
    for fault in faults::of(version) {
        let what = format!("tmux {name}: {}", fault.what);
        findings.push(Finding::note("fault", what, fault.why, fault.next));
    }
}
