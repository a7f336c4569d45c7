//! One control mode connection.

use std::collections::VecDeque;
use std::mem;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

use super::command::{Command, Inside};
use super::error::CommandError;
use super::event::{Desync, Event, Exit};
use super::input::{Found, Input};
use super::limits::Limits;
use super::pending::{CommandId, Nonce, Pending};
use super::quirks::{Quirk, Quirks};
use super::reply::{Block, ReplyError, Spoof};
use crate::wire::{Guard, GuardKind, GuardLine, Notification, Version, split_line};

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
        let last = exit_at_end(line).map(|_| line).unwrap_or_default();
        self.body = last
            .get(..last.len().min(FENCE_ROOM))
            .unwrap_or_default()
            .to_vec();
    }
}

/// A block of ours whose body holds many guesses at its guard, and what came after the first
/// guard that fits. tmux writes a block in one go, so the last fitting guard in front of the fence
/// is the real one, and the fence is the one thing that nobody can forge.
#[derive(Debug)]
struct Doubted {
    block: Block,
    lines: Vec<u8>,
    /// Where the last two lines begin.
    last: [Option<usize>; 2],
}

impl Doubted {
    /// Where the block of a fence begins, if `line` ends one.
    fn fence_before(&self, line: &[u8], pending: &Pending) -> Option<usize> {
        let end = GuardLine::parse(line)?;
        let [begin_at, fence_at] = [self.last[0]?, self.last[1]?];
        let begin = GuardLine::parse(self.lines.get(begin_at..fence_at)?.strip_suffix(b"\n")?)?;
        let fence = self.lines.get(fence_at..)?.strip_suffix(b"\n")?;
        let is_fence = begin.guard == end.guard
            && begin.kind == GuardKind::Begin
            && end.kind == GuardKind::End
            && pending.fence(fence).is_some();
        is_fence.then_some(begin_at)
    }

    /// The last guard in front of `end` that would close the block: where it begins, and where
    /// the next line does.
    fn last_guard_before(&self, end: usize) -> Option<(GuardLine, usize, usize)> {
        let mut found = None;
        let mut at = 0;
        while let Some((line, _)) = split_line(self.lines.get(at..end)?) {
            let next = at + line.len() + 1;
            if let Some(guard) = GuardLine::parse(line)
                && guard.guard == self.block.guard
                && guard.kind != GuardKind::Begin
            {
                found = Some((guard, at, next));
            }
            at = next;
        }
        found
    }
}

#[derive(Debug, Default)]
struct Replay {
    lines: Vec<u8>,
    next: usize,
}

