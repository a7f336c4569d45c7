//! Rows that most programs want.

use std::time::SystemTime;

use super::FromFormat;
use super::error::ValueError;
use super::value::FromValue;
use crate::wire::{PaneId, SessionId, WindowId};

/// A session: a row of `list-sessions`.
///
/// ```no_run
/// # async fn example(client: tmux_cc::client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use tmux_cc::format::SessionRow;
/// use tmux_cc::protocol::Command;
///
/// for session in client.rows::<SessionRow>(Command::new("list-sessions")).await? {
///     println!("{} {} has {} windows", session.id, session.name.escape_ascii(), session.windows);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, FromFormat)]
#[non_exhaustive]
pub struct SessionRow {
    /// Its id.
    #[tmux(name = "session_id")]
    pub id: SessionId,
    /// Its name, as bytes: it need not be UTF-8.
    #[tmux(name = "session_name")]
    pub name: Vec<u8>,
    /// How many clients are attached to it, control clients too.
    #[tmux(name = "session_attached")]
    pub attached: u32,
    /// How many windows it has.
    #[tmux(name = "session_windows")]
    pub windows: u32,
    /// When it was made.
    #[tmux(name = "session_created")]
    pub created: SystemTime,
    /// When a client of it was active last: input, not output.
    #[tmux(name = "session_activity")]
    pub activity: SystemTime,
    /// The group it is in.
    #[tmux(name = "session_group")]
    pub group: Option<Vec<u8>>,
    /// The option `destroy-unattached`: does the session end when its last client leaves? A
    /// control client of ours is a client too.
    #[tmux(format = "#{?#{&&:#{destroy-unattached},#{!=:#{destroy-unattached},off}},1,0}")]
    pub destroy_unattached: bool,
}

/// A window at one of its places: a row of `list-windows -a`.
///
/// A window that is linked into several sessions has a row in each.
///
/// ```no_run
/// # async fn example(client: tmux_cc::client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use tmux_cc::format::WindowRow;
/// use tmux_cc::protocol::Command;
/// use tmux_cc::wire::Layout;
///
/// for window in client.rows::<WindowRow>(Command::new("list-windows").flag("-a")).await? {
///     println!("{} has {} panes", window.id, Layout::parse(&window.layout)?.panes().count());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, FromFormat)]
#[non_exhaustive]
pub struct WindowRow {
    /// Its id.
    #[tmux(name = "window_id")]
    pub id: WindowId,
    /// The session of this place.
    #[tmux(name = "session_id")]
    pub session: SessionId,
    /// Its index in the session.
    #[tmux(name = "window_index")]
    pub index: u32,
    /// Its name.
    #[tmux(name = "window_name")]
    pub name: Vec<u8>,
    /// Its flags, such as `*Z`.
    #[tmux(name = "window_raw_flags")]
    pub flags: Vec<u8>,
    /// All its panes, for [`Layout::parse`](crate::wire::Layout::parse); empty where it is longer
    /// than tmux can print. JSON, for who is no control client, from 3.8.
    #[tmux(name = "window_layout")]
    pub layout: Vec<u8>,
    /// What shows: one pane, where it is zoomed.
    #[tmux(name = "window_visible_layout")]
    pub visible_layout: Vec<u8>,
    /// Is it the session's current window?
    #[tmux(name = "window_active")]
    pub active: bool,
    /// Was it so before the one that is?
    #[tmux(name = "window_last_flag")]
    pub last: bool,
    /// Is one of its panes zoomed?
    #[tmux(name = "window_zoomed_flag")]
    pub zoomed: bool,
    /// How many panes it has.
    #[tmux(name = "window_panes")]
    pub panes: u32,
    /// Is it linked into several sessions?
    #[tmux(name = "window_linked")]
    pub linked: bool,
    /// Columns.
    #[tmux(name = "window_width")]
    pub width: u32,
    /// Rows.
    #[tmux(name = "window_height")]
    pub height: u32,
    /// When one of its panes printed last.
    #[tmux(name = "window_activity")]
    pub activity: SystemTime,
}

