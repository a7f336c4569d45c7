//! The names of tasks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Crockford's alphabet, in lower case: nothing in it can be taken for something else.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters of an id: 60 bits.
const LENGTH: usize = 12;

/// The id of a task: 12 characters, by chance. Commands take any unambiguous beginning of one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TaskId(String);

/// What is no id of a task, nor the beginning of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no id of a task")]
pub struct NotAnId(pub String);

impl TaskId {
    /// One that nobody else has.
    ///
    /// # Errors
    /// When the system has no chance to give.
    pub fn by_chance() -> Result<Self, getrandom::Error> {
        let mut bytes = [0_u8; LENGTH];
        getrandom::fill(&mut bytes)?;
        let letter = |byte: &u8| ALPHABET.get(usize::from(byte % 32)).copied();
        let text = bytes.iter().filter_map(letter).map(char::from);
        Ok(Self(text.collect()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Can that be the beginning of an id?
    #[must_use]
    pub fn is_beginning(text: &str) -> bool {
        (1..=LENGTH).contains(&text.len()) && text.bytes().all(|byte| ALPHABET.contains(&byte))
    }
}

impl FromStr for TaskId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        match text.len() == LENGTH && Self::is_beginning(text) {
            true => Ok(Self(text.to_owned())),
            false => Err(NotAnId(text.to_owned())),
        }
    }
}

impl TryFrom<String> for TaskId {
    type Error = NotAnId;

    fn try_from(text: String) -> Result<Self, NotAnId> {
        text.parse()
    }
}

impl From<TaskId> for String {
    fn from(id: TaskId) -> Self {
        id.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written_and_nothing_else_is_one() {
        let id = TaskId::by_chance().unwrap();
        assert_eq!(id.to_string().parse(), Ok(id.clone()));
        assert_ne!(TaskId::by_chance().unwrap(), id);
        for wrong in ["", "abc", "ABCDEFGHJKMN", "0123456789ilo", "0123456789i0"] {
            assert_eq!(wrong.parse::<TaskId>(), Err(NotAnId(wrong.to_owned())));
        }
        assert!(TaskId::is_beginning("0a"));
        assert!(!TaskId::is_beginning("") && !TaskId::is_beginning("u"));
    }
}
