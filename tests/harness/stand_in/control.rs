//! The control socket: orders a line, answers a line.
//!
//! The answer is `ok` once the order is done and the screen is painted, `error: ...` when it is
//! none, and JSON (a [`Report`](super::report::Report)) for `state?` and `await`.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use super::script::Until;

/// A line that is longer is nobody's order.
const LONGEST: usize = 1024 * 1024;

/// The socket, and who is connected.
#[derive(Debug)]
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
    peers: Vec<Peer>,
    next: u64,
}

#[derive(Debug)]
struct Peer {
    id: u64,
    stream: UnixStream,
    read: Vec<u8>,
    waits_for: Option<Until>,
    gone: bool,
}

impl Control {
    /// Begins to listen; what a killed stand-in left there is replaced.
    ///
    /// # Errors
    /// When there is something else of that name, or the path is too long.
    pub fn bind(path: &Path) -> io::Result<Self> {
        match fs::symlink_metadata(path) {
            Ok(found) if found.file_type().is_socket() => fs::remove_file(path)?,
            Ok(_) => return Err(ErrorKind::AlreadyExists.into()),
            Err(_) => {}
        }
        let listener = UnixListener::bind(path)?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            peers: Vec::new(),
            next: 0,
        })
    }

    /// What to wait on.
    pub fn waits_on(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let peers = self.peers.iter().map(|peer| peer.stream.as_fd());
        std::iter::once(self.listener.as_fd()).chain(peers)
    }

    /// The lines that have come, each with the peer that is to be answered.
    pub fn lines(&mut self) -> Vec<(u64, String)> {
        while let Ok((stream, _)) = self.listener.accept() {
            if stream.set_nonblocking(true).is_ok() {
                self.next += 1;
                self.peers.push(Peer {
                    id: self.next,
                    stream,
                    read: Vec::new(),
                    waits_for: None,
                    gone: false,
                });
            }
        }
        let mut lines = Vec::new();
        for peer in &mut self.peers {
            peer.receive();
            while let Some(end) = peer.read.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = peer.read.drain(..=end).collect();
                lines.push((peer.id, String::from_utf8_lossy(&line).trim().to_owned()));
            }
        }
        self.peers
            .retain(|peer| !peer.gone || !peer.read.is_empty());
        lines
    }

    /// Answers a peer.
    pub fn answer(&mut self, id: u64, text: &str) {
        let Some(peer) = self.peers.iter_mut().find(|peer| peer.id == id) else {
            return;
        };
        // Small beside the buffer of a socket: a peer that never reads is not waited for.
        if peer
            .stream
            .write_all(format!("{text}\n").as_bytes())
            .is_err()
        {
            peer.gone = true;
        }
    }

    /// A peer is to be answered when something is so.
    pub fn awaits(&mut self, id: u64, until: Until) {
        if let Some(peer) = self.peers.iter_mut().find(|peer| peer.id == id) {
            peer.waits_for = Some(until);
        }
    }

    /// The peers for which it is so now; they wait no longer.
    pub fn settled(&mut self, is: impl Fn(&Until) -> bool) -> Vec<u64> {
        let mut ids = Vec::new();
        for peer in &mut self.peers {
            if peer.waits_for.take_if(|until| is(until)).is_some() {
                ids.push(peer.id);
            }
        }
        ids
    }
}

impl Peer {
    fn receive(&mut self) {
        let mut buffer = [0; 4096];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => self.gone = true,
                Ok(length) => {
                    self.read
                        .extend_from_slice(buffer.get(..length).unwrap_or_default());
                    if self.read.len() <= LONGEST {
                        continue;
                    }
                    self.gone = true;
                    self.read.clear();
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => self.gone = true,
            }
            break;
        }
        if self.gone && !self.read.ends_with(b"\n") {
            // Half a line is no order.
            let end = self.read.iter().rposition(|byte| *byte == b'\n');
            self.read.truncate(end.map_or(0, |end| end + 1));
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
