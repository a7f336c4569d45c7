//! What one read of a client brings, on its way into the queue.

use std::sync::MutexGuard;

use bytes::Bytes;

use super::pane::Taken;
use super::state::State;
use super::stitch::Held;
use super::{Inbox, SourceId};
use crate::client::events::{Data, Item};
use crate::protocol::{Block, Desync, Exit};
use crate::wire::{Escaped, Notification, PaneId};

/// Takes lines one after the other, under one lock; what came becomes a batch when it is dropped.
pub(in crate::client) struct Intake<'a> {
    inbox: &'a Inbox,
    state: MutexGuard<'a, State>,
    source: SourceId,
    /// Is the source still known?
    known: bool,
    /// What the lines are parts of.
    chunk: Bytes,
    items: Vec<Item>,
    holds_chunk: bool,
}

impl Inbox {
    /// Begins to take what a source has read.
    pub(in crate::client) fn intake(&self, source: SourceId) -> Intake<'_> {
        let state = self.lock();
        Intake {
            inbox: self,
            known: state.sources.contains_key(&source),
            items: Vec::with_capacity(state.usual),
            state,
            source,
            chunk: Bytes::new(),
            holds_chunk: false,
        }
    }
}

impl Intake<'_> {
    /// Takes a line, a range of `chunk` where it is a part of that.
    pub(in crate::client) fn line(&mut self, line: &[u8], chunk: &Bytes) {
        if self.chunk.as_ptr() != chunk.as_ptr() {
            self.flush();
            self.chunk = chunk.clone();
        }
        if !self.known {
            return;
        }
        if line.first() != Some(&b'%') {
            self.keep_line(line);
            return;
        }
        match Notification::parse(line) {
            Notification::Output { pane, data } => self.output(pane, 0, data),
            Notification::ExtendedOutput { pane, age, data } => self.output(pane, age, data),
            Notification::Pause { pane } => {
                self.state.paused(self.source, pane);
                self.keep_line(line);
            }
            Notification::Continue { pane } => {
                self.keep_line(line);
                let resync = self.state.continued(self.source, pane);
                self.items.extend(resync);
            }
            Notification::SessionChanged { session, .. } => {
                self.state.on_session(self.source, session);
                self.keep_line(line);
            }
            _ => self.keep_line(line),
        }
    }

    fn output(&mut self, pane: PaneId, age: u64, data: Escaped<'_>) {
        let decoded = data.decoded_len();
        let size = (data.as_bytes().len(), decoded);
        let taken = self
            .state
            .take_output(self.source, pane, size, &mut self.items);
        if taken == Taken::Held {
            let held = Held::new(age, data.as_bytes(), decoded);
            self.state.hold(pane, held);
        } else if let Taken::At(epoch, offset) = taken {
            let data = Data::of(data.as_bytes(), &self.chunk);
            self.holds_chunk |= matches!(data, Data::Chunk(_));
            self.items.push(Item::Output {
                pane,
                epoch,
                offset,
                age,
                data,
                raw: false,
            });
        }
    }

    pub(in crate::client) fn block(&mut self, block: Block) {
        self.keep(Item::Block(Box::new(block)));
    }

    pub(in crate::client) fn desync(&mut self, desync: Desync) {
        self.keep(Item::Desync(Box::new(desync)));
    }

    /// The last thing of all; there is always room for it.
    pub(in crate::client) fn exited(&mut self, exit: Exit) {
        if self.inbox.events && self.known {
            let lagged = self.state.lagged();
            self.items.extend(lagged);
            self.items.push(Item::Exited(Box::new(exit)));
        }
    }

    fn keep_line(&mut self, line: &[u8]) {
        if self.inbox.events {
            self.keep(Item::Line(Data::of(line, &self.chunk)));
        }
    }

    /// Keeps what is not output, unless far too much waits.
    fn keep(&mut self, item: Item) {
        if !self.inbox.events || !self.known {
            return;
        }
        // Twice the budget: output is held back long before, so what fills this is a flood of
        // notifications that nobody reads.
        if self.state.bytes > 2 * self.inbox.budget.bytes {
            self.state.lagged += 1;
            return;
        }
        let lagged = self.state.lagged();
        self.items.extend(lagged);
        self.holds_chunk |= matches!(item, Item::Line(Data::Chunk(_)));
        self.items.push(item);
    }

    /// What came so far becomes a batch.
    fn flush(&mut self) {
        let chunk = std::mem::take(&mut self.chunk);
        let chunk = if std::mem::take(&mut self.holds_chunk) {
            chunk
        } else {
            Bytes::new()
        };
        if self.items.is_empty() {
            return;
        }
        self.state.usual = self.items.len() + 1;
        let items = std::mem::take(&mut self.items);
        let source = self.state.sources.get(&self.source);
        let session = source.and_then(|source| source.session);
        self.state.enqueue_of(session, chunk, items);
    }
}

impl Drop for Intake<'_> {
    fn drop(&mut self) {
        self.flush();
    }
}
