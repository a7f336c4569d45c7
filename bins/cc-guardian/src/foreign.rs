//! Panes that somebody else has made, in a server of theirs. Of what is there nothing is ever set but
//! options of the pane itself, nothing is ended but what we have made, and no server is started.

use std::io;
use std::path::{Path, PathBuf};

use tmux_cc::protocol::Command;
use tmux_cc::protocol::commands::literal;
use tmux_cc::wire::{PaneId, SessionId};

use crate::group::{Launch, Launched, script, tell_there};

/// A pane that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) session: SessionId,
    pub(crate) pane: PaneId,
    pub(crate) pid: u32,
    pub(crate) is_dead: bool,
    /// Which guardian's instance it is already.
    pub(crate) unit: Option<String>,
    /// What runs in front there.
    pub(crate) command: String,
    pub(crate) cwd: PathBuf,
}

/// Looks for a pane.
pub(crate) async fn find(tmux: &Path, socket: &Path, pane: PaneId) -> io::Result<Found> {
    let ask = |format: &str| {
        let ask = Command::new("display-message").flag("-p").target(pane);
        ask.arg(format)
    };
    let said = tell(
        tmux,
        socket,
        &[
            ask("#{session_id} #{pane_id} #{pane_pid} #{pane_dead} #{@cc_unit}"),
            ask("#{pane_current_command}"),
            ask("#{pane_current_path}"),
        ],
    )
    .await?;
    read(&said, pane).ok_or_else(|| io::Error::other(format!("there is no pane {pane}")))
}

fn read(said: &str, wanted: PaneId) -> Option<Found> {
    let mut lines = said.lines();
    let mut words = lines.next()?.splitn(5, ' ');
    let mut word = || words.next();
    let session = SessionId::parse(word()?.as_bytes())?;
    // A target that is not there is answered with another one by some.
    let pane = PaneId::parse(word()?.as_bytes()).filter(|pane| *pane == wanted)?;
    let (pid, dead, unit) = (word()?, word()?, word()?);
    Some(Found {
        session,
        pane,
        pid: pid.parse().ok()?,
        is_dead: dead == "1",
        unit: Some(unit.to_owned()).filter(|unit| !unit.is_empty()),
        command: lines.next()?.to_owned(),
        cwd: lines.next()?.into(),
    })
}

/// Marks a pane as an instance's.
pub(crate) async fn mark(
    tmux: &Path,
    socket: &Path,
    pane: PaneId,
    options: &[(&str, &str)],
) -> io::Result<()> {
    let set = options.iter().map(|(option, value)| {
        let set = Command::new("set-option").flag("-p").target(pane);
        set.arg(*option).arg(*value)
    });
    let set: Vec<Command> = set.collect();
    tell(tmux, socket, &set).await.map(|_| ())
}

/// Starts a program in a new window of a session that is there, behind the others.
pub(crate) async fn launch(launch: &Launch, session: SessionId) -> io::Result<Launched> {
    let new = Command::new("new-window")
        .flag("-d")
        .flag("-P")
        .option("-F", "#{session_id} #{pane_id} #{pane_pid}")
        .option("-t", format!("{session}:"))
        .option("-n", literal(&launch.name))
        .option("-c", literal(launch.cwd.as_os_str().as_encoded_bytes()));
    let new = launch.with_program(new);
    let said = tell(&launch.tmux, &launch.socket, &[new]).await?;
    let launched = Launched::read(&said)?;
    let options = launch.marks();
    mark(&launch.tmux, &launch.socket, launched.pane, &options).await?;
    Ok(launched)
}

/// Takes away a window that we have made.
pub(crate) async fn close(tmux: &Path, socket: &Path, pane: PaneId) -> io::Result<()> {
    let kill = Command::new("kill-pane").target(pane);
    tell(tmux, socket, &[kill]).await.map(|_| ())
}

/// Has a server that is there run commands.
async fn tell(tmux: &Path, socket: &Path, commands: &[Command]) -> io::Result<String> {
    let script = script(commands).map_err(io::Error::other)?;
    tell_there(tmux, socket, &script).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pane_is_read_and_another_one_is_not_taken_for_it() {
        let said = "$1 %3 42 0 \nnode\n/home/a b\n";
        let found = read(said, PaneId(3)).unwrap();
        assert_eq!(
            (found.session, found.pid, found.unit),
            (SessionId(1), 42, None)
        );
        assert_eq!(
            (found.command.as_str(), found.cwd),
            ("node", "/home/a b".into())
        );
        assert_eq!(read(said, PaneId(4)), None);
        let marked = read("$1 %3 42 1 w@1\nsh\n/\n", PaneId(3)).unwrap();
        assert_eq!(
            (marked.is_dead, marked.unit.as_deref()),
            (true, Some("w@1"))
        );
        assert_eq!(read("", PaneId(3)), None);
    }
}
