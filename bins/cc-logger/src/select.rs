//! Which panes are meant: `%3`, `session:window.pane`, a unit, `SOCKET,SEL`.

use std::path::Path;

use cc_kit::exit::{Exit, Failure};
use cc_kit::journal::note::Place;
use globset::{GlobBuilder, GlobMatcher};
use thiserror::Error;

/// Why a selector cannot be read.
#[derive(Debug, Error)]
pub(crate) enum SelectorError {
    #[error("the selector is empty")]
    Empty,
    #[error("{0:?} is no pane: a pane is % and a number")]
    Pane(String),
    #[error("{0:?} is no glob")]
    Glob(String, #[source] globset::Error),
}

impl From<SelectorError> for Failure {
    fn from(error: SelectorError) -> Self {
        Self::new(Exit::Usage, error).advice(
            "Name a pane as %3, session:window.pane or its unit; `cc-logger ls` lists them.",
        )
    }
}

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Selector {
    socket: Option<GlobMatcher>,
    what: What,
}

#[derive(Debug)]
enum What {
    Pane(u32),
    Place(Box<PlaceGlobs>),
}

#[derive(Debug)]
struct PlaceGlobs {
    session: GlobMatcher,
    window: Option<GlobMatcher>,
    pane: Option<GlobMatcher>,
}

impl Selector {
    /// Reads a selector.
    pub(crate) fn parse(text: &str) -> Result<Self, SelectorError> {
        let (socket, what) = match text.rsplit_once(',') {
            Some((socket, what)) => (Some(glob(socket)?), what),
            None => (None, text),
        };
        Ok(Self {
            socket,
            what: What::parse(what)?,
        })
    }

    /// Is a pane meant?
    pub(crate) fn means(
        &self,
        socket: &str,
        pane: u32,
        place: Option<&Place>,
        unit: Option<&str>,
    ) -> bool {
        let on_socket = self.socket.as_ref().is_none_or(|glob| {
            let name = Path::new(socket).file_name();
            glob.is_match(socket) || name.is_some_and(|name| glob.is_match(name))
        });
        on_socket && self.what.matches(pane, place, unit)
    }
}

impl What {
    fn parse(text: &str) -> Result<Self, SelectorError> {
        if text.is_empty() {
            return Err(SelectorError::Empty);
        }
        if let Some(number) = text.strip_prefix('%') {
            let pane = number
                .parse()
                .map_err(|_| SelectorError::Pane(text.to_owned()))?;
            return Ok(Self::Pane(pane));
        }
        // tmux lets neither `:` nor `.` into a session's name; a window's may hold both.
        let (session, rest) = match text.split_once(':') {
            Some((session, rest)) => (session, Some(rest)),
            None => (text, None),
        };
        let (window, pane) = match rest.map(|rest| rest.rsplit_once('.')) {
            Some(Some((window, pane))) => (Some(window), Some(pane)),
            Some(None) => (rest, None),
            None => (None, None),
        };
        let part = |part: Option<&str>| part.filter(|part| !part.is_empty()).map(glob).transpose();
        Ok(Self::Place(Box::new(PlaceGlobs {
            session: glob(if session.is_empty() { "*" } else { session })?,
            window: part(window)?,
            pane: part(pane)?,
        })))
    }

    fn matches(&self, pane: u32, place: Option<&Place>, unit: Option<&str>) -> bool {
        match (self, place) {
            (Self::Pane(wanted), _) => *wanted == pane,
            (Self::Place(globs), _)
                if globs.window.is_none()
                    && unit.is_some_and(|unit| globs.session.is_match(unit)) =>
            {
                true
            }
            (Self::Place(_), None) => false,
            (Self::Place(globs), Some(place)) => {
                let index = |glob: &GlobMatcher, index: u32| glob.is_match(index.to_string());
                let window = |glob: &GlobMatcher| {
                    glob.is_match(&place.window_name) || index(glob, place.window_index)
                };
                let pane = |glob: &GlobMatcher| index(glob, place.pane_index);
                globs.session.is_match(&place.session)
                    && globs.window.as_ref().is_none_or(window)
                    && globs.pane.as_ref().is_none_or(pane)
            }
        }
    }
}

fn glob(text: &str) -> Result<GlobMatcher, SelectorError> {
    GlobBuilder::new(text)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| SelectorError::Glob(text.to_owned(), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_and_what_they_mean() {
        let place = Place {
            session: "work".to_owned(),
            window_index: 2,
            window_name: "build.log".to_owned(),
            pane_index: 1,
        };
        let means = |selector: Selector| {
            selector.means("/tmp/tmux-0/default", 3, Some(&place), Some("coder@1"))
        };
        for (selector, matches) in [
            ("%3", true),
            ("%4", false),
            ("work", true),
            ("wor", false),
            ("wo*", true),
            ("w?rk:2", true),
            ("work:2.1", true),
            ("work:2.0", false),
            ("work:build.log.1", true),
            ("work:b*.1", true),
            ("work:{2,3}.1", false),
            (":2", true),
            ("*:*.*", true),
            ("*:.1", true),
            ("default,%3", true),
            ("/tmp/*,work", true),
            ("other,%3", false),
            ("coder@1", true),
            ("coder@*", true),
            ("coder", false),
            ("coder@1:2", false),
        ] {
            assert_eq!(
                Selector::parse(selector).is_ok_and(means),
                matches,
                "{selector}"
            );
        }
    }

    #[test]
    fn what_is_no_selector() {
        for text in [
            "", "%", "%x", "%3x", "%-1", "default,", "[a", "work:[", "a{b",
        ] {
            assert!(Selector::parse(text).is_err(), "{text:?}");
        }
    }
}
