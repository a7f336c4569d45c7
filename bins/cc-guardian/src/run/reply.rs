//! Dialogs that are answered, because somebody says so or a rule does.

use std::path::PathBuf;
use std::sync::Arc;

use cc_kit::exit::Exit;
use cc_kit::lease::{Lease, Place, Taken};
use cc_kit::profile::{Choice, Dialog};
use cc_kit::send::{Answer, Answered, Hands as _, Reader, Why, answer};
use serde_json::{Value, json};
use tokio::sync::{Mutex, oneshot};
use tokio::time::Instant;

use super::{Daemon, Note, unknown};

/// What writes to one pane, of all of ours one after another.
#[derive(Debug)]
pub(super) struct Hands {
    pub(super) reader: Reader,
    pub(super) enter: String,
    writer: Arc<Mutex<()>>,
    leases: PathBuf,
    place: Place,
}

impl Hands {
    /// Does it while nobody else writes to the pane.
    pub(super) async fn alone<T>(&self, work: impl Future<Output = T>) -> Result<T, Why> {
        let _turn = self.writer.lock().await;
        match Lease::take(&self.leases, self.place, "cc-guardian") {
            Ok(Taken::Ours(_lease)) => Ok(work.await),
            Ok(Taken::Theirs(who)) => Err(Why::Leased(who)),
            Err(error) => Err(Why::Refused(error.to_string())),
        }
    }

    /// Gives that answer to the dialog of that hash. To be called [`alone`](Self::alone).
    pub(super) async fn give(&self, dialog: u64, choice: &Choice) -> Answered {
        let decider = Answer::new(dialog, choice, &self.enter);
        answer(decider, &self.reader, Instant::now()).await
    }
}

impl Daemon {
    /// The hands on a unit; why there are none, as it is answered.
    pub(super) fn hands(&mut self, unit: &str) -> Result<Hands, Value> {
        let refuse =
            |error: String, exit: Exit| json!({"v": 1, "error": error, "exit": exit.code()});
        let Some(it) = self.instances.get(unit) else {
            return Err(unknown(unit));
        };
        let Some(profile) = it.profile.clone() else {
            let error = format!("{unit} has no profile, so that nobody can read what it asks");
            return Err(refuse(error, Exit::Usage));
        };
        let Some(pane) = self.pane_of(it) else {
            return Err(refuse(format!("{unit} does not run"), Exit::Failed));
        };
        let Some(place) = Self::place_of(&pane) else {
            let error = format!("{unit} has lost its server");
            return Err(refuse(error, Exit::Unreachable));
        };
        let reader = Reader {
            own: super::own_name(&it.unit.command),
            pane,
            profile: Arc::clone(&profile),
            host: Arc::clone(&self.host),
            in_band: None,
        };
        Ok(Hands {
            reader,
            enter: profile.sending().enter.clone(),
            writer: Arc::clone(self.writers.entry(unit.to_owned()).or_default()),
            leases: self.places.leases(),
            place,
        })
    }

    /// Somebody answers what a unit asks.
    pub(super) fn answered(
        &mut self,
        unit: &str,
        choice: String,
        hash: Option<String>,
        reply: oneshot::Sender<Value>,
    ) {
        let hands = match self.hands(unit) {
            Ok(hands) => hands,
            Err(refused) => return drop(reply.send(refused)),
        };
        let (notes, unit) = (self.notes.clone(), unit.to_owned());
        tokio::spawn(async move {
            let work = said(&hands, &unit, &choice, hash.as_deref());
            let (told, words) = match hands.alone(work).await {
                Ok(Ok((asked, choice, answered))) => {
                    let words = words(&asked, &choice, &answered);
                    (receipt(Some((&asked, &choice)), &answered), Some(words))
                }
                Ok(Err(refused)) => (refused, None),
                Err(why) => (receipt(None, &Answered::Held(why)), None),
            };
            if let Some(words) = words {
                let _ = notes.send(Note::Answered(unit, words));
            }
            let _ = reply.send(told);
        });
    }
}

/// Reads what is asked, and answers that.
async fn said(
    hands: &Hands,
    unit: &str,
    choice: &str,
    hash: Option<&str>,
) -> Result<(Dialog, Choice, Answered), Value> {
    let look = hands.reader.look().await;
    let look = look.map_err(|why| receipt(None, &Answered::Held(why)))?;
    let Some(asked) = look.reading.dialog else {
        return Err(receipt(None, &Answered::Held(Why::NoDialog)));
    };
    if hash.is_some_and(|hash| hash != format!("{:016x}", asked.hash)) {
        return Err(receipt(None, &Answered::Held(Why::OtherDialog)));
    }
    let refuse = |error: String, exit: Exit| json!({"v": 1, "error": error, "exit": exit.code()});
    let Some(meant) = asked.choice(choice).cloned() else {
        let error = format!(
            "{choice:?} is no answer, or more than one, to what {unit} asks: {}",
            offered(&asked)
        );
        return Err(refuse(error, Exit::Usage));
    };
    if meant.key.is_empty() {
        let error = format!(
            "no single key answers {:?}: attach to {unit} for that",
            meant.text
        );
        return Err(refuse(error, Exit::Blocked));
    }
    let answered = hands.give(asked.hash, &meant).await;
    Ok((asked, meant, answered))
}

/// What can be answered, in words.
fn offered(asked: &Dialog) -> String {
    let choices = asked.choices.iter();
    let said: Vec<String> = choices
        .map(|choice| match choice.key.as_str() {
            "" => choice.text.clone(),
            key => format!("{key} ({})", choice.text),
        })
        .collect();
    match said.is_empty() {
        true => "its choices cannot be read".to_owned(),
        false => said.join(", "),
    }
}

fn receipt(given: Option<(&Dialog, &Choice)>, answered: &Answered) -> Value {
    let mut told = serde_json::to_value(answered).unwrap_or_default();
    if let (Some(map), Some((asked, choice))) = (told.as_object_mut(), given) {
        map.insert("question".to_owned(), asked.question.clone().into());
        let choice = serde_json::to_value(choice).unwrap_or_default();
        map.insert("choice".to_owned(), choice);
    }
    json!({"v": 1, "answer": told})
}

/// What came of an answer, to be recorded.
pub(super) fn words(asked: &Dialog, choice: &Choice, answered: &Answered) -> String {
    // The words of strangers come last.
    let came = match answered {
        Answered::Answered => "answered".to_owned(),
        Answered::Held(why) => format!("not answered, {why}:"),
        Answered::Uncertain(why) => format!("perhaps answered, {why}:"),
    };
    let question: String = asked.question.chars().take(200).collect();
    format!("{came} {:?} to {question:?}", choice.text)
}
