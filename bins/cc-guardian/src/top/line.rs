//! A line that is being typed.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A line takes this many bytes; what comes after is dropped.
const LIMIT: usize = 64 * 1024;

/// Text and the place in it where typing goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    before: String,
    after: String,
    /// Does it keep line ends and tabs? Else they become spaces.
    lines: bool,
}

impl Line {
    /// A line of its own that begins as `text`.
    pub(super) fn new(text: &str) -> Self {
        Self {
            before: text.to_owned(),
            ..Self::default()
        }
    }

    /// One whose text may have several lines, by pasting.
    pub(super) fn of_lines() -> Self {
        Self {
            lines: true,
            ..Self::default()
        }
    }

    pub(super) fn text(&self) -> String {
        format!("{}{}", self.before, self.after)
    }

    /// What stands before and behind the cursor.
    pub(super) fn parts(&self) -> (&str, &str) {
        (&self.before, &self.after)
    }

    /// Takes pasted text. It is data: no control in it acts, and none but line ends and tabs is kept.
    pub(super) fn paste(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        for char in text.chars() {
            match char {
                '\n' | '\t' if self.lines => self.insert(char),
                '\n' | '\t' => self.insert(' '),
                char if char.is_control() => {}
                char => self.insert(char),
            }
        }
    }

    fn insert(&mut self, char: char) {
        if self.before.len() + self.after.len() + char.len_utf8() <= LIMIT {
            self.before.push(char);
        }
    }

    /// Takes a key that edits. Others are ignored.
    pub(super) fn key(&mut self, key: KeyEvent) {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('u') if control => self.before.clear(),
            KeyCode::Char('k') if control => self.after.clear(),
            KeyCode::Char('w') if control => self.rub_word(),
            KeyCode::Char('a') if control => self.go_to_start(),
            KeyCode::Char('e') if control => self.go_to_end(),
            KeyCode::Char('h') if control => self.rub(),
            KeyCode::Char(_) if control || key.modifiers.contains(KeyModifiers::ALT) => {}
            KeyCode::Char(char) if !char.is_control() => self.insert(char),
            KeyCode::Backspace => self.rub(),
            KeyCode::Delete => {
                let mut rest = self.after.chars();
                rest.next();
                self.after = rest.as_str().to_owned();
            }
            KeyCode::Left => {
                if let Some(char) = self.before.pop() {
                    self.after.insert(0, char);
                }
            }
            KeyCode::Right => {
                let mut rest = self.after.chars();
                self.before.extend(rest.next());
                self.after = rest.as_str().to_owned();
            }
            KeyCode::Home => self.go_to_start(),
            KeyCode::End => self.go_to_end(),
            _ => {}
        }
    }

    fn rub(&mut self) {
        self.before.pop();
    }

    fn rub_word(&mut self) {
        let kept = self.before.trim_end();
        let kept = kept.rfind(char::is_whitespace).map_or(0, |at| {
            kept.get(at..)
                .and_then(|rest| rest.chars().next())
                .map_or(at, |space| at + space.len_utf8())
        });
        self.before.truncate(kept);
    }

    fn go_to_start(&mut self) {
        self.after.insert_str(0, &self.before);
        self.before.clear();
    }

    fn go_to_end(&mut self) {
        self.before.push_str(&self.after);
        self.after.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &mut Line, keys: &[(KeyCode, KeyModifiers)]) {
        for (code, modifiers) in keys {
            line.key(KeyEvent::new(*code, *modifiers));
        }
    }

    const PLAIN: KeyModifiers = KeyModifiers::NONE;
    const CONTROL: KeyModifiers = KeyModifiers::CONTROL;

    #[test]
    fn keys_edit_where_the_cursor_is() {
        let mut line = Line::new("日本 two");
        typed(
            &mut line,
            &[(KeyCode::Home, PLAIN), (KeyCode::Right, PLAIN)],
        );
        typed(&mut line, &[(KeyCode::Char('x'), PLAIN)]);
        assert_eq!(line.parts(), ("日x", "本 two"));
        typed(
            &mut line,
            &[(KeyCode::Delete, PLAIN), (KeyCode::End, PLAIN)],
        );
        typed(&mut line, &[(KeyCode::Char('w'), CONTROL)]);
        assert_eq!(line.parts(), ("日x ", ""));
        typed(&mut line, &[(KeyCode::Char('w'), CONTROL)]);
        assert_eq!(line.text(), "");
    }

    #[test]
    fn pasted_controls_do_not_act() {
        let mut line = Line::default();
        line.paste("a\x1b[31m\r\nb\tc\u{9b}");
        assert_eq!(line.text(), "a[31m b c");
        let mut lines = Line::of_lines();
        lines.paste("a\r\nb\tc");
        assert_eq!(lines.text(), "a\nb\tc");
    }

    #[test]
    fn a_key_with_control_types_nothing() {
        let mut line = Line::default();
        typed(
            &mut line,
            &[
                (KeyCode::Char('x'), CONTROL),
                (KeyCode::Char('x'), KeyModifiers::ALT),
            ],
        );
        assert_eq!(line.text(), "");
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let mut line = Line::default();
        line.paste(&"é".repeat(LIMIT));
        assert_eq!(line.text().len(), LIMIT);
    }
}
