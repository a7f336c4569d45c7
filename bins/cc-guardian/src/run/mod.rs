//! `run`: the daemon. One loop that is told what happens and has done what is decided.

mod adopt;
mod alerts;
mod answer;
mod apply;
mod declare;
mod due;
mod follow;
mod hang;
mod health;
mod heard;
mod limits;
mod live;
mod named;
mod process;
mod prompts;
mod reply;
mod rest;
mod resume;
mod send;
mod sight;
mod tell;
mod turn;
mod wear;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cc_kit::exit::{Exit, Failure};
use cc_kit::pane::{PaneError, Sighting};
use cc_kit::process::{Exit as ProcessExit, Identity, Mark, Snapshot, Usage};
use cc_kit::profile::{InBand, Profile, Profiles};
use cc_kit::signals::{Hangup, Shutdown};
use sd_notify::NotifyState;
use serde_json::{Value, json};
use tmux_cc::client::{Server, ServerChange};
use tmux_cc::format::Signal;
use tmux_cc::wire::{PaneId, SessionId};
use tokio::sync::{OwnedMutexGuard, broadcast, mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use self::alerts::Alerts;
use self::prompts::Rules;
use crate::cli;
use crate::config::{self, Config, ServerSettings};
use crate::group::{Launched, MARK};
use crate::instance::{Act, End, Instance, Phase};
use crate::place::{self, Places};
use crate::policy::Throttle;
use crate::policy::limits::{Came, Limits};
use crate::request::Request;
use crate::store::{Event, Store};

/// How long tmux may take to tell how a program ended.
const HOW: Duration = Duration::from_secs(2);
/// How long a server that crashes may outlive the programs that it hangs up.
const CRASH: Duration = Duration::from_millis(100);
/// How long a process may take to end once it is told to.
const GRACE: Duration = Duration::from_secs(5);
/// The same for what an earlier run has left behind.
const LEFT: Duration = Duration::from_secs(2);
/// How long the last messages may take when the guardian ends.
const PARTING: Duration = Duration::from_secs(5);
/// How often it is asked what units use.
const SAMPLE: Duration = Duration::from_secs(5);
/// How long it is waited for a client to be attached to a new session.
const SOON: Duration = Duration::from_millis(50);
/// tmux tells what changes once a second, and when a window was active by whole seconds: what is drawn
/// in the second of such a word is told by none.
const UNTOLD: Duration = Duration::from_millis(1100);
/// How long a server that was there before may take to be attached to.
const ATTACH: Duration = Duration::from_secs(10);

/// The turn of one that is started. While a client of ours shakes hands with a server nothing is to
/// happen there: up to tmux 3.7c that can end the server. So each waits until the client of the one
/// before it is attached.
type Turn = Option<OwnedMutexGuard<()>>;

/// What happens.
#[derive(Debug)]
enum Note {
    Change(String, Box<ServerChange>),
    /// Something was printed in a pane, or its cursor moved: the value of `ACTIVITY`.
    Active(String, PaneId, Vec<u8>),
    /// Its pane is as wide again as it was before a probe.
    Probed(String, String),
    Launched(String, String, std::io::Result<Launched>, Turn),
    Gone(String, String, Option<ProcessExit>),
    /// Windows beside an instance were made, or could not be.
    Beside(String, std::io::Result<Vec<String>>),
    /// A pane of somebody else was found and marked.
    Taken(Box<adopt::Taken>),
    /// How that run ended is known.
    Ended(String, String, End),
    Stopped(String),
    /// What a look has found that began then.
    Looked(String, String, Duration, Result<Box<Sighting>, PaneError>),
    Sampled(Box<Snapshot>),
    /// A server of that name is followed.
    Following(String, Server),
    /// A prompt was sent, or not.
    Sent(String, String),
    /// A dialog was answered, or not.
    Answered(String, String),
    /// A rule has answered a dialog, and has seen it go or not.
    ByRule(String, bool, String),
    /// One that waited for a limit was told to go on, or not.
    WentOn(String, Came, String),
    Asked(Request, oneshot::Sender<Value>),
    /// A logger that runs told something.
    Heard(heard::News),
}

/// A tmux server that is followed.
#[derive(Debug)]
struct Group {
    server: Server,
    process: Option<Identity>,
}

#[derive(Debug)]
struct Daemon {
    places: Places,
    store: Store,
    /// What tokens are made of.
    secret: [u8; 32],
    /// By their names.
    profiles: BTreeMap<String, Arc<Profile>>,
    host: Arc<str>,
    settings: ServerSettings,
    /// The file that was read last.
    config: Option<Config>,
    instances: BTreeMap<String, Instance>,
    groups: BTreeMap<String, Group>,
    alerts: Alerts,
    /// Who waits for the end of a limit.
    limits: Limits,
    /// What units' own rules do about what they ask.
    rules: Rules,
    /// The accounts with which nothing is to be begun.
    closed: watch::Sender<BTreeSet<String>>,
    /// When instances of a unit were started last.
    throttles: HashMap<String, Throttle>,
    /// Whose turn it is to be started on a server.
    turns: HashMap<String, Arc<tokio::sync::Mutex<()>>>,
    /// Those that were started on servers that are not followed yet.
    first: Vec<(String, SessionId, Turn)>,
    /// Servers that are about to be followed.
    following: HashSet<String>,
    /// Instances that are being looked at, and whether again then.
    looking: HashMap<String, bool>,
    /// When instances are looked at once more, behind their last sign.
    later: HashMap<String, Instant>,
    usage: HashMap<String, Usage>,
    /// What the programs of instances have said of themselves, and in which run.
    in_band: HashMap<String, (String, InBand)>,
    writers: HashMap<String, Arc<tokio::sync::Mutex<()>>>,
    notes: mpsc::UnboundedSender<Note>,
    changed: watch::Sender<u64>,
    events: broadcast::Sender<Event>,
    prompts: broadcast::Sender<(String, String)>,
    began: Instant,
    runs: u64,
}

/// Runs until SIGINT or SIGTERM.
pub(crate) fn run(run: &cli::Run) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    runtime.block_on(guard(run))
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::new(Exit::Failed, error)
}

