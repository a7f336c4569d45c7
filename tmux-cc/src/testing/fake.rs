//! The fake itself: one control client of a server that is scripted.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::sync::Notify;

use super::asked::{Answer, Asked};
use super::lexer;
use crate::wire::{PaneId, escape_into};

/// How much may be on its way in each direction before a writer waits, in bytes: as in a pipe.
const PIPE: usize = 64 << 10;

type Handler = Box<dyn FnMut(&Asked) -> Answer + Send>;

/// A tmux server with one session and one control client, of which everything is scripted; cheap to
/// clone, and every clone is the same one.
///
/// What it knows by itself: the greeting, `display-message -p` with formats of plain
/// [variables](Self::set), fences, `refresh-client` and a `list-panes` of nothing. Every other command
/// is an error until [`on`](Self::on) says what it answers.
///
/// Example: [`testing`](crate::testing).
#[derive(Clone)]
pub struct FakeTmux {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// There is something to write, or the client is to end.
    changed: Notify,
}

struct State {
    variables: BTreeMap<String, Vec<u8>>,
    handlers: BTreeMap<String, Handler>,
    asked: Vec<Asked>,
    /// Lines that wait for the queue to be woken.
    queue: VecDeque<Vec<u8>>,
    waits: bool,
    out: Vec<u8>,
    number: u32,
    exit: Option<Vec<u8>>,
}

impl fmt::Debug for FakeTmux {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeTmux").finish_non_exhaustive()
    }
}

