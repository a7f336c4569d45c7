//! Everything on a server, asked in one go.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command as Program;
use tokio::time::timeout;

use super::ServerBuilder;
use crate::client::attach::number;
use crate::client::events::Identity;
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

/// Asks with a tmux process of its own, where no control client is attached yet. It takes part in
/// nothing: it attaches to no session and is no client of one.
pub(super) async fn ask(builder: &ServerBuilder) -> Result<Listing, Waiting> {
    let socket = builder.socket.path();
    let [sessions, panes] = Listing::formats();
    let mut program = Program::new(&builder.tmux);
    program
        .args(["-N", "-u", "-S"])
        .arg(&socket)
        .args([
            "list-sessions",
            "-F",
            &sessions,
            ";",
            "list-panes",
            "-a",
            "-F",
            &panes,
        ])
        .env_remove("TMUX")
        .env_remove("TMUX_PANE")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let output = match timeout(builder.deadline, program.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(Waiting::Refused(error.to_string().into_bytes())),
        Err(_) => return Err(Waiting::Refused(b"the server does not answer".to_vec())),
    };
    let listing = Listing::read(output.stdout.split(|&b| b == b'\n'), &socket);
    let said = output.stderr.trim_ascii();
    match &listing.server {
        Some(server) if !server.version.at_least(Version::FLOOR) => {
            Err(Waiting::TooOld(server.version.to_string().into_bytes()))
        }
        Some(_) => Ok(listing),
        None if said.starts_with(b"no server running on") => Err(Waiting::NoServer),
        None if said.starts_with(b"error connecting to")
            && !said.ends_with(b"(Permission denied)") =>
        {
            Err(Waiting::NoServer)
        }
        // So 3.3a words it where a server has no session.
        None if said.is_empty() || said == b"no current target" || said == b"no sessions" => {
            Err(Waiting::NoSession)
        }
        None => Err(Waiting::Refused(said.to_vec())),
    }
}
