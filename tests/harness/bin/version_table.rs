//! Makes the README's table of tmux versions of what the tests of the matrix gave.
//!
//! For each version there is a directory named after it, with the files `tests`, a line
//! `module::name PASS` for each test, and `facts`, a line `subject<TAB>verdict` for each thing that
//! a test found out about the version rather than about us.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use tmux_cc::protocol::Quirks;
use tmux_cc::wire::Version;

/// Where the table is, in the README.
const BEGIN: &str = "<!-- made by tests/matrix/run: begin -->\n";
const END: &str = "<!-- made by tests/matrix/run: end -->\n";

/// Makes the README's table of tmux versions.
#[derive(Parser)]
struct Cli {
    /// Put the table into the README, instead of comparing it.
    #[arg(long, conflicts_with = "check")]
    write: bool,
    /// Compare the table with the one in the README.
    #[arg(long)]
    check: bool,
    /// The results of `tests/matrix/run`.
    results: PathBuf,
    /// The README.
    readme: PathBuf,
}

/// How the subjects of facts begin that are about `respawn-pane`.
const RESPAWN: &str = "respawn: ";

/// What one version gave.
struct Column {
    version: Version,
    /// For each module of tests: how many passed, of how many.
    modules: BTreeMap<String, (usize, usize)>,
    facts: BTreeMap<String, BTreeSet<String>>,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(said) => {
            eprintln!("version-table: {said}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<String, String> {
    let table = table(&columns(&cli.results)?)?;
    let readme = read(&cli.readme)?;
    let unmarked = || format!("{} has no line {BEGIN}", cli.readme.display());
    let (before, rest) = readme.split_once(BEGIN).ok_or_else(unmarked)?;
    let (now, after) = rest.split_once(END).ok_or_else(unmarked)?;
    if now == table {
        return Ok("the README's table is what the tests gave".to_owned());
    }
    if !cli.write {
        return Err(format!(
            "the README's table is not what the tests gave; run TMUX_CC_MATRIX_TABLE=write bash \
             tests/matrix/run, or put this there:\n{table}"
        ));
    }
    let readme = format!("{before}{BEGIN}{table}{END}{after}");
    fs::write(&cli.readme, readme).map_err(|error| format!("{}: {error}", cli.readme.display()))?;
    Ok("the README has a new table".to_owned())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// What each version gave, oldest first.
fn columns(results: &Path) -> Result<Vec<Column>, String> {
    let found = fs::read_dir(results).map_err(|error| format!("{}: {error}", results.display()))?;
    let mut columns = Vec::new();
    for entry in found.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let Some(version) = Version::parse(name.as_encoded_bytes()) else {
            continue;
        };
        let mut modules: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for line in read(&path.join("tests"))?.lines() {
            let (test, outcome) = line.split_once(' ').ok_or("a test without an outcome")?;
            let module = test.split("::").next().unwrap_or(test);
            let (passed, all) = modules.entry(module.to_owned()).or_default();
            *passed += usize::from(outcome == "PASS");
            *all += 1;
        }
        let mut facts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for line in fs::read_to_string(path.join("facts"))
            .unwrap_or_default()
            .lines()
        {
            let (subject, verdict) = line.split_once('\t').ok_or("a fact without a verdict")?;
            let verdicts = facts.entry(subject.to_owned()).or_default();
            verdicts.insert(verdict.to_owned());
        }
        columns.push(Column {
            version,
            modules,
            facts,
        });
    }
    if columns.is_empty() {
        return Err(format!("no version in {}", results.display()));
    }
    columns.sort_by_key(|column| column.version);
    Ok(columns)
}

fn table(columns: &[Column]) -> Result<String, String> {
    let mut text = String::new();
    let mut section = |title: &str, rows: Vec<(String, Vec<String>)>| {
        let versions: Vec<_> = columns.iter().map(|c| c.version.to_string()).collect();
        let _ = writeln!(text, "\n| {title} | {} |", versions.join(" | "));
        let _ = writeln!(text, "|---|{}", "---|".repeat(columns.len()));
        for (name, cells) in rows {
            let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
        }
    };
    section("What is tested on each", tested(columns)?);
    let (respawns, others): (Vec<_>, Vec<_>) = facts(columns)
        .into_iter()
        .partition(|(subject, _)| subject.starts_with(RESPAWN));
    let bare = |(subject, cells): (String, _)| (subject.replacen(RESPAWN, "", 1), cells);
    section(
        "Somebody's `respawn-pane`, while there is",
        respawns.into_iter().map(bare).collect(),
    );
    section("What else was found out", others);
    section("What is degraded, and why", degraded(columns));
    text.push('\n');
    Ok(text)
}

/// A row for each module of tests, in its own words.
fn tested(columns: &[Column]) -> Result<Vec<(String, Vec<String>)>, String> {
    let mut rows = Vec::new();
    let modules: BTreeSet<_> = columns.iter().flat_map(|c| c.modules.keys()).collect();
    for module in modules {
        // Of the harness, not of tmux.
        if matches!(module.as_str(), "harness_self" | "support") {
            continue;
        }
        let cells = columns
            .iter()
            .map(|column| match column.modules.get(module) {
                Some((passed, all)) if passed == all => "yes".to_owned(),
                Some((passed, all)) => format!("{passed} of {all}"),
                None => "not run".to_owned(),
            });
        rows.push((title(module)?, cells.collect()));
    }
    Ok(rows)
}

/// The first sentence of a module's documentation.
fn title(module: &str) -> Result<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let programs = ["cc-logger", "cc-guardian", "cc-balancer"];
    let programs = programs.map(|program| root.join("../bins").join(program).join("tests/live"));
    let homes = std::iter::once(root.join("live")).chain(programs);
    let homes = Vec::from_iter(homes);
    let found = homes.iter().find_map(|home| {
        let text = fs::read_to_string(home.join(format!("{module}.rs"))).ok()?;
        let words = text.lines().map_while(|line| line.strip_prefix("//!"));
        let words: Vec<_> = words
            .map(str::trim)
            .take_while(|line| !line.is_empty())
            .collect();
        Some(words.join(" ").trim_end_matches('.').to_owned())
    });
    found.ok_or_else(|| format!("no tests are called {module}"))
}

fn facts(columns: &[Column]) -> Vec<(String, Vec<String>)> {
    let subjects: BTreeSet<_> = columns.iter().flat_map(|c| c.facts.keys()).collect();
    let cell = |column: &Column, subject: &String| match column.facts.get(subject) {
        Some(verdicts) => Vec::from_iter(verdicts.iter().cloned()).join(", "),
        None => String::new(),
    };
    let cells = |subject| columns.iter().map(|column| cell(column, subject)).collect();
    subjects
        .into_iter()
        .map(|subject| (subject.clone(), cells(subject)))
        .collect()
}

/// A row for each quirk that one of the versions has.
fn degraded(columns: &[Column]) -> Vec<(String, Vec<String>)> {
    let mut rows = Vec::new();
    for row in Quirks::table() {
        let has: Vec<_> = columns
            .iter()
            .map(|column| Quirks::of(column.version).has(row.quirk))
            .collect();
        if has.contains(&true) {
            let cells = has
                .iter()
                .map(|has| if *has { "so" } else { "" }.to_owned());
            let why = format!("{} <br> *{}*", row.effect.trim_end_matches('.'), row.source);
            rows.push((why, cells.collect()));
        }
    }
    rows
}
