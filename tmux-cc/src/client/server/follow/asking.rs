//! Asks for what is subscribed to: see [`Subscription`](crate::client::Subscription) for why.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::Life;
use crate::client::subscription::Asked;
use crate::protocol::{Block, Command, Spoof};

/// How often: as often as tmux looks for subscriptions of its own.
///
/// **Source:** tmux `control.c`, `control_check_subs_timer`.
const EACH: Duration = Duration::from_secs(1);

/// When to ask next.
#[derive(Debug)]
pub(super) struct Asking {
    next: Instant,
}

impl Asking {
    pub(super) fn new() -> Self {
        let next = Instant::now();
        Self { next }
    }

    /// There is something new to ask for.
    pub(super) fn now(&mut self) {
        self.next = Instant::now();
    }

    /// Waits until it is time.
    pub(super) fn due(&self) -> impl Future<Output = ()> + use<> {
        sleep_until(self.next)
    }
}

impl Life {
    /// Asks for all values at once, on one line.
    pub(super) async fn ask_for_watched(&mut self) {
        self.asking.next = Instant::now() + EACH;
        let asked = Asked::of(self.context.shared.watches().into_values());
        let all = asked.iter().map(Asked::command);
        let (Some(line), Some(client)) =
            (all.reduce(Command::then), self.context.shared.any_client())
        else {
            return;
        };
        let deadline = self.context.builder.deadline;
        match client.command_within(line, deadline).await {
            // Its numbers of blocks and rows are anyone's; the next may tell.
            Ok(reply) if reply.spoof() == Some(Spoof::Broken) => {}
            Ok(reply) => {
                for (asked, block) in asked.iter().zip(reply.blocks()) {
                    if let Err(error) = asked.answered(&self.server, Block::body(block)) {
                        tracing::warn!(%error, "a watched value does not read, and is passed over");
                    }
                }
            }
            // It has ended, and another is asked the next time.
            Err(error) => tracing::debug!(%error, "cannot ask for what is watched"),
        }
    }
}
