//! Packs closed segments and deletes what is kept too long, on a thread of its own that lets others
//! go first.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use cc_kit::journal::note::End;
use cc_kit::journal::packed::{self, Packing};
use cc_kit::journal::retention::{Kept, Retention};
use cc_kit::journal::{PaneLog, Stamp, StoreError, Summary, panes};
use serde::Serialize;
use tokio::sync::oneshot;

use crate::counters::Counters;

/// How often is looked at what is kept.
const OFTEN: Duration = Duration::from_secs(60);

/// How old a segment must be that nobody closed, and nobody writes to, before it is packed.
const ABANDONED: Duration = Duration::from_secs(3_600);

/// The segments that are being written: nobody else may touch them.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenSegments(Arc<Mutex<HashSet<PathBuf>>>);

impl OpenSegments {
    pub(crate) fn add(&self, path: &Path) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(path.to_owned());
    }

    pub(crate) fn remove(&self, path: &Path) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(path);
    }

    pub(crate) fn has(&self, path: &Path) -> bool {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.contains(path)
    }
}

/// What is kept, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Keeping {
    pub(crate) retention: Retention,
    /// `None`: closed segments stay as they are.
    pub(crate) packing: Option<Packing>,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Done {
    /// Segments that were packed.
    pub(crate) packed: u64,
    /// Segments that were deleted.
    pub(crate) deleted: u64,
    /// Bytes of those.
    pub(crate) bytes: u64,
}

#[derive(Debug)]
enum Chore {
    Pack(PathBuf),
    Tidy(oneshot::Sender<Done>),
    Stop,
}

/// Gives chores to the thread.
#[derive(Clone, Debug)]
pub(crate) struct Chores {
    todo: Sender<Chore>,
    keeping: Arc<Mutex<Keeping>>,
}

impl Chores {
    /// Packs a segment that is closed, some time.
    pub(crate) fn pack(&self, path: PathBuf) {
        let _ = self.todo.send(Chore::Pack(path));
    }

    /// Looks at what is kept now, and answers with what was done.
    pub(crate) fn tidy(&self) -> oneshot::Receiver<Done> {
        let (answer, answered) = oneshot::channel();
        let _ = self.todo.send(Chore::Tidy(answer));
        answered
    }

    /// Keeps by these from now on.
    pub(crate) fn keep(&self, keeping: Keeping) {
        *self.keeping.lock().unwrap_or_else(PoisonError::into_inner) = keeping;
    }

