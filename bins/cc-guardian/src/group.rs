//! One tmux server of ours, and the panes of units in it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tmux_cc::protocol::commands::literal;
use tmux_cc::protocol::{Command, CommandError};
use tmux_cc::wire::{PaneId, SessionId};
use tokio::io::AsyncWriteExt as _;

/// The variable that marks every process of an instance, however it was started.
pub(crate) const MARK: &str = "CC_INSTANCE";

/// How large a pane is that nobody looks at.
const SIZE: (u32, u32) = (120, 40);

/// What is started.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    pub(crate) tmux: PathBuf,
    pub(crate) socket: PathBuf,
    pub(crate) history_limit: u32,
    /// The instance: the session is called like it.
    pub(crate) name: String,
    /// Which run it is.
    pub(crate) run: String,
    /// Which guardian's it is.
    pub(crate) guardian: String,
    pub(crate) cwd: PathBuf,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) command: Vec<String>,
    /// What it is started with, for who finds it running.
    pub(crate) program: String,
    /// What tmux calls the program itself.
    pub(crate) own: String,
    /// The session that it goes into, where there is one.
    pub(crate) session: Option<SessionId>,
    /// The pane of the run before, which goes once the new one is there.
    pub(crate) old: Option<PaneId>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Launched {
    pub(crate) session: SessionId,
    pub(crate) pane: PaneId,
    pub(crate) pid: u32,
}

impl Launched {
    /// Reads the last line of what tmux prints: session, pane and pid.
    pub(crate) fn read(said: &str) -> io::Result<Self> {
        let line = said.lines().last().unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        let mut word = || words.next().unwrap_or_default();
        let (session, pane, pid) = (word(), word(), word());
        let read = || {
            Some(Self {
                session: SessionId::parse(session.as_bytes())?,
                pane: PaneId::parse(pane.as_bytes())?,
                pid: pid.parse().ok()?,
            })
        };
        read().ok_or_else(|| io::Error::other(format!("tmux answers {line:?}")))
    }
}

impl Launch {
    /// Makes the pane, and the server where there is none. Nothing of it stands in an argument list,
    /// where others could read it.
    pub(crate) async fn start(&self) -> io::Result<Launched> {
        match self.make(self.session).await {
            // The session has gone since it was seen, perhaps with its server.
            Err(_) if self.session.is_some() => self.make(None).await,
            made => made,
        }
    }

    /// It is there once tmux has said where: what fails behind that, as where somebody was faster to
    /// close the old pane, is not to end what runs.
    async fn make(&self, session: Option<SessionId>) -> io::Result<Launched> {
        let script = self.script(session).map_err(io::Error::other)?;
        let said = source(&self.tmux, &starting(&self.socket), &script).await?;
        match Launched::read(&said.out) {
            Err(_) if said.failed => Err(io::Error::other(said.error)),
            read => read,
        }
    }

    /// The session of its name, and the pane in it that was made for this very instance.
    pub(crate) async fn left(&self) -> io::Result<Option<(SessionId, Option<PaneId>)>> {
        let ids = "#{session_id} #{pane_id} #{@cc_guardian} #{@cc_unit}";
        let list = Command::new("list-panes").flag("-s").option("-F", ids);
        let list = list.option("-t", format!("={}:", self.name));
        let said = self.tell(list.line().map_err(io::Error::other)?).await?;
        Ok(left(&said, &format!("{} {}", self.guardian, self.name)))
    }

    fn script(&self, session: Option<SessionId>) -> Result<Vec<u8>, CommandError> {
        let set = |flags: &[&str], name: &str, value: &str| {
            let command = Command::new("set-option");
            let command = flags
                .iter()
                .fold(command, |command, flag| command.flag(flag));
            command.arg(name).arg(value)
        };
        let lines = vec![
            set(&["-s"], "exit-empty", "off"),
            set(&["-g"], "history-limit", &self.history_limit.to_string()),
            set(&["-g"], "remain-on-exit", "on"),
            set(&["-g"], "allow-rename", "off"),
            set(&["-g"], "automatic-rename", "off"),
            // A server draws the status line of control clients too, which have none: for 50 of them
            // each 15 s, as is usual, that is a third of what it does for us.
            set(&["-g"], "status-interval", "60"),
        ];
        // Names of sessions are looked up by their beginnings, unless they are said to be whole.
        let place = session.map_or_else(|| format!("={}:", self.name), |id| format!("{id}:"));
        let make = match session {
            Some(_) => Command::new("new-window").option("-t", &place),
            None => Command::new("new-session")
                .flag("-d")
                .option("-s", literal(&self.name))
                .option("-x", SIZE.0.to_string())
                .option("-y", SIZE.1.to_string()),
        };
        let make = make
            .option("-n", literal(&self.name))
            .option("-c", literal(self.cwd.as_os_str().as_encoded_bytes()));
        // As one sequence, of which nothing is done behind what fails: what is said of the pane would else
        // be said of another, where none was made.
        let mut sequence = vec![self.with_program(make)];
        // What a session is made with, all its later windows would have: they are not the instance.
        let own = [MARK, "CC_UNIT", "CC_HOOK_TOKEN", "CC_GUARDIAN"];
        sequence.extend(own.map(|name| {
            let unset = Command::new("set-environment").option("-t", &place);
            unset.flag("-u").arg(name)
        }));
        for (option, value) in self.marks() {
            let mark = Command::new("set-option").flag("-p").option("-t", &place);
            sequence.push(mark.arg(option).arg(value));
        }
        let ids = "#{session_id} #{pane_id} #{pane_pid}";
        let say = Command::new("display-message")
            .flag("-p")
            .option("-t", &place);
        sequence.push(say.arg(ids));
        let mut script = script(&lines)?;
        for (n, command) in sequence.iter().enumerate() {
            script.extend_from_slice(if n == 0 { b"" } else { b" ; " });
            script.extend_from_slice(command.line()?);
        }
        script.push(b'\n');
        // Last, and in the same breath: a dead pane that is left would be taken for what became of it.
        if let Some(pane) = self.old {
            let kill = Command::new("kill-pane").target(pane);
            script.extend_from_slice(kill.line()?);
            script.push(b'\n');
        }
        Ok(script)
    }

