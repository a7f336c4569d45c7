//! Commands that show what is there: `status`, `why`, `log`, and lists.
//!
//! | Room | In it |
//! |---|---|
//! | `query` | which tasks are meant |
//! | `table` | columns that stand under each other |
//! | `rows` | tasks, workers, groups and accounts as rows |

mod query;
mod rows;
mod table;

use std::io::{self, IsTerminal as _};

use cc_kit::ask::{members, word};
use cc_kit::exit::Failure;
use cc_kit::stdout::{is_read, print};
use jiff::Timestamp;
use serde_json::Value;

use crate::ask::{Place, gone};
use crate::cli;
use crate::request::{One, Request};
use crate::store::Query;
use crate::task::State;

/// Puts the cursor at the top and clears what is there.
const ANEW: &str = "\x1b[H\x1b[2J";

/// Lists tasks, and how many there are.
pub(crate) fn status(status: &cli::Status) -> Result<(), Failure> {
    let query = query::read(&status.query, &status.labels)?;
    let place = Place::find(&status.state)?;
    let shown = |answer: &Value| match status.json {
        true => format!("{answer}\n"),
        false => rows::status(answer, Timestamp::now(), status.absolute, table::columns()),
    };
    if !status.watch {
        return print(&shown(&place.ask(&Request::Status(query))?));
    }
    let on_terminal = io::stdout().is_terminal() && !status.json;
    let mut lines = place.open(&Request::Watch(query), None)?;
    let mut is_first = true;
    while let Some(answer) = lines.next_line()? {
        let mut text = shown(&cc_kit::ask::checked(answer)?);
        if on_terminal {
            text.insert_str(0, ANEW);
        } else if !status.json && !is_first {
            text.insert(0, '\n');
        }
        is_first = false;
        if !is_read(&text)? {
            return Ok(());
        }
    }
    Err(gone())
}

/// Lists dead letters.
pub(crate) fn dead(listing: &cli::Listing) -> Result<(), Failure> {
    let query = Query {
        states: vec![State::Dead, State::Failed],
        ..Query::default()
    };
    let answer = Place::find(&listing.state)?.ask(&Request::Status(query))?;
    if listing.json {
        return print(&format!("{answer}\n"));
    }
    let now = Timestamp::now();
    print(&rows::tasks(&answer, now, false, table::columns()))
}

/// Says why a task is in its state.
pub(crate) fn why(one: &cli::One) -> Result<(), Failure> {
    let request = Request::Why(One {
        task: one.id.clone(),
    });
    let answer = Place::find(&one.state)?.ask(&request)?;
    if one.json {
        return print(&format!("{answer}\n"));
    }
    print(&format!("{}\n", reasons(&answer).join("\n")))
}

/// What is answered to `why`, for people, one line an entry.
fn reasons(answer: &Value) -> Vec<String> {
    let task = answer.get("task").unwrap_or(&Value::Null);
    let mut lines = vec![crate::wait::in_words(task)];
    let texts = members(answer, "reasons").filter_map(|reason| word(reason, "text"));
    lines.extend(texts.map(|text| format!("  {text}")));
    lines.extend(members(answer, "events").map(event));
    lines
}

/// One event, for people.
pub(crate) fn event(event: &Value) -> String {
    let word = |name: &str| word(event, name).unwrap_or_default();
    let attempt = match word("attempt") {
        number if number.is_empty() => number,
        number => format!("#{number}"),
    };
    let at = word("at");
    let at = match at.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => at,
    };
    let line = format!(
        "{:<20} {} {:<3} {:<10} {}",
        at,
        word("task"),
        attempt,
        word("kind"),
        word("detail")
    );
    line.trim_end().to_owned()
}

/// Lists what happened to a task.
pub(crate) fn log(one: &cli::One) -> Result<(), Failure> {
    let request = Request::Log(One {
        task: one.id.clone(),
    });
    let answer = Place::find(&one.state)?.ask(&request)?;
    if one.json {
        return print(&format!("{answer}\n"));
    }
    let all: String = members(&answer, "events")
        .map(|it| event(it) + "\n")
        .collect();
    print(&all)
}

/// Lists workers.
pub(crate) fn workers(listing: &cli::Listing) -> Result<(), Failure> {
    let answer = Place::find(&listing.state)?.ask_daemon(&Request::Workers)?;
    listed(listing, &answer, rows::workers)
}

/// Lists groups.
pub(crate) fn groups(listing: &cli::Listing) -> Result<(), Failure> {
    let answer = Place::find(&listing.state)?.ask(&Request::Groups)?;
    listed(listing, &answer, rows::groups)
}

/// Lists accounts.
pub(crate) fn accounts(listing: &cli::Listing) -> Result<(), Failure> {
    let answer = Place::find(&listing.state)?.ask(&Request::Accounts)?;
    listed(listing, &answer, rows::accounts)
}

fn listed(
    listing: &cli::Listing,
    answer: &Value,
    table: fn(&Value, usize) -> String,
) -> Result<(), Failure> {
    match listing.json {
        true => print(&format!("{answer}\n")),
        false => print(&table(answer, table::columns())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reasons_are_lines_for_people() {
        let answer = json!({"v": 1,
            "task": {"task": "0a", "state": "queued", "why": null},
            "reasons": [{"kind": "no-worker", "text": "nobody \u{1b}[2J has role=ci"}],
            "events": [{
                "at": "2026-11-26T14:00:00.123456789Z", "task": "0a", "attempt": 2,
                "kind": "returned", "detail": "limited",
            }],
        });
        assert_eq!(
            reasons(&answer),
            [
                "0a: queued",
                "  nobody \\x1b[2J has role=ci",
                "2026-11-26T14:00:00Z 0a #2  returned   limited",
            ]
        );
    }
}
