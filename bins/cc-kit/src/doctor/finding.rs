//! What a finding is.

use serde::Serialize;

/// How bad it is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// It does not work, or what runs will be lost.
    Problem,
    /// It can hurt.
    Warning,
    /// Worth knowing.
    Note,
    /// As it should be.
    Ok,
}

/// One thing that was looked at. The texts are made for a terminal: strangers' names in them are
/// escaped already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What it is about, in a word.
    pub topic: &'static str,
    /// What was found, and where.
    pub what: String,
    /// Why it matters; empty where all is well.
    pub why: String,
    /// What to do next; empty where all is well.
    pub next: String,
}

impl Finding {
    /// As it should be.
    #[must_use]
    pub fn ok(topic: &'static str, what: impl Into<String>) -> Self {
        Self::new(Level::Ok, topic, what, "", "")
    }

    /// Worth knowing.
    #[must_use]
    pub fn note(
        topic: &'static str,
        what: impl Into<String>,
        why: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self::new(Level::Note, topic, what, why, next)
    }

    /// It can hurt.
    #[must_use]
    pub fn warning(
        topic: &'static str,
        what: impl Into<String>,
        why: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self::new(Level::Warning, topic, what, why, next)
    }

    /// It hurts.
    #[must_use]
    pub fn problem(
        topic: &'static str,
        what: impl Into<String>,
        why: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self::new(Level::Problem, topic, what, why, next)
    }

    /// One of that level.
    #[must_use]
    pub fn new(
        level: Level,
        topic: &'static str,
        what: impl Into<String>,
        why: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self {
            level,
            topic,
            what: what.into(),
            why: why.into(),
            next: next.into(),
        }
    }
}
