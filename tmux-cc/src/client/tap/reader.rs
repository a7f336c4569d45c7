//! Reads the pipes of all panes, on a thread of its own.
//!
//! Reading is what a server under load pays for: each wake-up of a sleeping reader costs it as much
//! as it costs the reader. So nobody waits for a pipe while the thread rests after each round, and
//! what has come in the meantime is read in one go.

use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::Bytes;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tokio::sync::mpsc::UnboundedSender;

use super::streams::{Begin, Streams};
use crate::wire::PaneId;

/// The most that is read from one pipe in one round, in bytes: somewhat more than it holds.
const READ: usize = 256 << 10;

/// How long the thread rests after a round, unless it is told otherwise: the first byte after a
/// silence is read at once, the next a little later.
pub(super) const REST: Duration = Duration::from_millis(1);

/// How long it rests, by what it rests otherwise, after a round that brought so many bytes of one
/// pane, or of all: a pipe holds about 200 KiB, and what does not fit the server holds.
const FLOOD: (usize, Duration) = (16 << 10, Duration::from_millis(4));

/// Tells one pipe of a pane from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PipeId(pub(super) u64);

/// What the thread is told.
#[derive(Debug)]
enum Order {
    Hold {
        pane: PaneId,
        id: PipeId,
        pipe: OwnedFd,
        begin: Begin,
    },
    /// Read what is there, and close all.
    ReleaseAll(tokio::sync::oneshot::Sender<()>),
}

/// What the thread tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// The pipe's other end is closed, and everything that came through it is delivered.
    Ended(PaneId, PipeId),
    /// The pipe was closed: the consumer is too slow for what came through it.
    Over(PaneId, PipeId),
}

/// The thread, from outside; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Reader {
    orders: Arc<Mutex<Vec<Order>>>,
    /// Wakes the thread; `None` once it is to end.
    bell: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    /// Starts it.
    ///
    /// # Errors
    /// The system has no thread or no descriptors to spare.
    pub(super) fn start(
        streams: Arc<Streams>,
        reports: UnboundedSender<Report>,
        rest: Duration,
    ) -> io::Result<Self> {
        let (bell, heard) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        heard.set_nonblocking(true)?;
        let orders = Arc::default();
        let thread = Thread {
            orders: Arc::clone(&orders),
            bell: heard,
            pipes: Vec::new(),
            scratch: vec![0; READ],
            streams,
            reports,
            rest,
        };
        let thread = thread::Builder::new()
            .name("tmux-tap".into())
            .spawn(move || thread.run())?;
        Ok(Self {
            orders,
            bell: Some(bell),
            thread: Some(thread),
        })
    }

    fn order(&self, order: Order) {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        orders.push(order);
        drop(orders);
        if let Some(mut bell) = self.bell.as_ref() {
            // A full bell rings.
            let _ = bell.write(&[0]);
        }
    }

    /// Reads a pane's pipe from now on; one of the same pane that is held has been closed by the
    /// server, and is read to its end before.
    pub(super) fn hold(&self, pane: PaneId, id: PipeId, pipe: OwnedFd, begin: Begin) {
        self.order(Order::Hold {
            pane,
            id,
            pipe,
            begin,
        });
    }

    /// Reads what is there, and closes all pipes.
    pub(super) async fn release_all(&self) {
        let (done, released) = tokio::sync::oneshot::channel();
        self.order(Order::ReleaseAll(done));
        let _ = released.await;
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        drop(self.bell.take());
        if let Some(thread) = self.thread.take() {
            // It never waits for anything but its bell and a short rest.
            let _ = thread.join();
        }
    }
}

/// A pipe that is read.
#[derive(Debug)]
struct Pipe {
    pane: PaneId,
    id: PipeId,
    pipe: OwnedFd,
    /// Has it ended, or been closed?
    done: bool,
}

struct Thread {
    orders: Arc<Mutex<Vec<Order>>>,
    bell: UnixStream,
    pipes: Vec<Pipe>,
    scratch: Vec<u8>,
    streams: Arc<Streams>,
    reports: UnboundedSender<Report>,
    rest: Duration,
}

