//! Where a guardian keeps what it keeps.
//!
//! | What | Where |
//! |---|---|
//! | state | `--state DIR`, or `$XDG_STATE_HOME/cc`: `guardian.db`, `guardian.lock` |
//! | control socket | `$XDG_RUNTIME_DIR/cc/guardian.sock`; with a state of its own `guardian-HASH.sock` |
//! | tmux servers | `$XDG_RUNTIME_DIR/cc/tmux/GROUP` |
//! | leases | `$XDG_RUNTIME_DIR/cc/lease` |

use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use cc_kit::exit::{Exit, Failure};
use cc_kit::places;

/// The places of one guardian.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    pub(crate) state: PathBuf,
    runtime: PathBuf,
    is_usual: bool,
}

impl Places {
    /// Finds them, and makes the directories that are missing.
    pub(crate) fn find(state: Option<&Path>) -> Result<Self, Failure> {
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
        let found = Self {
            is_usual: Some(&state) == usual.as_ref(),
            state,
            runtime,
        };
        for directory in [&found.state, &found.runtime, &found.runtime.join("tmux")] {
            private(directory)?;
        }
        Ok(found)
    }

    pub(crate) fn control(&self) -> PathBuf {
        if self.is_usual {
            return self.runtime.join("guardian.sock");
        }
        self.runtime.join(format!("guardian-{}.sock", self.id()))
    }

    /// The socket of the tmux server of that name.
    pub(crate) fn tmux(&self, server: &str) -> PathBuf {
        self.runtime.join("tmux").join(server)
    }

    pub(crate) fn leases(&self) -> PathBuf {
        self.runtime.join("lease")
    }

    /// Tells this guardian from others of the same user.
    pub(crate) fn id(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.state.hash(&mut hasher);
        format!("{:08x}", hasher.finish() & 0xffff_ffff)
    }
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
