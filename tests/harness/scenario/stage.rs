//! A private server and the raw control clients on it, with everything they read.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

use super::transcript::{Step, Transcript, What};
use crate::process::Process;
use crate::server::{Boot, Server};
use crate::wait::{self, PATIENCE};

/// What runs in panes: prints the file whose name it reads, and nothing else, as raw bytes.
const PRINTER: &str =
    "stty raw -echo; printf ready; while IFS= read -r f; do cat \"$f\"; : >\"$f.done\"; done";

/// What runs where the pane only has to be there.
const SILENT: &str = "stty raw -echo; exec cat";

/// A pipe as small as Linux makes them; nobody else does.
const SMALL_PIPE: usize = 4096;

/// How much of a stream is shown when its case fails.
const TAIL: usize = 500;

/// A private server, and the clients that are recorded on it.
#[derive(Debug)]
pub struct Stage {
    /// The server.
    pub server: Server,
    case: String,
    version: (u32, u32),
    clients: Vec<Client>,
}

/// Which client of a stage; 0 is the first.
pub type Who = usize;

impl Stage {
    /// A stage whose server does not run yet.
    pub(super) fn empty(case: &str) -> Self {
        let server = Server::empty();
        let version = server.version();
        let number = version.trim_start_matches(|c: char| !c.is_ascii_digit());
        let number: Vec<u32> = number
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|part| part.parse().ok())
            .collect();
        Self {
            server,
            case: case.to_owned(),
            version: (number[0], number[1]),
            clients: Vec::new(),
        }
    }

    /// Starts the server with a window `w0` of 60x20 and a printer in its pane, and the options
    /// without which names and times would change on their own.
    pub(super) fn boot(&self) {
        self.server
            .boot(&Boot::running(["sh", "-c", PRINTER]).size(60, 20));
        for command in [
            &["set-option", "-g", "automatic-rename", "off"][..],
            &["set-option", "-g", "status", "off"],
            &["set-option", "-g", "default-size", "60x20"],
            &["set-option", "-g", "default-command", SILENT],
            &["rename-window", "-t", "main", "w0"],
            &["select-pane", "-t", "main", "-T", "title"],
        ] {
            self.server.tmux(command);
        }
        let server = &self.server;
        wait::until(PATIENCE, "the printer to be ready", || {
            server.answer(["capture-pane", "-p", "-t", "main"]) != "\n".repeat(19)
        });
    }

    /// Is the server at least of this version? A patch letter does not count.
    #[must_use]
    pub fn at_least(&self, major: u32, minor: u32) -> bool {
        self.version >= (major, minor)
    }

    /// Writes a file where the server's panes and `source-file` find it by its name.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.server.dir().join(name), content).expect("our directory can be written");
    }

    /// Starts a client over pipes, with these arguments behind `tmux -u -C`.
    pub fn start(&mut self, name: &str, args: &[&str]) -> Who {
        self.start_bare(name, &[&["-u", "-C"], args].concat())
    }

    /// Starts a client over pipes, with these arguments alone.
    pub fn start_bare(&mut self, name: &str, args: &[&str]) -> Who {
        let command = self.server.command();
        self.start_with(name, args, command)
    }

    /// Starts a client over pipes whose environment does not know of UTF-8.
    pub fn start_without_utf8(&mut self, name: &str, args: &[&str]) -> Who {
        let mut command = self.server.command();
        command.env("LANG", "C");
        self.start_with(name, args, command)
    }

    fn start_with(&mut self, name: &str, args: &[&str], mut command: Command) -> Who {
        command.args(args);
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("tmux starts");
        self.enter(name, args, child, None)
    }

    /// Starts a client on a terminal of its own, as `-CC` needs it.
    pub fn start_on_pty(&mut self, name: &str, args: &[&str]) -> Who {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pty");
        grantpt(&master).expect("our pty");
        unlockpt(&master).expect("our pty");
        let path = ptsname(&master, Vec::new()).expect("our pty has a name");
        let path = path.into_string().expect("a name in ASCII");
        let open = || {
            let file = File::options().read(true).write(true).open(&path);
            file.expect("our pty opens")
        };
        let args = [&["-u", "-CC"], args].concat();
        let mut command = self.server.command();
        command.args(&args);
        let child = command
            .stdin(open())
            .stdout(open())
            .stderr(Stdio::null())
            .spawn()
            .expect("tmux starts");
        self.enter(name, &args, child, Some((master, path)))
    }

    /// Starts a client on the session `main`, and waits until it is there.
    pub fn attach(&mut self, name: &str, args: &[&str]) -> Who {
        let who = self.start(name, &[&["attach-session", "-t", "main"], args].concat());
        self.on(who).expect("%session-changed ");
        who
    }

    fn enter(
        &mut self,
        name: &str,
        args: &[&str],
        child: Child,
        pty: Option<(OwnedFd, String)>,
    ) -> Who {
        let transcript = Transcript {
            name: match name {
                "" => self.case.clone(),
                _ => format!("{}.{name}", self.case),
            },
            started: args.join(" "),
            ..Transcript::default()
        };
        self.clients.push(Client::new(child, pty, transcript));
        self.clients.len() - 1
    }

    /// A client.
    pub fn on(&mut self, who: Who) -> &mut Client {
        &mut self.clients[who]
    }

    /// What tmux calls a client.
    #[must_use]
    pub fn name(&self, who: Who) -> String {
        self.clients[who].name()
    }

    /// Sends a command on the first client; see [`Client::send`].
    #[track_caller]
    pub fn send(&mut self, line: impl AsRef<[u8]>) {
        self.on(0).send(line);
    }

    /// Sends several commands on the first client, one after the other.
    #[track_caller]
    pub fn send_all(&mut self, lines: &[&str]) {
        for line in lines {
            self.send(line);
        }
    }

    /// Waits for a line on the first client; see [`Client::expect`].
    #[track_caller]
    pub fn expect(&mut self, start: &str) {
        self.on(0).expect(start);
    }

    /// Waits until the first client hears that a window has closed, in either form.
    #[track_caller]
    pub fn expect_closed(&mut self, window: &str) {
        let forms = ["", "unlinked-"].map(|kind| format!("%{kind}window-close {window}"));
        self.on(0).wait(&forms[0], |lines| {
            let closed = |line: &&[u8]| forms.iter().any(|form| line.starts_with(form.as_bytes()));
            lines.iter().any(closed)
        });
    }

    /// Waits for a line on the first client, wherever in its stream it stands.
    #[track_caller]
    pub fn expect_ever(&mut self, start: &str) {
        self.on(0).expect_ever(start);
    }

    /// Runs a tmux command that is no control client's.
    #[track_caller]
    pub fn elsewhere(&mut self, args: &[&str]) {
        self.note(&What::Elsewhere(args.join(" ").into_bytes()));
        self.server.tmux(args);
    }

    /// Takes note of the process of a server that a client has started.
    #[track_caller]
    pub fn running(&self) {
        self.server.pid();
    }

    /// Waits until the server is gone.
    #[track_caller]
    pub fn gone(&self) {
        wait::until(PATIENCE, "the end of the server", || !self.server.alive());
    }

    /// Kills the server as a crash would.
    pub fn crash(&mut self) {
        self.note(&What::Deed(b"SIGKILL to the server".to_vec()));
        self.server.kill_hard();
    }

    /// Has the printer in a pane print a file of this content, and waits until the first client
    /// has all of it. Contents must differ: the end of one is what is waited for.
    #[track_caller]
    pub fn print(&mut self, pane: &str, file: &str, content: impl AsRef<[u8]>) {
        self.file(file, content.as_ref());
        self.send(format!("send-keys -t '{pane}' -l {file}"));
        self.send(format!("send-keys -t '{pane}' -H 0a"));
        self.on(0).expect_output(pane, content.as_ref());
    }

    /// Waits until the printer has printed a file: until the server has read it, or nearly.
    #[track_caller]
    pub fn printed(&self, file: &str) {
        let done = self.server.dir().join(format!("{file}.done"));
        wait::until(PATIENCE, &format!("{file} to be printed"), || done.exists());
    }

    /// Enters something into what was done to every client that lives.
    fn note(&mut self, what: &What) {
        for client in &mut self.clients {
            if !client.ended {
                client.pump();
                client.note(what.clone());
            }
        }
    }

    /// What every client read, without what belongs to this machine and this run.
    pub(super) fn finish(mut self) -> Vec<Transcript> {
        for who in 0..self.clients.len() {
            if self.clients[who].ended {
                continue;
            }
            self.clients[who].detach();
            // The others are told, and else could be gone before they are.
            let told = format!("%client-detached {}", self.name(who));
            for other in self.clients.iter_mut().filter(|client| !client.ended) {
                other.expect_ever(&told);
            }
        }
        let dir = self
            .server
            .dir()
            .to_str()
            .expect("a path in ASCII")
            .to_owned();
        let pids: Vec<u32> = self
            .clients
            .iter()
            .map(|client| client.child.id())
            .collect();
        let ttys: Vec<Option<String>> = self.clients.iter().map(Client::tty).collect();
        let mut transcripts: Vec<Transcript> = self
            .clients
            .iter_mut()
            .map(|client| std::mem::take(&mut client.transcript))
            .collect();
        for transcript in &mut transcripts {
            transcript.hide(&dir, &format!("/{}", "x".repeat(dir.len() - 1)));
            for (number, pid) in (1..).zip(&pids) {
                let pid = pid.to_string();
                let digits = format!("{}", number % 10).repeat(pid.len());
                transcript.hide(&format!("client-{pid}"), &format!("client-{digits}"));
            }
            for tty in ttys.iter().flatten() {
                let nobody: String = tty
                    .chars()
                    .map(|c| if c.is_ascii_digit() { '0' } else { c })
                    .collect();
                transcript.hide(tty, &nobody);
            }
        }
        transcripts
    }
}

