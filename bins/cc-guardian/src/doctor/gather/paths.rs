//! Where a guardian would keep what it keeps.
//!
//! The same places as in [`place`](crate::place), which makes what is missing; here nothing is made.

use std::env;
use std::path::{Path, PathBuf};

use cc_kit::home::Home;

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
        let home = Home::of("guardian", state).ok();
        Self {
            control: home.as_ref().map(Home::control),
            guardian_sockets: home.as_ref().map(Home::sockets),
            user_sockets: user_sockets(),
            state: home.map(|home| home.state().to_owned()),
        }
    }
}

/// Where tmux itself puts its sockets: `tmux.c`, `make_label`.
fn user_sockets() -> PathBuf {
    let base = env::var_os("TMUX_TMPDIR").filter(|base| !base.is_empty());
    let base = base.map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
    let user = rustix::process::getuid().as_raw();
    base.join(format!("tmux-{user}"))
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
