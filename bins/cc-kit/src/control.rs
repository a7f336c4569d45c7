//! The control socket of a daemon: one JSON object a line, both ways.
//!
//! The socket has mode 0600 and stands in a directory of its owner's; who connects as another user is
//! turned away.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// The longest path of a socket: `sun_path` has room for 108 bytes on Linux, 104 on macOS.
const LONGEST: usize = 100;

/// How long it is waited where nobody can be accepted: with too many descriptors open, until one is
/// closed.
const REST: Duration = Duration::from_millis(100);

/// A socket that is listened on; its file goes when it is dropped.
#[derive(Debug)]
pub struct Listener {
    listener: UnixListener,
    path: PathBuf,
}

impl Listener {
    /// Begins to listen. What a killed daemon left there is replaced; the caller holds the lock of the
    /// directory, so nobody else listens.
    ///
    /// # Errors
    /// When there is something else of that name, or the socket cannot be made.
    ///
    /// # Panics
    /// Outside a tokio runtime that has IO enabled.
    pub fn bind(path: &Path) -> io::Result<Self> {
        match fs::symlink_metadata(path) {
            Ok(found) if found.file_type().is_socket() => fs::remove_file(path)?,
            Ok(_) => return Err(io::ErrorKind::AlreadyExists.into()),
            Err(_) => {}
        }
        // Nobody else may reach it, also not between its creation and the change of its mode.
        let mask = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
        let listener = at(path, |path| UnixListener::bind(path));
        rustix::process::umask(mask);
        let listener = listener?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        Ok(Self {
            listener,
            path: path.to_owned(),
        })
    }

    /// Waits for somebody of this user to connect.
    ///
    /// # Errors
    /// When nobody can be accepted, as with too many descriptors open.
    pub async fn accept(&self) -> io::Result<UnixStream> {
        let own = rustix::process::geteuid().as_raw();
        loop {
            let (stream, _) = self.listener.accept().await?;
            let uid = stream.peer_cred()?.uid();
            if uid == own || uid == 0 {
                return Ok(stream);
            }
            tracing::warn!(
                uid,
                "another user has been turned away from the control socket"
            );
        }
    }
}

