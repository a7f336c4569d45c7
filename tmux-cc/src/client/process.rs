//! The tmux process behind a control client, and how to let go of it.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::process::{Child, ChildStderr, ChildStdin, Command};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::driver::Reader;
#[cfg(target_os = "linux")]
use super::gather::Gather;
use super::orphans::{OWNER, owner};

/// How long a client gets to leave by itself once its input is closed.
const LEAVE: Duration = Duration::from_secs(5);

/// How much of what tmux says on standard error is kept, in bytes.
const SAID: u64 = 4096;

/// A tmux client process.
///
/// It leaves when its input is closed, or on SIGTERM where it takes output. It is killed only if it
/// does not, and never before it has been greeted: a client that breaks off in its handshake can
/// take a whole server with it (up to 3.6, tmux #5004).
#[derive(Debug)]
pub(super) struct Process {
    child: Option<Child>,
    stderr: Option<ChildStderr>,
    greeted: bool,
    takes_output: bool,
}

impl Process {
    /// Starts tmux with its standard streams as pipes.
    pub(super) fn spawn(
        mut command: Command,
        takes_output: bool,
    ) -> io::Result<(Self, Reader, ChildStdin)> {
        #[cfg(target_os = "linux")]
        let gather = takes_output.then(Gather::new).transpose()?;
        command
            .env_remove("TMUX")
            .env_remove("TMUX_PANE")
            .envs(owner().map(|owner| (OWNER, owner)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A ^C or a hangup of our terminal is ours to answer, not tmux's.
            .process_group(0);
        let mut child = command.spawn()?;
        let (stdout, stdin, stderr) =
            (child.stdout.take(), child.stdin.take(), child.stderr.take());
        let process = Self {
            child: Some(child),
            stderr,
            greeted: false,
            takes_output,
        };
        match (stdout, stdin) {
            #[cfg(target_os = "linux")]
            (Some(stdout), Some(stdin)) if let Some(gather) = gather => {
                Ok((process, Box::new(gather.read(stdout)?), stdin))
            }
            (Some(stdout), Some(stdin)) => Ok((process, Box::new(stdout), stdin)),
            _ => Err(io::Error::other("no pipes")),
        }
    }

    /// The server knows the client: from now on it may be killed if all else fails.
    pub(super) fn set_greeted(&mut self) {
        self.greeted = true;
    }

    /// What tmux has said on standard error; call it when its output has ended.
    pub(super) async fn said(&mut self) -> Vec<u8> {
        let mut said = Vec::new();
        if let Some(stderr) = self.stderr.take() {
            let _ = timeout(LEAVE, stderr.take(SAID).read_to_end(&mut said)).await;
        }
        said.truncate(said.trim_ascii_end().len());
        said
    }

    /// Lets the process leave, and waits for that; `input` and `output` are its own.
    ///
    /// What it still says is read on: with output that cannot be written it never leaves, and up
    /// to 3.7 its server could not exit either (tmux #5444).
    pub(super) async fn leave(
        mut self,
        input: Option<impl AsyncWrite>,
        output: impl AsyncRead + Unpin,
    ) {
        let Some(child) = self.child.take() else {
            return;
        };
        if self.greeted && self.takes_output {
            // To close its input would be a danger to the server as long as that knows the client.
            terminate(&child);
            leave(child, output, true).await;
            drop(input);
        } else {
            drop(input);
            leave(child, output, self.greeted).await;
        }
    }

    /// The same without waiting.
    pub(super) fn let_go(
        self,
        input: Option<impl AsyncWrite + Send + 'static>,
        output: impl AsyncRead + Send + Unpin + 'static,
    ) {
        // Without a runtime there is nobody to wait: its input is closed all the same.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(self.leave(input, output));
        }
    }
}

fn terminate(child: &Child) {
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
    if let Some(pid) = pid.and_then(Pid::from_raw) {
        // It has not been waited for, so the number is still its own.
        let _ = kill_process(pid, Signal::TERM);
    }
}

async fn leave(mut child: Child, mut output: impl AsyncRead + Unpin, greeted: bool) {
    if timeout(LEAVE, wait(&mut child, &mut output)).await.is_ok() {
        return;
    }
    if greeted {
        let _ = child.start_kill();
    } else {
        // All of its handshake is written by now, so the server does not see it break off. One that
        // cannot understand the server (a new tmux, an old server) would stay attached for ever.
        terminate(&child);
    }
    wait(&mut child, &mut output).await;
}

async fn wait(child: &mut Child, output: &mut (impl AsyncRead + Unpin)) {
    let read_on = async {
        let _ = tokio::io::copy(output, &mut tokio::io::sink()).await;
        // Others may hold its output open, or it may have closed that before it ends.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = child.wait() => {}
        () = read_on => {}
    }
}
