//! What each key does.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::action::Action;
use super::command::{self, Command};
use super::confirm::{Confirm, Reply};
use super::filter::Filter;
use super::line::Line;
use super::listing::Unit;
use super::model::{App, Beside, Mode, Page, Peek};
use super::reading;

/// The keys of the list, for the help.
pub(super) const KEYS: [(&str, &str); 23] = [
    ("j k, arrows", "select the next, the previous unit"),
    ("pgup pgdn", "a screenful up, down"),
    ("home end, g G", "the first, the last unit"),
    ("enter", "attach: go to the pane"),
    ("v", "view: attach without being able to type"),
    ("space", "peek: show the pane beside the list"),
    ("d", "describe: all that is known of the unit"),
    ("J K", "scroll what is shown beside the list"),
    ("e", "explain: why it is believed to be in its state"),
    ("l", "logs: what the pane printed"),
    ("y n 0-9", "answer the open dialog, after a confirmation"),
    ("a", "the same with any choice, which is asked for"),
    ("s", "send a text, after a confirmation"),
    ("r", "restart, after a confirmation"),
    ("x", "stop, after a confirmation"),
    ("/", "filter: a part of a name or a profile"),
    ("", "  state:blocked,hung  profile:claude  account:team-a"),
    (
        "",
        "  role=worker for a label, ! before a term for its contrary",
    ),
    ("esc", "close what is open, then show all units again"),
    (":", "a command in words"),
    ("?", "this help"),
    ("ctrl-l", "draw the screen anew"),
    ("q, ctrl-c", "quit"),
];