/// A control client of which every byte is kept.
///
/// It reads only when it is asked to wait, so not asking is what a stalled reader is.
#[derive(Debug)]
pub struct Client {
    child: Child,
    process: Process,
    /// Writes and, on a terminal, reads.
    input: Option<File>,
    output: File,
    tty: Option<String>,
    transcript: Transcript,
    /// Where the stream was when the last thing was sent: what is expected comes behind it.
    mark: usize,
    fences: usize,
    /// Reads nothing until something is waited for.
    stalled: bool,
    ended: bool,
}

impl Client {
    fn new(mut child: Child, pty: Option<(OwnedFd, String)>, transcript: Transcript) -> Self {
        let (input, output, tty) = match pty {
            Some((master, tty)) => {
                let again = master.try_clone().expect("a descriptor");
                (File::from(master), File::from(again), Some(tty))
            }
            None => {
                let input: OwnedFd = child.stdin.take().expect("piped").into();
                let output: OwnedFd = child.stdout.take().expect("piped").into();
                (File::from(input), File::from(output), None)
            }
        };
        rustix::io::ioctl_fionbio(output.as_fd(), true).expect("our descriptor");
        Self {
            process: Process::of(child.id()),
            child,
            input: Some(input),
            output,
            tty,
            transcript,
            mark: 0,
            fences: 0,
            stalled: false,
            ended: false,
        }
    }

