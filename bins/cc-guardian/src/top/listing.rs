//! What the daemon says of its units: the listing that `ls --json` prints.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

/// The version of listings that this program reads.
const VERSION: u32 = 1;

/// Why a listing cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListingError {
    /// It is no JSON of the expected shape.
    #[error("the listing cannot be read: {0}")]
    Shape(#[from] serde_json::Error),
    /// It is of another version.
    #[error("the listing has version {0}, this program reads version {VERSION}")]
    Version(u32),
}

/// All units at one moment.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct Listing {
    /// The version of this shape. Fields may be added within one version.
    v: u32,
    /// In any order.
    #[serde(default)]
    pub(crate) units: Vec<Unit>,
}

impl Listing {
    /// Reads the JSON text of a listing. Unknown fields are ignored.
    ///
    /// # Errors
    /// When it is not JSON, lacks the name or the state of a unit, or is of another version.
    pub(crate) fn read(json: &str) -> Result<Self, ListingError> {
        let listing: Self = serde_json::from_str(json)?;
        if listing.v == VERSION {
            Ok(listing)
        } else {
            Err(ListingError::Version(listing.v))
        }
    }
}

/// One unit. All its text may come from a pane: it is shown only through [`super::clean`].
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct Unit {
    /// `worker@1`.
    pub(crate) unit: String,
    /// The word for it; [`Unit::state`] for what it means.
    #[serde(rename = "state")]
    pub(crate) state_word: String,
    /// What kind of it: `tool`, `permission`.
    pub(crate) sub: Option<String>,
    /// When it came into this state.
    pub(crate) since: Option<Timestamp>,
    /// `%3`.
    pub(crate) pane: Option<String>,
    pub(crate) pid: Option<u32>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) restarts: u64,
    pub(crate) profile: Option<String>,
    /// The path of the socket of its tmux server.
    pub(crate) socket: Option<String>,
    /// Why it is believed to be in this state.
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) evidence: Vec<Evidence>,
    /// How sure that is, 0 to 1.
    pub(crate) confidence: Option<f64>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) account: Option<String>,
    /// When the limit it ran into ends.
    pub(crate) reset: Option<Timestamp>,
    /// The last line on its screen that says something.
    pub(crate) last_line: Option<String>,
    /// Share of one core: 1.5 is one and a half.
    pub(crate) cpu: Option<f64>,
    /// Bytes.
    pub(crate) memory: Option<u64>,
    /// The dialog that is open, where it is blocked by one.
    #[serde(default, deserialize_with = "question")]
    pub(crate) question: Option<Question>,
    /// Why it is held.
    #[serde(default, deserialize_with = "words")]
    pub(crate) held: Option<String>,
    /// What it waits for before it is started.
    #[serde(default, deserialize_with = "words")]
    pub(crate) waits: Option<String>,
    /// Why it is started anew once it is idle.
    #[serde(default, deserialize_with = "words")]
    pub(crate) pending: Option<String>,
    /// What its declaration says otherwise than what runs was started with.
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) changed: Vec<String>,
    /// Is it in a pane that somebody else has made?
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) adopted: bool,
}

impl Unit {
    /// What the word for its state means.
    pub(crate) fn state(&self) -> State {
        State::of(&self.state_word)
    }

    /// Does it wait for an answer, whether or not it is known what it asks?
    pub(super) fn asks(&self) -> bool {
        self.question.is_some() || self.state() == State::Blocked
    }
}

/// One reason to believe in a state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Evidence {
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) rule: String,
    /// Where: `title`, `screen`.
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) seen: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) text: String,
}

/// An open dialog.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Question {
    /// May have several lines.
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) text: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) choices: Vec<Choice>,
    /// Names this dialog, so that an answer never lands on another one.
    pub(crate) hash: Option<String>,
}

/// One way to answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Choice {
    /// What to press: `1`.
    pub(crate) key: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) text: String,
}

/// The states, those that need somebody first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum State {
    Blocked,
    Errored,
    Held,
    Hung,
    Dead,
    Limited,
    Suspect,
    /// Also any word that this program does not know.
    Unknown,
    Busy,
    Starting,
    Idle,
    /// Not running, and not meant to.
    Absent,
}