fn stored(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::new(Exit::Store, error)
        .advice("Free space, or move guardian.db away; what runs goes on without it.")
}

async fn guard(run: &cli::Run) -> Result<(), Failure> {
    let mut shutdown = Shutdown::install().map_err(failed)?;
    let mut hangup = Hangup::install().map_err(failed)?;
    let places = place::find(run.state.state.as_deref())?;
    let _lock = places.lock(Duration::ZERO)?;
    let store = Store::open(places.state()).map_err(stored)?;
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(failed)?;
    let secret = store.secret(secret).map_err(stored)?;
    let (notes, mut told) = mpsc::unbounded_channel();
    let (changed, _) = watch::channel(0);
    let (events, _) = broadcast::channel(1024);
    let (prompts, _) = broadcast::channel(64);
    let control = cc_kit::control::Listener::bind(&places.control())
        .map_err(|error| Failure::new(Exit::Store, error))?;
    let answers = answer::Answerer {
        notes: notes.clone(),
        changed: changed.subscribe(),
        events: events.clone(),
    };
    let (alerts, mut reports) = Alerts::new()?;
    let mut daemon = Daemon {
        host: host().into(),
        profiles: profiles()?,
        settings: usual_settings(),
        config: None,
        instances: BTreeMap::new(),
        groups: BTreeMap::new(),
        alerts,
        limits: Limits::default(),
        rules: Rules::default(),
        closed: watch::Sender::default(),
        throttles: HashMap::new(),
        turns: HashMap::new(),
        first: Vec::new(),
        following: HashSet::new(),
        looking: HashMap::new(),
        later: HashMap::new(),
        usage: HashMap::new(),
        in_band: HashMap::new(),
        writers: HashMap::new(),
        began: Instant::now(),
        runs: 0,
        places,
        store,
        secret,
        notes,
        changed,
        events,
        prompts,
    };
    if let Some(file) = &run.config {
        let file = std::path::absolute(file).map_err(failed)?;
        daemon
            .store
            .set_file(&file.to_string_lossy())
            .map_err(stored)?;
    }
    daemon.remember_limits();
    daemon.remember_alerts();
    daemon.remember().await?;
    let answering = tokio::spawn(answers.answer(control));
    let listening = tokio::spawn(heard::listen(daemon.notes.clone()));
    let _ = sd_notify::notify(&[NotifyState::Ready]);
    let mut sample = tokio::time::interval(SAMPLE);
    loop {
        let wake = daemon.wake();
        tokio::select! {
            biased;
            _ = shutdown.requested() => break,
            Some(note) = told.recv() => daemon.on(note).await,
            () = hangup.requested() => daemon.reload(),
            () = wait(wake) => {}
            _ = sample.tick() => daemon.sample(),
            Some(report) = reports.recv() => {
                let words = daemon.alerts.reported(&report);
                daemon.record(&report.unit, "alert", Some(words));
            }
        }
        daemon.due();
        daemon.watch_over();
        daemon.step_limits();
        daemon.step_prompts();
        daemon
            .alerts
            .step(daemon.instances.values(), &daemon.limits, &daemon.rules);
        daemon.keep_alerts();
    }
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    answering.abort();
    listening.abort();
    let (servers, alerts) = daemon.end();
    alerts.finish(PARTING).await;
    for group in servers.into_values() {
        group.server.close().await;
    }
    Ok(())
}

async fn wait(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => std::future::pending().await,
    }
}

fn profiles() -> Result<BTreeMap<String, Arc<Profile>>, Failure> {
    let named = Profiles::usual()?.into_all().into_iter();
    Ok(named
        .map(|profile| (profile.name().to_owned(), Arc::new(profile)))
        .collect())
}

/// The tmux side, where no file says otherwise.
fn usual_settings() -> ServerSettings {
    ServerSettings {
        isolation: config::Isolation::Group,
        history_limit: 5000,
        tmux: "tmux".into(),
    }
}

