//! Tasks in SQLite: one file, and a thread of its own that writes it.
//!
//! The file is readable with `sqlite3` while the program runs. Moments are microseconds since 1970
//! (`datetime(added / 1e6, 'unixepoch')`), moments of leases microseconds since boot.
//!
//! | Table | A row |
//! |---|---|
//! | `task` | `seq`: its number among all that were added; `id`, `key`; `spec` (JSON); `state`, `why`; `priority`; `since`: from when on it ages; `not_before`; `added`, `ended`; `attempts`, `returned`: those that count, and not; `number`: the last attempt; `cancel`: 0 asked, 1 by force; `exit`; `affinity`; `lane`; `waits`: how many of those before it are not done; `ready`: could it be begun, 1 for tasks alone; `recipient`: of a message; of the attempt that is under way `host`, `account`, `boot`, `lease` (how long), `until` |
//! | `lane` | tasks of which only priority and age say which is next: `grp`, `kind`, `needs` (JSON), `recipient`, `submitter` |
//! | `tally` | how many (`n`) tasks of a `lane` are in a `state`, those that could be begun in `ready`. Triggers keep it |
//! | `before` | `task` waits for `other` |
//! | `attempt` | `task`, `number`, `nonce`, `host`; the worker's `unit`, `socket`, `server`, `pane`, `account`; `leased`, `started`, `ended`, `outcome`; `after_lost`; `may_repeat`: may what it did be done twice by the next |
//! | `outcome` | what came of an attempt: `task`, `number`, `text`, `is_cut`, `exit`, `check_text` |
//! | `event` | `id`, `task`, `at`, `attempt`, `kind`, `detail` |
//! | `task_group` | `name`, `parallel`, `is_paused` |
//! | `account` | `name`, `parallel`, `limited_until`, `why` |
//!
//! **Nothing that was answered is lost**: WAL with `synchronous=FULL`, and an answer is given after the
//! commit. What is asked for while the disk is busy is done in one commit, so a slow disk makes answers
//! slow and nothing else.
//!
//! **It stays fast**: which task is next is looked for among the heads of lanes, by index. Only what
//! can be begun by its time is marked when its time has come.

mod adding;
mod asking;
mod attempt;
mod backup;
mod health;
mod limiting;
mod pulling;
mod row;
mod tables;
#[cfg(test)]
mod tests;
mod wanting;
mod whole;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::broadcast;

use super::{
    Account, Added, Answer, Cancelling, Counts, Edit, End, Event, Group, Leased, Now, Offer, Query,
    Step, Store, StoreError,
};
use crate::task::{Attempt, Fence, Outcome, Spec, State, Task, TaskId};
pub use health::{Health, look};
pub(crate) use whole::Whole;
use writer::{Request, Work};

/// How many events one who listens may be behind.
const EVENTS: usize = 4096;

/// A store in one SQLite file.
pub struct SqliteStore {
    path: PathBuf,
    requests: mpsc::Sender<Request>,
    events: broadcast::Sender<Event>,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens it, or makes it, with mode 0600.
    ///
    /// # Errors
    /// When the file cannot be used: it is of a newer version, of something else, or damaged.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let db = tables::open(path)?;
        let (requests, asked) = mpsc::channel();
        let (events, _) = broadcast::channel(EVENTS);
        let told = events.clone();
        let boot = cc_kit::journal::clock::boot_id();
        thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || writer::run(db, boot, &asked, &told))
            .map_err(|error| StoreError::Broken(error.to_string()))?;
        Ok(Self {
            path: path.to_owned(),
            requests,
            events,
        })
    }

    /// Lets the thread do something that changes the store, and answers when it is down.
    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Work<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<'_, T> {
        Box::pin(async move {
            let (job, answer) = writer::job(work);
            self.ask(Request::Write(job))?;
            answer.await.map_err(|_| ended())?
        })
    }

    /// Lets the thread look something up.
    fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Work<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<'_, T> {
        Box::pin(async move {
            let (job, answer) = writer::job(work);
            self.ask(Request::Read(job))?;
            answer.await.map_err(|_| ended())?
        })
    }

    fn ask(&self, request: Request) -> Result<(), StoreError> {
        self.requests.send(request).map_err(|_| ended())
    }
}

fn ended() -> StoreError {
    StoreError::Broken("it is closed".to_owned())
}

