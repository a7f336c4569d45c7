//! When to stop, and the signal that must not kill a writer.

use std::future::poll_fn;
use std::io;
use std::task::Poll;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Exit;

/// Which signal asked the program to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stop {
    /// SIGINT: somebody at the terminal.
    Interrupt,
    /// SIGTERM: a supervisor.
    Terminate,
}

impl Stop {
    /// The exit code of a program that was cut short by this signal. A daemon that stopped in good
    /// order because it was asked to ends with [`Exit::Success`] instead.
    #[must_use]
    pub const fn exit(self) -> Exit {
        match self {
            Self::Interrupt => Exit::Interrupted,
            Self::Terminate => Exit::Terminated,
        }
    }
}

/// Waits to be told to stop.
///
/// From [`Shutdown::install`] on, SIGINT and SIGTERM no longer end the process; they are kept until
/// [`Shutdown::requested`] is polled.
#[derive(Debug)]
pub struct Shutdown {
    interrupt: Signal,
    terminate: Signal,
}

impl Shutdown {
    /// Takes over SIGINT and SIGTERM, and SIGXFSZ, which is dropped: a write over `RLIMIT_FSIZE` then
    /// fails with `EFBIG` and can be handled, where it would have killed the process.
    ///
    /// The handlers stay for the life of the process, also when this value is dropped. Programs
    /// started later do not inherit them. SIGPIPE stays as Rust's runtime set it: ignored.
    ///
    /// # Errors
    /// When a handler cannot be installed.
    ///
    /// # Panics
    /// Outside a tokio runtime that has IO enabled.
    pub fn install() -> io::Result<Self> {
        let file_size = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
        // Only the handler matters, and that outlives the stream.
        drop(signal(file_size)?);
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Resolves when SIGINT or SIGTERM has come since the last call. Call it again to learn of a second
    /// request, for instance to give up an orderly end. Dropping the future loses nothing.
    pub async fn requested(&mut self) -> Stop {
        poll_fn(|context| {
            if self.terminate.poll_recv(context).is_ready() {
                Poll::Ready(Stop::Terminate)
            } else if self.interrupt.poll_recv(context).is_ready() {
                Poll::Ready(Stop::Interrupt)
            } else {
                Poll::Pending
            }
        })
        .await
    }
}

/// Waits to be told to read the configuration again.
///
/// From [`Hangup::install`] on, SIGHUP no longer ends the process.
#[derive(Debug)]
pub struct Hangup(Signal);

impl Hangup {
    /// Takes over SIGHUP.
    ///
    /// # Errors
    /// When a handler cannot be installed.
    ///
    /// # Panics
    /// Outside a tokio runtime that has IO enabled.
    pub fn install() -> io::Result<Self> {
        signal(SignalKind::hangup()).map(Self)
    }

    /// Resolves when SIGHUP has come since the last call. Dropping the future loses nothing.
    pub async fn requested(&mut self) {
        self.0.recv().await;
    }
}
