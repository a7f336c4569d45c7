//! The dialog on a screen, and the draft in a box.

use regex::Regex;

use super::reading::{self, Choice, Says};
use super::region::Cut;
use super::written::Fixed;

/// How a question is read off the screen.
#[derive(Debug)]
pub(super) struct Dialog {
    pub(super) region: usize,
    pub(super) choice: Option<Regex>,
    pub(super) fixed: Vec<Choice>,
    pub(super) help: Option<Regex>,
    pub(super) yes: Option<Regex>,
    pub(super) no: Option<Regex>,
    pub(super) enter: bool,
}

/// Where text waits to be sent.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) region: usize,
    pub(super) prompt: Regex,
    pub(super) placeholders: Vec<Regex>,
    pub(super) cursor: bool,
    pub(super) only_with_cursor: bool,
    pub(super) repeats: bool,
}

impl From<Fixed> for Choice {
    fn from(fixed: Fixed) -> Self {
        Self {
            key: fixed.key,
            text: fixed.text,
            says: None,
            enter: false,
        }
    }
}

impl Dialog {
    /// The question that stands there; `None` where none can be made out.
    pub(super) fn read(&self, cut: &Cut<'_>) -> Option<reading::Dialog> {
        let rows: Vec<&str> = cut
            .rows(self.region)?
            .iter()
            .map(|row| cut.unframed(self.region, row))
            .filter(|row| !self.help.as_ref().is_some_and(|help| help.is_match(row)))
            .collect();
        let (asked, mut choices) = self.choices(&rows);
        choices.extend(self.fixed.iter().cloned());
        let question: Vec<&str> = rows
            .get(..asked)?
            .iter()
            .copied()
            .filter(|row| !row.trim().is_empty())
            .collect();
        if question.is_empty() && choices.is_empty() {
            return None;
        }
        // Rows and parts keep their borders in the hash, so that no two questions run into one.
        let mut hasher = blake3::Hasher::new();
        for row in &question {
            hasher.update(row.as_bytes()).update(b"\n");
        }
        for Choice { key, text, .. } in &choices {
            for part in [key, text] {
                hasher.update(b"\0").update(part.as_bytes());
            }
        }
        let mut first = [0; 8];
        hasher.finalize_xof().fill(&mut first);
        let question: Vec<&str> = question.iter().map(|row| row.trim()).collect();
        Some(reading::Dialog {
            hash: u64::from_le_bytes(first),
            question: reading::said(&question.join(" ")),
            choices: choices
                .into_iter()
                .map(|choice| Choice {
                    says: self.says(&choice.text),
                    enter: self.enter,
                    key: choice.key,
                    text: reading::said(&choice.text),
                })
                .collect(),
        })
    }

    fn says(&self, text: &str) -> Option<Says> {
        let is = |regex: &Option<Regex>| regex.as_ref().is_some_and(|regex| regex.is_match(text));
        match (is(&self.yes), is(&self.no)) {
            (true, false) => Some(Says::Yes),
            (false, true) => Some(Says::No),
            _ => None,
        }
    }

    /// At which row the choices begin, and the choices: those that stand last, from number 1 where
    /// they are numbered, since what is asked about may hold a list of its own.
    fn choices(&self, rows: &[&str]) -> (usize, Vec<Choice>) {
        let Some(regex) = &self.choice else {
            return (rows.len(), Vec::new());
        };
        let found: Vec<(usize, Choice)> = rows
            .iter()
            .enumerate()
            .filter_map(|(at, row)| Some((at, choice_of(regex, row)?)))
            .collect();
        let from = found
            .iter()
            .rposition(|(_, choice)| choice.key == "1")
            .unwrap_or(0);
        let found = found.get(from..).unwrap_or_default();
        let Some((asked, _)) = found.first() else {
            return (rows.len(), Vec::new());
        };
        let mut choices = Vec::new();
        for (number, (at, choice)) in found.iter().enumerate() {
            let next = found.get(number + 1).map_or(rows.len(), |(next, _)| *next);
            let mut choice = choice.clone();
            // A long choice goes on in the rows below.
            let more = rows.get(at + 1..next).unwrap_or_default();
            for row in more.iter().take_while(|row| !row.trim().is_empty()) {
                choice.text.push(' ');
                choice.text.push_str(row.trim());
            }
            choices.push(choice);
        }
        (*asked, choices)
    }
}

fn choice_of(regex: &Regex, row: &str) -> Option<Choice> {
    let found = regex.captures(row)?;
    let group = |name| {
        let found = found.name(name).map_or("", |found| found.as_str());
        found.trim().to_owned()
    };
    Some(Choice {
        key: group("key"),
        text: group("text"),
        says: None,
        enter: false,
    })
}

impl Input {
    /// What stands in the box and is not its placeholder.
    pub(super) fn draft(&self, cut: &Cut<'_>) -> Option<String> {
        let rows = cut.rows(self.region)?;
        let (first, more) = rows.split_first()?;
        let prompt = self.prompt.find(first)?;
        if self.only_with_cursor && self.is_left(cut) {
            return None;
        }
        let text = first.get(prompt.end()..)?;
        let unframed = cut.unframed(self.region, text).trim();
        let mut draft = unframed.to_owned();
        for row in more {
            let again = self.prompt.find(row).filter(|_| self.repeats);
            let row = row.get(again.map_or(0, |again| again.end())..)?;
            draft.push('\n');
            draft.push_str(cut.unframed(self.region, row).trim());
        }
        let draft = draft.trim();
        let like_empty = self.placeholders.iter().any(|regex| regex.is_match(draft));
        if draft.is_empty() || (like_empty && self.at_start(cut, first, prompt.end())) {
            return None;
        }
        Some(draft.to_owned())
    }

    /// Is the cursor elsewhere, or hidden, as far as is known?
    fn is_left(&self, cut: &Cut<'_>) -> bool {
        cut.screen().is_some_and(|screen| {
            let elsewhere = screen.cursor.is_some() && cut.cursor(self.region).is_none();
            elsewhere || screen.cursor_visible == Some(false)
        })
    }

    /// Is the cursor where an empty box has it, as far as is known?
    fn at_start(&self, cut: &Cut<'_>, row: &str, prompt: usize) -> bool {
        if !self.cursor {
            return true;
        }
        let Some((_, column)) = cut.cursor(self.region) else {
            return true;
        };
        // The cut row may have lost the blank behind its prompt; one column more is still the start.
        let start = row.get(..prompt).unwrap_or(row).chars().count();
        usize::from(column) <= start + 1
    }
}
