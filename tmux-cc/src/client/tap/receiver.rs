//! Where the helpers bring the descriptors to.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs};

use rustix::fs::FileType;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use tokio::io::Interest;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{sleep, timeout};

use super::word::{LONGEST, Word};

/// The longest path of a socket that is used: `sun_path` has room for 108 bytes on Linux, 104 on
/// macOS.
const LONGEST_SOCKET: usize = 100;

/// How many helpers may be connected at a time; more wait until these are done.
const HELPERS: usize = 64;

/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A socket in a directory that only this user may enter; both go when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    directory: PathBuf,
    socket: PathBuf,
}

impl Place {
    /// Makes the directory, under `$XDG_RUNTIME_DIR` or where temporary files go.
    fn new() -> io::Result<Self> {
        let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let bases = [runtime, Some(env::temp_dir()), Some("/tmp".into())];
        let mut failed = io::Error::from(io::ErrorKind::NotFound);
        for base in bases.into_iter().flatten().filter(|b| b.is_absolute()) {
            match Self::under(&base) {
                Ok(place) => return Ok(place),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    fn under(base: &Path) -> io::Result<Self> {
        let mut name = [0; 8];
        getrandom::fill(&mut name).map_err(|_| io::ErrorKind::Other)?;
        let directory = base.join(format!("tmux-cc-tap-{:016x}", u64::from_ne_bytes(name)));
        let socket = directory.join("s");
        if socket.as_os_str().len() > LONGEST_SOCKET {
            return Err(io::ErrorKind::InvalidFilename.into());
        }
        // It must not be there: what another has made is another's.
        fs::DirBuilder::new().mode(0o700).create(&directory)?;
        Ok(Self { directory, socket })
    }

    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Removes what a tap that was killed has left behind.
    pub(super) fn clear(socket: &Path) {
        let Some(directory) = socket.parent() else {
            return;
        };
        let is_ours = directory
            .file_name()
            .is_some_and(|name| name.as_bytes().starts_with(b"tmux-cc-tap-"));
        if is_ours && socket.file_name().is_some_and(|name| name == "s") {
            let _ = fs::remove_file(socket);
            let _ = fs::remove_dir(directory);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        Self::clear(&self.socket);
        debug_assert!(!self.directory.exists(), "it holds what is none of ours");
    }
}

/// A pane's pipe, and what it was handed over with.
#[derive(Debug)]
pub(super) struct Handed {
    pub(super) word: Word,
    pub(super) pipe: OwnedFd,
}

/// Begins to listen.
///
/// # Errors
/// There is no directory that can be used.
pub(super) fn listen() -> io::Result<(Place, UnixListener)> {
    let place = Place::new()?;
    let listener = UnixListener::bind(place.socket())?;
    Ok((place, listener))
}

/// Takes what helpers bring, for as long as anybody wants it.
pub(super) async fn receive(listener: UnixListener, to: mpsc::UnboundedSender<Handed>) {
    let helpers = Arc::new(Semaphore::new(HELPERS));
    let own = rustix::process::geteuid().as_raw();
    while let Ok(turn) = Arc::clone(&helpers).acquire_owned().await {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Too many descriptors are open, most likely; the helper waits.
                    tracing::warn!(%error, "cannot accept a pane's pipe");
                    sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = to.closed() => return,
        };
        if stream.peer_cred().map(|peer| peer.uid()).ok() != Some(own) {
            tracing::warn!("another user's process has tried to hand over a pane's pipe");
            continue;
        }
        let to = to.clone();
        tokio::spawn(async move {
            if let Ok(Ok(handed)) = timeout(PATIENCE, read(&stream)).await {
                // Who takes it may be gone, and then the pane has no pipe.
                let _ = to.send(handed);
            }
            drop(turn);
        });
    }
}

/// Reads one word and the descriptor that comes with it.
async fn read(stream: &UnixStream) -> io::Result<Handed> {
    let mut line = Vec::new();
    let mut pipe = None;
    loop {
        let (bytes, came) = stream
            .async_io(Interest::READABLE, || read_some(stream))
            .await?;
        line.extend_from_slice(&bytes);
        pipe = pipe.or(came);
        if let Some(word) = line.strip_suffix(b"\n") {
            let word = Word::parse(word).ok_or(io::ErrorKind::InvalidData)?;
            let pipe = pipe.ok_or(io::ErrorKind::InvalidData)?;
            // Anything else might be a device that acts when it is read.
            let kind = FileType::from_raw_mode(rustix::fs::fstat(&pipe)?.st_mode);
            if kind != FileType::Socket {
                return Err(io::ErrorKind::InvalidData.into());
            }
            rustix::io::ioctl_fionbio(&pipe, true)?;
            return Ok(Handed { word, pipe });
        }
        if bytes.is_empty() || line.len() > LONGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
}

fn read_some(stream: &UnixStream) -> io::Result<(Vec<u8>, Option<OwnedFd>)> {
    #[cfg(target_os = "linux")]
    let flags = RecvFlags::CMSG_CLOEXEC;
    #[cfg(not(target_os = "linux"))]
    let flags = RecvFlags::empty();
    let mut bytes = [0; LONGEST + 1];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut slices = [io::IoSliceMut::new(&mut bytes)];
    let received = recvmsg(stream, &mut slices, &mut control, flags)?;
    // All of them are closed but the first.
    let mut pipes = control.drain().flat_map(|message| match message {
        RecvAncillaryMessage::ScmRights(pipes) => pipes.collect::<Vec<_>>(),
        _ => Vec::new(),
    });
    let pipe = pipes.next();
    if let Some(pipe) = &pipe {
        rustix::io::fcntl_setfd(pipe, rustix::io::FdFlags::CLOEXEC)?;
    }
    let bytes = bytes.get(..received.bytes).unwrap_or_default().to_vec();
    Ok((bytes, pipe))
}
