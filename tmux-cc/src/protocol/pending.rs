//! Commands sent and not yet answered, each with its fence.

use std::collections::VecDeque;
use std::fmt;

use super::command::{Command, Inside};
use super::reply::{Block, Reply, ReplyError, Spoof};
use crate::wire::Guard;

/// Our ticket for one sent line; it rises by one with every line of a connection.
///
/// Example: [`Connection`](super::Connection).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub u64);

/// 128 bits that nobody who prints in a pane can guess; a fence is made of them.
///
/// It authorises nothing: it only marks where one reply ends. Use a fresh random one for every
/// connection.
///
/// Example: [`Connection`](super::Connection).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Nonce([u8; 16]);

impl Nonce {
    /// Takes 16 random bytes.
    #[must_use]
    pub const fn new(random: [u8; 16]) -> Self {
        Self(random)
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce(..)")
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// One command line on its way.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: CommandId,
    pub(super) inside: Inside,
    /// How many commands the line names.
    commands: usize,
    blocks: Vec<Block>,
    size: usize,
    too_large: bool,
    pub(super) spoof: Option<Spoof>,
}

/// What a block weighs beside its body: ten thousand empty ones are not free.
const BLOCK_OVERHEAD: usize = size_of::<Block>();

impl Entry {
    /// Adds a block, or drops everything and remembers that it was too much.
    pub(super) fn push(&mut self, block: Block, limit: usize) {
        self.size = self.size.saturating_add(block.body.len() + BLOCK_OVERHEAD);
        if self.too_large || self.size > limit {
            self.overflow();
        } else {
            self.blocks.push(block);
        }
    }

    /// What may still come before the reply is too large, in bytes of body.
    pub(super) fn room(&self, limit: usize) -> usize {
        if self.too_large {
            0
        } else {
            limit.saturating_sub(self.size)
        }
    }

    pub(super) fn overflow(&mut self) {
        self.too_large = true;
        self.blocks = Vec::new();
    }

    /// Is a block of this guard in the reply? Their numbers rise, or the reply is known as broken.
    pub(super) fn holds(&self, guard: Guard) -> bool {
        // They wrap too: what rises is how far they are from the first.
        let first = self.blocks.first().map_or(0, |block| block.guard.number);
        let rises = |number: u32| number.wrapping_sub(first);
        self.blocks
            .binary_search_by_key(&rises(guard.number), |block| rises(block.guard.number))
            .is_ok_and(|at| {
                self.blocks
                    .get(at)
                    .is_some_and(|block| block.guard == guard)
            })
    }

    pub(super) fn note(&mut self, spoof: Spoof) {
        self.spoof = self.spoof.max(Some(spoof));
    }

    pub(super) fn finish(self, limit: usize) -> Result<Reply, ReplyError> {
        if self.too_large {
            return Err(ReplyError::TooLarge { limit });
        }
        Ok(Reply {
            blocks: self.blocks,
            spoof: self.spoof,
        })
    }

    /// Has every command on the line answered, and none failed? Then a clean `%exit` in place of
    /// the fence means that the line has done what it should: `kill-server`, `detach-client`.
    pub(super) fn is_complete(&self) -> bool {
        !self.too_large
            && !self.blocks.is_empty()
            && self.blocks.len() >= self.commands
            && self.blocks.iter().all(Block::is_ok)
    }
}

/// The queue of unanswered lines, oldest first, as tmux runs them.
#[derive(Debug)]
pub(super) struct Pending {
    entries: VecDeque<Entry>,
    next: u64,
    fence: String,
}

impl Pending {
    pub(super) fn new(nonce: Nonce) -> Self {
        // It begins with a letter and holds no `%` or `#`: nothing that strftime or a format of
        // tmux would touch.
        Self {
            entries: VecDeque::new(),
            next: 0,
            fence: format!("f{nonce}-"),
        }
    }

    /// Takes a ticket and appends the line and its fence to `out`.
    pub(super) fn push(&mut self, command: &Command, line: &[u8], out: &mut Vec<u8>) -> CommandId {
        let id = CommandId(self.next);
        self.next += 1;
        out.extend_from_slice(line);
        out.extend_from_slice(b"\ndisplay-message -p ");
        out.extend_from_slice(self.fence.as_bytes());
        out.extend_from_slice(id.0.to_string().as_bytes());
        out.push(b'\n');
        self.entries.push_back(Entry {
            id,
            inside: command.inside(),
            commands: command.commands(),
            blocks: Vec::new(),
            size: 0,
            too_large: false,
            spoof: None,
        });
        id
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// What the replies so far hold in memory, in bytes.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        let block = |block: &Block| block.body.capacity() + BLOCK_OVERHEAD;
        self.entries
            .iter()
            .flat_map(|entry| &entry.blocks)
            .map(block)
            .sum()
    }

    pub(super) fn head(&mut self) -> Option<&mut Entry> {
        self.entries.front_mut()
    }

    pub(super) fn pop(&mut self) -> Option<Entry> {
        self.entries.pop_front()
    }

    /// Which unanswered command's fence a line is, if any.
    pub(super) fn fence(&self, line: &[u8]) -> Option<CommandId> {
        let digits = line.strip_prefix(self.fence.as_bytes())?;
        let id = CommandId(std::str::from_utf8(digits).ok()?.parse().ok()?);
        let first = self.entries.front()?.id;
        let last = self.entries.back()?.id;
        (first..=last).contains(&id).then_some(id)
    }
}
