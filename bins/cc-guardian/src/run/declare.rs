//! Which instances there are to be.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cc_kit::exit::{Advise as _, Exit, Failure};

use super::{ATTACH, Daemon, adopt, stored};
use crate::config::{self, Config, Unit};
use crate::instance::{Foreign, Instance, Phase};
use crate::program::Program;
use crate::request::Spec;

impl Daemon {
    /// Takes up what was declared before, and whatever of it still runs.
    pub(super) async fn remember(&mut self) -> Result<(), Failure> {
        if let Some(file) = self.store.file().map_err(stored)? {
            self.declare_file(file.as_ref())?;
        }
        for spec in self.store.declared().map_err(stored)? {
            let spec: Spec = serde_json::from_value(spec).map_err(stored)?;
            if self.in_file(&spec.name) {
                // What stands in the file counts.
                self.store.withdraw(&spec.name).map_err(stored)?;
                continue;
            }
            // One that cannot be any more is no reason to leave the others alone.
            if let Err(failure) = self.declare_one(&spec) {
                let said = super::send::refused(&failure);
                tracing::error!("{} is not declared: {said}", spec.name);
            }
        }
        let mut wanted = HashSet::new();
        for it in self.instances.values_mut() {
            if let Some(kept) = self.store.instance(&it.name).map_err(stored)? {
                it.restarts = kept.restarts;
                it.session.clone_from(&kept.session);
                it.pending = self.store.pending(&it.name).map_err(stored)?;
                if it.starts_with_the_guardian(&kept) {
                    wanted.insert(it.name.clone());
                }
            }
        }
        let mut servers: BTreeSet<String> = self
            .instances
            .values()
            .map(|it| self.server_of(it))
            .collect();
        // Some may run where they are declared no more.
        servers.extend(self.store.servers().map_err(stored)?);
        for server in &servers {
            let mut found = self.follow(server, ATTACH).await;
            if found.is_ok() {
                found = self.adopt(server).await;
            }
            match found {
                // A server of somebody else is no reason to leave our own alone.
                Err(failure) if Path::new(server).is_absolute() => {
                    let said = super::send::refused(&failure);
                    tracing::error!("nothing is known of {server}: {said}");
                }
                found => found?,
            }
        }
        self.keep_servers();
        let names: Vec<String> = self.instances.keys().cloned().collect();
        for name in names {
            self.resume(&name, wanted.contains(&name))?;
            let now = self.now();
            if let Some(it) = self.instances.get_mut(&name)
                && wanted.contains(&name)
                && it.phase == Phase::Absent
            {
                it.up(now);
            }
        }
        Ok(())
    }

    /// Remembers where instances run.
    pub(super) fn keep_servers(&self) {
        let made = self.instances.values().filter_map(|it| it.made.as_ref());
        let servers: BTreeSet<&str> = made.map(|made| made.server.as_str()).collect();
        if let Err(error) = self.store.set_servers(&servers) {
            tracing::error!(%error, "the servers of units cannot be kept");
        }
    }

    /// Does a unit stand in the file?
    pub(super) fn in_file(&self, unit: &str) -> bool {
        let config = self.config.as_ref();
        config.is_some_and(|config| config.unit(unit).is_some())
    }

    /// Declares a unit of the command line.
    pub(super) fn declare_spec(&mut self, spec: &Spec) -> Result<Vec<String>, Failure> {
        if self.in_file(&spec.name) {
            let error = format!("{:?} is declared in the file", spec.name);
            return Err(Failure::new(Exit::Usage, error)
                .advice("Change it there and say `cc-guardian apply`, or take another name."));
        }
        let names = self.declare_one(spec)?;
        let value = serde_json::to_value(spec).map_err(stored)?;
        self.store.declare(&spec.name, &value).map_err(stored)?;
        self.undeclare(|it| it.unit.name == spec.name, &names);
        Ok(names)
    }

    fn declare_one(&mut self, spec: &Spec) -> Result<Vec<String>, Failure> {
        let unit = self.unit(spec)?;
        let Some(adopted) = &spec.adopted else {
            return Ok(self.declare(&[unit]));
        };
        let names = self.declare(&[adopt::as_adopted(unit, adopted)]);
        for name in &names {
            if let Some(it) = self.instances.get_mut(name) {
                it.foreign = Some(Foreign {
                    socket: adopted.socket.to_string_lossy().into_owned(),
                    again: adopted.again,
                });
            }
        }
        Ok(names)
    }

    /// Those of these instances that are not named are declared no more. What runs goes on.
    fn undeclare(&mut self, of: impl Fn(&Instance) -> bool, names: &[String]) {
        let names: HashSet<&String> = names.iter().collect();
        for it in self.instances.values_mut().filter(|it| of(it)) {
            it.declared = names.contains(&it.name);
        }
        let gone: Vec<String> = self
            .instances
            .values()
            .filter(|it| !it.declared && it.phase == Phase::Absent)
            .map(|it| it.name.clone())
            .collect();
        for name in gone {
            self.forget(&name);
        }
    }

