//! What a tree is made of: rows of all sessions, windows, panes and clients, asked in one go.

use crate::format::{ClientRow, Fields, FromFormat, PaneRow, RowError, SessionRow, WindowRow};
use crate::wire::{Version, split_line};

/// Everything on a server.
///
/// **Shape:** each row begins with a letter of its own and `|`; a line that does not is none of
/// these, and passed over.
///
/// Example: [`tree`](crate::tree).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Which server it is; nothing where it has no session.
    pub server: Option<ServerEntry>,
    /// Its sessions.
    pub sessions: Vec<SessionRow>,
    /// Its windows, each once for every place where it is linked.
    pub windows: Vec<WindowRow>,
    /// Its panes, each once for every place where its window is linked.
    pub panes: Vec<PaneRow>,
    /// Its clients.
    pub clients: Vec<ClientRow>,
}

/// Which server it is: ids are unique only within one life of it.
///
/// Example: [`tree`](crate::tree).
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

impl Listing {
    /// What to ask for it: the names of four commands, with their flags and what `-F` is to be given.
    /// They belong on one line, so that nothing happens in between.
    #[must_use]
    pub fn commands() -> [(&'static str, &'static [&'static str], String); 4] {
        let session = format!("S|{}{}", ServerEntry::FORMAT, SessionRow::FORMAT);
        [
            ("list-sessions", &[], session),
            ("list-windows", &["-a"], format!("W|{}", WindowRow::FORMAT)),
            ("list-panes", &["-a"], format!("P|{}", PaneRow::FORMAT)),
            ("list-clients", &[], format!("C|{}", ClientRow::FORMAT)),
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
                self.sessions.push(SessionRow::from_fields(&mut fields)?);
            }
            b'W' => self.windows.push(WindowRow::from_fields(&mut fields)?),
            b'P' => self.panes.push(PaneRow::from_fields(&mut fields)?),
            _ => self.clients.push(ClientRow::from_fields(&mut fields)?),
        }
        fields.end_row()?;
        Ok(fields.rest())
    }
}