impl FakeTmux {
    /// A server of that version, such as `3.5a`, with the session `$0`, called `main`.
    #[must_use]
    pub fn new(version: &str) -> Self {
        let variables = [
            ("version", version),
            ("pid", "4242"),
            ("start_time", "1700000000"),
            ("session_id", "$0"),
            ("session_name", "main"),
            ("client_name", "client-4243"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.into()));
        let state = State {
            variables: variables.into(),
            handlers: BTreeMap::new(),
            asked: Vec::new(),
            queue: VecDeque::new(),
            waits: false,
            out: Vec::new(),
            number: 0,
            exit: None,
        };
        let shared = Shared {
            state: Mutex::new(state),
            changed: Notify::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A handler that panics fails its test; others may still look.
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The value of a format variable, for `display-message -p`.
    pub fn set(&self, name: &str, value: impl AsRef<[u8]>) {
        let value = value.as_ref().to_vec();
        self.state().variables.insert(name.to_owned(), value);
    }

    /// From now on that command is answered so; a later call replaces an earlier one.
    pub fn on(&self, command: &str, answer: impl FnMut(&Asked) -> Answer + Send + 'static) {
        let answer = Box::new(answer);
        self.state().handlers.insert(command.to_owned(), answer);
    }

    /// Every command that was asked so far, those of attaching first; without fences.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    /// The client's end: for [`Attach::over`](crate::client::Attach::over).
    ///
    /// Must be called on a tokio runtime. A fake has one client at a time; a new one is greeted anew.
    #[must_use]
    pub fn connect(&self) -> DuplexStream {
        let (near, far) = duplex(PIPE);
        {
            let mut state = self.state();
            state.out.clear();
            state.queue.clear();
            (state.waits, state.exit) = (false, None);
            state.block(0, true, b"");
            let name = state.variables.get("session_name").cloned();
            let id = state.variables.get("session_id").cloned();
            let words = [id.unwrap_or_default(), name.unwrap_or_default()];
            state.say(&[b"%session-changed ", &words.join(&b' ')[..]].concat());
        }
        let (reader, writer) = split(far);
        tokio::spawn(write(Self::clone(self), writer));
        tokio::spawn(read(Self::clone(self), reader));
        near
    }

    /// Says a line outside any block, as it stands: a notification, or what else tmux may print.
    pub fn say(&self, line: impl AsRef<[u8]>) {
        self.state().say(line.as_ref());
        self.shared.changed.notify_one();
    }

    /// A pane prints: `%extended-output`, as a client with `pause-after` gets it.
    pub fn output(&self, pane: PaneId, bytes: &[u8]) {
        let mut line = format!("%extended-output {pane} 0 : ").into_bytes();
        escape_into(bytes, &mut line);
        self.say(line);
    }

    /// A block that nobody typed: what a hook prints.
    pub fn hook(&self, body: impl AsRef<[u8]>) {
        self.state().block(0, true, body.as_ref());
        self.shared.changed.notify_one();
    }

    /// What [`Answer::Wait`] waits for has come.
    pub fn wake(&self) {
        let mut state = self.state();
        state.waits = false;
        state.run();
        drop(state);
        self.shared.changed.notify_one();
    }

    /// The client ends: `%exit`, with a reason where there is one.
    pub fn exit(&self, reason: &str) {
        self.state().exit.get_or_insert_with(|| reason.into());
        self.shared.changed.notify_one();
    }
}

impl State {
    fn say(&mut self, line: &[u8]) {
        self.out.extend_from_slice(line);
        self.out.push(b'\n');
    }

    /// Writes a block; numbers are the server's and rise with gaps.
    fn block(&mut self, flags: u8, ok: bool, body: &[u8]) {
        self.number = self.number.wrapping_add(1 + self.number % 3);
        let guard = format!("1700000000 {} {flags}", self.number);
        let end = if ok { "%end" } else { "%error" };
        self.out
            .extend_from_slice(format!("%begin {guard}\n").as_bytes());
        self.out.extend_from_slice(body);
        if !body.is_empty() && !body.ends_with(b"\n") {
            self.out.push(b'\n');
        }
        self.say(format!("{end} {guard}").as_bytes());
    }

    /// Runs the lines that nothing waits for.
    fn run(&mut self) {
        while !self.waits
            && self.exit.is_none()
            && let Some(line) = self.queue.pop_front()
        {
            if line.is_empty() {
                self.exit = Some(Vec::new());
            }
            for words in lexer::commands(&line) {
                let Some(asked) = Asked::of(words) else {
                    continue;
                };
                if !self.command(asked) {
                    break;
                }
            }
        }
    }

    /// Runs a command; `false` where the rest of its line does not run.
    fn command(&mut self, asked: Asked) -> bool {
        let answer = match self.handlers.get_mut(&asked.name) {
            Some(handler) => handler(&asked),
            None => self.own(&asked),
        };
        if !is_fence(&asked) {
            self.asked.push(asked);
        }
        match answer {
            Answer::Ok(body) => {
                self.block(1, true, &body);
                true
            }
            Answer::Error(words) => {
                self.block(1, false, &words);
                false
            }
            Answer::Blocks(blocks) => {
                for (ok, body) in &blocks {
                    self.block(1, *ok, body);
                }
                blocks.iter().all(|(ok, _)| *ok)
            }
            Answer::Wait => {
                self.block(1, true, b"");
                self.waits = true;
                true
            }
            Answer::Exit => {
                self.block(1, true, b"");
                self.exit = Some(Vec::new());
                false
            }
        }
    }

    /// What it answers by itself.
    fn own(&self, asked: &Asked) -> Answer {
        match (&asked.name[..], &asked.arguments[..]) {
            ("display-message", [flag, format]) if flag == b"-p" => {
                let mut text = self.expand(format);
                text.push(b'\n');
                Answer::Ok(text)
            }
            ("detach-client" | "kill-server", _) => Answer::Exit,
            // A client that takes output asks for the panes that are there already.
            ("refresh-client" | "list-panes", _) => Answer::Ok(Vec::new()),
            (name, _) => Answer::error(format!("parse error: unknown command: {name}")),
        }
    }

    /// A format of plain variables; one that is not known is empty, as in tmux.
    fn expand(&self, format: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        let mut rest = format;
        while let Some((&byte, behind)) = rest.split_first() {
            let inner = rest.strip_prefix(b"#{");
            let inner = inner.and_then(|inner| {
                let end = inner.iter().position(|&byte| byte == b'}')?;
                Some((inner.get(..end)?, inner.get(end + 1..)?))
            });
            if let Some((name, behind)) = inner {
                let name = String::from_utf8_lossy(name);
                let value = self.variables.get(name.as_ref());
                text.extend_from_slice(value.map(Vec::as_slice).unwrap_or_default());
                rest = behind;
            } else {
                text.push(byte);
                rest = behind;
            }
        }
        text
    }
}

/// Is it what this library puts behind each command?
fn is_fence(asked: &Asked) -> bool {
    let prints = asked.name == "display-message" && asked.has("-p");
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    let nonce = |text: &Vec<u8>| text.len() > 32 && text.iter().all(is_word);
    prints && asked.arguments.last().is_some_and(nonce)
}

/// Takes what the client sends, until it leaves.
async fn read(fake: FakeTmux, mut from: ReadHalf<DuplexStream>) {
    let (mut typed, mut chunk) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = from.read(&mut chunk).await {
        typed.extend_from_slice(chunk.get(..read).unwrap_or_default());
        let mut state = fake.state();
        while let Some(at) = typed.iter().position(|&byte| byte == b'\n') {
            let rest = typed.split_off(at + 1);
            let mut line = std::mem::replace(&mut typed, rest);
            line.pop();
            state.queue.push_back(line);
        }
        state.run();
        drop(state);
        fake.shared.changed.notify_one();
    }
    fake.exit("");
}

/// Writes what there is, until the client ends.
async fn write(fake: FakeTmux, mut to: WriteHalf<DuplexStream>) {
    loop {
        let (mut out, exit) = {
            let mut state = fake.state();
            (std::mem::take(&mut state.out), state.exit.clone())
        };
        if let Some(reason) = &exit {
            out.extend_from_slice(b"%exit");
            if !reason.is_empty() {
                out.push(b' ');
                out.extend_from_slice(reason);
            }
            out.push(b'\n');
        }
        // A client that has gone reads nothing more.
        let written = to.write_all(&out).await;
        if written.is_err() || exit.is_some() {
            let _ = to.shutdown().await;
            return;
        }
        fake.shared.changed.notified().await;
    }
}
