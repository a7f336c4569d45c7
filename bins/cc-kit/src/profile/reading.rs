//! What comes out.

use std::fmt;

use serde::Serialize;

use super::Profile;
use super::state::State;
use crate::printable::printable;

/// The longest text of an [`Evidence`], in characters.
const EVIDENCE: usize = 200;
/// The longest of any other text, in characters.
const TEXT: usize = 2000;

/// What a profile makes of one sight. All text in it is printable.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reading {
    /// What the program is doing.
    pub state: State,
    /// More of it: `permission`, `thinking`, `usage`, .. as its rule has it. `draft` where the program
    /// is idle and text stands in its box; `another-program` where the one in front is not it.
    pub sub: Option<String>,
    /// How sure that is, from 0 to 1; see [the module](super#confidence).
    pub confidence: f32,
    /// What it was seen by: the winner's first, then what agrees, then what objects.
    pub evidence: Vec<Evidence>,
    /// What the program says of a limit, where it is limited: the text a time may be read from.
    pub limit_text: Option<String>,
    /// How it goes on when what stopped it is over, where its profile knows.
    pub go_on: Option<GoOn>,
    /// What stands in the box and has not been sent.
    pub draft: Option<String>,
    /// What it asks, where a dialog owns the keys and can be made out: nothing may be pasted then. That
    /// is so of blocked programs, and of some that are limited.
    pub dialog: Option<Dialog>,
}

/// Something that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// The rule's id.
    pub rule: String,
    /// Where.
    pub seen: Seen,
    /// The text itself, up to 200 characters.
    pub text: String,
}

/// Where something was seen, from the least to the most to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Seen {
    /// On the screen.
    Screen,
    /// By the cursor: shown or hidden, and where.
    Cursor,
    /// In the title.
    Title,
    /// In the byte stream.
    InBand,
    /// By the name of the program in front.
    Command,
    /// Said by the program itself through a hook.
    Hook,
    /// What the system says of its process.
    Process,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Screen => "screen",
            Self::Cursor => "cursor",
            Self::Title => "title",
            Self::InBand => "in-band",
            Self::Command => "command",
            Self::Hook => "hook",
            Self::Process => "process",
        })
    }
}

/// How a program goes on that is limited, or has failed for a while.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct GoOn {
    /// First by this choice of the dialog that stands there.
    pub choice: Option<Choice>,
    /// Then by this prompt in its box.
    pub prompt: Option<String>,
}

/// A question that owns the keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dialog {
    /// Of the whole question as it stands on the screen, and its choices, without what is selected. An
    /// answer goes only to a dialog of the same hash: the next command to be allowed has another one.
    pub hash: u64,
    /// What is asked, with what it is asked about.
    pub question: String,
    /// What can be answered.
    pub choices: Vec<Choice>,
}

impl Dialog {
    /// The choice that somebody means by `yes`, `no`, its key, its number, its text or the beginning of
    /// that; `None` where that is none of them, or could be more than one.
    #[must_use]
    pub fn choice(&self, answer: &str) -> Option<&Choice> {
        let answer = answer.trim();
        let says = match answer {
            "yes" => Some(Says::Yes),
            "no" => Some(Says::No),
            _ => None,
        };
        if let Some(says) = says {
            return only(
                self.choices
                    .iter()
                    .filter(|choice| choice.says == Some(says)),
            );
        }
        let by_key = self.choices.iter().find(|choice| choice.key == answer);
        let by_number = || {
            let number: usize = answer.parse().ok()?;
            self.choices.get(number.checked_sub(1)?)
        };
        let answer = answer.to_lowercase();
        let same = |choice: &&Choice| choice.text.to_lowercase() == answer;
        let begins = |choice: &&Choice| choice.text.to_lowercase().starts_with(&answer);
        by_key
            .filter(|_| !answer.is_empty())
            .or_else(by_number)
            .or_else(|| only(self.choices.iter().filter(same)))
            .or_else(|| only(self.choices.iter().filter(begins)).filter(|_| !answer.is_empty()))
    }
}

fn only<'a>(mut choices: impl Iterator<Item = &'a Choice>) -> Option<&'a Choice> {
    let first = choices.next();
    first.filter(|_| choices.next().is_none())
}

/// An answer that can be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// The key, as tmux calls it, that gives it; empty where no single key does.
    pub key: String,
    /// How it reads.
    pub text: String,
    /// Does it agree, once, or refuse? Only where its profile knows that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub says: Option<Says>,
    /// Is Enter needed behind the key?
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub enter: bool,
}

/// What a choice says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Says {
    /// It agrees, this time.
    Yes,
    /// It refuses.
    No,
}

/// What `explain` prints: `{"v":1,"profile":..,"profile_version":..,"state":..,"sub":..,
/// "confidence":..,"evidence":[{"rule","seen","text"}],"limit_text":..,"draft":..,"dialog":..}` of
/// what a profile has read.
#[must_use]
pub fn explain(profile: &Profile, reading: &Reading) -> serde_json::Value {
    // 64 bits do not fit into the numbers of every reader of JSON.
    let dialog = reading.dialog.as_ref().map(|dialog| {
        serde_json::json!({
            "hash": format!("{:016x}", dialog.hash),
            "question": dialog.question,
            "choices": dialog.choices,
        })
    });
    serde_json::json!({
        "v": 1,
        "profile": profile.name(),
        "profile_version": profile.version(),
        "state": reading.state,
        "sub": reading.sub,
        "confidence": (f64::from(reading.confidence) * 100.0).round() / 100.0,
        "evidence": reading.evidence,
        "limit_text": reading.limit_text,
        "draft": reading.draft,
        "dialog": dialog,
    })
}

impl Evidence {
    /// That rule found that text there; the text is made printable and cut to its length.
    #[must_use]
    pub fn new(rule: &str, seen: Seen, text: &str) -> Self {
        Self {
            rule: rule.to_owned(),
            seen,
            text: shown(text, EVIDENCE),
        }
    }
}

/// Text of a stranger's as it goes out, capped.
pub(super) fn said(text: &str) -> String {
    shown(text, TEXT)
}

fn shown(text: &str, most: usize) -> String {
    let text = text.trim();
    let mut shown = printable(text.as_bytes()).to_string();
    if let Some((at, _)) = shown.char_indices().nth(most) {
        shown.truncate(at);
    }
    shown
}