/// A pane at one of its places: a row of `list-panes -a`.
///
/// A pane whose window is linked into several sessions has a row in each.
///
/// ```no_run
/// # async fn example(client: tmux_cc::client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use tmux_cc::format::PaneRow;
/// use tmux_cc::protocol::Command;
///
/// for pane in client.rows::<PaneRow>(Command::new("list-panes").flag("-a")).await? {
///     if pane.dead {
///         println!("{} ended with {:?}", pane.id, pane.dead_status);
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, FromFormat)]
#[non_exhaustive]
pub struct PaneRow {
    /// Its id.
    #[tmux(name = "pane_id")]
    pub id: PaneId,
    /// The session of this place.
    #[tmux(name = "session_id")]
    pub session: SessionId,
    /// Its window.
    #[tmux(name = "window_id")]
    pub window: WindowId,
    /// The window's index in the session.
    pub window_index: u32,
    /// Its index in the window.
    pub pane_index: u32,
    /// The session's name.
    pub session_name: Vec<u8>,
    /// The window's name.
    pub window_name: Vec<u8>,
    /// Its title, which the program in it may set.
    #[tmux(name = "pane_title")]
    pub title: Vec<u8>,
    /// Is it the window's active pane?
    #[tmux(name = "pane_active")]
    pub active: bool,
    /// Was it so before the one that is?
    #[tmux(name = "pane_last")]
    pub last: bool,
    /// Is a pane of its window zoomed?
    #[tmux(name = "window_zoomed_flag")]
    pub zoomed: bool,
    /// Its first process; up to 3.7 also after that has ended, from 3.8 only until then.
    #[tmux(name = "pane_pid")]
    pub pid: Option<u32>,
    /// Its terminal, such as `/dev/pts/3`.
    #[tmux(name = "pane_tty")]
    pub tty: Vec<u8>,
    /// The name of the program in the foreground.
    #[tmux(name = "pane_current_command")]
    pub current_command: Vec<u8>,
    /// The directory of the program in the foreground.
    #[tmux(name = "pane_current_path")]
    pub current_path: Vec<u8>,
    /// The command it was started with, quoted as for a shell; empty where it was none.
    #[tmux(name = "pane_start_command")]
    pub start_command: Vec<u8>,
    /// Has the program ended and the pane been kept (`remain-on-exit`)?
    #[tmux(name = "pane_dead")]
    pub dead: bool,
    /// The exit status, once it has ended and tmux has heard of it.
    #[tmux(name = "pane_dead_status")]
    pub dead_status: Option<u8>,
    /// The signal it died of. From 3.3.
    #[tmux(name = "pane_dead_signal", since = "3.3")]
    pub dead_signal: Option<Signal>,
    /// When that was. From 3.3.
    #[tmux(name = "pane_dead_time", since = "3.3")]
    pub dead_time: Option<SystemTime>,
    /// How many modes lie over it, such as copy mode; input goes to the uppermost.
    #[tmux(name = "pane_in_mode")]
    pub in_mode: u32,
    /// The uppermost of them, such as `copy-mode`.
    #[tmux(name = "pane_mode")]
    pub mode: Option<Vec<u8>>,
    /// Is the alternate screen in use, as by a full-screen program?
    pub alternate_on: bool,
    /// Has it a pipe (`pipe-pane`)?
    #[tmux(name = "pane_pipe")]
    pub pipe: bool,
    /// Does it take no input (`select-pane -d`)?
    #[tmux(name = "pane_input_off")]
    pub input_off: bool,
    /// Does its input go to all panes of the window?
    #[tmux(name = "pane_synchronized")]
    pub synchronized: bool,
    /// Columns.
    #[tmux(name = "pane_width")]
    pub width: u32,
    /// Rows.
    #[tmux(name = "pane_height")]
    pub height: u32,
    /// Columns from the window's left edge; below zero for a floating pane beyond it (3.7).
    #[tmux(name = "pane_left")]
    pub left: i32,
    /// Rows from the window's top edge; below zero for a floating pane beyond it (3.7).
    #[tmux(name = "pane_top")]
    pub top: i32,
    /// The user option `@cc_unit`: the unit that somebody says it belongs to.
    #[tmux(name = "@cc_unit")]
    pub unit: Option<Vec<u8>>,
}

/// A client: a row of `list-clients`.
///
/// ```no_run
/// # async fn example(client: tmux_cc::client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use tmux_cc::format::ClientRow;
/// use tmux_cc::protocol::Command;
///
/// let clients = client.rows::<ClientRow>(Command::new("list-clients")).await?;
/// println!("{} people", clients.iter().filter(|client| !client.control_mode).count());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, FromFormat)]
#[non_exhaustive]
pub struct ClientRow {
    /// Its name: its terminal, or `client-` and its process.
    #[tmux(name = "client_name")]
    pub name: Vec<u8>,
    /// Its process.
    #[tmux(name = "client_pid")]
    pub pid: u32,
    /// The session it is attached to.
    #[tmux(name = "session_id")]
    pub session: Option<SessionId>,
    /// Is it a control client?
    #[tmux(name = "client_control_mode")]
    pub control_mode: bool,
    /// Its flags, such as `attached,control-mode,no-output,UTF-8`.
    #[tmux(name = "client_flags")]
    pub flags: Vec<u8>,
    /// Its terminal; empty for a control client on pipes.
    #[tmux(name = "client_tty")]
    pub tty: Vec<u8>,
    /// Columns.
    #[tmux(name = "client_width")]
    pub width: u32,
    /// Rows; a control client has none.
    #[tmux(name = "client_height")]
    pub height: Option<u32>,
    /// When it came.
    #[tmux(name = "client_created")]
    pub created: SystemTime,
    /// When it sent something last.
    #[tmux(name = "client_activity")]
    pub activity: SystemTime,
}

/// A paste buffer: a row of `list-buffers`.
///
/// ```no_run
/// # async fn example(client: tmux_cc::client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use tmux_cc::format::BufferRow;
/// use tmux_cc::protocol::Command;
///
/// let buffers = client.rows::<BufferRow>(Command::new("list-buffers")).await?;
/// println!("{} bytes", buffers.iter().map(|buffer| buffer.size).sum::<u64>());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, FromFormat)]
#[non_exhaustive]
pub struct BufferRow {
    /// Its name.
    #[tmux(name = "buffer_name")]
    pub name: Vec<u8>,
    /// Bytes in it.
    #[tmux(name = "buffer_size")]
    pub size: u64,
    /// When it was made.
    #[tmux(name = "buffer_created")]
    pub created: SystemTime,
    /// How it begins, escaped by tmux as for a terminal.
    #[tmux(name = "buffer_sample")]
    pub sample: Vec<u8>,
}

/// The signal that a program died of.
///
/// Example: [`PaneRow`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// Its number, as tmux tells it on Linux.
    Number(u8),
    /// Its name without `SIG`, such as `KILL`, where the system has names for tmux.
    Name(Box<[u8]>),
}

impl FromValue for Signal {
    fn from_value(value: &[u8]) -> Result<Self, ValueError> {
        match u8::from_value(value) {
            Ok(number) => Ok(Self::Number(number)),
            Err(_) if value.first().is_some_and(u8::is_ascii_alphabetic) => {
                Ok(Self::Name(value.into()))
            }
            Err(_) => Err(ValueError::wanted("a signal's number or name")),
        }
    }
}
