//! Everything on a server, asked in one go.

use std::path::Path;

use super::ServerBuilder;
use crate::client::ask;
use crate::client::attach::number;
use crate::client::identity::Identity;
use crate::format::{PaneRow, SessionRow};
use crate::protocol::Command;
use crate::wire::Version;

/// The sessions and panes of a server, and which it is.
#[derive(Clone, Debug)]
pub(super) struct Listing {
    pub(super) server: Option<Identity>,
    pub(super) sessions: Vec<SessionRow>,
    pub(super) panes: Vec<PaneRow>,
}

/// Which server it is, in front of every session's row.
const SERVER: &str = "S#{version}\t#{pid}\t#{start_time}\t";

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
            format!("{SERVER}{}", SessionRow::FORMAT),
            format!("P{}", PaneRow::FORMAT),
        ]
    }

    /// Reads what came; a line that is no row is none of ours.
    pub(super) fn read<'a>(lines: impl Iterator<Item = &'a [u8]>, socket: &Path) -> Self {
        let mut listing = Self {
            server: None,
            sessions: Vec::new(),
            panes: Vec::new(),
        };
        for line in lines {
            match line.split_first() {
                Some((b'S', line)) => {
                    let mut fields = line.splitn(4, |&b| b == b'\t');
                    let server = Self::server(&mut fields, socket);
                    if listing.server.is_none() {
                        listing.server = server;
                    }
                    listing
                        .sessions
                        .extend(fields.next().and_then(SessionRow::parse));
                }
                Some((b'P', line)) => listing.panes.extend(PaneRow::parse(line)),
                _ => {}
            }
        }
        listing
    }

    fn server<'a>(fields: &mut impl Iterator<Item = &'a [u8]>, socket: &Path) -> Option<Identity> {
        let version = Version::parse(fields.next()?);
        let pid = number(fields.next()?);
        let start_time = number(fields.next()?);
        let socket = socket.to_path_buf();
        Some(Identity {
            version: version?,
            pid: pid?,
            start_time: start_time?,
            socket,
        })
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
    let lines = |out: &[u8]| Listing::read(out.split(|&b| b == b'\n'), &socket);
    // A client of another version does not notice that such a server has said all.
    let too_old = |out: &[u8]| {
        let first = out.iter().position(|&b| b == b'\n');
        let server = first.and_then(|at| lines(out.get(..at)?).server);
        server.is_some_and(|server| !server.version.at_least(Version::FLOOR))
    };
    let said = ask::ask(&builder.tmux, arguments, builder.deadline, too_old)
        .await
        .map_err(|error| Waiting::Refused(error.to_string().into_bytes()))?;
    let listing = lines(&said.out);
    let complaint = said.err.trim_ascii();
    match &listing.server {
        Some(server) if !server.version.at_least(Version::FLOOR) => {
            Err(Waiting::TooOld(server.version.to_string().into_bytes()))
        }
        // What it has said may break off anywhere.
        _ if !said.whole => Err(Waiting::Refused(b"the server does not answer".to_vec())),
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
