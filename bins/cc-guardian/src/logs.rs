//! The logs of units, which cc-logger keeps.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

use crate::ask;
use crate::place::Places;
use crate::request::Request;
use crate::top::Event;
use crate::watch::one_line;

/// How long it may take to find a log.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many lines of before are shown.
const LINES: &str = "1000";

/// Gives the terminal to `cc-logger follow` where the unit's pane is logged now; where it was, what was
/// kept of it is a page to read.
pub(crate) async fn show(places: Arc<Places>, unit: String) -> Event {
    let asked =
        tokio::task::spawn_blocking(move || ask::ask(&places, &Request::Ls, PATIENCE)).await;
    let listing = match asked {
        Ok(Ok(listing)) => listing,
        Ok(Err(failure)) => return Event::Failed(one_line(&failure)),
        Err(error) => return Event::Failed(error.to_string()),
    };
    let Some((socket, pane)) = pane_of(&listing, &unit) else {
        return Event::Failed(format!(
            "{unit} has no pane now: see `cc-logger ls` for old logs"
        ));
    };
    let kept = match kept(&socket, &pane).await {
        Ok(Some(kept)) => kept,
        Ok(None) => {
            return Event::Failed(format!(
                "there is no log of {unit}: `cc-logger run --all-groups` keeps one from then on"
            ));
        }
        Err(why) => return Event::Failed(why),
    };
    let selector = selector(&socket, &pane);
    if !kept.live {
        return match output(&["cat", &selector]).await {
            Ok(text) => Event::Page {
                title: format!("log of {unit}, which is no longer written"),
                lines: text.lines().map(str::to_owned).collect(),
            },
            Err(why) => Event::Failed(why),
        };
    }
    println!("The log of {unit}; ctrl-c goes back.");
    let mut command = Command::new(program());
    command.args(["follow", "-n", LINES, &selector]);
    match command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await
    {
        // A signal is how it ends.
        Ok(status) if status.success() || status.code().is_none_or(|code| code == 130) => {
            Event::Said(format!("back from the log of {unit}"))
        }
        Ok(status) => Event::Failed(format!("cc-logger: {status}")),
        Err(error) => Event::Failed(format!("cc-logger: {error}")),
    }
}

/// The socket and the pane of a unit.
fn pane_of(listing: &Value, unit: &str) -> Option<(String, String)> {
    let mut units = listing.get("units")?.as_array()?.iter();
    let unit = units.find(|it| it.get("unit").and_then(Value::as_str) == Some(unit))?;
    let text = |name| unit.get(name)?.as_str().map(str::to_owned);
    Some((text("socket")?, text("pane")?))
}

/// A log that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kept {
    /// Is it being written?
    live: bool,
}

/// What cc-logger keeps of a pane.
async fn kept(socket: &str, pane: &str) -> Result<Option<Kept>, String> {
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

/// What it prints.
async fn output(arguments: &[&str]) -> Result<String, String> {
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
fn program() -> PathBuf {
    let beside = std::env::current_exe().ok();
    let beside = beside.map(|this| this.with_file_name("cc-logger"));
    beside
        .filter(|path| path.exists())
        .unwrap_or_else(|| Path::new("cc-logger").to_owned())
}

/// That pane on that server alone, as cc-logger's selectors say it.
fn selector(socket: &str, pane: &str) -> String {
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
    use super::*;
    use serde_json::json;

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
