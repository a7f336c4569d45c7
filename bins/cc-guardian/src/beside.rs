//! The windows beside a unit's own: made when they are missing, and never guarded.

use std::io;
use std::path::PathBuf;

use tmux_cc::protocol::Command;
use tmux_cc::protocol::commands::literal;
use tmux_cc::wire::{SessionId, WindowId};

use crate::config::Window;
use crate::group::{script, tell};

/// The variable that marks the processes of such windows: they go with the unit, and not with each of
/// its runs.
pub(crate) const MARK: &str = "CC_BESIDE";
/// The option of a window that says which of these it is: people may rename it.
const OPTION: &str = "@cc_window";

/// The windows beside one instance.
#[derive(Clone, Debug)]
pub(crate) struct Beside {
    pub(crate) tmux: PathBuf,
    pub(crate) socket: PathBuf,
    /// What marks their processes.
    pub(crate) mark: String,
    pub(crate) windows: Vec<Window>,
}

impl Beside {
    /// Makes those that are missing in a session, and those anew whose programs have ended. Gives the
    /// names of those that it has made.
    pub(crate) async fn make(&self, session: SessionId) -> io::Result<Vec<String>> {
        if self.windows.is_empty() {
            return Ok(Vec::new());
        }
        let list = Command::new("list-panes").flag("-s");
        let list = list.option("-t", session.to_string());
        let list = list.option("-F", format!("#{{window_id}} #{{pane_dead}} #{{{OPTION}}}"));
        let listed = self.tell(&[list]).await?;
        let mut made = Vec::new();
        for window in &self.windows {
            let (alive, dead) = found(&listed, &window.name);
            if alive {
                continue;
            }
            let new = self.tell(&[self.window(session, window)]).await?;
            let id = new.lines().last().unwrap_or_default();
            let id = WindowId::parse(id.as_bytes())
                .ok_or_else(|| io::Error::other(format!("tmux answers {id:?}")))?;
            let name = Command::new("set-option").flag("-w");
            let name = name.option("-t", id.to_string());
            let mut then = vec![name.arg(OPTION).arg(&window.name)];
            then.extend(dead.iter().map(|window| {
                let kill = Command::new("kill-window");
                kill.option("-t", window.to_string())
            }));
            self.tell(&then).await?;
            made.push(window.name.clone());
        }
        Ok(made)
    }

    /// Behind the others, and without anybody being taken to it.
    fn window(&self, session: SessionId, window: &Window) -> Command {
        let new = Command::new("new-window")
            .flag("-d")
            .flag("-P")
            .option("-F", "#{window_id}")
            .option("-t", format!("{session}:"))
            .option("-n", literal(&window.name))
            .option("-c", literal(window.cwd.as_os_str().as_encoded_bytes()))
            .option("-e", format!("{MARK}={}", self.mark));
        if window.command.is_empty() {
            return new;
        }
        window.command.iter().fold(new.flag("--"), Command::arg)
    }

    async fn tell(&self, commands: &[Command]) -> io::Result<String> {
        let script = script(commands).map_err(io::Error::other)?;
        tell(&self.tmux, &self.socket, &script).await
    }
}

/// Whether a window of that name is there with a living program in it, and those where all have ended.
fn found(listed: &str, name: &str) -> (bool, Vec<WindowId>) {
    let (mut alive, mut dead) = (Vec::new(), Vec::new());
    for line in listed.lines() {
        let mut words = line.splitn(3, ' ');
        let id = words.next().and_then(|id| WindowId::parse(id.as_bytes()));
        let (ended, of) = (words.next(), words.next());
        let Some(id) = id.filter(|_| of == Some(name)) else {
            continue;
        };
        if ended == Some("1") {
            dead.push(id);
        } else {
            alive.push(id);
        }
    }
    dead.retain(|id| !alive.contains(id));
    dead.dedup();
    (!alive.is_empty(), dead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_there_while_anything_lives_in_it() {
        let listed = "@1 0 \n@2 1 log\n@2 0 log\n@3 1 shell\n@4 1 log\n@5 0 shell2\n";
        assert_eq!(found(listed, "log"), (true, vec![WindowId(4)]));
        assert_eq!(found(listed, "shell"), (false, vec![WindowId(3)]));
        assert_eq!(found(listed, "shell2"), (true, Vec::new()));
        assert_eq!(found(listed, "none"), (false, Vec::new()));
        assert_eq!(found("", "log"), (false, Vec::new()));
    }
}
