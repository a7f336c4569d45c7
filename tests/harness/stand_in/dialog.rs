//! Questions that own the keys: what they show, and what an answer does.

use super::agent::Like;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// May a command be run?
    Permission,
    /// One of several answers.
    Question,
    /// Is the plan good?
    Plan,
    /// Is the folder trusted?
    Trust,
    /// How to sign in.
    Login,
    /// A menu that somebody opened: claude's Rewind, codex's place of a new conversation.
    Menu,
    /// Leave, with a task still running?
    Exit,
}

impl Kind {
    /// The names by which scripts and reports know them.
    const NAMES: [(&'static str, Self); 7] = [
        ("permission", Self::Permission),
        ("question", Self::Question),
        ("plan", Self::Plan),
        ("trust", Self::Trust),
        ("login", Self::Login),
        ("menu", Self::Menu),
        ("exit", Self::Exit),
    ];

    /// The kind of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let known = Self::NAMES.iter().find(|(known, _)| *known == name);
        known.map(|(_, kind)| *kind)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        let known = Self::NAMES.iter().find(|(_, kind)| *kind == self);
        known.map_or("", |(name, _)| name)
    }
}

/// What an answer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// The turn goes on.
    Go,
    /// The turn is over.
    Stop,
    /// The program ends.
    Quit,
}

/// One answer that can be given.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) label: String,
    /// A letter that gives it at once; its number does too.
    pub(super) key: Option<char>,
    pub(super) then: Then,
}

/// A dialog as it is drawn.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    pub(super) head: Vec<String>,
    pub(super) choices: Vec<Choice>,
    pub(super) foot: Option<&'static str>,
    /// What stands before the answer that Enter would give.
    pub(super) mark: &'static str,
}

/// A dialog that is open.
#[derive(Clone, Debug)]
pub(super) struct Dialog {
    pub(super) kind: Kind,
    /// What would be run.
    pub(super) command: String,
    pub(super) sheet: Sheet,
    pub(super) selected: usize,
}

impl Dialog {
    /// Opens one; `command` is what would be run, `cwd` the folder.
    pub(super) fn open(kind: Kind, like: Like, command: &str, cwd: &str) -> Self {
        let sheet = match like {
            Like::Codex => codex(kind, command, cwd),
            Like::Claude | Like::Shell => claude(kind, command, cwd),
        };
        Self {
            kind,
            command: command.to_owned(),
            sheet,
            selected: 0,
        }
    }

    /// Which answer a typed character gives.
    pub(super) fn typed(&self, c: char) -> Option<usize> {
        let by_key = self.sheet.choices.iter().position(|it| it.key == Some(c));
        let number = c.to_digit(10).and_then(|digit| digit.checked_sub(1));
        let by_number = number.and_then(|number| usize::try_from(number).ok());
        by_key.or_else(|| by_number.filter(|at| *at < self.sheet.choices.len()))
    }

    /// Which answer Escape gives: the last, which is always the most careful.
    pub(super) fn escaped(&self) -> usize {
        self.sheet.choices.len().saturating_sub(1)
    }

    /// Moves the mark; at an end it stays.
    pub(super) fn step(&mut self, down: bool) {
        let last = self.sheet.choices.len().saturating_sub(1);
        self.selected = match down {
            true => (self.selected + 1).min(last),
            false => self.selected.saturating_sub(1),
        };
    }
}

fn choice(label: impl Into<String>, then: Then) -> Choice {
    Choice {
        label: label.into(),
        key: None,
        then,
    }
}

fn keyed(label: &str, key: char, then: Then) -> Choice {
    Choice {
        label: label.to_owned(),
        key: Some(key),
        then,
    }
}

fn lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

