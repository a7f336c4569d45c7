//! Ending a process with all that come from it.

use std::io;
use std::time::Duration;

use tokio::time::timeout;

use super::{Identity, Signal, Snapshot, ended, kill_tree};

/// How long one that is killed may take to go.
const KILLED: Duration = Duration::from_secs(2);

/// Ends a process and all that come from it: asked with `SIGTERM`, and killed after that time; at once
/// where it is zero.
///
/// # Errors
/// When processes cannot be looked at: nothing was sent then.
///
/// # Panics
/// Outside a tokio runtime that has IO and time enabled.
pub async fn end_tree(process: Identity, grace: Duration) -> io::Result<()> {
    let members: Vec<Identity> = {
        let snapshot = Snapshot::take()?;
        let tree = snapshot.tree(process);
        tree.iter().map(|member| member.identity).collect()
    };
    if !grace.is_zero() {
        kill_tree(members.iter().copied(), Signal::TERM);
        let all = async {
            for member in &members {
                let _ = ended(*member).await;
            }
        };
        let _ = timeout(grace, all).await;
    }
    kill_tree(members.iter().copied(), Signal::KILL);
    let _ = timeout(grace.max(KILLED), ended(process)).await;
    Ok(())
}
