//! The configuration of `serve`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cc_kit::config::{self, Bytes, Span};
use cc_kit::exit::{Exit, Failure};
use cc_kit::home::Home;
use cc_kit::places;
use globset::{Glob, GlobMatcher};
use serde::Deserialize;
use tmux_cc::client::Socket;

use crate::desk::Defaults;
use crate::store::SqliteStore;
use crate::store::nats::{Login, Options, Reach, Tls};
use crate::task::{Labels, Retry};
use crate::worker::Wanted;

/// How long a worker that is not heard of has its task.
const LEASE: Duration = Duration::from_secs(60);
/// The most of a result that is kept.
const MOST: u64 = 5_000_000;
/// How long what is over is kept.
const KEEP: Duration = Duration::from_secs(30 * 86_400);

/// The file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// Of this form: 1.
    version: Version,
    /// `sqlite`, or where a NATS server is.
    #[serde(default)]
    pub(crate) store: Engine,
    /// The tmux program.
    #[serde(default)]
    pub(crate) tmux: Option<PathBuf>,
    /// How long a worker that is not heard of has its task.
    #[serde(default)]
    lease: Option<Lease>,
    /// Who works.
    #[serde(default)]
    worker: Vec<Table>,
    /// Groups of tasks.
    #[serde(default)]
    pub(crate) queue: BTreeMap<String, Queue>,
    /// Credentials that workers share.
    #[serde(default)]
    pub(crate) account: BTreeMap<String, Account>,
    /// What is kept of what came of a task.
    #[serde(default)]
    pub(crate) result: Kept,
    /// What a NATS server is told.
    #[serde(default)]
    pub(crate) nats: Nats,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u32")]
struct Version;

impl TryFrom<u32> for Version {
    type Error = String;

    fn try_from(version: u32) -> Result<Self, String> {
        match version {
            1 => Ok(Self),
            other => Err(format!("version {other} is not known: write version = 1")),
        }
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "Span")]
struct Lease(Duration);

impl TryFrom<Span> for Lease {
    type Error = String;

    fn try_from(Span(span): Span) -> Result<Self, String> {
        match span >= Duration::from_secs(1) {
            true => Ok(Self(span)),
            false => Err("a lease of less than a second is none: write \"60s\"".to_owned()),
        }
    }
}

/// Where tasks are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Engine {
    /// In a file of this machine.
    #[default]
    Sqlite,
    /// By a NATS server.
    Nats(String),
}

impl TryFrom<String> for Engine {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "sqlite" => Ok(Self::Sqlite),
            text if text.starts_with("nats://") || text.starts_with("tls://") => {
                Ok(Self::Nats(text.to_owned()))
            }
            text => Err(format!(
                "{text:?} is no store: write \"sqlite\" or \"nats://127.0.0.1:4222\""
            )),
        }
    }
}

/// A table of workers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    /// The server: a name as for `tmux -L`, or a path.
    #[serde(default)]
    socket: Option<String>,
    /// A glob of names of sessions.
    #[serde(default)]
    session: Option<Pattern>,
    /// A glob of units of a guardian.
    #[serde(default)]
    unit: Option<Pattern>,
    /// The state of that guardian, where it is not the balancer's own.
    #[serde(default)]
    guardian: Option<PathBuf>,
    /// Panes whose option `@cc_labels` has all of these.
    #[serde(default)]
    has: Labels,
    /// How their program is read.
    #[serde(default)]
    profile: Option<String>,
    /// Do they run commands, as a shell does? As the profile says where nothing is said.
    #[serde(default)]
    commands: Option<bool>,
    /// What they have for tasks.
    #[serde(default)]
    labels: Labels,
    /// The group that they serve.
    #[serde(default)]
    group: Option<String>,
    /// The groups that they serve.
    #[serde(default)]
    groups: Vec<String>,
    /// The credential that they work on.
    #[serde(default)]
    account: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct Pattern(GlobMatcher);

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Glob::new(&text)
            .map(|glob| Self(glob.compile_matcher()))
            .map_err(|error| format!("{text:?} is no pattern such as \"agents-*\": {error}"))
    }
}

