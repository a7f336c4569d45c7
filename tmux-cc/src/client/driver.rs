//! The loop that moves bytes: one for each control client.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, timeout};

use super::error::ClientError;
use super::flow::{Inbox, Intake, Order, SourceId};
use super::handle::Request;
use super::health::Meter;
use super::identity::Attached;
use super::process::Process;
use super::until::until;
use crate::protocol::{
    Command, CommandId, Connection, Event, Exit, Limits, Nonce, Polled, Reply, ReplyError,
};
use crate::wire::{PaneId, Version};

/// How much may wait to be written before no more commands are taken, in bytes.
const WRITE_BACKLOG: usize = 256 << 10;

/// How long a client that takes output may be silent before it is asked for a sign of life.
///
/// Up to 3.8 at least, tmux can throw away for its age all output that it holds for a client, and not
/// send what it has queued behind that, `%pause` lines and replies, before it has something else to
/// send (`control.c`, `control_write_callback`: nothing is left in the buffer whose writing would
/// call for more). Nobody would ever continue the panes, and commands would wait for ever.
const SILENCE: Duration = Duration::from_millis(500);

/// How long at most between two questions to one that does not answer.
const LONG_SILENCE: Duration = Duration::from_secs(60);

/// How many unanswered commands are left to flow control, of a limit that has room for them.
const RESERVE: usize = 1024;

/// How long a client that was told to leave may go on before it is cut off.
const LEAVE: Duration = Duration::from_secs(5);

pub(super) type Reader = Box<dyn AsyncRead + Send + Unpin>;
pub(super) type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// Reads and writes for one control client until it ends; the caller spawns it.
///
/// Nothing moves unless it is polled. It never waits for a consumer of events. Dropping it closes
/// the client's input, which detaches it.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use tmux_cc::client::Attach;
/// use tmux_cc::protocol::Command;
///
/// let (client, events, driver) = Attach::to("work").start().await?;
/// let running = tokio::spawn(driver);
/// drop(events);
/// client.command(Command::new("new-window").flag("-d")).await?.ok()?;
/// client.detach().await;
/// println!("the client has ended: {}", running.await?);
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is read or written unless the driver is polled"]
pub struct Driver {
    run: Pin<Box<dyn Future<Output = Exit> + Send>>,
}

impl Driver {
    pub(super) fn new(core: Core) -> Self {
        Self {
            run: Box::pin(core.run()),
        }
    }
}

impl Future for Driver {
    type Output = Exit;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Exit> {
        self.run.as_mut().poll(cx)
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}

/// Who waits for a reply.
#[derive(Debug)]
enum Waiting {
    Caller(oneshot::Sender<Result<Reply, ClientError>>),
    Order(Order),
}

/// When something was last read or asked for, and how long nothing may come from then on.
#[derive(Clone, Copy)]
struct Heard {
    since: Instant,
    patience: Duration,
}

impl Heard {
    const fn new(since: Instant) -> Self {
        Self {
            since,
            patience: SILENCE,
        }
    }

    /// It has been asked, and may be stopped: it is asked again later and later.
    fn again(self) -> Self {
        Self {
            since: Instant::now(),
            patience: LONG_SILENCE.min(self.patience * 2),
        }
    }
}

/// What a driver is made of.
pub(super) struct Core {
    conn: Connection,
    reader: Reader,
    /// Gone once the input is closed.
    writer: Option<Writer>,
    /// What is left to write.
    out: Bytes,
    /// Has something been written since the last flush?
    unflushed: bool,
    requests: mpsc::Receiver<Request>,
    waiting: HashMap<CommandId, Waiting>,
    inbox: Arc<Inbox>,
    source: SourceId,
    orders: Arc<Notify>,
    process: Option<Process>,
    /// Words that tmux has said while attaching: an error, a complaint about the command line.
    said: Vec<u8>,
    greeted: bool,
    /// Who it is since it is attached, and whether it takes output.
    attached: Option<(Arc<Attached>, bool)>,
    exit: Arc<OnceLock<Exit>>,
    /// Until when nothing was read; only where there is output to wait for.
    heard: Option<Heard>,
    /// Told to leave: when it is cut off.
    leaving: Option<Instant>,
    /// Has the last handle gone?
    abandoned: bool,
    limits: Limits,
}

/// The two ends of a client, and the process behind them where there is one.
pub(super) struct Transport {
    pub(super) reader: Reader,
    pub(super) writer: Writer,
    pub(super) process: Option<Process>,
}

/// The driver's ends of what it shares.
pub(super) struct Ends {
    pub(super) requests: mpsc::Receiver<Request>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) source: SourceId,
    pub(super) orders: Arc<Notify>,
    pub(super) exit: Arc<OnceLock<Exit>>,
}

