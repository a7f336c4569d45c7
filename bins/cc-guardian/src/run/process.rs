//! What is done to processes, apart from the loop.

use std::io;
use std::time::Duration;

use cc_kit::process::{self, Exit, Fate, Identity, Mark};
use tmux_cc::client::Server;
use tmux_cc::protocol::Command;
use tmux_cc::wire::PaneId;

use crate::config::Signal;
use crate::instance::End;

/// Waits for the end of a process; how it ended, where that can be seen.
pub(super) async fn ended(process: Identity) -> Option<Exit> {
    match process::ended(process).await {
        Ok(end) => end.exit,
        Err(error) => {
            tracing::debug!(%error, "cannot wait for a process");
            None
        }
    }
}

/// How the program of a pane ended, as tmux says now; nothing while it does not know.
///
/// # Errors
/// When there is no such pane, or nobody to ask.
pub(super) async fn told_by_tmux(server: &Server, pane: PaneId) -> Result<Option<End>, ()> {
    let ask = Command::new("display-message").flag("-p").target(pane);
    let ask = ask.arg("#{pane_dead_status},#{pane_dead_signal}");
    let reply = server.command(ask).await.map_err(|_| ())?;
    let line = reply.lines().next().ok_or(())?;
    let line = str::from_utf8(line).map_err(|_| ())?;
    let (status, signal) = line.split_once(',').ok_or(())?;
    Ok(match (status.parse(), signal.parse()) {
        (_, Ok(number)) => Some(End::Signal(number)),
        (Ok(status), Err(_)) => Some(End::Exit(status)),
        _ => Signal::named(signal).map(|named| End::Signal(named.number())),
    })
}

/// Ends every process of an instance.
pub(super) async fn reap(mark: &Mark, grace: Duration) -> io::Result<()> {
    let reaped = process::reap(mark, &[], grace).await?;
    for one in reaped {
        if let Fate::Stayed(why) = one.fate {
            let (name, pid) = (one.comm, one.identity.pid);
            return Err(io::Error::other(format!(
                "{name} ({pid}) does not end: {why}"
            )));
        }
    }
    Ok(())
}
