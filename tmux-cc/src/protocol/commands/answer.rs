//! What a command answers.

use thiserror::Error;

use crate::protocol::{Command, Failed, Reply, Spoof};
use crate::wire::{PaneId, SessionId, Shown, WindowId};

/// A command whose answer can be read.
///
/// ```no_run
/// # async fn example(client: tmux_cc::client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use tmux_cc::protocol::commands::{Created, DisplayMessage, NewSession};
///
/// let Created { session, pane, .. } = client.run(NewSession::named("ci").size(120, 40)).await?;
/// let title = client.run(DisplayMessage::of(pane, "#{pane_title}")).await?;
/// println!("{session} has a pane with the title {}", title.escape_ascii());
/// # Ok(())
/// # }
/// ```
pub trait Run {
    /// What it answers.
    type Answer;

    /// The line to send.
    fn command(&self) -> Command;

    /// Reads the reply to that line.
    ///
    /// # Errors
    /// [`AnswerError`], above all that tmux refused the command.
    fn answer(&self, reply: Reply) -> Result<Self::Answer, AnswerError>;
}

/// Why a reply holds no answer.
///
/// No example: an error, to be shown or handed on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// tmux refused the command, in its own words.
    #[error(transparent)]
    Failed(#[from] Failed),
    /// The pane's program has ended, or its input is off: nothing was typed.
    #[error("pane takes no input: its program has ended, or its input is off")]
    NoInput,
    /// The pane is in a mode, such as copy mode, in which tmux does not mark what is pasted: nothing
    /// was typed.
    #[error("pane is in a mode, where a paste is not marked as one")]
    InMode,
    /// The target is gone, and tmux answered for another one.
    #[error("target does not exist")]
    NoTarget,
    /// The reply was forged by what it shows; see [`Spoof::Broken`].
    #[error("reply was broken by lines that look like guards")]
    Forged,
    /// It is not what this command prints; is there a `command-alias` over it?
    #[error("reply cannot be read: \"{}\"", Shown(printed))]
    Unreadable {
        /// What was printed.
        printed: Vec<u8>,
    },
}

/// What a command has made, or where it has put it.
///
/// Example: [`Run`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Created {
    /// The session.
    pub session: SessionId,
    /// The window.
    pub window: WindowId,
    /// The pane.
    pub pane: PaneId,
}

impl Created {
    /// What to give to `-F`.
    pub(super) const FORMAT: &str = "#{session_id} #{window_id} #{pane_id}";

    /// Reads what that has printed.
    pub(super) fn read(reply: Reply) -> Result<Self, AnswerError> {
        let reply = whole(reply)?;
        // The last block: a command in front of it on the line prints nothing, or is not asked.
        let text = reply.blocks().last().map(|b| b.text()).unwrap_or_default();
        Self::parse(text).ok_or_else(|| AnswerError::Unreadable {
            printed: text.to_vec(),
        })
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let mut fields = text.split(|&b| b == b' ');
        let created = Self {
            session: SessionId::parse(fields.next()?)?,
            window: WindowId::parse(fields.next()?)?,
            pane: PaneId::parse(fields.next()?)?,
        };
        fields.next().is_none().then_some(created)
    }
}

/// The reply, if every command of the line succeeded and nothing in it was forged.
pub(super) fn whole(reply: Reply) -> Result<Reply, AnswerError> {
    let reply = reply.ok()?;
    match reply.spoof() {
        Some(Spoof::Broken) => Err(AnswerError::Forged),
        _ => Ok(reply),
    }
}

/// Nothing is printed.
pub(super) fn done(reply: Reply) -> Result<(), AnswerError> {
    whole(reply).map(drop)
}

/// What is printed, without the newline at its end.
pub(super) fn text(reply: Reply) -> Result<Vec<u8>, AnswerError> {
    whole(reply).map(|reply| reply.text().to_vec())
}
