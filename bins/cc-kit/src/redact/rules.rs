//! What is a secret.

use std::fmt;
use std::sync::Arc;

use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use super::builder::Builder;
use super::finder::{Finder, Pairs};
use super::visible::Set;

pub(super) const REGEX_SIZE: usize = 4 << 20;
const LINE: usize = 640;
const TOKEN: usize = 512;
pub(super) const BUILT_IN: &str = include_str!("rules.toml");

/// A rule of the user's.
///
/// The regex is looked for in the line in which a keyword stands, from up to 64 bytes before the
/// keyword. What of the secret stands before the keyword may have gone out already and stays.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What replacements call it: letters, digits, `-`, `_` and `.`.
    pub id: String,
    /// The regex.
    pub regex: String,
    /// Words of which one stands at the start of what matches; without regard to case.
    pub keywords: Vec<String>,
    /// What matches with less entropy, in bits for each byte, is no secret.
    #[serde(default)]
    pub entropy: Option<f64>,
    /// Which capture group is the secret; the whole match if not said.
    #[serde(default)]
    pub group: Option<usize>,
}

/// What there is to know of a rule.
#[derive(Debug, Clone)]
pub struct RuleInfo {
    /// What replacements call it.
    pub id: Arc<str>,
    /// What it finds.
    pub description: String,
}

/// Why rules cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// A regex does not compile.
    #[error("the regex of rule {id} cannot be used: {why}")]
    Regex {
        /// The rule.
        id: String,
        /// Why.
        why: String,
    },
    /// An allowed pattern does not compile.
    #[error("the allowed pattern {pattern} cannot be used: {why}")]
    Allow {
        /// The pattern.
        pattern: String,
        /// Why.
        why: String,
    },
    /// It has no word to look for.
    #[error(
        "rule {id} needs a keyword of at least 3 bytes that begins with no space and has no control character"
    )]
    Keyword {
        /// The rule.
        id: String,
    },
    /// It cannot stand in a replacement.
    #[error("rule name {id:?} may only have letters, digits, `-`, `_` and `.`")]
    Name {
        /// The rule.
        id: String,
    },
    /// The regex has no such group.
    #[error("the regex of rule {id} has no capture group {group}")]
    Group {
        /// The rule.
        id: String,
        /// The group.
        group: usize,
    },
    /// A rule that is to be switched off does not exist.
    #[error("there is no rule {id} to switch off")]
    Unknown {
        /// The rule.
        id: String,
    },
    /// The built-in rules are broken.
    #[error("the built-in rules cannot be read: {why}")]
    BuiltIn {
        /// Why.
        why: String,
    },
}

/// The key of an installation's hashes.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// From bytes that are random and that the caller keeps.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// How a rule looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Shape {
    /// An unmistakable prefix, then bytes of a set; may break over lines.
    Token,
    /// Something in a line.
    Line,
    /// From BEGIN to END.
    Block,
    /// The user's: anywhere around the keyword.
    Around,
    /// One value.
    Value,
}

/// A rule, ready to match.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) id: Arc<str>,
    pub(super) shape: Shape,
    /// Begins at the keyword, except for [`Shape::Around`]. A value has none.
    pub(super) regex: Option<Regex>,
    pub(super) value: Vec<u8>,
    pub(super) group: usize,
    /// Of which bytes the secret is.
    pub(super) set: Set,
    /// How far it is looked at.
    pub(super) limit: usize,
    /// A line break may be in it.
    pub(super) join: bool,
    /// No letter, digit or `_` stands before it.
    pub(super) edge: bool,
    /// The set's bytes do not go on after it.
    pub(super) whole: bool,
    pub(super) entropy: f64,
    /// Placeholders are no secrets.
    pub(super) stop: bool,
    /// Names are no secrets.
    pub(super) strict: bool,
    /// What must match what stands before.
    pub(super) before: Option<Regex>,
    /// What must not match between the keyword and the secret.
    pub(super) unless: Option<Regex>,
    /// What is enough of it when the stream pauses.
    pub(super) partial: Option<Regex>,
    /// Which bytes it is looked for in.
    pub(super) window: Set,
    /// A byte without which it cannot match.
    pub(super) must: Option<u8>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) rule: Vec<Entry>,
}

