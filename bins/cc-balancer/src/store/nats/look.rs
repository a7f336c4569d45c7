//! Looking at a server, for `doctor`: nothing is made there, and nothing is shared.

use std::time::Duration;

use async_nats::Client;
use async_nats::connection::State as Connection;
use async_nats::jetstream;
use tokio::time::{Instant, sleep};

use super::durability::Facts;
use super::options::{self, ConnectError, QUEUE, Reach};

/// How often is looked whether it answers.
const LOOK: Duration = Duration::from_millis(20);

/// Looks; `None` where no server lets us in within that time.
///
/// # Errors
/// When the addresses or the files cannot be used.
pub async fn look(reach: &Reach, within: Duration) -> Result<Option<Facts>, ConnectError> {
    let is_private = options::is_private(reach)?;
    let client = options::connect(reach, "doctor", || {}).await?;
    if !is_reached(&client, within).await {
        return Ok(None);
    }
    let info = client.try_server_info().unwrap_or_default();
    let tasks = jetstream::new(client)
        .get_stream(format!("KV_{QUEUE}_task"))
        .await
        .ok();
    let replicas = tasks.map(|stream| stream.cached_info().config.num_replicas);
    Ok(Some(Facts {
        version: info.version,
        keeps: info.jetstream,
        cluster: info.cluster,
        replicas,
        is_private,
    }))
}

async fn is_reached(client: &Client, within: Duration) -> bool {
    let began = Instant::now();
    while client.connection_state() != Connection::Connected {
        if began.elapsed() > within {
            return false;
        }
        sleep(LOOK).await;
    }
    true
}
