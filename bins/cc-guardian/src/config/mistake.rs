//! Mistakes: where one stands, what is wrong, what would be right.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use cc_kit::exit::{Advise, Exit};
use cc_kit::printable::harmless;

/// Something in a file that cannot be used as it is.
///
/// Shown as `file:line:column: what; right: ...`, with control characters escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}:{line}:{column}: {}; right: {}", harmless(&file.to_string_lossy()), harmless(what), harmless(right))]
pub struct Mistake {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1; 1 where it is the file as a whole.
    pub line: usize,
    /// The column in bytes, from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub right: String,
}

impl Advise for Mistake {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn advice(&self) -> Option<Cow<'static, str>> {
        Some("Correct that line; `cc-guardian check` looks without starting.".into())
    }
}

/// A place in one of the files that were read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Which of [`Sources`].
    pub(super) file: usize,
    /// Bytes from its start.
    pub(super) offset: usize,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// The files that were read, so that a place can be said as a line.
#[derive(Debug, Default)]
pub(super) struct Sources {
    files: Vec<Source>,
}

#[derive(Debug)]
struct Source {
    path: PathBuf,
    /// What relative paths in it begin at.
    folder: PathBuf,
    text: String,
}

impl Sources {
    /// Takes a file in, and gives the place at which it begins.
    pub(super) fn add(&mut self, path: &Path, folder: PathBuf, text: String) -> Place {
        self.files.push(Source {
            path: path.to_owned(),
            folder,
            text,
        });
        Place {
            file: self.files.len() - 1,
            offset: 0,
        }
    }

    /// What relative paths begin at that stand at `place`.
    pub(super) fn folder(&self, place: Place) -> &Path {
        self.files
            .get(place.file)
            .map_or_else(|| Path::new(""), |source| &source.folder)
    }

    /// The text of the file of `place`.
    pub(super) fn text(&self, place: Place) -> &str {
        self.files
            .get(place.file)
            .map_or("", |source| source.text.as_str())
    }

    /// The path of the file of `place`.
    pub(super) fn path(&self, place: Place) -> &Path {
        self.files
            .get(place.file)
            .map_or_else(|| Path::new(""), |source| &source.path)
    }

    /// Line and column of `place`, from 1.
    pub(super) fn line(&self, place: Place) -> (usize, usize) {
        let before = self.text(place).get(..place.offset).unwrap_or_default();
        let line_begins = before.rfind('\n').map_or(0, |at| at + 1);
        (
            before.matches('\n').count() + 1,
            before.len() - line_begins + 1,
        )
    }

    /// `file:line`, to name a second place inside a sentence.
    pub(super) fn named(&self, place: Place) -> String {
        format!("{}:{}", self.path(place).display(), self.line(place).0)
    }
}

/// The mistakes found so far.
#[derive(Debug, Default)]
pub(super) struct Mistakes(Vec<Found>);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    place: Place,
    what: String,
    right: String,
}

impl Mistakes {
    /// Notes one.
    pub(super) fn add(&mut self, place: Place, what: impl Into<String>, right: impl Into<String>) {
        self.0.push(Found {
            place,
            what: what.into(),
            right: right.into(),
        });
    }

    /// Was none found?
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in the order of the files and of the lines. What several units take from
    /// `[defaults]` is looked at once for each, and said once.
    pub(super) fn said(mut self, sources: &Sources) -> Vec<Mistake> {
        self.0.sort();
        self.0.dedup();
        self.0
            .into_iter()
            .map(|found| {
                let (line, column) = sources.line(found.place);
                Mistake {
                    file: sources.path(found.place).to_owned(),
                    line,
                    column,
                    what: found.what,
                    right: found.right,
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_said_as_line_and_column_in_bytes() {
        let mut sources = Sources::default();
        let start = sources.add("x.toml".as_ref(), PathBuf::new(), "a\n\u{e9} = b\n".into());
        let line = |offset| sources.line(Place { offset, ..start });
        assert_eq!(line(0), (1, 1));
        assert_eq!(line(2), (2, 1));
        assert_eq!(line(7), (2, 6));
        assert_eq!(line(9), (3, 1));
        assert_eq!(line(9_999), (1, 1));
    }

    #[test]
    fn a_quoted_text_cannot_drive_the_terminal() {
        let mistake = Mistake {
            file: "x\u{1b}.toml".into(),
            line: 2,
            column: 3,
            what: "no profile \"\u{1b}]0;x\u{7}\"".into(),
            right: "claude".into(),
        };
        assert_eq!(
            mistake.to_string(),
            r#"x\x1b.toml:2:3: no profile "\x1b]0;x\x07"; right: claude"#
        );
    }

    #[test]
    fn mistakes_are_said_once_and_in_the_order_of_their_lines() {
        let mut sources = Sources::default();
        let start = sources.add("x.toml".as_ref(), PathBuf::new(), "a\nb\n".into());
        let mut mistakes = Mistakes::default();
        mistakes.add(Place { offset: 2, ..start }, "b", "c");
        mistakes.add(start, "a", "c");
        mistakes.add(Place { offset: 2, ..start }, "b", "c");
        let said: Vec<_> = mistakes
            .said(&sources)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(said, ["x.toml:1:1: a; right: c", "x.toml:2:1: b; right: c"]);
    }
}