impl Thread {
    fn run(mut self) {
        while let Some(ready) = self.wait() {
            let ordered = {
                let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
                std::mem::take(&mut *orders)
            };
            // In all, and of the pane that had most.
            let (mut read, mut most) = (0, 0);
            let mut unsaid = 0;
            for at in ready {
                let length = self.read(at);
                read += length;
                unsaid += length;
                most = most.max(length);
                // The consumer is to make room while there is still more to come.
                if unsaid >= READ {
                    self.streams.wake();
                    unsaid = 0;
                }
            }
            self.pipes.retain(|pipe| !pipe.done);
            for order in ordered {
                self.obey(order);
            }
            self.streams.wake();
            if read > 0 {
                let (much, rest) = FLOOD;
                thread::sleep(match self.rest {
                    short if short < rest && read >= much => rest,
                    long if long > rest && most >= much => rest,
                    other => other,
                });
            }
        }
    }

    /// Waits for pipes with something to read, and says which; `None` when it is to end.
    fn wait(&self) -> Option<Vec<usize>> {
        let mut polled = Vec::with_capacity(1 + self.pipes.len());
        polled.push(PollFd::new(&self.bell, PollFlags::IN));
        polled.extend(
            self.pipes
                .iter()
                .map(|pipe| PollFd::new(&pipe.pipe, PollFlags::IN)),
        );
        loop {
            match poll(&mut polled, None) {
                Ok(_) => break,
                Err(Errno::INTR) => {}
                Err(_) => return None,
            }
        }
        let mut ready = polled.iter().map(|polled| !polled.revents().is_empty());
        let rung = ready.next() == Some(true);
        let ready = ready.enumerate().filter_map(|(at, is)| is.then_some(at));
        let ready = ready.collect();
        if rung {
            loop {
                match (&self.bell).read(&mut [0; 64]) {
                    Ok(0) => return None,
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
        }
        Some(ready)
    }

    /// Reads what a pipe has, up to a limit, and says how much that was.
    fn read(&mut self, at: usize) -> usize {
        let Some(pipe) = self.pipes.get_mut(at) else {
            return 0;
        };
        let (mut length, mut ended) = (0, false);
        while let Some(room) = self.scratch.get_mut(length..).filter(|r| !r.is_empty()) {
            let size = room.len();
            match rustix::io::read(&pipe.pipe, room) {
                Ok(0) => ended = true,
                Ok(more) => {
                    length += more;
                    // Where room was left there is nothing more; an end is told by the next poll.
                    if more == size {
                        continue;
                    }
                }
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => {}
                // The server has closed its end with something unread in it.
                Err(_) => ended = true,
            }
            break;
        }
        if length > 0 {
            let chunk = Bytes::copy_from_slice(self.scratch.get(..length).unwrap_or_default());
            self.streams.push(pipe.pane, chunk, || {
                // Not one moment longer: what is not read the server holds.
                pipe.done = true;
            });
        }
        let report = match (pipe.done, ended) {
            (true, _) => Report::Over(pipe.pane, pipe.id),
            (false, true) => Report::Ended(pipe.pane, pipe.id),
            (false, false) => return length,
        };
        pipe.done = true;
        // Whoever asked for it may be gone.
        let _ = self.reports.send(report);
        length
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Hold {
                pane,
                id,
                pipe,
                begin,
            } => {
                self.read_out(|held| held == pane);
                self.streams.begin(pane, begin);
                self.pipes.push(Pipe {
                    pane,
                    id,
                    pipe,
                    done: false,
                });
            }
            Order::ReleaseAll(done) => {
                self.read_out(|_| true);
                self.pipes.clear();
                // Whoever waits for it may be gone.
                let _ = done.send(());
            }
        }
    }

    /// Reads what the pipes of some panes still have, and closes them.
    fn read_out(&mut self, which: impl Fn(PaneId) -> bool) {
        for at in 0..self.pipes.len() {
            let is_one = |pipe: &Pipe| which(pipe.pane) && !pipe.done;
            // A server that goes on writing is not followed for ever.
            for _ in 0..16 {
                if !self.pipes.get(at).is_some_and(is_one) || self.read(at) == 0 {
                    break;
                }
            }
        }
        self.pipes.retain(|pipe| !which(pipe.pane));
    }
}
