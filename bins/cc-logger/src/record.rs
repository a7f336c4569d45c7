//! Writes journals: carries out what the decider asks for, on a thread of its own.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use cc_kit::exit::Failure;
use cc_kit::journal::note::{self, Gap, Lost, Note, Source, Start};
use cc_kit::journal::{Position, Stamp, Store, StoreError, WriteError, Writer, clock, format};
use tmux_cc::client::{Batch, Identity, ServerChange};
use tmux_cc::wire::PaneId;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::decide::{Action, Decider};

/// How long what was printed may stay in memory: what a killed logger loses.
const FLUSH: Duration = Duration::from_millis(100);

/// How long what was written may stay in the system's memory: what a power cut loses.
const SYNC: Duration = Duration::from_secs(5);

/// How much of one pane may stay in memory, in bytes.
const FLUSH_BYTES: u64 = 1 << 20;

/// Messages on their way to the thread; a batch holds 64 KiB at most, so this is 2 MiB.
const MESSAGES: usize = 32;

/// What happened, and to which of the servers.
#[derive(Debug)]
pub(crate) enum Message {
    Change(usize, ServerChange),
    Batch(usize, Batch, Stamp),
}

/// The thread that writes.
#[derive(Debug)]
pub(crate) struct Recorder {
    thread: JoinHandle<()>,
    /// How it ended, once it has.
    pub(crate) ended: oneshot::Receiver<Result<(), Failure>>,
}

impl Recorder {
    /// Starts it. It stops, and finishes every journal, when all senders are dropped.
    pub(crate) fn start(store: Store) -> io::Result<(Self, mpsc::Sender<Message>)> {
        let (sender, messages) = mpsc::channel(MESSAGES);
        let (report, ended) = oneshot::channel();
        let clock = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        let thread = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || {
                let mut journals = Journals::new(store);
                // Nobody to tell is nobody who could still act on it.
                let _ = report.send(journals.record(&clock, messages));
            })?;
        Ok((Self { thread, ended }, sender))
    }

    /// Waits until it is done.
    pub(crate) fn join(self) {
        // It reports by itself; a panic has been printed.
        let _ = self.thread.join();
    }
}

/// The journals of every life of every server.
#[derive(Debug)]
struct Journals {
    store: Store,
    boot_id: Option<String>,
    /// By which of the servers it is and which life of it.
    lives: HashMap<(usize, Arc<Identity>), Life>,
    /// Which life each server is in.
    current: HashMap<usize, Arc<Identity>>,
    flushed: Instant,
    synced: Instant,
}

/// The journals of one life of a server.
#[derive(Debug)]
struct Life {
    server: note::Server,
    decider: Decider,
    journals: HashMap<PaneId, Journal>,
}

/// One pane's journal.
#[derive(Debug)]
struct Journal {
    writer: Writer,
    start: Start,
    /// The epoch of the journal in which the pane's epoch 0 stands.
    epoch: u32,
    /// Were there records already, so that we have not been watching in between?
    resumed: bool,
    unsynced: bool,
}

impl Journal {
    fn position(&self, at: Position) -> Position {
        Position {
            epoch: self.epoch.saturating_add(at.epoch),
            offset: at.offset,
        }
    }

    fn flush(&mut self) -> Result<(), WriteError> {
        if self.writer.pending().bytes > 0 {
            self.writer.flush()?;
            self.unsynced = true;
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), WriteError> {
        self.flush()?;
        if std::mem::take(&mut self.unsynced) {
            self.writer.sync()?;
        }
        Ok(())
    }
}

impl Journals {
    fn new(store: Store) -> Self {
        Self {
            store,
            boot_id: clock::boot_id(),
            lives: HashMap::new(),
            current: HashMap::new(),
            flushed: Instant::now(),
            synced: Instant::now(),
        }
    }

    /// Writes what comes until nobody sends any more; then every journal ends in order.
    fn record(
        &mut self,
        clock: &tokio::runtime::Runtime,
        mut messages: mpsc::Receiver<Message>,
    ) -> Result<(), Failure> {
        let result = loop {
            let waited = clock.block_on(async { timeout(FLUSH, messages.recv()).await });
            let done = match waited {
                Ok(Some(message)) => self.take(message),
                Ok(None) => break self.stop(),
                Err(_) => Ok(()),
            };
            if let Err(failure) = done.and_then(|()| self.keep_up()) {
                break Err(failure);
            }
        };
        // Also after a failure: what another journal can still take is not given up.
        let finished = self.finish();
        result.and(finished)
    }

    fn take(&mut self, message: Message) -> Result<(), Failure> {
        match message {
            Message::Change(index, change) => self.take_change(index, &change),
            Message::Batch(index, batch, stamp) => self.take_batch(index, &batch, stamp),
        }
    }

    fn take_change(&mut self, index: usize, change: &ServerChange) -> Result<(), Failure> {
        match change {
            ServerChange::Up(server) => {
                self.current.insert(index, Arc::clone(server));
                self.life(index, server);
            }
            ServerChange::Down { server, .. } => {
                self.current.remove(&index);
                self.forget(index, server);
            }
            _ => {
                let Some(server) = self.current.get(&index).cloned() else {
                    return Ok(());
                };
                let actions = self.life(index, &server).decider.on_change(change);
                let stamp = Stamp::now();
                for action in actions {
                    self.act(index, &server, action, stamp)?;
                }
            }
        }
        Ok(())
    }

    fn take_batch(&mut self, index: usize, batch: &Batch, stamp: Stamp) -> Result<(), Failure> {
        let Some(server) = batch.server() else {
            return Ok(());
        };
        let mut decider = std::mem::take(&mut self.life(index, server).decider);
        let mut result = Ok(());
        for event in batch.iter() {
            decider.on_output(&event, batch.session(), &mut |action| {
                if result.is_ok() {
                    result = self.act(index, server, action, stamp);
                }
            });
        }
        self.life(index, server).decider = decider;
        self.forget(index, server);
        result
    }