/// A group of tasks.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Queue {
    /// How many may be under way.
    pub(crate) parallel: Option<u32>,
    /// What becomes of a task when an attempt fails.
    retry: Again,
    /// How long an attempt may take.
    timeout: Option<Span>,
    /// What must end with 0 for a task to be done: argv.
    check: Option<Vec<String>>,
}

/// What becomes of a task when an attempt fails.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Again {
    max: Option<u32>,
    backoff: Option<Span>,
    factor: Option<f64>,
    max_backoff: Option<Span>,
}

impl Again {
    fn retry(&self) -> Retry {
        let usual = Retry::default();
        Retry {
            max: self.max.unwrap_or(usual.max),
            backoff: self.backoff.map_or(usual.backoff, |Span(it)| it),
            factor: self.factor.filter(|it| *it >= 1.0).unwrap_or(usual.factor),
            most: self.max_backoff.map_or(usual.most, |Span(it)| it),
        }
    }
}

/// A credential.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Account {
    /// How many may be under way on it.
    pub(crate) parallel: Option<u32>,
}

/// What is kept of what came of a task.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Kept {
    keep: Option<Span>,
    max_bytes: Option<Bytes>,
}

impl Kept {
    pub(crate) fn keep(&self) -> Duration {
        self.keep.map_or(KEEP, |Span(keep)| keep)
    }

    pub(crate) fn most(&self) -> usize {
        let most = self.max_bytes.map_or(MOST, |Bytes(most)| most);
        usize::try_from(most).unwrap_or(usize::MAX)
    }
}

/// What a NATS server is told.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Nats {
    /// A file of credentials: a token and its key.
    pub(crate) credentials: Option<PathBuf>,
    /// A file with the seed of an nkey.
    pub(crate) nkey: Option<PathBuf>,
    /// A file with a name in its first line, and a password in its second.
    pub(crate) password: Option<PathBuf>,
    /// Who signed the server's certificate.
    pub(crate) ca: Option<PathBuf>,
    /// A certificate of one's own.
    pub(crate) certificate: Option<PathBuf>,
    /// Its key.
    pub(crate) key: Option<PathBuf>,
    /// Also without TLS, to a server of another machine.
    pub(crate) insecure: bool,
    /// How many servers keep each task.
    pub(crate) replicas: Option<usize>,
}

impl Nats {
    /// How a server is reached.
    pub(crate) fn reach(&self, url: &str) -> Reach {
        let logins = [
            self.credentials
                .as_deref()
                .map(|it| Login::Credentials(places::expanded(it))),
            self.nkey
                .as_deref()
                .map(|it| Login::Nkey(places::expanded(it))),
            self.password
                .as_deref()
                .map(|it| Login::Password(places::expanded(it))),
        ];
        let of_one = self.certificate.as_deref().zip(self.key.as_deref());
        Reach {
            url: url.to_owned(),
            login: logins.into_iter().flatten().next().unwrap_or_default(),
            tls: Tls {
                authorities: self.ca.as_deref().map(places::expanded),
                certificate: of_one
                    .map(|(own, key)| (places::expanded(own), places::expanded(key))),
            },
            insecure: self.insecure,
        }
    }

    /// What the store that is shared there is made of.
    pub(crate) fn options(&self, url: &str, local: SqliteStore, host: &str) -> Options {
        Options {
            reach: self.reach(url),
            replicas: self.replicas,
            ..Options::new(url, local, host)
        }
    }

    fn wrong(&self) -> Option<(&'static str, &'static str)> {
        let logins = [&self.credentials, &self.nkey, &self.password];
        match () {
            () if logins.into_iter().flatten().count() > 1 => Some((
                "it says in more than one way who we are",
                "Write one of credentials, nkey and password.",
            )),
            () if self.certificate.is_some() != self.key.is_some() => Some((
                "a certificate needs its key, and a key its certificate",
                "Write both of certificate and key.",
            )),
            () => None,
        }
    }
}