fn claude(kind: Kind, command: &str, cwd: &str) -> Sheet {
    let (head, choices, foot) = match kind {
        Kind::Permission => (
            lines(&[
                " Bash command",
                "",
                &format!("   {command}"),
                "   Run a command",
                "",
                " Do you want to proceed?",
            ]),
            vec![
                choice("Yes", Then::Go),
                choice(
                    format!("Yes, and always allow access to {cwd} from this project"),
                    Then::Go,
                ),
                choice("No", Then::Stop),
            ],
            Some(" Esc to cancel · Tab to amend · ctrl+e to explain"),
        ),
        Kind::Question => (
            lines(&[" ☐ Colour", "", "Which colour shall it have?", ""]),
            vec![
                choice("Red", Then::Go),
                choice("Green", Then::Go),
                choice("Chat about this", Then::Stop),
            ],
            Some("Enter to select · ↑/↓ to navigate · Esc to cancel"),
        ),
        Kind::Plan => (
            lines(&[
                " Ready to code?",
                "",
                " Here is Claude's plan:",
                " 1. Read the files",
                " 2. Write the tests",
                "",
                " Claude has written up a plan and is ready to execute. Would you like to",
                " proceed?",
                "",
            ]),
            vec![
                choice("Yes, and use auto mode", Then::Go),
                choice("Yes, manually approve edits", Then::Go),
                choice("Tell Claude what to change", Then::Stop),
            ],
            Some(" ctrl+g to edit in  Vim"),
        ),
        Kind::Trust => (
            lines(&[
                " Accessing workspace:",
                "",
                &format!(" {cwd}"),
                "",
                " Quick safety check: Is this a project you created or one you trust?",
                "",
                " Security guide",
                "",
            ]),
            vec![
                choice("Yes, I trust this folder", Then::Go),
                choice("No, exit", Then::Quit),
            ],
            Some(" Enter to confirm · Esc to cancel"),
        ),
        Kind::Login => (
            lines(&[" Select login method:", ""]),
            vec![
                choice("Claude account with subscription", Then::Go),
                choice("Anthropic Console account", Then::Stop),
            ],
            None,
        ),
        Kind::Menu => (
            lines(&[
                " Rewind",
                "",
                " Restore the conversation to the point before…",
                "",
            ]),
            vec![
                choice("(current)", Then::Go),
                choice("Never mind", Then::Go),
            ],
            Some(" Enter to continue · Esc to cancel"),
        ),
        Kind::Exit => (
            lines(&[" Background work is running", ""]),
            vec![choice("Exit anyway", Then::Quit), choice("Stay", Then::Go)],
            Some(" Enter to confirm · Esc to cancel"),
        ),
    };
    Sheet {
        head,
        choices,
        foot,
        mark: "❯",
    }
}

fn codex(kind: Kind, command: &str, cwd: &str) -> Sheet {
    let mut mark = "›";
    let (head, choices, foot) = match kind {
        Kind::Permission => (
            lines(&[
                "  Would you like to run the following command?",
                "",
                "  Reason: it needs to leave the sandbox",
                "",
                &format!("  $ {command}"),
                "",
            ]),
            vec![
                keyed("Yes, proceed (y)", 'y', Then::Go),
                keyed(
                    "Yes, and don't ask again for commands that start so (p)",
                    'p',
                    Then::Go,
                ),
                choice(
                    "No, and tell Codex what to do differently (esc)",
                    Then::Stop,
                ),
            ],
            Some("  Press enter to confirm or esc to cancel"),
        ),
        Kind::Question => (
            lines(&["  Question 1/1", "  Which colour should it have?", ""]),
            vec![
                choice("Red", Then::Go),
                choice("Green", Then::Go),
                choice("None of the above", Then::Stop),
            ],
            Some("  enter to submit answer | esc to interrupt"),
        ),
        Kind::Plan => (
            lines(&["  Implement this plan?", ""]),
            vec![
                choice("Yes, implement this plan", Then::Go),
                choice("No, stay in Plan mode", Then::Stop),
            ],
            Some("  Press enter to confirm or esc to cancel"),
        ),
        Kind::Trust => (
            lines(&["  Folder access", "", &format!("  {cwd}"), ""]),
            vec![
                choice("Trust and continue", Then::Go),
                choice("Quit", Then::Quit),
            ],
            Some("  enter continue · esc back"),
        ),
        Kind::Login => {
            mark = ">";
            (
                lines(&["  Choose how you want to use Codex.", ""]),
                vec![
                    choice("Sign in with ChatGPT", Then::Go),
                    choice("Provide your own API key", Then::Go),
                ],
                Some("  Press enter to continue"),
            )
        }
        Kind::Menu => (
            lines(&["  Where should the new conversation run?", ""]),
            vec![
                choice("In this folder", Then::Go),
                choice("In a new worktree", Then::Go),
            ],
            Some("  enter select · esc back"),
        ),
        Kind::Exit => (
            lines(&["  Task is still running", ""]),
            vec![
                choice("Cancel task", Then::Stop),
                choice("Run in background", Then::Quit),
                choice("Exit", Then::Quit),
            ],
            Some("  enter select · esc back"),
        ),
    };
    Sheet {
        head,
        choices,
        foot,
        mark,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        for (name, kind) in Kind::NAMES {
            assert_eq!(Kind::parse(name), Some(kind));
            assert_eq!(kind.name(), name);
        }
        assert_eq!(Kind::parse("dance"), None);
    }

    #[test]
    fn an_answer_is_given_by_number_or_letter() {
        let dialog = Dialog::open(Kind::Permission, Like::Codex, "ls", "/w");
        assert_eq!(dialog.typed('y'), Some(0));
        assert_eq!(dialog.typed('p'), Some(1));
        assert_eq!(dialog.typed('3'), Some(2));
        assert_eq!(dialog.typed('4'), None);
        assert_eq!(dialog.typed('0'), None);
        assert_eq!(dialog.typed('n'), None);
    }

    #[test]
    fn the_mark_stays_at_an_end() {
        let mut dialog = Dialog::open(Kind::Trust, Like::Claude, "", "/w");
        dialog.step(false);
        assert_eq!(dialog.selected, 0);
        dialog.step(true);
        dialog.step(true);
        assert_eq!(dialog.selected, 1);
    }
}
