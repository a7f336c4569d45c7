//! A unit with everything filled in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Claims, Known, Layers, argv, check_name, policy, reference, required, whole};
use crate::config::mistake::{At, Mistakes, Place};
use crate::config::reading::{Field, Named};
use crate::config::unit::{Dependency, Environment, Ready, Restart, Resume, Unit, Window};
use crate::config::values::{SpanOrNever, SpanText};
use crate::config::written;

/// Looks at the defaults for themselves: no unit may use them yet.
pub(crate) fn defaults(
    written: &written::Unit,
    known: &Known<'_>,
    claims: &mut Claims,
    mistakes: &mut Mistakes,
) {
    let layers = Layers {
        own: Some(written),
        base: None,
    };
    let mut settling = Settling {
        layers,
        known,
        claims,
        mistakes,
    };
    settling.unit(String::new(), Vec::new());
}

/// Settles a unit whose name stands at `key`.
pub(crate) fn unit(
    name: &str,
    key: Place,
    (written, defaults): (&written::Unit, Option<&written::Unit>),
    known: &Known<'_>,
    claims: &mut Claims,
    mistakes: &mut Mistakes,
) -> Unit {
    check_name(name, key, mistakes);
    let right = "a list such as command = [\"program\", \"argument\"]";
    let command = required("command", &written.command, key, right, mistakes);
    let shell = Some(written.shell.given().is_some_and(|at| at.value));
    let command = command.map(|command| argv(command, shell, mistakes));
    let layers = Layers {
        own: Some(written),
        base: defaults,
    };
    let mut settling = Settling {
        layers,
        known,
        claims,
        mistakes,
    };
    settling.unit(name.to_owned(), command.unwrap_or_default())
}

struct Settling<'a, 'k> {
    layers: Layers<'a, written::Unit>,
    known: &'a Known<'k>,
    claims: &'a mut Claims,
    mistakes: &'a mut Mistakes,
}

impl Settling<'_, '_> {
    fn unit(&mut self, name: String, command: Vec<String>) -> Unit {
        let layers = self.layers;
        let cwd = self.cwd();
        let nice = layers.pick(|unit| &unit.nice);
        let replicas = layers.pick(|unit| &unit.replicas);
        Unit {
            name,
            group: layers
                .pick(|unit| &unit.group)
                .map_or_else(|| "default".to_owned(), |at| at.value.0.clone()),
            env: self.env(),
            env_files: self.env_files(),
            replicas: whole("replicas", replicas, 1..=999, self.mistakes).unwrap_or(1),
            labels: self.labels(),
            profile: self.profile(&command),
            account: self.account(),
            depends_on: self.depends_on(),
            restart: layers.value(|unit| &unit.restart, Restart::OnAbnormal),
            backoff: policy::backoff(layers.inner(|unit| &unit.backoff), self.mistakes),
            start_limit: policy::start_limit(layers.inner(|unit| &unit.start_limit), self.mistakes),
            success_exit_status: layers
                .pick(|unit| &unit.success_exit_status)
                .map_or_else(BTreeSet::new, |at| {
                    at.value.iter().map(|status| status.value).collect()
                }),
            stop: policy::stop(layers.inner(|unit| &unit.stop), self.mistakes),
            hang_after: self.span_or_never(|unit| &unit.hang_after, Duration::from_mins(20)),
            tool_hang_after: self
                .span_or_never(|unit| &unit.tool_hang_after, Duration::from_mins(60)),
            startup_timeout: self.span(|unit| &unit.startup_timeout, Duration::from_secs(60)),
            resume: layers.value(|unit| &unit.resume, Resume::No),
            memory: policy::memory(layers.inner(|unit| &unit.memory), self.mistakes),
            nice: whole("nice", nice, -20..=19, self.mistakes),
            cpus: layers.pick(|unit| &unit.cpus).map(|at| at.value.clone()),
            restart_every: layers.pick(|unit| &unit.restart_every).and_then(|at| {
                let every = layers.inner(|unit| &unit.restart_every);
                policy::restart_every(every, at.place, self.mistakes)
            }),
            on_prompt: layers
                .pick(|unit| &unit.on_prompt)
                .map_or_else(Vec::new, |at| policy::prompts(&at.value, self.mistakes)),
            windows: self.windows(&cwd),
            start_stagger: self.span(|unit| &unit.start_stagger, Duration::from_secs(1)),
            on_failure: self.on_failure(),
            command,
            cwd,
        }
    }

    fn span(&self, field: fn(&written::Unit) -> &Field<SpanText>, default: Duration) -> Duration {
        self.layers.value(field, SpanText(default)).0
    }

    fn span_or_never(
        &self,
        field: fn(&written::Unit) -> &Field<SpanOrNever>,
        default: Duration,
    ) -> Option<Duration> {
        self.layers.value(field, SpanOrNever(Some(default))).0
    }

    /// A folder that has to be there.
    fn folder(&mut self, path: &Path, place: Place) -> PathBuf {
        let Some(value) = self.known.path(path, place, self.mistakes) else {
            return path.to_owned();
        };
        self.claims.folders.push(At {
            value: value.clone(),
            place,
        });
        value
    }

