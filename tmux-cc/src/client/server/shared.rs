//! What the task that follows a server shares with the handles.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{broadcast, watch};

use super::changes::ServerChange;
use super::listing::{Listing, Waiting};
use crate::client::flow::{Budget, Inbox};
use crate::client::handle::Client;
use crate::client::health::Meter;
use crate::client::identity::Identity;
use crate::protocol::Exit;
use crate::tree::{Change, Tree};
use crate::wire::SessionId;

/// Changes that a slow consumer may be behind before it is told that it missed some.
const CHANGES: usize = 4096;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) inbox: Arc<Inbox>,
    output: watch::Sender<bool>,
    model: Mutex<Model>,
}

/// How everything is. It changes together with what is said of it, so that whoever subscribes has
/// neither a change twice nor one missing.
#[derive(Debug)]
struct Model {
    state: State,
    tree: Tree,
    clients: BTreeMap<SessionId, Client>,
    /// Gone once the server is closed.
    changes: Option<broadcast::Sender<ServerChange>>,
}

#[derive(Debug)]
enum State {
    Starting,
    Waiting(Waiting),
    Up(Arc<Identity>),
}

impl Model {
    fn say(&self, change: ServerChange) {
        // Nobody may be listening.
        let _ = self.changes.as_ref().map(|changes| changes.send(change));
    }
}

impl Shared {
    pub(super) fn new(budget: Budget, socket: PathBuf) -> Self {
        let inbox = Inbox::merged(budget, Arc::new(Meter::new(socket)));
        inbox.close();
        Self {
            inbox,
            output: watch::Sender::new(false),
            model: Mutex::new(Model {
                state: State::Starting,
                tree: Tree::default(),
                clients: BTreeMap::new(),
                changes: Some(broadcast::Sender::new(CHANGES)),
            }),
        }
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        // Nothing below leaves the model half changed, so a panic elsewhere does not spoil it.
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How everything is, as changes, and what follows.
    pub(super) fn subscribe(&self) -> (VecDeque<ServerChange>, broadcast::Receiver<ServerChange>) {
        let model = self.model();
        let later = match &model.changes {
            Some(changes) => changes.subscribe(),
            None => broadcast::channel(1).1,
        };
        let mut first = VecDeque::new();
        match &model.state {
            State::Starting => {}
            State::Waiting(why) => first.push_back(ServerChange::Waiting(why.clone())),
            State::Up(server) => {
                first.push_back(ServerChange::Up(Arc::clone(server)));
                let sessions = model.tree.sessions().cloned().map(Change::SessionAdded);
                let panes = model.tree.panes().cloned().map(Change::PaneAdded);
                first.extend(sessions.chain(panes).map(ServerChange::Tree));
            }
        }
        (first, later)
    }

    pub(super) fn identity(&self) -> Option<Arc<Identity>> {
        match &self.model().state {
            State::Up(server) => Some(Arc::clone(server)),
            _ => None,
        }
    }

    pub(super) fn tree(&self) -> Tree {
        self.model().tree.clone()
    }

    pub(super) fn client(&self, session: SessionId) -> Option<Client> {
        self.model().clients.get(&session).cloned()
    }

    pub(super) fn any_client(&self) -> Option<Client> {
        self.model()
            .clients
            .values()
            .find(|client| client.exit().is_none())
            .cloned()
    }

    pub(super) fn add_client(&self, session: SessionId, client: Client) {
        self.model().clients.insert(session, client);
    }

    pub(super) fn remove_client(&self, session: SessionId) {
        self.model().clients.remove(&session);
    }

    /// Sets whether output is wanted, and says whether it was before.
    pub(super) fn want_output(&self, wanted: bool) -> bool {
        let was = self.output.send_replace(wanted);
        if wanted && !was {
            self.inbox.open();
        } else if !wanted {
            self.inbox.close();
        }
        was
    }

    pub(super) fn output_wanted(&self) -> watch::Receiver<bool> {
        self.output.subscribe()
    }

    pub(super) fn say(&self, change: ServerChange) {
        self.model().say(change);
    }

    /// Says why there is nothing to attach to, once for each reason.
    pub(super) fn waiting(&self, why: Waiting) {
        let mut model = self.model();
        if !matches!(&model.state, State::Waiting(known) if *known == why) {
            tracing::info!(?why, "waiting for a tmux server");
            model.say(ServerChange::Waiting(why.clone()));
            model.state = State::Waiting(why);
        }
    }

    pub(super) fn up(&self, server: &Arc<Identity>) {
        let mut model = self.model();
        self.inbox.set_server(Arc::clone(server));
        model.state = State::Up(Arc::clone(server));
        model.say(ServerChange::Up(Arc::clone(server)));
    }

    /// The life has ended: everything that was known of it goes, without a word for each.
    pub(super) fn down(&self, exit: Exit) {
        let mut model = self.model();
        model.clients.clear();
        model.tree = Tree::default();
        if let State::Up(server) = std::mem::replace(&mut model.state, State::Starting) {
            let exit = exit.clone();
            model.say(ServerChange::Down { server, exit });
        }
        self.inbox.end_all(exit);
    }

    /// Takes a listing, and says what differs.
    pub(super) fn apply(&self, listing: Listing) -> Vec<Change> {
        let mut model = self.model();
        let changes = model.tree.apply(listing.sessions, listing.panes);
        for change in &changes {
            model.say(ServerChange::Tree(change.clone()));
        }
        changes
    }

    /// Nothing more will happen.
    pub(super) fn close(&self) {
        self.model().changes = None;
        self.inbox.finish();
    }
}
