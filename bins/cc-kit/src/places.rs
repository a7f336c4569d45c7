//! Where the programs keep what they keep, unless they are told otherwise.
//!
//! | What | Where |
//! |---|---|
//! | configuration | `$XDG_CONFIG_HOME/cc`, or `~/.config/cc` |
//! | profiles of one's own | `profiles` there |
//! | state | `$XDG_STATE_HOME/cc`, or `~/.local/state/cc` |
//! | sockets of tmux servers that a guardian made | `$XDG_RUNTIME_DIR/cc/tmux` |

use std::env;
use std::path::{Path, PathBuf};

/// The directory of configuration; `None` without a home.
#[must_use]
pub fn config() -> Option<PathBuf> {
    of_user("XDG_CONFIG_HOME", ".config")
}

/// The directory of profiles that take the place of those that come with the programs; `None` without
/// a home.
#[must_use]
pub fn profiles() -> Option<PathBuf> {
    config().map(|config| config.join("profiles"))
}

/// The directory of state; `None` without a home.
#[must_use]
pub fn state() -> Option<PathBuf> {
    of_user("XDG_STATE_HOME", ".local/state")
}

/// The directory in which each group of a guardian has the socket of its tmux server; `None` where
/// there is no runtime directory.
#[must_use]
pub fn group_sockets() -> Option<PathBuf> {
    absolute("XDG_RUNTIME_DIR").map(|runtime| runtime.join("cc/tmux"))
}

/// A path that may begin with `~/`.
#[must_use]
pub fn expanded(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), absolute("HOME")) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

fn of_user(variable: &str, otherwise: &str) -> Option<PathBuf> {
    let base = absolute(variable).or_else(|| absolute("HOME").map(|home| home.join(otherwise)));
    base.map(|base| base.join("cc"))
}

/// As the XDG specification says, a path that is not absolute is ignored.
fn absolute(variable: &str) -> Option<PathBuf> {
    env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}
