//! The whole screen.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::amounts::{age, span};
use super::clean;
use super::layout::{Areas, areas, within};
use super::listing::State;
use super::look::{Look, glyph};
use super::model::{App, Beside, Mode, Page, Peek};
use super::paint::{line, put, put_all};
use super::prompt::prompt;
use super::{beside, reading, table};

/// On fewer columns and lines than this there is no list.
const LEAST: (u16, u16) = (30, 4);

/// Draws `app` as it is at `now` on a terminal.
pub(crate) fn draw(app: &App, now: Timestamp, look: Look, frame: &mut Frame<'_>) {
    let area = frame.area();
    if let Some(cursor) = paint(app, now, look, area, frame.buffer_mut()) {
        frame.set_cursor_position(cursor);
    }
}

/// Draws it on cells, and returns where the cursor is, if there is one.
pub(super) fn paint(
    app: &App,
    now: Timestamp,
    look: Look,
    area: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    if matches!(app.mode, Mode::List) && (area.width < LEAST.0 || area.height < LEAST.1) {
        small(area, buf);
        return None;
    }
    let areas = areas(app, area);
    header(app, look, areas.header, buf);
    if let Some(lost) = &app.lost {
        let since = span(age(lost.since, now));
        let old = app.heard.map(|heard| span(age(heard, now)));
        let old = old.map(|old| format!("; what is shown is {old} old"));
        let text = format!(
            "no guardian for {since}{}: {}",
            old.unwrap_or_default(),
            lost.why
        );
        put(buf, areas.lost, areas.lost.x, &text, look.alarm());
    }
    match &app.mode {
        Mode::Reading(page) => page_of(page, look, areas.body, buf),
        _ if app.rows.is_empty() => nothing(app, areas.body, buf),
        _ => {
            table::draw(app, now, look, &areas, buf);
            beside_list(app, now, look, &areas, buf);
        }
    }
    footer(app, look, areas.footer, buf);
    let prompt = prompt(app, now, area.width, look);
    // What waits for a key stands last, and must be seen.
    let hidden = prompt
        .lines
        .len()
        .saturating_sub(areas.prompt.height.into());
    for (index, (text, style)) in prompt.lines.iter().skip(hidden).enumerate() {
        put(buf, line(areas.prompt, index), areas.prompt.x, text, *style);
    }
    let column = u16::try_from(prompt.cursor?).unwrap_or(u16::MAX);
    let x = areas
        .prompt
        .x
        .saturating_add(column)
        .min(area.right().saturating_sub(1));
    (areas.prompt.height > 0).then(|| Position::new(x, areas.prompt.bottom() - 1))
}

/// How many units are in which state, those that need somebody first.
pub(super) fn header(app: &App, look: Look, area: Rect, buf: &mut Buffer) {
    let units = match app.units.len() {
        1 => "1 unit".to_owned(),
        many => format!("{many} units"),
    };
    let mut pieces = vec![
        ("cc-guardian ".to_owned(), look.strong()),
        (units, Style::new()),
    ];
    let counts: Vec<_> = State::ALL
        .into_iter()
        .map(|state| {
            (
                state,
                app.units
                    .iter()
                    .filter(|unit| unit.state() == state)
                    .count(),
            )
        })
        .filter(|(_, count)| *count > 0)
        .collect();
    let filter = if app.filter_text.trim().is_empty() {
        String::new()
    } else {
        format!("   {} shown: {}", app.rows.len(), app.filter_text)
    };
    // Words for as many as there is room for, from the first on.
    let say = |words: usize| -> Vec<_> {
        let texts = counts.iter().enumerate().map(|(index, (state, count))| {
            let (glyph, word) = (glyph(*state), state.word());
            let text = if index < words {
                format!("  {glyph} {count} {word}")
            } else {
                format!("  {glyph}{count}")
            };
            (text, look.state(*state))
        });
        texts.collect()
    };
    let used = |pieces: &[(String, Style)]| -> usize {
        pieces.iter().map(|(text, _)| clean::width(text)).sum()
    };
    let room = usize::from(area.width);
    let filter = clean::fit(&filter, (room / 2).max(24));
    let room = room.saturating_sub(used(&pieces) + clean::width(&filter));
    let said = (0..=counts.len()).rev().map(say);
    let said = said.into_iter().find(|said| used(said) <= room);
    pieces.extend(said.unwrap_or_else(|| {
        let mut said = say(0);
        while used(&said) > room {
            said.pop();
        }
        said
    }));
    pieces.push((filter, look.strong()));
    put_all(buf, area, &pieces);
}

