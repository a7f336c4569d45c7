//! Doing what a delivery decides.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::answer::{Answer, Answered, Do, Seen};
use super::delivery::{Act, Delivery, Event, Looked, Outcome, Receipt, Why};
use crate::pane::{Pane, PaneError};
use crate::profile::{InBand, Profile, Sight};

/// What looks at a pane and writes to it.
pub trait Hands {
    /// Looks.
    fn look(&self) -> impl Future<Output = Result<Looked, Why>> + Send;
    /// Pastes, in brackets: all of it or nothing.
    fn paste(&self, text: &str) -> impl Future<Output = Result<(), Why>> + Send;
    /// Presses keys in one go: all of them or none.
    fn press_all(&self, keys: &[String]) -> impl Future<Output = Result<(), Why>> + Send;
    /// Presses a key, unless a person has typed since the pane was looked at and `keyed` was that:
    /// [`Why::HumanTyping`] then.
    fn press(&self, key: &str, keyed: u64) -> impl Future<Output = Result<(), Why>> + Send;
}

/// A pane and how its program is read.
#[derive(Debug, Clone)]
pub struct Reader {
    /// The pane.
    pub pane: Pane,
    /// How its program is read.
    pub profile: Arc<Profile>,
    /// The host's name, which is the title until a program sets one.
    pub host: Arc<str>,
    /// What tmux calls its program when that is in front; its profile need not know the name.
    pub own: Option<String>,
    /// What the program said of itself in its output, where somebody listens.
    pub in_band: Option<InBand>,
}

impl Hands for Reader {
    async fn look(&self) -> Result<Looked, Why> {
        let found = self.pane.look().await.map_err(why)?;
        let sight = Sight {
            screen: Some(&found.screen),
            title: &found.title,
            host: &self.host,
            command: self
                .profile
                .command_told(&found.command, self.own.as_deref()),
            in_band: self.in_band.clone(),
        };
        Ok(Looked {
            reading: self.profile.read(&sight),
            rows: found.screen.rows,
            in_mode: found.in_mode,
            dead: found.dead,
            typed: found.typed,
            keyed: found.keyed,
        })
    }

    async fn paste(&self, text: &str) -> Result<(), Why> {
        self.pane.paste(text).await.map_err(why)
    }

    async fn press(&self, key: &str, keyed: u64) -> Result<(), Why> {
        match self.pane.press_unless_typed(key, keyed).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Why::HumanTyping),
            Err(error) => Err(why(error)),
        }
    }

    async fn press_all(&self, keys: &[String]) -> Result<(), Why> {
        self.pane.press_all(keys).await.map_err(why)
    }
}

fn why(error: PaneError) -> Why {
    use tmux_cc::protocol::commands::AnswerError;
    match error {
        PaneError::Refused(AnswerError::NoInput) => Why::Dead,
        PaneError::Refused(AnswerError::InMode) => Why::InMode,
        PaneError::Refused(error) => Why::Refused(error.to_string()),
        PaneError::NoAnswer(error) => Why::Gone(error.to_string()),
        PaneError::Other(error) => Why::Gone(error.to_string()),
    }
}

/// Delivers a prompt: the caller holds the pane's [lease](crate::lease). `hooks` are the prompts that
/// the program's hooks say it has been given.
///
/// Dropping the future leaves open how far it came.
pub async fn deliver(
    mut delivery: Delivery,
    enter: &str,
    hands: &impl Hands,
    mut hooks: mpsc::UnboundedReceiver<String>,
    began: Instant,
) -> Receipt {
    let mut act = delivery.begin();
    loop {
        let event = match act {
            Act::Done(_) => return delivery.receipt().clone(),
            Act::Look(after) => match wait(after, &mut hooks).await {
                Some(prompt) => Event::Submitted(prompt),
                None => match hands.look().await {
                    Ok(look) => Event::Looked(Box::new(look)),
                    Err(why) => return lost(&delivery, why),
                },
            },
            Act::Wait(after) => {
                sleep(after).await;
                Event::Waited
            }
            Act::Paste => {
                let pasted = hands.paste(delivery.prompt().text()).await;
                Event::Pasted(pasted)
            }
            Act::Enter => Event::Entered(hands.press(enter, delivery.keyed()).await),
        };
        act = delivery.on(event, began.elapsed());
    }
}

/// Gives an answer: the caller holds the pane's [lease](crate::lease).
///
/// Dropping the future leaves open how far it came.
pub async fn answer(mut answer: Answer, hands: &impl Hands, began: Instant) -> Answered {
    let mut act = answer.begin();
    loop {
        let seen = match act {
            Do::Done(answered) => return answered,
            Do::Look(after) => {
                sleep(after).await;
                match hands.look().await {
                    Ok(look) => Seen::Looked(Box::new(look)),
                    Err(why) if answer.has_pressed() => return Answered::Uncertain(why),
                    Err(why) => return Answered::Held(why),
                }
            }
            Do::Press(keys) => Seen::Pressed(hands.press_all(&keys).await),
        };
        act = answer.on(seen, began.elapsed());
    }
}

/// Waits; a hook ends that early.
async fn wait(after: Duration, hooks: &mut mpsc::UnboundedReceiver<String>) -> Option<String> {
    let hook = async {
        match hooks.recv().await {
            Some(prompt) => prompt,
            // Nobody tells.
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        prompt = hook => Some(prompt),
        () = sleep(after) => None,
    }
}

/// The pane cannot be looked at any more.
fn lost(delivery: &Delivery, why: Why) -> Receipt {
    let mut receipt = delivery.receipt().clone();
    receipt.outcome = if delivery.has_written() {
        Outcome::Uncertain(why)
    } else {
        Outcome::Held(why)
    };
    receipt
}
