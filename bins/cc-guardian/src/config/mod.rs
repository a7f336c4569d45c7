//! The configuration: units, and how they are kept alive.
//!
//! A TOML file and the drop-ins `conf.d/*.toml` beside it become units in which every value is
//! settled. All mistakes are found in one go, each with its line and with what would be right.
//!
//! | Room | In it |
//! |---|---|
//! | `mistake` | mistakes and places |
//! | `files` | which files there are, and whom they may belong to |
//! | `reading`, `plain` | TOML into shapes, value by value |
//! | `join`, `twice` | the files made one, and what is in them twice |
//! | `nearest` | the word that was probably meant |
//! | `written`, `values` | the shapes: what a file may say |
//! | `settle` | defaults filled in, references looked up, values compared |
//! | `claims`, `env_file` | what has to be on the disk |
//! | `unit`, `alert`, `cpus`, `signal` | what comes out |
//! | `diff`, `one`, `schema` | two configurations compared, a unit without a file, help for editors |
//!
//! - Every file says `version = 1`. A unit, an alert, an account, `[server]` and `[defaults]` are each
//!   given once, in whichever file.
//! - A unit takes what it does not say from `[defaults]`; of `backoff`, `start_limit`, `stop`,
//!   `memory` and `restart_every` that goes field by field, of `env` and `labels` name by name, and
//!   env files add up. Other lists replace.
//! - `~/` is the home; a relative path begins at the folder of the file it stands in.
//! - Values of `env` are literal: `${VAR}` is not looked up.

mod alert;
mod claims;
mod cpus;
mod diff;
mod env_file;
mod files;
mod join;
mod mistake;
mod nearest;
mod one;
mod plain;
mod reading;
mod schema;
mod settle;
mod signal;
mod twice;
mod unit;
mod values;
mod written;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use cc_kit::places;

pub use self::alert::{AlertSettings, AlertType, Event, EventKind, Quiet, Rate, Way, WebhookUrl};
pub use self::cpus::Cpus;
pub(crate) use self::diff::changed;
pub use self::diff::{Changed, Changes, diff};
pub use self::mistake::Mistake;
pub use self::one::one_unit;
pub use self::schema::schema;
pub use self::signal::Signal;
pub use self::unit::{
    Backoff, Dependency, Environment, ExitStatus, LimitAction, Memory, MemoryScope, PromptAction,
    PromptKind, PromptRule, Ready, Restart, RestartAt, RestartEvery, Resume, StartLimit, Stop,
    StopMethod, Unit, Window,
};

pub(crate) use self::nearest::nearest;
pub(crate) use self::settle::{RIGHT_URL, stays_here, wrong_url};

use self::mistake::{Mistakes, Sources};
use self::reading::choices;

/// What the files say together.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The files that were read, in their order.
    pub files: Vec<PathBuf>,
    /// The tmux side.
    pub server: ServerSettings,
    /// The units, by name.
    pub units: Vec<Unit>,
    /// The alerts, by name.
    pub alerts: Vec<AlertSettings>,
    /// The accounts, by name.
    pub accounts: Vec<Account>,
}

/// The tmux side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSettings {
    /// How many tmux servers there are.
    pub isolation: Isolation,
    /// Lines of history of each pane.
    pub history_limit: u32,
    /// The tmux program: a name to look for in `PATH`, or an absolute path.
    pub tmux: PathBuf,
}

choices! {
    /// How many tmux servers there are: what one takes down with it.
    Isolation {
        /// One for all units.
        Shared = "shared",
        /// One for each group.
        Group = "group",
        /// One for each unit.
        Unit = "unit",
    }
}

impl ServerSettings {
    /// The name of the tmux server of a unit.
    #[must_use]
    pub fn server_of<'a>(&self, unit: &'a Unit) -> &'a str {
        match self.isolation {
            Isolation::Shared => "shared",
            Isolation::Group => &unit.group,
            Isolation::Unit => &unit.name,
        }
    }
}

/// Something whose limits units share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// How many of its units may be busy at once; `None`: all.
    pub max_parallel: Option<u16>,
    /// How long after its limit ends the first of its units goes on; `None`: a minute.
    pub after_reset: Option<Duration>,
}

impl Config {
    /// The unit of that name.
    #[must_use]
    pub fn unit(&self, name: &str) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.name == name)
    }
}

/// Where the file usually is: `guardian.toml` in the configuration's folder; `None` without a home.
#[must_use]
pub fn usual_file() -> Option<PathBuf> {
    places::config().map(|config| config.join("guardian.toml"))
}

/// Reads the file and its drop-ins. `profiles` are the names of the profiles that there are.
///
/// # Errors
/// All mistakes that were found, in the order of files and lines; never an empty list. Where a file
/// cannot be read as TOML at all, what needs all files to be seen is not looked at.
pub fn load(path: &Path, profiles: &[&str]) -> Result<Config, Vec<Mistake>> {
    let home = places::expanded(Path::new("~"));
    load_in(path, profiles, home.is_absolute().then_some(&home))
}

/// [`load`] with a home.
fn load_in(path: &Path, profiles: &[&str], home: Option<&Path>) -> Result<Config, Vec<Mistake>> {
    let mut sources = Sources::default();
    let mut mistakes = Mistakes::default();
    let starts = files::read_all(path, &mut sources, &mut mistakes);
    let config = join::join(&starts, profiles, home, &mut sources, &mut mistakes);
    match config {
        Some(config) if mistakes.is_empty() => Ok(config),
        _ => Err(mistakes.said(&sources)),
    }
}

/// A commented file that shows what can be said.
#[must_use]
pub const fn example() -> &'static str {
    include_str!("example.toml")
}
