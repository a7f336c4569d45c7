//! Keys that reach the program, or nobody.

use super::answer::{AnswerError, Run};
use super::guarded::{guarded, unless_dead, unless_in_mode};
use super::keys::SendKeys;
use super::sessions::HasSession;
use crate::protocol::{Command, Reply};
use crate::wire::PaneId;

/// Keys for the program in a pane, pressed in one line that also looks whether it takes them.
///
/// [`SendKeys`] says nothing where keys go to a mode such as copy mode, to a program that has ended,
/// or to a pane whose input is off: this is refused then, and nothing was pressed.
///
/// **Source:** tmux `cmd-send-keys.c`, `cmd_send_keys_exec`; measured on 3.3a, 3.5a, 3.7c and 3.8.
///
/// ```no_run
/// # async fn example(client: tmux_cc::client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use tmux_cc::protocol::commands::Press;
/// use tmux_cc::wire::PaneId;
///
/// client.run(Press::new(PaneId(3), ["Enter"])).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Press {
    pane: PaneId,
    keys: SendKeys,
}

impl Press {
    /// Keys by name, as [`SendKeys::named`] takes them.
    pub fn new<K: AsRef<str>>(pane: PaneId, keys: impl IntoIterator<Item = K>) -> Self {
        Self {
            pane,
            keys: SendKeys::named(pane, keys),
        }
    }
}

impl Run for Press {
    type Answer = ();

    fn command(&self) -> Command {
        // Fails the line where there is no such pane.
        let there = Command::from(HasSession::new(self.pane));
        let press = unless_in_mode(self.pane, None, self.keys.clone().into());
        there.then(unless_dead(self.pane, None, press))
    }

    fn answer(&self, reply: Reply) -> Result<(), AnswerError> {
        guarded(reply)
    }
}
