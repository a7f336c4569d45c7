//! What a tree is made of: rows of all sessions, windows, panes and clients, asked in one go.

use crate::format::{Fields, FromFormat, RowError, Signal};
use crate::wire::{PaneId, SessionId, Version, WindowId, split_line};

/// Everything on a server.
///
/// **Shape:** each row begins with a letter of its own and `|`; a line that does not is none of
/// these, and passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Which server it is; nothing where it has no session.
    pub server: Option<ServerEntry>,
    /// Its sessions.
    pub sessions: Vec<SessionEntry>,
    /// Its windows, each once for every place where it is linked.
    pub windows: Vec<WindowEntry>,
    /// Its panes, each once for every place where its window is linked.
    pub panes: Vec<PaneEntry>,
    /// Its clients.
    pub clients: Vec<ClientEntry>,
}

/// Which server it is: ids are unique only within one life of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, FromFormat)]
#[non_exhaustive]
pub struct ServerEntry {
    /// Its version.
    pub version: Version,
    /// Its process.
    pub pid: u32,
    /// When it was started, in seconds since the epoch.
    pub start_time: u64,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Hash, FromFormat)]
#[non_exhaustive]
pub struct SessionEntry {
    /// Its id.
    #[tmux(name = "session_id")]
    pub id: SessionId,
    /// Its name.
    #[tmux(name = "session_name")]
    pub name: Vec<u8>,
    /// How many clients are attached to it.
    #[tmux(name = "session_attached")]
    pub attached: u32,
    /// The group it is in.
    #[tmux(name = "session_group")]
    pub group: Option<Vec<u8>>,
    /// Does it end when its last client leaves?
    #[tmux(format = "#{?#{&&:#{destroy-unattached},#{!=:#{destroy-unattached},off}},1,0}")]
    pub destroy_unattached: bool,
}

/// A window at one of its places.
#[derive(Clone, Debug, PartialEq, Eq, Hash, FromFormat)]
#[non_exhaustive]
pub struct WindowEntry {
    /// The session of this place.
    #[tmux(name = "session_id")]
    pub session: SessionId,
    /// Its id.
    #[tmux(name = "window_id")]
    pub id: WindowId,
    /// Its index in that session.
    #[tmux(name = "window_index")]
    pub index: u32,
    /// Is it that session's current window?
    #[tmux(name = "window_active")]
    pub active: bool,
    /// Its name.
    #[tmux(name = "window_name")]
    pub name: Vec<u8>,
    /// Is one of its panes zoomed?
    #[tmux(name = "window_zoomed_flag")]
    pub zoomed: bool,
    /// Columns.
    #[tmux(name = "window_width")]
    pub width: u32,
    /// Rows.
    #[tmux(name = "window_height")]
    pub height: u32,
    /// All its panes, for [`Layout::parse`](crate::wire::Layout::parse).
    #[tmux(name = "window_layout")]
    pub layout: Vec<u8>,
    /// What shows of them.
    #[tmux(name = "window_visible_layout")]
    pub visible_layout: Vec<u8>,
}

