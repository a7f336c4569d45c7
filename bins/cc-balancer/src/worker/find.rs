//! Which panes are workers.

use std::fmt;

use cc_kit::pane::Pane;
use globset::GlobMatcher;
use tmux_cc::client::{ClientError, Identity, Server};
use tmux_cc::protocol::Command;
use tmux_cc::wire::{PaneId, SessionId};

use super::Key;
use crate::task::Labels;

/// What stands in the pane option in which anybody may write what a worker has: `role=ci,repo=app`.
pub(crate) const LABELS: &str = "@cc_labels";
/// What is set in the option of a pane that is to be given nothing more.
pub(crate) const DRAIN: &str = "@cc_drain";

/// Which panes a table of the configuration means.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// Of sessions of that name.
    pub(crate) session: Option<GlobMatcher>,
    /// Units of a guardian of that name.
    pub(crate) unit: Option<GlobMatcher>,
    /// That have these labels in their option.
    pub(crate) labels: Labels,
}

/// A pane that is one.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) key: Key,
    pub(crate) pane: Pane,
    pub(crate) pid: Option<u32>,
    pub(crate) session: String,
    /// The guardian's id and its name of it.
    pub(crate) guarded: Option<(String, String)>,
    /// What its option says that it has.
    pub(crate) labels: Labels,
    pub(crate) own: Option<String>,
    pub(crate) dead: bool,
    /// Is it to be given nothing more?
    pub(crate) drains: bool,
    /// Which table means it: the first that does.
    pub(crate) table: usize,
}

impl Wanted {
    /// Is a unit of that name meant, such as `coder@1`?
    pub(crate) fn means_unit(&self, unit: &str) -> bool {
        let base = unit.split('@').next().unwrap_or_default();
        self.unit
            .as_ref()
            .is_some_and(|glob| glob.is_match(unit) || glob.is_match(base))
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let patterns = [("session", &self.session), ("unit", &self.unit)];
        let patterns = patterns.into_iter().filter_map(|(what, glob)| {
            let glob = glob.as_ref()?.glob().glob();
            Some(format!("{what} {glob:?}"))
        });
        let labels = self
            .labels
            .iter()
            .map(|(key, value)| format!("{key}={value}"));
        f.write_str(&patterns.chain(labels).collect::<Vec<_>>().join(", "))
    }
}

/// What `list-panes` is asked for: names and labels are anybody's, and stand last, since tmux writes no
/// line feed into them.
pub(crate) fn listing() -> String {
    format!(
        "#{{session_id}}\t#{{pane_id}}\t#{{pane_dead}}\t#{{pane_pid}}\t#{{@cc_guardian}}\t#{{@cc_unit}}\t#{{@cc_own}}\t#{{{DRAIN}}}\t#{{{LABELS}}}\t#{{session_name}}"
    )
}

/// Who of those that were listed is meant: `work-1:%3`.
pub(crate) fn meant(listed: &str, wanted: &Wanted) -> Vec<String> {
    let rows = listed.lines().filter_map(Row::read);
    let meant = rows.filter(|row| !row.dead && row.is_meant(wanted));
    meant
        .map(|row| format!("{}:{}", row.name, row.pane))
        .collect()
}

