//! Who answers what is asked of a queue: the daemon, or a command itself where none runs.
//!
//! | Room | In it |
//! |---|---|
//! | `wanted` | from what somebody wants to what is kept of it |
//! | `told` | how tasks are told of |
//! | `why` | what a task waits for |
//! | `mistake` | why something is not done |
//! | `serving` | a desk at a control socket |

mod mistake;
mod serving;
pub mod told;
mod wanted;
mod why;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cc_kit::exit::Exit;
use cc_kit::journal::Stamp;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::{Mutex, Notify, mpsc, oneshot};

pub use mistake::Mistake;
pub use serving::serve;
pub use wanted::{DEFAULT_GROUP, Defaults, checked};

use crate::request::{Parallel, Request, Tasks, Wanted};
use crate::store::{Cancelling, Edit, Now, Query, Store};
use crate::task::{State, Task, TaskId};

/// What only the daemon can answer, and where the answer goes.
pub type Asked = (Request, oneshot::Sender<Value>);

/// This moment.
#[must_use]
pub fn now() -> Now {
    let stamp = Stamp::now();
    Now {
        wall: Timestamp::now(),
        steady: Duration::from_nanos(stamp.monotonic_ns),
    }
}

/// Answers what is asked.
#[derive(Debug)]
pub struct Desk {
    store: Arc<dyn Store>,
    defaults: BTreeMap<String, Defaults>,
    daemon: Option<mpsc::UnboundedSender<Asked>>,
    /// Who is told that there may be room.
    room: Option<Arc<Notify>>,
    /// What is said of a group is said of all of it at once: one after the other.
    groups: Mutex<()>,
}

