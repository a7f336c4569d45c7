//! One control mode connection.

mod blocks;
mod ending;

use std::collections::VecDeque;
use std::mem;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

use super::command::Command;
use super::doubt::{Hindsight, Replay};
use super::error::CommandError;
use super::event::{Desync, Event};
use super::input::{Found, Input, TooLong};
use super::limits::Limits;
use super::pending::{CommandId, Nonce, Pending};
use super::quirks::Quirks;
use crate::wire::{Guard, GuardKind, GuardLine, Notification, ST, Version, is_named_output};

use blocks::{Doubted, OpenBlock};
use ending::SERVER_DIED;

/// One control mode connection without IO: bytes in, events and bytes out.
///
/// Feed what was read to [`receive`](Self::receive), in any pieces, take events from
/// [`poll_event`](Self::poll_event) until there is none, and write what
/// [`poll_transmit`](Self::poll_transmit) gives. Tell the end of the input with
/// [`receive_end`](Self::receive_end).
///
/// Commands may be given at any time. Nothing is transmitted before the command that attached has
/// answered: up to 3.3a tmux would run what comes earlier before it, or instead of it.
///
/// ```
/// use tmux_cc::protocol::{Command, Connection, Event, Limits, Nonce};
///
/// let mut conn = Connection::new(Limits::default(), Nonce::new([7; 16]));
/// let id = conn.send(&Command::new("list-panes").flag("-a"))?;
/// conn.receive(b"%begin 1 260 0\n%end 1 260 0\n");
/// assert!(matches!(conn.poll_event(), Some(Event::Attached(_))));
/// let lines = conn.poll_transmit().expect("the command, and a fence behind it");
/// assert!(lines.starts_with(b"list-panes -a\n"));
/// # assert_eq!(id.0, 0);
/// # Ok::<(), tmux_cc::protocol::CommandError>(())
/// ```
#[derive(Debug)]
pub struct Connection {
    limits: Limits,
    quirks: Quirks,
    phase: Phase,
    input: Input,
    /// Lines to be gone through once more, in front of the input.
    replay: Replay,
    /// What is known of the lines that are replayed, where a fence ends them.
    hindsight: Option<Hindsight>,
    /// A line over the limit that came while others were put aside; it comes behind these.
    long: Option<TooLong>,
    /// The block that is open.
    open: Option<OpenBlock>,
    /// A block that may have been closed by a forged guard, and all that came since.
    doubted: Option<Doubted>,
    /// A line that may be half a line and the end of the connection.
    glued: Option<Vec<u8>>,
    /// The reason of an `%exit` that has come; real if nothing follows it.
    exit: Option<Vec<u8>>,
    pending: Pending,
    /// Number of the last block, which the next must exceed.
    last_number: Option<u32>,
    /// Guard of the last block that closed.
    last_closed: Option<Guard>,
    /// Events that do not borrow from the chunk.
    ready: VecDeque<Ready>,
    /// The line that the last event borrows from, where it is not in the chunk.
    lent: Vec<u8>,
    transmit: Vec<u8>,
    /// Has the input ended?
    ended: bool,
    /// Is it known that nothing but the next line decides what is said next?
    idle: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The command that attaches has not answered.
    Attaching,
    /// It has; commands flow.
    Attached,
    /// `Exited` has been said, or is about to be.
    Exited,
}

#[derive(Debug)]
enum Ready {
    Event(Event<'static>),
    Line(Vec<u8>),
}

/// Where a line comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Input,
    /// At `at` in the lines that are gone through again; `last` where it is the stream's last.
    Replay {
        at: usize,
        last: bool,
    },
}

/// An event, or a line outside any block as it stands.
pub(crate) enum Polled<'a> {
    /// What does not borrow.
    Event(Event<'static>),
    /// A notification or a stray line; `chunk` is what it is a part of, unless it is a copy.
    Line {
        line: &'a [u8],
        #[cfg_attr(not(feature = "client"), expect(dead_code, reason = "for the driver"))]
        chunk: &'a Bytes,
    },
}

/// What a line turned out to be.
enum Line {
    /// Taken in; nothing to say yet.
    Taken,
    /// A notification or a stray line, to be said as it stands.
    Said,
    /// Not gone through: it is to come once more, behind what is replayed.
    Again,
}

impl Connection {
    /// A connection whose input has not begun.
    ///
    /// `nonce` must be fresh and random for each connection; see [`Nonce`].
    #[must_use]
    pub fn new(limits: Limits, nonce: Nonce) -> Self {
        Self {
            limits,
            quirks: Quirks::default(),
            phase: Phase::Attaching,
            input: Input::new(limits.line),
            replay: Replay::default(),
            hindsight: None,
            long: None,
            open: None,
            doubted: None,
            glued: None,
            exit: None,
            pending: Pending::new(nonce),
            last_number: None,
            last_closed: None,
            ready: VecDeque::new(),
            lent: Vec::new(),
            transmit: Vec::new(),
            ended: false,
            idle: false,
        }
    }

