//! Waiting for a channel: on a client of its own, since its queue stands still meanwhile.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::time::Duration;

use super::ask::{Said, ask};
use super::error::WaitError;
use super::socket::Socket;

/// Waits for channels (`tmux wait-for`), each time with a tmux process of its own.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use tmux_cc::client::{Socket, WaitFor};
///
/// // Somewhere else: make; tmux -L ci wait-for -S built
/// WaitFor::on(Socket::Name("ci".into())).channel("built").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct WaitFor {
    socket: Socket,
    tmux: PathBuf,
}

impl WaitFor {
    /// On the server of that socket, with the `tmux` on the path.
    #[must_use]
    pub fn on(socket: Socket) -> Self {
        Self {
            socket,
            tmux: PathBuf::from("tmux"),
        }
    }

    /// With that tmux program, which must be of the server's kind.
    #[must_use]
    pub fn tmux(mut self, program: impl Into<PathBuf>) -> Self {
        self.tmux = program.into();
        self
    }

    /// Waits until the channel is signalled, however long that takes; one signal that nobody has
    /// waited for yet is kept for who comes next. No server is started for it.
    ///
    /// Dropping the future ends the process. Up to tmux 3.7c the server then still counts it among
    /// those who wait: the next signal wakes all of these, and is not kept for one who begins to
    /// wait behind it ([`Quirk::LostSignal`](crate::protocol::Quirk::LostSignal)). A channel that
    /// was given up is best not used again.
    ///
    /// # Errors
    /// [`WaitError`]. A server that ends wakes those who wait as if they were signalled; that is
    /// found out, and is [`Ended`](WaitError::Ended).
    pub async fn channel(&self, channel: impl AsRef<[u8]>) -> Result<(), WaitError> {
        let mut channel = channel.as_ref().to_vec();
        if channel.is_empty() || channel.contains(&0) {
            return Err(WaitError::Name);
        }
        if channel.last() == Some(&b';') {
            // At the end of a word it would end the command.
            channel.insert(channel.len() - 1, b'\\');
        }
        let channel = OsStr::from_bytes(&channel);
        let alive = [
            OsStr::new("display-message"),
            "-p".as_ref(),
            "#{pid}".as_ref(),
        ];
        let wait = [OsStr::new("wait-for"), "--".as_ref(), channel, ";".as_ref()];
        let woken = self.words(&[&wait[..], &alive[..]].concat()).await?;
        if !woken.success {
            let said = woken.err.trim_ascii();
            return Err(
                match said.starts_with(b"server exited") || said == b"lost server" {
                    true => WaitError::Ended,
                    false => WaitError::Refused {
                        said: said.to_vec(),
                    },
                },
            );
        }
        let now = self.words(&alive).await?;
        if now.out == woken.out && !now.out.is_empty() {
            Ok(())
        } else {
            Err(WaitError::Ended)
        }
    }

    async fn words(&self, words: &[&OsStr]) -> Result<Said, WaitError> {
        let socket = self.socket.path();
        let first = [
            "-N".as_ref(),
            "-u".as_ref(),
            "-S".as_ref(),
            socket.as_os_str(),
        ];
        let all = first.into_iter().chain(words.iter().copied());
        let said = ask(&self.tmux, all, Duration::MAX, |_| false).await;
        said.map_err(|source| WaitError::Spawn {
            program: self.tmux.clone(),
            source,
        })
    }
}