impl Listener {
    /// Accepts everybody of this user, and serves all at once, until it is dropped.
    ///
    /// A connection that breaks off is nobody's mistake: whoever was there has gone.
    pub async fn serve<F>(self, mut serve: impl FnMut(UnixStream) -> F)
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let mut connections = JoinSet::new();
        loop {
            match self.accept().await {
                Ok(stream) => {
                    connections.spawn(serve(stream));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection to the control socket");
                    sleep(REST).await;
                }
            }
            while connections.try_join_next().is_some() {}
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// What is asked on a connection, line by line.
#[derive(Debug)]
pub struct Requests {
    lines: BufReader<OwnedReadHalf>,
    longest: u64,
}

/// Why a line is no request.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// It is no JSON, or no request that is known.
    #[error("{0}")]
    Unreadable(#[from] serde_json::Error),
    /// It is longer than may be; the next is read behind its end.
    #[error("the request is longer than {0} bytes")]
    TooLong(u64),
}

impl Requests {
    /// The requests of a connection, of at most `longest` bytes each.
    #[must_use]
    pub fn of(read: OwnedReadHalf, longest: u64) -> Self {
        Self {
            lines: BufReader::new(read),
            longest,
        }
    }

    /// The next request; `None` when the other side has gone.
    ///
    /// # Errors
    /// When the connection fails. That a line is no request is told within.
    pub async fn next<R: DeserializeOwned>(
        &mut self,
    ) -> io::Result<Option<Result<R, RequestError>>> {
        let mut line = Vec::new();
        let mut part = (&mut self.lines).take(self.longest);
        if part.read_until(b'\n', &mut line).await? == 0 {
            return Ok(None);
        }
        if line.ends_with(b"\n") || (line.len() as u64) < self.longest {
            return Ok(Some(serde_json::from_slice(&line).map_err(Into::into)));
        }
        while !line.ends_with(b"\n") {
            line.clear();
            let mut part = (&mut self.lines).take(self.longest);
            if part.read_until(b'\n', &mut line).await? == 0 {
                break;
            }
        }
        Ok(Some(Err(RequestError::TooLong(self.longest))))
    }

    /// Waits until the other side has gone; what it still says is not looked at.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn gone(&mut self) -> io::Result<()> {
        loop {
            let said = self.lines.fill_buf().await?.len();
            if said == 0 {
                return Ok(());
            }
            self.lines.consume(said);
        }
    }
}

/// Says one thing: a line of JSON.
///
/// # Errors
/// When the other side has gone.
pub async fn say(write: &mut OwnedWriteHalf, said: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(said)?;
    line.push(b'\n');
    write.write_all(&line).await
}

/// Connects to a daemon; blocks, which on a socket of this machine takes no time.
///
/// # Errors
/// When nobody listens.
pub fn connect(path: &Path) -> io::Result<std::os::unix::net::UnixStream> {
    at(path, |path| std::os::unix::net::UnixStream::connect(path))
}

/// Does something with a socket's path, by way of its directory where it is too long.
fn at<T>(path: &Path, act: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
    if path.as_os_str().len() <= LONGEST {
        return act(path);
    }
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let directory = fs::File::open(directory)?;
    let number = std::os::fd::AsRawFd::as_raw_fd(&directory);
    let near = Path::new("/proc/self/fd").join(number.to_string());
    act(&near.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_is_its_owners_alone_and_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("control");
        let listener = Listener::bind(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let _client = connect(&path).unwrap();
        let accepted = listener.accept().await.unwrap();
        assert!(accepted.peer_cred().is_ok());
        drop(listener);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn what_a_killed_daemon_left_is_replaced_and_what_is_no_socket_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("control");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(connect(&path).is_err());
        drop(Listener::bind(&path).unwrap());
        fs::write(&path, "mine").unwrap();
        assert!(Listener::bind(&path).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"mine");
    }

    #[tokio::test]
    async fn a_line_is_a_request_or_told_to_be_none_and_the_next_is_read() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (read, _write) = ours.into_split();
        let (_read, mut asking) = theirs.into_split();
        let mut requests = Requests::of(read, 16);
        let long = format!("\"{}\"\n", "x".repeat(40));
        for line in ["1\n", "no\n", &long, "\"12345678901234\"\n", "2"] {
            asking.write_all(line.as_bytes()).await.unwrap();
        }
        drop(asking);
        let mut next = async || requests.next::<serde_json::Value>().await.unwrap();
        assert_eq!(next().await.unwrap().unwrap(), 1);
        let error = next().await.unwrap().unwrap_err();
        assert!(matches!(error, RequestError::Unreadable(_)));
        for _ in 0..2 {
            // The second is too long by its line feed alone.
            let error = next().await.unwrap().unwrap_err();
            assert_eq!(error.to_string(), "the request is longer than 16 bytes");
        }
        assert_eq!(next().await.unwrap().unwrap(), 2);
        assert!(next().await.is_none());
    }

    #[tokio::test]
    async fn that_the_other_side_goes_is_noticed_while_it_talks() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (read, _write) = ours.into_split();
        let (_read, mut asking) = theirs.into_split();
        let mut requests = Requests::of(read, 16);
        asking.write_all(&[b'x'; 1000]).await.unwrap();
        let gone = tokio::spawn(async move { requests.gone().await });
        tokio::task::yield_now().await;
        assert!(!gone.is_finished());
        drop(asking);
        gone.await.unwrap().unwrap();
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_path_may_be_longer_than_a_socket_address() {
        let directory = tempfile::tempdir().unwrap();
        let deep = directory.path().join("d".repeat(120));
        fs::create_dir(&deep).unwrap();
        let path = deep.join("control");
        let listener = Listener::bind(&path).unwrap();
        let _client = connect(&path).unwrap();
        assert!(listener.accept().await.is_ok());
    }
}
