//! Starting the daemon, and its loop.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cc_kit::control::Listener;
use cc_kit::exit::{Exit, Failure};
use cc_kit::home::Home;
use cc_kit::signals::Shutdown;
use cc_kit::stdout::print;
use sd_notify::NotifyState;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, interval};

use super::{Note, ROUND, Serve, failed, profiles, rules, wait};
use crate::attempt::Tools;
use crate::cli;
use crate::config::{self, Config, Engine};
use crate::desk::{self, Asked, Desk, now};
use crate::store::nats::{NatsStore, Weight, findings};
use crate::store::{SqliteStore, Store, StoreError};
use crate::worker::steady;

/// How long a NATS server is waited for at the start.
const REACHED: Duration = Duration::from_secs(5);

/// Runs until SIGINT or SIGTERM.
pub(crate) fn serve(serve: &cli::Serve) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    runtime.block_on(run(serve))
}

async fn run(serve: &cli::Serve) -> Result<(), Failure> {
    let mut shutdown = Shutdown::install().map_err(failed)?;
    let home = Home::find("balancer", serve.state.state.as_deref())?;
    let profiles = profiles()?;
    let names: Vec<&str> = profiles.keys().map(String::as_str).collect();
    let mut config = configured(serve.config.as_deref(), &names)?;
    config.file.nats.insecure |= serve.insecure;
    let _lock = home.lock(Duration::ZERO)?;
    let uname = rustix::system::uname();
    let node = uname.nodename().to_string_lossy();
    let host = format!("{node}/{}", home.id());
    let store = open(&home, &config, &host).await?;
    for (name, queue) in &config.file.queue {
        let paused = store.groups().await.map_err(stored)?;
        let is_paused = paused.iter().any(|it| it.name == *name && it.is_paused);
        let set = store.set_group(name, queue.parallel, is_paused).await;
        set.map_err(stored)?;
    }
    for (name, account) in &config.file.account {
        let set = store.set_account(name, account.parallel).await;
        set.map_err(stored)?;
    }
    let (notes, mut told) = mpsc::unbounded_channel();
    let tools = Tools {
        store: Arc::clone(&store),
        socket: home.control(),
        leases: home.leases(),
        host: node.as_ref().into(),
        lease: config.lease(),
        rules: rules(&home)?,
        most: config.file.result.most(),
    };
    let control = Listener::bind(&home.control()).map_err(|e| Failure::new(Exit::Store, e))?;
    let mut serving = Serve {
        host,
        home,
        config,
        store: Arc::clone(&store),
        tools,
        profiles,
        servers: BTreeMap::new(),
        guardians: BTreeMap::new(),
        workers: BTreeMap::new(),
        running: HashMap::new(),
        orphans: BTreeMap::new(),
        began: Instant::now(),
        rounded: steady(),
        due: None,
        stale: true,
        notes: notes.clone(),
    };
    let hearing = tokio::spawn(hear(Arc::clone(&store), notes.clone()));
    serving.remember().await?;
    serving.follow_all().await;
    let room = Arc::new(Notify::new());
    let desk = Desk::new(Arc::clone(&store))
        .defaults(serving.config.defaults())
        .room(Arc::clone(&room))
        .daemon(asker(&notes));
    let answering = tokio::spawn(desk::serve(Arc::new(desk), control));
    let _ = sd_notify::notify(&[NotifyState::Ready]);
    let mut round = interval(ROUND);
    loop {
        if serving.stale {
            serving.dispatch().await;
        }
        let due = serving.next_due();
        tokio::select! {
            biased;
            _ = shutdown.requested() => break,
            Some(note) = told.recv() => {
                serving.on(note).await;
                // What came at once is taken at once, and then given at once.
                while let Ok(note) = told.try_recv() {
                    serving.on(note).await;
                }
            }
            () = wait(due) => serving.stale = true,
            () = room.notified() => serving.stale = true,
            _ = round.tick() => serving.round().await,
        }
    }
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    answering.abort();
    hearing.abort();
    serving.end().await;
    store.close().await.map_err(stored)
}

