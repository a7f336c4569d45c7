//! What the task that follows a server shares with the handles.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{broadcast, watch};

use super::changes::ServerChange;
use super::listing::Waiting;
use crate::client::flow::{Budget, Inbox};
use crate::client::handle::Client;
use crate::client::health::Meter;
use crate::client::identity::Identity;
use crate::client::output::{OutputRequest, PaneFilter};
use crate::client::subscription::{Reported, Subscription, Watch};
use crate::protocol::Exit;
use crate::tree::{Change, Listing, Noticed, Tree};
use crate::wire::{Notification, PaneId, SessionId, WindowId};

/// Changes that a slow consumer may be behind before it is told that it missed some.
const CHANGES: usize = 4096;

/// Which stream of output it is.
pub(super) type StreamId = u64;

/// Which subscription it is.
pub(super) type WatchId = u64;

/// A stream of output that somebody has asked for.
#[derive(Clone, Debug)]
pub(super) struct Streaming {
    pub(super) id: StreamId,
    pub(super) filter: PaneFilter,
    pub(super) inbox: Arc<Inbox>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) meter: Arc<Meter>,
    budget: Budget,
    /// Told when a stream or a subscription has come or gone.
    wanted_changed: watch::Sender<()>,
    /// Told when a client has come, and when the server is closed: what is known of a client in the
    /// tree may be known before it can be used.
    attached: watch::Sender<()>,
    model: Mutex<Model>,
}

/// How everything is. It changes together with what is said of it, so that whoever subscribes has
/// neither a change twice nor one missing.
#[derive(Debug)]
struct Model {
    state: State,
    tree: Arc<Tree>,
    clients: BTreeMap<SessionId, Client>,
    streams: BTreeMap<StreamId, Streaming>,
    next_stream: StreamId,
    watches: BTreeMap<WatchId, Arc<Watch>>,
    next_watch: WatchId,
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
        if let Some(changes) = &self.changes {
            let _ = changes.send(change);
        }
    }

    fn say_all(&self, changes: &[Change]) {
        for change in changes {
            self.say(ServerChange::Tree(change.clone()));
        }
    }
}

