//! What can be asked of a followed server, through any of its clients.

use super::Server;
use crate::client::error::{ClientError, RunError, WaitError};
use crate::client::handle::Client;
use crate::client::socket::Socket;
use crate::client::wait::WaitFor;
use crate::protocol::commands::{Paste, Run};

impl Server {
    /// Sends a command through any of the clients that take no output, and waits for its answer.
    ///
    /// # Errors
    /// [`ClientError::Detached`] while no client is attached; what else [`Client::run`] names.
    pub async fn run<R: Run>(&self, run: R) -> Result<R::Answer, RunError> {
        self.any()?.run(run).await
    }

    /// Writes text to a pane's program, byte for byte, or nothing of it.
    ///
    /// # Errors
    /// [`ClientError::Detached`] while no client is attached; what else [`Client::paste`] names.
    pub async fn paste(&self, paste: &Paste) -> Result<(), RunError> {
        self.any()?.paste(paste).await
    }

    /// Waits until somebody signals a channel (`tmux wait-for -S`), with a tmux process of its own;
    /// see [`WaitFor`].
    ///
    /// # Errors
    /// [`WaitError`].
    pub async fn wait_for(&self, channel: impl AsRef<[u8]>) -> Result<(), WaitError> {
        WaitFor::on(Socket::Path(self.handle.socket.clone()))
            .tmux(self.handle.tmux.clone())
            .channel(channel)
            .await
    }

    fn any(&self) -> Result<Client, ClientError> {
        let client = self.handle.shared.any_client();
        client.ok_or(ClientError::Detached)
    }
}
