//! Commands that show what the guardian knows: `ls`, `why`, `events`.

use std::io::{self, IsTerminal as _};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use cc_kit::ask::{members, word};
use cc_kit::exit::{Exit, Failure};
use cc_kit::stdout::{is_read, print};
use jiff::Timestamp;
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::ask::{PATIENCE, ask, next, open, places};
use crate::cli;
use crate::pick::Pick;
use crate::request::Request;
use crate::top::{Unit, fit, says, span, width};

/// How often shown ages are shown anew.
const AGES: Duration = Duration::from_secs(1);
/// Puts the cursor at the top and clears what is there.
const ANEW: &str = "\x1b[H\x1b[2J";

/// `blocked (permission)`.
fn state(of: &Value) -> String {
    let state = word(of, "state").unwrap_or_default();
    match word(of, "sub") {
        Some(sub) => format!("{state} ({sub})"),
        None => state,
    }
}

/// The units of a listing, each as it came and as it is read.
pub(crate) fn units(listing: &Value) -> Result<Vec<(&Value, Unit)>, Failure> {
    let read = |value| {
        let unit = Unit::deserialize(value).map_err(|error| {
            Failure::new(Exit::Unreachable, error).advice("Another guardian runs: restart it.")
        });
        Ok((value, unit?))
    };
    members(listing, "units").map(read).collect()
}

/// Lists the units.
pub(crate) fn ls(ls: &cli::Ls) -> Result<(), Failure> {
    let pick = Pick::read(&ls.units, &ls.labels, &ls.states)?;
    let shown = |listing: &Value| -> Result<String, Failure> {
        let units = units(listing)?;
        let all: Vec<Unit> = units.iter().map(|(_, unit)| unit.clone()).collect();
        pick.all_known(&all)?;
        let meant = units.into_iter().filter(|(_, unit)| pick.means(unit));
        if ls.json {
            let meant: Vec<&Value> = meant.map(|(value, _)| value).collect();
            return Ok(format!("{}\n", json!({"v": 1, "units": meant})));
        }
        let meant: Vec<Unit> = meant.map(|(_, unit)| unit).collect();
        Ok(table(&meant, Timestamp::now(), ls.absolute, columns()))
    };
    let places = places(&ls.state)?;
    if ls.watch {
        return watch(&Request::Watch, &places, ls.json, |answer| shown(answer));
    }
    print(&shown(&ask(&places, &Request::Ls, PATIENCE)?)?)
}

/// Shows each answer as it comes, in place of the one before where somebody looks at a terminal. Times
/// go on there.
pub(crate) fn watch(
    request: &Request,
    places: &crate::place::Places,
    json: bool,
    shown: impl Fn(&Value) -> Result<String, Failure>,
) -> Result<(), Failure> {
    let on_terminal = io::stdout().is_terminal() && !json;
    let mut lines = open(places, request, None)?;
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        loop {
            let answer = next(&mut lines);
            let is_last = !matches!(answer, Ok(Some(_)));
            if tell.send(answer).is_err() || is_last {
                return;
            }
        }
    });
    let mut last: Option<Value> = None;
    let mut is_first = true;
    loop {
        let patience = if on_terminal { AGES } else { Duration::MAX };
        match told.recv_timeout(patience) {
            Ok(answer) => match answer? {
                Some(answer) => last = Some(crate::ask::checked(answer)?),
                None => break,
            },
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        let Some(last) = &last else { continue };
        let mut text = shown(last)?;
        if on_terminal {
            text.insert_str(0, ANEW);
        } else if !json && !is_first {
            text.insert(0, '\n');
        }
        is_first = false;
        if !is_read(&text)? {
            return Ok(());
        }
    }
    Err(Failure::new(Exit::Unreachable, "the guardian has gone")
        .advice("Start it again: `cc-guardian up`."))
}

/// How wide what is printed may be: as the terminal, or as it likes.
pub(crate) fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(io::stdout());
    size.map_or(usize::MAX, |size| match size.ws_col {
        0 => usize::MAX,
        columns => columns.into(),
    })
}

/// The units as a table at most so wide.
fn table(units: &[Unit], now: Timestamp, absolute: bool, columns: usize) -> String {
    let head = ["UNIT", "STATE", "FOR", "PANE", "PID", "RE", "LAST LINE"];
    let mut rows = vec![head.map(str::to_owned)];
    for unit in units {
        let mut state = match &unit.sub {
            Some(sub) => format!("{} ({sub})", unit.state_word),
            None => unit.state_word.clone(),
        };
        if unit.pending.is_some() {
            state.push_str(", restart at idle");
        }
        let since = unit.since.map(|since| match absolute {
            true => since.to_string(),
            false => span(now.as_second() - since.as_second()),
        });
        rows.push([
            fit(&unit.unit, usize::MAX),
            fit(&state, 48),
            since.unwrap_or_else(|| "-".to_owned()),
            fit(unit.pane.as_deref().unwrap_or("-"), 12),
            unit.pid
                .map_or_else(|| "-".to_owned(), |pid| pid.to_string()),
            unit.restarts.to_string(),
            fit(&says(unit), usize::MAX),
        ]);
    }
    let mut widths = [0; 7];
    for row in &rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = width(cell).max(*widest);
        }
    }
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (index, (cell, wide)) in row.iter().zip(widths).enumerate() {
            let blank = " ".repeat(wide.saturating_sub(width(cell)));
            // Numbers stand under each other.
            line.push_str(&match index {
                2 | 4 | 5 => format!("{blank}{cell}  "),
                _ => format!("{cell}{blank}  "),
            });
        }
        text.push_str(fit(line.trim_end(), columns).trim_end());
        text.push('\n');
    }
    text
}

