//! What the tests of the client share: scale, chance, attaching, and a judge of pane streams.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use harness::seeded::Seeded;
use harness::server::Server;
use harness::wait::PATIENCE;
use tmux_cc::client::{
    Attach, Batch, Cause, Client, Event, Events, Resync, Screen, ServerOutput, Socket,
};
use tmux_cc::protocol::{Command, Exit, Reply};
use tmux_cc::wire::PaneId;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// True when the environment asks for the whole volume: `TMUX_CC_FULL=1`.
pub(crate) fn full() -> bool {
    std::env::var_os("TMUX_CC_FULL").is_some_and(|value| value == "1")
}

/// A volume: all of it when asked for, else a twentieth.
pub(crate) fn scaled(volume: usize) -> usize {
    if full() { volume } else { volume / 20 }
}

/// Time enough for what takes long at full volume.
pub(crate) const LONG: Duration = Duration::from_secs(120);

/// Chance that is the same every time.
pub(crate) struct Dice {
    seeded: Seeded,
    at: u64,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seeded: Seeded::bytes(seed),
            at: 0,
        }
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.seeded.fill(self.at, &mut bytes);
        self.at += length as u64;
        bytes
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let mut word = [0; 8];
        self.seeded.fill(self.at, &mut word);
        self.at += 8;
        usize::try_from(u64::from_le_bytes(word) % end as u64).unwrap()
    }
}

/// A control client to a session of that server, not yet started.
pub(crate) fn attach(server: &Server, session: &str) -> Attach {
    Attach::to(session)
        .socket_path(server.socket())
        .tmux(server.binary())
}

/// A started control client; its driver runs on a task.
pub(crate) async fn attached(server: &Server) -> (Client, Events, JoinHandle<Exit>) {
    let (client, events, driver) = attach(server, "main").start().await.unwrap();
    (client, events, tokio::spawn(driver))
}

/// A followed server, not yet started.
pub(crate) fn follow(server: &Server) -> tmux_cc::client::ServerBuilder {
    tmux_cc::client::Server::on(Socket::Path(server.socket().into())).tmux(server.binary())
}

/// Awaits what must come in good time.
#[track_caller]
pub(crate) fn soon<T>(what: &str, future: impl Future<Output = T>) -> impl Future<Output = T> {
    within(PATIENCE, what, future)
}

/// Awaits what must come within the given time.
#[track_caller]
pub(crate) fn within<T>(
    time: Duration,
    what: &str,
    future: impl Future<Output = T>,
) -> impl Future<Output = T> {
    let at = std::panic::Location::caller();
    async move {
        match timeout(time, future).await {
            Ok(value) => value,
            Err(_) => panic!("waited {time:?} in vain for: {what} (asked at {at})"),
        }
    }
}

/// The reply to a raw line, in good time.
#[track_caller]
pub(crate) fn ask(client: &Client, line: &str) -> impl Future<Output = Reply> {
    let (client, command) = (client.clone(), Command::raw(line));
    soon(
        "a reply",
        async move { client.command(command).await.unwrap() },
    )
}

/// Runs `body` on the one thread of a process of its own, where nothing else counts: for what is
/// told only of a whole process (memory, descriptors, children). `name` is the test that calls it.
///
/// # Panics
/// When it fails there.
pub(crate) fn alone(name: &str, body: impl Future<Output = ()>) {
    const ALONE: &str = "TMUX_CC_TEST_ALONE";
    if std::env::var_os(ALONE).is_some_and(|alone| alone == name) {
        let runtime = tokio::runtime::Builder::new_current_thread();
        { runtime }.enable_all().build().unwrap().block_on(body);
        return;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(ALONE, name)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    eprintln!("{said}");
    assert!(output.status.success(), "{name} alone: {}", output.status);
    assert!(said.contains("1 passed"), "there is no test {name}");
}

/// One pane's stream, as far as it was delivered.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) epoch: u32,
    pub(crate) offset: u64,
    /// Why each stretch but one from birth began.
    pub(crate) resyncs: Vec<Resync>,
    pub(crate) ended: bool,
    /// Does the stream begin with the pane's first byte?
    pub(crate) from_birth: bool,
    /// Screens so far.
    pub(crate) screens: u64,
    /// Whole lines so far.
    pub(crate) lines: u64,
    /// The number of the last whole line.
    pub(crate) last: Option<u64>,
    /// What has come since the last newline; `None` until the first one of a stretch that begins
    /// anywhere in a line.
    line: Option<Vec<u8>>,
    /// Is the next whole line the first of its stretch?
    fresh: bool,
    /// The first bytes of all, for panes that say little.
    pub(crate) head: Vec<u8>,
}

