//! How a program is written to, stopped, and taken up again.

use std::time::Duration;

use serde::Deserialize;

use crate::config::Span;

/// How a prompt is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Sending {
    /// How the text gets there.
    pub paste: Paste,
    /// How long to wait between its echo and Enter: some programs eat an Enter that comes with a paste.
    settle: Span,
    /// The key that sends, as tmux calls it.
    pub enter: String,
    /// What a long paste is folded to in the box: texts of which one stands there in its stead.
    #[serde(default)]
    pub folds: Vec<String>,
    /// Beginnings of prompts that the program takes for something else, such as a shell command that it
    /// runs: they are refused.
    #[serde(default)]
    pub refuses: Vec<String>,
    /// Does Enter while the program is busy keep the prompt for later?
    #[serde(default)]
    pub queues: bool,
}

impl Sending {
    /// The beginning by which the program would take a prompt for something else.
    #[must_use]
    pub fn refused<'a>(&'a self, prompt: &str) -> Option<&'a str> {
        let begins = |beginning: &&String| prompt.trim_start().starts_with(beginning.as_str());
        self.refuses.iter().find(begins).map(String::as_str)
    }

    /// See `settle` above: from the echo to Enter.
    #[must_use]
    pub const fn settle(&self) -> Duration {
        self.settle.0
    }
}

/// How text gets into a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Paste {
    /// `paste-buffer -p`: in brackets, as one.
    Bracketed,
    /// `send-keys -l`, one line at most.
    Keys,
}

/// Keys, as tmux calls them, to be sent one after another, each on its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Keys {
    /// Stops a turn.
    pub interrupt: Vec<String>,
    /// Empties the box. Empty where nothing does without danger.
    #[serde(default)]
    pub clear: Vec<String>,
    /// Ends the program from its idle, empty box.
    pub exit: Vec<String>,
    gap: Span,
}

impl Keys {
    /// How long to wait between two of them.
    #[must_use]
    pub const fn gap(&self) -> Duration {
        self.gap.0
    }
}

/// How to take up an earlier session: argv templates.
///
/// `{program}` is the first word of the unit's command, `{args}` its other words, `{id}` the session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Resume {
    /// A certain session.
    #[serde(default)]
    pub id: Option<Vec<String>>,
    /// The last one of the working folder.
    #[serde(default)]
    pub latest: Option<Vec<String>>,
}

impl Resume {
    /// The argv that takes up session `id`; `None` where the program cannot, or where `id` is no name
    /// of a session.
    #[must_use]
    pub fn by_id(&self, argv: &[String], id: &str) -> Option<Vec<String>> {
        let fine = (1..=128).contains(&id.len())
            && !id.starts_with('-')
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        fill(self.id.as_deref().filter(|_| fine)?, argv, id)
    }

    /// The argv that takes up the last session of the working folder, where the program can.
    #[must_use]
    pub fn latest(&self, argv: &[String]) -> Option<Vec<String>> {
        fill(self.latest.as_deref()?, argv, "")
    }
}

fn fill(template: &[String], argv: &[String], id: &str) -> Option<Vec<String>> {
    let (program, args) = argv.split_first()?;
    let mut filled = Vec::new();
    for word in template {
        match word.as_str() {
            "{program}" => filled.push(program.clone()),
            "{args}" => filled.extend_from_slice(args),
            "{id}" => filled.push(id.to_owned()),
            word => filled.push(word.to_owned()),
        }
    }
    Some(filled)
}

/// When silence is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Hang {
    after: Span,
    tool_after: Span,
    start_within: Span,
}

impl Hang {
    /// How long it may be busy without any progress.
    #[must_use]
    pub const fn after(&self) -> Duration {
        self.after.0
    }

    /// The same while a tool runs.
    #[must_use]
    pub const fn tool_after(&self) -> Duration {
        self.tool_after.0
    }

    /// How long it may take to come up.
    #[must_use]
    pub const fn start_within(&self) -> Duration {
        self.start_within.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn a_session_is_taken_up_with_the_units_own_arguments() {
        let resume = Resume {
            id: Some(words(&["{program}", "resume", "{id}", "{args}"])),
            latest: None,
        };
        let argv = words(&["/opt/codex", "-m", "x y"]);
        assert_eq!(
            resume.by_id(&argv, "0199-ab"),
            Some(words(&["/opt/codex", "resume", "0199-ab", "-m", "x y"]))
        );
        assert_eq!(resume.latest(&argv), None);
        assert_eq!(resume.by_id(&[], "0199-ab"), None);
    }

    #[test]
    fn what_could_be_an_option_is_no_session() {
        let resume = Resume {
            id: Some(words(&["{program}", "{id}"])),
            latest: None,
        };
        let long = "x".repeat(129);
        for id in ["", "--yolo", "a b", "a;b", "a/b", "ä", &long] {
            assert_eq!(resume.by_id(&words(&["x"]), id), None, "{id:?}");
        }
    }
}
