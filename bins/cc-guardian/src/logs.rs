//! The logs of units, which cc-logger keeps.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use cc_kit::logs::{kept, output, program, selector};
use serde_json::Value;
use tokio::process::Command;

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