fn host() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// A number that nobody else would take.
fn nonce() -> String {
    let mut bytes = [0; 16];
    // Without chance there is none: then nobody is heard.
    let _ = getrandom::fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn dice() -> f64 {
    let mut bytes = [0; 4];
    let _ = getrandom::fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}

impl Daemon {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// What is left to be ended in order; all else is gone then.
    fn end(self) -> (BTreeMap<String, Group>, Alerts) {
        (self.groups, self.alerts)
    }

    /// What the hooks of an instance must know to be heard: the same for every guardian of this state,
    /// since agents outlive their guardian.
    fn token_of(&self, name: &str) -> String {
        blake3::keyed_hash(&self.secret, name.as_bytes())
            .to_hex()
            .to_string()
    }

    fn server_of(&self, it: &Instance) -> String {
        server_of(&self.settings, it).to_owned()
    }

    fn socket_of(&self, it: &Instance) -> PathBuf {
        self.places.tmux(server_of(&self.settings, it))
    }

    /// What marks the processes of an instance.
    fn mark(&self, name: &str) -> Mark {
        Mark {
            variable: MARK.to_owned(),
            value: format!("{}/{name}", self.places.id()),
        }
    }

    async fn on(&mut self, note: Note) {
        match note {
            Note::Change(server, change) => self.changed_on(&server, *change),
            Note::Active(server, pane, value) => {
                if let Some(name) = self.instance_of(&server, pane) {
                    self.printed(&name, &value);
                    self.look(&name);
                    self.look_later(&name);
                }
            }
            Note::Launched(name, run, launched, turn) => {
                self.launched(&name, run, launched, turn);
            }
            Note::Gone(name, run, exit) => self.gone(&name, &run, exit),
            Note::Ended(name, run, end) => {
                let it = self.instances.get(&name);
                let ending = it.is_some_and(
                    |it| matches!(&it.phase, Phase::Ending(of, ..) if of.number == run),
                );
                if ending {
                    self.ended(&name, end);
                }
            }
            Note::Beside(name, made) => self.made_beside(&name, made),
            Note::Taken(taken) => self.taken(*taken),
            Note::Stopped(name) => self.stopped(&name),
            Note::Looked(name, run, began, found) => self.looked(&name, &run, began, found),
            Note::Sampled(snapshot) => {
                self.sampled(&snapshot);
                self.worn(&snapshot);
            }
            Note::Following(name, server) => {
                self.followed(&name, server.clone());
                for (of, session, turn) in std::mem::take(&mut self.first) {
                    if of == name {
                        follow::until_attached(&server, session, turn);
                    } else {
                        self.first.push((of, session, turn));
                    }
                }
                let its = self.instances.values();
                let its = its.filter(|it| server_of(&self.settings, it) == name);
                let names: Vec<String> = its.map(|it| it.name.clone()).collect();
                names.iter().for_each(|name| self.look(name));
            }
            Note::Sent(name, said) => {
                self.record(&name, "send", Some(said));
                self.look(&name);
            }
            Note::Answered(name, said) => {
                self.record(&name, "answer", Some(said));
                self.look(&name);
            }
            Note::ByRule(name, gone, said) => self.by_rule(&name, gone, said),
            Note::WentOn(name, came, said) => self.went_on(&name, came, said),
            Note::Probed(name, run) => self.probed(&name, &run),
            Note::Asked(request, reply) => self.asked(request, reply).await,
            Note::Heard(news) => self.heard(news),
        }
    }
}

/// The server that an instance is in; where it never was in one, that which it will be in.
fn server_of<'a>(settings: &'a ServerSettings, it: &'a Instance) -> &'a str {
    let foreign = it.foreign.as_ref().map(|foreign| foreign.socket.as_str());
    let made = it.made.as_ref().map(|made| made.server.as_str());
    foreign
        .or(made)
        .unwrap_or_else(|| settings.server_of(&it.unit))
}

/// What tmux calls a unit's own program when it is the one in front.
fn own_name(argv: &[String]) -> Option<String> {
    let program = argv.first().map(std::path::Path::new)?;
    Some(program.file_name()?.to_string_lossy().into_owned())
}

/// Whose events are the guardian's own.
const OWN: &str = "guardian";

fn unknown(unit: &str) -> Value {
    let error = format!("there is no unit {unit:?}");
    json!({"v": 1, "error": error, "exit": Exit::Unknown.code()})
}

impl Group {
    fn is_alive(&self) -> bool {
        self.process
            .is_none_or(|process| process.is_alive().unwrap_or(true))
    }

    /// How the program of a pane ended, where tmux knows.
    fn death(&self, pane: PaneId) -> Option<End> {
        let tree = self.server.tree();
        let death = tree.pane(pane)?.death.as_ref()?;
        match (death.status, &death.signal) {
            (_, Some(Signal::Number(number))) => Some(End::Signal(i32::from(*number))),
            (_, Some(Signal::Name(name))) => {
                let named = config::Signal::named(str::from_utf8(name).ok()?)?;
                Some(End::Signal(named.number()))
            }
            (Some(status), None) => Some(End::Exit(i32::from(status))),
            (_, Some(_)) | (None, None) => None,
        }
    }
}
