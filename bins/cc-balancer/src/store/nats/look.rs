//! Looking at a server, for `doctor`: nothing is made there, and nothing is shared.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::Client;
use async_nats::connection::State as Connection;
use async_nats::jetstream;
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::durability::Facts;
use super::host::inside;
use super::options::{self, ConnectError, News, QUEUE, Reach};

/// How often is looked whether it answers.
const LOOK: Duration = Duration::from_millis(20);

/// What came of a look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Looked {
    /// None lets us in: what was said last, if anything was.
    Nobody(Option<String>),
    /// One does.
    There(Facts),
}

/// Looks, for so long at most.
///
/// # Errors
/// When the addresses or the files cannot be used.
pub async fn look(reach: &Reach, within: Duration) -> Result<Looked, ConnectError> {
    let is_private = options::is_private(reach)?;
    let wrong = Arc::new(Mutex::new(None));
    let heard = Arc::clone(&wrong);
    let hear = move |news| {
        if let News::Wrong(error) = news {
            *inside(&heard) = Some(error);
        }
    };
    let client = options::connect(reach, "doctor", hear).await?;
    if !is_reached(&client, within).await {
        return Ok(Looked::Nobody(inside(&wrong).take()));
    }
    let info = client.try_server_info().unwrap_or_default();
    let tasks = jetstream::new(client)
        .get_stream(format!("KV_{QUEUE}_task"))
        .await
        .ok();
    let replicas = tasks.map(|stream| stream.cached_info().config.num_replicas);
    Ok(Looked::There(Facts {
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
