//! Which instances there are to be.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use cc_kit::exit::{Advise as _, Exit, Failure};

use super::{ATTACH, Daemon, stored};
use crate::config::{self, Unit};
use crate::instance::{Act, Instance, Phase};
use crate::request::Spec;

impl Daemon {
    /// Takes up what was declared before, and whatever of it still runs.
    pub(super) async fn remember(&mut self) -> Result<(), Failure> {
        if let Some(file) = self.store.file().map_err(stored)? {
            self.declare_file(file.as_ref())?;
        }
        for spec in self.store.declared().map_err(stored)? {
            let spec: Spec = serde_json::from_value(spec).map_err(stored)?;
            self.declare(&[self.unit(&spec)?]);
        }
        let mut wanted = HashSet::new();
        for it in self.instances.values_mut() {
            if let Some(kept) = self.store.instance(&it.name).map_err(stored)? {
                it.restarts = kept.restarts;
                it.session = kept.session;
                if kept.wanted {
                    wanted.insert(it.name.clone());
                }
            }
        }
        let servers: HashSet<String> = self
            .instances
            .values()
            .map(|it| self.settings.server_of(&it.unit).to_owned())
            .collect();
        for server in servers {
            self.follow(&server, ATTACH).await?;
            self.adopt(&server).await;
        }
        let names: Vec<String> = self.instances.keys().cloned().collect();
        for name in names {
            self.resume(&name, wanted.contains(&name))?;
            let now = self.now();
            if let Some(it) = self.instances.get_mut(&name)
                && wanted.contains(&name)
                && it.phase == Phase::Absent
                && it.up(now) == Act::Start
            {
                self.launch(&name);
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

    pub(super) fn declare_file(&mut self, file: &Path) -> Result<Vec<String>, Failure> {
        let profiles: Vec<&str> = self.profiles.keys().map(String::as_str).collect();
        let config = config::load(file, &profiles).map_err(|mistakes| {
            let said: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            Failure::new(Exit::Usage, said.join("\n"))
                .advice("Correct these lines; `cc-guardian check` looks without starting.")
        })?;
        self.settings = config.server.clone();
        self.alerts.declare(config.alerts, &config.units)?;
        self.declare_accounts(&config.accounts);
        Ok(self.declare(&config.units))
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
                names.push(name);
            }
        }
        names
    }
}
