//! Tasks move from one machine's store to a server.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::NatsStore;
use super::options::{ConnectError, Options};
use crate::store::{Store as _, StoreError};

/// How often is looked whether all is there.
const LOOK: Duration = Duration::from_millis(10);

/// What came of moving tasks to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// How many of them are on the server now, and not over.
    pub tasks: u64,
}

/// Why tasks were not moved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The store does not work.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Not all of them are there yet; the others go when the server is used.
    #[error("{left} tasks are not on the server yet: see whether it runs, and do it again")]
    Left {
        /// How many.
        left: usize,
    },
}

/// Moves what waits in a SQLite store to a server; what is there already stays as it is there.
///
/// # Errors
/// When not all of it is there in time. It can be done again.
pub async fn migrate(options: Options, within: Duration) -> Result<Migrated, MigrateError> {
    let store = NatsStore::connect(options).await?;
    let moved = async {
        while !store.ready(within).await || store.unpublished().await? > 0 {
            store.host.drain().await?;
            sleep(LOOK).await;
        }
        Ok::<_, StoreError>(())
    };
    let is_in_time = timeout(within, moved).await;
    let left = store.unpublished().await?;
    let counts = store.counts().await?;
    store.close().await?;
    match is_in_time {
        Ok(moved) => moved?,
        Err(_) => return Err(MigrateError::Left { left }),
    }
    let waiting = counts.iter().filter(|(state, _)| !state.is_over());
    let tasks = waiting.map(|(_, many)| *many).sum();
    Ok(Migrated { tasks })
}
