//! What a file would change, and doing it.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use cc_kit::exit::{Exit, Failure};
use serde::Serialize;
use serde_json::{Value, json};

use super::send::refused;
use super::{Daemon, stored, usual_settings};
use crate::config::{self, Config, Restart, one_unit};
use crate::instance::{Instance, Phase};
use crate::program::Program;

/// What becomes of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Change {
    /// It is started.
    Start,
    /// It is stopped, and is one no more.
    Stop,
    /// It is started anew: what runs cannot take that on.
    Restart,
    /// It goes by that from now on.
    TakeOver,
}

/// What is other of an instance.
#[derive(Clone, Debug, Serialize)]
struct Difference {
    unit: String,
    change: Change,
    fields: Vec<String>,
    /// What was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    done: Option<&'static str>,
}

impl Daemon {
    /// Says what `apply` would do.
    pub(super) fn diff(&self, file: Option<&Path>) -> Value {
        match self.given_or_none(file) {
            Ok((_, config)) => self.told_of(&config, &self.differences(&config)),
            Err(failure) => refused(&failure),
        }
    }

    /// Makes everything what the file says.
    pub(super) fn apply(&mut self, file: Option<&Path>, at_idle: bool) -> Value {
        let applied = self.given_or_none(file).and_then(|(file, config)| {
            let mut differences = self.differences(&config);
            let mut told = self.told_of(&config, &[]);
            if let Some(file) = file {
                self.declare_config(config)?;
                self.store.set_file(&file).map_err(stored)?;
            }
            for difference in &mut differences {
                difference.done = Some(self.make(difference, at_idle));
            }
            self.take_turns();
            if let Some(told) = told.as_object_mut() {
                told.insert("changes".to_owned(), json!(differences));
            }
            Ok(told)
        });
        applied.unwrap_or_else(|failure| refused(&failure))
    }

