//! What is written, settled: defaults filled in, references looked up, values compared.
//!
//! Nothing here looks at the disk: what has to be there is handed back as [`Claims`].

mod alert;
mod order;
mod policy;
mod unit;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

pub(crate) use self::alert::{RIGHT_URL, stays_here, wrong_url};

pub(super) use self::alert::alert;
pub(super) use self::order::{Needs, cycles, readiness};
pub(super) use self::unit::{defaults, unit};

use super::mistake::{At, Mistakes, Place, Sources};
use super::nearest::nearest;
use super::reading::{Field, Text};
use super::values::{Command, Name};
use super::written;
use super::{Account, Isolation, ServerSettings};

/// What values are looked up in.
#[derive(Debug)]
pub(super) struct Known<'a> {
    pub(super) sources: &'a Sources,
    /// What `~` is.
    pub(super) home: Option<&'a Path>,
    pub(super) profiles: BTreeSet<&'a str>,
    pub(super) accounts: BTreeSet<&'a str>,
    pub(super) alerts: BTreeSet<&'a str>,
    pub(super) units: BTreeSet<&'a str>,
}

/// What has to be on the disk.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// Folders.
    pub(super) folders: Vec<At<PathBuf>>,
    /// Files of variables.
    pub(super) env_files: Vec<At<PathBuf>>,
}

/// A section and what stands behind it.
#[derive(Debug)]
struct Layers<'a, S> {
    own: Option<&'a S>,
    base: Option<&'a S>,
}

impl<S> Clone for Layers<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Layers<'_, S> {}

impl<'a, S> Layers<'a, S> {
    /// What a field says: its own, or what stands behind it.
    fn pick<T>(self, field: fn(&S) -> &Field<T>) -> Option<&'a At<T>> {
        let given = |section: Option<&'a S>| section.and_then(|section| field(section).given());
        given(self.own).or_else(|| given(self.base))
    }

    /// The value of that; `default` where nobody says one.
    fn value<T: Clone>(self, field: fn(&S) -> &Field<T>, default: T) -> T {
        self.pick(field).map_or(default, |at| at.value.clone())
    }

    /// The layers of a section within.
    fn inner<T>(self, field: fn(&S) -> &Field<T>) -> Layers<'a, T> {
        let given = |section: Option<&'a S>| section.and_then(|section| field(section).given());
        Layers {
            own: given(self.own).map(|at| &at.value),
            base: given(self.base).map(|at| &at.value),
        }
    }

    /// Where to point when two fields do not fit: at one that is its own, for the other may be right
    /// for others.
    fn blame<A, B>(self, one: fn(&S) -> &Field<A>, other: fn(&S) -> &Field<B>) -> Place {
        fn place<S, T>(section: Option<&S>, field: fn(&S) -> &Field<T>) -> Option<Place> {
            field(section?).given().map(|at| at.place)
        }
        place(self.own, one)
            .or_else(|| place(self.own, other))
            .or_else(|| place(self.base, one))
            .or_else(|| place(self.base, other))
            .unwrap_or_default()
    }
}

impl Known<'_> {
    /// A path with its home and its folder; `None` when there is no home and it needs one.
    fn path(&self, path: &Path, place: Place, mistakes: &mut Mistakes) -> Option<PathBuf> {
        let path = match (path.strip_prefix("~"), self.home) {
            (Ok(rest), Some(home)) => home.join(rest),
            (Ok(_), None) => {
                mistakes.add(place, "there is no home for `~`", "an absolute path");
                return None;
            }
            (Err(_), _) => self.sources.folder(place).join(path),
        };
        // Leaves out what `.` adds.
        Some(path.components().collect())
    }
}

/// Notes a name that is none of `known`, where `declared` says how one is made known.
fn reference(
    kind: &str,
    name: &At<String>,
    known: &BTreeSet<&str>,
    declared: Option<&str>,
    mistakes: &mut Mistakes,
) {
    if known.contains(name.value.as_str()) {
        return;
    }
    let right = match (nearest(&name.value, known.iter().copied()), declared) {
        (Some(near), _) => format!("did you mean {near:?}?"),
        (None, Some(table)) => format!("one that is declared as [{table}.NAME]"),
        (None, None) => {
            let quoted: Vec<_> = known.iter().map(|name| format!("{name:?}")).collect();
            format!("one of {}", quoted.join(", "))
        }
    };
    mistakes.add(name.place, format!("no {kind} {:?}", name.value), right);
}

