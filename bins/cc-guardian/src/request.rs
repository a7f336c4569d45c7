//! What is asked over the control socket: one JSON object a line, both ways.
//!
//! | Asked | Answered |
//! |---|---|
//! | `{"do":"ls"}` | `{"v":1,"units":[..]}` |
//! | `{"do":"status"}` | the same with `"guardian":{..},"servers":[..]` |
//! | `{"do":"watch"}` | such a line now, and another whenever something changes |
//! | `{"do":"up","file":PATH}`, `{"do":"up","unit":{..}}` | `{"v":1,"units":[..],"started":[..]}` |
//! | `{"do":"diff","file":PATH}` | `{"v":1,"changes":[..],"server":[..],"alerts":[..],"accounts":[..]}` |
//! | `{"do":"apply","file":PATH,"at_idle":false}` | the same, and what was done |
//! | `{"do":"restart-at-idle","unit":U}` | `{"v":1}` |
//! | `{"do":"adopt","pane":"%N","socket":PATH,"name":N,"profile":P,"command":[..]}` | `{"v":1,"unit":U,..}` |
//! | `{"do":"start","unit":U}`, `stop`, `restart`, with `"now":true` | `{"v":1}` |
//! | `{"do":"down","now":false}` | `{"v":1}` once everything has ended |
//! | `{"do":"why","unit":U}` | `{"v":1,"unit":{..},"events":[..]}` |
//! | `{"do":"events","unit":U,"most":N,"follow":true}` | a line for each |
//! | `{"do":"peek","unit":U}` | `{"v":1,"rows":[..]}` |
//! | `{"do":"explain","unit":U}` | what its screen means just now, as `explain --file` has it |
//! | `{"do":"send","unit":U,"text":T,"wait_ms":N}` | `{"v":1,"receipt":{..}}` |
//! | `{"do":"answer","unit":U,"choice":C,"hash":H}` | `{"v":1,"answer":{..}}` |
//! | `{"do":"hook","unit":U,"token":T,"input":{..}}` | `{"v":1}` |
//!
//! A mistake is answered by `{"v":1,"error":..,"exit":N}`, with `"advice"` where something can be done.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What is asked.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Request {
    Ls,
    Status,
    Watch,
    Up {
        #[serde(default)]
        file: Option<PathBuf>,
        #[serde(default)]
        unit: Option<Spec>,
    },
    Diff {
        #[serde(default)]
        file: Option<PathBuf>,
    },
    Apply {
        #[serde(default)]
        file: Option<PathBuf>,
        #[serde(default)]
        at_idle: bool,
    },
    RestartAtIdle {
        unit: String,
    },
    Adopt(Adopt),
    Start {
        unit: String,
    },
    Stop {
        unit: String,
        #[serde(default)]
        now: bool,
    },
    Restart {
        unit: String,
        #[serde(default)]
        now: bool,
    },
    Down {
        #[serde(default)]
        now: bool,
    },
    Why {
        unit: String,
    },
    Events {
        #[serde(default)]
        unit: Option<String>,
        most: u32,
        #[serde(default)]
        follow: bool,
    },
    Peek {
        unit: String,
    },
    Explain {
        unit: String,
    },
    Send {
        unit: String,
        text: String,
        wait_ms: u64,
    },
    Answer {
        unit: String,
        choice: String,
        /// Of the dialog that is meant, where that is known.
        #[serde(default)]
        hash: Option<String>,
    },
    Hook {
        unit: String,
        token: String,
        input: serde_json::Value,
    },
}

impl Request {
    /// The name of the one instance that this is about, where it can be about one only.
    pub(crate) const fn one(&mut self) -> Option<&mut String> {
        match self {
            Self::Why { unit }
            | Self::Peek { unit }
            | Self::Explain { unit }
            | Self::Send { unit, .. }
            | Self::Answer { unit, .. } => Some(unit),
            _ => None,
        }
    }
}

/// A unit of the command line.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spec {
    pub(crate) name: String,
    pub(crate) profile: Option<String>,
    pub(crate) replicas: u16,
    pub(crate) cwd: PathBuf,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) command: Vec<String>,
    /// Where it was adopted, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) adopted: Option<Adopted>,
}

/// A unit in a pane that somebody else has made.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Adopted {
    pub(crate) socket: PathBuf,
    /// Is its command to be started where it ends?
    pub(crate) again: bool,
}

/// A pane that is to be a unit.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Adopt {
    pub(crate) pane: String,
    pub(crate) socket: PathBuf,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) profile: Option<String>,
    /// What is started where it ends; empty: nothing.
    #[serde(default)]
    pub(crate) command: Vec<String>,
}