impl Replay {
    fn next_line(&mut self) -> Option<Range<usize>> {
        let rest = self.lines.get(self.next..).unwrap_or_default();
        let Some((line, _)) = split_line(rest) else {
            self.lines.clear();
            self.next = 0;
            return None;
        };
        let range = self.next..self.next + line.len();
        self.next = range.end + 1;
        Some(range)
    }
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
                let replay = mem::take(&mut self.replay);
                let line = replay.lines.get(range.clone()).unwrap_or_default();
                let verdict = self.take_line(line, false);
                if matches!(verdict, Line::Said) {
                    self.lent.clear();
                    self.lent.extend_from_slice(line);
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
            match self.input.next_line() {
                Some(Found::Line(range)) => {
                    if !self.is_plain_output(&range) {
                        let chunk = self.input.take_chunk();
                        let line = chunk.get(range.clone()).unwrap_or_default();
                        let verdict = self.take_line(line, true);
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
                Some(Found::TooLong(long)) => self.take_long_line(long.prefix, long.length),
                None if self.ended && self.phase != Phase::Exited => self.finish(),
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

    /// Goes through one line; `fresh` when it comes from the input and not from a replay.
    fn take_line(&mut self, line: &[u8], fresh: bool) -> Line {
        if self.open.is_some() {
            self.take_body_line(line, fresh);
            return Line::Taken;
        }
        if fresh && self.doubted.is_some() {
            self.take_doubted_line(line);
            return Line::Taken;
        }
        if fresh && let Some(mut glued) = self.glued.take() {
            // More follows, so it was not the end: the line is what it seems.
            glued.push(b'\n');
            self.replay.lines = glued;
            return Line::Again;
        }
        if let Some(reason) = self.exit.take() {
            self.desync(Desync::FalseExit { reason });
        }
        match GuardLine::parse(line) {
            Some(GuardLine {
                kind: GuardKind::Begin,
                guard,
            }) => self.begin(guard),
            Some(line) => self.unmatched(line),
            None => {
                if let Notification::Exit { reason } = Notification::parse(line) {
                    self.exit = Some(reason.to_vec());
                } else if fresh && line.ends_with(SERVER_DIED) {
                    self.glued = Some(line.to_vec());
                    return Line::Taken;
                }
                return Line::Said;
            }
        }
        Line::Taken
    }

    fn take_body_line(&mut self, line: &[u8], fresh: bool) {
        let Some(open) = &mut self.open else { return };
        match GuardLine::parse(line) {
            Some(GuardLine { kind, guard }) if guard == open.guard && kind != GuardKind::Begin => {
                self.close(kind == GuardKind::End, fresh);
                return;
            }
            Some(_) => open.lookalikes = true,
            None => {}
        }
        open.push(line);
    }

    fn take_long_line(&mut self, prefix: Vec<u8>, length: u64) {
        if let Some(open) = &mut self.open {
            open.overflow(&[]);
            return;
        }
        if let Some(doubted) = self.doubted.take() {
            self.release(doubted);
        }
        if let Some(glued) = self.glued.take() {
            self.ready.push_back(Ready::Line(glued));
        }
        self.desync(Desync::LineTooLong { prefix, length });
    }

    fn begin(&mut self, guard: Guard) {
        if let Some(from) = self.last_number.replace(guard.number)
            && guard.number.wrapping_sub(from).wrapping_sub(1) >= u32::MAX / 2
        {
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
        });
    }

    fn unmatched(&mut self, line: GuardLine) {
        if self.last_closed == Some(line.guard) {
            if let Some(head) = self.pending.head() {
                head.note(Spoof::Broken);
            }
            self.desync(Desync::Spoofed(line.guard));
        } else {
            self.desync(Desync::UnmatchedGuard(line));
        }
    }

    fn close(&mut self, ok: bool, fresh: bool) {
        let Some(OpenBlock {
            guard,
            body,
            too_large,
            lookalikes,
            ..
        }) = self.open.take()
        else {
            return;
        };
        self.last_closed = Some(guard);
        let block = Block { guard, ok, body };
        if !guard.is_ours() {
            self.ready.push_back(Ready::Event(match (self.phase, ok) {
                _ if too_large => Event::Desync(Desync::UnsolicitedTooLarge(guard)),
                (Phase::Attaching, true) => {
                    self.phase = Phase::Attached;
                    Event::Attached(block)
                }
                (Phase::Attaching, false) => Event::Refused(block),
                _ => Event::Unsolicited(block),
            }));
            return;
        }
        if ok && let Some(id) = self.pending.fence(block.text()) {
            self.answer(id);
            return;
        }
        let Some(head) = self.pending.head() else {
            self.ready
                .push_back(Ready::Event(Event::Unsolicited(block)));
            return;
        };
        if too_large {
            head.overflow();
            return;
        }
        if lookalikes {
            head.note(Spoof::Lookalike);
            if fresh {
                self.doubted = Some(Doubted {
                    block,
                    lines: Vec::new(),
                    last: [None; 2],
                });
                return;
            }
        }
        self.file(block);
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
        let fence = doubted.fence_before(line, &self.pending);
        doubted.lines.extend_from_slice(line);
        doubted.lines.push(b'\n');
        doubted.last = [doubted.last[1], Some(at)];
        let over = doubted.lines.len() > self.limits.reply;
        let Some(mut doubted) = self.doubted.take_if(|_| over || fence.is_some()) else {
            return;
        };
        let Some(fence) = fence else {
            self.release(doubted);
            return;
        };
        if let Some((line, from, to)) = doubted.last_guard_before(fence) {
            // The guards in between are body: the first one too, which is not in `lines`.
            let was = if doubted.block.ok {
                GuardKind::End
            } else {
                GuardKind::Error
            };
            let first = GuardLine {
                kind: was,
                guard: doubted.block.guard,
            };
            doubted
                .block
                .body
                .extend_from_slice(format!("{first}\n").as_bytes());
            doubted
                .block
                .body
                .extend_from_slice(doubted.lines.get(..from).unwrap_or_default());
            doubted.block.ok = line.kind == GuardKind::End;
            doubted.lines.drain(..to);
            if let Some(head) = self.pending.head() {
                head.note(Spoof::Rejoined);
            }
            self.desync(Desync::Spoofed(line.guard));
        }
        self.release(doubted);
    }

    /// Takes a doubted block for what it is, and goes through what came behind it.
    fn release(&mut self, doubted: Doubted) {
        self.file(doubted.block);
        self.replay.lines = doubted.lines;
    }

    fn desync(&mut self, desync: Desync) {
        self.ready.push_back(Ready::Event(Event::Desync(desync)));
    }

    /// The input has ended and every whole line has been gone through.
    fn finish(&mut self) {
        if let Some(doubted) = self.doubted.take() {
            self.release(doubted);
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
        } else if !rest.is_empty()
            && let Some(glued) = self.glued.replace(rest)
        {
            self.ready.push_back(Ready::Line(glued));
        }
        if let Some(line) = self.glued.take() {
            let (head, reason) = match line.strip_suffix(SERVER_DIED) {
                Some(head) => (head, Some(SERVER_DIED)),
                None if line.starts_with(b"%exit") => (&[][..], Some(&line[..])),
                None => (&line[..], None),
            };
            if let Some(reason) = reason.and_then(exit_at_end) {
                self.exit = Some(reason);
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