impl Shared {
    pub(super) fn new(budget: Budget, socket: PathBuf) -> Self {
        Self {
            meter: Arc::new(Meter::new(socket)),
            budget,
            wanted_changed: watch::Sender::new(()),
            attached: watch::Sender::new(()),
            model: Mutex::new(Model {
                state: State::Starting,
                tree: Arc::default(),
                clients: BTreeMap::new(),
                streams: BTreeMap::new(),
                next_stream: 0,
                watches: BTreeMap::new(),
                next_watch: 0,
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
                first.extend(model.tree.as_changes().into_iter().map(ServerChange::Tree));
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

    pub(super) fn tree(&self) -> Arc<Tree> {
        Arc::clone(&self.model().tree)
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
        self.attached.send_replace(());
    }

    /// Waits until there is such a client; nothing where the server is closed instead.
    pub(super) async fn until_client(
        &self,
        find: impl Fn(&Self) -> Option<Client>,
    ) -> Option<Client> {
        // From before the first look, so that none comes unseen.
        let mut attached = self.attached.subscribe();
        loop {
            if let Some(client) = find(self) {
                return Some(client);
            }
            self.model().changes.as_ref()?;
            attached.changed().await.ok()?;
        }
    }

    pub(super) fn remove_client(&self, session: SessionId) {
        self.model().clients.remove(&session);
    }

    /// A new stream of output.
    pub(super) fn add_stream(&self, request: OutputRequest) -> Streaming {
        let filter = request.filter.clone();
        let inbox = Inbox::merged(self.budget, request, Arc::clone(&self.meter));
        let mut model = self.model();
        let id = model.next_stream;
        model.next_stream += 1;
        let stream = Streaming { id, filter, inbox };
        if let State::Up(server) = &model.state {
            stream.inbox.set_server(Arc::clone(server));
        }
        if model.changes.is_none() {
            stream.inbox.finish();
        }
        model.streams.insert(id, stream.clone());
        self.wanted_changed.send_replace(());
        stream
    }

    /// Nobody takes a stream any more.
    pub(super) fn remove_stream(&self, stream: &Streaming) {
        stream.inbox.close();
        self.model().streams.remove(&stream.id);
        self.wanted_changed.send_replace(());
    }

    pub(super) fn streams(&self) -> Vec<Streaming> {
        self.model().streams.values().cloned().collect()
    }

    /// A new subscription.
    pub(super) fn add_watch(&self, subscription: Subscription) -> (WatchId, Arc<Watch>) {
        let mut model = self.model();
        let id = model.next_watch;
        model.next_watch += 1;
        let watch = Arc::new(Watch::new(subscription));
        if model.changes.is_none() {
            watch.finish();
        }
        model.watches.insert(id, Arc::clone(&watch));
        self.wanted_changed.send_replace(());
        (id, watch)
    }

    /// Nobody takes the values of a subscription any more.
    pub(super) fn remove_watch(&self, id: WatchId) {
        self.model().watches.remove(&id);
        self.wanted_changed.send_replace(());
    }

    pub(super) fn watches(&self) -> BTreeMap<WatchId, Arc<Watch>> {
        self.model().watches.clone()
    }

    pub(super) fn wanted_changed(&self) -> watch::Receiver<()> {
        self.wanted_changed.subscribe()
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
        for stream in model.streams.values() {
            stream.inbox.set_server(Arc::clone(server));
        }
        model.state = State::Up(Arc::clone(server));
        model.say(ServerChange::Up(Arc::clone(server)));
    }

    /// The life has ended: everything that was known of it goes, without a word for each.
    pub(super) fn down(&self, exit: Exit) {
        let mut model = self.model();
        model.clients.clear();
        model.tree = Arc::default();
        if let State::Up(server) = std::mem::replace(&mut model.state, State::Starting) {
            let exit = exit.clone();
            model.say(ServerChange::Down { server, exit });
        }
        for stream in model.streams.values() {
            stream.inbox.end_all(exit.clone());
        }
    }

    /// Takes a listing, and says what differs.
    pub(super) fn apply(&self, listing: Listing) -> Vec<Change> {
        let mut model = self.model();
        let changes = Arc::make_mut(&mut model.tree).apply(listing);
        let tree = &model.tree;
        let gone = |session, window: Option<WindowId>, pane: Option<PaneId>| match (window, pane) {
            (_, Some(pane)) => tree.pane(pane).is_none(),
            (Some(window), None) => tree.window(window).is_none(),
            (None, None) => tree.session(session).is_none(),
        };
        model.watches.values().for_each(|watch| watch.forget(gone));
        model.say_all(&changes);
        changes
    }

    /// Takes a notification, and says what it changes; is it time to list anew?
    pub(super) fn notice(&self, notification: &Notification<'_>) -> bool {
        self.change(|tree| tree.notice(notification))
    }

    /// Takes what tmux reports of a pane that is watched for the tree; is it time to list anew?
    pub(super) fn noticed_of(&self, found: &Reported) -> bool {
        match (found.pane, found.index) {
            (Some(pane), Some(index)) => {
                let at = (found.session, index);
                self.change(|tree| tree.report(pane, at, &found.value))
            }
            _ => false,
        }
    }

    fn change(&self, change: impl FnOnce(&mut Tree) -> Noticed) -> bool {
        let mut model = self.model();
        let noticed = change(Arc::make_mut(&mut model.tree));
        model.say_all(&noticed.changes);
        noticed.stale
    }

    /// Nothing more will happen.
    pub(super) fn close(&self) {
        let mut model = self.model();
        model.changes = None;
        for stream in model.streams.values() {
            stream.inbox.finish();
        }
        model.watches.values().for_each(|watch| watch.finish());
        drop(model);
        self.attached.send_replace(());
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use std::task::Poll;

    use super::*;
    use crate::client::Attach;
    use crate::testing::FakeTmux;

    fn shared() -> Shared {
        Shared::new(Budget::default(), PathBuf::new())
    }

    #[tokio::test]
    async fn a_client_is_noticed_though_nothing_else_changes() {
        let shared = shared();
        let fake = FakeTmux::new("3.5a");
        let attach = Attach::to("main").over(fake.connect());
        let (client, _events, driver) = attach.await.unwrap();
        tokio::spawn(driver);
        let mut waits = Box::pin(shared.until_client(Shared::any_client));
        assert!(std::future::poll_fn(|cx| Poll::Ready(waits.as_mut().poll(cx).is_pending())).await);
        shared.add_client(SessionId(0), client);
        assert!(waits.await.is_some());
    }

    #[tokio::test]
    async fn nobody_waits_for_a_client_of_a_server_that_is_closed() {
        let shared = shared();
        let mut waits = Box::pin(shared.until_client(|shared| shared.client(SessionId(7))));
        assert!(std::future::poll_fn(|cx| Poll::Ready(waits.as_mut().poll(cx).is_pending())).await);
        shared.close();
        assert!(waits.await.is_none());
    }
}
