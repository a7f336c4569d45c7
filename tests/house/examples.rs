//! Every public item of the library shows how it is used, says where that is shown, or says why
//! not.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::root;

/// What a documentation says of examples.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Shows {
    /// There is one.
    Example,
    /// It is with another item, or in the documentation of a module.
    Elsewhere(String),
    /// There is none, for a reason.
    Reason,
    Nothing,
}

impl Shows {
    fn of(documentation: &[&str]) -> Self {
        let mut shows = Self::Nothing;
        for line in documentation {
            let line = line.trim();
            if line.starts_with("```") {
                return Self::Example;
            }
            if let Some(link) = line.strip_prefix("Example: [`") {
                let (name, _) = link.split_once('`').unwrap_or((link, ""));
                shows = Self::Elsewhere(name.to_owned());
            } else if line.starts_with("No example: ") {
                shows = Self::Reason;
            }
        }
        shows
    }
}

/// The public items that a source declares at its top, and what each shows.
fn items(source: &str) -> Vec<(String, Shows)> {
    let mut items = Vec::new();
    let mut documentation = Vec::new();
    let mut in_attribute = false;
    for line in source.lines() {
        if let Some(text) = line.strip_prefix("///") {
            documentation.push(text);
            continue;
        }
        if in_attribute || line.starts_with("#[") {
            in_attribute = !line.ends_with(']');
            continue;
        }
        if let Some(name) = declared(line) {
            items.push((name.to_owned(), Shows::of(&documentation)));
        }
        documentation.clear();
    }
    items
}

/// The name of a public item that begins in that line.
fn declared(line: &str) -> Option<&str> {
    let mut words = line.strip_prefix("pub ")?.split(' ');
    let kind = words.find(|word| !matches!(*word, "const" | "async") || line.contains(": "));
    if !matches!(kind?, "fn" | "struct" | "enum" | "trait" | "const" | "type") {
        return None;
    }
    let name = words.find(|word| *word != "fn")?;
    name.split(|c: char| !c.is_alphanumeric() && c != '_')
        .next()
}

/// The sources below `folder` that are no tests.
fn sources(folder: &Path, into: &mut Vec<(String, String)>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "tests" {
                sources(&path, into);
            }
        } else if name.ends_with(".rs") && name != "tests.rs" {
            let text = fs::read_to_string(&path).unwrap();
            into.push((path.to_string_lossy().into_owned(), text));
        }
    }
}

/// What is wrong, a line each.
fn complaints(sources: &[(String, String)]) -> Vec<String> {
    let mut shown: BTreeMap<String, bool> = BTreeMap::new();
    for (path, source) in sources {
        for (name, shows) in items(source) {
            *shown.entry(name).or_default() |= shows == Shows::Example;
        }
        let path = Path::new(path);
        let module = match path.file_stem().and_then(|stem| stem.to_str()) {
            Some("mod") => path.parent().and_then(Path::file_name),
            _ => None,
        };
        if let Some(module) = module {
            let has = source.lines().any(|line| line.starts_with("//! ```"));
            *shown
                .entry(module.to_string_lossy().into_owned())
                .or_default() |= has;
        }
    }
    let mut complaints = Vec::new();
    for (path, source) in sources {
        for (name, shows) in items(source) {
            match shows {
                Shows::Example | Shows::Reason => {}
                Shows::Elsewhere(other) if shown.get(&other) == Some(&true) => {}
                Shows::Elsewhere(other) => {
                    complaints.push(format!(
                        "{path}: {name} points at {other}, which shows none"
                    ));
                }
                Shows::Nothing => complaints.push(format!(
                    "{path}: {name} has no example; give one, point at one (`Example: [..].`), or \
                     say why not (`No example: ...`)"
                )),
            }
        }
    }
    complaints
}

#[test]
fn every_public_item_shows_how_it_is_used() {
    let mut all = Vec::new();
    sources(&root().join("tmux-cc/src"), &mut all);
    let count = all.iter().flat_map(|(_, source)| items(source)).count();
    assert!(count > 100, "{count} public items were found");
    let complaints = complaints(&all);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn an_item_that_shows_nothing_is_seen() {
    let source = "/// A.\n///\n/// ```\n/// ```\npub struct A;\n\
        /// B.\n///\n/// Example: [`A`].\n#[derive(\n    Debug\n)]\npub enum B {}\n\
        /// C.\npub const fn c() {}\n\
        /// D.\n///\n/// Example: [`c`].\npub trait D {}\n\
        /// E.\n///\n/// No example: none.\npub const E: u8 = 0;\n\
        /// F.\npub(crate) fn f() {}\n/// G.\npub async fn g() {}\n/// H.\npub const H: u8 = 0;\n";
    let found = complaints(&[("x.rs".to_owned(), source.to_owned())]);
    let names: Vec<_> = found
        .iter()
        .map(|line| line.split(' ').nth(1).unwrap())
        .collect();
    assert_eq!(names, ["c", "D", "g", "H"], "{found:?}");
}