/// A built-in rule as the file says it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    id: String,
    about: String,
    shape: Shape,
    keywords: Vec<String>,
    regex: String,
    #[serde(default)]
    set: Option<String>,
    #[serde(default)]
    limit: Option<usize>,
    #[serde(default)]
    edge: bool,
    #[serde(default)]
    whole: bool,
    #[serde(default)]
    entropy: f64,
    #[serde(default)]
    stop: bool,
    #[serde(default)]
    strict: bool,
    #[serde(default)]
    before: Option<String>,
    #[serde(default)]
    unless: Option<String>,
    #[serde(default)]
    partial: Option<String>,
    /// It ends at a space.
    #[serde(default)]
    word: bool,
    #[serde(default)]
    must: Option<String>,
}

fn regex(id: &str, text: &str, unicode: bool) -> Result<Regex, RuleError> {
    RegexBuilder::new(text)
        .unicode(unicode)
        .size_limit(REGEX_SIZE)
        .dfa_size_limit(REGEX_SIZE)
        .build()
        .map_err(|error| RuleError::Regex {
            id: id.to_owned(),
            why: why(&error),
        })
}

/// The last line of the error; those before it draw the regex.
pub(super) fn why(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}

fn quiet(byte: u8) -> bool {
    byte > b' ' && !matches!(byte, b'"' | b'\'' | b'`' | b',' | b';' | 0x7f)
}

impl Entry {
    pub(super) fn compile(self) -> Result<(Compiled, RuleInfo, Vec<Vec<u8>>), RuleError> {
        let anchored = |text: &str| regex(&self.id, &format!("^(?:{text})"), false);
        let main = anchored(&self.regex)?;
        let token = self.shape != Shape::Line;
        let id: Arc<str> = self.id.as_str().into();
        let compiled = Compiled {
            shape: self.shape,
            group: usize::from(main.captures_len() > 1),
            value: Vec::new(),
            set: self
                .set
                .as_deref()
                .map_or_else(|| Set::of(quiet), Set::parse),
            limit: self.limit.unwrap_or(if token { TOKEN } else { LINE }),
            join: token,
            edge: self.edge,
            whole: self.whole,
            entropy: self.entropy,
            stop: self.stop,
            strict: self.strict,
            before: match &self.before {
                Some(text) => Some(regex(&self.id, &format!("(?:{text})$"), false)?),
                None => None,
            },
            unless: match &self.unless {
                Some(text) => Some(regex(&self.id, text, false)?),
                None => None,
            },
            partial: self.partial.as_deref().map(anchored).transpose()?,
            window: if self.word {
                Set::of(|byte| byte > b' ')
            } else {
                Set::ALL
            },
            must: self.must.as_ref().and_then(|text| text.bytes().next()),
            regex: Some(main),
            id: Arc::clone(&id),
        };
        let info = RuleInfo {
            id,
            description: self.about,
        };
        let keywords = self.keywords.into_iter().map(String::into_bytes).collect();
        Ok((compiled, info, keywords))
    }
}

