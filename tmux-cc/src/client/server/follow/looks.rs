//! Looks for a server until there is one.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::client::identity::Identity;
use crate::client::server::ServerBuilder;
use crate::client::server::listing::{self, Waiting};
use crate::client::server::shared::Shared;
use crate::tree::Listing;

/// How often a socket is looked at while there is no server behind it.
const LOOK: Duration = Duration::from_millis(100);

/// How often tmux is asked while a socket looks the same as when nobody answered.
const ASK: Duration = Duration::from_secs(1);

/// Looks for a server.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// What the socket was like when there was nothing to attach to, when that was, and why.
    last: Option<((u64, i64, i64), Instant, Waiting)>,
}

impl Looks {
    /// Waits for one, and lists it.
    pub(super) async fn find(
        &mut self,
        builder: &ServerBuilder,
        shared: &Shared,
    ) -> (Arc<Identity>, Listing) {
        loop {
            match self.look(builder).await {
                Ok(listing) => {
                    if let Some(server) = listing::identity(&listing, &builder.socket.path()) {
                        return (Arc::new(server), listing);
                    }
                }
                Err(why) => shared.waiting(why),
            }
            sleep(LOOK).await;
        }
    }

    async fn look(&mut self, builder: &ServerBuilder) -> Result<Listing, Waiting> {
        let socket = fs::metadata(builder.socket.path())
            .map(|found| (found.ino(), found.ctime(), found.ctime_nsec()))
            .map_err(|_| Waiting::NoServer)?;
        if let Some((then, at, why)) = &self.last
            && *then == socket
            && at.elapsed() < ASK
        {
            return Err(why.clone());
        }
        let found = listing::ask(builder).await;
        self.last = found
            .as_ref()
            .err()
            .map(|why| (socket, Instant::now(), why.clone()));
        found
    }
}
