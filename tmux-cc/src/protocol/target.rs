//! What a command is aimed at.

use std::fmt;

use crate::wire::{PaneId, SessionId, Shown, WindowId};

/// What a command is aimed at, by id: the only name that no other thing can have. A session may
/// also be named, exactly.
///
/// tmux takes a bare session name as a prefix, and answers for some other pane when the target
/// does not exist; an id is exact.
///
/// ```
/// use tmux_cc::protocol::{Command, Target};
/// use tmux_cc::wire::PaneId;
///
/// let kill = Command::new("kill-pane").target(PaneId(3));
/// assert_eq!(kill.to_string(), "kill-pane -t '%3'");
/// let has = Command::new("has-session").target(Target::session("work"));
/// assert_eq!(has.to_string(), "has-session -t '=work:'");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Target {
    /// A session, `$0`.
    Session(SessionId),
    /// A window, `@0`.
    Window(WindowId),
    /// A pane, `%0`.
    Pane(PaneId),
    /// The session of exactly that name, `=work:`; for a window or pane its current one.
    ///
    /// A command refuses a name by which tmux could find something else: an empty one, one with
    /// `:` or `.` (tmux 3.7 has such sessions), one that begins with `$` as an id does, and what a
    /// terminal or a control client is called (`/dev/tty1`, `pts/0`, `client-12`): where no
    /// session has that name, tmux takes it for the client's session. Of these go by id.
    ///
    /// **Source:** tmux `cmd-find.c`, `cmd_find_target` and `cmd_find_get_session`.
    Named(Vec<u8>),
}

impl Target {
    /// The session of exactly that name; see [`Named`](Self::Named).
    #[must_use]
    pub fn session(name: impl AsRef<[u8]>) -> Self {
        Self::Named(name.as_ref().to_vec())
    }

    /// As it stands behind `-t`.
    pub(super) fn word(&self) -> Vec<u8> {
        match self {
            Self::Session(id) => id.to_string().into_bytes(),
            Self::Window(id) => id.to_string().into_bytes(),
            Self::Pane(id) => id.to_string().into_bytes(),
            Self::Named(name) => [b"=", name.as_slice(), b":"].concat(),
        }
    }

    /// Why tmux could find something else by it, where it could.
    pub(super) fn unfit(&self) -> Option<&'static str> {
        let Self::Named(name) = self else {
            return None;
        };
        let digit = |rest: &[u8]| rest.iter().any(u8::is_ascii_digit);
        let of_client = name.starts_with(b"/dev/")
            || name.starts_with(b"pts/")
            || name.strip_prefix(b"tty").is_some_and(digit)
            || name.strip_prefix(b"client-").is_some_and(digit);
        match name.first() {
            None => Some("is empty"),
            Some(b'$') => Some("looks like an id"),
            _ if name.contains(&b':') || name.contains(&b'.') => Some("has a colon or a dot"),
            _ => of_client.then_some("may be that of a client"),
        }
    }
}

impl From<SessionId> for Target {
    fn from(id: SessionId) -> Self {
        Self::Session(id)
    }
}

impl From<WindowId> for Target {
    fn from(id: WindowId) -> Self {
        Self::Window(id)
    }
}

impl From<PaneId> for Target {
    fn from(id: PaneId) -> Self {
        Self::Pane(id)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown(&self.word()).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Command, CommandError};

    #[test]
    fn a_target_is_an_id_or_an_exact_name() {
        for (target, word) in [
            (Target::from(SessionId(3)), "$3"),
            (WindowId(4).into(), "@4"),
            (PaneId(5).into(), "%5"),
            (Target::session("a b"), "=a b:"),
            (Target::session("=x"), "==x:"),
            (Target::session("clients"), "=clients:"),
            (Target::session("ttyd"), "=ttyd:"),
        ] {
            assert_eq!(target.to_string(), word);
            assert_eq!(target.unfit(), None, "{target}");
        }
    }

    #[test]
    fn a_name_that_finds_something_else_is_refused() {
        for name in [
            "",
            "$0",
            "a:b",
            "a.b",
            "/dev/tty1",
            "pts/0",
            "ttys003",
            "client-12",
        ] {
            let command = Command::new("kill-session").target(Target::session(name));
            assert!(
                matches!(command.line(), Err(CommandError::Unfit { .. })),
                "{name:?}"
            );
        }
    }
}
