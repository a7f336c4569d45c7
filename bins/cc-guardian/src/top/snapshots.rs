//! Whole screens, compared with those kept in `snapshots/`.
//!
//! Where a change is meant, `TOP_SNAPSHOTS=rewrite cargo test` keeps the new ones.

use std::path::Path;
use std::{env, fs};

use crossterm::event::KeyCode;
use jiff::Timestamp;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr as _;

use super::action::{Action, Event};
use super::demo::{self, START};
use super::listing::{Listing, Unit};
use super::look::Look;
use super::model::App;
use super::once::text;
use super::view;

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (200, 50);

fn app((columns, lines): (u16, u16), units: usize) -> App {
    let mut app = App::new(columns, lines);
    app.update(Event::Listing(demo::listing(units, 0, START)), START);
    app
}

/// Presses keys, and shows what is asked for at once.
fn press(app: &mut App, keys: &str) {
    for char in keys.chars() {
        let code = match char {
            '\n' => KeyCode::Enter,
            '\u{1b}' => KeyCode::Esc,
            char => KeyCode::Char(char),
        };
        let action = app.update(Event::Key(code.into()), START);
        if let Some(Action::Peek(unit)) = action {
            let rows = demo::screen(&unit);
            app.update(Event::Peeked { unit, rows }, START);
        }
    }
}

fn drawn(app: &App, now: Timestamp, color: bool) -> Buffer {
    let backend = TestBackend::new(app.columns, app.lines);
    let mut terminal = Terminal::new(backend).unwrap();
    let look = Look { color };
    terminal
        .draw(|frame| view::draw(app, now, look, frame))
        .unwrap();
    terminal.backend().buffer().clone()
}

