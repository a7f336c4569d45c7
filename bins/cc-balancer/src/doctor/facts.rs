//! What was found, as plain data. Texts are as they were read: who prints them escapes them.

use serde::Serialize;
use serde_json::Value;

use crate::store::nats::{Facts as Nats, Finding};
use crate::store::sqlite::Health;

/// Everything that is judged.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Facts {
    pub(super) tmux: Tmux,
    pub(super) configuration: Configuration,
    /// Of each `[[worker]]`, in their order.
    pub(super) tables: Vec<Table>,
    pub(super) daemon: Daemon,
    pub(super) store: Store,
    /// Where the configuration names a NATS server.
    pub(super) nats: Option<Server>,
}

/// The program that is run to reach a server.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Tmux {
    /// As the configuration names it.
    pub(super) program: String,
    /// Where that is; `None`: nowhere.
    pub(super) path: Option<String>,
    /// What it says to `-V`, without the word `tmux`, or why it says nothing.
    pub(super) version: Result<String, String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Configuration {
    /// There is none.
    Absent,
    Wrong {
        mistake: String,
        advice: String,
    },
    Right {
        file: String,
    },
}

/// A table of workers, and who is meant.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Table {
    /// What it means, in words: `session "work-*"`.
    pub(super) means: String,
    /// The socket that is asked: of a tmux server, or of a guardian.
    pub(super) socket: String,
    pub(super) is_guardian: bool,
    pub(super) found: Found,
}

/// Who is found at a socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Found {
    /// Nobody answers there: why.
    Nobody(String),
    /// It answers, and those are meant: panes with their sessions, or units.
    Workers(Vec<String>),
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Daemon {
    /// None runs.
    Absent,
    /// One listens, and does not answer as one does.
    Silent(String),
    /// It has these workers.
    Answers(Vec<Value>),
}

/// The file of tasks.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Store {
    pub(super) path: String,
    pub(super) found: Kept,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kept {
    /// There is none yet.
    Nothing,
    /// It cannot be read: why.
    Broken(String),
    There(Health),
}

/// A NATS server that hosts share tasks through.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Server {
    pub(super) url: String,
    pub(super) found: Reached,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Reached {
    /// It may not be asked like that: why.
    Refused(String),
    /// None lets us in: what was said last, if anything was.
    Nobody {
        why: Option<String>,
    },
    There {
        facts: Nats,
        findings: Vec<Finding>,
    },
}
