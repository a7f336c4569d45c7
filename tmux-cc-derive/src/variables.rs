//! The format variables of tmux.

/// One variable.
#[derive(Debug)]
pub(crate) struct Variable {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) since: &'static str,
    pub(crate) until: Option<&'static str>,
    pub(crate) context: Context,
    pub(crate) empty: bool,
    pub(crate) about: &'static str,
}

/// What a variable's value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
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
    /// A layout.
    Layout,
    /// Anything.
    Text,
}

/// Where a variable is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Context {
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
    /// In `list-buffers`.
    Buffer,
}

const fn variable(
    name: &'static str,
    kind: Kind,
    since: &'static str,
    context: Context,
    empty: bool,
    about: &'static str,
) -> Variable {
    Variable {
        name,
        kind,
        since,
        until: None,
        context,
        empty,
        about,
    }
}

/// All of them, by name.
pub(crate) static VARIABLES: &[Variable] = &[
    variable(
        "alternate_on",
        Kind::Flag,
        "1.8",
        Context::Pane,
        false,
        "alternate screen in use",
    ),
    variable(
        "buffer_created",
        Kind::Time,
        "2.6",
        Context::Buffer,
        false,
        "when it was made",
    ),
    variable(
        "buffer_name",
        Kind::Text,
        "2.0",
        Context::Buffer,
        false,
        "its name",
    ),
    variable(
        "buffer_sample",
        Kind::Text,
        "1.8",
        Context::Buffer,
        false,
        "how it begins",
    ),
    variable(
        "buffer_size",
        Kind::Number,
        "1.8",
        Context::Buffer,
        false,
        "its length in bytes",
    ),
    variable(
        "client_activity",
        Kind::Time,
        "1.8",
        Context::Client,
        false,
        "its last activity",
    ),
    variable(
        "client_control_mode",
        Kind::Flag,
        "2.1",
        Context::Client,
        false,
        "in control mode",
    ),
    variable(
        "client_created",
        Kind::Time,
        "1.8",
        Context::Client,
        false,
        "when it came",
    ),
    variable(
        "client_flags",
        Kind::Text,
        "3.2",
        Context::Client,
        false,
        "its flags",
    ),
    variable(
        "client_height",
        Kind::Number,
        "1.8",
        Context::Client,
        true,
        "rows",
    ),
    variable(
        "client_name",
        Kind::Text,
        "2.4",
        Context::Client,
        false,
        "its name",
    ),
    variable(
        "client_pid",
        Kind::Number,
        "2.1",
        Context::Client,
        false,
        "its process",
    ),
    variable(
        "client_tty",
        Kind::Text,
        "1.8",
        Context::Client,
        false,
        "its terminal",
    ),
    variable(
        "client_width",
        Kind::Number,
        "1.8",
        Context::Client,
        false,
        "columns",
    ),
    variable(
        "history_size",
        Kind::Number,
        "1.8",
        Context::Pane,
        false,
        "lines of history",
    ),
    variable(
        "pane_active",
        Kind::Flag,
        "1.8",
        Context::Pane,
        false,
        "active in its window",
    ),
    variable(
        "pane_current_command",
        Kind::Text,
        "1.8",
        Context::Pane,
        false,
        "what runs in it",
    ),
    variable(
        "pane_current_path",
        Kind::Text,
        "1.8",
        Context::Pane,
        false,
        "its directory",
    ),
    variable(
        "pane_dead",
        Kind::Flag,
        "1.8",
        Context::Pane,
        false,
        "its program has ended",
    ),
    variable(
        "pane_dead_signal",
        Kind::Text,
        "3.3",
        Context::Pane,
        true,
        "the signal it died of",
    ),
    variable(
        "pane_dead_status",
        Kind::Number,
        "2.0",
        Context::Pane,
        true,
        "its exit status",
    ),
    variable(
        "pane_dead_time",
        Kind::Time,
        "3.3",
        Context::Pane,
        true,
        "when it died",
    ),
    variable(
        "pane_height",
        Kind::Number,
        "1.8",
        Context::Pane,
        false,
        "rows",
    ),
    variable(
        "pane_id",
        Kind::PaneId,
        "1.8",
        Context::Pane,
        false,
        "its id",
    ),
    variable(
        "pane_in_mode",
        Kind::Number,
        "1.8",
        Context::Pane,
        false,
        "modes on top",
    ),
    variable(
        "pane_index",
        Kind::Number,
        "1.8",
        Context::Pane,
        false,
        "its index",
    ),
    variable(
        "pane_input_off",
        Kind::Flag,
        "2.0",
        Context::Pane,
        false,
        "takes no input",
    ),
    variable(
        "pane_last",
        Kind::Flag,
        "3.1",
        Context::Pane,
        false,
        "active before",
    ),
    variable(
        "pane_last_output_time",
        Kind::Time,
        "3.8",
        Context::Pane,
        true,
        "its last output",
    ),
    variable(
        "pane_left",
        Kind::Signed,
        "2.0",
        Context::Pane,
        false,
        "its first column",
    ),
    variable(
        "pane_mode",
        Kind::Text,
        "2.5",
        Context::Pane,
        true,
        "the mode it is in",
    ),
    variable(
        "pane_pid",
        Kind::Number,
        "1.8",
        Context::Pane,
        true,
        "its first process",
    ),
    variable(
        "pane_pipe",
        Kind::Flag,
        "2.6",
        Context::Pane,
        false,
        "it has a pipe",
    ),
    variable(
        "pane_pipe_pid",
        Kind::Number,
        "3.7",
        Context::Pane,
        true,
        "the pipe's process",
    ),
    variable(
        "pane_start_command",
        Kind::Text,
        "1.8",
        Context::Pane,
        true,
        "what it began with",
    ),
    variable(
        "pane_synchronized",
        Kind::Flag,
        "1.9",
        Context::Pane,
        false,
        "input goes to all",
    ),
    variable(
        "pane_title",
        Kind::Text,
        "1.8",
        Context::Pane,
        true,
        "its title",
    ),
    variable(
        "pane_top",
        Kind::Signed,
        "2.0",
        Context::Pane,
        false,
        "its first row",
    ),
    variable(
        "pane_tty",
        Kind::Text,
        "1.8",
        Context::Pane,
        true,
        "its terminal",
    ),
    variable(
        "pane_width",
        Kind::Number,
        "1.8",
        Context::Pane,
        false,
        "columns",
    ),
    variable(
        "pid",
        Kind::Number,
        "2.1",
        Context::Any,
        false,
        "the server's process",
    ),
    variable(
        "session_activity",
        Kind::Time,
        "2.1",
        Context::Session,
        false,
        "its last input",
    ),
    variable(
        "session_attached",
        Kind::Number,
        "1.8",
        Context::Session,
        false,
        "its clients",
    ),
    variable(
        "session_created",
        Kind::Time,
        "1.8",
        Context::Session,
        false,
        "when it was made",
    ),
    variable(
        "session_group",
        Kind::Text,
        "1.8",
        Context::Session,
        true,
        "its group",
    ),
    variable(
        "session_id",
        Kind::SessionId,
        "1.8",
        Context::Session,
        false,
        "its id",
    ),
    variable(
        "session_name",
        Kind::Text,
        "1.8",
        Context::Session,
        false,
        "its name",
    ),
    variable(
        "session_windows",
        Kind::Number,
        "1.8",
        Context::Session,
        false,
        "its windows",
    ),
    variable(
        "start_time",
        Kind::Time,
        "2.2",
        Context::Any,
        false,
        "when the server began",
    ),
    variable(
        "version",
        Kind::Text,
        "2.4",
        Context::Any,
        false,
        "of the server",
    ),
    variable(
        "window_active",
        Kind::Flag,
        "1.8",
        Context::Window,
        false,
        "current in its session",
    ),
    variable(
        "window_activity",
        Kind::Time,
        "2.1",
        Context::Window,
        false,
        "its last output",
    ),
    variable(
        "window_height",
        Kind::Number,
        "1.8",
        Context::Window,
        false,
        "rows",
    ),
    variable(
        "window_id",
        Kind::WindowId,
        "1.8",
        Context::Window,
        false,
        "its id",
    ),
    variable(
        "window_index",
        Kind::Number,
        "1.8",
        Context::Window,
        false,
        "its index",
    ),
    variable(
        "window_last_flag",
        Kind::Flag,
        "2.0",
        Context::Window,
        false,
        "current before",
    ),
    variable(
        "window_layout",
        Kind::Layout,
        "1.8",
        Context::Window,
        true,
        "all its panes",
    ),
    variable(
        "window_linked",
        Kind::Flag,
        "2.1",
        Context::Window,
        false,
        "in several sessions",
    ),
    variable(
        "window_name",
        Kind::Text,
        "1.8",
        Context::Window,
        true,
        "its name",
    ),
    variable(
        "window_panes",
        Kind::Number,
        "1.8",
        Context::Window,
        false,
        "its panes",
    ),
    variable(
        "window_raw_flags",
        Kind::Text,
        "3.2",
        Context::Window,
        true,
        "its flags",
    ),
    variable(
        "window_visible_layout",
        Kind::Layout,
        "2.2",
        Context::Window,
        true,
        "what shows",
    ),
    variable(
        "window_width",
        Kind::Number,
        "1.8",
        Context::Window,
        false,
        "columns",
    ),
    variable(
        "window_zoomed_flag",
        Kind::Flag,
        "2.0",
        Context::Window,
        false,
        "a pane is zoomed",
    ),
];

/// The variable of that name.
pub(crate) fn find(name: &str) -> Option<&'static Variable> {
    let at = VARIABLES.binary_search_by(|variable| variable.name.cmp(name));
    at.ok().and_then(|at| VARIABLES.get(at))
}

/// The variable that was meant by a name that is none, if it is clear.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    let most = if name.len() < 5 { 1 } else { 2 };
    let near = VARIABLES
        .iter()
        .map(|variable| (distance(name, variable.name), variable.name))
        .min()?;
    (near.0 <= most).then_some(near.1)
}

/// How many letters differ.
fn distance(a: &str, b: &str) -> usize {
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.bytes().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or_default();
            let change = at(&last, j) + usize::from(x != y);
            row.push(change.min(at(&last, j + 1) + 1).min(at(&row, j) + 1));
        }
        last = row;
    }
    last.last().copied().unwrap_or_default()
}
