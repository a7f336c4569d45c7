//! Configuration files: TOML, and mistakes said with file, line and what would be right.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::exit::{Advise, Exit};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something in it is wrong.
    #[error("{path}:{line}:{column}: {what}")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, from 1; 1 where it is the file as a whole.
        line: usize,
        /// The column in bytes, from 1.
        column: usize,
        /// What.
        what: String,
    },
}

impl Advise for ConfigError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn advice(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Self::Read { .. } => "Check the path and that you may read it.".into(),
            Self::Wrong { .. } => "Correct that line; `check` looks without starting.".into(),
        })
    }
}

/// Reads a file into what it configures.
///
/// # Errors
/// When it cannot be read, is no TOML, or says something that is not known or makes no sense.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })?;
    parse(path, &text)
}

/// The same of its text; `path` is what errors call it.
///
/// # Errors
/// As [`read`].
pub fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let before = error
            .span()
            .and_then(|span| text.get(..span.start))
            .unwrap_or_default();
        let line_begins = before.rfind('\n').map_or(0, |at| at + 1);
        ConfigError::Wrong {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.len() - line_begins + 1,
            what: error.message().replace('\n', " "),
        }
    })
}

/// A number of bytes: `"64M"` (1,000,000s), `"64MiB"` (1,048,576s), `4096`.
///
/// For `#[serde(with = ..)]` there is [`Bytes`] itself to be used as a field's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub struct Bytes(pub u64);

/// A span of time: `"100ms"`, `"24h"`, `"30d"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Span(pub std::time::Duration);

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a size such as \"64M\" or a number of bytes"
)]
enum Value {
    Number(u64),
    Text(String),
}

impl TryFrom<Value> for Bytes {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::Number(bytes) => Ok(Self(bytes)),
            Value::Text(text) => text.parse(),
        }
    }
}

impl std::str::FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse::<bytesize::ByteSize>()
            .map(|size| Self(size.as_u64()))
            .map_err(|_| format!("{text:?} is no size: write it as \"64M\" or \"64MiB\""))
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl std::str::FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        humantime::parse_duration(text).map(Self).map_err(|_| {
            format!("{text:?} is no span of time: write it as \"5s\", \"24h\" or \"30d\"")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq, Eq)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        size: Bytes,
        age: Span,
    }

    fn sample(text: &str) -> Result<Sample, String> {
        parse("x.toml".as_ref(), text).map_err(|error| error.to_string())
    }

    #[test]
    fn sizes_and_spans_are_read() {
        let expected = Sample {
            size: Bytes(64_000_000),
            age: Span(std::time::Duration::from_secs(86_400)),
        };
        assert_eq!(sample("size = \"64M\"\nage = \"24h\""), Ok(expected));
        assert_eq!("1MiB".parse(), Ok(Bytes(1 << 20)));
        assert_eq!(sample("size = 7\nage = \"1s\"").unwrap().size, Bytes(7));
    }

    #[test]
    fn a_mistake_is_said_with_its_line() {
        for (text, said) in [
            (
                "size = 1\nage = \"soon\"",
                "x.toml:2:7: \"soon\" is no span",
            ),
            (
                "size = \"big\"\nage = \"1s\"",
                "x.toml:1:8: \"big\" is no size",
            ),
            (
                "size = 1\nage = \"1s\"\n\ncolour = 1",
                "x.toml:4:1: unknown field `colour`",
            ),
            ("size = ", "x.toml:1:"),
            ("size = 1", "missing field `age`"),
        ] {
            let error = sample(text).unwrap_err();
            assert!(error.contains(said), "{text:?}: {error}");
        }
    }
}
