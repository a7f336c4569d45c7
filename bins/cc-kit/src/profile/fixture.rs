//! Screens of which the truth is known.
//!
//! A fixture is a text file: a head of TOML between two lines `+++`, then the rows as `capture-pane -p`
//! prints them.
//!
//! ```text
//! +++
//! profile = "claude"
//! version = "2.1.197"           # of the program; "" where nobody ran one
//! source = "recorded"           # or "ours": written by hand in its shape
//! state = "blocked"
//! sub = "permission"            # may be missing; then it is not looked at
//! adversarial = false           # true: made to mislead
//! title = "✳ Claude Code"
//! host = "box"
//! command = "claude"
//! size = [80, 24]
//! cursor = [2, 20]              # may be missing, as the next two
//! cursor_visible = true
//! alternate = false
//! in_band = ["7501;state=idle:app=codex"]   # bodies of OSCs; may be missing
//! +++
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::reading::Reading;
use super::shelf::Profiles;
use super::sight::{InBand, Screen, Sight};
use super::state::State;
use crate::config::{self, ConfigError};

/// A screen, and the truth about it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Fixture {
    /// Where it is from.
    pub path: PathBuf,
    /// Its head.
    pub head: Head,
    /// The screen.
    pub screen: Screen,
}

/// The head of a fixture; see [the module](self).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the module says each")]
pub struct Head {
    pub profile: String,
    pub version: String,
    pub source: Source,
    pub state: State,
    #[serde(default)]
    pub sub: Option<String>,
    #[serde(default)]
    pub adversarial: bool,
    pub title: String,
    pub host: String,
    pub command: String,
    pub size: (u16, u16),
    #[serde(default)]
    pub cursor: Option<(u16, u16)>,
    #[serde(default)]
    pub cursor_visible: Option<bool>,
    #[serde(default)]
    pub alternate: bool,
    #[serde(default)]
    pub in_band: Vec<String>,
}

/// Who made a fixture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Source {
    /// The real program.
    Recorded,
    /// Written by hand.
    Ours,
}

/// How profiles did on fixtures.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// How many were read right.
    pub right: usize,
    /// Those that were not, also by their sub alone.
    pub wrong: Vec<Wrong>,
    /// How many were read as unknown, rightly or not.
    pub unknown: usize,
    /// Those read as blocked or limited that are neither: indexes into `wrong`.
    pub false_alarms: Vec<usize>,
    /// Those read as idle that are not: indexes into `wrong`. A prompt would have gone there.
    pub false_idles: Vec<usize>,
}

/// A fixture that was misread.
#[derive(Debug)]
#[non_exhaustive]
pub struct Wrong {
    /// Where it is from.
    pub path: PathBuf,
    /// The truth.
    pub state: State,
    /// More of it.
    pub sub: Option<String>,
    /// What was read.
    pub reading: Reading,
}

impl Fixture {
    /// Reads the text of a fixture; `path` is what errors call it.
    ///
    /// # Errors
    /// When it has no head, or one that says something else than [the module](self) has it.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let parts = text
            .strip_prefix("+++\n")
            .and_then(|rest| rest.split_once("\n+++\n"));
        let Some((head, rows)) = parts else {
            return Err(ConfigError::Wrong {
                path: path.to_owned(),
                line: 1,
                column: 1,
                what: "a fixture begins with a head between two lines `+++`".to_owned(),
            });
        };
        // One line stands before the head; it takes its place, so that lines are counted right.
        let head: Head = config::parse(path, &format!("\n{head}"))?;
        let screen = Screen {
            rows: rows.lines().map(str::to_owned).collect(),
            width: head.size.0,
            cursor: head.cursor,
            cursor_visible: head.cursor_visible,
            alternate: head.alternate,
        };
        Ok(Self {
            path: path.to_owned(),
            head,
            screen,
        })
    }

    /// What there was to see.
    #[must_use]
    pub fn sight(&self) -> Sight<'_> {
        let mut in_band = InBand::default();
        for body in &self.head.in_band {
            in_band.take(body);
        }
        Sight {
            screen: Some(&self.screen),
            title: &self.head.title,
            host: &self.head.host,
            command: &self.head.command,
            in_band: Some(in_band).filter(|said| *said != InBand::default()),
        }
    }
}

/// All fixtures of a directory: the `*.txt` of its directories, in the order of their names.
///
/// # Errors
/// When something cannot be read, or is no fixture.
pub fn all(dir: &Path) -> Result<Vec<Fixture>, ConfigError> {
    let mut fixtures = Vec::new();
    for inner in entries(dir)?.iter().filter(|path| path.is_dir()) {
        for path in entries(inner)? {
            if path.extension().is_some_and(|extension| extension == "txt") {
                let text = fs::read_to_string(&path).map_err(|source| ConfigError::Read {
                    path: path.clone(),
                    source,
                })?;
                fixtures.push(Fixture::parse(&path, &text)?);
            }
        }
    }
    Ok(fixtures)
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let list = || -> std::io::Result<Vec<PathBuf>> {
        fs::read_dir(dir)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect()
    };
    let mut paths = list().map_err(|source| ConfigError::Read {
        path: dir.to_owned(),
        source,
    })?;
    paths.sort();
    Ok(paths)
}

/// Reads all fixtures with the profiles that they name, and says how that went. One whose profile is
/// not there counts as unknown.
#[must_use]
pub fn check(profiles: &Profiles, fixtures: &[Fixture]) -> Report {
    let mut report = Report::default();
    for fixture in fixtures {
        let head = &fixture.head;
        let reading = match profiles.get(&head.profile) {
            Some(profile) => profile.read(&fixture.sight()),
            None => Reading::unknown(),
        };
        let state = reading.state;
        report.unknown += usize::from(state == State::Unknown);
        let sub_right = head.sub.is_none() || head.sub == reading.sub;
        if state == head.state && sub_right {
            report.right += 1;
            continue;
        }
        let alarm = |state| matches!(state, State::Blocked | State::Limited);
        if alarm(state) && !alarm(head.state) {
            report.false_alarms.push(report.wrong.len());
        }
        if state == State::Idle && head.state != State::Idle {
            report.false_idles.push(report.wrong.len());
        }
        report.wrong.push(Wrong {
            path: fixture.path.clone(),
            state: head.state,
            sub: head.sub.clone(),
            reading,
        });
    }
    report
}
