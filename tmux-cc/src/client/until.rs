//! Waiting for a moment that need not come.

use tokio::time::{Instant, sleep_until};

/// Waits until then; for ever where there is no such moment.
pub(super) async fn until(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => std::future::pending().await,
    }
}
