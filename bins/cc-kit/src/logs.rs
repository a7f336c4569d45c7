//! The logs of panes, as `cc-logger` keeps them: found and read through the program itself, which alone
//! knows how they are laid out.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

/// How long it may take to find a log, or to print one.
const PATIENCE: Duration = Duration::from_secs(10);

/// A log that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Is it being written?
    pub live: bool,
}

/// What cc-logger keeps of a pane; `None` where that is nothing.
///
/// # Errors
/// One line where it cannot be asked.
pub async fn kept(socket: &str, pane: &str) -> Result<Option<Kept>, String> {
    let text = output(&["ls", "--json"]).await?;
    let listed = serde_json::from_str(&text).map_err(|error| format!("cc-logger ls: {error}"))?;
    Ok(found(&listed, socket, pane))
}

fn found(listed: &Value, socket: &str, pane: &str) -> Option<Kept> {
    let is = |log: &Value, at, value| log.pointer(at).and_then(Value::as_str) == Some(value);
    let logs = listed.get("panes")?.as_array()?.iter();
    let logs = logs.filter(|log| is(log, "/server/socket", socket) && is(log, "/pane", pane));
    logs.map(|log| Kept {
        live: is(log, "/state", "live"),
    })
    .max_by_key(|kept| kept.live)
}

/// What `cc-logger` prints.
///
/// # Errors
/// One line where it cannot be started, fails, or takes longer than ten seconds.
pub async fn output(arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(program());
    command
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = match timeout(PATIENCE, command.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => {
            return Err(format!(
                "cc-logger, which keeps logs, cannot be started: {error}"
            ));
        }
        Err(_) => return Err("cc-logger does not answer".to_owned()),
    };
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim_start_matches("error: ").trim_end();
    Err(format!("cc-logger: {}", said.replacen('\n', ". ", 1)))
}

/// The one beside this program, else the one on the path.
#[must_use]
pub fn program() -> PathBuf {
    let beside = std::env::current_exe().ok();
    let beside = beside.map(|this| this.with_file_name("cc-logger"));
    beside
        .filter(|path| path.exists())
        .unwrap_or_else(|| Path::new("cc-logger").to_owned())
}

/// That pane on that server alone, as cc-logger's selectors say it.
#[must_use]
pub fn selector(socket: &str, pane: &str) -> String {
    let mut glob = String::new();
    for char in socket.chars() {
        match char {
            '*' | '?' | '[' | ']' | '{' | '}' | '!' => glob.push_str(&format!("[{char}]")),
            '\\' => glob.push_str("\\\\"),
            char => glob.push(char),
        }
    }
    format!("{glob},{pane}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pane_is_named_with_its_server() {
        assert_eq!(selector("/run/a/g", "%3"), "/run/a/g,%3");
        assert_eq!(selector("/r[1]/*", "%3"), "/r[[]1[]]/[*],%3");
    }

    #[test]
    fn a_log_is_of_one_pane_of_one_server() {
        let listed = json!({"panes": [
            {"server": {"socket": "/a"}, "pane": "%1", "state": "closed"},
            {"server": {"socket": "/a"}, "pane": "%1", "state": "live"},
            {"server": {"socket": "/b"}, "pane": "%1", "state": "live"},
            {"server": {"socket": "/a"}, "pane": "%2", "state": "closed"},
        ]});
        assert_eq!(found(&listed, "/a", "%1"), Some(Kept { live: true }));
        assert_eq!(found(&listed, "/a", "%2"), Some(Kept { live: false }));
        assert_eq!(found(&listed, "/b", "%2"), None);
        assert_eq!(found(&json!({"v": 1}), "/a", "%1"), None);
    }
}
