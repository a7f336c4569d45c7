//! Brings journals to the disk, on a thread of its own: a disk that takes seconds for it holds up
//! nobody who writes.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::thread::{self, JoinHandle};

use cc_kit::journal::{Unsynced, WriteError};

use crate::upkeep::Chores;

/// How many journals may wait. One that finds no place is asked for again at the next turn.
const WAITING: usize = 1024;

/// A journal among those of a recorder.
pub(super) type Number = u64;

/// Something to bring to the disk.
#[derive(Debug)]
struct Job {
    number: Number,
    unsynced: Unsynced,
    closed: Option<Closed>,
}

/// A segment that is written no more: it must come to the disk, however long that takes.
#[derive(Debug)]
pub(super) struct Closed {
    pub(super) path: PathBuf,
    /// Is it to be packed then?
    pub(super) pack: bool,
}

/// The thread.
#[derive(Debug)]
pub(super) struct Syncing {
    jobs: SyncSender<Job>,
    results: Receiver<(Number, Result<(), WriteError>)>,
    thread: JoinHandle<()>,
}

impl Syncing {
    pub(super) fn start(chores: Chores) -> io::Result<Self> {
        let (jobs, todo) = mpsc::sync_channel::<Job>(WAITING);
        let (report, results) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("sync".to_owned())
            .spawn(move || {
                for job in todo {
                    let result = job.unsynced.sync();
                    if let Some(closed) = job.closed.filter(|closed| closed.pack) {
                        chores.pack(closed.path);
                    }
                    // The recorder may have ended by then.
                    let _ = report.send((job.number, result));
                }
            })?;
        Ok(Self {
            jobs,
            results,
            thread,
        })
    }

    /// Hands something over; false when there is no place.
    pub(super) fn sync(&self, number: Number, unsynced: Unsynced, closed: Option<Closed>) -> bool {
        let job = Job {
            number,
            unsynced,
            closed,
        };
        match self.jobs.try_send(job) {
            Ok(()) => true,
            Err(TrySendError::Full(job)) if job.closed.is_some() => self.jobs.send(job).is_ok(),
            Err(_) => false,
        }
    }

    /// What has been brought to the disk, or not.
    pub(super) fn done(&self) -> impl Iterator<Item = (Number, Result<(), WriteError>)> {
        self.results.try_iter()
    }

    /// Waits for all of it; gives the first failure.
    pub(super) fn finish(self) -> Result<(), WriteError> {
        drop(self.jobs);
        let mut result = Ok(());
        for (_, synced) in self.results {
            result = result.and(synced);
        }
        // A panic has been printed.
        let _ = self.thread.join();
        result
    }
}
