//! `ls`: the panes in a directory of logs.

use std::path::{Path, PathBuf};

use cc_kit::exit::{Exit, Failure};
use cc_kit::journal::note::{End, Place, ProgramExit, Server, Size, Source};
use cc_kit::journal::{PaneLog, live_writer, panes};
use cc_kit::printable::printable;
use cc_kit::stdout::print;
use serde::Serialize;

use super::said::source;
use crate::cli::Ls;
use crate::config;
use crate::select::Selector;
use crate::shown;

/// The journal of one pane, and what is in it.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) pane: u32,
    pub(crate) socket: String,
    pub(crate) server: Option<Server>,
    pub(crate) unit: Option<String>,
    pub(crate) place: Option<Place>,
    pub(crate) bytes: u64,
    pub(crate) gaps: u64,
    /// Bytes missing in those whose size is known.
    pub(crate) lost: u64,
    /// Secrets that were taken out.
    pub(crate) redacted: u64,
    pub(crate) source: Option<Source>,
    pub(crate) exit: Option<ProgramExit>,
    pub(crate) size: Option<Size>,
    /// Wall times, in nanoseconds since the epoch.
    pub(crate) first: Option<i64>,
    pub(crate) last: Option<i64>,
    pub(crate) state: State,
    pub(crate) segments: Vec<PathBuf>,
}

/// How a journal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// It is being written.
    Live,
    /// The pane is gone.
    Ended,
    /// The server is gone.
    ServerGone,
    /// The logger was stopped in order.
    Stopped,
    /// The logger was killed; the next run says so in the log.
    Cut,
}

impl State {
    const fn words(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Ended => "ended",
            Self::ServerGone => "server gone",
            Self::Stopped => "stopped",
            Self::Cut => "cut",
        }
    }
}

impl Found {
    pub(crate) fn new(log: PaneLog, live: bool) -> Self {
        let (summary, errors) = log.summary();
        for error in errors {
            let _ = Failure::from(error).report();
        }
        let server = summary
            .start
            .as_ref()
            .map(|start| start.server.clone())
            .or(log.server);
        let state = match &summary.ended {
            None if live => State::Live,
            None => State::Cut,
            Some(End::Stopped) => State::Stopped,
            Some(End::ServerGone { .. }) => State::ServerGone,
            Some(_) => State::Ended,
        };
        Self {
            pane: log.pane,
            socket: server
                .as_ref()
                .map(|server| server.socket.clone())
                .unwrap_or_default(),
            server,
            unit: summary.start.and_then(|start| start.unit),
            place: summary.place,
            bytes: summary.output,
            gaps: summary.gaps,
            lost: summary.lost,
            redacted: summary.redacted,
            source: summary.source,
            exit: summary.exit,
            size: summary.size,
            first: summary.first.map(|stamp| stamp.wall_ns),
            last: summary.last.map(|stamp| stamp.wall_ns),
            state,
            segments: log.segments,
        }
    }

    /// Is it meant?
    pub(crate) fn is_meant(&self, selector: &Selector) -> bool {
        let (place, unit) = (self.place.as_ref(), self.unit.as_deref());
        selector.means(&self.socket, self.pane, place, unit)
    }

    /// The window and the pane in it, for people: `2:build.1`.
    pub(crate) fn window(&self) -> String {
        self.place
            .as_ref()
            .filter(|place| !place.window_name.is_empty())
            .map_or_else(
                || "?".to_owned(),
                |place| {
                    let name = printable(place.window_name.as_bytes());
                    format!("{}:{name}.{}", place.window_index, place.pane_index)
                },
            )
    }

    pub(crate) fn session(&self) -> String {
        self.place
            .as_ref()
            .filter(|place| !place.session.is_empty())
            .map_or_else(
                || "?".to_owned(),
                |place| printable(place.session.as_bytes()).to_string(),
            )
    }

