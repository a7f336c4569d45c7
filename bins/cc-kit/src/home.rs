//! Where one daemon keeps what it keeps, and the lock by which there is one of it.
//!
//! | What | Where |
//! |---|---|
//! | state | `--state DIR`, or `$XDG_STATE_HOME/cc`: `PROGRAM.db`, `PROGRAM.lock` |
//! | control socket | `$XDG_RUNTIME_DIR/cc/PROGRAM.sock`; with a state of its own `PROGRAM-ID.sock` |
//! | tmux servers of a guardian | `$XDG_RUNTIME_DIR/cc/tmux/GROUP` |
//! | leases | `$XDG_RUNTIME_DIR/cc/lease` |
//!
//! Without `XDG_RUNTIME_DIR` it is `run` in the state's directory.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use rustix::fs::{FlockOperation, flock};

use crate::exit::{Exit, Failure};
use crate::places;

/// How long the lock of a daemon that has gone may outlive it.
const FORKED: Duration = Duration::from_secs(1);

/// Which daemon, on the command line.
#[derive(Debug, Clone, Default, Args)]
pub struct State {
    /// Where it keeps its state [default: $XDG_STATE_HOME/cc].
    #[arg(long = "state", value_name = "DIR")]
    pub state: Option<PathBuf>,
}

/// The places of one daemon.
#[derive(Clone, Debug)]
pub struct Home {
    program: &'static str,
    state: PathBuf,
    runtime: PathBuf,
    is_usual: bool,
}

impl Home {
    /// Finds those of a program, such as `guardian`, and makes the directories that are missing.
    ///
    /// # Errors
    /// When there is no home, or a directory is somebody else's.
    pub fn find(program: &'static str, state: Option<&Path>) -> Result<Self, Failure> {
        let found = Self::of(program, state)?;
        for directory in [&found.state, &found.runtime, &found.runtime.join("tmux")] {
            private(directory)?;
        }
        Ok(found)
    }

    /// The same whether they exist or not: nothing is made.
    ///
    /// # Errors
    /// When there is no home.
    pub fn of(program: &'static str, state: Option<&Path>) -> Result<Self, Failure> {
        let usual = places::state();
        let state = match (state, &usual) {
            (Some(state), _) => {
                std::path::absolute(state).map_err(|e| Failure::new(Exit::Usage, e))?
            }
            (None, Some(usual)) => usual.clone(),
            (None, None) => {
                return Err(Failure::new(Exit::Usage, "there is no home directory")
                    .advice("Set HOME, or name the directory of state with --state."));
            }
        };
        let runtime = match env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from) {
            Some(runtime) if runtime.is_absolute() => runtime.join("cc"),
            _ => state.join("run"),
        };
        Ok(Self {
            program,
            is_usual: Some(&state) == usual.as_ref(),
            state,
            runtime,
        })
    }

    /// The directory of state.
    #[must_use]
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// The database of that program in it.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.state.join(format!("{}.db", self.program))
    }

    /// The control socket.
    #[must_use]
    pub fn control(&self) -> PathBuf {
        let name = match self.is_usual {
            true => format!("{}.sock", self.program),
            false => format!("{}-{}.sock", self.program, self.id()),
        };
        self.runtime.join(name)
    }

    /// The control socket of another program that has the same user and the id `id`, whether there is
    /// one or not.
    #[must_use]
    pub fn control_of(&self, program: &str, id: &str) -> PathBuf {
        let named = self.runtime.join(format!("{program}-{id}.sock"));
        let is_usual = places::state().is_some_and(|state| id_of(&state) == id);
        match is_usual && !named.exists() {
            true => self.runtime.join(format!("{program}.sock")),
            false => named,
        }
    }

    /// The directory of the sockets of tmux servers that a guardian made.
    #[must_use]
    pub fn sockets(&self) -> PathBuf {
        self.runtime.join("tmux")
    }

    /// The socket of the tmux server of that name.
    #[must_use]
    pub fn tmux(&self, server: &str) -> PathBuf {
        self.sockets().join(server)
    }

    /// The directory of the [leases](crate::lease) of panes.
    #[must_use]
    pub fn leases(&self) -> PathBuf {
        self.runtime.join("lease")
    }

    /// Tells this daemon from others of the same user.
    #[must_use]
    pub fn id(&self) -> String {
        id_of(&self.state)
    }

    /// Makes sure that there is one of this program with this state, as long as the file is open; waits
    /// for up to that time while there is another.
    ///
    /// # Errors
    /// [`Exit::Store`] when there is another, or the file cannot be made.
    pub fn lock(&self, patience: Duration) -> Result<File, Failure> {
        let program = self.program;
        let path = self.state.join(format!("{program}.lock"));
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| Failure::new(Exit::Store, error))?;
        let began = Instant::now();
        // What one that was killed has just forked has the lock until it becomes another program.
        let patience = patience.max(FORKED);
        let locked = loop {
            let locked = flock(&file, FlockOperation::NonBlockingLockExclusive);
            if locked != Err(rustix::io::Errno::WOULDBLOCK) || began.elapsed() > patience {
                break locked;
            }
            std::thread::sleep(FORKED / 50);
        };
        match locked {
            Ok(()) => Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(Failure::new(
                Exit::Store,
                format!(
                    "a {program} runs already with the state {}",
                    self.state.display()
                ),
            )
            .advice("Ask that one, or name another directory with --state.")),
            Err(error) => Err(Failure::new(Exit::Store, error)),
        }
    }
}

fn id_of(state: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    format!("{:08x}", hasher.finish() & 0xffff_ffff)
}

/// A directory of our own, which nobody else may enter.
fn private(directory: &Path) -> Result<(), Failure> {
    let wrong = |why: String| {
        Failure::new(Exit::Store, format!("{}: {why}", directory.display()))
            .advice("Give it to yourself with mode 0700, or name another one.")
    };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| wrong(error.to_string()))?;
    let found = fs::metadata(directory).map_err(|error| wrong(error.to_string()))?;
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(wrong("belongs to somebody else".to_owned()));
    }
    if found.mode() & 0o022 != 0 {
        return Err(wrong("others may write to it".to_owned()));
    }
    Ok(())
}
