//! The table of variables.

use crate::wire::Version;

/// A format variable of tmux.
///
/// ```
/// use tmux_cc::format::{Kind, Variable};
/// use tmux_cc::wire::Version;
///
/// let title = Variable::named("pane_title").unwrap();
/// assert_eq!(title.kind, Kind::Text);
/// assert!(Variable::named("pane_titel").is_none());
/// assert!(Variable::named("pane_pipe_pid").unwrap().since > Version::new(3, 6));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Variable {
    /// Its name, as it stands in `#{}`.
    pub name: &'static str,
    /// What its value looks like.
    pub kind: Kind,
    /// The first version that knows it.
    pub since: Version,
    /// The first version that does not know it any more.
    pub until: Option<Version>,
    /// Where it is set.
    pub context: Context,
    /// May it be empty where it is set?
    pub empty: bool,
    /// What it tells, in a few words.
    pub about: &'static str,
}

impl Variable {
    /// The variable of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        let at = VARIABLES.binary_search_by(|variable| variable.name.cmp(name));
        at.ok().and_then(|at| VARIABLES.get(at))
    }

    /// Does a server of that version know it? To one that does not, it is empty.
    #[must_use]
    pub fn known_to(&self, server: Version) -> bool {
        server.at_least(self.since) && !self.until.is_some_and(|until| server.at_least(until))
    }
}

/// Every variable of tmux 3.2 and later, by name.
///
/// The table is that of the derive, which checks fields against it.
pub static VARIABLES: &[Variable] = tmux_cc_derive::variables!();

/// What the value of a [`Variable`] looks like.
///
/// Example: [`Variable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// `$0`.
    SessionId,
    /// `@0`.
    WindowId,
    /// `%0`.
    PaneId,
    /// `1`, `0` or nothing.
    Flag,
    /// Decimal, not below zero.
    Number,
    /// Decimal, may be below zero.
    Signed,
    /// Seconds since the epoch.
    Time,
    /// A window's layout, see [`Layout`](crate::wire::Layout).
    Layout,
    /// Anything.
    Text,
}

/// Where a [`Variable`] is set.
///
/// Example: [`Variable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Context {
    /// Everywhere.
    Any,
    /// Where there is a session.
    Session,
    /// Where there is a window.
    Window,
    /// Where there is a pane.
    Pane,
    /// Where there is a client.
    Client,
    /// In `list-buffers`, and where there is a buffer.
    Buffer,
    /// Of a pane in copy mode.
    CopyMode,
    /// In what a key of the mouse runs.
    Mouse,
    /// In a hook.
    Hook,
    /// In `list-keys`.
    Key,
    /// In `show-options` and the loops over options, from 3.8; in a file that is sourced.
    Option,
    /// In other lists, and in the loops of formats.
    List,
    /// In the places of menus and popups.
    Popup,
    /// In the lines of tree and customize mode.
    Tree,
    /// In a prompt or a message of the status line.
    Prompt,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_is_found_by_its_name() {
        assert!(VARIABLES.len() > 50);
        for variable in VARIABLES {
            assert_eq!(Variable::named(variable.name), Some(variable));
        }
        for name in ["", "pane", "pane_id ", "PANE_ID", "~"] {
            assert_eq!(Variable::named(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_version_knows_what_came_before_it_and_is_not_gone() {
        let pipe = Variable::named("pane_pipe_pid").unwrap();
        assert!(pipe.known_to(Version::new(3, 7)) && !pipe.known_to(Version::patched(3, 6, 'b')));
        let gone = Variable {
            until: Some(Version::new(3, 8)),
            ..*pipe
        };
        assert!(gone.known_to(Version::patched(3, 7, 'c')) && !gone.known_to(Version::new(3, 8)));
    }
}