impl Rule {
    pub(super) fn compile(self) -> Result<(Compiled, RuleInfo, Vec<Vec<u8>>), RuleError> {
        let named = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if self.id.is_empty() || !self.id.bytes().all(named) {
            return Err(RuleError::Name { id: self.id });
        }
        let main = regex(&self.id, &self.regex, true)?;
        let group = self.group.unwrap_or(0);
        if group >= main.captures_len() {
            return Err(RuleError::Group { id: self.id, group });
        }
        let usable = |word: &String| {
            word.len() >= 3 && !word.starts_with(' ') && !word.bytes().any(|byte| byte < b' ')
        };
        if self.keywords.is_empty() || !self.keywords.iter().all(usable) {
            return Err(RuleError::Keyword { id: self.id });
        }
        let mut keywords = Vec::new();
        for word in &self.keywords {
            let lower = word.to_ascii_lowercase();
            let mut title = lower.clone();
            if let Some(first) = title.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            for variant in [word.clone(), lower, title, word.to_ascii_uppercase()] {
                keywords.push(variant.into_bytes());
            }
        }
        let id: Arc<str> = self.id.as_str().into();
        let compiled = Compiled {
            entropy: self.entropy.unwrap_or(0.0),
            regex: Some(main),
            group,
            ..Compiled::plain(Arc::clone(&id), Shape::Around)
        };
        let info = RuleInfo {
            id,
            description: "A rule of the configuration".to_owned(),
        };
        Ok((compiled, info, keywords))
    }
}

impl Compiled {
    pub(super) fn plain(id: Arc<str>, shape: Shape) -> Self {
        Self {
            id,
            shape,
            regex: None,
            value: Vec::new(),
            group: 0,
            set: Set::of(quiet),
            limit: LINE,
            join: false,
            edge: false,
            whole: false,
            entropy: 0.0,
            stop: false,
            strict: false,
            before: None,
            unless: None,
            partial: None,
            window: Set::ALL,
            must: None,
        }
    }
}

/// What is a secret, compiled. One for all panes.
pub struct Rules {
    pub(super) list: Vec<Compiled>,
    info: Vec<RuleInfo>,
    pub(super) allow: Vec<Regex>,
    key: Key,
    pub(super) finder: Finder,
    pub(super) pairs: Pairs,
    /// By the first byte: keywords and their rules, in the order in which they are tried.
    starts: Vec<Vec<(Box<[u8]>, usize)>>,
    /// The longest keyword.
    pub(super) longest: usize,
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules")
            .field("list", &self.info)
            .finish_non_exhaustive()
    }
}

impl Rules {
    /// Rules to be chosen.
    #[must_use]
    pub const fn builder() -> Builder {
        Builder::new()
    }

    /// The rules, in the order in which they are tried.
    pub fn list(&self) -> impl Iterator<Item = &RuleInfo> {
        self.info.iter()
    }

    pub(super) fn new(
        all: Vec<(Compiled, RuleInfo, Vec<Vec<u8>>)>,
        allow: Vec<Regex>,
        key: Key,
    ) -> Self {
        let mut starts: Vec<Vec<(Box<[u8]>, usize)>> = vec![Vec::new(); 256];
        let mut words = Vec::new();
        let (mut list, mut info) = (Vec::new(), Vec::new());
        for (number, (compiled, about, keywords)) in all.into_iter().enumerate() {
            for word in keywords {
                let start = word
                    .first()
                    .and_then(|first| starts.get_mut(usize::from(*first)));
                if let Some(start) = start {
                    let entry = (word.clone().into_boxed_slice(), number);
                    if !start.contains(&entry) {
                        start.push(entry);
                    }
                }
                words.push(word);
            }
            list.push(compiled);
            info.push(about);
        }
        Self {
            finder: Finder::new(&words),
            pairs: Pairs::new(words.iter().map(Vec::as_slice)),
            longest: words.iter().map(Vec::len).max().unwrap_or(0),
            list,
            info,
            allow,
            key,
            starts,
        }
    }

    /// The keywords that begin with `byte`, and their rules.
    pub(super) fn starting(&self, byte: u8) -> &[(Box<[u8]>, usize)] {
        self.starts
            .get(usize::from(byte))
            .map_or(&[], Vec::as_slice)
    }

    /// The start of a keyed hash.
    pub(super) fn hasher(&self) -> blake3::Hasher {
        blake3::Hasher::new_keyed(&self.key.0)
    }
}
