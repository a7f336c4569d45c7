//! The lines above the keys: what is typed, what is asked, what was said last.

use jiff::Timestamp;
use ratatui::style::Style;

use super::action::Action;
use super::amounts::{age, span};
use super::clean;
use super::columns::says;
use super::confirm::Confirm;
use super::filter::Filter;
use super::line::Line;
use super::listing::{Question, Unit};
use super::look::{self, Look};
use super::model::{App, Mode};

/// What is to be drawn there, from the top, and the column of the cursor on its last line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Prompt {
    pub(super) lines: Vec<(String, Style)>,
    pub(super) cursor: Option<usize>,
}

/// How many lines it needs.
pub(super) fn height(app: &App, width: u16) -> u16 {
    let lines = match &app.mode {
        Mode::Confirm(confirm) => about(app, confirm, width.into()).len() + 1,
        Mode::Answer { unit, .. } => asks(app, unit, width.into()).len() + 1,
        Mode::List | Mode::Reading(_) => usize::from(app.said.is_some()),
        Mode::Filter { .. } | Mode::Command(_) | Mode::Send { .. } => 1,
    };
    u16::try_from(lines).unwrap_or(u16::MAX)
}

pub(super) fn prompt(app: &App, now: Timestamp, width: u16, look: Look) -> Prompt {
    let columns = usize::from(width);
    match &app.mode {
        Mode::List | Mode::Reading(_) => said(app, look),
        Mode::Filter { line, .. } => {
            let mistake = Filter::parse(&line.text()).err();
            let mistake = mistake.map(|error| format!("   {error}"));
            typed("/", line, &mistake.unwrap_or_default(), columns)
        }
        Mode::Command(line) => typed(":", line, "", columns),
        Mode::Send { unit, line } => typed(&format!("send to {unit}: "), line, "", columns),
        Mode::Answer { unit, line } => {
            let asks = asks(app, unit, columns).into_iter();
            let mut lines: Vec<_> = asks.map(|line| (line, Style::new())).collect();
            let typed = typed(&format!("answer to {unit}: "), line, "", columns);
            lines.extend(typed.lines);
            Prompt { lines, ..typed }
        }
        Mode::Confirm(confirm) => {
            let about = about(app, confirm, columns).into_iter();
            let mut lines: Vec<_> = about.map(|line| (line, Style::new())).collect();
            let asked = asked(confirm, app.unit(&confirm.unit), now, columns);
            lines.push((asked, look.picked().patch(look.strong())));
            Prompt {
                lines,
                cursor: None,
            }
        }
    }
}

/// What was said last, or else what the selected unit says, for which the list has less room.
fn said(app: &App, look: Look) -> Prompt {
    let line = match (&app.said, app.selection()) {
        (Some(said), _) if said.failed => (said.text.clone(), look.alarm()),
        (Some(said), _) => (said.text.clone(), Style::new()),
        (None, Some(unit)) => {
            let says = says(unit);
            let line = if says.is_empty() {
                says
            } else {
                format!("{}: {says}", unit.unit)
            };
            (line, look.faint())
        }
        (None, None) => return Prompt::default(),
    };
    Prompt {
        lines: vec![line],
        cursor: None,
    }
}

/// A line that is being typed; its end is shown when it is too long.
fn typed(before: &str, line: &Line, behind: &str, columns: usize) -> Prompt {
    let (left, right) = line.parts();
    let before = clean::fit(before, columns / 2);
    let room = columns.saturating_sub(clean::width(&before) + 1);
    let left = clean::fit_end(left, room);
    let cursor = clean::width(&before) + clean::width(&left);
    Prompt {
        lines: vec![(format!("{before}{left}{right}{behind}"), Style::new())],
        cursor: Some(cursor),
    }
}

/// What has to be read before it is confirmed.
fn about(app: &App, confirm: &Confirm, columns: usize) -> Vec<String> {
    let most = room(app);
    let lines = match (&confirm.action, &confirm.question) {
        (Action::Send { text, .. }, _) => clean::wrap(text, columns, most + 1),
        (_, Some(question)) => dialog(question, columns, most + 1),
        _ => Vec::new(),
    };
    cut(lines, most)
}

/// What has to be read before it is answered.
fn asks(app: &App, unit: &str, columns: usize) -> Vec<String> {
    let most = room(app);
    match app.unit(unit).and_then(|unit| unit.question.as_ref()) {
        Some(question) => cut(dialog(question, columns, most + 1), most),
        None => vec!["What it asks is not known: read it on its screen.".to_owned()],
    }
}

/// How many lines there may be to read.
fn room(app: &App) -> usize {
    usize::from(app.lines / 2).max(2)
}

fn cut(mut lines: Vec<String>, most: usize) -> Vec<String> {
    if lines.len() > most {
        lines.truncate(most - 1);
        lines.push("… there is more of it than fits here".to_owned());
    }
    lines
}

/// The text, and the choices.
fn dialog(question: &Question, columns: usize, most: usize) -> Vec<String> {
    let mut lines = clean::wrap(question.text.trim(), columns, most);
    for choice in &question.choices {
        let choice = format!("  {}. {}", choice.key, choice.text);
        lines.extend(clean::wrap(&choice, columns, most));
    }
    lines
}

/// The question itself, with the keys that answer it.
fn asked(confirm: &Confirm, unit: Option<&Unit>, now: Timestamp, columns: usize) -> String {
    let name = &confirm.unit;
    let what = match &confirm.action {
        Action::Answer { answer, .. } => {
            let choices = confirm
                .question
                .iter()
                .flat_map(|question| &question.choices);
            let chosen = choices.into_iter().find(|choice| choice.key == *answer);
            let chosen = chosen.map(|choice| format!(" ({})", choice.text));
            format!("answer {answer}{} to {name}?", chosen.unwrap_or_default())
        }
        Action::Send { text, .. } => {
            let lines = text.lines().count();
            let lines = if lines > 1 {
                format!("{lines} lines")
            } else {
                "this".to_owned()
            };
            format!("send {lines} to {name}?{}", state(unit, now))
        }
        action => format!("{} {name}?{}", action.verb(), state(unit, now)),
    };
    let keys = format!("  {}: do it  esc: leave it", confirm.keys());
    let what = clean::fit(&what, columns.saturating_sub(keys.len()));
    format!("{what}{keys}")
}

/// What it is doing at the moment, which is what a restart would cut off.
fn state(unit: Option<&Unit>, now: Timestamp) -> String {
    let Some(unit) = unit else {
        return String::new();
    };
    let time = unit
        .since
        .map(|since| format!(" for {}", span(age(since, now))));
    format!(" It is {}{}.", look::state(unit), time.unwrap_or_default())
}
