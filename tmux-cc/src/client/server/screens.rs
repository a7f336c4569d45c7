//! Asks for the screens with which streams go on.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::shared::Shared;
use crate::client::driver::flow;
use crate::client::error::ClientError;
use crate::client::flow::{Asked, Inbox, Stitch};
use crate::client::screen::{Backfill, Screen};
use crate::protocol::{Command, Reply, ReplyError, Spoof};

/// How many screens are asked for at the same time.
const AT_ONCE: usize = 4;

/// Asks for every screen that a stream needs, until it is told to stop.
pub(super) async fn ask_for_all(shared: Arc<Shared>, inbox: Arc<Inbox>, stop: CancellationToken) {
    let mut asked = JoinSet::new();
    loop {
        let next = if asked.len() < AT_ONCE {
            inbox.take_stitch(Instant::now())
        } else {
            Err(None)
        };
        let later = match next {
            Ok(stitch) => {
                let (shared, inbox) = (Arc::clone(&shared), Arc::clone(&inbox));
                asked.spawn(async move {
                    let asked = ask(&shared, &stitch).await;
                    inbox.stitched(&stitch, asked);
                });
                continue;
            }
            Err(later) => later,
        };
        let due = async {
            match later {
                Some(later) => sleep_until(later).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = inbox.to_stitch() => {}
            () = due => {}
            Some(_) = asked.join_next() => {}
            () = stop.cancelled() => break,
        }
    }
}

/// Looks at a pane and continues it, in one line.
///
/// There is no deadline: until the answer has come, or the client has ended, the line may still be
/// carried out.
async fn ask(shared: &Shared, stitch: &Stitch) -> Asked {
    let own = stitch.session.and_then(|session| shared.client(session));
    let own = own.filter(|client| client.exit().is_none());
    let Some(client) = own.or_else(|| shared.any_client()) else {
        return Asked::Unreachable;
    };
    let go_on = flow(stitch.pane, "continue").option("-t", &stitch.client);
    let wants_screen = stitch.backfill != Backfill::None;
    let line = if wants_screen {
        Screen::command(stitch.pane, stitch.backfill).then(go_on)
    } else {
        Command::new("display-message")
            .flag("-p")
            .arg("")
            .then(go_on)
    };
    let reply = match client.command(line).await {
        Ok(reply) => reply.ok(),
        Err(ClientError::Reply(ReplyError::TooLarge { .. })) => return Asked::Refused,
        Err(_) => return Asked::Unreachable,
    };
    match reply {
        Ok(reply) if reply.spoof() == Some(Spoof::Broken) => Asked::Refused,
        Ok(_) if !wants_screen => Asked::Done(None),
        Ok(reply) => read(&reply).map_or(Asked::Refused, |screen| Asked::Done(Some(screen))),
        Err(_) => Asked::Refused,
    }
}

fn read(reply: &Reply) -> Option<Screen> {
    // One more than the screen's own: what continues the pane has answered too.
    (reply.blocks().len() == Screen::BLOCKS + 1).then(|| Screen::read(reply.blocks()))?
}