    fn keeping(&self) -> Keeping {
        *self.keeping.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread.
#[derive(Debug)]
pub(crate) struct Upkeep {
    thread: JoinHandle<()>,
    todo: Sender<Chore>,
}

impl Upkeep {
    pub(crate) fn start(
        dir: &Path,
        keeping: Keeping,
        open: OpenSegments,
        counters: Arc<Counters>,
    ) -> io::Result<(Self, Chores)> {
        let (todo, chores) = mpsc::channel();
        let keeping = Arc::new(Mutex::new(keeping));
        let desk = Chores {
            todo: todo.clone(),
            keeping,
        };
        let dir = dir.to_owned();
        let told = desk.clone();
        let thread = thread::Builder::new()
            .name("upkeep".to_owned())
            .spawn(move || {
                // Of this thread alone, on Linux; elsewhere of the process, which does no harm.
                let _ = rustix::process::nice(10);
                let tidied = |done: Done| {
                    counters.deleted.add(done.deleted);
                    done
                };
                loop {
                    match chores.recv_timeout(OFTEN) {
                        Ok(Chore::Pack(path)) => {
                            if let Some(packing) = told.keeping().packing {
                                pack(&path, packing);
                            }
                        }
                        Ok(Chore::Tidy(answer)) => {
                            let done =
                                tidied(tidy(&dir, told.keeping(), &open, Stamp::now().wall_ns));
                            let _ = answer.send(done);
                        }
                        Err(RecvTimeoutError::Timeout) => {
                            tidied(tidy(&dir, told.keeping(), &open, Stamp::now().wall_ns));
                        }
                        Ok(Chore::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                    }
                }
            })?;
        Ok((Self { thread, todo }, desk))
    }

    /// Ends it, when what it was told before is done.
    pub(crate) fn finish(self) {
        let _ = self.todo.send(Chore::Stop);
        let _ = self.thread.join();
    }
}

fn pack(path: &Path, packing: Packing) -> bool {
    match packed::pack(path, packing) {
        Ok(packed) => packed.is_some(),
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a segment stays unpacked"
            );
            false
        }
    }
}

/// Packs what nobody writes to, and deletes what is kept too long; `now` is wall time.
///
/// Nothing that `open` names is touched.
pub(crate) fn tidy(dir: &Path, keeping: Keeping, open: &OpenSegments, now: i64) -> Done {
    let mut done = Done::default();
    let listing = match panes(dir) {
        Ok(listing) => listing,
        Err(error) => {
            complain(&error);
            return done;
        }
    };
    if let Some(packing) = keeping.packing {
        for log in &listing.panes {
            for path in idle(log, open, now) {
                done.packed += u64::from(pack(&path, packing));
            }
        }
    }
    for path in listing.panes.iter().flat_map(|log| &log.segments) {
        // Packing was cut short before the one that was packed could go.
        let twin = path.with_extension("");
        if twin.extension().is_some_and(|is| is == "ccj") && !open.has(&twin) {
            let _ = fs::remove_file(twin);
        }
    }
    if keeping.retention == Retention::default() {
        return done;
    }
    // Packing has changed names and sizes.
    let Ok(listing) = panes(dir) else {
        return done;
    };
    let mut homes = HashMap::new();
    let mut kept = Vec::new();
    for log in listing.panes {
        for path in log.segments {
            let Ok(metadata) = fs::metadata(&path) else {
                continue;
            };
            kept.push(Kept {
                last: Summary::open(&path)
                    .ok()
                    .and_then(|summary| summary.last)
                    .map_or_else(|| modified(&metadata), |last| last.wall_ns),
                bytes: metadata.len(),
                open: open.has(&path),
                path: path.clone(),
            });
            homes.insert(path, log.directory.clone());
        }
    }
    let excess = keeping.retention.excess(&kept, now, free(dir));
    for segment in excess {
        match fs::remove_file(&segment.path) {
            Ok(()) => {
                done.deleted += 1;
                done.bytes += segment.bytes;
                tracing::info!(path = %segment.path.display(), "deleted");
                if let Some(home) = homes.get(&segment.path) {
                    leave(home, open);
                }
            }
            Err(error) => {
                tracing::warn!(path = %segment.path.display(), %error, "cannot be deleted");
            }
        }
    }
    done
}

/// Segments that are not packed, and to which nobody will write.
fn idle(log: &PaneLog, open: &OpenSegments, now: i64) -> Vec<PathBuf> {
    let newest = log.segments.last();
    log.segments
        .iter()
        .filter(|path| path.extension().is_some_and(|is| is == "ccj") && !open.has(path))
        .filter(|path| Some(*path) != newest || is_over(path, now))
        .cloned()
        .collect()
}

/// Is the pane of this newest segment gone, or has nothing come for long?
fn is_over(path: &Path, now: i64) -> bool {
    let Ok(summary) = Summary::open(path) else {
        return false;
    };
    let ended = matches!(summary.ended, Some(End::PaneGone | End::ServerGone { .. }));
    let quiet = summary.last.is_some_and(|last| {
        i128::from(now.saturating_sub(last.wall_ns)) > ABANDONED.as_nanos() as i128
    });
    ended || quiet
}

/// Removes directories that hold nothing any more.
fn leave(pane: &Path, open: &OpenSegments) {
    let mut entries = fs::read_dir(pane).into_iter().flatten().flatten();
    if entries.any(|entry| open.has(&entry.path())) || fs::remove_dir(pane).is_err() {
        return;
    }
    let Some(server) = pane.parent() else {
        return;
    };
    let others = fs::read_dir(server)
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| entry.file_name() != "server.json");
    if !others {
        let _ = fs::remove_file(server.join("server.json"));
        let _ = fs::remove_dir(server);
    }
}

fn modified(metadata: &fs::Metadata) -> i64 {
    let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    let since = modified.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
    })
}

