//! One control mode connection.

use std::collections::VecDeque;
use std::mem;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

use super::command::{Command, Inside};
use super::doubt::{End, Hindsight, Replay, Watch};
use super::error::CommandError;
use super::event::{Desync, Event, Exit};
use super::input::{Found, Input, TooLong};
use super::limits::Limits;
use super::pending::{CommandId, Nonce, Pending};
use super::quirks::{Quirk, Quirks};
use super::reply::{Block, ReplyError, Spoof};
use crate::wire::{Guard, GuardKind, GuardLine, Notification, ST, Version};

/// What the client process prints when its server dies; it can stand glued to a line that the
/// server had written half of.
///
/// **Source:** tmux `client.c`, `client_exit_message`.
const SERVER_DIED: &[u8] = b"%exit server exited unexpectedly";

/// What a fence may need of a reply's room, in bytes.
const FENCE_ROOM: usize = 256;

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

#[derive(Debug)]
struct OpenBlock {
    guard: Guard,
    body: Vec<u8>,
    /// Where the last line of the body begins.
    last_line: usize,
    /// How large the body may become, in bytes.
    room: usize,
    too_large: bool,
    /// Does the body hold lines that look like guards?
    lookalikes: bool,
    /// Does it hold its own?
    copies: bool,
    /// Where it ends, in lines that are gone through again.
    end: Option<End>,
    /// The number before, where this one is not above it.
    went_back: bool,
    /// The number of the block before.
    before: Option<u32>,
    watch: Watch,
}

impl OpenBlock {
    fn push(&mut self, line: &[u8]) {
        if self.too_large || line.len() >= self.room.saturating_sub(self.body.len()) {
            self.overflow(line);
            return;
        }
        self.last_line = self.body.len();
        self.body.extend_from_slice(line);
        self.body.push(b'\n');
    }

    /// Lets go of the body; only its last line still matters, which may be the client's `%exit`.
    fn overflow(&mut self, line: &[u8]) {
        self.too_large = true;
        self.last_line = 0;
        self.body = if line.ends_with(SERVER_DIED) {
            SERVER_DIED.to_vec()
        } else if exit_at_end(line).is_some() {
            line.get(..line.len().min(FENCE_ROOM))
                .unwrap_or_default()
                .to_vec()
        } else {
            Vec::new()
        };
    }
}