impl Core {
    pub(super) fn new(limits: Limits, nonce: Nonce, transport: Transport, ends: Ends) -> Self {
        Self {
            conn: Connection::new(limits, nonce),
            reader: transport.reader,
            writer: Some(transport.writer),
            out: Bytes::new(),
            unflushed: false,
            requests: ends.requests,
            waiting: HashMap::new(),
            inbox: ends.inbox,
            source: ends.source,
            orders: ends.orders,
            process: transport.process,
            said: Vec::new(),
            greeted: false,
            attached: None,
            exit: ends.exit,
            heard: None,
            leaving: None,
            abandoned: false,
            limits,
        }
    }

    /// Queues a command from within.
    pub(super) fn ask(
        &mut self,
        command: &Command,
    ) -> Result<oneshot::Receiver<Result<Reply, ClientError>>, ClientError> {
        let (reply, answer) = oneshot::channel();
        let id = self.conn.send(command)?;
        self.waiting.insert(id, Waiting::Caller(reply));
        Ok(answer)
    }

    /// Has the command that attached succeeded?
    pub(super) const fn is_greeted(&self) -> bool {
        self.greeted
    }

    /// It is attached, and counts as such until it is dropped.
    pub(super) fn set_attached(&mut self, attached: &Arc<Attached>, output: bool) -> &Arc<Meter> {
        self.attached = Some((Arc::clone(attached), output));
        self.inbox.meter().attached(attached, output);
        self.inbox.meter()
    }

    /// Is it a process of ours that talks to the server?
    pub(super) const fn is_local(&self) -> bool {
        self.process.is_some()
    }

    pub(super) fn set_version(&mut self, version: Version) {
        self.conn.set_version(version);
    }

    /// Output is expected from now on: a long silence is to be asked about.
    pub(super) fn expect_output(&mut self) {
        self.heard = Some(Heard::new(Instant::now()));
    }

    pub(super) fn set_name(&self, name: &[u8]) {
        self.inbox.set_name(self.source, name);
    }

    pub(super) fn set_watermark(&self, highest: PaneId) {
        self.inbox.set_watermark(self.source, highest);
    }

    /// What tmux has said while it refused the client.
    pub(super) async fn take_said(&mut self) -> Vec<u8> {
        let mut said = std::mem::take(&mut self.said);
        if said.is_empty()
            && let Some(process) = &mut self.process
        {
            said = process.said().await;
        }
        said
    }

    /// Runs to the end.
    async fn run(mut self) -> Exit {
        loop {
            if let Some(exit) = self.step().await {
                if let Some(process) = self.process.take() {
                    process.leave(self.writer.take(), &mut self.reader).await;
                }
                return exit;
            }
        }
    }