    fn make(&mut self, difference: &Difference, at_idle: bool) -> &'static str {
        let (name, now) = (&difference.unit, self.now());
        let Some(it) = self.instances.get_mut(name) else {
            // It did not run, and has been forgotten.
            return "removed";
        };
        let why = format!("changed: {}", difference.fields.join(", "));
        match difference.change {
            Change::Start => {
                it.up(now);
                self.record(name, "up", None);
                "started"
            }
            Change::Stop => {
                it.leaves = true;
                self.record(name, "remove", None);
                self.stop(name, false, false);
                self.forget_gone(name);
                "stopping"
            }
            Change::Restart if at_idle && it.profile.is_none() => "left",
            Change::Restart if at_idle => {
                self.pend(name, why);
                "once idle"
            }
            Change::Restart => {
                self.record(name, "restart", Some(why));
                self.stop(name, true, false);
                "restarting"
            }
            Change::TakeOver => "taken over",
        }
    }

    /// The same; where there is no file, what is declared without one counts alone.
    fn given_or_none(&self, file: Option<&Path>) -> Result<(Option<String>, Config), Failure> {
        if file.is_none() && self.file(None)?.is_none() {
            let config = Config {
                server: self.settings.clone(),
                ..nothing()
            };
            return Ok((None, config));
        }
        let (file, config) = self.given(file)?;
        Ok((Some(file), config))
    }

    /// The file that is meant, and what stands in it.
    fn given(&self, file: Option<&Path>) -> Result<(String, Config), Failure> {
        let file = self.file(file)?.ok_or_else(|| {
            Failure::new(Exit::Usage, "no file has been given yet").advice("Name it with -c.")
        })?;
        let config = self.read_file(&file)?;
        Ok((file.to_string_lossy().into_owned(), config))
    }

    fn differences(&self, config: &Config) -> Vec<Difference> {
        let mut differences = Vec::new();
        let mut named = HashSet::new();
        for unit in &config.units {
            let server = config.server.server_of(unit);
            let program = Program::of(unit, server, &self.secret);
            for name in unit.instances() {
                let found = match self.instances.get(&name) {
                    None => Some((Change::Start, Vec::new())),
                    Some(it) => difference(it, unit, &program),
                };
                differences.extend(found.map(|(change, fields)| Difference {
                    unit: name.clone(),
                    change,
                    fields,
                    done: None,
                }));
                named.insert(name);
            }
        }
        // Units of the command line are no affair of the file.
        let gone = self.instances.values().filter(|it| {
            !named.contains(&it.name) && (!it.declared || self.in_file(&it.unit.name))
        });
        differences.extend(gone.map(|it| Difference {
            unit: it.name.clone(),
            change: Change::Stop,
            fields: Vec::new(),
            done: None,
        }));
        differences
    }

    fn told_of(&self, config: &Config, differences: &[Difference]) -> Value {
        let none = nothing();
        let changes = config::diff(self.config.as_ref().unwrap_or(&none), config);
        json!({
            "v": 1, "changes": differences, "server": changes.server, "alerts": changes.alerts,
            "accounts": changes.accounts,
        })
    }

    /// Reads the file again, as `up` does; but what is stopped or held stays so. A file with mistakes
    /// changes nothing.
    pub(super) fn reload(&mut self) {
        let before: HashSet<String> = self.instances.keys().cloned().collect();
        let names = match self.given(None).and_then(|(_, it)| self.declare_config(it)) {
            Ok(names) => names,
            Err(failure) => {
                let said = refused(&failure);
                let said = said.get("error").and_then(Value::as_str);
                let said = said.unwrap_or_default().to_owned();
                tracing::error!("the file is not taken over: {said}");
                self.record_own("reload", format!("refused: {said}"));
                return;
            }
        };
        let now = self.now();
        let mut new = 0_usize;
        for name in names.iter().filter(|name| !before.contains(*name)) {
            if let Some(it) = self.instances.get_mut(name) {
                it.up(now);
                self.record(name, "up", None);
                new = new.saturating_add(1);
            }
        }
        let wait = self.instances.values();
        let wait = wait.filter(|it| !it.declared || !it.changed.is_empty());
        let said = format!("{new} new, {} wait for `apply`", wait.count());
        self.record_own("reload", said);
    }

    /// What these that run are not yet.
    pub(super) fn changed_of(&self, names: &[String]) -> BTreeMap<String, Vec<String>> {
        let its = names.iter().filter_map(|name| self.instances.get(name));
        its.filter(|it| !it.changed.is_empty())
            .map(|it| (it.name.clone(), it.changed.clone()))
            .collect()
    }

    /// Those that go on and are declared no more.
    pub(super) fn undeclared(&self) -> Vec<&String> {
        let its = self.instances.values().filter(|it| !it.declared);
        its.map(|it| &it.name).collect()
    }

    /// One was found running that is declared no more: it goes on until somebody says otherwise, and
    /// nobody knows how to start it again.
    pub(super) fn declared_no_more(&mut self, name: &str) {
        let unit = name.rsplit_once('@').map_or(name, |(unit, _)| unit);
        let root = Path::new("/");
        let nothing = ["true".to_owned()];
        let Ok(mut unit) = one_unit(unit, None, 1, root, &BTreeMap::new(), &nothing, &[]) else {
            return;
        };
        unit.restart = Restart::No;
        let token = self.token_of(name);
        let mut it = Instance::new(name.to_owned(), unit.into(), None, token);
        it.declared = false;
        self.instances.insert(name.to_owned(), it);
    }

    /// Forgets one that has ended and is not to be any more.
    pub(super) fn forget_gone(&mut self, name: &str) {
        let it = self.instances.get(name);
        if it.is_some_and(|it| it.phase == Phase::Absent && (it.leaves || !it.declared)) {
            self.forget(name);
        }
    }

    pub(super) fn forget(&mut self, name: &str) {
        let it = self.instances.get(name);
        let left = it.and_then(|it| it.last);
        if let Some((it, foreign)) = it.and_then(|it| Some((it, it.foreign.as_ref()?))) {
            if let Err(error) = self.store.withdraw(&it.unit.name) {
                tracing::error!(%error, "an instance cannot be forgotten");
            }
            if let Some((_, pane)) = left {
                self.unmark(foreign.socket.as_ref(), pane);
            }
        }
        self.end_session(name, left);
        self.instances.remove(name);
        self.looking.remove(name);
        self.later.remove(name);
        self.usage.remove(name);
        self.writers.remove(name);
        self.alerts.forget(name);
        if let Err(error) = self.store.forget(name) {
            tracing::error!(%error, "an instance cannot be forgotten");
        }
        self.changed.send_modify(|count| *count += 1);
    }
}

/// A file that says nothing.
fn nothing() -> Config {
    Config {
        files: Vec::new(),
        server: usual_settings(),
        units: Vec::new(),
        alerts: Vec::new(),
        accounts: Vec::new(),
    }
}

/// What is other of an instance that is there.
fn difference(it: &Instance, unit: &config::Unit, now: &Program) -> Option<(Change, Vec<String>)> {
    let changed = config::changed(&it.unit, unit);
    // How many there are shows in who is started and who is stopped.
    let taken = changed.at_once().filter(|field| *field != "replicas");
    let mut fields: Vec<String> = taken.map(str::to_owned).collect();
    let runs = it.run().is_some() || it.phase == Phase::Making;
    let was = it.made.as_ref().filter(|_| runs);
    let program = was.and_then(|made| made.program.as_ref());
    let program = program.map(|was| was.differs(now)).unwrap_or_default();
    if !program.is_empty() {
        fields.splice(0..0, program);
        return Some((Change::Restart, fields));
    }
    if !runs {
        let other = changed.fields.iter().filter(|field| **field != "replicas");
        fields = other.map(|field| (*field).to_owned()).collect();
    }
    if fields.is_empty() {
        return None;
    }
    let change = match it.phase {
        // What it was held for may be mended by that.
        Phase::Held(_) => Change::Start,
        _ => Change::TakeOver,
    };
    Some((change, fields))
}
