//! Blocks: where they begin and end, whom they belong to, and what forged guards do to them.

use super::ending::{SERVER_DIED, exit_at_end};
use super::{Connection, From, Phase, Ready};
use crate::protocol::command::Inside;
use crate::protocol::doubt::{End, Hindsight, Replay, Watch};
use crate::protocol::event::{Desync, Event};
use crate::protocol::pending::CommandId;
use crate::protocol::quirks::Quirk;
use crate::protocol::reply::{Block, ReplyError, Spoof};
use crate::wire::{Guard, GuardKind, GuardLine, Notification};

/// What a fence may need of a reply's room, in bytes.
const FENCE_ROOM: usize = 256;

#[derive(Debug)]
pub(super) struct OpenBlock {
    pub(super) guard: Guard,
    pub(super) body: Vec<u8>,
    /// Where the last line of the body begins.
    pub(super) last_line: usize,
    /// How large the body may become, in bytes.
    room: usize,
    too_large: bool,
    /// Does the body hold lines that look like guards?
    lookalikes: bool,
    /// Does it hold its own?
    copies: bool,
    /// What closes an earlier block of the reply and stands in the body.
    earlier: Option<Guard>,
    /// Does the block's own `%begin` stand behind that? Then it may be the real one, and the
    /// earlier block was closed by a copy of its guard.
    begun_again: bool,
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
    pub(super) fn overflow(&mut self, line: &[u8]) {
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
pub(super) struct Doubted {
    pub(super) block: OpenBlock,
    ok: bool,
    pub(super) lines: Vec<u8>,
    watch: Watch,
}

impl Connection {
    pub(super) fn take_body_line(&mut self, line: &[u8], from: From) {
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
            Some(GuardLine { kind, guard }) => {
                open.lookalikes = true;
                if kind == GuardKind::Begin {
                    open.begun_again |= open.earlier.is_some() && guard == open.guard;
                } else if self.pending.head().is_some_and(|head| head.holds(guard)) {
                    open.earlier.get_or_insert(guard);
                }
            }
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

    pub(super) fn begin(&mut self, guard: Guard, end: Option<End>) {
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
            earlier: None,
            begun_again: false,
            end,
            went_back: went_back.is_some(),
            before,
            watch: Watch::default(),
        });
    }

    pub(super) fn unmatched(&mut self, line: GuardLine) {
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
        if let Some(earlier) = open.earlier.filter(|_| open.begun_again) {
            self.desync(Desync::Spoofed(earlier));
            if let Some(head) = self.pending.head() {
                head.note(Spoof::Broken);
            }
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

    pub(super) fn take_doubted_line(&mut self, line: &[u8]) {
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
    pub(super) fn release(&mut self, doubted: Doubted, ends: bool) {
        self.settle(doubted.block, doubted.ok);
        self.replay = Replay::new(doubted.lines, ends);
    }
}
