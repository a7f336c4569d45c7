//! The question before anything is typed into a pane, restarted or stopped.

use crossterm::event::{KeyCode, KeyEvent};

use super::action::Action;
use super::listing::{Question, Unit};

/// Something that is to be done once it is confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Confirm {
    pub(super) action: Action,
    /// The name of the unit.
    pub(super) unit: String,
    /// The dialog that is to be answered, as it was when the answer was chosen.
    pub(super) question: Option<Question>,
    /// The key that led here. Pressed twice, or held down, it must not confirm.
    asked_by: KeyCode,
}

/// What a key does to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Do,
    Leave,
    /// The key means nothing here.
    None,
}

impl Confirm {
    pub(super) fn new(action: Action, about: &Unit, asked_by: KeyCode) -> Self {
        let question = about.question.clone();
        Self {
            question: question.filter(|_| matches!(action, Action::Answer { .. })),
            unit: about.unit.clone(),
            action,
            asked_by,
        }
    }

    pub(super) fn reply(&self, key: KeyEvent) -> Reply {
        match key.code {
            code if code == self.asked_by => Reply::None,
            KeyCode::Char('y') | KeyCode::Enter if key.modifiers.is_empty() => Reply::Do,
            KeyCode::Char('n' | 'q') | KeyCode::Esc => Reply::Leave,
            _ => Reply::None,
        }
    }

    /// The keys that confirm, for people.
    pub(super) const fn keys(&self) -> &'static str {
        match self.asked_by {
            KeyCode::Char('y') => "enter",
            KeyCode::Enter => "y",
            _ => "y or enter",
        }
    }

    /// Why it no longer stands, when the unit is as `now` says; none when it stands.
    pub(super) fn is_void(&self, now: Option<&Unit>) -> Option<String> {
        let unit = &self.unit;
        let Some(now) = now else {
            return Some(format!("{unit} is gone: nothing was done"));
        };
        let answers = matches!(self.action, Action::Answer { .. });
        (answers && now.question != self.question)
            .then(|| format!("the dialog of {unit} changed: nothing was answered"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_by(code: KeyCode) -> Confirm {
        Confirm::new(Action::Stop("w".into()), &Unit::default(), code)
    }

    fn reply(confirm: &Confirm, code: KeyCode) -> Reply {
        confirm.reply(code.into())
    }

    #[test]
    fn the_key_that_asked_does_not_confirm() {
        let by_y = asked_by(KeyCode::Char('y'));
        assert_eq!(reply(&by_y, KeyCode::Char('y')), Reply::None);
        assert_eq!(reply(&by_y, KeyCode::Enter), Reply::Do);
        let by_enter = asked_by(KeyCode::Enter);
        assert_eq!(reply(&by_enter, KeyCode::Enter), Reply::None);
        assert_eq!(reply(&by_enter, KeyCode::Char('y')), Reply::Do);
        let by_n = asked_by(KeyCode::Char('n'));
        assert_eq!(reply(&by_n, KeyCode::Char('n')), Reply::None);
        assert_eq!(reply(&by_n, KeyCode::Esc), Reply::Leave);
    }

    #[test]
    fn other_keys_neither_confirm_nor_leave() {
        for code in [
            KeyCode::Char('x'),
            KeyCode::Char(' '),
            KeyCode::Up,
            KeyCode::Char('Y'),
        ] {
            assert_eq!(
                reply(&asked_by(KeyCode::Char('x')), code),
                Reply::None,
                "{code}"
            );
        }
    }

    #[test]
    fn an_answer_stands_only_for_the_dialog_that_was_read() {
        let mut unit = Unit {
            unit: "w".into(),
            question: Some(Question {
                text: "Delete?".into(),
                ..Question::default()
            }),
            ..Unit::default()
        };
        let answer = Action::Answer {
            unit: "w".into(),
            answer: "yes".into(),
            dialog: None,
        };
        let confirm = Confirm::new(answer, &unit, KeyCode::Char('y'));
        assert_eq!(confirm.is_void(Some(&unit)), None);
        assert!(confirm.is_void(None).is_some());
        unit.question = None;
        assert!(confirm.is_void(Some(&unit)).unwrap().contains("changed"));
    }
}