/// A table of workers, checked.
#[derive(Debug, Clone)]
pub(crate) struct Workers {
    /// The socket; `None` where units are meant, whose guardian says where they are.
    pub(crate) socket: Option<PathBuf>,
    /// The state of the guardian of the units that are meant.
    pub(crate) guardian: Option<PathBuf>,
    pub(crate) wanted: Wanted,
    pub(crate) profile: Option<String>,
    pub(crate) commands: Option<bool>,
    pub(crate) labels: Labels,
    pub(crate) groups: Vec<String>,
    pub(crate) account: Option<String>,
}

impl Workers {
    /// The control socket of the guardian whose units are meant, to the balancer of that home.
    pub(crate) fn guardian_socket(&self, own: &Home) -> PathBuf {
        let state = self.guardian.as_deref().unwrap_or_else(|| own.state());
        let home = Home::of("guardian", Some(state));
        home.map_or_else(|_| own.control(), |home| home.control())
    }
}

/// What `serve` does.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) file: File,
    pub(crate) workers: Vec<Workers>,
}

impl Config {
    pub(crate) fn lease(&self) -> Duration {
        self.file.lease.map_or(LEASE, |Lease(lease)| lease)
    }

    /// What groups say of their tasks.
    pub(crate) fn defaults(&self) -> BTreeMap<String, Defaults> {
        self.file.defaults()
    }

    pub(crate) fn tmux(&self) -> PathBuf {
        self.file.tmux.clone().unwrap_or_else(|| "tmux".into())
    }
}

impl File {
    /// What groups say of their tasks.
    pub(crate) fn defaults(&self) -> BTreeMap<String, Defaults> {
        let groups = self.queue.iter();
        let of = |queue: &Queue| Defaults {
            retry: queue.retry.retry(),
            timeout: queue.timeout.map(|Span(it)| it),
            check: queue.check.clone(),
        };
        groups
            .map(|(name, queue)| (name.clone(), of(queue)))
            .collect()
    }
}

/// The usual file.
pub(crate) fn usual_file() -> Option<PathBuf> {
    places::config().map(|config| config.join("balancer.toml"))
}

/// The file that is named, or else the usual one where there is one, as it is written.
pub(crate) fn declared(file: Option<&Path>) -> Result<Option<File>, Failure> {
    let usual = || usual_file().filter(|file| file.exists());
    let file = file.map(Path::to_owned).or_else(usual);
    Ok(file.as_deref().map(config::read).transpose()?)
}

/// Reads a file; `profiles` are those that there are.
pub(crate) fn load(path: &Path, profiles: &[&str]) -> Result<Config, Failure> {
    let file: File = config::read(path)?;
    let _ = &file.version;
    if let Some((what, right)) = file.nats.wrong() {
        let said = format!("{}: [nats]: {what}", path.display());
        return Err(Failure::new(Exit::Usage, said).advice(right));
    }
    let mut workers = Vec::new();
    for (at, table) in file.worker.iter().enumerate() {
        workers.push(settle(table, profiles).map_err(|(what, right)| {
            let at = at + 1;
            let said = format!("{}: [[worker]] number {at}: {what}", path.display());
            Failure::new(Exit::Usage, said).advice(right)
        })?);
    }
    Ok(Config { file, workers })
}

fn settle(table: &Table, profiles: &[&str]) -> Result<Workers, (String, String)> {
    let wanted = Wanted {
        session: table.session.as_ref().map(|Pattern(glob)| glob.clone()),
        unit: table.unit.as_ref().map(|Pattern(glob)| glob.clone()),
        labels: table.has.clone(),
    };
    let wrong = |what: &str, right: &str| Err((what.to_owned(), right.to_owned()));
    if wanted.session.is_none() && wanted.unit.is_none() && wanted.labels.is_empty() {
        return wrong(
            "it means every pane of the server",
            "Name who works: session = \"agents-*\", unit = \"coder\", or has = { role = \"ci\" }.",
        );
    }
    if table.guardian.is_some() && wanted.unit.is_none() {
        return wrong(
            "it names a guardian and no unit",
            "Write unit = \"coder\" beside it, or leave it out.",
        );
    }
    if table.group.is_some() && !table.groups.is_empty() {
        return wrong("it has group and groups", "Write one of them.");
    }
    if let Some(profile) = &table.profile
        && !profiles.contains(&profile.as_str())
    {
        let known = profiles.join(", ");
        return Err((
            format!("there is no profile {profile:?}"),
            format!("There are {known}."),
        ));
    }
    // A unit's guardian knows how it is read.
    if table.profile.is_none() && wanted.unit.is_none() {
        return wrong(
            "nobody knows how their program is read",
            "Write profile = \"claude\", or what it is.",
        );
    }
    let of_units = wanted.unit.is_some() && table.socket.is_none();
    Ok(Workers {
        socket: (!of_units).then(|| socket(table.socket.as_deref())),
        guardian: table.guardian.as_deref().map(places::expanded),
        wanted,
        profile: table.profile.clone(),
        commands: table.commands,
        labels: table.labels.clone(),
        groups: table.group.iter().chain(&table.groups).cloned().collect(),
        account: table.account.clone(),
    })
}

