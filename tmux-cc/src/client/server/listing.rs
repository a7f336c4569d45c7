//! Everything on a server, asked in one go.

use std::ffi::OsString;
use std::path::Path;

use super::ServerBuilder;
use crate::client::ask;
use crate::client::identity::Identity;
use crate::protocol::Command;
use crate::tree::{Listing, ServerEntry};
use crate::wire::Version;

/// What to send for it: all on one line, so that nothing comes in between.
pub(super) fn command() -> Command {
    let [sessions, windows, panes, clients] = Listing::commands().map(|(name, flags, format)| {
        let command = Command::new(name);
        let command = flags
            .iter()
            .fold(command, |command, flag| command.flag(flag));
        command.option("-F", format)
    });
    sessions.then(windows).then(panes).then(clients)
}

/// The same as arguments of a program.
fn arguments() -> Vec<OsString> {
    let mut arguments: Vec<OsString> = Vec::new();
    for (name, flags, format) in Listing::commands() {
        if !arguments.is_empty() {
            arguments.push(";".into());
        }
        arguments.push(name.into());
        arguments.extend(flags.iter().map(OsString::from));
        arguments.extend(["-F".into(), format.into()]);
    }
    arguments
}

/// Which server it is of.
pub(super) fn identity(listing: &Listing, socket: &Path) -> Option<Identity> {
    let ServerEntry {
        version,
        pid,
        start_time,
    } = listing.server?;
    Some(Identity {
        version,
        pid,
        start_time,
        socket: socket.to_path_buf(),
    })
}

/// Why there is nothing to attach to.
///
/// Example: [`Changes`](crate::client::Changes).
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
    let mut all: Vec<OsString> = ["-N", "-u", "-S"].map(OsString::from).into();
    all.push(socket.into());
    all.extend(arguments());
    // A client of another version does not notice that such a server has said all.
    let old = |out: &[u8]| {
        Listing::read_server(out)
            .map(|server| server.version)
            .filter(|version| !version.at_least(Version::FLOOR))
    };
    let said = ask::ask(&builder.tmux, all, builder.deadline, |out| {
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
    let listing = Listing::read([&said.out[..]])
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
