//! Everything on a server, asked in one go.

use std::path::Path;

use super::ServerBuilder;
use crate::client::ask;
use crate::client::identity::Identity;
use crate::format::{Fields, FromFormat, PlaceRow, RowError, SessionRow};
use crate::protocol::Command;
use crate::wire::{Version, split_line};

/// The sessions and panes of a server, and which it is.
#[derive(Clone, Debug)]
pub(super) struct Listing {
    pub(super) server: Option<Identity>,
    pub(super) sessions: Vec<SessionRow>,
    pub(super) panes: Vec<PlaceRow>,
}

/// Which server it is, in front of every session's row.
#[derive(Clone, Copy, Debug, FromFormat)]
struct ServerRow {
    version: Version,
    pid: u32,
    start_time: u64,
}

/// What rows of sessions and of panes begin with; a line that begins otherwise is none of ours.
const SESSION: &[u8] = b"S|";
const PANE: &[u8] = b"P|";

impl Listing {
    /// What to send for it: two commands on one line, so that nothing comes in between.
    pub(super) fn command() -> Command {
        let [sessions, panes] = Self::formats();
        Command::new("list-sessions")
            .option("-F", sessions)
            .then(Command::new("list-panes").flag("-a").option("-F", panes))
    }

    fn formats() -> [String; 2] {
        [
            format!("S|{}{}", ServerRow::FORMAT, SessionRow::FORMAT),
            format!("P|{}", PlaceRow::FORMAT),
        ]
    }

    /// Reads what came.
    ///
    /// # Errors
    /// A row of ours that does not read.
    pub(super) fn read<'a>(
        printed: impl IntoIterator<Item = &'a [u8]>,
        socket: &Path,
    ) -> Result<Self, RowError> {
        let mut listing = Self {
            server: None,
            sessions: Vec::new(),
            panes: Vec::new(),
        };
        for mut rest in printed {
            while !rest.is_empty() {
                rest = listing.read_row(rest, socket)?;
            }
        }
        Ok(listing)
    }

    /// Reads one row or other line; what is behind it.
    fn read_row<'a>(&mut self, printed: &'a [u8], socket: &Path) -> Result<&'a [u8], RowError> {
        let mut fields;
        if let Some(row) = printed.strip_prefix(SESSION) {
            fields = Fields::new(row);
            let server = ServerRow::from_fields(&mut fields)?;
            self.server.get_or_insert_with(|| server.identity(socket));
            self.sessions.push(SessionRow::from_fields(&mut fields)?);
        } else if let Some(row) = printed.strip_prefix(PANE) {
            fields = Fields::new(row);
            self.panes.push(PlaceRow::from_fields(&mut fields)?);
        } else {
            let line = split_line(printed);
            return Ok(line.map(|(_, rest)| rest).unwrap_or_default());
        }
        fields.end_row()?;
        Ok(fields.rest())
    }
}

impl ServerRow {
    /// The server of the first row, however old it is: all that follows may be unknown to it.
    fn first(printed: &[u8]) -> Option<Self> {
        let row = printed.strip_prefix(SESSION)?;
        Self::from_fields(&mut Fields::new(row)).ok()
    }

    fn identity(self, socket: &Path) -> Identity {
        Identity {
            version: self.version,
            pid: self.pid,
            start_time: self.start_time,
            socket: socket.to_path_buf(),
        }
    }
}

/// Why there is nothing to attach to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Waiting {
    /// No server runs on the socket.
    NoServer,
    /// It has no session, or none that may be attached to.
    NoSession,
    /// tmux refuses, in these words.
    Refused(Vec<u8>),
    /// The server is older than the oldest that works, in these words.
    TooOld(Vec<u8>),
}

/// Asks with a tmux process of its own, where no control client is attached yet.
pub(super) async fn ask(builder: &ServerBuilder) -> Result<Listing, Waiting> {
    let socket = builder.socket.path();
    let [sessions, panes] = Listing::formats();
    let arguments = [
        "-N".as_ref(),
        "-u".as_ref(),
        "-S".as_ref(),
        socket.as_os_str(),
        "list-sessions".as_ref(),
        "-F".as_ref(),
        sessions.as_ref(),
        ";".as_ref(),
        "list-panes".as_ref(),
        "-a".as_ref(),
        "-F".as_ref(),
        panes.as_ref(),
    ];
    // A client of another version does not notice that such a server has said all.
    let old = |out: &[u8]| {
        ServerRow::first(out)
            .map(|server| server.version)
            .filter(|version| !version.at_least(Version::FLOOR))
    };
    let said = ask::ask(&builder.tmux, arguments, builder.deadline, |out| {
        old(out).is_some()
    })
    .await
    .map_err(|error| Waiting::Refused(error.to_string().into_bytes()))?;
    if let Some(version) = old(&said.out) {
        return Err(Waiting::TooOld(version.to_string().into_bytes()));
    }
    // What it has said may break off anywhere.
    if !said.whole {
        return Err(Waiting::Refused(b"the server does not answer".to_vec()));
    }
    let listing = Listing::read([&said.out[..]], &socket)
        .map_err(|error| Waiting::Refused(error.to_string().into_bytes()))?;
    let complaint = said.err.trim_ascii();
    match &listing.server {
        Some(_) => Ok(listing),
        None if complaint.starts_with(b"no server running on") => Err(Waiting::NoServer),
        None if complaint.starts_with(b"error connecting to")
            && !complaint.ends_with(b"(Permission denied)") =>
        {
            Err(Waiting::NoServer)
        }
        // So 3.3a words it where a server has no session.
        None if complaint.is_empty()
            || complaint == b"no current target"
            || complaint == b"no sessions" =>
        {
            Err(Waiting::NoSession)
        }
        None => Err(Waiting::Refused(complaint.to_vec())),
    }
}
