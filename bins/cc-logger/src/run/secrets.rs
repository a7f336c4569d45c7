//! The rules for what is taken out: those of the configuration, and the values of variables that the
//! servers know.

use std::collections::BTreeSet;
use std::env;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cc_kit::exit::Failure;
use cc_kit::redact::{Key, Rules};

use crate::config::{Config, Redact};

/// The rules, and what they are made of.
#[derive(Clone, Debug)]
pub(super) struct Secrets(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    dir: PathBuf,
    redact: Redact,
    /// Names and values, of our own environment and of the servers'.
    variables: BTreeSet<(String, Vec<u8>)>,
    rules: Option<Arc<Rules>>,
}

impl State {
    fn make(&mut self) -> Result<(), Failure> {
        let variables = self
            .variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()));
        let key = Key::kept_in(&self.dir)?;
        self.rules = self.redact.rules(key, variables)?.map(Arc::new);
        Ok(())
    }
}

impl Secrets {
    pub(super) fn new(dir: &Path, config: &Config) -> Result<Self, Failure> {
        let variables = env::vars_os()
            .filter_map(|(name, value)| {
                let value = value.as_bytes().to_vec();
                Some((name.into_string().ok()?, value))
            })
            .collect();
        let mut state = State {
            dir: dir.to_owned(),
            redact: config.redact.clone(),
            variables,
            rules: None,
        };
        state.make()?;
        Ok(Self(Arc::new(Mutex::new(state))))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn rules(&self) -> Option<Arc<Rules>> {
        self.lock().rules.clone()
    }

    /// Goes by another configuration from now on; one that makes no sense changes nothing.
    pub(super) fn reload(&self, dir: &Path, config: &Config) -> Result<(), Failure> {
        let mut state = self.lock();
        let before = std::mem::replace(&mut state.redact, config.redact.clone());
        state.dir = dir.to_owned();
        let made = state.make();
        if made.is_err() {
            state.redact = before;
        }
        made
    }

    /// Adds variables of a server; gives the rules where that changed them.
    pub(super) fn learn(
        &self,
        variables: impl IntoIterator<Item = (String, Vec<u8>)>,
    ) -> Option<Arc<Rules>> {
        let mut state = self.lock();
        let before = state.variables.len();
        state.variables.extend(variables);
        if state.variables.len() == before {
            return None;
        }
        if let Err(failure) = state.make() {
            let _ = failure.report();
            return None;
        }
        state.rules.clone()
    }
}
