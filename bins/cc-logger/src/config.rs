//! The configuration: a file, and flags that win over it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cc_kit::config::{self, Bytes, Span};
use cc_kit::exit::{Exit, Failure};
use cc_kit::journal::packed::Packing;
use cc_kit::journal::retention::{Retention, Rotation, Turn};
use cc_kit::places;
use cc_kit::redact::{Key, Rule, Rules};
use globset::{Glob, GlobSet, GlobSetBuilder};
use serde::Deserialize;
use tmux_cc::client::Socket;

use crate::record::settings::{Settings, Sync};
use crate::upkeep::Keeping;

/// Where the output is to come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum From {
    /// The tap, and control mode where a pane has a pipe of its own or the tap cannot be had.
    #[default]
    Auto,
    /// Control mode alone.
    Control,
    /// The tap alone.
    Tap,
}

/// The file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct File {
    /// Where the logs are kept.
    dir: Option<PathBuf>,
    /// The tmux program.
    tmux: Option<PathBuf>,
    /// Servers: a path of a socket, or a name as for `tmux -L`.
    servers: Vec<String>,
    /// Also every server of a guardian.
    all_groups: bool,
    source: From,
    sync: Option<SyncValue>,
    segment: Segment,
    retain: Retain,
    compress: Compress,
    redact: Redact,
    /// Where to answer Prometheus.
    metrics: Option<SocketAddr>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct SyncValue(pub(crate) Sync);

