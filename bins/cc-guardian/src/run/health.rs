//! How the guardian itself is, and the tmux servers of its units.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Daemon;

impl Daemon {
    /// All units, the guardian and its servers.
    pub(super) fn status(&self) -> Value {
        let mut told = self.listing();
        let mut units: BTreeMap<&str, usize> = BTreeMap::new();
        for it in self.instances.values() {
            *units.entry(self.settings.server_of(&it.unit)).or_default() += 1;
        }
        let servers: Vec<Value> = units
            .into_iter()
            .map(|(name, units)| {
                let group = self.groups.get(name);
                let identity = group.and_then(|group| group.server.identity());
                let version = identity.as_ref().map(|it| it.version.to_string());
                json!({
                    "name": name,
                    "socket": self.places.tmux(name).to_string_lossy(),
                    "pid": identity.as_ref().map(|it| it.pid),
                    "version": version,
                    "units": units,
                })
            })
            .collect();
        if let Some(told) = told.as_object_mut() {
            let since =
                Timestamp::now() - jiff::SignedDuration::try_from(self.now()).unwrap_or_default();
            told.insert(
                "guardian".to_owned(),
                json!({
                    "pid": std::process::id(),
                    "version": concat!("cc-guardian ", env!("CARGO_PKG_VERSION")),
                    "since": since.to_string(),
                    "state": self.places.state().to_string_lossy(),
                }),
            );
            told.insert("servers".to_owned(), servers.into());
        }
        told
    }
}