/// Finds the panes of a server that one of these tables means, and all that live.
///
/// # Errors
/// When the server does not answer.
pub(crate) async fn find(
    server: &Server,
    identity: &Identity,
    tables: &[(usize, &Wanted)],
) -> Result<(Vec<Found>, Vec<PaneId>), ClientError> {
    let command = Command::new("list-panes")
        .flag("-a")
        .option("-F", listing());
    let reply = server.command(command).await?;
    let socket = server.socket().to_string_lossy().into_owned();
    let life = format!("{}.{}", identity.pid, identity.start_time);
    let mut found: Vec<Found> = Vec::new();
    let mut living = Vec::new();
    for line in reply.lines() {
        let line = String::from_utf8_lossy(line);
        let Some(row) = Row::read(&line) else {
            continue;
        };
        if !row.dead {
            living.push(row.pane);
        }
        let named = |wanted: &Wanted| row.is_meant(wanted);
        let Some((table, _)) = tables.iter().find(|(_, wanted)| named(wanted)) else {
            continue;
        };
        // A window that is linked into several sessions is one.
        if found.iter().any(|other| other.pane.id() == row.pane) {
            continue;
        }
        found.push(Found {
            key: Key {
                socket: socket.clone(),
                server: life.clone(),
                pane: row.pane.to_string(),
            },
            pane: Pane::new(server.clone(), row.session, row.pane),
            pid: row.pid,
            session: row.name.to_owned(),
            guarded: row.guarded(),
            labels: row.labels.clone(),
            own: (!row.own.is_empty()).then(|| row.own.to_owned()),
            dead: row.dead,
            drains: row.drains,
            table: *table,
        });
    }
    Ok((found, living))
}

struct Row<'a> {
    session: SessionId,
    pane: PaneId,
    dead: bool,
    pid: Option<u32>,
    guardian: &'a str,
    unit: &'a str,
    own: &'a str,
    drains: bool,
    labels: Labels,
    name: &'a str,
}

impl<'a> Row<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut words = line.splitn(10, '\t');
        let mut word = || words.next();
        Some(Self {
            session: SessionId::parse(word()?.as_bytes())?,
            pane: PaneId::parse(word()?.as_bytes())?,
            dead: word()? == "1",
            pid: word()?.parse().ok(),
            guardian: word()?,
            unit: word()?,
            own: word()?,
            drains: !word()?.is_empty(),
            labels: labels(word()?),
            name: word()?,
        })
    }

    fn guarded(&self) -> Option<(String, String)> {
        (!self.guardian.is_empty() && !self.unit.is_empty())
            .then(|| (self.guardian.to_owned(), self.unit.to_owned()))
    }

    fn is_meant(&self, wanted: &Wanted) -> bool {
        let session = wanted.session.as_ref();
        session.is_none_or(|glob| glob.is_match(self.name))
            && (wanted.unit.is_none() || self.guarded().is_some() && wanted.means_unit(self.unit))
            && has(&self.labels, &wanted.labels)
    }
}

/// Has it all of these?
fn has(labels: &Labels, wanted: &Labels) -> bool {
    wanted
        .iter()
        .all(|(name, value)| labels.get(name) == Some(value))
}

/// Reads `role=ci,repo=app`; what is not of that form is nothing.
fn labels(text: &str) -> Labels {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .filter(|(name, _)| !name.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_whatever_a_session_is_called() {
        let line = "$1\t%2\t0\t77\tab12\tcoder@1\tclaude\t\trole=ci, x,repo=a=b\tmy\tsession";
        let row = Row::read(line).unwrap();
        assert_eq!(row.name, "my\tsession");
        assert_eq!(row.labels["role"], "ci");
        assert_eq!(row.labels["repo"], "a=b");
        assert_eq!(row.labels.len(), 2);
        let glob = |text: &str| Some(globset::Glob::new(text).unwrap().compile_matcher());
        let unit = |text| Wanted {
            unit: glob(text),
            ..Wanted::default()
        };
        assert!(row.is_meant(&unit("coder")) && row.is_meant(&unit("coder@1")));
        assert!(!row.is_meant(&unit("code")));
        assert!(row.is_meant(&Wanted {
            session: glob("my*"),
            labels: labels("role=ci"),
            ..Wanted::default()
        }));
        assert!(!row.is_meant(&Wanted {
            labels: labels("role=other"),
            ..Wanted::default()
        }));
        let foreign = Row::read("$1\t%2\t0\t77\t\t\t\t\t\tw").unwrap();
        assert!(!foreign.is_meant(&unit("*")));
    }
}