    fn cwd(&mut self) -> PathBuf {
        match self.layers.pick(|unit| &unit.cwd) {
            Some(at) => self.folder(&at.value.0, at.place),
            None => self.known.home.unwrap_or_else(|| Path::new("/")).to_owned(),
        }
    }

    /// A table of names and texts: the defaults', and over them its own.
    fn texts(
        &self,
        field: fn(&written::Unit) -> &Field<Named<String>>,
    ) -> Vec<(Place, String, At<String>)> {
        let tables = [self.layers.base, self.layers.own].into_iter().flatten();
        tables
            .filter_map(|unit| field(unit).given())
            .flat_map(|table| &table.value)
            .filter_map(|(name, entry)| Some((entry.key, name.clone(), entry.value.clone()?)))
            .collect()
    }

    fn env(&mut self) -> Environment {
        let mut env = BTreeMap::new();
        for (key, name, value) in self.texts(|unit| &unit.env) {
            if name.is_empty() || name.contains(['=', '\0']) {
                let what = format!("{name:?} is no name of a variable");
                self.mistakes
                    .add(key, what, "a name without `=` and NUL, such as PATH");
            }
            if value.value.contains('\0') {
                // Its value is not shown: it may be a secret.
                let what = format!("the value of {name:?} has a NUL");
                self.mistakes.add(value.place, what, "a value without one");
            }
            env.insert(name, value.value);
        }
        Environment(env)
    }

    /// The defaults' files and then its own, so that these win.
    fn env_files(&mut self) -> Vec<PathBuf> {
        let layers = [self.layers.base, self.layers.own].into_iter().flatten();
        layers
            .filter_map(|unit| unit.env_file.given())
            .flat_map(|files| &files.value.0)
            .filter_map(|file| {
                let place = file.place;
                let value = self.known.path(&file.value.0, place, self.mistakes)?;
                self.claims.env_files.push(At {
                    value: value.clone(),
                    place,
                });
                Some(value)
            })
            .collect()
    }

    fn labels(&mut self) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::new();
        for (key, name, value) in self.texts(|unit| &unit.labels) {
            check_name(&name, key, self.mistakes);
            let text = &value.value;
            if text.is_empty() || text.len() > 128 || text.chars().any(char::is_control) {
                let what =
                    format!("the value of label {name:?} is empty, too long or has controls");
                let right = "1 to 128 bytes without control characters";
                self.mistakes.add(value.place, what, right);
            }
            labels.insert(name, value.value);
        }
        labels
    }

    /// The one that is said, or the one with the name of the program.
    fn profile(&mut self, command: &[String]) -> Option<String> {
        let profiles = &self.known.profiles;
        if let Some(said) = self.layers.pick(|unit| &unit.profile) {
            reference("profile", said, profiles, None, self.mistakes);
            return Some(said.value.clone());
        }
        let program = Path::new(command.first()?).file_name()?.to_str()?;
        profiles.contains(program).then(|| program.to_owned())
    }

    fn account(&mut self) -> Option<String> {
        let said = self.layers.pick(|unit| &unit.account)?;
        let accounts = &self.known.accounts;
        reference("account", said, accounts, Some("account"), self.mistakes);
        Some(said.value.clone())
    }

    fn depends_on(&mut self) -> Vec<Dependency> {
        let Some(needs) = self.layers.pick(|unit| &unit.depends_on) else {
            return Vec::new();
        };
        let needs = needs.value.iter().map(|need| {
            let (unit, units) = (&need.value.unit, &self.known.units);
            reference("unit", unit, units, Some("unit"), self.mistakes);
            Dependency {
                unit: unit.value.clone(),
                ready: need.value.ready.as_ref().map_or(Ready::Idle, |at| at.value),
            }
        });
        needs.collect()
    }

    fn on_failure(&mut self) -> Vec<String> {
        let Some(names) = self.layers.pick(|unit| &unit.on_failure) else {
            return Vec::new();
        };
        for name in &names.value {
            let alerts = &self.known.alerts;
            reference("alert", name, alerts, Some("alert"), self.mistakes);
        }
        names.value.iter().map(|name| name.value.clone()).collect()
    }

    fn windows(&mut self, cwd: &Path) -> Vec<Window> {
        let Some(windows) = self.layers.pick(|unit| &unit.windows) else {
            return Vec::new();
        };
        let mut names = BTreeSet::new();
        let windows = windows.value.iter().filter_map(|window| {
            let written = &window.value;
            let right = "name = \"..\"";
            let name = required("name", &written.name, window.place, right, self.mistakes)?;
            if !names.insert(name.value.0.as_str()) {
                let what = format!("a second window {:?}", name.value.0);
                self.mistakes.add(name.place, what, "a name of its own");
            }
            let shell = Some(written.shell.given().is_some_and(|at| at.value));
            let command = written.command.given();
            Some(Window {
                name: name.value.0.clone(),
                command: command
                    .map_or_else(Vec::new, |command| argv(command, shell, self.mistakes)),
                cwd: match written.cwd.given() {
                    Some(at) => self.folder(&at.value.0, at.place),
                    None => cwd.to_owned(),
                },
            })
        });
        windows.collect()
    }
}