impl Stream {
    fn new(from_birth: bool) -> Self {
        Self {
            epoch: 0,
            offset: 0,
            resyncs: Vec::new(),
            ended: false,
            from_birth,
            screens: 0,
            lines: 0,
            last: None,
            line: from_birth.then(Vec::new),
            fresh: true,
            head: Vec::new(),
        }
    }

    /// Has no whole line come since the last gap?
    pub(crate) fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Takes what a screen of numbered lines shows: they follow each other, none is older than what
    /// came before, and the stream goes on with the next byte.
    fn look(&mut self, pane: PaneId, screen: &Screen) {
        let before = self.last;
        let (column, row) = (screen.cursor.0 as usize, screen.cursor.1 as usize);
        let below = screen.visible.split(|&b| b == b'\n').count() - 1 - row;
        let mut lines: Vec<_> = screen.text.split(|&b| b == b'\n').collect();
        lines.truncate(lines.len() - below);
        let current = lines.pop().unwrap().trim_ascii_end();
        if let Some(first) = lines.first() {
            // The first line of what was asked for may be older than the stream.
            let first: u64 = str::from_utf8(first.trim_ascii_end())
                .unwrap()
                .parse()
                .unwrap();
            assert!(
                before.is_none_or(|_| first > 0 || lines.len() > 1),
                "{screen:?}"
            );
            (self.last, self.fresh) = (first.checked_sub(1), first == 0);
        }
        for line in lines {
            self.number(pane, line.trim_ascii_end());
        }
        assert!(
            self.last >= before,
            "{pane} goes back from {before:?}: {screen:?}"
        );
        // A line is on the screen before its CR LF has come.
        let mut line = current.to_vec();
        if column == 0 && !line.is_empty() {
            line.push(b'\r');
        } else {
            assert_eq!(line.len(), column, "{screen:?}");
        }
        line.extend_from_slice(&screen.pending);
        self.line = Some(line);
        self.fresh = self.last.is_none();
        self.screens += 1;
    }

    fn numbers(&mut self, pane: PaneId, bytes: &[u8]) {
        let mut pieces = bytes.split(|&b| b == b'\n');
        let first = pieces.next().unwrap_or_default();
        if let Some(line) = &mut self.line {
            line.extend_from_slice(first);
        }
        for piece in pieces {
            if let Some(line) = self.line.replace(piece.to_vec()) {
                self.number(pane, &line);
            }
        }
    }

    fn number(&mut self, pane: PaneId, line: &[u8]) {
        let said = line.strip_suffix(b"\r").unwrap_or(line);
        let number = str::from_utf8(said).ok().and_then(|n| n.parse().ok());
        let number: u64 = number.unwrap_or_else(|| {
            panic!(
                "{pane} line {:?} after {:?}",
                line.escape_ascii().to_string(),
                self
            )
        });
        match self.last {
            // Within a stretch nothing is missing and nothing comes twice.
            Some(last) if !self.fresh => assert_eq!(number, last + 1, "{pane} {:?}", self),
            // From one to the next nothing comes twice.
            Some(last) => assert!(
                number > last,
                "{pane} goes back from {last} to {number}: {self:?}"
            ),
            None if self.from_birth && self.epoch == 0 => assert_eq!(number, 0, "{pane}"),
            None => {}
        }
        self.fresh = false;
        self.last = Some(number);
        self.lines += 1;
    }
}

/// Judges batches: within a stretch offsets and numbered lines join, every new stretch is said,
/// and nothing comes twice.
#[derive(Debug)]
pub(crate) struct Streams {
    pub(crate) panes: BTreeMap<PaneId, Stream>,
    /// Bytes as they came, escaped.
    pub(crate) bytes: u64,
    /// The process of the server that the panes are of.
    life: Option<u32>,
}

impl Streams {
    pub(crate) fn new() -> Self {
        Self {
            panes: BTreeMap::new(),
            bytes: 0,
            life: None,
        }
    }