#[track_caller]
fn is_as_kept(app: &App, now: Timestamp, name: &str) {
    let shown = text(&drawn(app, now, true));
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("snapshots")
        .join(name);
    if env::var_os("TOP_SNAPSHOTS").is_some_and(|value| value == "rewrite") {
        fs::write(&file, &shown).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(shown == kept, "{name} was\n{kept}\nand is now\n{shown}");
}

#[test]
fn a_hundred_units_on_a_small_screen() {
    is_as_kept(&app(SMALL, 100), START, "list-80x24.txt");
}

#[test]
fn a_hundred_units_on_a_large_screen() {
    is_as_kept(&app(LARGE, 100), START, "list-200x50.txt");
}

#[test]
fn hostile_and_wide_text_keeps_its_column() {
    for (size, name) in [(SMALL, "work-80x24.txt"), (LARGE, "work-200x50.txt")] {
        let mut app = app(size, 100);
        press(&mut app, ":filter state:busy,idle !ops\nj");
        is_as_kept(&app, START, name);
    }
}

#[test]
fn a_screen_of_a_pane_is_under_the_list_or_beside_it() {
    for (size, name) in [(SMALL, "peek-80x24.txt"), (LARGE, "peek-200x50.txt")] {
        let mut app = app(size, 100);
        press(&mut app, "jj ");
        is_as_kept(&app, START, name);
    }
}

#[test]
fn all_that_is_known_of_a_unit() {
    for (size, name) in [(SMALL, "details-80x24.txt"), (LARGE, "details-200x50.txt")] {
        let mut app = app(size, 100);
        press(&mut app, "d");
        is_as_kept(&app, START, name);
    }
}

#[test]
fn a_dialog_is_shown_before_it_is_answered() {
    for (size, name) in [(SMALL, "answer-80x24.txt"), (LARGE, "answer-200x50.txt")] {
        let mut app = app(size, 100);
        press(&mut app, "1");
        is_as_kept(&app, START, name);
    }
}

#[test]
fn a_filter_while_it_is_typed() {
    let mut app = app(SMALL, 100);
    press(&mut app, "/state:blocked role=work");
    is_as_kept(&app, START, "filter-80x24.txt");
}

#[test]
fn a_daemon_that_went_away_leaves_what_was_known() {
    let mut app = app(SMALL, 100);
    app.update(Event::Lost("connection refused".into()), START);
    let later = START + jiff::SignedDuration::from_secs(75);
    is_as_kept(&app, later, "lost-80x24.txt");
}

#[test]
fn what_was_known_before_is_faint() {
    let mut app = app(SMALL, 100);
    let faint = |app: &App| {
        let buf = drawn(app, START, true);
        let cells = (0..17).map(|index| buf[(2, 4 + index)].modifier);
        cells
            .filter(|modifier| modifier.contains(Modifier::DIM))
            .count()
    };
    assert_eq!(faint(&app), 0);
    app.update(Event::Lost("connection refused".into()), START);
    assert!(faint(&app) > 15, "{}", faint(&app));
}

#[test]
fn without_units_there_is_a_sentence_that_says_what_to_do() {
    is_as_kept(&app(SMALL, 0), START, "none-80x24.txt");
}

#[test]
fn the_help() {
    for (size, name) in [(SMALL, "help-80x24.txt"), (LARGE, "help-200x50.txt")] {
        let mut app = app(size, 100);
        press(&mut app, "?");
        is_as_kept(&app, START, name);
    }
}

#[test]
fn without_colour_no_cell_has_one() {
    for keys in ["", "d", " ", "1", "?", "/x=", "r"] {
        let mut app = app(LARGE, 100);
        press(&mut app, keys);
        let colors = |color| {
            let cells = drawn(&app, START, color).content().to_vec();
            cells
                .iter()
                .filter(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset)
                .count()
        };
        assert_eq!(colors(false), 0, "{keys}");
        assert!(colors(true) > 0, "{keys}");
    }
}

/// Everything a pane, a name or a daemon may say is as bad as it gets.
fn hostile() -> Listing {
    let bad = "\u{1b}]0;x\u{7}\u{9b}2J\u{202e}abc\u{200b}\u{200d}❤\u{fe0f}日本👩\u{200d}💻e\u{301}\u{301}\u{301}\u{301}\t\r\n\u{feff}\u{e0041}z";
    let text = || Some(bad.to_owned());
    let json = serde_json::json!({"text": bad, "choices": [{"key": bad, "text": bad}]});
    let units = (0..9).map(|index| Unit {
        unit: format!("{index}{bad}"),
        state_word: if index % 2 == 0 {
            "blocked".to_owned()
        } else {
            bad.to_owned()
        },
        sub: text(),
        pane: text(),
        profile: text(),
        account: text(),
        last_line: text(),
        held: text(),
        question: serde_json::from_value(json.clone()).unwrap(),
        labels: [(bad.to_owned(), bad.to_owned())].into(),
        evidence: vec![
            serde_json::from_value(serde_json::json!({"rule": bad, "seen": bad, "text": bad}))
                .unwrap(),
        ],
        cpu: Some(f64::MAX),
        memory: Some(u64::MAX),
        restarts: u64::MAX,
        since: Some(Timestamp::MIN),
        reset: Some(Timestamp::MAX),
        confidence: Some(f64::NEG_INFINITY),
        ..Unit::default()
    });
    let mut listing = Listing::default();
    listing.units = units.collect();
    listing
}

#[test]
fn nothing_that_a_stranger_said_reaches_the_terminal_as_it_is() {
    for keys in ["", "d", "d\u{1b}s", "1", "y", "r", " ", "jd", ":answer x\n"] {
        for (columns, lines) in [SMALL, LARGE, (40, 10)] {
            let mut app = App::new(columns, lines);
            app.update(Event::Listing(hostile()), START);
            press(&mut app, keys);
            let unit = app.selected.clone().unwrap();
            let rows = vec![unit.clone(); 90];
            app.update(Event::Peeked { unit, rows }, START);
            app.update(Event::Lost(app.selected.clone().unwrap()), START);
            let shown = text(&drawn(&app, START, true));
            let odd = |char: char| {
                char.is_control() && char != '\n'
                    || ('\u{200b}'..='\u{200f}').contains(&char)
                    || ('\u{2028}'..='\u{202e}').contains(&char)
                    || ('\u{fe00}'..='\u{fe0f}').contains(&char)
                    || ('\u{e0000}'..='\u{e007f}').contains(&char)
                    || char == '\u{feff}'
            };
            assert!(!shown.contains(odd), "{keys}: {shown}");
            assert!(
                shown.lines().all(|line| line.width() <= columns.into()),
                "{shown}"
            );
        }
    }
}

#[test]
fn no_size_is_too_small_to_be_drawn() {
    for keys in [
        "", "d", " ", "1", "?", "/state:", ":re", "s日本", "x", "r\n",
    ] {
        for columns in [0, 1, 2, 3, 5, 9, 16, 31, 79, 141] {
            for lines in [0, 1, 2, 3, 4, 5, 7, 8, 9, 13, 60] {
                let mut app = app((columns, lines), 30);
                press(&mut app, keys);
                drawn(&app, START, true);
                app.update(Event::Lost("gone".into()), START);
                drawn(&app, START, true);
            }
        }
    }
}

#[test]
fn a_terminal_of_another_size_than_was_said_still_shows_the_selection() {
    let mut app = app(LARGE, 100);
    press(&mut app, "jjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjj");
    let selected = app.selected.clone().unwrap();
    let area = Rect::new(0, 0, 80, 24);
    let mut buf = Buffer::empty(area);
    view::paint(&app, START, Look::default(), area, &mut buf);
    let shown = text(&buf);
    let row = shown.lines().find(|line| line.starts_with("> ")).unwrap();
    assert!(row.contains(&selected), "{row}");
}

#[test]
fn what_waits_for_a_key_is_seen_on_the_smallest_screen() {
    for lines in 1..6 {
        let mut app = app((80, lines), 30);
        press(&mut app, "1");
        let shown = text(&drawn(&app, START, true));
        assert!(shown.contains("do it"), "{lines}: {shown}");
    }
}
