//! Writes journals: carries out what the decider asks for, on a thread of its own.

mod desk;
mod journal;
pub(crate) mod live;
pub(crate) mod settings;
mod syncing;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use cc_kit::exit::Failure;
use cc_kit::journal::note::{self, Marker, Note, Source, Start};
use cc_kit::journal::{Stamp, Store, clock, format};
use cc_kit::redact::Rules;
use tmux_cc::client::{Batch, Event, Identity, ServerChange};
use tmux_cc::wire::PaneId;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::counters::Counters;
use crate::decide::{About, Action, Decider};
use crate::select::Selector;
use crate::shown::Voice;
use crate::upkeep::{Chores, OpenSegments};
use desk::Desk;
use journal::Journal;
use live::Speaker;
use settings::{Settings, Sync};
use syncing::Syncing;

/// How long what was printed may stay in memory: with the rest of the tap, what a killed logger loses.
const FLUSH: Duration = Duration::from_millis(200);

/// How often is looked while something is held back.
const LOOK: Duration = Duration::from_millis(50);

/// Messages on their way to the thread; a batch holds 64 KiB at most, so this is 2 MiB.
const MESSAGES: usize = 32;

/// What happened, and to which of the servers.
#[derive(Debug)]
pub(crate) enum Message {
    Change(usize, ServerChange),
    Batches(usize, Source, Vec<Batch>, Stamp),
    Ask(Ask),
}

/// What somebody wants.
#[derive(Debug)]
pub(crate) enum Ask {
    /// Mark the panes that are meant; answers with how many that are.
    Mark {
        selector: Selector,
        text: String,
        answer: oneshot::Sender<usize>,
    },
    /// Begin a new segment everywhere; answers with how many.
    Rotate(oneshot::Sender<usize>),
    /// Write as these say from now on.
    Settings(Box<Settings>),
    /// Take out what these say from now on.
    Rules(Arc<Rules>),
}

/// What the thread is started with.
#[derive(Debug)]
pub(crate) struct Outfit {
    pub(crate) store: Store,
    pub(crate) settings: Settings,
    pub(crate) counters: Arc<Counters>,
    pub(crate) speaker: Speaker,
    pub(crate) open: OpenSegments,
    pub(crate) chores: Chores,
    pub(crate) voice: Voice,
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
    pub(crate) fn start(outfit: Outfit) -> io::Result<(Self, mpsc::Sender<Message>)> {
        let (sender, messages) = mpsc::channel(MESSAGES);
        let (report, ended) = oneshot::channel();
        let clock = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        let desk = Desk {
            store: outfit.store,
            settings: outfit.settings,
            counters: outfit.counters,
            speaker: outfit.speaker,
            syncing: Syncing::start(outfit.chores)?,
            open: outfit.open,
            voice: outfit.voice,
            failing: AtomicBool::new(false),
        };
        let thread = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || {
                let result = Journals::new(desk).record(&clock, messages);
                // Nobody to tell is nobody who could still act on it.
                let _ = report.send(result);
            })?;
        Ok((Self { thread, ended }, sender))
    }

    /// Waits until it is done.
    pub(crate) fn join(self) {
        // It reports by itself; a panic has been printed.
        let _ = self.thread.join();
    }
}

/// Which life of which of the servers.
type LifeKey = (usize, Arc<Identity>);

/// The journals of every life of every server.
#[derive(Debug)]
struct Journals {
    desk: Desk,
    boot_id: Option<String>,
    lives: HashMap<LifeKey, Life>,
    /// Which life each server is in.
    current: HashMap<usize, Arc<Identity>>,
    /// Where each open journal is.
    numbers: HashMap<u64, (LifeKey, PaneId)>,
    next: u64,
    looked: Instant,
    synced: Instant,
}

/// The journals of one life of a server.
#[derive(Debug)]
struct Life {
    server: note::Server,
    decider: Decider,
    journals: HashMap<PaneId, (u64, Journal)>,
}

impl Journals {
    fn new(desk: Desk) -> Self {
        Self {
            desk,
            boot_id: clock::boot_id(),
            lives: HashMap::new(),
            current: HashMap::new(),
            numbers: HashMap::new(),
            next: 0,
            looked: Instant::now(),
            synced: Instant::now(),
        }
    }