    /// Waits for the next thing to happen, and does it; the exit when it was the last.
    ///
    /// Dropping the future at any point loses nothing.
    pub(super) async fn step(&mut self) -> Option<Exit> {
        if self.out.is_empty()
            && let Some(bytes) = self.conn.poll_transmit()
        {
            self.out = bytes;
        }
        if self.leaving.is_some() && self.heard.is_none() && self.has_written_all() {
            // tmux takes the end of its input for a detach, and runs first what it has read.
            if let Some(mut writer) = self.writer.take() {
                let _ = timeout(LEAVE, writer.shutdown()).await;
            }
        }
        let takes_requests = !self.abandoned
            && self.leaving.is_none()
            && self.out.len() + self.conn.queued() < WRITE_BACKLOG
            && self.conn.pending() < self.requests_limit();
        let has_to_write = !self.out.is_empty() || self.unflushed;
        let writer = self.writer.as_mut().filter(|_| has_to_write);
        let leaving = self.leaving;
        let cut_off = until(leaving);
        // What cannot be written cannot be answered either.
        let all_out = self.out.is_empty() && self.conn.queued() == 0;
        let silent = self.heard.filter(|_| leaving.is_none() && all_out);
        let silence = until(silent.map(|heard| heard.since + heard.patience));
        tokio::select! {
            read = self.reader.read_buf(self.conn.read_buffer()) => {
                if !matches!(read, Ok(1..)) {
                    self.conn.receive_end();
                }
                if self.heard.is_some() {
                    self.expect_output();
                }
                return self.drain();
            }
            written = write(writer, &self.out) => match written {
                Ok(0) => self.unflushed = false,
                Ok(written) => {
                    self.out.advance(written);
                    self.unflushed = true;
                }
                // What is still on its way in says why.
                Err(_) => self.writer = None,
            },
            request = self.requests.recv(), if takes_requests => match request {
                Some(request) => self.take_requests(request),
                None => self.abandoned = true,
            },
            () = self.orders.notified() => self.obey(),
            () = silence => {
                // A comment: tmux runs nothing, and answers the fence behind it.
                let _ = self.conn.send(&Command::raw("#"));
                self.heard = self.heard.map(Heard::again);
            }
            () = cut_off => {
                self.conn.receive_end();
                return self.drain();
            }
        }
        if self.abandoned && self.inbox.is_closed() {
            self.leave();
        }
        None
    }

    /// How many commands may be unanswered before no more requests are taken.
    fn requests_limit(&self) -> usize {
        self.limits.pending - RESERVE.min(self.limits.pending / 2)
    }

    fn has_written_all(&self) -> bool {
        !self.greeted || (self.out.is_empty() && !self.unflushed && self.conn.queued() == 0)
    }

    fn leave(&mut self) {
        if self.leaving.is_none() {
            self.leaving = Some(Instant::now() + LEAVE);
            if self.heard.is_some() {
                // Up to 3.6 the end of the input of a client with output on its way can end the
                // server (`control.c`, `control_append_data`, "not enough data"); this does not.
                let _ = self.conn.send(&Command::new("detach-client"));
            }
        }
    }

    /// Takes a request, and what else is there, so that they are written at once.
    fn take_requests(&mut self, first: Request) {
        let mut next = Some(first);
        while let Some(request) = next {
            match request {
                Request::Command { command, reply } => match self.conn.send(&command) {
                    Ok(id) => drop(self.waiting.insert(id, Waiting::Caller(reply))),
                    Err(error) => drop(reply.send(Err(error.into()))),
                },
                Request::Detach => {
                    self.leave();
                    return;
                }
            }
            let room =
                self.conn.queued() < WRITE_BACKLOG && self.conn.pending() < self.requests_limit();
            next = if room {
                self.requests.try_recv().ok()
            } else {
                None
            };
        }
    }

    /// Does what flow control asks for.
    fn obey(&mut self) {
        for order in self.inbox.take_orders(self.source) {
            let command = match &order {
                Order::Pause(pane) => flow(*pane, "pause"),
                Order::Continue(pane) => flow(*pane, "continue"),
                Order::Barrier(_) => Command::new("display-message").flag("-p").arg(""),
                Order::Detach => {
                    self.leave();
                    continue;
                }
            };
            match self.conn.send(&command) {
                Ok(id) => drop(self.waiting.insert(id, Waiting::Order(order))),
                // Only a connection that has ended refuses these, and then all panes resync.
                Err(_) => self.inbox.settled(self.source, &order),
            }
        }
    }