impl App {
    pub(super) fn key(&mut self, key: KeyEvent) -> Option<Action> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) {
            return Some(Action::Quit);
        }
        self.said = None;
        match &self.mode {
            Mode::List => self.list_key(key),
            Mode::Reading(_) => {
                self.reading_key(key);
                None
            }
            Mode::Confirm(confirm) => {
                let confirm = confirm.clone();
                self.confirm_key(&confirm, key)
            }
            Mode::Filter { .. } => {
                self.filter_key(key);
                None
            }
            Mode::Command(_) => self.command_key(key),
            Mode::Send { .. } => {
                self.send_key(key);
                None
            }
            Mode::Answer { .. } => {
                self.answer_key(key);
                None
            }
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        match &mut self.mode {
            Mode::Filter { line, .. }
            | Mode::Command(line)
            | Mode::Send { line, .. }
            | Mode::Answer { line, .. } => {
                line.paste(text);
                self.refilter();
            }
            // Nothing asked for a text: it must not act as keys.
            Mode::List | Mode::Confirm(_) | Mode::Reading(_) => {}
        }
    }

    fn list_key(&mut self, key: KeyEvent) -> Option<Action> {
        if self.moves(key)
            || key
                .modifiers
                .intersects(KeyModifiers::CONTROL | KeyModifiers::ALT)
        {
            return None;
        }
        let command = match key.code {
            KeyCode::Enter => Command::Attach { read_only: false },
            KeyCode::Char(char) => match char {
                'v' => Command::Attach { read_only: true },
                ' ' => Command::Peek,
                'l' => Command::Logs,
                'r' => Command::Restart,
                'x' => Command::Stop,
                's' => Command::Send(None),
                'a' => Command::Answer(None),
                'y' => Command::Answer(Some("yes".to_owned())),
                'n' => Command::Answer(Some("no".to_owned())),
                '0'..='9' => Command::Answer(Some(char.to_string())),
                'd' => Command::Describe,
                'e' => Command::Explain,
                '?' => Command::Help,
                'q' => Command::Quit,
                'j' | 'k' | 'g' | 'G' => return self.vi_key(char),
                'J' => return self.scroll_beside(1),
                'K' => return self.scroll_beside(-1),
                '/' => {
                    let before = self.filter_text.clone();
                    let line = Line::new(&before);
                    self.mode = Mode::Filter { line, before };
                    return None;
                }
                ':' => {
                    self.mode = Mode::Command(Line::default());
                    return None;
                }
                _ => return None,
            },
            KeyCode::Esc if !matches!(self.beside, Beside::None) => {
                self.beside = Beside::None;
                return None;
            }
            KeyCode::Esc => Command::Filter(String::new()),
            _ => return None,
        };
        self.command(command, key.code)
    }

    fn vi_key(&mut self, char: char) -> Option<Action> {
        self.moves(KeyEvent::from(match char {
            'j' => KeyCode::Down,
            'k' => KeyCode::Up,
            'g' => KeyCode::Home,
            _ => KeyCode::End,
        }));
        None
    }

    /// Moves the selection. Was it a key that does?
    fn moves(&mut self, key: KeyEvent) -> bool {
        let page = usize::from(self.areas().list.height).max(1);
        let row = match key.code {
            KeyCode::Down => self.row.saturating_add(1),
            KeyCode::Up => self.row.saturating_sub(1),
            KeyCode::PageDown => self.row.saturating_add(page),
            KeyCode::PageUp => self.row.saturating_sub(page),
            KeyCode::Home => 0,
            KeyCode::End => usize::MAX,
            _ => return false,
        };
        self.select(row);
        true
    }

    fn scroll_beside(&mut self, by: isize) -> Option<Action> {
        match &mut self.beside {
            Beside::Peek(Peek { below, .. }) => *below = below.saturating_add_signed(-by),
            Beside::Details { above } => *above = above.saturating_add_signed(by),
            Beside::None => {}
        }
        None
    }

    fn command(&mut self, command: Command, by: KeyCode) -> Option<Action> {
        match command {
            Command::Quit => return Some(Action::Quit),
            Command::Help => {
                self.mode = Mode::Reading(Page {
                    title: "keys and commands".to_owned(),
                    lines: reading::help(&KEYS, &command::WORDS),
                    above: 0,
                });
                return None;
            }
            Command::Filter(text) => {
                match Filter::parse(&text) {
                    Ok(filter) => (self.filter, self.filter_text) = (filter, text),
                    Err(error) => self.fail(error.to_string()),
                }
                return None;
            }
            Command::Peek => {
                self.beside = match self.beside {
                    Beside::Peek(_) => Beside::None,
                    _ => Beside::Peek(Peek::default()),
                };
                return None;
            }
            Command::Describe => {
                self.beside = match self.beside {
                    Beside::Details { .. } => Beside::None,
                    _ => Beside::Details { above: 0 },
                };
                return None;
            }
            _ => {}
        }
        let Some(about) = self.selection().cloned() else {
            self.fail("no unit is selected".to_owned());
            return None;
        };
        let unit = about.unit.clone();
        match command {
            Command::Attach { read_only } => Some(Action::Attach { unit, read_only }),
            Command::Logs => Some(Action::Logs(unit)),
            Command::Explain => Some(Action::Explain(unit)),
            Command::Restart => self.ask(Action::Restart(unit), &about, by),
            Command::Stop => self.ask(Action::Stop(unit), &about, by),
            Command::Send(Some(text)) => self.ask(Action::Send { unit, text }, &about, by),
            Command::Send(None) => {
                let line = Line::of_lines();
                self.mode = Mode::Send { unit, line };
                None
            }
            Command::Answer(Some(answer)) => self.answer(answer, &about, by),
            Command::Answer(None) if about.asks() => {
                if about.question.is_none() && !matches!(self.beside, Beside::Peek(_)) {
                    // What it asks stands on its screen alone.
                    self.beside = Beside::Peek(Peek::default());
                }
                let line = Line::default();
                self.mode = Mode::Answer { unit, line };
                None
            }
            Command::Answer(None) => {
                self.fail(format!("{unit} asks nothing"));
                None
            }
            _ => None,
        }
    }

    fn answer(&mut self, answer: String, about: &Unit, by: KeyCode) -> Option<Action> {
        if !about.asks() {
            self.fail(format!("{} asks nothing", about.unit));
            return None;
        }
        let question = about.question.clone().unwrap_or_default();
        let choices = &question.choices;
        let number = answer.bytes().all(|byte| byte.is_ascii_digit());
        if number && !choices.is_empty() && choices.iter().all(|choice| choice.key != answer) {
            self.fail(format!(
                "the dialog of {} has no choice {answer}",
                about.unit
            ));
            return None;
        }
        let (unit, dialog) = (about.unit.clone(), question.hash.clone());
        let action = Action::Answer {
            unit,
            answer,
            dialog,
        };
        self.ask(action, about, by)
    }

    /// Asks before doing. Always none: the answer to it is the action.
    fn ask(&mut self, action: Action, about: &Unit, by: KeyCode) -> Option<Action> {
        if self.lost.is_some() {
            self.fail("the guardian cannot be reached: nothing can be done now".to_owned());
        } else {
            self.mode = Mode::Confirm(Confirm::new(action, about, by));
        }
        None
    }

    fn confirm_key(&mut self, confirm: &Confirm, key: KeyEvent) -> Option<Action> {
        match confirm.reply(key) {
            Reply::Do => {
                self.mode = Mode::List;
                self.say(format!(
                    "asked to {} {}",
                    confirm.action.verb(),
                    confirm.unit
                ));
                return Some(confirm.action.clone());
            }
            Reply::Leave => {
                self.mode = Mode::List;
                if let Action::Send { unit, text } = &confirm.action {
                    // What was written is not thrown away by one key.
                    let mut line = Line::of_lines();
                    line.paste(text);
                    let unit = unit.clone();
                    self.mode = Mode::Send { unit, line };
                }
            }
            Reply::None => {}
        }
        None
    }

    fn filter_key(&mut self, key: KeyEvent) {
        let Mode::Filter { line, before } = &mut self.mode else {
            return;
        };
        match key.code {
            KeyCode::Enter => {
                if let Err(error) = Filter::parse(&line.text()) {
                    self.fail(error.to_string());
                }
                self.mode = Mode::List;
            }
            KeyCode::Esc => {
                self.filter_text = before.clone();
                self.filter = Filter::parse(before).unwrap_or_default();
                self.mode = Mode::List;
            }
            KeyCode::Up | KeyCode::Down | KeyCode::PageUp | KeyCode::PageDown => {
                self.moves(key);
            }
            _ => {
                line.key(key);
                self.refilter();
            }
        }
    }

    /// A filter acts as it is typed; what cannot be read yet leaves it as it was.
    fn refilter(&mut self) {
        if let Mode::Filter { line, .. } = &self.mode
            && let text = line.text()
            && let Ok(filter) = Filter::parse(&text)
        {
            (self.filter, self.filter_text) = (filter, text);
        }
    }

    fn command_key(&mut self, key: KeyEvent) -> Option<Action> {
        let Mode::Command(line) = &mut self.mode else {
            return None;
        };
        match key.code {
            KeyCode::Enter => {
                let parsed = Command::parse(&line.text());
                self.mode = Mode::List;
                match parsed {
                    Ok(command) => return self.command(command?, key.code),
                    Err(error) => self.fail(error.to_string()),
                }
            }
            KeyCode::Esc => self.mode = Mode::List,
            KeyCode::Backspace if line.text().is_empty() => self.mode = Mode::List,
            _ => line.key(key),
        }
        None
    }

    fn send_key(&mut self, key: KeyEvent) {
        let Mode::Send { unit, line } = &mut self.mode else {
            return;
        };
        match key.code {
            KeyCode::Enter => {
                let (unit, text) = (unit.clone(), line.text());
                self.mode = Mode::List;
                let about = self.unit(&unit).cloned();
                if let Some(about) = about.filter(|_| !text.trim().is_empty()) {
                    self.ask(Action::Send { unit, text }, &about, key.code);
                }
            }
            KeyCode::Esc => self.mode = Mode::List,
            _ => line.key(key),
        }
    }

    fn answer_key(&mut self, key: KeyEvent) {
        let Mode::Answer { unit, line } = &mut self.mode else {
            return;
        };
        match key.code {
            KeyCode::Enter => {
                let (unit, text) = (unit.clone(), line.text().trim().to_owned());
                self.mode = Mode::List;
                let about = self.unit(&unit).cloned();
                if let Some(about) = about.filter(|_| !text.is_empty()) {
                    self.answer(text, &about, key.code);
                }
            }
            KeyCode::Esc => self.mode = Mode::List,
            _ => line.key(key),
        }
    }

    fn reading_key(&mut self, key: KeyEvent) {
        let page = usize::from(self.areas().body.height).max(1);
        let Mode::Reading(Page { above, .. }) = &mut self.mode else {
            return;
        };
        match key.code {
            KeyCode::Char('j') | KeyCode::Down => *above = above.saturating_add(1),
            KeyCode::Char('k') | KeyCode::Up => *above = above.saturating_sub(1),
            KeyCode::Char(' ') | KeyCode::PageDown => *above = above.saturating_add(page),
            KeyCode::PageUp => *above = above.saturating_sub(page),
            KeyCode::Char('g') | KeyCode::Home => *above = 0,
            KeyCode::Char('G') | KeyCode::End => *above = usize::MAX,
            KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q' | '?') => self.mode = Mode::List,
            _ => {}
        }
    }
}