    /// Tells which tmux it is, once that is known; until then every quirk is allowed for.
    pub fn set_version(&mut self, version: Version) {
        self.quirks = Quirks::of(version);
    }

    /// What is special about the server.
    #[must_use]
    pub const fn quirks(&self) -> Quirks {
        self.quirks
    }

    /// Queues a command line and its fence; its reply will carry the id.
    ///
    /// # Errors
    /// [`CommandError`]; nothing was queued then.
    pub fn send(&mut self, command: &Command) -> Result<CommandId, CommandError> {
        if self.phase == Phase::Exited || self.ended {
            return Err(CommandError::Ended);
        }
        if self.pending.len() >= self.limits.pending {
            return Err(CommandError::Full {
                pending: self.pending.len(),
            });
        }
        let line = command.line()?;
        command.check(self.quirks)?;
        Ok(self.pending.push(command, line, &mut self.transmit))
    }

    /// Commands sent and not yet answered.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Bytes of commands that [`poll_transmit`](Self::poll_transmit) has not given yet.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.transmit.len()
    }

    /// Takes what is to be written, all of it.
    ///
    /// Changes after [`send`](Self::send), and after [`poll_event`](Self::poll_event) has given
    /// [`Event::Attached`]. Go on reading while you write: tmux does not read on while its replies
    /// cannot leave.
    #[must_use]
    pub fn poll_transmit(&mut self) -> Option<Bytes> {
        if self.phase != Phase::Attached || self.transmit.is_empty() {
            return None;
        }
        Some(mem::take(&mut self.transmit).into())
    }

    /// Takes bytes that were read, in any pieces; copies them once.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.input.extend(bytes);
    }

    /// The buffer that a read may append to instead of calling [`receive`](Self::receive): saves
    /// the copy. It has room for 8 KiB or more.
    pub fn read_buffer(&mut self) -> &mut BytesMut {
        self.input.buffer()
    }

    /// Tells that the input has ended.
    ///
    /// The events that follow from that, [`Event::Exited`] as the last, come from
    /// [`poll_event`](Self::poll_event).
    pub fn receive_end(&mut self) {
        self.ended = true;
    }

    /// What it holds in memory, in bytes.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        let ready = |ready: &Ready| match ready {
            Ready::Line(line) => line.capacity(),
            Ready::Event(_) => 0,
        };
        self.input.held()
            + self.replay.held()
            + self.open.as_ref().map_or(0, |open| open.body.capacity())
            + self
                .doubted
                .as_ref()
                .map_or(0, |d| d.block.body.capacity() + d.lines.capacity())
            + self.glued.as_ref().map_or(0, Vec::capacity)
            + self.lent.capacity()
            + self.pending.held()
            + self.ready.iter().map(ready).sum::<usize>()
            + self.ready.len() * size_of::<Ready>()
    }

    /// The next event, or `None` until more is received.
    ///
    /// Changes after [`receive`](Self::receive) and [`receive_end`](Self::receive_end).
    ///
    /// Where every nanosecond counts, match on what it gives at once, as in
    /// `match conn.poll_event() { Some(Event::Notification(Notification::Output { pane, data })) => ...`:
    /// output then stays in registers. An event that is given a name first is put together in
    /// memory, which costs about 10 ns.
    // Inlined, since what a function gives in memory is written in words and read back in larger
    // pieces, and waited for.
    #[inline(always)]
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event<'_>> {
        let output = self.next_output();
        if output.is_empty() {
            return self.poll_any_event();
        }
        let line = self.input.chunk().get(output).unwrap_or_default();
        Some(Event::Notification(Notification::parse(line)))
    }

    #[inline(never)]
    fn poll_any_event(&mut self) -> Option<Event<'_>> {
        self.poll_any().map(|polled| match polled {
            Polled::Event(event) => event,
            Polled::Line { line, .. } if line.first() == Some(&b'%') => {
                Event::Notification(Notification::parse(line))
            }
            Polled::Line { line, .. } => Event::Stray(line),
        })
    }

    /// The next event, with lines as they stand: for who wants to keep them in their chunk.
    #[cfg(feature = "client")]
    #[inline]
    pub(crate) fn poll(&mut self) -> Option<Polled<'_>> {
        let output = self.next_output();
        if output.is_empty() {
            return self.poll_any();
        }
        let chunk = self.input.chunk();
        let line = chunk.get(output).unwrap_or_default();
        Some(Polled::Line { line, chunk })
    }

    /// The shortest way through, for nearly every line of a busy stream: output, and nothing that
    /// could make it anything else. Empty where there is no such line.
    ///
    /// Not inlined, and a range that two registers hold: so the callers above are small enough to
    /// be inlined where they are called, and what they give need not go through memory.
    #[inline(never)]
    fn next_output(&mut self) -> Range<usize> {
        if !self.idle {
            self.idle = self.is_idle();
            if !self.idle {
                return 0..0;
            }
        }
        let line = self.input.next_usual(|line| {
            is_named_output(line) && !(line.last() == Some(&b'y') && line.ends_with(SERVER_DIED))
        });
        line.unwrap_or(0..0)
    }

    fn is_idle(&self) -> bool {
        self.phase != Phase::Exited
            && self.ready.is_empty()
            && self.replay.is_empty()
            && self.long.is_none()
            && self.open.is_none()
            && self.doubted.is_none()
            && self.glued.is_none()
            && self.exit.is_none()
    }

    #[inline(never)]
    fn poll_any(&mut self) -> Option<Polled<'_>> {
        self.idle = false;
        loop {
            if let Some(ready) = self.ready.pop_front() {
                match ready {
                    Ready::Event(event) => return Some(Polled::Event(event)),
                    Ready::Line(line) => self.lent = line,
                }
                return Some(Polled::Line {
                    line: &self.lent,
                    chunk: self.input.chunk(),
                });
            }
            if let Some(range) = self.replay.next_line() {
                let mut replay = mem::take(&mut self.replay);
                let line = replay.line(range.clone());
                let from = From::Replay {
                    at: range.start,
                    last: replay.at_end(),
                };
                let verdict = self.take_line(line, from);
                if matches!(verdict, Line::Said) {
                    self.lent.clear();
                    self.lent.extend_from_slice(line);
                }
                if matches!(verdict, Line::Again) {
                    replay.unread(range.start);
                }
                self.replay = replay;
                match verdict {
                    Line::Said => {
                        return Some(Polled::Line {
                            line: &self.lent,
                            chunk: self.input.chunk(),
                        });
                    }
                    Line::Taken | Line::Again => continue,
                }
            }
            self.hindsight = None;
            if self.phase == Phase::Exited {
                return None;
            }
            let found = self.long.take().map(Found::TooLong);
            match found.or_else(|| self.input.next_line()) {
                Some(Found::Line(range)) => {
                    let chunk = self.input.take_chunk();
                    let line = chunk.get(range.clone()).unwrap_or_default();
                    let verdict = self.take_line(line, From::Input);
                    self.input.put_chunk(chunk);
                    match verdict {
                        Line::Said => {}
                        Line::Taken => continue,
                        Line::Again => {
                            self.input.unread(range.start);
                            continue;
                        }
                    }
                    let chunk = self.input.chunk();
                    let line = chunk.get(range).unwrap_or_default();
                    return Some(Polled::Line { line, chunk });
                }
                Some(Found::TooLong(long)) => self.take_long_line(long),
                None if self.ended => self.finish(),
                None => return None,
            }
        }
    }

    fn take_line(&mut self, line: &[u8], from: From) -> Line {
        if self.open.is_some() {
            self.take_body_line(line, from);
            return Line::Taken;
        }
        let fresh = from == From::Input;
        if fresh && self.doubted.is_some() {
            self.take_doubted_line(line);
            return Line::Taken;
        }
        if fresh && let Some(mut glued) = self.glued.take() {
            // More follows, so it was not the end: the line is what it seems.
            glued.push(b'\n');
            self.replay = Replay::new(glued, false);
            return Line::Again;
        }
        if self.exit.is_some() && line == ST {
            return Line::Taken;
        }
        if let Some(reason) = self.exit.take() {
            // To be said before the line is.
            self.desync(Desync::FalseExit { reason });
            return Line::Again;
        }
        match GuardLine::parse(line) {
            Some(GuardLine {
                kind: GuardKind::Begin,
                guard,
            }) => match (&self.hindsight, from) {
                (Some(hindsight), From::Replay { at, .. }) if !hindsight.is_fence(at) => {
                    match hindsight.end_behind(guard, at) {
                        Some(end) => self.begin(guard, Some(end)),
                        None => self.desync(Desync::NeverClosed(guard)),
                    }
                }
                _ => self.begin(guard, None),
            },
            Some(line) => self.unmatched(line),
            None => {
                let may_be_last = fresh || matches!(from, From::Replay { last: true, .. });
                if let Notification::Exit { reason } = Notification::parse(line) {
                    self.exit = Some(reason.to_vec());
                } else if may_be_last && line.ends_with(SERVER_DIED) {
                    self.glued = Some(line.to_vec());
                    return Line::Taken;
                }
                return Line::Said;
            }
        }
        Line::Taken
    }

    fn take_long_line(&mut self, long: TooLong) {
        if let Some(open) = &mut self.open {
            open.overflow(&[]);
            return;
        }
        if let Some(doubted) = self.doubted.take() {
            self.release(doubted, false);
            self.long = Some(long);
            return;
        }
        if let Some(glued) = self.glued.take() {
            self.ready.push_back(Ready::Line(glued));
        }
        if let Some(reason) = self.exit.take() {
            self.desync(Desync::FalseExit { reason });
        }
        self.desync(Desync::LineTooLong {
            prefix: long.prefix,
            length: long.length,
        });
    }

    fn desync(&mut self, desync: Desync) {
        self.ready.push_back(Ready::Event(Event::Desync(desync)));
    }
}
