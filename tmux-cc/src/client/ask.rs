//! Asks with a tmux process of its own: it attaches to nothing, and is no client of a session.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::time::timeout;

use crate::wire::Version;

/// What a tmux process has said.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) out: Vec<u8>,
    pub(super) err: Vec<u8>,
    /// Did it end by itself?
    pub(super) whole: bool,
    /// Did it end by itself, and say that all was well?
    pub(super) success: bool,
}

/// Runs tmux until it ends, it has said enough, or the time is up; then it is killed. It is no
/// control client, so that this harms no server.
///
/// # Errors
/// It did not start, or could not be read.
pub(super) async fn ask<S: AsRef<OsStr>>(
    tmux: &Path,
    arguments: impl IntoIterator<Item = S>,
    deadline: Duration,
    enough: impl Fn(&[u8]) -> bool,
) -> io::Result<Said> {
    let mut child = Command::new(tmux)
        .args(arguments)
        .env_remove("TMUX")
        .env_remove("TMUX_PANE")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let mut said = Said::default();
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let reading = async {
        let (mut out, mut err) = out.zip(err).ok_or_else(|| io::Error::other("no pipes"))?;
        let says = async {
            while out.read_buf(&mut said.out).await? > 0 {
                if enough(&said.out) {
                    return Err(Stop::Enough);
                }
            }
            Ok(())
        };
        // Read beside it: complaints may fill their pipe before anything else is said.
        let complains = async {
            err.read_to_end(&mut said.err).await?;
            Ok(())
        };
        match tokio::try_join!(says, complains) {
            Ok(_) => {
                said.success = child.wait().await?.success();
                said.whole = true;
                Ok(())
            }
            Err(Stop::Enough) => Ok(()),
            Err(Stop::Failed(error)) => Err(error),
        }
    };
    match timeout(deadline, reading).await {
        Ok(read) => read.map(|()| said),
        Err(_) => Ok(said),
    }
}

/// Why no more is read.
enum Stop {
    Enough,
    Failed(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// The version of the server on a socket, of any age; `None` where it does not tell.
pub(super) async fn server_version(
    tmux: &Path,
    socket: &Path,
    deadline: Duration,
) -> Option<Version> {
    // No -N, which tmux 3.1 does not know: this command starts no server.
    let arguments = [
        "-S".as_ref(),
        socket.as_os_str(),
        "display-message".as_ref(),
        "-p".as_ref(),
        "#{version}".as_ref(),
    ];
    // A newer client does not notice that an older server has said all.
    let said = ask(tmux, arguments, deadline, |out| out.ends_with(b"\n")).await;
    Version::parse(said.ok()?.out.trim_ascii())
}
