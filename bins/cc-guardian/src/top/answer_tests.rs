use super::*;
use crate::top::demo::{self, START};
use crate::top::listing::Question;
use crossterm::event::KeyCode;

/// A dashboard of one unit that is blocked, and may have said by what.
fn app(question: Option<Question>) -> App {
    let mut app = App::new(80, 24);
    hear(&mut app, "blocked", question);
    app
}

fn hear(app: &mut App, state: &str, question: Option<Question>) {
    let mut listing = demo::listing(1, 0, START);
    let unit = &mut listing.units[0];
    (unit.unit, unit.state_word) = ("w@1".into(), state.into());
    unit.question = question;
    app.update(Event::Listing(listing), START);
}

fn question(text: &str) -> Option<Question> {
    Some(Question {
        text: text.into(),
        ..Question::default()
    })
}

fn press(app: &mut App, keys: &str) -> Option<Action> {
    let mut action = None;
    for char in keys.chars() {
        let code = match char {
            '\n' => KeyCode::Enter,
            char => KeyCode::Char(char),
        };
        action = app.update(Event::Key(code.into()), START);
    }
    action
}

fn answer(text: &str) -> Option<Action> {
    Some(Action::Answer {
        unit: "w@1".into(),
        answer: text.into(),
        dialog: None,
    })
}

#[test]
fn any_answer_may_be_typed_and_is_confirmed() {
    let mut app = app(question("Which colour?"));
    assert_eq!(press(&mut app, "adark red \n"), None);
    assert!(matches!(app.mode, Mode::Confirm(_)));
    assert_eq!(press(&mut app, "\n"), None, "the key that asked");
    assert_eq!(press(&mut app, "y"), answer("dark red"));
}

#[test]
fn nothing_typed_is_no_answer() {
    let mut app = app(question("Which colour?"));
    assert_eq!(press(&mut app, "a  \n"), None);
    assert!(matches!(app.mode, Mode::List));
}

#[test]
fn where_it_is_not_known_what_is_asked_the_screen_is_shown() {
    let mut app = app(None);
    assert_eq!(press(&mut app, "a"), Some(Action::Peek("w@1".into())));
    assert_eq!(press(&mut app, "1\n"), None);
    assert_eq!(press(&mut app, "y"), answer("1"));
}

#[test]
fn what_asks_nothing_any_more_is_not_answered() {
    let mut app = app(question("Which colour?"));
    press(&mut app, "ared");
    hear(&mut app, "busy", None);
    assert!(matches!(app.mode, Mode::List));
    assert!(
        app.said
            .as_ref()
            .unwrap()
            .text
            .contains("asks nothing any more")
    );
    press(&mut app, "a");
    assert!(app.said.as_ref().unwrap().text.contains("w@1 asks nothing"));
    assert_eq!(press(&mut app, "y"), None);
}
