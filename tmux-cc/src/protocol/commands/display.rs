//! What tmux says to a format.

use super::answer::{AnswerError, Run, text};
use crate::protocol::{Command, Reply, Target};

/// `display-message -p`: answers what a format gives.
///
/// The format also takes the time, as strftime(3) writes it: a `%` of its own is written `%%`.
/// With tmux 3.4 and 3.5 control characters come as `\033`; see
/// [`ReplyText`](crate::protocol::ReplyText).
///
/// Example: [`Run`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct DisplayMessage {
    format: Vec<u8>,
    target: Option<Target>,
}

impl DisplayMessage {
    /// For the client's own session.
    pub fn new(format: impl AsRef<[u8]>) -> Self {
        Self {
            format: format.as_ref().to_vec(),
            target: None,
        }
    }

    /// For a pane, window or session. One that is not there is
    /// [`NoTarget`](AnswerError::NoTarget): tmux itself would answer for another one.
    pub fn of(target: impl Into<Target>, format: impl AsRef<[u8]>) -> Self {
        Self {
            format: format.as_ref().to_vec(),
            target: Some(target.into()),
        }
    }

    /// What the answer says whom it is for, in front of it.
    fn proof(&self) -> Option<(&'static [u8], Vec<u8>)> {
        let id: &'static [u8] = match self.target.as_ref()? {
            Target::Session(_) => b"#{session_id}\t",
            Target::Window(_) => b"#{window_id}\t",
            Target::Pane(_) => b"#{pane_id}\t",
            Target::Named(name) => {
                return Some((b"#{session_name}\t", [name, &b"\t"[..]].concat()));
            }
        };
        let word = self.target.as_ref().map(Target::word).unwrap_or_default();
        Some((id, [word.as_slice(), b"\t"].concat()))
    }
}

impl From<DisplayMessage> for Command {
    fn from(built: DisplayMessage) -> Self {
        let command = Self::new("display-message").flag("-p");
        let command = match built.target {
            Some(target) => command.target(target),
            None => command,
        };
        command.flag("--").arg(built.format)
    }
}

impl Run for DisplayMessage {
    type Answer = Vec<u8>;

    fn command(&self) -> Command {
        let mut proven = self.clone();
        if let Some((format, _)) = self.proof() {
            proven.format = [format, &self.format].concat();
        }
        proven.into()
    }

    fn answer(&self, reply: Reply) -> Result<Vec<u8>, AnswerError> {
        let answer = text(reply)?;
        match self.proof() {
            None => Ok(answer),
            Some((_, proof)) => match answer.strip_prefix(proof.as_slice()) {
                Some(answer) => Ok(answer.to_vec()),
                None => Err(AnswerError::NoTarget),
            },
        }
    }
}