    /// Takes the profiles as they are now, for those that run too.
    pub(super) fn take_profiles(&mut self) -> Result<(), Failure> {
        self.profiles = super::profiles()?;
        for it in self.instances.values_mut() {
            let name = it.unit.profile.as_ref();
            // What reads a unit is not taken from it.
            if let Some(profile) = name.and_then(|name| self.profiles.get(name)) {
                it.profile = Some(Arc::clone(profile));
            }
        }
        Ok(())
    }

    pub(super) fn unit(&self, spec: &Spec) -> Result<Unit, Failure> {
        let profiles: Vec<&str> = self.profiles.keys().map(String::as_str).collect();
        config::one_unit(
            &spec.name,
            spec.profile.as_deref(),
            spec.replicas,
            &spec.cwd,
            &spec.env,
            &spec.command,
            &profiles,
        )
        .map_err(|mistake| {
            let advice = mistake.advice().unwrap_or_default().into_owned();
            Failure::new(mistake.exit(), mistake).advice(advice)
        })
    }

    /// Reads a file; all its mistakes together are one failure.
    pub(super) fn read_file(&self, file: &Path) -> Result<Config, Failure> {
        let profiles: Vec<&str> = self.profiles.keys().map(String::as_str).collect();
        config::load(file, &profiles).map_err(|mistakes| {
            let said: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            Failure::new(Exit::Usage, said.join("; "))
                .advice("Correct these lines; `cc-guardian check` looks without starting.")
        })
    }

    /// The file that is meant: the one given, else the one given last, else the usual one.
    pub(super) fn file(&self, given: Option<&Path>) -> Result<Option<PathBuf>, Failure> {
        if let Some(given) = given {
            return Ok(Some(given.to_owned()));
        }
        let last = self.store.file().map_err(stored)?.map(PathBuf::from);
        Ok(last.or_else(|| config::usual_file().filter(|file| file.exists())))
    }

    pub(super) fn declare_file(&mut self, file: &Path) -> Result<Vec<String>, Failure> {
        let config = self.read_file(file)?;
        self.declare_config(config)
    }

    /// Declares what stands in the file that is meant. Without a name it is all that is to be.
    pub(super) fn declare_given(&mut self, given: Option<&Path>) -> Result<Vec<String>, Failure> {
        let mut names = Vec::new();
        if let Some(file) = self.file(given)? {
            names = self.declare_file(&file)?;
            self.store
                .set_file(&file.to_string_lossy())
                .map_err(stored)?;
        }
        if given.is_none() {
            let all = self.instances.values().filter(|it| it.declared);
            names = all.map(|it| it.name.clone()).collect();
        }
        Ok(names)
    }

    /// What stands in a file is declared from now on, and what stood in the one before no more.
    pub(super) fn declare_config(&mut self, config: Config) -> Result<Vec<String>, Failure> {
        self.alerts.declare(config.alerts.clone(), &config.units)?;
        let before = self.config.take();
        self.settings = config.server.clone();
        self.declare_accounts(&config.accounts);
        for unit in &config.units {
            self.store.withdraw(&unit.name).map_err(stored)?;
        }
        let names = self.declare(&config.units);
        let stood = |it: &Instance| {
            let is_in = |of: &Config| of.unit(&it.unit.name).is_some();
            before.as_ref().is_some_and(is_in) || is_in(&config)
        };
        self.undeclare(stood, &names);
        self.config = Some(config);
        Ok(names)
    }

    /// Looks in what a running instance differs from what is declared.
    pub(super) fn compare(&mut self, name: &str) {
        let Some(it) = self.instances.get_mut(name) else {
            return;
        };
        it.changed.clear();
        let made = it.made.as_ref().filter(|_| it.run().is_some());
        if let Some(was) = made.and_then(|made| made.program.as_ref()) {
            let server = self.settings.server_of(&it.unit);
            it.changed = was.differs(&Program::of(&it.unit, server, &self.secret));
        }
    }

    /// Makes the instances of units, and gives their names.
    pub(super) fn declare(&mut self, units: &[Unit]) -> Vec<String> {
        let mut names = Vec::new();
        for unit in units {
            let unit = Arc::new(unit.clone());
            let profile = unit.profile.as_ref();
            let profile = profile.and_then(|name| self.profiles.get(name)).cloned();
            for name in unit.instances() {
                match self.instances.get_mut(&name) {
                    Some(it) => it.redeclare(Arc::clone(&unit), profile.clone()),
                    None => {
                        let token = self.token_of(&name);
                        let it =
                            Instance::new(name.clone(), Arc::clone(&unit), profile.clone(), token);
                        self.instances.insert(name.clone(), it);
                    }
                }
                self.compare(&name);
                names.push(name);
            }
        }
        names
    }
}
