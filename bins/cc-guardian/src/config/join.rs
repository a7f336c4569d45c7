//! The texts of all files into one configuration.

use std::collections::btree_map::Entry as Slot;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue, Error};

use super::mistake::{At, Mistakes, Place, Sources};
use super::reading::{Field, Named, Node, Value};
use super::settle::{self, Claims, Known, Needs};
use super::written::{Account, Alert, Defaults, File, Server, Unit};
use super::{Config, claims, twice};

/// Joins the files that begin at `starts`. What needs all of them to be seen is looked at when all
/// could be read; `None` otherwise.
pub(super) fn join(
    starts: &[Place],
    profiles: &[&str],
    home: Option<&Path>,
    sources: &mut Sources,
    mistakes: &mut Mistakes,
) -> Option<Config> {
    let all_were_read = mistakes.is_empty();
    let files: Vec<_> = starts
        .iter()
        .map(|&start| parse(start, sources, mistakes))
        .collect();
    let files: Option<Vec<File>> = files.into_iter().collect();
    let files = files.filter(|_| all_were_read)?;
    let paths = starts.iter().map(|&start| sources.path(start).to_owned());
    let paths = paths.collect();
    let mut needed = Claims::default();
    let whole = Whole::of(files, sources, mistakes);
    let config = whole.settle(paths, (profiles, home), sources, &mut needed, mistakes);
    claims::check(&needed, sources, mistakes);
    Some(config)
}

/// What one file says; `None` where it is no TOML of a version that is known.
fn parse(start: Place, sources: &Sources, mistakes: &mut Mistakes) -> Option<File> {
    let text = sources.text(start);
    let (table, errors) = DeTable::parse_recoverable(text);
    if !note_errors(&errors, start, sources, mistakes) {
        return None;
    }
    let value = DeValue::Table(table.into_inner());
    let node = Node {
        name: "the file",
        value: &value,
        place: start,
    };
    // What another version means by its fields is not known.
    is_known_version(node, mistakes).then(|| File::read(node, mistakes))?
}

/// Notes what is no TOML. Can the rest be read all the same?
fn note_errors(errors: &[Error], start: Place, sources: &Sources, mistakes: &mut Mistakes) -> bool {
    let text = sources.text(start);
    let mut errors: Vec<_> = errors
        .iter()
        .map(|error| (error.span().unwrap_or_default(), error.message()))
        .collect();
    errors.sort_by_key(|(span, _)| span.start);
    let mut readable = true;
    let mut last_line = 0;
    let mut twice_from = None;
    for (span, message) in errors {
        let place = Place {
            offset: span.start,
            ..start
        };
        let (line, _) = sources.line(place);
        // What follows on the same line is the same mistake once more.
        if line == last_line {
            continue;
        }
        last_line = line;
        if message != "duplicate key" {
            readable = false;
            let right = "TOML: KEY = VALUE, and texts in quotes";
            mistakes.add(place, message.replace('\n', " "), right);
            continue;
        }
        let header = twice::header(text, span.start);
        // The keys of a table that is there twice are there twice too.
        if header.is_some() && header == twice_from {
            continue;
        }
        twice_from = header.filter(|header| (header.start..header.end).contains(&span.start));
        let key = text.get(span.clone()).unwrap_or_default();
        let first = twice_from
            .as_ref()
            .and_then(|header| twice::first(text, header.clone()));
        match first {
            Some(offset) => {
                let first = sources.named(Place { offset, ..start });
                let what = format!("`{key}` is given here and at {first}");
                mistakes.add(place, what, "one of the two");
            }
            None => {
                let what = format!("`{key}` is given a second time");
                mistakes.add(place, what, "once, with all that belongs to it");
            }
        }
    }
    readable
}

/// Looks at the version before all else. That it is missing does not keep the rest from being read.
fn is_known_version(file: Node<'_>, mistakes: &mut Mistakes) -> bool {
    let version = match file.value {
        DeValue::Table(table) => table.iter().find(|(key, _)| key.get_ref() == "version"),
        _ => None,
    };
    let Some((_, value)) = version else {
        mistakes.add(file.place, "`version` is missing", "version = 1 at the top");
        return true;
    };
    match value.get_ref() {
        DeValue::Integer(number) if number.as_str() != "1" => {
            let offset = value.span().start;
            let place = Place {
                offset,
                ..file.place
            };
            let what = format!("version {number} is not known");
            mistakes.add(place, what, "version = 1");
            false
        }
        _ => true,
    }
}