/// A name as for `tmux -L`, or a path.
fn socket(text: Option<&str>) -> PathBuf {
    match text {
        Some(text) if text.contains('/') => places::expanded(text.as_ref()),
        Some(name) => Socket::Name(name.into()).path(),
        None => Socket::Default.path(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("b.toml");
        std::fs::write(&path, text).unwrap();
        load(&path, &["claude", "shell"]).map_err(|failure| {
            let mut said = Vec::new();
            failure.write_to(&mut said).unwrap();
            String::from_utf8(said).unwrap()
        })
    }

    #[test]
    fn a_file_is_read() {
        let config = read(
            "version = 1\nlease = \"5s\"\n[[worker]]\nsocket = \"/run/s\"\nsession = \"w*\"\n\
             profile = \"shell\"\nlabels = { role = \"ci\" }\ngroup = \"fast\"\n\
             [[worker]]\nunit = \"coder\"\n[queue.fast]\nparallel = 2\n[result]\nkeep = \"1d\"\n",
        )
        .unwrap();
        assert_eq!(config.lease(), Duration::from_secs(5));
        assert_eq!(config.workers[0].socket, Some(PathBuf::from("/run/s")));
        assert_eq!(config.workers[0].groups, ["fast"]);
        assert_eq!(config.workers[1].socket, None);
        assert_eq!(config.file.queue["fast"].parallel, Some(2));
        assert_eq!(config.file.result.keep(), Duration::from_secs(86_400));
        assert_eq!(config.file.result.most(), 5_000_000);
    }

    #[test]
    fn a_mistake_is_said_with_what_would_be_right() {
        for (text, said) in [
            ("", "missing field `version`"),
            ("version = 2", "write version = 1"),
            (
                "version = 1\nstore = \"redis\"",
                "b.toml:2:9: \"redis\" is no store",
            ),
            (
                "version = 1\nlease = \"1ms\"",
                "a lease of less than a second",
            ),
            ("version = 1\nleese = \"1s\"", "unknown field `leese`"),
            (
                "version = 1\n[[worker]]\nsocket = \"x\"\nprofile = \"shell\"",
                "Name who works",
            ),
            (
                "version = 1\n[[worker]]\nsession = \"[\"",
                "b.toml:3:11: \"[\" is no pattern",
            ),
            (
                "version = 1\n[[worker]]\nsession = \"w\"",
                "Write profile = ",
            ),
            (
                "version = 1\n[[worker]]\nsession = \"w\"\nprofile = \"cloud\"",
                "There are claude, shell.",
            ),
            (
                "version = 1\n[[worker]]\nsession = \"w\"\nprofile = \"claude\"\nguardian = \"/s\"",
                "names a guardian and no unit",
            ),
            (
                "version = 1\n[[worker]]\nunit = \"w\"\ngroup = \"a\"\ngroups = [\"b\"]",
                "has group and groups",
            ),
            (
                "version = 1\n[nats]\nnkey = \"a\"\npassword = \"b\"",
                "Write one of credentials, nkey and password.",
            ),
            (
                "version = 1\n[nats]\ncertificate = \"a\"",
                "Write both of certificate and key.",
            ),
            (
                "version = 1\n[queue.x]\nparalel = 1",
                "unknown field `paralel`",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(said), "{text:?}: {error}");
        }
    }
}
