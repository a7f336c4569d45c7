//! Asking: the balancer that runs, or the store itself where none does.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cc_kit::ask::{Answers, Daemon, checked};
use cc_kit::exit::{Exit, Failure};
use cc_kit::home::{Home, State};
use cc_kit::printable::harmless;
use serde_json::Value;

use crate::config::{self, Nats};
use crate::desk::{Desk, Mistake};
use crate::request::Request;
use crate::store::nats::{MigrateError, Migrated, migrate};
use crate::store::{SqliteStore, Store, StoreError};

/// How long an answer may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// How long it may take until either a balancer answers or nobody has its lock.
const UNSETTLED: Duration = Duration::from_secs(10);

/// How long it may take to move all tasks.
const MOVING: Duration = Duration::from_secs(60);

/// What becomes of tasks that cannot be moved.
const STAYS: &str = "Tasks stay where they are; it can be done again.";

const BALANCER: Daemon = Daemon {
    name: "balancer",
    start: "No balancer runs: start one with `cc-balancer serve`.",
};

/// Who answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    /// The balancer that runs.
    Daemon,
    /// We did, since none runs.
    Ourselves,
}

/// A queue, by its places.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    home: Home,
    /// The configuration that is named.
    config: Option<PathBuf>,
}

impl Place {
    /// That of the command line.
    pub(crate) fn find(state: &State) -> Result<Self, Failure> {
        let home = Home::find("balancer", state.state.as_deref())?;
        Ok(Self { home, config: None })
    }

    /// With that configuration, where one is named; else it is the usual one.
    pub(crate) fn configured(self, file: Option<&Path>) -> Self {
        let config = file.map(Path::to_owned);
        Self { config, ..self }
    }

    /// Asks, whoever answers; says on standard error where no balancer runs.
    pub(crate) fn ask(&self, request: &Request) -> Result<Value, Failure> {
        let (answer, via) = self.ask_any(request)?;
        if via == Via::Ourselves {
            say(match request {
                Request::Add(_) => {
                    "no `cc-balancer serve` runs: it is queued, and begun once one does"
                }
                _ => "no `cc-balancer serve` runs",
            });
        }
        Ok(answer)
    }

    /// Asks, and says who answered.
    pub(crate) fn ask_any(&self, request: &Request) -> Result<(Value, Via), Failure> {
        let began = Instant::now();
        loop {
            match self.open(request, Some(PATIENCE)) {
                Ok(mut lines) => return Ok((answered(&mut lines)?, Via::Daemon)),
                Err(failure) if failure.exit() == Exit::Unreachable => {}
                Err(failure) => return Err(failure),
            }
            match self.home.lock(Duration::from_secs(2)) {
                Ok(_lock) => return Ok((self.ourselves(request)?, Via::Ourselves)),
                Err(failure) if began.elapsed() > UNSETTLED => return Err(failure),
                // One begins or ends, or another command has it.
                Err(_) => {}
            }
        }
    }

    /// Asks the balancer that runs.
    pub(crate) fn ask_daemon(&self, request: &Request) -> Result<Value, Failure> {
        ask_at(&self.socket(), request)
    }

    /// The control socket of the balancer that may run.
    pub(crate) fn socket(&self) -> PathBuf {
        self.home.control()
    }

    /// Does one run?
    pub(crate) fn is_served(&self) -> bool {
        cc_kit::control::connect(&self.home.control()).is_ok()
    }

    /// Asks the balancer that runs; its answers are the lines that come.
    pub(crate) fn open(
        &self,
        request: &Request,
        patience: Option<Duration>,
    ) -> Result<Answers, Failure> {
        Answers::of(BALANCER, &self.socket(), request, patience)
    }

    /// Moves what waits to a NATS server, while no balancer runs.
    pub(crate) fn moved(&self, url: &str, insecure: bool) -> Result<Migrated, Failure> {
        let stays = |failure: Failure| failure.advice(STAYS);
        let store = |error: Box<dyn Error + Send + Sync>| stays(Failure::new(Exit::Store, error));
        let _lock = self
            .home
            .lock(Duration::ZERO)
            .map_err(|_| store("a balancer runs: end it first".into()))?;
        let nats = config::declared(self.config.as_deref())?;
        let nats = nats.map_or_else(Nats::default, |file| file.nats);
        let nats = Nats {
            insecure: nats.insecure || insecure,
            ..nats
        };
        let local =
            SqliteStore::open(&self.home.database()).map_err(|error| store(error.into()))?;
        let options = nats.options(url, local, &format!("migrate/{}", self.home.id()));
        let moved = runtime()?.block_on(migrate(options, MOVING));
        moved.map_err(|error| match error {
            MigrateError::Connect(error) => stays(Failure::new(Exit::Usage, error)),
            error => store(error.into()),
        })
    }

    /// Answers by ourselves; the lock is held.
    fn ourselves(&self, request: &Request) -> Result<Value, Failure> {
        // As the balancer would say them.
        let defaults = match request {
            Request::Add(_) => config::declared(self.config.as_deref())?
                .map(|file| file.defaults())
                .unwrap_or_default(),
            _ => BTreeMap::new(),
        };
        let runtime = runtime()?;
        let store = open(&self.home.database()).map_err(failed)?;
        let desk = Desk::new(store).defaults(defaults);
        let answer = runtime.block_on(async {
            let answer = desk.answer(request.clone()).await;
            let closed = desk.store().close().await;
            closed.map_err(failed).map(|()| answer)
        });
        checked(answer?)
    }
}

/// Asks the balancer that listens there.
pub(crate) fn ask_at(socket: &Path, request: &Request) -> Result<Value, Failure> {
    answered(&mut Answers::of(BALANCER, socket, request, Some(PATIENCE))?)
}

/// The store of that file.
fn open(path: &Path) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(SqliteStore::open(path)?))
}

fn failed(error: StoreError) -> Failure {
    let wrong = Mistake::from(error);
    let failure = Failure::new(wrong.exit, wrong.error);
    match wrong.advice {
        Some(advice) => failure.advice(advice),
        None => failure,
    }
}

fn answered(lines: &mut Answers) -> Result<Value, Failure> {
    let answer = lines.next_line()?.ok_or_else(gone)?;
    checked(answer)
}

/// The balancer went away in the middle.
pub(crate) fn gone() -> Failure {
    Failure::new(Exit::Unreachable, "the balancer has gone")
        .advice("Start it again; what is added with a --key is never added twice.")
}

/// A runtime for one command.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Failed, error))
}

/// Tells somebody who looks.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{}", harmless(text));
}

/// Text of a file, or of standard input, without the line feed at its end.
pub(crate) fn text_of(file: &Path) -> Result<String, Failure> {
    let read = match file.as_os_str() == "-" {
        true => {
            let mut all = Vec::new();
            io::stdin().read_to_end(&mut all).map(|_| all)
        }
        false => fs::read(file),
    };
    let all = read.map_err(|error| {
        Failure::new(Exit::Usage, format!("{}: {error}", file.display()))
            .advice("Check the path of the file.")
    })?;
    let text = String::from_utf8(all).map_err(|_| {
        Failure::new(Exit::Usage, format!("{} is not UTF-8", file.display()))
            .advice("Give it as text.")
    })?;
    Ok(text.strip_suffix('\n').map(str::to_owned).unwrap_or(text))
}