    /// The command that makes its pane, with what is to run there.
    pub(crate) fn with_program(&self, make: Command) -> Command {
        let make = self.environment.iter().fold(make, |make, (name, value)| {
            make.option("-e", format!("{name}={value}"))
        });
        // The program is to know nothing of a server that it could write to.
        let words = ["/usr/bin/env", "-u", "TMUX", "-u", "TMUX_PANE", "--"];
        let words = words
            .into_iter()
            .chain(self.command.iter().map(String::as_str));
        words.fold(make.flag("--"), Command::arg)
    }

    /// The options of its pane, by which it is found again.
    pub(crate) fn marks(&self) -> [(&'static str, &str); 5] {
        [
            ("@cc_unit", &self.name),
            ("@cc_run", &self.run),
            ("@cc_guardian", &self.guardian),
            ("@cc_program", &self.program),
            ("@cc_own", &self.own),
        ]
    }

    async fn tell(&self, script: &[u8]) -> io::Result<String> {
        tell(&self.tmux, &self.socket, script).await
    }
}

/// Commands as the lines of a file for `source-file`.
pub(crate) fn script(commands: &[Command]) -> Result<Vec<u8>, CommandError> {
    let mut script = Vec::new();
    for command in commands {
        script.extend_from_slice(command.line()?);
        script.push(b'\n');
    }
    Ok(script)
}

/// The session whose panes are listed, and the pane that is marked as theirs.
fn left(listed: &str, whose: &str) -> Option<(SessionId, Option<PaneId>)> {
    let mut panes = listed.lines().filter_map(|line| {
        let mut words = line.splitn(3, ' ');
        let session = SessionId::parse(words.next()?.as_bytes())?;
        let pane = PaneId::parse(words.next()?.as_bytes())?;
        Some((session, pane, words.next()?.trim_start() == whose))
    });
    let first = panes.clone().next()?;
    let its = panes.find(|(.., its)| *its);
    Some((first.0, its.map(|(_, pane, _)| pane)))
}

/// What tmux said to a script.
struct Said {
    out: String,
    error: String,
    failed: bool,
}

impl Said {
    fn ok(self) -> io::Result<String> {
        if self.failed {
            return Err(io::Error::other(self.error));
        }
        Ok(self.out)
    }
}

/// Has tmux run commands, in a server that is started where there is none, and gives what it prints.
pub(crate) async fn tell(tmux: &Path, socket: &Path, script: &[u8]) -> io::Result<String> {
    source(tmux, &starting(socket), script).await?.ok()
}

/// The same in a server that is there; none is started.
pub(crate) async fn tell_there(tmux: &Path, socket: &Path, script: &[u8]) -> io::Result<String> {
    let arguments = ["-N".into(), "-S".into(), socket.into()];
    source(tmux, &arguments, script).await?.ok()
}

/// The arguments that start a server where there is none.
fn starting(socket: &Path) -> Vec<OsString> {
    let start = ["-f", "/dev/null", "start-server", ";"].map(OsString::from);
    [&["-S".into(), socket.into()], &start[..]].concat()
}

/// Has tmux read a script, behind these arguments.
async fn source(tmux: &Path, arguments: &[OsString], script: &[u8]) -> io::Result<Said> {
    let mut child = tokio::process::Command::new(tmux)
        .args(arguments)
        .args(["source-file", "-"])
        .env_remove("TMUX")
        .env_remove("TMUX_PANE")
        .env_remove(MARK)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(script).await?;
    }
    let output = child.wait_with_output().await?;
    let error = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Ok(Said {
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        // Errors of a sourced file do not always end in a status.
        failed: !output.status.success() || !error.is_empty(),
        error,
    })
}

/// Ends a session, window by window: ended as one, a session whose pane is dead and whose program
/// had asked to be told of the focus takes a server of tmux 3.3a with it while a control client is
/// attached there (8 of 8).
pub(crate) async fn end(tmux: &Path, socket: &Path, session: SessionId) -> io::Result<()> {
    let ask = |arguments: &[String]| {
        let mut command = tokio::process::Command::new(tmux);
        command.arg("-N").arg("-S").arg(socket).args(arguments);
        command.env_remove("TMUX").stdin(Stdio::null()).output()
    };
    let target = session.to_string();
    let list = ["list-windows", "-t", &target, "-F", "#{window_id}"].map(str::to_owned);
    let listed = ask(&list).await?;
    let windows = String::from_utf8_lossy(&listed.stdout).into_owned();
    for window in windows.lines() {
        ask(&["kill-window", "-t", window].map(str::to_owned)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_gone_on_with_and_only_a_pane_of_ours_is_taken_for_it() {
        let (session, pane) = (SessionId(1), PaneId(4));
        let whose = "g w@1";
        assert_eq!(left("", whose), None);
        assert_eq!(left("$1 %3  \n", whose), Some((session, None)));
        let listed = "$1 %3  \n$1 %4 g w@1\n$1 %5 h w@1\n";
        assert_eq!(left(listed, whose), Some((session, Some(pane))));
        assert_eq!(left("$1 %4 g w@12\n", whose), Some((session, None)));
    }
}
