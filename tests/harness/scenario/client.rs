//! A raw control client, of which every byte is kept.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::Child;

use rustix::process::Signal;

use super::transcript::{Step, Transcript, What};
use crate::process::Process;
use crate::wait::{self, PATIENCE};

/// A pipe as small as Linux makes them; nobody else does.
const SMALL_PIPE: usize = 4096;

/// How much of a stream is shown when its case fails.
const TAIL: usize = 500;

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
    /// A client that has just been started; one on a terminal with that and its path.
    pub(super) fn new(
        mut child: Child,
        pty: Option<(OwnedFd, String)>,
        transcript: Transcript,
    ) -> Self {
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

    /// Waits until `found` finds what it looks for in the lines behind the mark.
    #[track_caller]
    pub(super) fn wait(&mut self, what: &str, found: impl Fn(&[&[u8]]) -> bool) {
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

    /// Has it ended, and is everything it wrote read?
    pub(super) const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Lets go of what it read.
    pub(super) fn take_transcript(&mut self) -> Transcript {
        std::mem::take(&mut self.transcript)
    }

    /// Reads what there is, unless reading has stopped.
    pub(super) fn pump(&mut self) {
        if self.stalled {
            return;
        }
        pump(&mut self.output, &mut self.transcript.stream);
    }

    /// Enters something into what was done.
    pub(super) fn note(&mut self, what: What) {
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
