//! The control socket of a daemon: one JSON object a line, both ways.
//!
//! The socket has mode 0600 and stands in a directory of its owner's; who connects as another user is
//! turned away.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

/// The longest path of a socket: `sun_path` has room for 108 bytes on Linux, 104 on macOS.
const LONGEST: usize = 100;

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

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
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
