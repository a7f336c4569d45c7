//! Reads a busy stream in larger pieces, so that it wakes nobody for each small one.
//!
//! A server whose panes flood writes 8 KiB at a time to a client, thousands of times a second.
//! To wake for each costs more than to read it: half of what a client costs. So after a read that
//! brought much the reader rests for a moment, and what has come in the meantime is read in one go.
//! While it rests the pipe must not wake the runtime either: tokio watches descriptors by edge, so
//! each write would. The pipe is therefore watched through an epoll instance of its own, in which
//! it is switched off for as long as the stream is busy.

use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::pipe::fcntl_setpipe_size;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, Interest, ReadBuf};
use tokio::process::ChildStdout;
use tokio::time::{Instant, Sleep, sleep};

/// A read that brings as much, in bytes, is one of a busy stream.
const MUCH: usize = 4 << 10;

/// How long the reader rests then; tokio makes up to a millisecond more of it.
const REST: Duration = Duration::from_millis(1);

/// The pipe's size in bytes: more than the fastest server writes during a rest.
const PIPE: usize = 256 << 10;

/// The most that is read at once, in bytes.
const READ: usize = 64 << 10;

/// An epoll instance, made before the process is whose output it will watch.
#[derive(Debug)]
pub(super) struct Gather(AsyncFd<OwnedFd>);

impl Gather {
    /// # Errors
    /// The system has no descriptors to spare.
    pub(super) fn new() -> io::Result<Self> {
        let watch = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        // Deprecated because a type may lie about its descriptor; this one does not.
        #[allow(deprecated)]
        Ok(Self(AsyncFd::with_interest(watch, Interest::READABLE)?))
    }

    pub(super) fn read(self, output: ChildStdout) -> io::Result<Gathered> {
        let (pipe, Self(watch)) = (output.into_owned_fd()?, self);
        fcntl_setfl(&pipe, fcntl_getfl(&pipe)? | OFlags::NONBLOCK)?;
        // One that stays small is only slower.
        let _ = fcntl_setpipe_size(&pipe, PIPE);
        epoll::add(
            watch.get_ref(),
            &pipe,
            EventData::new_u64(0),
            EventFlags::IN,
        )?;
        Ok(Gathered {
            pipe,
            watch,
            watched: true,
            rest: Box::pin(sleep(Duration::ZERO)),
            rests: false,
            read: vec![0; READ],
        })
    }
}

/// The standard output of a tmux client that takes output.
#[derive(Debug)]
pub(super) struct Gathered {
    pipe: OwnedFd,
    /// The epoll instance with the pipe in it.
    watch: AsyncFd<OwnedFd>,
    /// Is the pipe switched on in it?
    watched: bool,
    rest: Pin<Box<Sleep>>,
    rests: bool,
    /// What is read into first: the caller's buffer is not initialised.
    read: Vec<u8>,
}

impl Gathered {
    /// Switches the pipe on or off.
    fn watch(&mut self, on: bool) -> io::Result<()> {
        if self.watched != on {
            let (flags, data) = (
                if on {
                    EventFlags::IN
                } else {
                    EventFlags::empty()
                },
                EventData::new_u64(0),
            );
            epoll::modify(self.watch.get_ref(), &self.pipe, data, flags)?;
            self.watched = on;
        }
        Ok(())
    }
}

impl AsyncRead for Gathered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let own = &mut *self;
        if own.rests {
            ready!(own.rest.as_mut().poll(cx));
            own.rests = false;
        }
        let room = buffer.remaining().min(own.read.len());
        // Switching it on tells of what comes from then on, and not always of what is there.
        let mut looks = !own.watched;
        loop {
            let mut edge = if looks {
                None
            } else {
                Some(ready!(own.watch.poll_read_ready(cx))?)
            };
            let into = own.read.get_mut(..room).unwrap_or_default();
            match rustix::io::read(&own.pipe, &mut *into) {
                Ok(read) => {
                    buffer.put_slice(into.get(..read).unwrap_or_default());
                    if read >= MUCH {
                        own.rest.as_mut().reset(Instant::now() + REST);
                        own.rests = true;
                        own.watch(false)?;
                    }
                    return Poll::Ready(Ok(()));
                }
                Err(Errno::INTR) => {}
                // Not before: that the pipe has ended is no edge of its own.
                Err(Errno::AGAIN) => match &mut edge {
                    Some(edge) => edge.clear_ready(),
                    None if own.watched => looks = false,
                    None => own.watch(true)?,
                },
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::process::{Child, ChildStdin, Command};
    use tokio::time::timeout;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    /// What is written to the one end is read from the other.
    fn cat() -> (Child, ChildStdin, Gathered) {
        let gather = Gather::new().unwrap();
        let mut child = Command::new("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take(), child.stdout.take());
        (child, input.unwrap(), gather.read(output.unwrap()).unwrap())
    }

    /// What is written in one go comes, whether it wakes the reader, ends its rest or is more than
    /// the pipe holds; and so does the end.
    #[tokio::test]
    async fn everything_comes_whether_it_rests_or_waits() {
        let (mut child, mut input, mut output) = cat();
        let lengths = [1, MUCH - 1, MUCH, 1, 3 * READ, PIPE + 1, 2, 2 * MUCH, 7];
        for (round, length) in lengths.into_iter().cycle().take(200).enumerate() {
            let sent: Vec<u8> = (0..length)
                .map(|at| u8::try_from((at + round) % 251).unwrap())
                .collect();
            let mut got = vec![0; length];
            let both = async { tokio::join!(input.write_all(&sent), output.read_exact(&mut got)) };
            let (written, read) = timeout(PATIENCE, both).await.expect("it does not stop");
            written.unwrap();
            read.unwrap();
            assert!(got == sent, "round {round} of {length} bytes");
        }
        drop(input);
        let mut rest = Vec::new();
        let end = timeout(PATIENCE, output.read_to_end(&mut rest)).await;
        assert_eq!(end.expect("it ends").unwrap(), 0);
        child.wait().await.unwrap();
    }

    /// What ended before it was looked at is read to its end.
    #[tokio::test]
    async fn an_end_that_came_with_the_last_bytes_is_seen() {
        let (mut child, mut input, mut output) = cat();
        input.write_all(b"x").await.unwrap();
        drop(input);
        child.wait().await.unwrap();
        let mut got = Vec::new();
        let end = timeout(PATIENCE, output.read_to_end(&mut got)).await;
        assert_eq!(end.expect("it ends").unwrap(), 1);
    }

    /// A busy stream wakes nobody while it is rested.
    #[tokio::test]
    async fn a_busy_pipe_is_not_watched() {
        let (mut child, mut input, mut output) = cat();
        input.write_all(&[1; MUCH]).await.unwrap();
        let mut got = vec![0; MUCH];
        timeout(PATIENCE, output.read_exact(&mut got))
            .await
            .expect("it comes")
            .unwrap();
        assert!(output.rests && !output.watched);
        // Nothing is there once it has rested, and what comes then is waited for.
        let nothing = timeout(20 * REST, output.read(&mut got)).await;
        assert!(nothing.is_err() && output.watched && !output.rests);
        input.write_all(b"x").await.unwrap();
        let read = timeout(PATIENCE, output.read(&mut got)).await;
        assert_eq!(read.expect("it comes").unwrap(), 1);
        drop(input);
        child.wait().await.unwrap();
    }
}