/// The file that is named, or else the usual one; without any there are no workers.
fn configured(file: Option<&Path>, names: &[&str]) -> Result<Config, Failure> {
    let usual = || config::usual_file().filter(|file| file.exists());
    match file.map(Path::to_owned).or_else(usual) {
        Some(file) => config::load(&file, names),
        None => Err(Failure::new(Exit::Usage, "there is no configuration").advice(
            "Say who works: `[[worker]]` with session and profile, in a file for -c or in balancer.toml.",
        )),
    }
}

async fn open(home: &Home, config: &Config, host: &str) -> Result<Arc<dyn Store>, Failure> {
    let local = SqliteStore::open(&home.database()).map_err(stored)?;
    let Engine::Nats(url) = &config.file.store else {
        return Ok(Arc::new(local));
    };
    let options = config.file.nats.options(url, local, host);
    let store = NatsStore::connect(options)
        .await
        .map_err(|error| Failure::new(Exit::Usage, error))?;
    // What it keeps is not known before it answers; without it tasks are taken and wait.
    if store.ready(REACHED).await {
        for finding in findings(&store.facts()) {
            if finding.weight >= Weight::Warning {
                tracing::warn!("{}", finding.text);
            }
        }
    } else {
        tracing::warn!(
            url,
            "the server is not reached yet: tasks are taken, and wait for it"
        );
    }
    Ok(Arc::new(store))
}

fn stored(error: StoreError) -> Failure {
    Failure::new(Exit::Store, error)
        .advice("Free space, or move balancer.db away; nothing that was acknowledged is lost.")
}

/// Hands on what happens to tasks.
async fn hear(store: Arc<dyn Store>, notes: mpsc::UnboundedSender<Note>) {
    let mut changes = store.changes();
    loop {
        let note = match changes.recv().await {
            Ok(event) => Note::Stored(event),
            Err(RecvError::Lagged(_)) => Note::Missed,
            Err(RecvError::Closed) => return,
        };
        if notes.send(note).is_err() {
            return;
        }
    }
}

/// Who asks us what only we know.
fn asker(notes: &mpsc::UnboundedSender<Note>) -> mpsc::UnboundedSender<Asked> {
    let (ask, mut asked) = mpsc::unbounded_channel();
    let notes = notes.clone();
    tokio::spawn(async move {
        while let Some((request, reply)) = asked.recv().await {
            if notes.send(Note::Asked(request, reply)).is_err() {
                return;
            }
        }
    });
    ask
}

/// Looks for mistakes in a configuration.
pub(crate) fn check(check: &cli::Check) -> Result<(), Failure> {
    let profiles = profiles()?;
    let names: Vec<&str> = profiles.keys().map(String::as_str).collect();
    let config = configured(check.file.as_deref(), &names)?;
    let tables = config.workers.len();
    print(&format!("{tables} tables of workers, no mistake\n"))
}

impl Serve {
    /// What nobody tells of.
    pub(super) async fn round(&mut self) {
        let now_steady = steady();
        if now_steady.saturating_sub(self.rounded) > self.config.lease() / 3 {
            // We were stopped, or all of the machine was: nothing could be held up meanwhile.
            self.hold_up().await;
        }
        self.rounded = now_steady;
        match self.store.expire(now()).await {
            Ok(lost) => {
                for fence in lost {
                    self.lost(&fence);
                }
            }
            Err(error) => tracing::error!(%error, "leases that have run out cannot be looked for"),
        }
        let keep = self.config.file.result.keep();
        if let Ok(keep) = jiff::SignedDuration::try_from(keep)
            && let Ok(before) = now().wall.checked_sub(keep)
            && let Err(error) = self.store.tidy(before).await
        {
            tracing::warn!(%error, "what is old cannot be forgotten");
        }
        self.give_up_orphans().await;
        // Another host of the queue may have changed a group or an account.
        self.stale = true;
    }

    /// What is under way goes on: another life takes it up.
    async fn end(self) {
        for (_, followed) in self.servers {
            followed.server.clone().close().await;
        }
    }
}
