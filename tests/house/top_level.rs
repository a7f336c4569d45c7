//! The top of the repository is what a visitor sees first: the rooms, the README, the tools.

use std::collections::BTreeSet;

use crate::root;

/// What must be there.
const ROOMS: [&str; 8] = [
    "Cargo.toml",
    "README.md",
    "benches",
    "bins",
    "fuzz",
    "tests",
    "tmux-cc",
    "tmux-cc-derive",
];

/// What may be there: files of tools, and what they leave.
const TOOLS: [&str; 14] = [
    ".ci",
    ".config",
    ".git",
    ".github",
    ".gitignore",
    "CHANGELOG.md",
    "Cargo.lock",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "clippy.toml",
    "deny.toml",
    "justfile",
    "rustfmt.toml",
    "target",
];

/// What is missing, and what does not belong.
fn compare<'a>(found: &BTreeSet<&'a str>) -> (Vec<&'static str>, Vec<&'a str>) {
    let missing = ROOMS
        .into_iter()
        .filter(|room| !found.contains(room))
        .collect();
    let known = |name: &str| ROOMS.contains(&name) || TOOLS.contains(&name);
    (
        missing,
        found.iter().copied().filter(|name| !known(name)).collect(),
    )
}

#[test]
fn the_top_level_is_the_plan() {
    let entries = std::fs::read_dir(root()).expect("the workspace can be listed");
    let names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let (missing, strange) = compare(&names.iter().map(String::as_str).collect());
    assert!(
        missing.is_empty() && strange.is_empty(),
        "missing {missing:?}, strange {strange:?}"
    );
}

#[test]
fn what_is_missing_or_strange_is_seen() {
    let mut found: BTreeSet<_> = ROOMS.into_iter().chain(["Cargo.lock"]).collect();
    assert_eq!(compare(&found), (vec![], vec![]));
    found.remove("fuzz");
    found.insert("scripts");
    assert_eq!(compare(&found), (vec!["fuzz"], vec!["scripts"]));
}
