//! Clients of a server that are not ours: tmux's own, as a user has one, and one that breaks off
//! in the middle of its handshake.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::process::Process;
use crate::server::Server;
use crate::wait::{PATIENCE, until};

/// A control client with tmux's own defaults, whose output is read at once.
#[derive(Debug)]
pub struct Raw {
    child: Child,
    stdin: Option<ChildStdin>,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Raw {
    /// `tmux -C attach-session -t TARGET`, attached.
    ///
    /// # Panics
    ///
    /// When it does not attach.
    #[must_use]
    pub fn attach(server: &Server, target: &str) -> Self {
        Self::attach_flagged(server, target, "")
    }

    /// The same with `-f FLAGS`.
    ///
    /// # Panics
    ///
    /// When it does not attach.
    #[must_use]
    pub fn attach_flagged(server: &Server, target: &str, flags: &str) -> Self {
        let mut command = server.command();
        command.args(["-u", "-C", "attach-session", "-f", flags, "-t", target]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("tmux starts");
        let mut stdout = child.stdout.take().expect("a pipe");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let raw = Self {
            stdin: child.stdin.take(),
            child,
            seen: Arc::clone(&seen),
        };
        thread::spawn(move || {
            let mut buffer = vec![0; 64 << 10];
            while let Ok(read @ 1..) = stdout.read(&mut buffer) {
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.extend_from_slice(&buffer[..read]);
            }
        });
        until(PATIENCE, "the client to be attached", || {
            raw.lines()
                .iter()
                .any(|line| line.starts_with(b"%session-changed "))
        });
        raw
    }

    /// Its process.
    #[must_use]
    pub fn process(&self) -> Process {
        Process::of(self.child.id())
    }

    /// Sends a line.
    ///
    /// # Panics
    ///
    /// When it has ended.
    pub fn say(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("open until it is dropped");
        stdin
            .write_all(format!("{line}\n").as_bytes())
            .expect("the client reads");
    }

    /// The whole lines that it was sent so far.
    #[must_use]
    pub fn lines(&self) -> Vec<Vec<u8>> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = seen.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
        let lines = seen[..whole].split(|byte| *byte == b'\n');
        lines.map(<[u8]>::to_vec).collect()
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // It leaves by itself, unless its server hangs: then it goes with that.
        let process = self.process();
        let leaver = thread::spawn(move || {
            until(PATIENCE, "the client's end", || !process.alive());
        });
        if leaver.join().is_err() {
            let _ = process.kill();
        }
        let _ = self.child.wait();
    }
}

/// A message of tmux's own protocol (`compat/imsg.h`): type, length, flags, peer, process.
fn message(kind: u32, data: &[u8]) -> Vec<u8> {
    /// `PROTOCOL_VERSION` of `tmux-protocol.h`: all tmux from 1.8 on.
    const PROTOCOL: u32 = 8;
    const HEADER: u16 = 16;
    let length = HEADER + u16::try_from(data.len()).expect("a short message");
    let mut bytes = Vec::new();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(length.to_ne_bytes());
    bytes.extend(0_u16.to_ne_bytes());
    bytes.extend(PROTOCOL.to_ne_bytes());
    bytes.extend(std::process::id().to_ne_bytes());
    bytes.extend(data);
    bytes
}

/// Says to the server that it is a control client, and hangs up before the handshake is over.
///
/// # Panics
///
/// When nobody listens.
pub fn break_off(socket: &Path) {
    /// `MSG_IDENTIFY_LONGFLAGS`, and `CLIENT_CONTROL` as its flags.
    const LONGFLAGS: u32 = 111;
    const CONTROL: u64 = 0x2000;
    let mut server = UnixStream::connect(socket).expect("a server listens");
    server
        .write_all(&message(LONGFLAGS, &CONTROL.to_ne_bytes()))
        .expect("the server reads");
}