impl Desk {
    /// A desk with that store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            defaults: BTreeMap::new(),
            daemon: None,
            room: None,
            groups: Mutex::new(()),
        }
    }

    /// What groups say of their tasks; a group that is not among them is as [`DEFAULT_GROUP`].
    #[must_use]
    pub fn defaults(mut self, defaults: BTreeMap<String, Defaults>) -> Self {
        self.defaults = defaults;
        self
    }

    /// Who answers what the store does not know: workers, drains, `exec`, and more reasons of `why`.
    #[must_use]
    pub fn daemon(mut self, daemon: mpsc::UnboundedSender<Asked>) -> Self {
        self.daemon = Some(daemon);
        self
    }

    /// Who is told that a group or an account was changed: what waited may be given out now.
    #[must_use]
    pub fn room(mut self, room: Arc<Notify>) -> Self {
        self.room = Some(room);
        self
    }

    /// Its store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Answers. `watch` is answered as `status` is, once; `follow` by its tasks: [`serve`] goes on.
    pub async fn answer(&self, request: Request) -> Value {
        self.try_answer(request)
            .await
            .unwrap_or_else(|wrong| wrong.answer())
    }

    async fn try_answer(&self, request: Request) -> Result<Value, Mistake> {
        match request {
            Request::Add(wanted) => self.add(*wanted).await,
            Request::Status(query) | Request::Watch(query) => self.status(query).await,
            Request::Follow(tasks) => {
                let mut found = Vec::new();
                for task in &tasks.tasks {
                    found.push(told::task(&self.find(task).await?));
                }
                Ok(json!({"v": 1, "tasks": found}))
            }
            Request::Result(one) => self.result(&one.task).await,
            Request::Log(one) => {
                let task = self.find(&one.task).await?;
                let events = self.events(&task.id).await?;
                Ok(json!({"v": 1, "task": task.id, "events": events}))
            }
            Request::Why(one) => self.why(&one.task).await,
            Request::Cancel { tasks, force } => self.each(&tasks, Verb::Cancel(force)).await,
            Request::Retry(tasks) => self.some(&tasks, Verb::Retry).await,
            Request::Hold(tasks) => self.some(&tasks, Verb::Hold).await,
            Request::Release(tasks) => self.some(&tasks, Verb::Release).await,
            Request::Remove(tasks) => self.some(&tasks, Verb::Remove).await,
            Request::Edit {
                task,
                text,
                priority,
                needs,
            } => {
                let edit = Edit {
                    text,
                    priority,
                    needs,
                };
                self.edit(&task, edit).await
            }
            Request::Groups => {
                let groups = self.store.groups().await?;
                let groups: Vec<Value> = groups.iter().map(told::group).collect();
                Ok(json!({"v": 1, "groups": groups}))
            }
            Request::SetGroup {
                name,
                parallel,
                paused,
            } => self.set_group(&name, parallel, paused).await,
            Request::Accounts => {
                let now = Timestamp::now();
                let accounts = self.store.accounts().await?;
                let accounts: Vec<Value> =
                    accounts.iter().map(|it| told::account(it, now)).collect();
                Ok(json!({"v": 1, "accounts": accounts}))
            }
            Request::SetAccount { name, most } => {
                wanted::word("account", &name)?;
                self.store.set_account(&name, most).await?;
                self.tell_room();
                self.account(&name).await
            }
            Request::Limit { name, until, why } => {
                wanted::word("account", &name)?;
                let until = Some(until.unwrap_or(told::NEVER).min(told::NEVER));
                self.store.limit(&name, until, &why).await?;
                self.account(&name).await
            }
            Request::Clear { name } => {
                self.account(&name).await?;
                self.store.limit(&name, None, "").await?;
                self.tell_room();
                self.account(&name).await
            }
            Request::Backup { file } => self.backup(&file).await,
            Request::Workers
            | Request::Drain { .. }
            | Request::Resume { .. }
            | Request::ExecBegin(_)
            | Request::ExecEnd { .. } => self.hand_over(request).await,
        }
    }

    /// Has the daemon answer.
    async fn hand_over(&self, request: Request) -> Result<Value, Mistake> {
        let daemon = self.daemon.as_ref().ok_or_else(Mistake::no_daemon)?;
        let (reply, answer) = oneshot::channel();
        let stopping = || Mistake {
            exit: Exit::Unreachable,
            error: "the balancer is stopping".to_owned(),
            advice: Some("Try again once it runs."),
        };
        daemon.send((request, reply)).map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())
    }

    async fn find(&self, beginning: &str) -> Result<Task, Mistake> {
        match TaskId::is_beginning(beginning) {
            true => Ok(self.store.task(beginning).await?),
            false => Err(wanted::no_id(beginning)),
        }
    }

    async fn events(&self, task: &TaskId) -> Result<Vec<Value>, Mistake> {
        let events = self.store.events(task).await?;
        Ok(events.iter().map(told::event).collect())
    }

    async fn add(&self, wanted: Wanted) -> Result<Value, Mistake> {
        let now = now();
        let group = wanted.group.as_deref().unwrap_or(DEFAULT_GROUP);
        let of_default = || self.defaults.get(DEFAULT_GROUP);
        let defaults = self.defaults.get(group).or_else(of_default);
        let defaults = defaults.cloned().unwrap_or_default();
        let spec = wanted::spec(wanted, &defaults, &*self.store, now).await?;
        let added = self.store.add(spec, now).await?;
        Ok(json!({"v": 1, "task": added.id, "was_there": added.was_there}))
    }

    async fn status(&self, query: Query) -> Result<Value, Mistake> {
        let now = Timestamp::now();
        let tasks = self.store.tasks(query).await?;
        let counts = self.store.counts().await?;
        let groups = self.store.groups().await?;
        let accounts = self.store.accounts().await?;
        Ok(json!({
            "v": 1,
            "counts": counts,
            "tasks": tasks.iter().map(told::task).collect::<Vec<_>>(),
            "groups": groups.iter().map(told::group).collect::<Vec<_>>(),
            "accounts": accounts.iter().map(|it| told::account(it, now)).collect::<Vec<_>>(),
        }))
    }

    async fn result(&self, beginning: &str) -> Result<Value, Mistake> {
        let task = self.find(beginning).await?;
        let attempts = self.store.attempts(&task.id).await?;
        let outcome = self.store.outcome(&task.id).await?;
        Ok(told::result(
            &task,
            &attempts,
            outcome.as_ref(),
            Timestamp::now(),
        ))
    }

    async fn why(&self, beginning: &str) -> Result<Value, Mistake> {
        let task = self.find(beginning).await?;
        let mut reasons = why::reasons(&*self.store, &task, now()).await?;
        if self.daemon.is_some() && task.state == State::Queued {
            let one = crate::request::One {
                task: task.id.to_string(),
            };
            let more = self.hand_over(Request::Why(one)).await?;
            reasons.extend(
                more.get("reasons")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .cloned(),
            );
        } else if self.daemon.is_none() && !task.state.is_over() {
            reasons.push(json!({"kind": "no-balancer", "text": "no balancer runs"}));
        }
        let events = self.events(&task.id).await?;
        Ok(json!({"v": 1, "task": told::task(&task), "reasons": reasons, "events": events}))
    }

    async fn some(&self, tasks: &Tasks, verb: Verb) -> Result<Value, Mistake> {
        match tasks.only_dead {
            true => self.each(&tasks.tasks, Verb::OfDead(Box::new(verb))).await,
            false => self.each(&tasks.tasks, verb).await,
        }
    }

    /// Does it to each; what is wrong with one holds up no other.
    async fn each(&self, tasks: &[String], verb: Verb) -> Result<Value, Mistake> {
        let mut done = Vec::new();
        for beginning in tasks {
            done.push(match self.one(beginning, &verb).await {
                Ok((id, did)) => json!({"task": id, "did": did}),
                Err(wrong) => {
                    let mut answer = wrong.answer();
                    if let Some(answer) = answer.as_object_mut() {
                        answer.remove("v");
                        answer.insert("task".to_owned(), beginning.clone().into());
                    }
                    answer
                }
            });
        }
        Ok(json!({"v": 1, "tasks": done}))
    }

    async fn one(&self, beginning: &str, verb: &Verb) -> Result<(TaskId, &'static str), Mistake> {
        let task = self.find(beginning).await?;
        let verb = match verb {
            Verb::OfDead(_) if !matches!(task.state, State::Dead | State::Failed) => {
                return Err(Mistake {
                    exit: Exit::Failed,
                    error: format!("{} is {}, and no dead letter", task.id, task.state),
                    advice: Some("See `cc-balancer dead ls` for those that are."),
                });
            }
            Verb::OfDead(verb) => verb,
            verb => verb,
        };
        let (id, now) = (&task.id, now());
        let did = match verb {
            Verb::Cancel(force) => match self.store.cancel(id, *force, now).await? {
                Cancelling::Cancelled => "cancelled",
                Cancelling::Asked => "asked",
                Cancelling::Over => "over",
            },
            Verb::Retry => {
                self.store.retry(id, now).await?;
                "queued"
            }
            Verb::Hold => {
                self.store.hold(id, true, now).await?;
                "held"
            }
            Verb::Release => {
                self.store.hold(id, false, now).await?;
                "released"
            }
            Verb::Remove | Verb::OfDead(_) => {
                self.store.remove(id, now).await?;
                "removed"
            }
        };
        Ok((task.id, did))
    }

    async fn edit(&self, beginning: &str, edit: Edit) -> Result<Value, Mistake> {
        if let Some(text) = &edit.text {
            wanted::text(text)?;
        }
        if let Some(needs) = &edit.needs {
            wanted::labels(needs)?;
        }
        let task = self.find(beginning).await?;
        self.store.edit(&task.id, edit, now()).await?;
        Ok(json!({"v": 1, "task": task.id}))
    }

    async fn set_group(
        &self,
        name: &str,
        parallel: Option<Parallel>,
        paused: Option<bool>,
    ) -> Result<Value, Mistake> {
        wanted::word("group", name)?;
        let _alone = self.groups.lock().await;
        let groups = self.store.groups().await?;
        let found = groups.iter().find(|group| group.name == name);
        let most = match parallel {
            Some(parallel) => parallel.most,
            None => found.and_then(|group| group.parallel),
        };
        let is_paused = paused.unwrap_or_else(|| found.is_some_and(|group| group.is_paused));
        self.store.set_group(name, most, is_paused).await?;
        self.tell_room();
        let groups = self.store.groups().await?;
        let group = groups.iter().find(|group| group.name == name);
        Ok(json!({"v": 1, "group": group.map(told::group)}))
    }

    fn tell_room(&self) {
        if let Some(room) = &self.room {
            room.notify_one();
        }
    }

    async fn account(&self, name: &str) -> Result<Value, Mistake> {
        let accounts = self.store.accounts().await?;
        let Some(account) = accounts.iter().find(|account| account.name == name) else {
            return Err(Mistake {
                exit: Exit::Unknown,
                error: format!("there is no account {name:?}"),
                advice: Some("See `cc-balancer account ls` for those that there are."),
            });
        };
        Ok(json!({"v": 1, "account": told::account(account, Timestamp::now())}))
    }

    async fn backup(&self, file: &Path) -> Result<Value, Mistake> {
        if !file.is_absolute() {
            return Err(Mistake::usage(
                "the path of a copy begins at the root",
                "Name it from the root.",
            ));
        }
        if file.symlink_metadata().is_ok() {
            return Err(Mistake::usage(
                format!("{} is there already", file.display()),
                "Name a file that is not there yet.",
            ));
        }
        self.store.backup(file).await?;
        Ok(json!({"v": 1, "file": file}))
    }
}

/// What is done to a task.
#[derive(Debug)]
enum Verb {
    Cancel(bool),
    Retry,
    Hold,
    Release,
    Remove,
    OfDead(Box<Self>),
}
