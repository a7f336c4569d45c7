//! `adopt`: a pane in any tmux server becomes a unit.

use std::env;
use std::path::PathBuf;

use cc_kit::exit::{Exit, Failure};
use cc_kit::stdout::print;
use serde_json::Value;

use crate::ask::{PATIENCE, absolute, ask, ensure, places};
use crate::cli;
use crate::request::{Adopt, Request};

/// Has a pane adopted.
pub(crate) fn adopt(adopt: &cli::Adopt) -> Result<(), Failure> {
    let socket = absolute(adopt.socket.as_deref())?.unwrap_or_else(socket);
    if !socket.exists() {
        let error = format!("there is no tmux server at {}", socket.display());
        return Err(Failure::new(Exit::Unreachable, error)
            .advice("Name its socket with -S: `tmux display-message -p '#{socket_path}'`."));
    }
    let places = places(&adopt.state)?;
    ensure(&places)?;
    let request = Request::Adopt(Adopt {
        pane: adopt.pane.clone(),
        socket,
        name: adopt.name.clone(),
        profile: adopt.profile.clone(),
        command: adopt.command.clone(),
    });
    let answer = ask(&places, &request, PATIENCE)?;
    let word = |name: &str| answer.get(name).and_then(Value::as_str);
    let unit = word("unit").unwrap_or_default();
    let read = match word("profile") {
        Some(profile) => format!("read as {profile}"),
        None => "its process is watched; name a --profile to have its screen read".to_owned(),
    };
    let then = match answer.get("again") {
        Some(Value::Bool(true)) => "what ends is started again by its policy",
        _ => "what ends is not started again: no command was given",
    };
    print(&format!("{unit}: adopted; {read}; {then}\n"))
}

/// The server that this terminal is in, else tmux's own.
fn socket() -> PathBuf {
    let ours = env::var("TMUX").ok();
    let ours = ours.as_deref().and_then(|it| it.split(',').next());
    if let Some(ours) = ours.filter(|ours| !ours.is_empty()) {
        return ours.into();
    }
    let folder = env::var_os("TMUX_TMPDIR").filter(|folder| !folder.is_empty());
    let folder = folder.map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
    let user = rustix::process::getuid().as_raw();
    folder.join(format!("tmux-{user}")).join("default")
}
