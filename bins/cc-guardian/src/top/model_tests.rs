use super::*;
use crate::top::demo::{self, START};
use crate::top::listing::State;
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

fn app() -> App {
    let mut app = App::new(80, 24);
    assert_eq!(hear(&mut app, demo::listing(100, 0, START)), None);
    app
}

fn hear(app: &mut App, listing: Listing) -> Option<Action> {
    app.update(Event::Listing(listing), START)
}

fn key(app: &mut App, code: KeyCode) -> Option<Action> {
    app.update(Event::Key(code.into()), START)
}

/// Presses characters, and returns what the last of them asked for.
fn press(app: &mut App, keys: &str) -> Option<Action> {
    let mut action = None;
    for char in keys.chars() {
        assert_eq!(action, None, "before {char}");
        action = key(
            app,
            match char {
                '\n' => KeyCode::Enter,
                char => KeyCode::Char(char),
            },
        );
    }
    action
}

fn selected(app: &App) -> String {
    app.selected.clone().unwrap()
}

fn pick(app: &mut App, name: &str) {
    let row = app.shown().position(|unit| unit.unit == name).unwrap();
    app.select(row);
}

fn first(app: &App, state: State) -> String {
    app.shown()
        .find(|unit| unit.state() == state)
        .unwrap()
        .unit
        .clone()
}

fn said(app: &App) -> &str {
    app.said.as_ref().map_or("", |said| &said.text)
}

#[test]
fn who_needs_somebody_stands_first_and_the_longest_first() {
    let app = app();
    let order: Vec<_> = app.shown().map(|unit| (unit.state(), unit.since)).collect();
    assert!(order.is_sorted());
    assert_eq!(order[0].0, State::Blocked);
    assert_eq!(order[99].0, State::Idle);
}

#[test]
fn the_selection_stays_with_its_unit_while_rows_move() {
    let mut app = app();
    let busy = first(&app, State::Busy);
    pick(&mut app, &busy);
    let row = app.row;
    let mut listing = demo::listing(100, 0, START);
    for unit in &mut listing.units {
        if unit.unit == busy {
            unit.state_word = "blocked".into();
        }
    }
    hear(&mut app, listing);
    assert_eq!(selected(&app), busy);
    assert!(app.row < row, "{} {row}", app.row);
}

#[test]
fn when_its_unit_goes_the_selection_stays_in_its_place() {
    let mut app = app();
    press(&mut app, "jjj");
    let mut listing = demo::listing(100, 0, START);
    let (gone, next) = (selected(&app), app.shown().nth(4).unwrap().unit.clone());
    listing.units.retain(|unit| unit.unit != gone);
    hear(&mut app, listing);
    assert_eq!((app.row, selected(&app)), (3, next));
    hear(&mut app, demo::listing(0, 0, START));
    assert_eq!(app.selected, None);
}

#[test]
fn keys_move_the_selection_within_the_list() {
    let mut app = app();
    let page = usize::from(app.areas().list.height);
    for (code, row) in [
        (KeyCode::Up, 0),
        (KeyCode::Down, 1),
        (KeyCode::PageDown, 1 + page),
        (KeyCode::PageUp, 1),
        (KeyCode::End, 99),
        (KeyCode::Down, 99),
        (KeyCode::PageUp, 99 - page),
        (KeyCode::Home, 0),
    ] {
        key(&mut app, code);
        assert_eq!(app.row, row, "{code}");
        assert!((app.top..app.top + page).contains(&row), "{code}");
    }
}

#[test]
fn keys_ask_for_what_needs_no_confirmation_at_once() {
    let mut app = app();
    let unit = selected(&app);
    let read_only = false;
    let attach = Action::Attach {
        unit: unit.clone(),
        read_only,
    };
    assert_eq!(press(&mut app, "\n"), Some(attach.clone()));
    assert_eq!(press(&mut app, ":attach\n"), Some(attach));
    let watch = Action::Attach {
        unit: unit.clone(),
        read_only: true,
    };
    assert_eq!(press(&mut app, "v"), Some(watch));
    assert_eq!(press(&mut app, "l"), Some(Action::Logs(unit.clone())));
    assert_eq!(press(&mut app, "e"), Some(Action::Explain(unit)));
    assert_eq!(press(&mut app, "q"), Some(Action::Quit));
    assert_eq!(press(&mut app, ":q\n"), Some(Action::Quit));
}

