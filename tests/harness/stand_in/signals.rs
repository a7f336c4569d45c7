//! Signals that wake the program, and a child that one of them does not end.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use signal_hook::low_level;

/// A signal that wakes the loop.
#[derive(Debug)]
pub(super) struct Signal {
    number: i32,
    pipe: UnixStream,
}

impl Signal {
    pub(super) fn register(number: i32) -> io::Result<Self> {
        let (pipe, write) = UnixStream::pair()?;
        pipe.set_nonblocking(true)?;
        low_level::pipe::register(number, write)?;
        Ok(Self { number, pipe })
    }

    /// Its number.
    pub(super) fn number(&self) -> i32 {
        self.number
    }

    /// What to wait on.
    pub(super) fn waits_on(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }

    /// Whether it came since the last look.
    pub(super) fn came(&mut self) -> bool {
        let mut buffer = [0; 64];
        let mut came = false;
        while matches!(self.pipe.read(&mut buffer), Ok(length) if length > 0) {
            came = true;
        }
        came
    }
}

/// A child that SIGHUP does not end, for so long.
pub(super) fn stubborn_child(time: Duration) -> io::Result<Child> {
    Command::new("sh")
        .args(["-c", "trap '' HUP; exec sleep \"$1\"", "sh"])
        .arg(time.as_secs_f64().to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}
