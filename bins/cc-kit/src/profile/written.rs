//! The TOML of a profile.

use serde::Deserialize;
use toml::Spanned;

use super::manners::{Hang, Keys, Resume, Sending};
use super::state::State;

/// A text of which mistakes are said with its place.
pub(super) type Text = Spanned<String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// Of this file: grows with each change.
    pub(super) version: u32,
    pub(super) agent: Text,
    /// The versions of the program that its cues were seen with.
    pub(super) checked_with: Vec<String>,
    /// Regexes of the whole `pane_current_command`.
    pub(super) commands: Vec<Text>,
    /// May others be in front? Then the rules say what that means.
    #[serde(default)]
    pub(super) any_command: bool,
    pub(super) sending: Sending,
    pub(super) keys: Keys,
    #[serde(default)]
    pub(super) resume: Resume,
    pub(super) hang: Hang,
    #[serde(default, rename = "box")]
    pub(super) input: Option<Input>,
    #[serde(default)]
    pub(super) region: Vec<Spanned<Region>>,
    #[serde(default)]
    pub(super) sign: Vec<Spanned<Sign>>,
    #[serde(default)]
    pub(super) dialog: Vec<Spanned<Dialog>>,
    pub(super) rule: Vec<Spanned<Rule>>,
}

/// Where text waits to be sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// Its region.
    pub(super) region: Text,
    /// What stands before the text in its first row.
    pub(super) prompt: Text,
    /// What stands there while it is empty.
    #[serde(default)]
    pub(super) placeholders: Vec<Text>,
    /// Does the program put the cursor there? Then a placeholder is one only with the cursor before it.
    #[serde(default)]
    pub(super) cursor: bool,
    /// Is it a box only while the cursor stands in it and is shown? What was sent stays on the screen
    /// of some programs as it stood in the box.
    #[serde(default)]
    pub(super) only_with_cursor: bool,
    /// Does each further row begin with the prompt too?
    #[serde(default)]
    pub(super) repeats: bool,
}

/// A part of the screen: one way to find it, within another or the whole screen.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Region {
    pub(super) name: Text,
    pub(super) of: Option<Text>,
    /// Characters that frame its rows and are no text.
    #[serde(default)]
    pub(super) frame: String,
    /// The last so many rows that are not blank, and what is between.
    pub(super) last: Option<usize>,
    /// The first so many that are not blank, and what is between.
    pub(super) first: Option<usize>,
    /// The last so many rows, blank or not.
    pub(super) bottom: Option<usize>,
    /// What follows the last row that matches.
    pub(super) below: Option<Text>,
    /// All of its parent where it cannot be found, instead of nothing.
    #[serde(default)]
    pub(super) or_all: bool,
    /// The last row that matches, and what follows.
    pub(super) from: Option<Text>,
    /// What stands before the last row that matches.
    pub(super) above: Option<Text>,
    /// What stands before the first row that matches; all where none does.
    pub(super) until: Option<Text>,
    /// The last unbroken run of rows that match.
    pub(super) run: Option<Text>,
    /// What stands between the last row that matches the second, and the last before it that matches
    /// the first.
    pub(super) between: Option<[Text; 2]>,
    /// What stands before a region.
    pub(super) before: Option<Text>,
    /// What follows a region.
    pub(super) after: Option<Text>,
    /// The cursor's row.
    pub(super) cursor_row: Option<bool>,
    /// The cursor's row, and those above it that it goes on from: all full, the first one matches.
    pub(super) cursor_line: Option<Text>,
}

/// A condition with a name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sign {
    pub(super) id: Text,
    #[serde(default)]
    pub(super) all: Vec<Spanned<Condition>>,
    #[serde(default)]
    pub(super) any: Vec<Spanned<Condition>>,
    #[serde(default)]
    pub(super) none: Vec<Spanned<Condition>>,
}

/// How a question is read off the screen.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Dialog {
    pub(super) name: Text,
    pub(super) region: Text,
    /// A row with a choice, with groups `text` and, where its key stands there, `key`.
    pub(super) choice: Option<Text>,
    /// Choices that do not say their key, or not one by one.
    #[serde(default)]
    pub(super) fixed: Vec<Fixed>,
    /// Rows of help, which are neither question nor choice.
    pub(super) help: Option<Text>,
    /// Choices that agree, once; of which one at most is offered at a time.
    pub(super) yes: Option<Text>,
    /// Choices that refuse.
    pub(super) no: Option<Text>,
    /// Is Enter needed behind the key?
    #[serde(default)]
    pub(super) enter: bool,
}

/// A choice that the profile knows.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fixed {
    pub(super) key: String,
    pub(super) text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) id: Text,
    pub(super) state: Spanned<State>,
    pub(super) sub: Option<String>,
    #[serde(default)]
    pub(super) priority: i32,
    /// It never decides: it agrees or objects.
    #[serde(default)]
    pub(super) hint: bool,
    pub(super) dialog: Option<Text>,
    /// How it goes on when what stopped it is over.
    pub(super) go_on: Option<Spanned<GoOn>>,
    #[serde(default)]
    pub(super) all: Vec<Spanned<Condition>>,
    #[serde(default)]
    pub(super) any: Vec<Spanned<Condition>>,
    #[serde(default)]
    pub(super) none: Vec<Spanned<Condition>>,
}

/// How a program goes on that is limited, or has failed for a while: by one of these, or by both.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GoOn {
    /// By the choice of its dialog that matches.
    pub(super) choice: Option<Text>,
    /// By this prompt in its empty box.
    pub(super) prompt: Option<String>,
}

/// One condition: exactly one of these; `in` with `row` or `text`; `all`, `any` and `none` together.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Condition {
    #[serde(rename = "in")]
    pub(super) region: Option<Text>,
    /// Some row of it matches.
    pub(super) row: Option<Text>,
    /// Its rows, joined by single blanks, match.
    pub(super) text: Option<Text>,
    /// The region is there.
    pub(super) present: Option<Text>,
    pub(super) title: Option<Text>,
    /// The title is empty, or still the host's name.
    pub(super) title_unset: Option<bool>,
    pub(super) command: Option<Text>,
    pub(super) in_band: Option<Text>,
    pub(super) cursor_visible: Option<bool>,
    /// The cursor is in the region.
    pub(super) cursor_in: Option<Text>,
    /// The region is there, and the cursor is elsewhere.
    pub(super) cursor_out: Option<Text>,
    /// The cursor waits behind the last column: something is being written.
    pub(super) cursor_at_edge: Option<bool>,
    pub(super) alternate: Option<bool>,
    /// There is no text on the screen.
    pub(super) blank: Option<bool>,
    /// What a sign asks for.
    pub(super) sign: Option<Text>,
    pub(super) all: Option<Vec<Spanned<Self>>>,
    pub(super) any: Option<Vec<Spanned<Self>>>,
    pub(super) none: Option<Vec<Spanned<Self>>>,
}