    fn life(&mut self, index: usize, server: &Arc<Identity>) -> &mut Life {
        self.lives
            .entry((index, Arc::clone(server)))
            .or_insert_with(|| Life {
                server: note::Server {
                    pid: server.pid,
                    start_time: i64::try_from(server.start_time).unwrap_or(i64::MAX),
                    socket: note::label(server.socket.as_os_str().as_encoded_bytes()),
                    version: server.version.to_string(),
                },
                decider: Decider::default(),
                journals: HashMap::new(),
            })
    }

    /// Lets go of a life that has ended and whose journals are closed.
    fn forget(&mut self, index: usize, server: &Arc<Identity>) {
        if self.current.get(&index) != Some(server) {
            let key = (index, Arc::clone(server));
            if self
                .lives
                .get(&key)
                .is_some_and(|life| life.journals.is_empty())
            {
                self.lives.remove(&key);
            }
        }
    }

    fn act(
        &mut self,
        index: usize,
        server: &Arc<Identity>,
        action: Action<'_>,
        stamp: Stamp,
    ) -> Result<(), Failure> {
        if let Action::Open { pane, place, unit } = action {
            return Ok(self.open(index, server, pane, place, unit, stamp)?);
        }
        let journals = &mut self.life(index, server).journals;
        match action {
            Action::Open { .. } => {}
            Action::Output { pane, at, data } => {
                let Some(journal) = journals.get_mut(&pane) else {
                    return Ok(());
                };
                let at = journal.position(at);
                journal.writer.output(at, stamp, |out| {
                    // A backslash that is none of tmux's stays as it is.
                    let _ = data.decode_into(out);
                });
                if journal.writer.pending().bytes >= FLUSH_BYTES {
                    journal.flush()?;
                }
            }
            Action::Note { pane, at, note } => {
                let Some(journal) = journals.get_mut(&pane) else {
                    return Ok(());
                };
                let at = journal.position(at);
                let note = match note {
                    Note::Gap(Gap {
                        cause: note::Cause::FirstSight,
                        lost,
                    }) if journal.resumed => Note::Gap(Gap {
                        cause: note::Cause::NotRunning,
                        lost,
                    }),
                    note => note,
                };
                if let Note::Moved(place) = &note {
                    journal.start.place = place.clone();
                }
                journal.writer.note(at, stamp, &note)?;
            }
            Action::Unit { pane, place, unit } => {
                let Some(journal) = journals.get_mut(&pane) else {
                    return Ok(());
                };
                journal.start.place = place;
                journal.start.unit = unit;
                let start = Note::Start(Box::new(journal.start.clone()));
                journal
                    .writer
                    .note(journal.writer.position(), stamp, &start)?;
            }
            Action::Close { pane } => {
                if let Some(mut journal) = journals.remove(&pane) {
                    journal.sync()?;
                }
            }
        }
        Ok(())
    }

    fn open(
        &mut self,
        index: usize,
        server: &Arc<Identity>,
        pane: PaneId,
        place: note::Place,
        unit: Option<String>,
        stamp: Stamp,
    ) -> Result<(), StoreError> {
        let start = Start {
            journal: format::VERSION,
            boot_id: self.boot_id.clone(),
            server: self.life(index, server).server.clone(),
            pane: pane.0,
            unit,
            place,
            source: Source::Control,
            logger: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let opened = self.store.pane(&start, stamp)?;
        let mut writer = opened.writer;
        if let Some(left) = opened.left {
            tracing::warn!(%left, "left a segment as it is, and began another");
        }
        let epoch = writer.position().epoch;
        let resumed = opened.recovered.is_some();
        if opened.recovered.is_some_and(|found| found.cut > 0) {
            let gap = Gap {
                cause: note::Cause::TornTail,
                lost: Lost::Unknown,
            };
            writer
                .note(writer.position(), stamp, &Note::Gap(gap))
                .map_err(cc_kit::journal::OpenError::from)?;
        }
        let journal = Journal {
            writer,
            start,
            epoch,
            resumed,
            unsynced: true,
        };
        self.life(index, server).journals.insert(pane, journal);
        Ok(())
    }

    fn each(&mut self) -> impl Iterator<Item = &mut Journal> {
        self.lives
            .values_mut()
            .flat_map(|life| life.journals.values_mut())
    }

    /// Flushes and syncs what is due.
    fn keep_up(&mut self) -> Result<(), Failure> {
        if self.flushed.elapsed() >= FLUSH {
            for journal in self.each() {
                journal.flush()?;
            }
            self.flushed = Instant::now();
        }
        if self.synced.elapsed() >= SYNC {
            for journal in self.each() {
                journal.sync()?;
            }
            self.synced = Instant::now();
        }
        Ok(())
    }

    /// Every journal says that we stop.
    fn stop(&mut self) -> Result<(), Failure> {
        let stamp = Stamp::now();
        let lives: Vec<_> = self.lives.keys().cloned().collect();
        let mut result = Ok(());
        for (index, server) in lives {
            for action in self.life(index, &server).decider.on_stop() {
                // One that cannot be written is no reason to leave the others open.
                let acted = self.act(index, &server, action, stamp);
                result = result.and(acted);
            }
        }
        result
    }

    /// Brings everything to the disk; the first error, after all were tried.
    fn finish(&mut self) -> Result<(), Failure> {
        let mut result = Ok(());
        for journal in self.each() {
            if let Err(error) = journal.sync()
                && result.is_ok()
            {
                result = Err(error.into());
            }
        }
        result
    }
}