/// Notes a name of the user's that is none.
pub(super) fn check_name(name: &str, place: Place, mistakes: &mut Mistakes) {
    if let Err(what) = Name::parse(name) {
        mistakes.add(place, what, Name::RIGHT);
    }
}

/// A whole number within `range`; `None` when it is not said or outside.
fn whole<T: TryFrom<i64>>(
    name: &str,
    given: Option<&At<i64>>,
    range: RangeInclusive<i64>,
    mistakes: &mut Mistakes,
) -> Option<T> {
    let given = given?;
    if !range.contains(&given.value) {
        let right = format!("a whole number from {} to {}", range.start(), range.end());
        mistakes.add(given.place, format!("`{name}` is {}", given.value), right);
        return None;
    }
    T::try_from(given.value).ok()
}

/// A field that has to be there.
fn required<'a, T>(
    name: &str,
    field: &'a Field<T>,
    section: Place,
    right: &str,
    mistakes: &mut Mistakes,
) -> Option<&'a At<T>> {
    if field.is_missing() {
        mistakes.add(section, format!("`{name}` is missing"), right);
    }
    field.given()
}

/// The program and its arguments; `shell` is `None` where there can be no shell.
fn argv(command: &At<Command>, shell: Option<bool>, mistakes: &mut Mistakes) -> Vec<String> {
    let mut wrong = |place, what: &str, right: &str| {
        mistakes.add(place, what, right);
        Vec::new()
    };
    let list = "a list such as [\"program\", \"argument\"]";
    match (&command.value, shell == Some(true)) {
        (Command::Text(text), true) if text.trim().is_empty() => {
            wrong(command.place, "`command` is empty", "a text for /bin/sh")
        }
        (Command::Text(text), true) if text.contains('\0') => {
            wrong(command.place, "`command` has a NUL", "a text without one")
        }
        (Command::Text(text), true) => vec!["/bin/sh".into(), "-c".into(), text.clone()],
        (Command::Text(_), false) => wrong(
            command.place,
            "`command` is a string",
            &match shell {
                Some(_) => format!("{list}, or shell = true beside it"),
                None => list.to_owned(),
            },
        ),
        (Command::Argv(_), true) => wrong(
            command.place,
            "`command` is a list, and shell = true",
            "one string for /bin/sh, or no shell = true",
        ),
        (Command::Argv(argv), false) => {
            if argv.first().is_none_or(|program| program.value.is_empty()) {
                return wrong(command.place, "`command` is empty", list);
            }
            for argument in argv {
                if argument.value.contains('\0') {
                    wrong(argument.place, "an argument has a NUL", "one without");
                }
            }
            argv.iter().map(|argument| argument.value.clone()).collect()
        }
    }
}

/// The tmux side.
pub(super) fn server(
    written: Option<&written::Server>,
    known: &Known<'_>,
    mistakes: &mut Mistakes,
) -> ServerSettings {
    let server = Layers {
        own: written,
        base: None,
    };
    let history = server.pick(|server| &server.history_limit);
    ServerSettings {
        isolation: server.value(|server| &server.isolation, Isolation::Group),
        history_limit: whole("history_limit", history, 0..=1_000_000, mistakes).unwrap_or(5_000),
        tmux: server.pick(|server| &server.tmux).map_or_else(
            || "tmux".into(),
            // A bare name is looked for in PATH, as a shell does.
            |at| match at.value.0.components().count() {
                1 => at.value.0.clone(),
                _ => known
                    .path(&at.value.0, at.place, mistakes)
                    .unwrap_or_default(),
            },
        ),
    }
}

/// An account.
pub(super) fn account(
    name: &str,
    key: Place,
    written: &written::Account,
    mistakes: &mut Mistakes,
) -> Account {
    check_name(name, key, mistakes);
    let most = written.max_parallel.given();
    Account {
        name: name.to_owned(),
        max_parallel: whole("max_parallel", most, 1..=999, mistakes),
        after_reset: written.after_reset.given().map(|at| at.value.0),
    }
}