/// A block of ours whose body holds guesses at its guard, and what came after the first guard
/// that fits. Which one is the real one is known when the fence comes.
#[derive(Debug)]
struct Doubted {
    block: OpenBlock,
    ok: bool,
    lines: Vec<u8>,
    watch: Watch,
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
    Line { line: &'a [u8], chunk: &'a Bytes },
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
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event<'_>> {
        self.poll().map(|polled| match polled {
            Polled::Event(event) => event,
            Polled::Line { line, .. } if line.first() == Some(&b'%') => {
                Event::Notification(Notification::parse(line))
            }
            Polled::Line { line, .. } => Event::Stray(line),
        })
    }

    /// The next event, with lines as they stand: for who wants to keep them in their chunk.
    pub(crate) fn poll(&mut self) -> Option<Polled<'_>> {
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
                    if !self.is_plain_output(&range) {
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

    /// The shortest way through, for nearly every line of a busy stream: output, and nothing that
    /// could make it anything else.
    fn is_plain_output(&self, range: &Range<usize>) -> bool {
        let line = self.input.chunk().get(range.clone()).unwrap_or_default();
        (line.starts_with(b"%output ") || line.starts_with(b"%extended-output "))
            && self.open.is_none()
            && self.doubted.is_none()
            && self.glued.is_none()
            && self.exit.is_none()
            && !line.ends_with(SERVER_DIED)
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

    fn take_body_line(&mut self, line: &[u8], from: From) {
        let Some(open) = &mut self.open else { return };
        let guard = GuardLine::parse(line);
        let fence = open
            .watch
            .fence_before(line, guard, open.body.len(), &self.pending);
        if let Some((begin, id)) = fence
            && from == From::Input
        {
            self.never_closed(line, begin, id);
            return;
        }
        match guard {
            Some(GuardLine { kind, guard }) if guard == open.guard && kind != GuardKind::Begin => {
                let forged = match (open.end, from) {
                    (Some(end), From::Replay { at, .. }) => at < end.at,
                    _ => false,
                };
                if !forged {
                    self.close(kind == GuardKind::End, from);
                    return;
                }
                open.copies = true;
            }
            Some(_) => open.lookalikes = true,
            None => {}
        }
        open.push(line);
    }

    /// A fence stands in what seemed a body: the `%begin` in front of it was none. What came since
    /// is gone through again.
    fn never_closed(&mut self, line: &[u8], fence: usize, id: CommandId) {
        let Some(open) = self.open.take() else { return };
        self.last_number = open.before;
        self.desync(Desync::NeverClosed(open.guard));
        if open.too_large {
            if let Some(head) = self.pending.head() {
                head.overflow();
            }
            self.answer(id);
            return;
        }
        let mut lines = open.body;
        lines.extend_from_slice(line);
        lines.push(b'\n');
        self.hindsight = Some(Hindsight::new(&lines, fence, None));
        self.replay = Replay::new(lines, false);
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

    fn begin(&mut self, guard: Guard, end: Option<End>) {
        let before = self.last_number.replace(guard.number);
        let went_back =
            before.filter(|from| guard.number.wrapping_sub(*from).wrapping_sub(1) >= u32::MAX / 2);
        if let Some(from) = went_back {
            self.desync(Desync::NumberWentBack {
                from,
                to: guard.number,
            });
        }
        let limit = self.limits.reply;
        let room = match self.pending.head() {
            // A fence must fit even where the reply before it has used up everything.
            Some(head) if guard.is_ours() => head.room(limit).max(FENCE_ROOM),
            _ => limit,
        };
        self.open = Some(OpenBlock {
            guard,
            body: Vec::new(),
            last_line: 0,
            room,
            too_large: false,
            lookalikes: false,
            copies: false,
            end,
            went_back: went_back.is_some(),
            before,
            watch: Watch::default(),
        });
    }

    fn unmatched(&mut self, line: GuardLine) {
        let mut closed = self.last_closed == Some(line.guard);
        if line.guard.is_ours()
            && let Some(head) = self.pending.head()
        {
            closed |= head.holds(line.guard);
            if closed || head.spoof == Some(Spoof::Rejoined) {
                head.note(Spoof::Broken);
            }
        }
        self.desync(if closed {
            Desync::Spoofed(line.guard)
        } else {
            Desync::UnmatchedGuard(line)
        });
    }

    fn close(&mut self, ok: bool, from: From) {
        let Some(block) = self.open.take() else {
            return;
        };
        self.last_closed = Some(block.guard);
        if block.lookalikes
            && from == From::Input
            && block.guard.is_ours()
            && self.pending.len() > 0
        {
            let (lines, watch) = (Vec::new(), Watch::default());
            self.doubted = Some(Doubted {
                block,
                ok,
                lines,
                watch,
            });
        } else {
            self.settle(block, ok);
        }
    }

    /// Gives a block to whom it belongs.
    fn settle(&mut self, open: OpenBlock, ok: bool) {
        let OpenBlock {
            guard,
            mut body,
            too_large,
            ..
        } = open;
        if open.copies {
            self.desync(Desync::Spoofed(guard));
        }
        if too_large {
            body.clear();
        }
        let uncertain = open.copies && open.end.is_some_and(|end| end.uncertain);
        let block = Block { guard, ok, body };
        if guard.is_ours() {
            if ok
                && !too_large
                && let Some(id) = self.pending.fence(block.text())
            {
                self.answer(id);
                return;
            }
            if let Some(head) = self.pending.head() {
                for (sign, spoof) in [
                    (open.lookalikes, Spoof::Lookalike),
                    (open.copies, Spoof::Rejoined),
                    (open.went_back || uncertain, Spoof::Broken),
                ] {
                    if sign {
                        head.note(spoof);
                    }
                }
                if too_large {
                    head.overflow();
                } else {
                    self.file(block);
                }
                return;
            }
        }
        if too_large {
            self.desync(Desync::UnsolicitedTooLarge(guard));
        }
        let event = match (self.phase, ok) {
            (Phase::Attaching, true) if !guard.is_ours() => {
                self.phase = Phase::Attached;
                Event::Attached(block)
            }
            (Phase::Attaching, false) if !guard.is_ours() => Event::Refused(block),
            _ if too_large => return,
            _ => Event::Unsolicited(block),
        };
        self.ready.push_back(Ready::Event(event));
    }

    /// Puts a block into the reply of the oldest unanswered command.
    fn file(&mut self, mut block: Block) {
        let flow_in_block = self.quirks.has(Quirk::FlowInBlock);
        let Some(head) = self.pending.head() else {
            return;
        };
        let belongs = |line: &[u8]| match (head.inside, Notification::parse(line)) {
            (Inside::Flow, Notification::Pause { .. } | Notification::Continue { .. }) => {
                flow_in_block
            }
            (Inside::Message, Notification::Message { .. }) => true,
            _ => false,
        };
        if block.ok && head.inside != Inside::Nothing && block.lines().all(belongs) {
            let lines = block.lines().map(|line| Ready::Line(line.to_vec()));
            self.ready.extend(lines);
            block.body.clear();
        }
        head.push(block, self.limits.reply);
    }

    /// A command's fence has come: it is answered, and so is all before it.
    fn answer(&mut self, id: CommandId) {
        while let Some(entry) = self.pending.pop() {
            let found = entry.id == id;
            let (id, result) = (
                entry.id,
                if found {
                    entry.finish(self.limits.reply)
                } else {
                    Err(ReplyError::FenceLost)
                },
            );
            self.ready.push_back(Ready::Event(Event::Reply(id, result)));
            if found {
                return;
            }
        }
    }

    fn take_doubted_line(&mut self, line: &[u8]) {
        let Some(doubted) = &mut self.doubted else {
            return;
        };
        let at = doubted.lines.len();
        let guard = GuardLine::parse(line);
        let fence = doubted.watch.fence_before(line, guard, at, &self.pending);
        doubted.lines.extend_from_slice(line);
        doubted.lines.push(b'\n');
        let over = doubted.lines.len() > self.limits.reply;
        let Some(doubted) = self.doubted.take_if(|_| over || fence.is_some()) else {
            return;
        };
        let Some((fence, _)) = fence else {
            self.release(doubted, false);
            return;
        };
        let hindsight = Hindsight::new(&doubted.lines, fence, Some(doubted.block.guard));
        let Doubted {
            mut block,
            ok,
            lines,
            ..
        } = doubted;
        block.end = hindsight.end_after_all(block.guard);
        if block.end.is_some() {
            // The guard that seemed to end it is body, and so is what follows.
            let kind = if ok { GuardKind::End } else { GuardKind::Error };
            block.push(
                GuardLine {
                    kind,
                    guard: block.guard,
                }
                .to_string()
                .as_bytes(),
            );
            block.copies = true;
            self.open = Some(block);
        } else {
            self.settle(block, ok);
        }
        self.hindsight = Some(hindsight);
        self.replay = Replay::new(lines, false);
    }

    /// Takes a doubted block for what it is, and goes through what came behind it; `ends` where
    /// nothing whole comes behind that.
    fn release(&mut self, doubted: Doubted, ends: bool) {
        self.settle(doubted.block, doubted.ok);
        self.replay = Replay::new(doubted.lines, ends);
    }

    fn desync(&mut self, desync: Desync) {
        self.ready.push_back(Ready::Event(Event::Desync(desync)));
    }

    /// The input has ended and every whole line has been gone through.
    fn finish(&mut self) {
        if let Some(doubted) = self.doubted.take() {
            self.release(doubted, true);
            return;
        }
        if let Some(long) = self.input.take_skipped() {
            self.take_long_line(long);
            return;
        }
        let rest = self.input.take_rest();
        if let Some(open) = self.open.take() {
            // The server broke off within a reply: what the client process printed after it looks
            // like a part of the body.
            let body = open.body.get(open.last_line..).unwrap_or_default();
            let last = if rest.is_empty() {
                body.strip_suffix(b"\n").unwrap_or(body)
            } else {
                &rest
            };
            self.exit = exit_at_end(last);
        } else if !rest.is_empty() {
            if let Some(reason) = self.exit.take() {
                self.desync(Desync::FalseExit { reason });
            }
            if let Some(glued) = self.glued.replace(rest) {
                self.ready.push_back(Ready::Line(glued));
            }
        }
        if let Some(line) = self.glued.take() {
            let mut head = &line[..];
            if let Some(reason) = exit_at_end(&line) {
                self.exit = Some(reason);
                head = line.strip_suffix(SERVER_DIED).unwrap_or_default();
            }
            self.take_cut_line(head);
        }
        let exit = self
            .exit
            .take()
            .map_or(Exit::Eof, |reason| Exit::said(&reason));
        let mut first = true;
        while let Some(entry) = self.pending.pop() {
            let done = mem::take(&mut first) && exit == Exit::Detached && entry.is_complete();
            let (id, result) = (
                entry.id,
                if done {
                    entry.finish(self.limits.reply)
                } else {
                    Err(ReplyError::Disconnected(exit.clone()))
                },
            );
            self.ready.push_back(Ready::Event(Event::Reply(id, result)));
        }
        self.phase = Phase::Exited;
        self.ready.push_back(Ready::Event(Event::Exited(exit)));
    }

    /// The start of a line whose end never came. Of output, what came is as good as any: a pane
    /// printed it. Of anything else, half a line would be a lie.
    fn take_cut_line(&mut self, line: &[u8]) {
        match Notification::parse(line) {
            Notification::Output { data, .. } | Notification::ExtendedOutput { data, .. } => {
                let (_, cut) = data.split_cut_escape();
                let whole = line.strip_suffix(cut).unwrap_or(line);
                self.ready.push_back(Ready::Line(whole.to_vec()));
            }
            _ if line.is_empty() => {}
            _ => self.desync(Desync::CutLine {
                line: line.to_vec(),
            }),
        }
    }
}

/// The reason of an `%exit` that is, or ends, the last line of a stream.
fn exit_at_end(line: &[u8]) -> Option<Vec<u8>> {
    let from = if line.ends_with(SERVER_DIED) {
        line.len() - SERVER_DIED.len()
    } else {
        0
    };
    match Notification::parse(line.get(from..).unwrap_or_default()) {
        Notification::Exit { reason } => Some(reason.to_vec()),
        _ => None,
    }
}
