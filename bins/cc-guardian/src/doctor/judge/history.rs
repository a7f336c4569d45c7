//! What servers keep in memory.

use crate::doctor::facts::{Alive, Answer, Facts, Pane, Server};
use cc_kit::doctor::{Finding, Level};

use cc_kit::doctor::{bytes, safe};

/// What a pane may keep without a word: a full-width line of coloured text takes about a kilobyte,
/// and cc-guardian's own limit is 5000 lines.
const MUCH_FOR_A_PANE: u64 = 20 << 20;
/// What a server may use.
const MUCH_FOR_A_SERVER: u64 = 512 << 20;
/// A limit that is no longer usual.
const LONG: u64 = 10_000;
/// What a line of 187 coloured columns took (measured: 51.6 MB for 50,000).
const BYTES_A_LINE: u64 = 1032;
/// How many panes are named.
const NAMED: usize = 5;

pub(super) fn judge(facts: &Facts, findings: &mut Vec<Finding>) {
    for server in &facts.servers {
        if let Answer::Alive(alive) = &server.answer {
            findings.extend(kept(server, alive));
            findings.extend(limits(server, alive));
        }
    }
}

/// How much is kept, by the largest panes.
fn kept(server: &Server, alive: &Alive) -> Option<Finding> {
    if alive.panes.is_empty() {
        return None;
    }
    let all = alive.panes.iter();
    let sum = all
        .clone()
        .fold(0_u64, |sum, pane| sum.saturating_add(pane.history_bytes));
    let is_much = all
        .clone()
        .any(|pane| pane.history_bytes >= MUCH_FOR_A_PANE)
        || alive
            .memory
            .is_some_and(|memory| memory >= MUCH_FOR_A_SERVER);
    let mut panes: Vec<&Pane> = all.collect();
    panes.sort_by_key(|pane| std::cmp::Reverse(pane.history_bytes));
    let named: Vec<_> = panes
        .iter()
        .take(NAMED)
        .map(|pane| {
            let (id, lines) = (safe(&pane.id), pane.history_lines);
            format!("{id} {} in {lines} lines", bytes(pane.history_bytes))
        })
        .collect();
    let more = match panes.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let memory = alive.memory.map_or_else(String::new, |memory| {
        format!(", the server uses {}", bytes(memory))
    });
    let what = format!(
        "Panes on {} keep {} of history ({}{more}){memory}.",
        safe(&server.socket),
        bytes(sum),
        named.join(", ")
    );
    Some(if is_much {
        Finding::warning(
            "history",
            what,
            "It is one process: when the system ends it for its memory, every session ends with it.",
            "Clear it with clear-history, set a lower history-limit for new panes, and let cc-logger \
             keep the text.",
        )
    } else {
        Finding::new(Level::Ok, "history", what, "", "")
    })
}

/// Panes that may keep much, and do not yet.
fn limits(server: &Server, alive: &Alive) -> Option<Finding> {
    let long = alive.panes.iter().filter(|pane| pane.history_limit > LONG);
    let count = long.clone().count();
    let limit = long.map(|pane| pane.history_limit).max()?;
    let most = bytes(limit.saturating_mul(BYTES_A_LINE));
    Some(Finding::note(
        "history",
        format!(
            "{count} of the panes on {} may keep up to {limit} lines.",
            safe(&server.socket)
        ),
        format!("A pane that is full of coloured text then takes about {most} in the server."),
        "Set history-limit to 5000; that counts for panes that are made after it.",
    ))
}
