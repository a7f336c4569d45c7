//! What is asked over the control socket: one JSON object a line, both ways.
//!
//! | Asked | Answered |
//! |---|---|
//! | `{"do":"add","text":T,"submitter":S,..}` | `{"v":1,"task":ID,"was_there":false}` |
//! | `{"do":"status","states":[..],..}` | `{"v":1,"counts":{..},"tasks":[..],"groups":[..],"accounts":[..]}` |
//! | `{"do":"watch","states":[..],..}` | such a line now, and another whenever something changes |
//! | `{"do":"follow","tasks":[ID..]}` | `{"v":1,"task":{..}}` of each now, and `{"v":1,"event":{..},"task":{..}}` of what happens; `{"v":1,"end":true}` once all are over |
//! | `{"do":"result","task":ID}` | `{"v":1,"task":ID,"state":..,"text":..,"attempts":[..],..}` |
//! | `{"do":"log","task":ID}` | `{"v":1,"task":ID,"events":[..]}` |
//! | `{"do":"why","task":ID}` | `{"v":1,"task":{..},"reasons":[{"kind":..,"text":..}],"events":[..]}` |
//! | `{"do":"cancel","tasks":[ID..],"force":false}` | `{"v":1,"tasks":[{"task":ID,"did":..}]}` |
//! | `{"do":"retry","tasks":[ID..]}`, `hold`, `release`, `remove` | the same |
//! | `{"do":"edit","task":ID,"text":T,"priority":N,"needs":{..}}` | `{"v":1,"task":ID}` |
//! | `{"do":"groups"}` | `{"v":1,"groups":[..]}` |
//! | `{"do":"set-group","name":G,"paused":true}`, with `"parallel":{"most":N}` | `{"v":1,"group":{..}}` |
//! | `{"do":"accounts"}` | `{"v":1,"accounts":[..]}` |
//! | `{"do":"set-account","name":A,"most":N}` | `{"v":1,"account":{..}}` |
//! | `{"do":"limit","name":A,"until":T,"why":W}`, `{"do":"clear","name":A}` | `{"v":1,"account":{..}}` |
//! | `{"do":"backup","file":PATH}` | `{"v":1,"file":PATH}` |
//!
//! Only a running balancer answers these:
//!
//! | Asked | Answered |
//! |---|---|
//! | `{"do":"workers"}` | `{"v":1,"workers":[{"unit":..,"pane":..,"state":..,"task":..,"labels":{..},"account":..,"drained":false}]}` |
//! | `{"do":"drain","worker":W}`, `resume` | `{"v":1}` |
//! | `{"do":"exec-begin","task":ID,"attempt":N,"nonce":X}` | `{"v":1,"text":T,"cwd":PATH or null}` |
//! | `{"do":"exec-end","task":ID,"attempt":N,"nonce":X,"exit":N}` | `{"v":1}` |
//!
//! A mistake is answered by `{"v":1,"error":..,"exit":N}`, with `"advice"` where something can be done.

use std::path::PathBuf;

use cc_kit::process::Mark;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::store::Query;
use crate::task::{Kind, Labels};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Request {
    /// Add that.
    Add(Box<Wanted>),
    /// How are those?
    Status(Query),
    /// The same whenever something changes.
    Watch(Query),
    /// Tell what happens to those.
    Follow(Tasks),
    /// What came of it?
    Result(One),
    /// What happened to it?
    Log(One),
    /// Why is it so?
    Why(One),
    /// Want them no more.
    Cancel {
        /// Which.
        tasks: Vec<String>,
        /// End the program that works on one.
        #[serde(default)]
        force: bool,
    },
    /// Queue them again.
    Retry(Tasks),
    /// Keep them from being begun.
    Hold(Tasks),
    /// Let them be begun.
    Release(Tasks),
    /// Forget them.
    Remove(Tasks),
    /// Change it.
    Edit {
        /// Which.
        task: String,
        /// Its text.
        #[serde(default)]
        text: Option<String>,
        /// Its priority.
        #[serde(default)]
        priority: Option<i32>,
        /// What its worker must have.
        #[serde(default)]
        needs: Option<Labels>,
    },
    /// Which groups are there?
    Groups,
    /// Say something of a group; what is not said stays.
    SetGroup {
        /// Which.
        name: String,
        /// How many of it may be under way.
        #[serde(default)]
        parallel: Option<Parallel>,
        /// Is nothing of it begun?
        #[serde(default)]
        paused: Option<bool>,
    },
    /// Which accounts are there?
    Accounts,
    /// Say how many may be under way on an account.
    SetAccount {
        /// Which.
        name: String,
        /// How many; none: any number.
        #[serde(default)]
        most: Option<u32>,
    },
    /// Begin nothing on an account.
    Limit {
        /// Which.
        name: String,
        /// Until when; none: until `clear`.
        #[serde(default)]
        until: Option<Timestamp>,
        /// Why.
        why: String,
    },
    /// Begin tasks on an account again.
    Clear {
        /// Which.
        name: String,
    },
    /// Write a copy of the store.
    Backup {
        /// Where, from the root.
        file: PathBuf,
    },
    /// Who works? For the daemon.
    Workers,
    /// Give a worker nothing more. For the daemon.
    Drain {
        /// Which: `coder`, `coder@1`, `%3`.
        worker: String,
    },
    /// Give a worker tasks again. For the daemon.
    Resume {
        /// Which.
        worker: String,
    },
    /// What is the command of that attempt? For the daemon.
    ExecBegin(Attempt),
    /// It ended like that. For the daemon.
    ExecEnd {
        /// Which.
        #[serde(flatten)]
        attempt: Attempt,
        /// Its exit code; of a signal 128 and more.
        exit: i32,
    },
}