impl State {
    /// All, in the order in which they are listed.
    pub(crate) const ALL: [Self; 12] = [
        Self::Blocked,
        Self::Errored,
        Self::Held,
        Self::Hung,
        Self::Dead,
        Self::Limited,
        Self::Suspect,
        Self::Unknown,
        Self::Busy,
        Self::Starting,
        Self::Idle,
        Self::Absent,
    ];

    fn of(word: &str) -> Self {
        if word.eq_ignore_ascii_case("ready") {
            return Self::Idle;
        }
        Self::ALL
            .into_iter()
            .find(|state| state.word().eq_ignore_ascii_case(word))
            .unwrap_or(Self::Unknown)
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Errored => "errored",
            Self::Held => "held",
            Self::Hung => "hung",
            Self::Dead => "dead",
            Self::Limited => "limited",
            Self::Suspect => "suspect",
            Self::Unknown => "unknown",
            Self::Busy => "busy",
            Self::Starting => "starting",
            Self::Idle => "idle",
            Self::Absent => "absent",
        }
    }
}

/// A field that is missing or null is its default.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A dialog is an object, or its bare text.
fn question<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Question>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Said {
        Text(String),
        Whole(Question),
    }
    let said: Option<Said> = Option::deserialize(deserializer)?;
    Ok(said.map(|said| match said {
        Said::Text(text) => Question {
            text,
            ..Question::default()
        },
        Said::Whole(question) => question,
    }))
}

/// A text is taken as it is; anything richer is shown as JSON rather than refused.
fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::Null | serde_json::Value::Bool(false) => None,
        serde_json::Value::String(text) => Some(text),
        other => Some(other.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_read_and_what_is_unknown_in_it_is_ignored() {
        let json = r#"{"v":1,"new":{},"units":[{"unit":"w@1","state":"blocked","sub":"permission",
            "since":"2026-11-26T14:00:00Z","pane":"%3","pid":123,"restarts":2,"profile":"claude",
            "evidence":[{"rule":"r","seen":"title","text":"t","more":1}],"confidence":0.9,
            "labels":{"role":"worker"},"account":null,"reset":null,"last_line":"...","cpu":0.3,
            "memory":12345678,"question":{"text":"Proceed?","choices":[{"key":"1","text":"Yes"}]},
            "held":null,"later":[1]}]}"#;
        let listing = Listing::read(json).unwrap();
        let unit = &listing.units[0];
        assert_eq!(unit.state(), State::Blocked);
        assert_eq!(unit.evidence[0].seen, "title");
        assert_eq!(unit.question.as_ref().unwrap().choices[0].key, "1");
        assert_eq!(unit.labels["role"], "worker");
        assert_eq!((unit.restarts, unit.memory), (2, Some(12_345_678)));
    }

    #[test]
    fn only_the_name_and_the_state_are_needed() {
        let json = r#"{"v":1,"units":[{"unit":"w","state":"idle","labels":null,"evidence":null}]}"#;
        assert_eq!(Listing::read(json).unwrap().units[0].unit, "w");
        let nameless = Listing::read(r#"{"v":1,"units":[{"state":"idle"}]}"#);
        assert!(matches!(nameless, Err(ListingError::Shape(_))));
    }

    #[test]
    fn another_version_is_refused() {
        let later = Listing::read(r#"{"v":2,"units":[]}"#);
        assert!(matches!(later, Err(ListingError::Version(2))));
    }

    #[test]
    fn a_word_that_is_not_known_means_unknown_and_keeps_its_spelling() {
        let json =
            r#"{"v":1,"units":[{"unit":"w","state":"dreaming"},{"unit":"x","state":"Ready"}]}"#;
        let listing = Listing::read(json).unwrap();
        assert_eq!(listing.units[0].state(), State::Unknown);
        assert_eq!(listing.units[0].state_word, "dreaming");
        assert_eq!(listing.units[1].state(), State::Idle);
    }

    #[test]
    fn a_question_may_be_bare_text_and_a_reason_may_be_an_object() {
        let json = r#"{"v":1,"units":[{"unit":"w","state":"held","question":"Go on?",
            "held":{"by":"start-limit"}},{"unit":"x","state":"held","held":"by hand"}]}"#;
        let listing = Listing::read(json).unwrap();
        assert_eq!(listing.units[0].question.as_ref().unwrap().text, "Go on?");
        assert_eq!(
            listing.units[0].held.as_deref(),
            Some(r#"{"by":"start-limit"}"#)
        );
        assert_eq!(listing.units[1].held.as_deref(), Some("by hand"));
    }
}