impl TryFrom<String> for SyncValue {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl std::str::FromStr for SyncValue {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self(match text {
            "always" => Sync::Always,
            "never" => Sync::Never,
            text => match text.parse::<Span>() {
                Ok(Span(often)) => Sync::Every(often),
                Err(_) => {
                    return Err(format!(
                        "{text:?} is no way to sync: write \"always\", \"never\" or a span such as \"5s\""
                    ));
                }
            },
        }))
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Segment {
    size: Bytes,
    age: Age,
}

impl Default for Segment {
    fn default() -> Self {
        Self {
            size: Bytes(64_000_000),
            age: Age(Turn::After(Duration::from_secs(24 * 3_600))),
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Age(Turn);

impl TryFrom<String> for Age {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "day" {
            return Ok(Self(Turn::Day));
        }
        match text.parse::<Span>() {
            Ok(Span(span)) if !span.is_zero() => Ok(Self(Turn::After(span))),
            _ => Err(format!(
                "{text:?} is no age: write \"day\" (until midnight) or a span such as \"24h\""
            )),
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Retain {
    age: Option<Span>,
    total: Option<Bytes>,
    min_free: Option<Bytes>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Compress {
    enabled: bool,
    level: Level,
    frame: Bytes,
}

impl Default for Compress {
    fn default() -> Self {
        let packing = Packing::default();
        Self {
            enabled: true,
            level: Level(packing.level),
            frame: Bytes(packing.frame),
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "i32")]
struct Level(i32);

impl TryFrom<i32> for Level {
    type Error = String;

    fn try_from(level: i32) -> Result<Self, String> {
        match level {
            1..=19 => Ok(Self(level)),
            _ => Err(format!("level {level} is none of zstd's: write 1 to 19")),
        }
    }
}

/// What is taken out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Redact {
    enabled: bool,
    /// The rules that come with the program.
    defaults: bool,
    /// Rules that are off, by name.
    off: Vec<String>,
    /// Names of environment variables whose values are secrets, as globs.
    env: Vec<String>,
    /// What is let through all the same, as regular expressions.
    allow: Vec<String>,
    /// Rules of the user's.
    rule: Vec<UserRule>,
}

impl Default for Redact {
    fn default() -> Self {
        Self {
            enabled: true,
            defaults: true,
            off: Vec::new(),
            env: [
                "*_KEY",
                "*_TOKEN",
                "*SECRET*",
                "*PASSWORD*",
                "*_CREDENTIALS",
            ]
            .map(str::to_owned)
            .into(),
            allow: Vec::new(),
            rule: Vec::new(),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UserRule {
    id: String,
    regex: String,
    #[serde(default)]
    keywords: Vec<String>,
    entropy: Option<f64>,
    group: Option<usize>,
}

/// What a file and flags say together.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) dir: PathBuf,
    pub(crate) tmux: PathBuf,
    pub(crate) servers: Vec<Socket>,
    pub(crate) all_groups: bool,
    pub(crate) source: From,
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) keeping: Keeping,
    pub(crate) redact: Redact,
    settings: Settings,
}

/// What flags say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    pub(crate) file: Option<PathBuf>,
    pub(crate) dir: Option<PathBuf>,
    pub(crate) tmux: Option<PathBuf>,
    pub(crate) servers: Vec<Socket>,
    pub(crate) all_groups: bool,
    pub(crate) source: Option<From>,
    pub(crate) sync: Option<Sync>,
    pub(crate) segment_size: Option<u64>,
    pub(crate) no_redact: bool,
    pub(crate) metrics: Option<SocketAddr>,
}

/// Where the logs are, for those who read them.
pub(crate) fn directory(dir: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(dir) = dir {
        return Ok(dir.to_owned());
    }
    let file = read(None)?;
    file.dir
        .map(|dir| places::expanded(&dir))
        .or_else(|| places::state().map(|state| state.join("log")))
        .ok_or_else(homeless)
}

/// Reads the file: the one that is named, or the one at its usual place if it is there.
pub(crate) fn read(named: Option<&Path>) -> Result<File, Failure> {
    if let Some(path) = named {
        return Ok(config::read(path)?);
    }
    match usual_file() {
        Some(path) if path.exists() => Ok(config::read(&path)?),
        _ => Ok(File::default()),
    }
}

/// Where the file usually is.
pub(crate) fn usual_file() -> Option<PathBuf> {
    places::config().map(|config| config.join("logger.toml"))
}

fn homeless() -> Failure {
    Failure::new(Exit::Usage, "there is no home to keep logs in")
        .advice("Name a directory with --dir.")
}

impl Config {
    /// The file and the flags; what they say together is looked at whole.
    pub(crate) fn load(flags: &Flags) -> Result<Self, Failure> {
        let file = read(flags.file.as_deref())?;
        let dir = flags
            .dir
            .clone()
            .or_else(|| file.dir.as_deref().map(places::expanded))
            .or_else(|| places::state().map(|state| state.join("log")))
            .ok_or_else(homeless)?;
        let all_groups = flags.all_groups || file.all_groups;
        let mut servers = flags.servers.clone();
        if servers.is_empty() {
            servers.extend(file.servers.iter().map(|name| socket(name)));
        }
        if servers.is_empty() && !all_groups {
            servers.push(Socket::Default);
        }
        let mut redact = file.redact;
        redact.enabled &= !flags.no_redact;
        let metrics = flags.metrics.or(file.metrics);
        if let Some(address) = metrics.filter(|address| !address.ip().is_loopback()) {
            return Err(Failure::new(
                Exit::Usage,
                format!("{address} is not on this machine alone"),
            )
            .advice("Name a loopback address such as 127.0.0.1:9464."));
        }
        let compress = file.compress;
        let retain = file.retain;
        Ok(Self {
            dir,
            tmux: flags
                .tmux
                .clone()
                .or(file.tmux)
                .unwrap_or_else(|| "tmux".into()),
            servers,
            all_groups,
            source: flags.source.unwrap_or(file.source),
            metrics,
            keeping: Keeping {
                retention: Retention {
                    age: retain.age.map(|Span(age)| age),
                    total: retain.total.map(|Bytes(total)| total),
                    min_free: retain.min_free.map(|Bytes(free)| free),
                },
                packing: compress.enabled.then_some(Packing {
                    level: compress.level.0,
                    frame: compress.frame.0.max(4_096),
                }),
            },
            settings: Settings {
                rotation: Rotation {
                    size: flags.segment_size.unwrap_or(file.segment.size.0).max(4_096),
                    turn: file.segment.age.0,
                },
                sync: flags
                    .sync
                    .or_else(|| file.sync.map(|SyncValue(sync)| sync))
                    .unwrap_or(Sync::Every(Duration::from_secs(5))),
                ..Settings::default()
            },
            redact,
        })
    }

    /// How journals are written, with `rules` for what is taken out.
    pub(crate) fn settings(&self, rules: Option<Arc<Rules>>) -> Settings {
        Settings {
            rules,
            ..self.settings.clone()
        }
    }
}

/// A server by the path of its socket or by its name.
fn socket(name: &str) -> Socket {
    if name == "default" {
        Socket::Default
    } else if name.contains('/') || name.starts_with('~') {
        Socket::Path(places::expanded(Path::new(name)))
    } else {
        Socket::Name(name.into())
    }
}

impl Redact {
    /// Is anything taken out?
    pub(crate) const fn is_on(&self) -> bool {
        self.enabled
    }

    /// The rules, with the values of those of the variables that are secrets; `None`: nothing is
    /// taken out.
    pub(crate) fn rules<'a>(
        &self,
        key: Key,
        variables: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Option<Rules>, Failure> {
        if !self.enabled {
            return Ok(None);
        }
        let usage = |error: Box<dyn std::error::Error + Send + std::marker::Sync>| {
            Failure::new(Exit::Usage, error).advice("Correct it under [redact].")
        };
        let mut builder = Rules::builder().defaults(self.defaults);
        for id in &self.off {
            builder = builder.without(id);
        }
        for allowed in &self.allow {
            builder = builder.allow(allowed);
        }
        for rule in &self.rule {
            builder = builder.rule(Rule {
                id: rule.id.clone(),
                regex: rule.regex.clone(),
                keywords: rule.keywords.clone(),
                entropy: rule.entropy,
                group: rule.group,
            });
        }
        let secret = globs(&self.env).map_err(|error| usage(Box::new(error)))?;
        for (name, value) in variables {
            if secret.is_match(name) {
                builder = builder.value(name, value);
            }
        }
        builder
            .build(key)
            .map(Some)
            .map_err(|error| usage(Box::new(error)))
    }
}

fn globs(globs: &[String]) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(Glob::new(glob)?);
    }
    set.build()
}

impl File {
    /// What is taken out.
    pub(crate) fn redaction(self) -> Redact {
        self.redact
    }
}
