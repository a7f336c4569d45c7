//! Which units are shown.

use super::listing::{State, Unit};

/// What is wrong with a filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FilterError {
    #[error("no filter is called {0}: state:, profile:, account:, label:, or a part of the name")]
    Unknown(String),
    #[error("no state begins with {0}")]
    State(String),
}

/// All terms must hold.
///
/// | Term | Holds for |
/// |---|---|
/// | `text` | units with it in their name, and those of that profile |
/// | `state:blocked,hung` | units in one of these states; the beginning of a word will do |
/// | `profile:claude`, `account:team-a` | units of exactly that |
/// | `role=worker`, `label:role=worker` | units with that label; `role=` any value of it |
/// | `!term` | units for which the term does not hold |
///
/// Letter case does not matter in names and states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    holds: bool,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// In small letters.
    Name(String),
    States(Vec<State>),
    Profile(String),
    Account(String),
    Label(String, String),
}

impl Filter {
    /// Reads terms that are parted by blanks.
    pub(super) fn parse(text: &str) -> Result<Self, FilterError> {
        let terms = text.split_whitespace().filter(|term| *term != "!");
        let terms = terms.map(Term::parse).collect::<Result<_, _>>()?;
        Ok(Self { terms })
    }

    pub(super) fn shows(&self, unit: &Unit) -> bool {
        self.terms
            .iter()
            .all(|term| term.what.is(unit) == term.holds)
    }
}

impl Term {
    fn parse(term: &str) -> Result<Self, FilterError> {
        let (holds, term) = term
            .strip_prefix('!')
            .map_or((true, term), |term| (false, term));
        let what = match (term.split_once('='), term.split_once(':')) {
            (Some((key, value)), colon)
                if colon.is_none_or(|(before, _)| before.len() > key.len()) =>
            {
                What::Label(key.to_owned(), value.to_owned())
            }
            (_, Some((kind, value))) => What::parse(kind, value)?,
            _ => What::Name(term.to_lowercase()),
        };
        Ok(Self { holds, what })
    }
}

impl What {
    fn parse(kind: &str, value: &str) -> Result<Self, FilterError> {
        Ok(match kind {
            "state" | "s" => Self::States(states(value)?),
            "profile" | "p" => Self::Profile(value.to_owned()),
            "account" | "a" => Self::Account(value.to_owned()),
            "label" | "l" => {
                let (key, value) = value.split_once('=').unwrap_or((value, ""));
                Self::Label(key.to_owned(), value.to_owned())
            }
            _ => return Err(FilterError::Unknown(format!("{kind}:"))),
        })
    }

    fn is(&self, unit: &Unit) -> bool {
        match self {
            Self::Name(part) => {
                unit.unit.to_lowercase().contains(part)
                    || unit
                        .profile
                        .as_ref()
                        .is_some_and(|name| name.to_lowercase() == *part)
            }
            Self::States(states) => states.contains(&unit.state()),
            Self::Profile(profile) => unit.profile.as_ref() == Some(profile),
            Self::Account(account) => unit.account.as_ref() == Some(account),
            Self::Label(key, value) => unit
                .labels
                .get(key)
                .is_some_and(|found| value.is_empty() || found == value),
        }
    }
}

fn states(value: &str) -> Result<Vec<State>, FilterError> {
    let mut states = Vec::new();
    for word in value.split(',').filter(|word| !word.is_empty()) {
        let word = word.to_lowercase();
        let found = State::ALL
            .into_iter()
            .filter(|state| state.word().starts_with(&word));
        let known = states.len();
        states.extend(found);
        if states.len() == known {
            return Err(FilterError::State(word));
        }
    }
    if states.is_empty() {
        // Half typed: nothing is ruled out yet.
        states.extend(State::ALL);
    }
    Ok(states)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit() -> Unit {
        Unit {
            unit: "Worker@1".into(),
            state_word: "blocked".into(),
            profile: Some("claude".into()),
            account: Some("team-a".into()),
            labels: [("role".into(), "worker:x".into())].into(),
            ..Unit::default()
        }
    }

    #[test]
    fn each_term_holds_for_what_it_says() {
        let table = [
            ("", true),
            ("work", true),
            ("WORK er@1", true),
            ("claude", true),
            ("claud", false),
            ("state:blocked", true),
            ("s:bl", true),
            ("state:", true),
            ("state:idle,b", true),
            ("state:idle,hung", false),
            ("!state:idle", true),
            ("!state:blocked", false),
            ("profile:claude account:team-a", true),
            ("profile:codex", false),
            ("role=worker:x", true),
            ("label:role=worker:x", true),
            ("role=", true),
            ("label:role", true),
            ("role=other", false),
            ("zone=", false),
            ("work state:idle", false),
            ("!", true),
        ];
        for (text, shown) in table {
            assert_eq!(Filter::parse(text).unwrap().shows(&unit()), shown, "{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_said() {
        assert_eq!(
            Filter::parse("stat:idle"),
            Err(FilterError::Unknown("stat:".into()))
        );
        assert_eq!(
            Filter::parse("state:dreaming"),
            Err(FilterError::State("dreaming".into()))
        );
    }
}