/// One task, by how its id begins.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct One {
    /// Which.
    pub task: String,
}

/// Some tasks, by how their ids begin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Tasks {
    /// Which.
    pub tasks: Vec<String>,
    /// Only if they are dead letters, or failed.
    #[serde(default)]
    pub only_dead: bool,
}

/// How many may be under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Parallel {
    /// None: any number.
    pub most: Option<u32>,
}

/// Which attempt, and what ties somebody to it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Attempt {
    /// Of which task.
    pub task: String,
    /// Which attempt.
    pub attempt: u32,
    /// Its nonce.
    pub nonce: String,
}

impl Attempt {
    /// What marks all that its command starts, should that be killed before it could end it.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            variable: "CC_EXEC".to_owned(),
            value: format!("{}.{}.{}", self.task, self.attempt, self.nonce),
        }
    }
}

/// A task that is wanted. What is not said is as its group has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// The prompt, or the command.
    pub text: String,
    /// A task, or a message.
    #[serde(default)]
    pub kind: Kind,
    /// What its worker must have.
    #[serde(default)]
    pub needs: Labels,
    /// Who alone may have it.
    #[serde(default)]
    pub to: Option<String>,
    /// Its group; none: `default`.
    #[serde(default)]
    pub group: Option<String>,
    /// Higher first.
    #[serde(default)]
    pub priority: i32,
    /// Who asks.
    pub submitter: String,
    /// Of two with the same key there is only the first.
    #[serde(default)]
    pub key: Option<String>,
    /// What must be done before, by how the ids begin.
    #[serde(default)]
    pub after: Vec<String>,
    /// How long it waits at least.
    #[serde(default)]
    pub delay_ms: Option<u64>,
    /// How long an attempt may take.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
    /// How often it is tried again.
    #[serde(default)]
    pub retry: Option<u32>,
    /// What must end with 0.
    #[serde(default)]
    pub check: Option<Vec<String>>,
    /// Where that runs.
    #[serde(default)]
    pub cwd: Option<PathBuf>,
    /// Tasks of the same affinity go to the same worker.
    #[serde(default)]
    pub affinity: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_documented_is_read() {
        for (line, kind) in [
            (json!({"do": "add", "text": "x", "submitter": "me"}), "add"),
            (json!({"do": "status"}), "status"),
            (json!({"do": "watch", "states": ["queued"]}), "watch"),
            (json!({"do": "follow", "tasks": ["0a"]}), "follow"),
            (
                json!({"do": "cancel", "tasks": ["0a"], "force": true}),
                "cancel",
            ),
            (json!({"do": "edit", "task": "0a", "priority": 3}), "edit"),
            (
                json!({"do": "set-group", "name": "g", "parallel": {"most": 2}}),
                "set-group",
            ),
            (json!({"do": "limit", "name": "a", "why": "w"}), "limit"),
            (
                json!({"do": "exec-begin", "task": "0a", "attempt": 1, "nonce": "n"}),
                "exec-begin",
            ),
            (
                json!({"do": "exec-end", "task": "0a", "attempt": 1, "nonce": "n", "exit": 3}),
                "exec-end",
            ),
        ] {
            let request: Request = serde_json::from_value(line).unwrap();
            let again = serde_json::to_value(&request).unwrap();
            assert_eq!(again["do"], kind);
            assert_eq!(serde_json::from_value::<Request>(again).unwrap(), request);
        }
        let wrong = json!({"do": "add", "text": "x", "submitter": "me", "prio": 1});
        assert!(serde_json::from_value::<Request>(wrong).is_err());
        assert!(serde_json::from_value::<Request>(json!({"do": "dance"})).is_err());
    }
}
