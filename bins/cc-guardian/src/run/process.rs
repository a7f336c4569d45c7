//! What is done to processes, apart from the loop.

use std::io;
use std::time::Duration;

use cc_kit::process::{self, End, Exit, Fate, Identity, Mark};
use tmux_cc::client::Server;
use tmux_cc::protocol::Command;
use tmux_cc::wire::PaneId;
use tokio::time::sleep;

use crate::config::Signal;
use crate::instance;

/// How long until who could not be watched is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Waits for the end of a process; how it ended, where that can be seen.
pub(super) async fn ended(process: Identity) -> Option<Exit> {
    watched(|| process::ended(process), || process.is_alive()).await
}

/// The same. Who cannot be watched, as where there are too many descriptors, has not ended for that: it
/// counts as living until the system says otherwise.
async fn watched<W: Future<Output = io::Result<End>>>(
    watch: impl Fn() -> W,
    is_alive: impl Fn() -> io::Result<bool>,
) -> Option<Exit> {
    loop {
        match watch().await {
            Ok(end) => return end.exit,
            Err(error) => tracing::warn!(%error, "cannot watch a process"),
        }
        if matches!(is_alive(), Ok(false)) {
            return None;
        }
        sleep(AGAIN).await;
    }
}

/// The process that has that number, as soon as the system tells.
pub(super) async fn of(pid: Option<u32>) -> Option<Identity> {
    let pid = i32::try_from(pid?).ok()?;
    loop {
        match Identity::of(pid) {
            Ok(found) => return found,
            Err(error) => tracing::warn!(%error, "cannot look at a process"),
        }
        sleep(AGAIN).await;
    }
}

/// How the program of a pane ended, as tmux says now; nothing while it does not know.
///
/// # Errors
/// When there is no such pane, or nobody to ask.
pub(super) async fn told_by_tmux(
    server: &Server,
    pane: PaneId,
) -> Result<Option<instance::End>, ()> {
    let ask = Command::new("display-message").flag("-p").target(pane);
    let ask = ask.arg("#{pane_dead_status},#{pane_dead_signal}");
    let reply = server.command(ask).await.map_err(|_| ())?;
    let line = reply.lines().next().ok_or(())?;
    let line = str::from_utf8(line).map_err(|_| ())?;
    let (status, signal) = line.split_once(',').ok_or(())?;
    Ok(match (status.parse(), signal.parse()) {
        (_, Ok(number)) => Some(instance::End::Signal(number)),
        (Ok(status), Err(_)) => Some(instance::End::Exit(status)),
        _ => Signal::named(signal).map(|named| instance::End::Signal(named.number())),
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const ALIVE: fn() -> io::Result<bool> = || Ok(true);
    const GONE: fn() -> io::Result<bool> = || Ok(false);
    const UNTOLD: fn() -> io::Result<bool> = || Err(io::ErrorKind::Other.into());

    #[tokio::test(start_paused = true)]
    async fn who_cannot_be_watched_is_tried_again_until_it_is_known_to_have_ended() {
        let identity = Identity { pid: 1, start: 1 };
        let exit = Some(Exit::Status(7));
        for (alive, tries, wanted) in [(ALIVE, 4, exit), (UNTOLD, 4, exit), (GONE, 1, None)] {
            let tried = Cell::new(0);
            let watch = || {
                tried.set(tried.get() + 1);
                let end = End { identity, exit };
                let watched = (tried.get() == 4).then_some(end);
                std::future::ready(watched.ok_or_else(|| io::ErrorKind::Other.into()))
            };
            assert_eq!(watched(watch, alive).await, wanted);
            assert_eq!(tried.get(), tries);
        }
    }
}
