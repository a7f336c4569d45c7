//! What else may be done with a server than its handles do, without keeping it followed.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{Changes, Server, Shared};
use crate::client::ask::ask;
use crate::client::error::ClientError;
use crate::client::health::Meter;
use crate::protocol::{Command, Reply};

/// A server, for as long as it is followed by somebody.
#[derive(Clone, Debug)]
pub(in crate::client) struct Reach {
    shared: Arc<Shared>,
    tmux: PathBuf,
    socket: PathBuf,
}

impl Server {
    pub(in crate::client) fn reach(&self) -> Reach {
        Reach {
            shared: Arc::clone(&self.handle.shared),
            tmux: self.handle.tmux.clone(),
            socket: self.handle.socket.clone(),
        }
    }
}

impl Reach {
    pub(in crate::client) fn meter(&self) -> Arc<Meter> {
        Arc::clone(&self.shared.meter)
    }

    pub(in crate::client) fn changes(&self) -> Changes {
        Changes::new(Arc::clone(&self.shared))
    }

    /// Sends a command through any client that takes no output.
    pub(in crate::client) async fn command(
        &self,
        command: Command,
        deadline: Duration,
    ) -> Result<Reply, ClientError> {
        match self.shared.any_client() {
            Some(client) => client.command_within(command, deadline).await,
            None => Err(ClientError::Detached),
        }
    }

    /// Runs words with a tmux process of its own, where there is no client.
    pub(in crate::client) async fn run(&self, words: Vec<String>, deadline: Duration) {
        let first = ["-S".as_ref(), self.socket.as_os_str()];
        let words = first
            .into_iter()
            .chain(words.iter().map(AsRef::as_ref))
            .collect::<Vec<_>>();
        // No command here starts a server, and nobody can be told what went wrong.
        let _ = ask(&self.tmux, words, deadline, |_| false).await;
    }
}
