//! Asks for what is subscribed to, where tmux itself cannot be left to tell of it.

use std::time::Duration;

use tokio::time::Instant;

use super::Life;
use crate::client::subscription::Asked;
use crate::client::until::until;
use crate::protocol::{Block, Command, Quirk, Quirks, Spoof};

/// How often: as often as tmux looks for itself.
///
/// **Source:** tmux `control.c`, `control_check_subs_timer`.
const EACH: Duration = Duration::from_secs(1);

/// When to ask next.
#[derive(Debug)]
pub(super) struct Asking {
    /// None where tmux tells by itself.
    next: Option<Instant>,
}

impl Asking {
    pub(super) fn new(quirks: Quirks) -> Self {
        let crashes = quirks.has(Quirk::SubscriptionCrash);
        Self {
            next: crashes.then(Instant::now),
        }
    }

    /// Must one ask?
    pub(super) const fn is_asked_for(&self) -> bool {
        self.next.is_some()
    }

    /// There is something new to ask for.
    pub(super) fn now(&mut self) {
        self.next = self.next.map(|_| Instant::now());
    }

    /// Waits until it is time.
    pub(super) fn due(&self) -> impl Future<Output = ()> + use<> {
        until(self.next)
    }
}

impl Life {
    /// Asks for all values at once, on one line.
    pub(super) async fn ask_for_watched(&mut self) {
        self.asking.next = Some(Instant::now() + EACH);
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
