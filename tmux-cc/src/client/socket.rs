//! Which server: tmux's `-L` and `-S`.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The socket of a server, named as tmux(1) names it.
///
/// **Source:** tmux `tmux.c`, `make_label` and `main`.
///
/// ```
/// use tmux_cc::client::Socket;
///
/// println!("tmux -L ci is at {}", Socket::Name("ci".into()).path().display());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Socket {
    /// As tmux finds it: that of `$TMUX` inside a pane, else the name `default`.
    #[default]
    Default,
    /// `-L NAME`: a name in the user's socket directory.
    Name(OsString),
    /// `-S PATH`.
    Path(PathBuf),
}

impl Socket {
    /// The path that tmux would use.
    ///
    /// A name stands in `$TMUX_TMPDIR/tmux-UID`, or in `/tmp/tmux-UID` where that variable is not
    /// set or names no directory.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        match self {
            Self::Path(path) => path.clone(),
            Self::Name(name) => in_directory(name),
            Self::Default => match env::var_os("TMUX") {
                Some(tmux) if !tmux.is_empty() => {
                    let path = tmux
                        .as_bytes()
                        .split(|&b| b == b',')
                        .next()
                        .unwrap_or_default();
                    PathBuf::from(OsStr::from_bytes(path))
                }
                _ => in_directory(OsStr::new("default")),
            },
        }
    }
}

fn in_directory(name: &OsStr) -> PathBuf {
    let base = env::var_os("TMUX_TMPDIR")
        .filter(|base| !base.is_empty())
        .and_then(|base| fs::canonicalize(base).ok())
        .or_else(|| fs::canonicalize("/tmp").ok())
        .unwrap_or_else(|| Path::new("/tmp").to_path_buf());
    base.join(format!("tmux-{}", rustix::process::getuid().as_raw()))
        .join(name)
}

impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path().display().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_in_the_users_directory() {
        let uid = rustix::process::getuid().as_raw();
        let path = Socket::Name("ci".into()).path();
        assert!(
            path.ends_with(format!("tmux-{uid}/ci")),
            "{}",
            path.display()
        );
        assert_eq!(Socket::Path("/x/y".into()).path(), Path::new("/x/y"));
    }
}