    /// How it stands, and how its program ended.
    fn state_in_words(&self) -> String {
        let words = self.state.words();
        match &self.exit {
            Some(ProgramExit {
                signal: Some(signal),
                ..
            }) => format!("{words} (signal {})", printable(signal.as_bytes())),
            Some(ProgramExit {
                status: Some(status),
                ..
            }) => format!("{words} ({status})"),
            _ => words.to_owned(),
        }
    }

    /// How to name it so that no other is meant: `SOCKET,%3`.
    pub(crate) fn name(&self) -> String {
        format!("{},%{}", printable(self.socket.as_bytes()), self.pane)
    }
}

/// Every journal in a directory, by the start of its server, then by pane.
pub(crate) fn find(dir: &Path) -> Result<Vec<Found>, Failure> {
    let listing = panes(dir)?;
    for error in listing.unreadable {
        let _ = Failure::from(error).report();
    }
    let live = live_writer(dir).ok().flatten().is_some();
    Ok(listing
        .panes
        .into_iter()
        .map(|log| Found::new(log, live))
        .collect())
}

/// Prints the list.
pub(crate) fn list(ls: &Ls) -> Result<(), Failure> {
    let found = find(&config::directory(ls.dir.dir.as_deref())?)?;
    let text = if ls.json {
        format!("{}\n", json(&found)?)
    } else {
        table(&found)
    };
    print(&text)
}

/// A row of `ls --json`.
#[derive(Serialize)]
struct Row<'a> {
    pane: String,
    session: Option<&'a str>,
    window_index: Option<u32>,
    window_name: Option<&'a str>,
    pane_index: Option<u32>,
    unit: Option<&'a str>,
    bytes: u64,
    gaps: u64,
    gap_bytes: u64,
    redacted: u64,
    source: Option<Source>,
    exit: Option<&'a ProgramExit>,
    cols: Option<u32>,
    rows: Option<u32>,
    first: Option<String>,
    last: Option<String>,
    state: State,
    server: Option<&'a Server>,
}

/// All of `ls --json`.
#[derive(Serialize)]
struct Rows<'a> {
    v: u32,
    panes: Vec<Row<'a>>,
}

/// The list as JSON.
pub(crate) fn json(found: &[Found]) -> Result<serde_json::Value, Failure> {
    let panes = found
        .iter()
        .map(|found| {
            let place = found.place.as_ref();
            Row {
                pane: format!("%{}", found.pane),
                session: place.map(|place| &*place.session),
                window_index: place.map(|place| place.window_index),
                window_name: place.map(|place| &*place.window_name),
                pane_index: place.map(|place| place.pane_index),
                unit: found.unit.as_deref(),
                bytes: found.bytes,
                gaps: found.gaps,
                gap_bytes: found.lost,
                redacted: found.redacted,
                source: found.source,
                exit: found.exit.as_ref(),
                cols: found.size.map(|size| size.cols),
                rows: found.size.map(|size| size.rows),
                first: found.first.and_then(shown::rfc3339),
                last: found.last.and_then(shown::rfc3339),
                state: found.state,
                server: found.server.as_ref(),
            }
        })
        .collect();
    serde_json::to_value(Rows { v: 1, panes }).map_err(|error| Failure::new(Exit::Failed, error))
}

fn table(found: &[Found]) -> String {
    let heads = [
        "PANE", "SESSION", "WINDOW", "BYTES", "GAPS", "FIRST", "LAST", "STATE", "SOURCE", "SERVER",
    ];
    let mut rows = vec![heads.map(str::to_owned)];
    rows.extend(found.iter().map(|found| {
        let time = |at: Option<i64>| at.map_or_else(|| "?".to_owned(), shown::local);
        [
            format!("%{}", found.pane),
            found.session(),
            found.window(),
            found.bytes.to_string(),
            found.gaps.to_string(),
            time(found.first),
            time(found.last),
            found.state_in_words(),
            found.source.map_or("?", source).to_owned(),
            printable(found.socket.as_bytes()).to_string(),
        ]
    }));
    let mut widths = heads.map(str::len);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