/// Why there is no list, and what to do about it.
pub(super) fn nothing(app: &App, area: Rect, buf: &mut Buffer) {
    let text = if !app.units.is_empty() {
        "No unit is shown: none is as the filter says.\nesc shows all of them again."
    } else if app.lost.is_some() {
        "Nothing is known of any unit.\n\
         Start a guardian with `cc-guardian up` or `cc-guardian run`; this screen waits for it."
    } else if app.heard.is_none() {
        "Waiting for the guardian."
    } else {
        "There are no units.\n\
         Declare some in guardian.toml and start them with `cc-guardian up`,\n\
         or take over a pane that is there: `cc-guardian adopt %PANE --as NAME`."
    };
    let width = usize::from(area.width).saturating_sub(4);
    let lines = clean::wrap(text, width, area.height.into());
    for (index, text) in lines.iter().enumerate() {
        put(
            buf,
            line(area, index + 1),
            area.x.saturating_add(2),
            text,
            Style::new(),
        );
    }
}

/// Says that the terminal has too few cells, on as many of them as there are.
fn small(area: Rect, buf: &mut Buffer) {
    let text = format!(
        "Too small for the units: make this terminal at least {}x{}, it is {}x{}.",
        LEAST.0, LEAST.1, area.width, area.height
    );
    let lines = clean::wrap(&text, area.width.into(), area.height.into());
    for (index, text) in lines.iter().enumerate() {
        put(buf, line(area, index), area.x, text, Style::new());
    }
}

/// The line that says what a part of the screen is.
fn title(text: &str, look: Look, area: Rect, buf: &mut Buffer) {
    let width = usize::from(area.width);
    let text = clean::fit(&format!("── {text} "), width);
    let rest = "─".repeat(width.saturating_sub(clean::width(&text)));
    let pieces = [(text, look.strong()), (rest, look.faint())];
    put_all(buf, line(area, 0), &pieces);
}

fn beside_list(app: &App, now: Timestamp, look: Look, areas: &Areas, buf: &mut Buffer) {
    let area = areas.beside;
    let lines = beside::lines(app, area.width, now);
    let height = usize::from(within(area.height));
    let first = match &app.beside {
        Beside::None => return,
        Beside::Peek(Peek { below, .. }) => lines.len().saturating_sub(height + below),
        Beside::Details { above } => (*above).min(lines.len().saturating_sub(height)),
    };
    if area.x > areas.body.x {
        for index in 0..area.height.into() {
            put(buf, line(areas.body, index), area.x - 1, "│", look.faint());
        }
    }
    title(&beside::title(app), look, area, buf);
    for (index, text) in lines.iter().skip(first).take(height).enumerate() {
        put(buf, line(area, index + 1), area.x, text, Style::new());
    }
}

fn page_of(page: &Page, look: Look, area: Rect, buf: &mut Buffer) {
    let lines = reading::lines(page, area.width);
    let height = usize::from(within(area.height));
    let first = page.above.min(lines.len().saturating_sub(height));
    let last = (first + height).min(lines.len());
    let place = if lines.len() > height {
        format!(" ({} to {last} of {})", first + 1, lines.len())
    } else {
        String::new()
    };
    title(&format!("{}{place}", page.title), look, area, buf);
    for (index, text) in lines.iter().skip(first).take(height).enumerate() {
        put(buf, line(area, index + 1), area.x, text, Style::new());
    }
}

/// The keys that do something now, the most needed first.
fn footer(app: &App, look: Look, area: Rect, buf: &mut Buffer) {
    let keys: &[(&str, &str)] = match &app.mode {
        Mode::List => &[
            ("?", "help"),
            ("q", "quit"),
            ("enter", "attach"),
            ("space", "peek"),
            ("a y n", "answer"),
            ("/", "filter"),
            ("s", "send"),
            ("r", "restart"),
            ("x", "stop"),
            ("d", "describe"),
            ("e", "explain"),
            ("l", "logs"),
            (":", "command"),
            ("v", "view"),
        ],
        Mode::Filter { .. } => &[
            ("enter", "keep"),
            ("esc", "as before"),
            ("", "name"),
            ("", "state:blocked"),
            ("", "profile:claude"),
            ("", "role=worker"),
            ("", "!not"),
        ],
        Mode::Command(_) => &[("enter", "do it"), ("esc", "leave it")],
        Mode::Send { .. } => &[
            ("enter", "send it, after a confirmation"),
            ("esc", "leave it"),
        ],
        Mode::Answer { .. } => &[
            ("enter", "answer it, after a confirmation"),
            ("esc", "leave it"),
            ("", "yes"),
            ("", "no"),
            ("", "a number"),
            ("", "a text"),
        ],
        Mode::Confirm(_) => &[("esc", "leave it")],
        Mode::Reading(_) => &[("esc", "close"), ("j k", "scroll"), ("pgup pgdn", "page")],
    };
    let mut x = area.x;
    for (key, what) in keys {
        let gap = if key.is_empty() { "" } else { " " };
        let width = clean::width(key) + gap.len() + clean::width(what);
        if usize::from(area.right().saturating_sub(x)) < width {
            break;
        }
        let pieces = [
            ((*key).to_owned(), look.strong()),
            (format!("{gap}{what}  "), look.faint()),
        ];
        let rest = Rect {
            x,
            width: area.right().saturating_sub(x),
            ..area
        };
        x = put_all(buf, rest, &pieces);
    }
}
