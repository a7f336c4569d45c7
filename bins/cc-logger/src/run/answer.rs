//! The control socket: answers who asks, one JSON object a line.
//!
//! | Asked | Answered |
//! |---|---|
//! | `{"do":"ls"}` | `{"v":1,"panes":[..]}` as `ls --json` |
//! | `{"do":"stats"}` | `{"v":1,"bytes":..,"gaps":..,..}` |
//! | `{"do":"mark","selector":"%3","text":".."}` | `{"v":1,"marked":1}` |
//! | `{"do":"rotate"}`, `{"do":"gc"}` | `{"v":1,"rotated":3}`, `{"v":1,"packed":..,"deleted":..,"bytes":..}` |
//! | `{"do":"follow","selector":"work"}` | a line for every piece of output, until the connection is closed |
//! | `{"do":"facts","selector":"*"}` | a line for every title, bell and command to the terminal |
//!
//! A line of `follow` is `{"v":1,"pane":{..},"output":".."}` with the bytes as text, lossless where
//! they are UTF-8 and in `"base64"` where they are not; `{"v":1,"pane":{..},"gap":{..}}`; or
//! `{"v":1,"pane":{..},"closed":true}`. A line of `facts` has `"title"`, `"bells"` or
//! `"osc":{"code":..,"text":".."}`. `"missed":n` says that the connection was too slow. A mistake is
//! answered by `{"v":1,"error":".."}`.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cc_kit::control::{Listener, Requests, say};
use cc_kit::journal::note;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::counters::Counters;
use crate::read::list;
use crate::record::live::{Live, PaneName, Speaker, What};
use crate::record::{Ask, Message};
use crate::select::Selector;
use crate::upkeep::Chores;

/// The longest line that is read.
const LONGEST: u64 = 64 << 10;

/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is asked.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Request {
    Ls,
    Stats,
    Mark { selector: String, text: String },
    Rotate,
    Gc,
    Follow { selector: String },
    Facts { selector: String },
}

/// Answers.
#[derive(Clone, Debug)]
pub(super) struct Answerer {
    pub(super) dir: PathBuf,
    pub(super) counters: Arc<Counters>,
    pub(super) speaker: Speaker,
    pub(super) chores: Chores,
    pub(super) sender: mpsc::WeakSender<Message>,
}

impl Answerer {
    /// Answers everybody, until it is dropped.
    pub(super) async fn answer(self, listener: Listener) {
        let one = |stream| {
            let answerer = self.clone();
            async move { answerer.serve(stream).await }
        };
        listener.serve(one).await;
    }

    async fn serve(&self, stream: UnixStream) -> io::Result<()> {
        let (read, mut write) = stream.into_split();
        let mut requests = Requests::of(read, LONGEST);
        while let Some(request) = requests.next::<Request>().await? {
            let request = match request {
                Ok(request) => request,
                Err(error) => {
                    say(&mut write, &wrong(&error.to_string())).await?;
                    continue;
                }
            };
            let answer = match request {
                Request::Follow { selector } => {
                    return self.tell(&selector, true, requests, write).await;
                }
                Request::Facts { selector } => {
                    return self.tell(&selector, false, requests, write).await;
                }
                request => timeout(PATIENCE, self.reply(request))
                    .await
                    .unwrap_or_else(|_| wrong("it takes too long")),
            };
            say(&mut write, &answer).await?;
        }
        Ok(())
    }