impl Store for SqliteStore {
    fn add(&self, spec: Spec, now: Now) -> Answer<'_, Added> {
        self.write(move |work| work.add(&spec, now))
    }

    fn task<'a>(&'a self, beginning: &'a str) -> Answer<'a, Task> {
        let beginning = beginning.to_owned();
        self.read(move |work| work.find(&beginning))
    }

    fn tasks(&self, query: Query) -> Answer<'_, Vec<Task>> {
        self.read(move |work| work.tasks(&query))
    }

    fn counts(&self) -> Answer<'_, Counts> {
        self.read(|work| work.counts())
    }

    fn attempts<'a>(&'a self, task: &'a TaskId) -> Answer<'a, Vec<Attempt>> {
        let task = task.clone();
        self.read(move |work| work.attempts(&task))
    }

    fn outcome<'a>(&'a self, task: &'a TaskId) -> Answer<'a, Option<Outcome>> {
        let task = task.clone();
        self.read(move |work| work.outcome(&task))
    }

    fn events<'a>(&'a self, task: &'a TaskId) -> Answer<'a, Vec<Event>> {
        let task = task.clone();
        self.read(move |work| work.events(&task))
    }

    fn note<'a>(&'a self, task: &'a TaskId, detail: String, now: Now) -> Answer<'a, ()> {
        let task = task.clone();
        self.write(move |work| work.note(&task, &detail, now))
    }

    fn pull<'a>(
        &'a self,
        host: &'a str,
        offers: &'a [Offer],
        lease: Duration,
        now: Now,
    ) -> Answer<'a, Option<Leased>> {
        let (host, offers) = (host.to_owned(), offers.to_owned());
        self.write(move |work| work.pull(&host, &offers, lease, now))
    }

    fn next_due(&self, now: Now) -> Answer<'_, Option<Timestamp>> {
        self.read(move |work| work.next_due(now))
    }

    fn beat<'a>(&'a self, fence: &'a Fence, lease: Duration, now: Now) -> Answer<'a, ()> {
        let fence = fence.clone();
        self.write(move |work| work.beat(&fence, lease, now))
    }

    fn step<'a>(&'a self, fence: &'a Fence, step: Step, now: Now) -> Answer<'a, ()> {
        let fence = fence.clone();
        self.write(move |work| work.step(&fence, &step, now))
    }

    fn end<'a>(&'a self, fence: &'a Fence, end: End, now: Now) -> Answer<'a, State> {
        let fence = fence.clone();
        self.write(move |work| work.end(&fence, &end, now))
    }

    fn under_way<'a>(&'a self, host: &'a str) -> Answer<'a, Vec<Task>> {
        let host = host.to_owned();
        self.read(move |work| work.under_way(&host))
    }

    fn expire(&self, now: Now) -> Answer<'_, Vec<Fence>> {
        self.write(move |work| work.expire(now))
    }

    fn cancel<'a>(&'a self, task: &'a TaskId, force: bool, now: Now) -> Answer<'a, Cancelling> {
        let task = task.clone();
        self.write(move |work| work.cancel(&task, force, now))
    }

    fn retry<'a>(&'a self, task: &'a TaskId, now: Now) -> Answer<'a, ()> {
        let task = task.clone();
        self.write(move |work| work.retry(&task, now))
    }

    fn hold<'a>(&'a self, task: &'a TaskId, held: bool, now: Now) -> Answer<'a, ()> {
        let task = task.clone();
        self.write(move |work| work.hold(&task, held, now))
    }

    fn edit<'a>(&'a self, task: &'a TaskId, edit: Edit, now: Now) -> Answer<'a, ()> {
        let task = task.clone();
        self.write(move |work| work.edit(&task, edit, now))
    }

    fn remove<'a>(&'a self, task: &'a TaskId, now: Now) -> Answer<'a, ()> {
        let task = task.clone();
        self.write(move |work| work.remove(&task, now))
    }

    fn tidy(&self, before: Timestamp) -> Answer<'_, u64> {
        Box::pin(async move {
            let mut all = 0;
            loop {
                // A little at a time, so that others get their turn.
                let gone = self.write(move |work| work.tidy(before)).await?;
                all += gone;
                if gone == 0 {
                    return Ok(all);
                }
            }
        })
    }

    fn groups(&self) -> Answer<'_, Vec<Group>> {
        self.read(|work| work.groups())
    }

    fn set_group<'a>(
        &'a self,
        name: &'a str,
        parallel: Option<u32>,
        is_paused: bool,
    ) -> Answer<'a, ()> {
        let name = name.to_owned();
        self.write(move |work| work.set_group(&name, parallel, is_paused))
    }

    fn accounts(&self) -> Answer<'_, Vec<Account>> {
        self.read(|work| work.accounts())
    }

    fn set_account<'a>(&'a self, name: &'a str, parallel: Option<u32>) -> Answer<'a, ()> {
        let name = name.to_owned();
        self.write(move |work| work.set_account(&name, parallel))
    }

    fn limit<'a>(
        &'a self,
        name: &'a str,
        until: Option<Timestamp>,
        why: &'a str,
    ) -> Answer<'a, ()> {
        let (name, why) = (name.to_owned(), why.to_owned());
        self.write(move |work| work.limit(&name, until, &why))
    }

    fn changes(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    fn backup<'a>(&'a self, to: &'a Path) -> Answer<'a, ()> {
        Box::pin(backup::write(&self.path, to))
    }

    fn close(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            let (closed, answer) = tokio::sync::oneshot::channel();
            if self.ask(Request::Close(closed)).is_err() {
                return Ok(());
            }
            answer.await.unwrap_or(Ok(()))
        })
    }
}
