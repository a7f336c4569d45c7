//! What changes between two configurations.

use super::unit::Unit;
use super::{Config, ServerSettings};

/// What is other in a new configuration. What stands in env files is not compared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// The units that were not there before.
    pub added: Vec<String>,
    /// The units that are no more.
    pub removed: Vec<String>,
    /// The units that are other.
    pub changed: Vec<Changed>,
    /// The fields of the server settings that differ.
    pub server: Vec<&'static str>,
    /// The alerts that are new, gone or other.
    pub alerts: Vec<String>,
    /// The accounts that are new, gone or other.
    pub accounts: Vec<String>,
}

/// A unit that is other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Its name.
    pub name: String,
    /// The fields of [`Unit`] that differ; never empty.
    pub fields: Vec<&'static str>,
}

impl Changes {
    /// Is nothing other?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Changed {
    /// Does a running instance keep to the old ways until it is started anew? All else counts at once.
    #[must_use]
    pub fn needs_restart(&self) -> bool {
        self.at_once().count() < self.fields.len()
    }

    /// The fields that count at once.
    pub fn at_once(&self) -> impl Iterator<Item = &'static str> + '_ {
        let fields = self.fields.iter().copied();
        fields.filter(|field| {
            !matches!(
                *field,
                "group" | "command" | "cwd" | "env" | "env_files" | "nice" | "cpus"
            )
        })
    }
}

/// The fields of a unit that differ.
pub(crate) fn changed(old: &Unit, new: &Unit) -> Changed {
    Changed {
        name: new.name.clone(),
        fields: unit_fields(old, new),
    }
}

/// Compares two configurations.
#[must_use]
pub fn diff(old: &Config, new: &Config) -> Changes {
    let mut changes = Changes {
        server: server_fields(&old.server, &new.server),
        ..Changes::default()
    };
    for new in &new.units {
        match old.units.iter().find(|old| old.name == new.name) {
            None => changes.added.push(new.name.clone()),
            Some(old) => {
                let fields = unit_fields(old, new);
                if !fields.is_empty() {
                    let name = new.name.clone();
                    changes.changed.push(Changed { name, fields });
                }
            }
        }
    }
    changes.removed = old
        .units
        .iter()
        .filter(|old| new.unit(&old.name).is_none())
        .map(|old| old.name.clone())
        .collect();
    changes.alerts = differing(&old.alerts, &new.alerts, |alert| &alert.name);
    changes.accounts = differing(&old.accounts, &new.accounts, |account| &account.name);
    changes
}

/// The names of those that are not the same in both.
fn differing<T: PartialEq>(old: &[T], new: &[T], name: fn(&T) -> &String) -> Vec<String> {
    let changed = new.iter().filter(|one| !old.contains(one));
    let gone = old
        .iter()
        .filter(|one| !new.iter().any(|other| name(other) == name(one)));
    changed.chain(gone).map(name).cloned().collect()
}

/// Writes a comparison of all fields; one that is forgotten does not compile.
macro_rules! compare {
    ($(fn $function:ident($type:ident): $($field:ident)*;)*) => {$(
        fn $function(old: &$type, new: &$type) -> Vec<&'static str> {
            let $type { $($field),* } = old;
            let mut fields = Vec::new();
            $( if *$field != new.$field { fields.push(stringify!($field)); } )*
            fields
        }
    )*};
}

compare! {
    fn server_fields(ServerSettings): isolation history_limit tmux;
    fn unit_fields(Unit): name group command cwd env env_files replicas labels profile account
        depends_on restart backoff start_limit success_exit_status stop hang_after tool_hang_after
        startup_timeout resume memory nice cpus restart_every on_prompt windows start_stagger
        on_failure;
}
