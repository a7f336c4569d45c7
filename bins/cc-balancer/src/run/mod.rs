//! `serve`: the daemon. One loop that is told what happens, and gives tasks to who is free.

mod ask;
mod dispatch;
mod places;
mod start;
mod take_up;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cc_kit::exit::{Exit, Failure};
use cc_kit::home::Home;
use cc_kit::profile::{Profile, Profiles, State};
use cc_kit::redact::{Key as RedactKey, Rules};
use jiff::Timestamp;
use serde_json::Value;
use tmux_cc::client::{Server, ServerChange};
use tmux_cc::wire::PaneId;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::attempt::course::Event as Told;
use crate::attempt::{Carried, Tools};
use crate::config::Config;
use crate::request::Request;
use crate::store::{Event, Store};
use crate::task::{Fence, TaskId};
use crate::worker::{Eyes, Found, Guardian, Key, Worker, steady};

pub(crate) use self::start::{check, serve};

/// How long a worker that took nothing is left alone, where nothing of it changes.
const REST: Duration = Duration::from_secs(5);
/// How long a worker is left alone that shows what stopped its last turn, where nobody knows better.
const STOPPED: Duration = Duration::from_secs(5 * 60);
/// How often what nobody tells of is looked for: leases that have run out, results that are old.
const ROUND: Duration = Duration::from_secs(2);

/// What happens.
#[derive(Debug)]
enum Note {
    /// On a server.
    Change(PathBuf, Box<ServerChange>),
    /// Something was printed in a pane, or its labels changed: all that is subscribed to.
    Active(PathBuf, PaneId, Vec<u8>),
    /// The workers of a server, as they are, and all panes that live; nothing where that life of it has ended.
    Found(PathBuf, Option<(Vec<Found>, Vec<PaneId>)>),
    /// A worker is believed to be in another state.
    Believed,
    /// A guardian says something else of its units.
    Units(PathBuf),
    /// An attempt is over.
    Over(Key, Fence, Carried),
    /// Something happened to a task.
    Stored(Event),
    /// So many of those were missed.
    Missed,
    /// Something was asked that only we know.
    Asked(Request, oneshot::Sender<Value>),
}

/// A worker, and what we do with it.
#[derive(Debug)]
struct Hand {
    worker: Worker,
    /// Ours, where no guardian has it.
    eyes: Option<Eyes>,
    /// Hands on that it is believed to be in another state.
    telling: JoinHandle<()>,
    /// What it works on.
    task: Option<TaskId>,
    /// Is it to be given nothing more?
    drains: bool,
    /// Does no table mean it any more? Then it goes once it has nothing under way.
    leaves: bool,
    rests: Option<Rest>,
    /// How many of its last attempts failed.
    failures: u32,
    affinity: Option<String>,
}

/// Why a worker is left alone for a while.
#[derive(Debug)]
struct Rest {
    until: Instant,
    why: String,
    /// Only while it is in the state that it is believed to be in since then; `None`: in any.
    since: Option<Timestamp>,
}

impl Hand {
    /// Is it left alone?
    fn rest(&self) -> Option<&Rest> {
        let since = self.worker.belief.borrow().since;
        let lasts = |rest: &&Rest| {
            rest.until > Instant::now() && (rest.since.is_none() || rest.since == since)
        };
        self.rests.as_ref().filter(lasts)
    }

    /// From when on it can be given something, as far as is believed; `None` where something else must
    /// happen first.
    ///
    /// What stopped a turn, such as a limit, stands on the screen until the next one: a worker that
    /// would take a prompt all the same is free again when that is over.
    fn free_from(&self) -> Option<Instant> {
        if self.task.is_some() || self.drains || self.leaves {
            return None;
        }
        let now = Instant::now();
        let rests = self.rest().map(|rest| rest.until);
        let belief = self.worker.belief.borrow();
        match belief.state {
            State::Idle => Some(rests.unwrap_or(now)),
            State::Limited | State::Errored if belief.goes_on => {
                // Of what stopped a task of ours it is known until when, also once that is over.
                let known = self.rests.as_ref().filter(|rest| rest.since.is_none());
                let known = rests.or_else(|| known.map(|rest| rest.until));
                Some(known.unwrap_or_else(|| {
                    let left = (belief.steady + STOPPED).saturating_sub(steady());
                    now + left
                }))
            }
            _ => None,
        }
    }