    /// Writes what comes until nobody sends any more; then every journal ends in order.
    fn record(
        mut self,
        clock: &tokio::runtime::Runtime,
        mut messages: mpsc::Receiver<Message>,
    ) -> Result<(), Failure> {
        let mut wait = FLUSH;
        loop {
            let left = wait.saturating_sub(self.looked.elapsed());
            match clock.block_on(async { timeout(left, messages.recv()).await }) {
                Ok(Some(message)) => self.take(message),
                Ok(None) => break,
                Err(_) => {}
            }
            if self.looked.elapsed() >= wait {
                wait = if self.look() { LOOK } else { FLUSH };
            }
        }
        self.stop();
        Ok(self.desk.syncing.finish()?)
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Change(index, change) => self.take_change(index, &change),
            Message::Batches(index, source, batches, stamp) => {
                for batch in &batches {
                    self.take_batch(index, source, batch, stamp);
                }
            }
            Message::Ask(ask) => self.take_ask(ask),
        }
    }

    fn take_change(&mut self, index: usize, change: &ServerChange) {
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
                    return;
                };
                let actions = self.life(index, &server).decider.on_change(change);
                let stamp = Stamp::now();
                for action in actions {
                    self.act(index, &server, action, stamp);
                }
            }
        }
    }

    fn take_batch(&mut self, index: usize, source: Source, batch: &Batch, stamp: Stamp) {
        let mut length = 0;
        if let Some(server) = batch.server() {
            let mut decider = std::mem::take(&mut self.life(index, server).decider);
            for event in batch.iter() {
                if let Event::Output(output) = &event {
                    length += output.data.as_bytes().len() as u64;
                }
                decider.on_output(source, &event, batch.session(), &mut |action| {
                    self.act(index, server, action, stamp);
                });
            }
            self.life(index, server).decider = decider;
            self.forget(index, server);
        }
        self.desk.counters.queued.sub(length);
    }

    fn take_ask(&mut self, ask: Ask) {
        let stamp = Stamp::now();
        let Self { lives, desk, .. } = self;
        let journals = lives
            .values_mut()
            .flat_map(|life| life.journals.values_mut())
            .map(|(_, journal)| journal);
        match ask {
            Ask::Mark {
                selector,
                text,
                answer,
            } => {
                let mut marked = 0;
                for journal in journals {
                    let name = journal.name();
                    let meant = selector.means(
                        &name.server.socket,
                        name.pane,
                        Some(&name.place),
                        name.unit.as_deref(),
                    );
                    if meant {
                        let note = Note::Marker(Marker { text: text.clone() });
                        journal.note(note, stamp, desk);
                        journal.flush(desk);
                        marked += 1;
                    }
                }
                // Who asked may have gone.
                let _ = answer.send(marked);
            }
            Ask::Rotate(answer) => {
                let mut rotated = 0;
                for journal in journals {
                    journal.rotate(stamp, desk);
                    rotated += 1;
                }
                let _ = answer.send(rotated);
            }
            // Before anything that comes behind it is written.
            Ask::Settings(settings) => {
                desk.settings = *settings;
                journals.for_each(|journal| journal.renew(desk));
            }
            Ask::Rules(rules) => {
                desk.settings.rules = Some(rules);
                journals.for_each(|journal| journal.renew(desk));
            }
        }
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

    fn act(&mut self, index: usize, server: &Arc<Identity>, action: Action<'_>, stamp: Stamp) {
        if let Action::Open { pane, about } = action {
            return self.open(index, server, pane, *about, stamp);
        }
        let key = (index, Arc::clone(server));
        let Some(journals) = self.lives.get_mut(&key).map(|life| &mut life.journals) else {
            return;
        };
        let desk = &self.desk;
        match action {
            Action::Open { .. } => {}
            Action::Output { pane, data } => {
                if let Some((_, journal)) = journals.get_mut(&pane) {
                    journal.output(data, stamp, desk);
                }
            }
            Action::Gap { pane, gap, screen } => {
                if let Some((_, journal)) = journals.get_mut(&pane) {
                    journal.gap(gap, screen.as_deref(), stamp, desk);
                }
            }
            Action::Note { pane, note } => {
                if let Some((_, journal)) = journals.get_mut(&pane) {
                    journal.note(note, stamp, desk);
                }
            }
            Action::Unit { pane, place, unit } => {
                if let Some((_, journal)) = journals.get_mut(&pane) {
                    journal.unit(place, unit, stamp, desk);
                }
            }
            Action::Close { pane } => {
                if let Some((number, journal)) = journals.remove(&pane) {
                    self.numbers.remove(&number);
                    journal.close(desk);
                    desk.counters.panes.set(self.numbers.len() as u64);
                }
            }
        }
    }

    fn open(
        &mut self,
        index: usize,
        server: &Arc<Identity>,
        pane: PaneId,
        about: About,
        stamp: Stamp,
    ) {
        let start = Start {
            journal: format::VERSION,
            boot_id: self.boot_id.clone(),
            server: self.life(index, server).server.clone(),
            pane: pane.0,
            unit: about.unit,
            place: about.place,
            source: about.source.unwrap_or(Source::Other),
            logger: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let number = self.next;
        self.next += 1;
        let journal = Journal::open(number, start, about.size, stamp, &self.desk);
        let key = (index, Arc::clone(server));
        self.numbers.insert(number, (key, pane));
        let panes = self.numbers.len() as u64;
        self.desk.counters.panes.set(panes);
        let journals = &mut self.life(index, server).journals;
        journals.insert(pane, (number, journal));
    }

    /// Flushes and syncs what is due; is anything held back?
    fn look(&mut self) -> bool {
        self.looked = Instant::now();
        let stamp = Stamp::now();
        let Self {
            lives,
            desk,
            numbers,
            ..
        } = self;
        for (number, result) in desk.syncing.done() {
            let journal = numbers
                .get(&number)
                .and_then(|(key, pane)| lives.get_mut(key)?.journals.get_mut(pane));
            match (journal, result) {
                (Some((_, journal)), result) => {
                    journal.synced(result.err().as_ref(), stamp, desk);
                }
                (None, Err(error)) => desk.failed(&error),
                (None, Ok(())) => {}
            }
        }
        let sync = match desk.settings.sync {
            Sync::Every(often) if self.synced.elapsed() >= often => {
                self.synced = Instant::now();
                true
            }
            Sync::Always => true,
            _ => false,
        };
        let mut holds = false;
        for life in lives.values_mut() {
            for (_, journal) in life.journals.values_mut() {
                journal.tick(stamp, desk);
                if sync {
                    journal.sync(desk);
                }
                holds |= journal.holds();
            }
        }
        holds
    }

    /// Every journal says that we stop.
    fn stop(&mut self) {
        let stamp = Stamp::now();
        let lives: Vec<_> = self.lives.keys().cloned().collect();
        for (index, server) in lives {
            for action in self.life(index, &server).decider.on_stop() {
                self.act(index, &server, action, stamp);
            }
        }
    }
}