#[test]
fn nothing_is_restarted_or_stopped_without_a_confirmation() {
    let mut app = app();
    let unit = selected(&app);
    assert_eq!(press(&mut app, "ry"), Some(Action::Restart(unit.clone())));
    assert_eq!(press(&mut app, "x\n"), Some(Action::Stop(unit.clone())));
    for no in ["xn", "xq", "x\u{1b}", "xxxx x"] {
        for char in no.chars() {
            let code = if char == '\u{1b}' {
                KeyCode::Esc
            } else {
                KeyCode::Char(char)
            };
            assert_eq!(key(&mut app, code), None, "{no}");
        }
        key(&mut app, KeyCode::Esc);
        assert!(matches!(app.mode, Mode::List), "{no}");
    }
    assert_eq!(
        press(&mut app, ":restart\n\n"),
        None,
        "held down, enter must not confirm"
    );
    assert_eq!(press(&mut app, "y"), Some(Action::Restart(unit)));
}

#[test]
fn a_dialog_is_answered_only_where_one_is_open_and_after_a_confirmation() {
    let mut app = app();
    let unit = selected(&app);
    let dialog = app
        .selection()
        .unwrap()
        .question
        .as_ref()
        .unwrap()
        .hash
        .clone();
    let answer = |answer: &str| Action::Answer {
        unit: unit.clone(),
        answer: answer.to_owned(),
        dialog: dialog.clone(),
    };
    assert!(dialog.is_some());
    assert_eq!(
        press(&mut app, "yyyy"),
        None,
        "held down, y must not confirm"
    );
    assert_eq!(press(&mut app, "\n"), Some(answer("yes")));
    assert_eq!(press(&mut app, "ny"), Some(answer("no")));
    assert_eq!(press(&mut app, "2\n"), Some(answer("2")));
    assert_eq!(press(&mut app, ":answer go on\ny"), Some(answer("go on")));
    assert_eq!(press(&mut app, "7"), None);
    assert!(said(&app).contains("no choice 7"), "{}", said(&app));
    let idle = first(&app, State::Idle);
    pick(&mut app, &idle);
    assert_eq!(
        press(&mut app, "y\n"),
        Some(Action::Attach {
            unit: idle,
            read_only: false
        })
    );
}

#[test]
fn an_answer_does_not_land_on_another_dialog() {
    let mut app = app();
    press(&mut app, "y");
    hear(&mut app, demo::listing(100, 1, START));
    assert!(
        matches!(app.mode, Mode::Confirm(_)),
        "the same dialog stands"
    );
    let mut listing = demo::listing(100, 1, START);
    for unit in &mut listing.units {
        if let Some(question) = &mut unit.question {
            question.text = "Delete everything?".into();
        }
    }
    hear(&mut app, listing);
    assert!(matches!(app.mode, Mode::List));
    assert!(
        said(&app).contains("nothing was answered"),
        "{}",
        said(&app)
    );
}

#[test]
fn a_text_is_sent_to_the_unit_it_was_meant_for() {
    let mut app = app();
    let unit = selected(&app);
    assert_eq!(press(&mut app, "sgo on, q"), None);
    app.update(Event::Paste(" pasted\nrxq".into()), START);
    assert_eq!(press(&mut app, "\n"), None);
    assert_eq!(
        press(&mut app, "\n"),
        None,
        "enter asked, enter does not confirm"
    );
    key(&mut app, KeyCode::Esc);
    assert!(
        matches!(app.mode, Mode::Send { .. }),
        "what was written is kept"
    );
    let text = "go on, q pasted\nrxq!".to_owned();
    assert_eq!(press(&mut app, "!\ny"), Some(Action::Send { unit, text }));
    press(&mut app, "s \n");
    assert!(matches!(app.mode, Mode::List), "there is nothing to send");
}

#[test]
fn nothing_is_done_to_a_unit_that_is_gone() {
    for keys in ["r", "sabc", "sabc\n", "y"] {
        let mut app = app();
        press(&mut app, keys);
        let mut listing = demo::listing(100, 0, START);
        let gone = selected(&app);
        listing.units.retain(|unit| unit.unit != gone);
        hear(&mut app, listing);
        assert!(matches!(app.mode, Mode::List), "{keys}");
        assert!(said(&app).contains("is gone"), "{keys}: {}", said(&app));
    }
}

#[test]
fn what_is_pasted_does_not_act_as_keys() {
    let mut app = app();
    for mode in ["", "x", "?"] {
        press(&mut app, mode);
        assert_eq!(app.update(Event::Paste("y\nq\nxy".into()), START), None);
        key(&mut app, KeyCode::Esc);
        assert!(matches!(app.mode, Mode::List), "{mode}");
    }
}

#[test]
fn a_key_with_control_or_alt_is_another_key() {
    let mut app = app();
    for modifiers in [KeyModifiers::CONTROL, KeyModifiers::ALT] {
        let event = KeyEvent::new(KeyCode::Char('x'), modifiers);
        assert_eq!(app.update(Event::Key(event), START), None);
        assert!(matches!(app.mode, Mode::List));
    }
    let mut release = KeyEvent::from(KeyCode::Char('q'));
    release.kind = KeyEventKind::Release;
    assert_eq!(app.update(Event::Key(release), START), None);
    press(&mut app, "/abc");
    let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(app.update(Event::Key(interrupt), START), Some(Action::Quit));
}

