//! Where a guardian would keep what it keeps.
//!
//! The same places as in [`place`](crate::place), which makes what is missing; here nothing is made.

use std::env;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use cc_kit::places;

/// The places, whether they exist or not.
#[derive(Debug)]
pub(super) struct Paths {
    /// `None` without a home.
    pub(super) state: Option<PathBuf>,
    pub(super) control: Option<PathBuf>,
    pub(super) guardian_sockets: Option<PathBuf>,
    pub(super) user_sockets: PathBuf,
}

impl Paths {
    pub(super) fn find(state: Option<&Path>) -> Self {
        let usual = places::state();
        let given = state.and_then(|state| std::path::absolute(state).ok());
        let is_usual = given.is_none() || given == usual;
        let state = given.or(usual);
        let runtime = match absolute("XDG_RUNTIME_DIR") {
            Some(runtime) => Some(runtime.join("cc")),
            None => state.as_ref().map(|state| state.join("run")),
        };
        let control = state.as_ref().zip(runtime.as_ref());
        let control = control.map(|(state, runtime)| {
            if is_usual {
                runtime.join("guardian.sock")
            } else {
                runtime.join(format!("guardian-{}.sock", id(state)))
            }
        });
        Self {
            control,
            guardian_sockets: runtime.map(|runtime| runtime.join("tmux")),
            user_sockets: user_sockets(),
            state,
        }
    }
}

/// Tells a guardian from others of the same user.
fn id(state: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    state.to_owned().hash(&mut hasher);
    format!("{:08x}", hasher.finish() & 0xffff_ffff)
}

/// Where tmux itself puts its sockets: `tmux.c`, `make_label`.
fn user_sockets() -> PathBuf {
    let base = env::var_os("TMUX_TMPDIR").filter(|base| !base.is_empty());
    let base = base.map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
    let user = rustix::process::getuid().as_raw();
    base.join(format!("tmux-{user}"))
}

fn absolute(variable: &str) -> Option<PathBuf> {
    let path = env::var_os(variable).map(PathBuf::from);
    path.filter(|path| path.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_of_its_own_has_a_socket_of_its_own() {
        let control = |state: &str| Paths::find(Some(state.as_ref())).control.unwrap();
        assert_ne!(control("/nowhere/a"), control("/nowhere/b"));
        assert_eq!(control("/nowhere/a"), control("/nowhere/a"));
        assert!(!Path::new("/nowhere").exists());
    }
}