    /// Goes through everything that was read, and hands it on at once.
    fn drain(&mut self) -> Option<Exit> {
        let mut exited = None;
        let inbox = Arc::clone(&self.inbox);
        let source = self.source;
        // Taken at the first thing for the consumer, and given up where something else is told.
        let mut intake: Option<Intake<'_>> = None;
        while let Some(polled) = self.conn.poll() {
            match polled {
                Polled::Line { line, chunk } => {
                    if !self.greeted && line.first() != Some(&b'%') {
                        self.said = line.to_vec();
                    }
                    intake
                        .get_or_insert_with(|| inbox.intake(source))
                        .line(line, chunk);
                }
                Polled::Event(Event::Reply(id, result)) => {
                    // Output that came before a reply is handed on before it: whoever has the
                    // reply finds what it followed.
                    intake = None;
                    // Before anyone can see an error, its reason is known.
                    if let Err(ReplyError::Disconnected(exit)) = &result {
                        let _ = self.exit.set(exit.clone());
                    }
                    match self.waiting.remove(&id) {
                        Some(Waiting::Caller(caller)) => {
                            drop(caller.send(result.map_err(ClientError::from)));
                        }
                        Some(Waiting::Order(order)) => inbox.settled(source, &order),
                        None => {}
                    }
                }
                Polled::Event(Event::Attached(_)) => {
                    self.greeted = true;
                    if let Some(process) = &mut self.process {
                        process.set_greeted();
                    }
                }
                Polled::Event(Event::Refused(block)) => self.said = block.text().to_vec(),
                Polled::Event(Event::Unsolicited(block)) => {
                    intake
                        .get_or_insert_with(|| inbox.intake(source))
                        .block(block);
                }
                Polled::Event(Event::Desync(desync)) => {
                    inbox.meter().desync(&desync);
                    intake
                        .get_or_insert_with(|| inbox.intake(source))
                        .desync(desync);
                }
                Polled::Event(Event::Exited(exit)) => {
                    let _ = self.exit.set(exit.clone());
                    intake
                        .get_or_insert_with(|| inbox.intake(source))
                        .exited(exit.clone());
                    exited = Some(exit);
                }
                Polled::Event(Event::Notification(_) | Event::Stray(_)) => {}
            }
        }
        exited
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        let _ = self.exit.set(Exit::Eof);
        if let (Some((attached, output)), Some(exit)) = (&self.attached, self.exit.get()) {
            self.inbox.meter().detached(attached, *output, exit);
        }
        if let Some(process) = self.process.take() {
            let none = Box::new(tokio::io::empty());
            let reader = std::mem::replace(&mut self.reader, none);
            process.let_go(self.writer.take(), reader);
        }
        self.inbox.remove(self.source);
        for waiting in std::mem::take(&mut self.waiting).into_values() {
            match waiting {
                Waiting::Order(order) => self.inbox.settled(self.source, &order),
                // It was sent: whether it ran is not known.
                Waiting::Caller(caller) => {
                    let exit = self.exit.get().cloned().unwrap_or(Exit::Eof);
                    let _ = caller.send(Err(ReplyError::Disconnected(exit).into()));
                }
            }
        }
    }
}

/// Writes some of `out`, or flushes where nothing is left of it: that is `Ok(0)`.
async fn write(writer: Option<&mut Writer>, out: &Bytes) -> io::Result<usize> {
    let Some(writer) = writer else {
        return std::future::pending().await;
    };
    if out.is_empty() {
        writer.flush().await?;
        return Ok(0);
    }
    match writer.write(out).await? {
        0 => Err(io::ErrorKind::WriteZero.into()),
        written => Ok(written),
    }
}

/// `refresh-client -A '%P:STATE'`.
pub(super) fn flow(pane: PaneId, state: &str) -> Command {
    Command::new("refresh-client").option("-A", format!("{pane}:{state}"))
}