/// Says why.
pub(crate) fn why(why: &cli::Why) -> Result<(), Failure> {
    let places = places(&why.one.state)?;
    let shown = || -> Result<String, Failure> {
        let unit = why.one.unit.clone();
        let answer = ask(&places, &Request::Why { unit }, PATIENCE)?;
        Ok(match why.json {
            true => format!("{answer}\n"),
            false => format!("{}\n", reasons(&answer).join("\n")),
        })
    };
    if why.watch {
        return watch(&Request::Watch, &places, why.json, |_| shown());
    }
    print(&shown()?)
}

/// What a guardian answers to `why`, for people, one line an entry.
pub(crate) fn reasons(answer: &Value) -> Vec<String> {
    let unit = answer.get("unit").unwrap_or(&Value::Null);
    let mut first = format!(
        "{} is {}",
        word(unit, "unit").unwrap_or_default(),
        state(unit)
    );
    if let Some(sure) = unit.get("confidence").and_then(Value::as_f64) {
        first.push_str(&format!(", {:.0}% sure", sure * 100.0));
    }
    if let Some(since) = word(unit, "since") {
        first.push_str(&format!(", since {since}"));
    }
    let mut lines = vec![first];
    lines.extend(word(unit, "held").map(|why| format!("  held: {why}")));
    lines.extend(members(unit, "evidence").map(|proof| {
        let word = |name| word(proof, name).unwrap_or_default();
        format!("  {} by {}: {}", word("seen"), word("rule"), word("text"))
    }));
    lines.extend(crate::answer::waits(unit));
    lines.extend(word(unit, "waits").map(|why| format!("  it waits: {why}")));
    lines.extend(word(unit, "pending").map(|why| format!("  at idle it starts anew: {why}")));
    lines.extend(members(answer, "events").map(told));
    lines
}

/// One event, for people.
fn told(event: &Value) -> String {
    let word = |name: &str| word(event, name).unwrap_or_default();
    let line = format!(
        "{} {:<16} {:<6} {} {}",
        word("at"),
        word("unit"),
        word("kind"),
        state(event),
        word("detail")
    );
    line.trim_end().to_owned()
}

/// Lists what happened.
pub(crate) fn events(events: &cli::Events) -> Result<(), Failure> {
    let places = places(&events.state)?;
    let request = Request::Events {
        unit: events.unit.clone(),
        most: events.lines,
        follow: events.follow,
    };
    let text = |event: &Value| match events.json {
        true => format!("{event}\n"),
        false => format!("{}\n", told(event)),
    };
    if !events.follow {
        let answer = ask(&places, &request, PATIENCE)?;
        let all: String = members(&answer, "events").map(text).collect();
        return print(&all);
    }
    let mut lines = open(&places, &request, None)?;
    while let Some(event) = next(&mut lines)? {
        if !is_read(&text(&event))? {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::demo;

    #[test]
    fn a_table_is_no_wider_than_asked_and_holds_nothing_that_drives_a_terminal() {
        let units = demo::listing(40, 0, demo::START).units;
        for columns in [20, 80, 200] {
            let text = table(&units, demo::START, false, columns);
            assert_eq!(text.lines().count(), 41);
            assert!(text.lines().all(|line| width(line) <= columns), "{text}");
            assert!(!text.contains(['\x1b', '\u{202e}', '\u{7}']), "{text}");
        }
    }

    #[test]
    fn columns_stand_under_each_other() {
        let units = demo::listing(40, 0, demo::START).units;
        let text = table(&units, demo::START, true, usize::MAX);
        let at = |line: &str| line.find('%').or_else(|| line.find("PANE"));
        let places: Vec<_> = text.lines().map(at).collect();
        assert!(places.windows(2).all(|two| two[0] == two[1]), "{text}");
        assert!(text.contains("blocked (permission)"), "{text}");
        assert!(text.contains("2026-11-26T13:59:57Z"), "{text}");
    }

    #[test]
    fn reasons_are_lines_for_people() {
        let answer = json!({"v": 1, "unit": {
            "unit": "w@1", "state": "idle", "sub": null, "confidence": 0.85,
            "since": "2026-11-26T14:00:00Z",
            "evidence": [{"rule": "prompt", "seen": "screen", "text": "\u{1b}[2J>"}],
        }, "events": [{
            "at": "2026-11-26T14:00:00Z", "unit": "w@1", "kind": "end", "state": "dead",
            "sub": "exit 7", "detail": "exit 7",
        }]});
        assert_eq!(
            reasons(&answer),
            [
                "w@1 is idle, 85% sure, since 2026-11-26T14:00:00Z",
                "  screen by prompt: \\x1b[2J>",
                "2026-11-26T14:00:00Z w@1              end    dead (exit 7) exit 7",
            ]
        );
    }
}
