//! The thread that has the connection: what waits is done in one commit, and answered after it.

use std::sync::mpsc;

use rusqlite::Connection;
use tokio::sync::{broadcast, oneshot};

use super::super::{Event, StoreError};

/// How many requests go into one commit.
const MOST: usize = 256;

/// Does one thing, and says why it did not work, and how to answer. It is given an error where it
/// cannot even be tried.
pub(super) type Job =
    Box<dyn FnOnce(Result<&mut Work<'_>, StoreError>) -> (Option<StoreError>, Reply) + Send>;
/// Answers: with what came of it, or with why that is not down.
type Reply = Box<dyn FnOnce(Option<StoreError>)>;

/// What the thread is asked for.
pub(super) enum Request {
    /// Something that changes the store.
    Write(Job),
    /// Something that does not.
    Read(Job),
    /// To end.
    Close(oneshot::Sender<Result<(), StoreError>>),
}

/// What work is done with.
pub(super) struct Work<'a> {
    pub(super) db: &'a Connection,
    /// What the kernel calls this boot, where it tells.
    pub(super) boot: Option<&'a str>,
    /// What happened, to be told once it is down.
    pub(super) told: Vec<Event>,
}

/// Makes a job, and where its answer comes.
pub(super) fn job<T: Send + 'static>(
    work: impl FnOnce(&mut Work<'_>) -> Result<T, StoreError> + Send + 'static,
) -> (Job, oneshot::Receiver<Result<T, StoreError>>) {
    let (answer, answered) = oneshot::channel();
    let job: Job = Box::new(move |with| {
        // Whoever asked is gone, and nothing is done yet.
        if answer.is_closed() {
            return (None, Box::new(|_| ()) as Reply);
        }
        let done = with.and_then(work);
        let wrong = done.as_ref().err().map(same);
        let reply: Reply = Box::new(move |broken| {
            let _ = answer.send(broken.map_or(done, Err));
        });
        (wrong, reply)
    });
    (job, answered)
}

/// Does what is asked for, until nobody can ask any more.
pub(super) fn run(
    db: Connection,
    boot: Option<String>,
    requests: &mpsc::Receiver<Request>,
    events: &broadcast::Sender<Event>,
) {
    while let Ok(first) = requests.recv() {
        let boot = boot.as_deref();
        if let Some(closed) = batch(&db, boot, first, requests, events) {
            let done = db.close().map_err(|(_, error)| StoreError::from(error));
            let _ = closed.send(done);
            return;
        }
    }
}

/// Does that and what waits behind it in one commit. Gives back who wants an end.
fn batch(
    db: &Connection,
    boot: Option<&str>,
    first: Request,
    requests: &mpsc::Receiver<Request>,
    events: &broadcast::Sender<Event>,
) -> Option<oneshot::Sender<Result<(), StoreError>>> {
    let mut work = Work {
        db,
        boot,
        told: Vec::new(),
    };
    let mut replies: Vec<Reply> = Vec::new();
    let mut next = Some(first);
    let mut closing = None;
    let mut is_open = false;
    let mut given_up = None;
    while let Some(request) = next.take() {
        match request {
            Request::Close(closed) => {
                closing = Some(closed);
                break;
            }
            Request::Read(job) => {
                let (_, reply) = job(Ok(&mut work));
                match is_open {
                    // It may have seen what is not down yet.
                    true => replies.push(reply),
                    false => reply(None),
                }
            }
            Request::Write(job) => {
                if !is_open && let Err(error) = db.execute_batch("BEGIN IMMEDIATE") {
                    let (_, reply) = job(Err(error.into()));
                    reply(None);
                    break;
                }
                is_open = true;
                let (wrong, reply) = one(&mut work, job);
                replies.push(reply);
                if db.is_autocommit() {
                    // SQLite gave up the whole of it, as it may when its disk is full.
                    given_up = Some(wrong.unwrap_or(StoreError::Full));
                    break;
                }
            }
        }
        if replies.len() < MOST {
            next = requests.try_recv().ok();
        }
    }
    if is_open {
        let down = match given_up {
            Some(error) => Err(error),
            None => db.execute_batch("COMMIT").map_err(StoreError::from),
        };
        if down.is_err() && !db.is_autocommit() {
            let _ = db.execute_batch("ROLLBACK");
        }
        if down.is_ok() {
            for event in work.told.drain(..) {
                // Nobody needs to listen.
                let _ = events.send(event);
            }
        }
        for reply in replies {
            reply(down.as_ref().err().map(same));
        }
    }
    closing
}

/// Does one job so that nothing of it is left when it fails.
fn one(work: &mut Work<'_>, job: Job) -> (Option<StoreError>, Reply) {
    if let Err(error) = work.db.execute_batch("SAVEPOINT one") {
        return job(Err(error.into()));
    }
    let told = work.told.len();
    let (wrong, reply) = job(Ok(work));
    if wrong.is_some() {
        work.told.truncate(told);
        let _ = work.db.execute_batch("ROLLBACK TO one");
    }
    let _ = work.db.execute_batch("RELEASE one");
    (wrong, reply)
}

/// The same error, for one more who waits.
fn same(error: &StoreError) -> StoreError {
    match error {
        StoreError::Full => StoreError::Full,
        other => StoreError::Broken(match other {
            StoreError::Broken(why) => why.clone(),
            other => other.to_string(),
        }),
    }
}
