//! A desk at a control socket: what is asked there is answered, and what happens is told.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use cc_kit::control::{Listener, Requests, say};
use cc_kit::exit::Exit;
use serde_json::{Value, json};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::sleep;

use super::{Desk, told};
use crate::request::{Request, Tasks};
use crate::store::{Query, StoreError};
use crate::task::TaskId;

/// The longest line that is read: a text of 1 MiB, each byte of it escaped.
const LONGEST: u64 = 8 << 20;
/// How long changes are gathered before they are told.
const TOGETHER: Duration = Duration::from_millis(30);

/// Answers everybody at that socket, until it is dropped.
pub async fn serve(desk: Arc<Desk>, listener: Listener) {
    let one = |stream| connection(Arc::clone(&desk), stream);
    listener.serve(one).await;
}

async fn connection(desk: Arc<Desk>, stream: UnixStream) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut requests = Requests::of(read, LONGEST);
    while let Some(request) = requests.next::<Request>().await? {
        match request {
            Err(error) => {
                let error = error.to_string();
                let wrong = json!({"v": 1, "error": error, "exit": Exit::Usage.code()});
                say(&mut write, &wrong).await?;
            }
            Ok(Request::Watch(query)) => {
                return tokio::select! {
                    told = watch(&desk, query, &mut write) => told,
                    gone = requests.gone() => gone,
                };
            }
            Ok(Request::Follow(tasks)) => {
                return tokio::select! {
                    told = follow(&desk, &tasks, &mut write) => told,
                    gone = requests.gone() => gone,
                };
            }
            Ok(request) => {
                let answer = desk.answer(request).await;
                say(&mut write, &answer).await?;
            }
        }
    }
    Ok(())
}

/// Says how all is, now and whenever something has changed.
async fn watch(desk: &Desk, query: Query, write: &mut OwnedWriteHalf) -> io::Result<()> {
    let mut changes = desk.store.changes();
    loop {
        let answer = desk.answer(Request::Status(query.clone())).await;
        say(write, &answer).await?;
        if let Err(RecvError::Closed) = changes.recv().await {
            return Ok(());
        }
        // What comes at once is told at once.
        sleep(TOGETHER).await;
        changes = changes.resubscribe();
    }
}

/// Says how those are, and what happens to them, until all are over or forgotten.
async fn follow(desk: &Desk, tasks: &Tasks, write: &mut OwnedWriteHalf) -> io::Result<()> {
    let mut changes = desk.store.changes();
    let mut open: Vec<TaskId> = Vec::new();
    for beginning in &tasks.tasks {
        match desk.find(beginning).await {
            Ok(task) => {
                say(write, &json!({"v": 1, "task": told::task(&task)})).await?;
                if !task.state.is_over() && !open.contains(&task.id) {
                    open.push(task.id);
                }
            }
            Err(wrong) => return say(write, &wrong.answer()).await,
        }
    }
    // What is over may have more to tell that is here already.
    let mut over: Vec<TaskId> = Vec::new();
    loop {
        let next = match changes.try_recv() {
            Ok(event) => Ok(event),
            Err(TryRecvError::Lagged(missed)) => Err(RecvError::Lagged(missed)),
            Err(TryRecvError::Closed) => return Ok(()),
            Err(TryRecvError::Empty) => {
                open.retain(|id| !over.contains(id));
                if open.is_empty() {
                    return say(write, &json!({"v": 1, "end": true})).await;
                }
                changes.recv().await
            }
        };
        match next {
            Ok(event) if open.contains(&event.task) => {
                let told = json!({"event": told::event(&event)});
                if !now_is(desk, &event.task, told, write).await? {
                    over.push(event.task);
                }
            }
            Ok(_) => {}
            Err(RecvError::Lagged(missed)) => {
                // What was missed is not told, and how each is now.
                for id in &open {
                    let told = json!({"missed": missed});
                    if !now_is(desk, id, told, write).await? {
                        over.push(id.clone());
                    }
                }
            }
            Err(RecvError::Closed) => return Ok(()),
        }
    }
}

/// Says how one is now, beside what was to be told; and whether more comes of it.
async fn now_is(
    desk: &Desk,
    id: &TaskId,
    mut told: Value,
    write: &mut OwnedWriteHalf,
) -> io::Result<bool> {
    let found = desk.store.task(id.as_str()).await;
    let (goes_on, task) = match &found {
        Ok(task) => (!task.state.is_over(), told::task(task)),
        Err(StoreError::Unknown(_)) => (false, json!({"task": id, "state": "removed"})),
        Err(error) => {
            let error = json!({"v": 1, "error": error.to_string(), "exit": Exit::Store.code()});
            say(write, &error).await?;
            return Ok(false);
        }
    };
    if let Some(told) = told.as_object_mut() {
        told.insert("v".to_owned(), 1.into());
        told.insert("task".to_owned(), task);
    }
    say(write, &told).await?;
    Ok(goes_on)
}