/// A pane at one of its places.
#[derive(Clone, Debug, PartialEq, Eq, Hash, FromFormat)]
#[non_exhaustive]
pub struct PaneEntry {
    /// Its id.
    #[tmux(name = "pane_id")]
    pub id: PaneId,
    /// The session of this place.
    #[tmux(name = "session_id")]
    pub session: SessionId,
    /// Its window.
    #[tmux(name = "window_id")]
    pub window: WindowId,
    /// The window's index in that session.
    pub window_index: u32,
    /// Its index in the window.
    #[tmux(name = "pane_index")]
    pub index: u32,
    /// Is it the window's active pane?
    #[tmux(name = "pane_active")]
    pub active: bool,
    /// Has its program ended, and the pane been kept?
    #[tmux(name = "pane_dead")]
    pub dead: bool,
    /// The program's exit status.
    #[tmux(name = "pane_dead_status")]
    pub dead_status: Option<u8>,
    /// The signal that it died of. From 3.3.
    #[tmux(name = "pane_dead_signal", since = "3.3")]
    pub dead_signal: Option<Signal>,
    /// When that was, in seconds since the epoch. From 3.3.
    #[tmux(name = "pane_dead_time", since = "3.3")]
    pub dead_time: Option<u64>,
    /// Its title.
    #[tmux(name = "pane_title")]
    pub title: Vec<u8>,
    /// The name of the program in its foreground.
    #[tmux(name = "pane_current_command")]
    pub command: Vec<u8>,
    /// Its first process.
    #[tmux(name = "pane_pid")]
    pub pid: Option<u32>,
    /// Columns.
    #[tmux(name = "pane_width")]
    pub width: u32,
    /// Rows.
    #[tmux(name = "pane_height")]
    pub height: u32,
    /// Columns from the window's left edge.
    #[tmux(name = "pane_left")]
    pub left: i32,
    /// Rows from the window's top edge.
    #[tmux(name = "pane_top")]
    pub top: i32,
    /// How many modes lie over it.
    #[tmux(name = "pane_in_mode")]
    pub in_mode: u32,
    /// The uppermost of them.
    #[tmux(name = "pane_mode")]
    pub mode: Option<Vec<u8>>,
    /// Is the alternate screen in use?
    #[tmux(name = "alternate_on")]
    pub alternate: bool,
    /// The user option `@cc_unit`.
    #[tmux(name = "@cc_unit")]
    pub unit: Option<Vec<u8>>,
    /// The session's name.
    pub session_name: Vec<u8>,
    /// The window's name.
    pub window_name: Vec<u8>,
}

/// A client.
#[derive(Clone, Debug, PartialEq, Eq, Hash, FromFormat)]
#[non_exhaustive]
pub struct ClientEntry {
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
    /// Columns.
    #[tmux(name = "client_width")]
    pub width: u32,
    /// Rows; a control client has none.
    #[tmux(name = "client_height")]
    pub height: Option<u32>,
}

impl Listing {
    /// What to ask for it: the names of four commands, with their flags and what `-F` is to be given.
    /// They belong on one line, so that nothing happens in between.
    #[must_use]
    pub fn commands() -> [(&'static str, &'static [&'static str], String); 4] {
        let session = format!("S|{}{}", ServerEntry::FORMAT, SessionEntry::FORMAT);
        [
            ("list-sessions", &[], session),
            (
                "list-windows",
                &["-a"],
                format!("W|{}", WindowEntry::FORMAT),
            ),
            ("list-panes", &["-a"], format!("P|{}", PaneEntry::FORMAT)),
            ("list-clients", &[], format!("C|{}", ClientEntry::FORMAT)),
        ]
    }

    /// Reads what they have printed.
    ///
    /// # Errors
    /// A row that does not read.
    pub fn read<'a>(printed: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, RowError> {
        let mut listing = Self::default();
        for mut rest in printed {
            while !rest.is_empty() {
                rest = listing.read_row(rest)?;
            }
        }
        Ok(listing)
    }

    /// Which server has printed that, however old it is: all that follows may be unknown to it.
    #[must_use]
    pub fn read_server(printed: &[u8]) -> Option<ServerEntry> {
        let row = printed.strip_prefix(b"S|")?;
        ServerEntry::from_fields(&mut Fields::new(row)).ok()
    }

    /// Reads one row or other line; what is behind it.
    fn read_row<'a>(&mut self, printed: &'a [u8]) -> Result<&'a [u8], RowError> {
        let [letter @ (b'S' | b'W' | b'P' | b'C'), b'|', row @ ..] = printed else {
            let line = split_line(printed);
            return Ok(line.map(|(_, rest)| rest).unwrap_or_default());
        };
        let mut fields = Fields::new(row);
        match letter {
            b'S' => {
                let server = ServerEntry::from_fields(&mut fields)?;
                self.server.get_or_insert(server);
                self.sessions.push(SessionEntry::from_fields(&mut fields)?);
            }
            b'W' => self.windows.push(WindowEntry::from_fields(&mut fields)?),
            b'P' => self.panes.push(PaneEntry::from_fields(&mut fields)?),
            _ => self.clients.push(ClientEntry::from_fields(&mut fields)?),
        }
        fields.end_row()?;
        Ok(fields.rest())
    }
}