    fn tty(&self) -> Option<String> {
        self.tty.clone()
    }

    /// What tmux calls it.
    #[must_use]
    pub fn name(&self) -> String {
        self.tty
            .clone()
            .unwrap_or_else(|| format!("client-{}", self.process.pid()))
    }

    /// Sends a command with a fence under it, in one write, and waits for the fence.
    #[track_caller]
    pub fn send(&mut self, line: impl AsRef<[u8]>) {
        self.post(line);
        self.fenced();
    }

    /// Sends a command with a fence under it, in one write.
    pub fn post(&mut self, line: impl AsRef<[u8]>) {
        let line = line.as_ref();
        let (fence, _) = Transcript::fence(self.fences);
        self.fences += 1;
        let lines = [line, b"\n", fence.as_bytes(), b"\n"].concat();
        self.write(&lines, What::Command(line.to_vec()));
    }

    /// Waits for the fence of what was sent last.
    #[track_caller]
    pub fn fenced(&mut self) {
        let (_, fence) = Transcript::fence(self.fences - 1);
        self.wait(&format!("the fence {fence}"), |lines| {
            let at = lines.iter().position(|line| *line == fence.as_bytes());
            at.is_some_and(|at| lines.get(at + 1).is_some_and(|l| l.starts_with(b"%end ")))
        });
    }

    /// Sends bytes as they are.
    pub fn raw(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        self.write(bytes, What::Bytes(bytes.to_vec()));
    }

    fn write(&mut self, bytes: &[u8], what: What) {
        self.pump();
        self.mark = self.transcript.stream.len();
        self.note(what);
        let input = self.input.as_mut().expect("its input is open");
        input.write_all(bytes).expect("a line fits into the pipe");
    }

    /// Waits for a line that starts like this, behind where the last thing was sent.
    #[track_caller]
    pub fn expect(&mut self, start: &str) {
        self.expect_times(1, start);
    }

    /// Waits for a line, wherever in the stream it stands.
    #[track_caller]
    pub fn expect_ever(&mut self, start: &str) {
        let mark = std::mem::take(&mut self.mark);
        self.expect(start);
        self.mark = mark;
    }

    /// Waits for so many lines that start like this.
    #[track_caller]
    pub fn expect_times(&mut self, times: usize, start: &str) {
        self.wait(&format!("{times} x {start}"), |lines| {
            let found = lines
                .iter()
                .filter(|line| line.starts_with(start.as_bytes()));
            found.count() >= times
        });
    }

    /// Waits until a pane's output ends like this.
    #[track_caller]
    pub fn expect_output(&mut self, pane: &str, end: &[u8]) {
        let end = escaped(end);
        self.wait(&format!("output of {pane}"), |lines| {
            let said: Vec<u8> = lines
                .iter()
                .flat_map(|line| payload(line, pane))
                .copied()
                .collect();
            said.ends_with(&end)
        });
    }

