//! A balancer without panes: its desk at a socket, its store, and a worker that does what a test says.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc as std_mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use cc_balancer::desk::{Asked, Desk, now, serve};
use cc_balancer::request::Request;
use cc_balancer::store::{End, Leased, Offer, SqliteStore, Step, Store};
use cc_balancer::task::{Kind, Outcome, Worker};
use cc_kit::control::Listener;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::queue::Queue;

/// How long anything may take: generous, for machines that do other work too.
const PATIENCE: Duration = Duration::from_secs(60);
/// The nonce that `exec` is let through with.
pub(crate) const NONCE: &str = "n0nce";

/// What it answers for the daemon.
type Script = Box<dyn Fn(Request) -> Value + Send>;

pub(crate) struct Served {
    store: Arc<SqliteStore>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    /// Serves that queue; nobody but a test works.
    pub(crate) fn start(queue: &Queue) -> Self {
        Self::scripted(queue, Box::new(|_| json!({"v": 1, "reasons": []})))
    }

    /// The same, with answers for what only a daemon knows.
    pub(crate) fn scripted(queue: &Queue, script: Script) -> Self {
        let state = queue.path("state");
        let store = Arc::new(SqliteStore::open(&state.join("balancer.db")).unwrap());
        let socket = queue.socket();
        std::fs::create_dir_all(socket.parent().unwrap()).unwrap();
        private(socket.parent().unwrap());
        let (stop, stopped) = oneshot::channel();
        let (up, is_up) = std_mpsc::channel();
        let shared = Arc::clone(&store);
        let thread = thread::spawn(move || {
            block(async move {
                let (asked, mut asks) = mpsc::unbounded_channel::<Asked>();
                let desk = Arc::new(Desk::new(shared).daemon(asked));
                let listener = Listener::bind(&socket).unwrap();
                up.send(()).unwrap();
                let answers = async {
                    while let Some((request, reply)) = asks.recv().await {
                        let _ = reply.send(script(request));
                    }
                };
                tokio::select! {
                    () = serve(desk, listener) => {}
                    () = answers => {}
                    _ = stopped => {}
                }
            });
        });
        is_up.recv().unwrap();
        Self {
            store,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Waits for a task, and takes it.
    pub(crate) fn take(&self) -> Leased {
        block(async {
            let mut changes = self.store.changes();
            let taken = async {
                loop {
                    match self.pull().await {
                        Some(leased) => return leased,
                        None => changes.recv().await.unwrap(),
                    };
                }
            };
            timeout(PATIENCE, taken).await.expect("there is a task")
        })
    }

    async fn pull(&self) -> Option<Leased> {
        let lease = Duration::from_secs(60);
        let pulled = self.store.pull("test", &[offer()], lease, now()).await;
        pulled.unwrap()
    }

    /// Goes on with it.
    pub(crate) fn step(&self, leased: &Leased, step: Step) {
        block(self.store.step(&leased.fence, step, now())).unwrap();
    }

    /// Ends it.
    pub(crate) fn end(&self, leased: &Leased, end: End) {
        block(self.store.end(&leased.fence, end, now())).unwrap();
    }

    /// Takes a task and does it, with that text.
    pub(crate) fn done(&self, text: &str) {
        let leased = self.take();
        self.step(&leased, Step::Running);
        self.end(&leased, End::Done(outcome(text)));
    }

    /// Waits until something of that kind happens to a task that happens from now on, while `act` is done.
    pub(crate) fn happens<T>(&self, kind: &str, act: impl FnOnce() -> T) -> T {
        let mut changes = self.store.changes();
        let acted = act();
        block(async {
            let happened = async { while changes.recv().await.unwrap().kind != kind {} };
            timeout(PATIENCE, happened).await.expect(kind);
        });
        acted
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

pub(crate) fn outcome(text: &str) -> Outcome {
    Outcome {
        text: text.to_owned(),
        ..Outcome::default()
    }
}

fn offer() -> Offer {
    Offer {
        worker: Worker {
            unit: Some("w@1".to_owned()),
            socket: "/nowhere".to_owned(),
            server: "1.2".to_owned(),
            pane: "%3".to_owned(),
            account: None,
        },
        labels: [("role".to_owned(), "ci".to_owned())].into(),
        names: ["w", "w@1", "%3", "%1"].map(str::to_owned).to_vec(),
        kinds: vec![Kind::Task, Kind::Message],
        groups: vec![],
        affinity: None,
        failures: 0,
        idle: Duration::ZERO,
    }
}

pub(crate) fn block<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn private(directory: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700)).unwrap();
}
