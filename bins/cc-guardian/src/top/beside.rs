//! What is shown beside the list: the screen of a pane, or all that is known of a unit.

use jiff::Timestamp;

use super::amounts::{age, bytes, left, share, span};
use super::clean;
use super::columns::labels;
use super::listing::Unit;
use super::look;
use super::model::{App, Beside, Peek};

/// A text in it takes this many lines at most.
const LINES: usize = 200;

/// Where the values stand.
const INDENT: usize = 12;

/// What stands over it.
pub(super) fn title(app: &App) -> String {
    let unit = app.selected.as_deref().unwrap_or("no unit");
    match app.beside {
        Beside::None => String::new(),
        Beside::Peek(_) => format!("screen of {unit}"),
        Beside::Details { .. } => format!("what is known of {unit}"),
    }
}

/// Its lines, as wide as `width`.
pub(super) fn lines(app: &App, width: u16, now: Timestamp) -> Vec<String> {
    match (&app.beside, app.selection()) {
        (Beside::None, _) | (_, None) => Vec::new(),
        (Beside::Peek(peek), Some(unit)) => screen(peek, unit, width.into()),
        (Beside::Details { .. }, Some(unit)) => details(unit, width.into(), now),
    }
}

fn screen(peek: &Peek, unit: &Unit, width: usize) -> Vec<String> {
    let Some((_, rows)) = peek.got.as_ref().filter(|(of, _)| *of == unit.unit) else {
        return vec!["…".to_owned()];
    };
    let last = rows.iter().rposition(|row| !row.trim().is_empty());
    let rows = rows.iter().take(last.map_or(0, |last| last + 1));
    let rows: Vec<_> = rows.map(|row| clean::fit(row.trim_end(), width)).collect();
    if rows.is_empty() {
        return vec!["(the screen is empty)".to_owned()];
    }
    rows
}

/// All that is known of a unit, as lines of at most so many columns.
pub(crate) fn details(unit: &Unit, width: usize, now: Timestamp) -> Vec<String> {
    let mut facts = Facts {
        lines: Vec::new(),
        width,
    };
    let kind = unit.sub.as_ref().map(|sub| format!(" ({sub})"));
    let sure = unit.confidence.filter(|sure| (0.0..=1.0).contains(sure));
    let sure = sure.map(|sure| format!(", {:.0}% sure", sure * 100.0));
    facts.fact(
        "state",
        &format!(
            "{}{}{}",
            look::state(unit),
            kind.unwrap_or_default(),
            sure.unwrap_or_default()
        ),
    );
    if let Some(since) = unit.since {
        let old = span(age(since, now));
        facts.fact("since", &format!("{old} ago, {}", to_second(since)));
    }
    if let Some(question) = &unit.question {
        facts.fact("question", &question.text);
        for choice in &question.choices {
            facts.fact("", &format!("{}. {}", choice.key, choice.text));
        }
    }
    facts.maybe("held", unit.held.as_deref());
    facts.maybe("at idle", unit.pending.as_deref());
    if !unit.changed.is_empty() {
        let changed = format!("{}; `restart` takes it over", unit.changed.join(", "));
        facts.fact("changed", &changed);
    }
    if unit.adopted {
        facts.fact("adopted", "it is in a pane that somebody else has made");
    }
    for (index, evidence) in unit.evidence.iter().enumerate() {
        let said = format!("{} in {}: {}", evidence.rule, evidence.seen, evidence.text);
        facts.fact(if index == 0 { "evidence" } else { "" }, &said);
    }
    if let Some(reset) = unit.reset {
        let when = format!("{}, {}", left(reset, now), to_second(reset));
        facts.fact("limit ends", &when);
    }
    facts.maybe("last line", unit.last_line.as_deref());
    facts.maybe("profile", unit.profile.as_deref());
    facts.maybe("account", unit.account.as_deref());
    facts.maybe(
        "labels",
        Some(labels(unit))
            .as_deref()
            .filter(|labels| !labels.is_empty()),
    );
    facts.fact("restarts", &unit.restarts.to_string());
    facts.maybe("cpu", unit.cpu.map(share).as_deref());
    facts.maybe("memory", unit.memory.map(bytes).as_deref());
    facts.maybe("pane", unit.pane.as_deref());
    facts.maybe("pid", unit.pid.map(|pid| pid.to_string()).as_deref());
    facts.maybe("socket", unit.socket.as_deref());
    facts.lines
}

fn to_second(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second())
        .unwrap_or(time)
        .to_string()
}

/// Names with their values.
struct Facts {
    lines: Vec<String>,
    width: usize,
}

impl Facts {
    fn maybe(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.fact(name, value);
        }
    }

    fn fact(&mut self, name: &str, value: &str) {
        let room = self.width.saturating_sub(INDENT);
        for (index, line) in clean::wrap(value, room, LINES).into_iter().enumerate() {
            let name = if index == 0 { name } else { "" };
            self.lines.push(format!("{name:INDENT$}{line}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::columns::Column;
    use crate::top::demo;

    #[test]
    fn all_that_is_known_is_said_and_nothing_is_too_wide() {
        for unit in demo::listing(40, 0, demo::START).units {
            for width in [0, 10, 40, 80] {
                let lines = details(&unit, width, demo::START);
                let most = lines.iter().map(|line| clean::width(line)).max();
                assert!(most.unwrap() <= width.max(INDENT), "{lines:#?}");
            }
            let all = details(&unit, 400, demo::START).join("\n");
            for known in [&unit.profile, &unit.pane, &unit.account]
                .into_iter()
                .flatten()
            {
                assert!(all.contains(known), "{known} in {all}");
            }
        }
    }

    #[test]
    fn what_is_special_about_how_it_runs_is_said_here_and_in_the_list() {
        let mut unit = Unit {
            unit: "w".into(),
            last_line: Some("last".into()),
            ..Unit::default()
        };
        let said = |unit: &Unit| {
            let all = details(unit, 80, demo::START).join("\n");
            (all, Column::Last.text(unit, demo::START))
        };
        let (all, last) = said(&unit);
        assert!(
            !all.contains("changed") && !all.contains("adopted"),
            "{all}"
        );
        assert_eq!(last, "last");
        unit.pending = Some("it is 24h old".into());
        unit.changed = vec!["command".into(), "env".into()];
        unit.adopted = true;
        let (all, last) = said(&unit);
        for line in [
            "at idle     it is 24h old",
            "changed     command, env",
            "adopted  ",
        ] {
            assert!(all.contains(line), "{line} in {all}");
        }
        assert_eq!(last, "[adopted, changed, restarts at idle] last");
    }

    #[test]
    fn a_screen_ends_with_its_last_line_that_is_not_blank() {
        let unit = Unit {
            unit: "w".into(),
            ..Unit::default()
        };
        let got = |rows: &[&str]| Peek {
            got: Some((
                "w".into(),
                rows.iter().map(|row| (*row).to_owned()).collect(),
            )),
            ..Peek::default()
        };
        assert_eq!(screen(&got(&["", "a  ", " ", ""]), &unit, 9), ["", "a"]);
        assert_eq!(
            screen(&got(&["", ""]), &unit, 30),
            ["(the screen is empty)"]
        );
        assert_eq!(screen(&Peek::default(), &unit, 9), ["…"]);
    }
}
