//! The control socket: answers who asks. What is asked stands in `request`.

use std::io;
use std::time::Duration;

use cc_kit::control::{Listener, Requests, say};
use cc_kit::exit::Exit;
use serde_json::{Value, json};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::sleep;

use super::Note;
use crate::pick::is_of;
use crate::request::Request;
use crate::store::Event;

/// The longest line that is read: a prompt, escaped.
const LONGEST: u64 = 4 << 20;
/// How long changes are gathered before they are told.
const TOGETHER: Duration = Duration::from_millis(30);

/// Answers.
#[derive(Debug)]
pub(super) struct Answerer {
    pub(super) notes: mpsc::UnboundedSender<Note>,
    pub(super) changed: watch::Receiver<u64>,
    pub(super) events: broadcast::Sender<Event>,
}

impl Answerer {
    /// Answers everybody, until it is dropped.
    pub(super) async fn answer(self, listener: Listener) {
        let one = |stream| {
            let one = Connection {
                notes: self.notes.clone(),
                changed: self.changed.clone(),
                events: self.events.clone(),
            };
            async move { one.serve(stream).await }
        };
        listener.serve(one).await;
    }
}

struct Connection {
    notes: mpsc::UnboundedSender<Note>,
    changed: watch::Receiver<u64>,
    events: broadcast::Sender<Event>,
}

impl Connection {
    async fn serve(mut self, stream: UnixStream) -> io::Result<()> {
        let (read, mut write) = stream.into_split();
        let mut requests = Requests::of(read, LONGEST);
        while let Some(request) = requests.next::<Request>().await? {
            let request = match request {
                Ok(request) => request,
                Err(error) => {
                    let error = error.to_string();
                    let wrong = json!({"v": 1, "error": error, "exit": Exit::Usage.code()});
                    say(&mut write, &wrong).await?;
                    continue;
                }
            };
            match request {
                Request::Watch => loop {
                    self.changed.borrow_and_update();
                    let listing = self.ask(Request::Ls).await;
                    say(&mut write, &listing).await?;
                    // The first change after a rest is told at once.
                    sleep(TOGETHER).await;
                    if self.changed.changed().await.is_err() {
                        return Ok(());
                    }
                },
                Request::Events { follow: true, .. } => return self.tell(request, write).await,
                request => {
                    let answer = self.ask(request).await;
                    say(&mut write, &answer).await?;
                }
            }
        }
        Ok(())
    }

    async fn ask(&self, request: Request) -> Value {
        let (reply, answer) = oneshot::channel();
        let _ = self.notes.send(Note::Asked(request, reply));
        answer.await.unwrap_or_else(|_| {
            json!({"v": 1, "error": "the guardian is stopping", "exit": Exit::Unreachable.code()})
        })
    }

    /// Tells what has happened, and what happens.
    async fn tell(self, request: Request, mut write: OwnedWriteHalf) -> io::Result<()> {
        let mut later = self.events.subscribe();
        let Request::Events { unit, .. } = &request else {
            return Ok(());
        };
        let wanted = unit.clone();
        let before = self.ask(request).await;
        if before.get("error").is_some() {
            return say(&mut write, &before).await;
        }
        let mut last = 0;
        for event in before
            .get("events")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            last = event.get("id").and_then(Value::as_i64).unwrap_or(last);
            say(&mut write, &said(event)).await?;
        }
        loop {
            match later.recv().await {
                Ok(event) if event.id > last => {
                    if wanted.as_ref().is_none_or(|unit| is_of(&event.unit, unit)) {
                        let event = serde_json::to_value(&event).unwrap_or_default();
                        say(&mut write, &said(&event)).await?;
                    }
                }
                Ok(_) => {}
                Err(RecvError::Lagged(missed)) => {
                    say(&mut write, &json!({"v": 1, "missed": missed})).await?;
                }
                Err(RecvError::Closed) => return Ok(()),
            }
        }
    }
}

/// An event, as it is told.
fn said(event: &Value) -> Value {
    let mut event = event.clone();
    if let Some(event) = event.as_object_mut() {
        event.insert("v".to_owned(), 1.into());
    }
    event
}