    /// Whose panes they are.
    pub(crate) fn life(&self) -> Option<u32> {
        self.life
    }

    pub(crate) fn take(&mut self, batch: &Batch) {
        let life = batch.server().map(|server| server.pid);
        if life != self.life {
            // Ids are those of one life, and it has ended.
            let open = self.panes.iter().find(|(_, stream)| !stream.ended);
            assert!(open.is_none(), "{open:?} goes on into the next life");
            self.panes.clear();
            self.life = life;
        }
        for event in batch.iter() {
            match event {
                Event::Output(output) => {
                    let stream = self.panes.entry(output.pane).or_insert_with(|| {
                        assert_eq!((output.epoch, output.offset), (0, 0), "{output:?}");
                        Stream::new(true)
                    });
                    assert!(!stream.ended, "{output:?} after its end");
                    assert_eq!(
                        (output.epoch, output.offset),
                        (stream.epoch, stream.offset),
                        "a gap that was not said: {stream:?}"
                    );
                    let bytes = output.data.decode();
                    stream.offset += bytes.len() as u64;
                    self.bytes += output.data.as_bytes().len() as u64;
                    if stream.head.len() < 1000 {
                        stream.head.extend_from_slice(&bytes);
                    }
                    stream.numbers(output.pane, &bytes);
                }
                Event::Resync(resync) => {
                    let known = self.panes.contains_key(&resync.pane);
                    let stream = self
                        .panes
                        .entry(resync.pane)
                        .or_insert_with(|| Stream::new(false));
                    if known {
                        assert_eq!(resync.epoch, stream.epoch + 1, "{resync:?}");
                    } else if resync.cause == Cause::FirstSight {
                        assert_eq!(resync.epoch, 0, "{resync:?}");
                    }
                    assert!(!stream.ended, "{resync:?} after its end");
                    stream.epoch = resync.epoch;
                    stream.offset = 0;
                    stream.fresh = true;
                    stream.line = None;
                    stream.resyncs.push(resync.clone());
                    if let Some(screen) = &resync.screen {
                        stream.look(resync.pane, screen);
                    }
                }
                Event::Ended(ended) => {
                    let stream = self
                        .panes
                        .entry(ended.pane)
                        .or_insert_with(|| Stream::new(true));
                    assert!(!stream.ended, "{ended:?} twice");
                    assert_eq!((ended.epoch, ended.offset), (stream.epoch, stream.offset));
                    stream.ended = true;
                }
                _ => {}
            }
        }
    }

    /// Takes batches until `enough`, in good time.
    #[track_caller]
    pub(crate) fn until(
        &mut self,
        output: &mut ServerOutput,
        what: &str,
        mut enough: impl FnMut(&Self) -> bool,
    ) -> impl Future<Output = ()> {
        within(LONG, what, async move {
            while !enough(self) {
                let batch = output.recv().await.expect("the output goes on");
                self.take(&batch);
            }
        })
    }

    pub(crate) fn pane(&self, pane: PaneId) -> Option<&Stream> {
        self.panes.get(&pane)
    }

    pub(crate) fn last(&self, pane: PaneId) -> u64 {
        self.pane(pane).and_then(|s| s.last).unwrap_or(0)
    }

    pub(crate) fn epoch(&self, pane: PaneId) -> u32 {
        self.pane(pane).map_or(0, |s| s.epoch)
    }

    pub(crate) fn has_ended(&self, pane: PaneId) -> bool {
        self.pane(pane).is_some_and(|s| s.ended)
    }
}

/// The id of a pane, as tmux itself says it.
#[track_caller]
pub(crate) fn pane_of(server: &Server, target: &str) -> PaneId {
    pane_id(&server.answer(["display-message", "-p", "-t", target, "#{pane_id}"]))
}

#[track_caller]
pub(crate) fn pane_id(text: &str) -> PaneId {
    PaneId::parse(text.trim().as_bytes()).unwrap_or_else(|| panic!("{text:?} is no pane"))
}

#[test]
fn chance_is_the_same_every_time() {
    let throw = |mut dice: Dice| (dice.below(1000), dice.bytes(5), dice.below(7));
    assert_eq!(throw(Dice::new(3)), throw(Dice::new(3)));
    assert_ne!(throw(Dice::new(3)), throw(Dice::new(4)));
}