#[test]
fn a_filter_acts_as_it_is_typed_and_can_be_taken_back() {
    let mut app = app();
    press(&mut app, "/state:bl");
    assert!(app.shown().all(|unit| unit.state() == State::Blocked));
    let blocked = app.rows.len();
    press(&mut app, "x");
    assert_eq!(
        app.rows.len(),
        blocked,
        "what cannot be read changes nothing"
    );
    press(&mut app, "\n");
    assert!(said(&app).contains("blx"), "{}", said(&app));
    press(&mut app, "/ worker");
    assert!(app.rows.len() < blocked);
    key(&mut app, KeyCode::Esc);
    assert_eq!(app.rows.len(), blocked);
    key(&mut app, KeyCode::Esc);
    assert_eq!(app.rows.len(), 100);
    press(&mut app, ":filter role=docs\n");
    assert_eq!(app.rows.len(), 20);
}

#[test]
fn one_screen_is_asked_for_at_a_time() {
    let mut app = app();
    let names: Vec<_> = app.shown().take(4).map(|unit| unit.unit.clone()).collect();
    let peek = |at: usize| Some(Action::Peek(names[at].clone()));
    let came = |app: &mut App, at: usize| {
        let (unit, rows) = (names[at].clone(), vec!["row".to_owned()]);
        app.update(Event::Peeked { unit, rows }, START)
    };
    assert_eq!(press(&mut app, " "), peek(0));
    assert_eq!(press(&mut app, "jj"), None, "the first has not come yet");
    assert_eq!(came(&mut app, 0), peek(2), "the selection has moved on");
    assert_eq!(came(&mut app, 2), None);
    assert_eq!(
        hear(&mut app, demo::listing(100, 1, START)),
        peek(2),
        "it may have changed"
    );
    let late = Timestamp::from_second(START.as_second() + PEEK_PATIENCE).unwrap();
    assert_eq!(app.update(Event::Tick, START), None);
    hear(&mut app, demo::listing(100, 1, START));
    assert_eq!(
        app.update(Event::Tick, late),
        peek(2),
        "no answer is asked for again"
    );
    press(&mut app, " ");
    assert!(matches!(app.beside, Beside::None));
    assert_eq!(came(&mut app, 2), None, "too late to be of use");
}

#[test]
fn a_daemon_that_is_away_keeps_what_was_known_and_does_nothing() {
    let mut app = app();
    press(&mut app, "r");
    let away = |app: &mut App, second: i64| {
        let now = Timestamp::from_second(START.as_second() + second).unwrap();
        app.update(Event::Lost("refused".into()), now)
    };
    assert_eq!(away(&mut app, 0), None);
    assert!(
        matches!(app.mode, Mode::List),
        "nobody is there to confirm to"
    );
    away(&mut app, 9);
    assert_eq!(app.lost.as_ref().unwrap().since, START);
    assert_eq!(app.rows.len(), 100);
    assert_eq!(press(&mut app, "ry"), None);
    assert!(matches!(press(&mut app, "\n"), Some(Action::Attach { .. })));
    hear(&mut app, demo::listing(100, 0, START));
    assert!(app.lost.is_none());
}

#[test]
fn an_explanation_does_not_take_the_keys_from_somebody_who_types() {
    let mut app = app();
    press(&mut app, "/wor");
    let lines = vec!["because".to_owned(); 90];
    app.update(
        Event::Page {
            title: "why".into(),
            lines,
        },
        START,
    );
    press(&mut app, "ker");
    assert_eq!(app.filter_text, "worker");
    press(&mut app, "\n");
    assert!(matches!(app.mode, Mode::Reading(_)));
    key(&mut app, KeyCode::End);
    let Mode::Reading(page) = &app.mode else {
        unreachable!()
    };
    let end = page.above;
    assert!(end > 0 && end < 90);
    key(&mut app, KeyCode::Down);
    key(&mut app, KeyCode::Up);
    let Mode::Reading(page) = &app.mode else {
        unreachable!()
    };
    assert_eq!(page.above, end - 1, "keys beyond the end are not counted");
    assert_eq!(press(&mut app, "q"), None);
    assert!(matches!(app.mode, Mode::List));
}

#[test]
fn without_a_unit_there_is_nothing_to_act_on() {
    let mut app = App::new(80, 24);
    hear(&mut app, demo::listing(0, 0, START));
    for char in "vlxrsyn5e".chars() {
        assert_eq!(key(&mut app, KeyCode::Char(char)), None);
        assert!(said(&app).contains("no unit"), "{char}: {}", said(&app));
    }
    for char in " djkJK?".chars() {
        assert_eq!(key(&mut app, KeyCode::Char(char)), None);
    }
}