    fn is_free(&self) -> bool {
        self.free_from().is_some_and(|at| at <= Instant::now())
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        self.telling.abort();
    }
}

/// A tmux server that is followed.
#[derive(Debug)]
struct Followed {
    server: Server,
    /// Is somebody looking for workers there, and is it to be done again then?
    finding: Option<bool>,
    /// Has it been looked through since it is up?
    is_known: bool,
    /// What each pane's labels were.
    labels: HashMap<PaneId, Vec<u8>>,
    listening: Vec<JoinHandle<()>>,
}

impl Drop for Followed {
    fn drop(&mut self) {
        for task in &self.listening {
            task.abort();
        }
    }
}

/// An attempt that is under way.
#[derive(Debug)]
struct Running {
    fence: Fence,
    nonce: String,
    tell: mpsc::UnboundedSender<Told>,
}

#[derive(Debug)]
struct Serve {
    home: Home,
    config: Config,
    store: Arc<dyn Store>,
    tools: Tools,
    /// Who we are to others who share the queue.
    host: String,
    profiles: BTreeMap<String, Arc<Profile>>,
    servers: BTreeMap<PathBuf, Followed>,
    guardians: BTreeMap<PathBuf, Guardian>,
    workers: BTreeMap<Key, Hand>,
    running: HashMap<TaskId, Running>,
    /// Attempts of an earlier life whose worker has not been found yet.
    orphans: BTreeMap<TaskId, crate::task::Task>,
    began: Instant,
    /// When what nobody tells of was looked for last, on the steady clock.
    rounded: Duration,
    /// When something may be given that cannot be now.
    due: Option<Instant>,
    /// Is it to be looked whether anything can be given?
    stale: bool,
    notes: mpsc::UnboundedSender<Note>,
}

impl Serve {
    async fn on(&mut self, note: Note) {
        match note {
            Note::Change(socket, change) => self.changed_on(&socket, *change),
            Note::Active(socket, pane, value) => self.active(&socket, pane, value),
            Note::Found(socket, found) => self.found(&socket, found).await,
            Note::Believed => self.stale = true,
            Note::Units(socket) => self.units(&socket).await,
            Note::Over(key, fence, carried) => self.over(&key, &fence, carried),
            Note::Stored(event) => self.stored(&event),
            Note::Missed => {
                self.stale = true;
                self.look_for_cancels().await;
            }
            Note::Asked(request, reply) => self.asked(request, reply).await,
        }
    }

    /// Whose news a pane is.
    fn eyes_of(&self, socket: &std::path::Path, pane: PaneId) -> Option<Arc<Notify>> {
        let (socket, pane) = (socket.to_string_lossy(), pane.to_string());
        let mut hands = self.workers.values();
        let hand =
            hands.find(|hand| hand.worker.key.pane == pane && hand.worker.key.socket == socket)?;
        hand.eyes.as_ref().map(Eyes::teller)
    }
}

async fn wait(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => std::future::pending().await,
    }
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::new(Exit::Failed, error)
}

/// Profiles by their names.
pub(crate) fn profiles() -> Result<BTreeMap<String, Arc<Profile>>, Failure> {
    let named = Profiles::usual()?.into_all().into_iter();
    Ok(named
        .map(|profile| (profile.name().to_owned(), Arc::new(profile)))
        .collect())
}

/// What is taken out of results.
fn rules(home: &Home) -> Result<Arc<Rules>, Failure> {
    let key = RedactKey::kept_in(home.state())?;
    Ok(Arc::new(Rules::builder().build(key).map_err(failed)?))
}