    /// From here on its pipe holds 4096 bytes and no more, and nobody reads it until something
    /// is waited for.
    pub fn stall(&mut self) {
        self.pump();
        #[cfg(target_os = "linux")]
        rustix::pipe::fcntl_setpipe_size(self.output.as_fd(), SMALL_PIPE).expect("a small pipe");
        self.note(What::Deed(b"reading stops".to_vec()));
        self.stalled = true;
    }

    /// Waits, without reading, until its pipe is full.
    #[track_caller]
    pub fn filled(&mut self) {
        let output = &self.output;
        wait::until(PATIENCE, "the pipe to be full", || {
            let held = rustix::io::ioctl_fionread(output.as_fd()).expect("our pipe");
            held >= SMALL_PIPE as u64
        });
    }

    /// Closes its input.
    pub fn hang_up(&mut self) {
        self.pump();
        self.note(What::Deed(b"its input ends".to_vec()));
        self.input = None;
    }

    /// Sends a signal to its process.
    pub fn signal(&mut self, signal: Signal, name: &str) {
        self.pump();
        self.note(What::Deed(name.as_bytes().to_vec()));
        self.process.signal(signal).expect("our own child");
    }

    /// Sends the empty line that detaches, and waits for its end.
    #[track_caller]
    pub fn detach(&mut self) {
        self.raw("\n");
        self.ends();
    }

    /// Waits, without reading, until its process has ended.
    #[track_caller]
    pub fn dies_unread(&mut self) {
        let child = &mut self.child;
        wait::until(PATIENCE, "the end of a client that is not read", || {
            child.try_wait().expect("our own child").is_some()
        });
    }

    /// Waits until it has ended and everything it wrote is read.
    #[track_caller]
    pub fn ends(&mut self) {
        let what = format!("the end of {}", self.transcript.name);
        self.stalled = false;
        let child = &mut self.child;
        // A terminal has no end that the other side could see while we hold a descriptor of it.
        wait::until(PATIENCE, &what, || {
            pump(&mut self.output, &mut self.transcript.stream);
            child.try_wait().expect("our own child").is_some()
        });
        self.pump();
        self.ended = true;
    }

    #[track_caller]
    fn wait(&mut self, what: &str, found: impl Fn(&[&[u8]]) -> bool) {
        self.stalled = false;
        let Self {
            output,
            transcript,
            mark,
            ..
        } = self;
        let mut seen = 0;
        let name = transcript.name.clone();
        wait::until(PATIENCE, &format!("{what} on {name}"), || {
            pump(output, &mut transcript.stream);
            let stream = &transcript.stream[*mark..];
            if stream.len() == seen {
                return false;
            }
            seen = stream.len();
            let whole = stream.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
            let lines: Vec<&[u8]> = stream[..whole]
                .split(|byte| *byte == b'\n')
                .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
                .collect();
            found(&lines)
        });
    }

    /// Reads what there is, unless reading has stopped.
    fn pump(&mut self) {
        if self.stalled {
            return;
        }
        pump(&mut self.output, &mut self.transcript.stream);
    }

    fn note(&mut self, what: What) {
        let at = self.transcript.stream.len();
        self.transcript.steps.push(Step { at, what });
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // Only where a case has failed: the server would not end while its pipe is full.
        if !self.ended {
            let stream = &self.transcript.stream;
            let tail = &stream[stream.len().saturating_sub(TAIL)..];
            eprintln!(
                "{} last read: {}",
                self.transcript.name,
                tail.escape_ascii()
            );
            let _ = self.process.kill();
            let _ = self.child.wait();
        }
    }
}

fn pump(output: &mut File, stream: &mut Vec<u8>) {
    match output.read_to_end(stream) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::WouldBlock => {}
        // What Linux says of a terminal whose other side is closed.
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => {}
        Err(error) => panic!("cannot read a client: {error}"),
    }
}

/// The escaped bytes of an output line of a pane; none of any other line.
fn payload<'a>(line: &'a [u8], pane: &str) -> &'a [u8] {
    if let Some(data) = line.strip_prefix(format!("%output {pane} ").as_bytes()) {
        return data;
    }
    let extended = line.strip_prefix(format!("%extended-output {pane} ").as_bytes());
    let data = extended.and_then(|rest| {
        let at = rest.windows(3).position(|window| window == b" : ")?;
        rest.get(at + 3..)
    });
    data.unwrap_or_default()
}

/// Bytes as they stand in output lines.
fn escaped(bytes: &[u8]) -> Vec<u8> {
    let mut said = Vec::new();
    for &byte in bytes {
        match byte {
            0..0x20 | b'\\' => write!(said, "\\{byte:03o}").expect("a vector takes all"),
            _ => said.push(byte),
        }
    }
    said
}