    async fn reply(&self, request: Request) -> Value {
        match request {
            Request::Ls => {
                let dir = self.dir.clone();
                let listed = tokio::task::spawn_blocking(move || {
                    list::find(&dir).and_then(|found| list::json(&found))
                });
                match listed.await {
                    Ok(Ok(value)) => value,
                    _ => wrong("the directory cannot be listed"),
                }
            }
            Request::Stats => stats(&self.counters),
            Request::Mark { selector, text } => match Selector::parse(&selector) {
                Ok(selector) => {
                    let asked = |answer| Ask::Mark {
                        selector,
                        text,
                        answer,
                    };
                    match self.ask(asked).await {
                        Some(marked) => json!({"v": 1, "marked": marked}),
                        None => wrong("the logger is stopping"),
                    }
                }
                Err(error) => wrong(&error.to_string()),
            },
            Request::Rotate => match self.ask(Ask::Rotate).await {
                Some(rotated) => json!({"v": 1, "rotated": rotated}),
                None => wrong("the logger is stopping"),
            },
            Request::Gc => match self.chores.tidy().await {
                Ok(done) => json!({
                    "v": 1, "packed": done.packed, "deleted": done.deleted, "bytes": done.bytes,
                }),
                Err(_) => wrong("the logger is stopping"),
            },
            Request::Follow { .. } | Request::Facts { .. } => wrong("not a question"),
        }
    }

    async fn ask(&self, ask: impl FnOnce(oneshot::Sender<usize>) -> Ask) -> Option<usize> {
        let (answer, answered) = oneshot::channel();
        let sender = self.sender.upgrade()?;
        sender.send(Message::Ask(ask(answer))).await.ok()?;
        answered.await.ok()
    }

    /// Tells of panes until the other side goes.
    async fn tell(
        &self,
        selector: &str,
        output: bool,
        mut requests: Requests,
        mut write: OwnedWriteHalf,
    ) -> io::Result<()> {
        let selector = match Selector::parse(selector) {
            Ok(selector) => selector,
            Err(error) => return say(&mut write, &wrong(&error.to_string())).await,
        };
        let mut heard = self.speaker.listen();
        say(&mut write, &json!({"v": 1, "listening": true})).await?;
        loop {
            let live = tokio::select! {
                live = heard.recv() => live,
                // Nothing more is asked here.
                gone = requests.gone() => return gone,
            };
            match live {
                Ok(live) if is_meant(&selector, &live.pane) => {
                    for line in told(&live, output) {
                        say(&mut write, &line).await?;
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

fn is_meant(selector: &Selector, pane: &PaneName) -> bool {
    selector.means(
        &pane.server.socket,
        pane.pane,
        Some(&pane.place),
        pane.unit.as_deref(),
    )
}

/// What is counted, as JSON.
pub(crate) fn stats(counters: &Counters) -> Value {
    json!({
        "v": 1,
        "bytes": counters.bytes.get(),
        "gaps": counters.gaps.get(),
        "gap_bytes": counters.gap_bytes.get(),
        "write_failures": counters.write_failures.get(),
        "queue_bytes": counters.queued.get(),
        "panes": counters.panes.get(),
        "deleted_segments": counters.deleted.get(),
        "redactions": counters.redactions(),
    })
}

fn told(live: &Live, output: bool) -> Vec<Value> {
    let pane = named(&live.pane);
    match &live.what {
        What::Output(bytes) if output => vec![match str::from_utf8(bytes) {
            Ok(text) => json!({"v": 1, "pane": pane, "output": text}),
            Err(_) => json!({"v": 1, "pane": pane, "base64": base64(bytes)}),
        }],
        What::Gap(gap) if output => vec![json!({"v": 1, "pane": pane, "gap": gap})],
        What::News(news) if !output => {
            let title = news.title.as_ref();
            let title = title.map(|title| json!({"v": 1, "pane": pane, "title": title}));
            let bells =
                (news.bells > 0).then(|| json!({"v": 1, "pane": pane, "bells": news.bells}));
            let oscs = news.oscs.iter().map(|(code, text)| {
                json!({"v": 1, "pane": pane, "osc": note::Osc { code: *code, text: text.clone() }})
            });
            title.into_iter().chain(bells).chain(oscs).collect()
        }
        What::Closed => vec![json!({"v": 1, "pane": pane, "closed": true})],
        _ => Vec::new(),
    }
}

fn named(pane: &PaneName) -> Value {
    json!({
        "pane": format!("%{}", pane.pane),
        "unit": pane.unit,
        "session": pane.place.session,
        "socket": pane.server.socket,
        "server": format!("{}.{}", pane.server.pid, pane.server.start_time),
    })
}

fn wrong(why: &str) -> Value {
    json!({"v": 1, "error": why})
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