/// Bytes that the disk has left for us.
fn free(dir: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(dir).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

fn complain(error: &StoreError) {
    tracing::warn!(error = error as &dyn std::error::Error, "cannot tidy up");
}

#[cfg(test)]
mod tests {
    use cc_kit::journal::Store;
    use cc_kit::journal::note::{Note, Place, Server, Source, Start};

    use super::*;

    const HOUR: i64 = 3_600_000_000_000;

    fn start(pane: u32) -> Start {
        Start {
            journal: 1,
            boot_id: None,
            server: Server {
                pid: 7,
                start_time: 1,
                socket: "/s".into(),
                version: "3.5a".into(),
            },
            pane,
            unit: None,
            place: Place::default(),
            source: Source::Tap,
            logger: "0".into(),
        }
    }

    fn at(hours: i64) -> Stamp {
        Stamp {
            monotonic_ns: 0,
            wall_ns: hours * HOUR,
        }
    }

    /// A directory with two panes: %0 has segments of hours 1, 2 and 3, of which the last is open;
    /// %1 ended in hour 1.
    fn kept() -> (tempfile::TempDir, OpenSegments) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let open = OpenSegments::default();
        let mut writer = store.pane(&start(0), at(1)).unwrap().writer;
        for hour in 1..=3 {
            let position = writer.position();
            writer.output(position, at(hour), |out| out.extend_from_slice(b"line\r\n"));
            writer.flush().unwrap();
            if hour < 3 {
                let position = writer.position();
                writer = store
                    .next_segment(&start(0), position, at(hour + 1))
                    .unwrap();
            }
        }
        open.add(writer.path());
        let mut ended = store.pane(&start(1), at(1)).unwrap().writer;
        let position = ended.position();
        ended
            .note(position, at(1), &Note::End(End::PaneGone))
            .unwrap();
        ended.flush().unwrap();
        (directory, open)
    }

    fn names(directory: &Path) -> Vec<String> {
        let listing = panes(directory).unwrap();
        let mut names = Vec::new();
        for log in listing.panes {
            for path in log.segments {
                let name = path.file_name().unwrap().to_str().unwrap();
                names.push(format!("%{} {name}", log.pane));
            }
        }
        names
    }

    fn keeping(hours: Option<i64>, packing: bool) -> Keeping {
        let age = hours.map(|hours| Duration::from_nanos((hours * HOUR).unsigned_abs()));
        Keeping {
            retention: Retention {
                age,
                ..Retention::default()
            },
            packing: packing.then(Packing::default),
        }
    }

    #[test]
    fn what_is_closed_is_packed_and_what_is_open_is_left() {
        let (directory, open) = kept();
        let done = tidy(directory.path(), keeping(None, true), &open, 3 * HOUR);
        assert_eq!((done.packed, done.deleted), (3, 0));
        assert_eq!(
            names(directory.path()),
            [
                "%0 00000001.ccj.zst",
                "%0 00000002.ccj.zst",
                "%0 00000003.ccj",
                "%1 00000001.ccj.zst"
            ]
        );
        // Again there is nothing to do; and one that was left beside its packed form goes.
        let twin = panes(directory.path()).unwrap().panes[0].segments[0].with_extension("");
        fs::write(&twin, "left").unwrap();
        let done = tidy(directory.path(), keeping(None, true), &open, 3 * HOUR);
        assert_eq!(done, Done::default());
        assert!(!twin.exists());
    }

    #[test]
    fn what_is_too_old_goes_with_its_directories_and_what_is_open_stays() {
        let (directory, open) = kept();
        // By a clock of ours: 90 minutes after the end of hour 1 only that is older than an hour.
        let now = 2 * HOUR + HOUR / 2;
        let done = tidy(directory.path(), keeping(Some(1), false), &open, now);
        assert_eq!((done.packed, done.deleted), (0, 2));
        assert_eq!(
            names(directory.path()),
            ["%0 00000002.ccj", "%0 00000003.ccj"]
        );
        let done = tidy(directory.path(), keeping(Some(1), false), &open, 99 * HOUR);
        assert_eq!(done.deleted, 1);
        assert_eq!(names(directory.path()), ["%0 00000003.ccj"]);
        let home = panes(directory.path()).unwrap().panes[0].directory.clone();
        assert!(!home.with_file_name("pane-1").exists());
        // When nothing is open any more all of it goes.
        let none = OpenSegments::default();
        tidy(directory.path(), keeping(Some(1), false), &none, 99 * HOUR);
        assert!(!home.parent().unwrap().exists());
    }

    #[test]
    fn a_pane_that_nobody_closed_is_packed_after_an_hour() {
        let (directory, _) = kept();
        let none = OpenSegments::default();
        let soon = tidy(
            directory.path(),
            keeping(None, true),
            &none,
            3 * HOUR + HOUR / 2,
        );
        assert_eq!(soon.packed, 3);
        let late = tidy(directory.path(), keeping(None, true), &none, 5 * HOUR);
        assert_eq!(late.packed, 1);
    }
}
