//! How a stand-in is, as the control socket tells it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::machine::{Machine, Outcome};
use super::script::Until;

/// How things are, as the control socket tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Which program it looks like.
    pub like: String,
    /// `starting`, `idle`, `busy`, `blocked`, `limited` or `errored`.
    pub state: String,
    /// Which dialog is open.
    pub dialog: Option<String>,
    /// Whether it hangs.
    pub hung: bool,
    /// How many prompts were submitted.
    pub prompts: u64,
    /// How many wait for the turn to end.
    pub queued: usize,
    /// How many bytes stand in the box.
    pub draft_bytes: usize,
    /// What the screen shows for them.
    pub draft: String,
    /// How many Enters were swallowed.
    pub eaten_enters: u64,
    /// How many bytes were lost in dialogs.
    pub lost_bytes: u64,
    /// How often the size has changed.
    pub resizes: u64,
    /// Columns and rows.
    pub size: [u16; 2],
    /// The title, where it has set one.
    pub title: Option<String>,
    /// The id of its session.
    pub session: String,
    /// Its process.
    pub pid: u32,
    /// The children that it has forked and that live.
    pub children: Vec<u32>,
    /// Whether it still has its terminal.
    pub terminal: bool,
}

impl Machine {
    /// Whether what an `await` waits for is so.
    #[must_use]
    pub fn is(&self, until: &Until) -> bool {
        match until {
            Until::State(state) => self.state() == state,
            Until::Prompts(prompts) => self.prompts >= *prompts,
        }
    }

    /// The name of its state.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match self.outcome {
            _ if self.starting() => "starting",
            _ if self.dialog.is_some() => "blocked",
            _ if self.turn.is_some() => "busy",
            Outcome::Limited => "limited",
            Outcome::Errored => "errored",
            Outcome::Seen | Outcome::Done | Outcome::Interrupted => "idle",
        }
    }

    /// How things are. Process, children and terminal are for the caller to fill in.
    #[must_use]
    pub fn report(&self, now: Duration) -> Report {
        Report {
            like: self.setup.like.name().to_owned(),
            state: self.state().to_owned(),
            dialog: self.dialog.as_ref().map(|it| it.kind.name().to_owned()),
            hung: self.hung,
            prompts: self.prompts,
            queued: self.queue.len(),
            draft_bytes: self.draft.len(),
            draft: self.draft.shown(),
            eaten_enters: self.eaten,
            lost_bytes: self.lost,
            resizes: self.resizes,
            size: [self.size.columns, self.size.rows],
            title: self.title_at(now),
            session: self.setup.session.clone(),
            ..Report::default()
        }
    }
}
