//! The table of format variables is what servers know, each by the kind of value that it says.

use std::collections::BTreeMap;

use harness::server::{Boot, Server};
use harness::skip_if_asked;
use harness::wait::{PATIENCE, until_async};
use tmux_cc::format::{Context, Kind, VARIABLES, Variable};
use tmux_cc::wire::{Layout, PaneId, SessionId, Version, WindowId};

use super::support::attached;

/// Columns of tables that the server makes up as it prints, and arguments of hooks: names without end.
const MADE_UP: [&str; 2] = ["hook_argument_", "hook_flag_"];

/// Everything that a target's format tree holds.
fn tree(server: &Server, target: &str) -> BTreeMap<String, String> {
    let printed = server.answer(["display-message", "-a", "-p", "-t", target]);
    let pairs = printed.lines().filter_map(|line| line.split_once('='));
    pairs
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

fn reads(kind: Kind, value: &str) -> bool {
    let bytes = value.as_bytes();
    match kind {
        Kind::SessionId => SessionId::parse(bytes).is_some(),
        Kind::WindowId => WindowId::parse(bytes).is_some(),
        Kind::PaneId => PaneId::parse(bytes).is_some(),
        Kind::Flag => matches!(value, "0" | "1" | ""),
        Kind::Number | Kind::Time => value.parse::<u64>().is_ok(),
        Kind::Signed => value.parse::<i64>().is_ok(),
        // JSON, for who is no control client, from 3.8.
        Kind::Layout => Layout::parse(bytes).is_ok() || value.starts_with('{'),
        _ => true,
    }
}

/// Passes when every variable that the server tells of panes, sessions and clients is in the table, as
/// one that this version has, with a value of its kind; and every one that the table says it has is
/// told of.
#[tokio::test]
async fn the_table_is_what_the_server_knows() {
    skip_if_asked!();
    let server = Server::start_with(&Boot::running(["cat", "-"]));
    server.tmux(["set-option", "-g", "remain-on-exit", "on"]);
    server.tmux(["new-session", "-d", "-s", "other", "-t", "main"]);
    for program in ["exit 3", "kill -9 $$", "cat"] {
        server.tmux(["new-window", "-d", "-t", "=main:", program]);
    }
    server.tmux(["split-window", "-d", "-t", "%0", "cat"]);
    server.tmux(["copy-mode", "-t", "%0"]);
    let (_client, _events, _driver) = attached(&server).await;
    until_async(PATIENCE, "two that have died", async || {
        let dead = server.answer(["list-panes", "-a", "-F", "#{pane_dead}"]);
        dead.lines().filter(|dead| *dead == "1").count() >= 2
    })
    .await;
    let version = Version::parse(server.version().as_bytes()).unwrap();
    let panes = server.answer(["list-panes", "-a", "-F", "#{pane_id}"]);
    let mut told = BTreeMap::<String, Vec<String>>::new();
    for pane in panes.lines() {
        for (name, value) in tree(&server, pane) {
            told.entry(name).or_default().push(value);
        }
    }
    let mut wrong = Vec::new();
    for (name, values) in &told {
        if MADE_UP.iter().any(|made_up| name.starts_with(made_up)) {
            continue;
        }
        let Some(variable) = Variable::named(name) else {
            wrong.push(format!("{name} is not in the table: {values:?}"));
            continue;
        };
        if !variable.known_to(version) {
            wrong.push(format!("{name} is known already, or still"));
        }
        for value in values {
            let empty = value.is_empty() && variable.empty;
            if !(empty || reads(variable.kind, value)) {
                wrong.push(format!("{name} is {:?}: {value:?}", variable.kind));
            }
        }
    }
    let here = [
        Context::Any,
        Context::Session,
        Context::Window,
        Context::Pane,
    ];
    for variable in VARIABLES {
        let owed = here.contains(&variable.context) && variable.known_to(version);
        // One that may be missing from the tree altogether is asked for below.
        if owed && !variable.empty && !told.contains_key(variable.name) {
            wrong.push(format!("{} is not known", variable.name));
        }
    }
    assert!(wrong.is_empty(), "tmux {version}: {wrong:#?}");
    assert!(told.len() > 100, "{} are told", told.len());
}