/// What all files say, each name once.
#[derive(Debug, Default)]
struct Whole {
    server: Option<At<Server>>,
    defaults: Option<At<Defaults>>,
    unit: Named<Unit>,
    alert: Named<Alert>,
    account: Named<Account>,
}

impl Whole {
    fn of(files: Vec<File>, sources: &Sources, mistakes: &mut Mistakes) -> Self {
        let mut whole = Self::default();
        for file in files {
            once(
                "[server]",
                file.server,
                &mut whole.server,
                sources,
                mistakes,
            );
            once(
                "[defaults]",
                file.defaults,
                &mut whole.defaults,
                sources,
                mistakes,
            );
            each_once("unit", file.unit, &mut whole.unit, sources, mistakes);
            each_once("alert", file.alert, &mut whole.alert, sources, mistakes);
            each_once(
                "account",
                file.account,
                &mut whole.account,
                sources,
                mistakes,
            );
        }
        whole
    }

    fn settle(
        &self,
        files: Vec<PathBuf>,
        (profiles, home): (&[&str], Option<&Path>),
        sources: &Sources,
        needed: &mut Claims,
        mistakes: &mut Mistakes,
    ) -> Config {
        let known = Known {
            sources,
            home,
            profiles: profiles.iter().copied().collect(),
            accounts: self.account.keys().map(String::as_str).collect(),
            alerts: self.alert.keys().map(String::as_str).collect(),
            units: self.unit.keys().map(String::as_str).collect(),
        };
        let server = self.server.as_ref().map(|at| &at.value);
        let server = settle::server(server, &known, mistakes);
        let defaults = self.defaults.as_ref().map(|at| &at.value.0);
        if let Some(defaults) = defaults {
            settle::defaults(defaults, &known, needed, mistakes);
        }
        let mut units = Vec::new();
        let mut needs = Needs::new();
        for (name, key, unit) in given(&self.unit) {
            let layers = (&unit.value, defaults);
            units.push(settle::unit(name, key, layers, &known, needed, mistakes));
            if let Some(others) = unit.value.depends_on.given() {
                needs.insert(name, others.value.as_slice());
            }
        }
        settle::cycles(&needs, mistakes);
        settle::readiness(&mut units, &needs, mistakes);
        let alerts = given(&self.alert)
            .filter_map(|(name, key, alert)| settle::alert(name, key, &alert.value, mistakes))
            .collect();
        let accounts = given(&self.account)
            .map(|(name, key, account)| settle::account(name, key, &account.value, mistakes))
            .collect();
        Config {
            files,
            server,
            units,
            alerts,
            accounts,
        }
    }
}

/// Those that could be read.
fn given<T>(named: &Named<T>) -> impl Iterator<Item = (&str, Place, &At<T>)> {
    named
        .iter()
        .filter_map(|(name, entry)| Some((name.as_str(), entry.key, entry.value.as_ref()?)))
}

/// Takes a table that can be given once.
fn once<T>(
    name: &str,
    field: Field<T>,
    taken: &mut Option<At<T>>,
    sources: &Sources,
    mistakes: &mut Mistakes,
) {
    let Field::Given(at) = field else {
        return;
    };
    match taken {
        None => *taken = Some(at),
        Some(first) => note_twice(name, first.place, at.place, sources, mistakes),
    }
}

/// Takes tables of names that can be given once.
fn each_once<T>(
    kind: &str,
    field: Field<Named<T>>,
    taken: &mut Named<T>,
    sources: &Sources,
    mistakes: &mut Mistakes,
) {
    let Field::Given(named) = field else {
        return;
    };
    for (name, entry) in named.value {
        match taken.entry(name) {
            Slot::Vacant(slot) => {
                slot.insert(entry);
            }
            Slot::Occupied(first) => {
                let name = format!("{kind} `{}`", first.key());
                note_twice(&name, first.get().key, entry.key, sources, mistakes);
            }
        }
    }
}

fn note_twice(name: &str, first: Place, second: Place, sources: &Sources, mistakes: &mut Mistakes) {
    let what = format!("{name} is given here and at {}", sources.named(first));
    mistakes.add(second, what, "one of the two");
}
