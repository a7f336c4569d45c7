//! Tracing to stderr.
//!
//! Text that came out of a pane belongs into an event through
//! [`printable`](crate::printable::printable). What was forgotten is caught here: no field can hold a
//! control character or a second line.

use std::borrow::Cow;
use std::env::{self, VarError};
use std::error::Error;
use std::ffi::OsStr;
use std::fmt;
use std::io::{self, IsTerminal};

use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::{SetGlobalDefaultError, set_global_default};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FormatFields, MakeWriter};

use crate::exit::{Advise, Exit, chain};
use crate::printable::harmless;

/// The environment variable with filter directives, as in `CC_LOG=info,cc_kit::journal=trace`.
pub const FILTER_VARIABLE: &str = "CC_LOG";

/// How often `-v` and `-q` were given, behind any verb.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::Args)]
pub struct Verbosity {
    /// Say more; twice for what the library does.
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    /// Say less.
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub quiet: u8,
}

impl Verbosity {
    /// `base`, one level louder for each `-v` and one quieter for each `-q`, between off and trace.
    #[must_use]
    pub fn level(self, base: LevelFilter) -> LevelFilter {
        const LEVELS: [LevelFilter; 6] = [
            LevelFilter::OFF,
            LevelFilter::ERROR,
            LevelFilter::WARN,
            LevelFilter::INFO,
            LevelFilter::DEBUG,
            LevelFilter::TRACE,
        ];
        let base = LEVELS.iter().position(|level| *level == base).unwrap_or(0);
        let wanted = (base + usize::from(self.verbose)).saturating_sub(usize::from(self.quiet));
        LEVELS.get(wanted).copied().unwrap_or(LevelFilter::TRACE)
    }
}

/// Why telemetry did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// `CC_LOG` holds something that is no filter.
    #[error("cannot read the filter in {FILTER_VARIABLE}")]
    Filter(#[source] ParseError),
    /// `CC_LOG` is not UTF-8.
    #[error("{FILTER_VARIABLE} is not valid UTF-8")]
    NotUnicode,
    /// A subscriber is installed already.
    #[error("cannot start telemetry")]
    Started(#[source] SetGlobalDefaultError),
}

impl Advise for TelemetryError {
    fn exit(&self) -> Exit {
        match self {
            Self::Filter(_) | Self::NotUnicode => Exit::Usage,
            Self::Started(_) => Exit::Failed,
        }
    }

    fn advice(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Filter(_) | Self::NotUnicode => Some(
                "Set CC_LOG to a level (error, warn, info, debug, trace) or to target=level pairs with commas between them, or unset it."
                    .into(),
            ),
            Self::Started(_) => None,
        }
    }
}

/// Sends events to stderr from now on; to be called once, by `main`.
///
/// `base` is what the program says without `-v` and `-q`: info for a daemon, warn for a command.
/// `CC_LOG` has the last word over what its directives name. Colours are used when stderr is a
/// terminal that can show them and `NO_COLOR` is unset or empty.
///
/// # Errors
/// When `CC_LOG` is no filter, or when it was called before.
pub fn start(base: LevelFilter, verbosity: Verbosity) -> Result<(), TelemetryError> {
    start_with(base, verbosity, "")
}

/// The same, with directives that are in front of those of `CC_LOG`: for a library that says what the
/// program says itself, such as `async_nats=off`.
///
/// # Errors
/// As [`start`].
pub fn start_with(
    base: LevelFilter,
    verbosity: Verbosity,
    first: &str,
) -> Result<(), TelemetryError> {
    let directives = match env::var(FILTER_VARIABLE) {
        Ok(directives) => directives,
        Err(VarError::NotPresent) => String::new(),
        Err(VarError::NotUnicode(_)) => return Err(TelemetryError::NotUnicode),
    };
    let filter = filter(verbosity.level(base), &format!("{first},{directives}"))?;
    let colours = colours(
        io::stderr().is_terminal(),
        env::var_os("NO_COLOR").as_deref(),
        env::var_os("TERM").as_deref(),
    );
    set_global_default(subscriber(filter, colours, io::stderr)).map_err(TelemetryError::Started)
}

fn subscriber<W>(filter: EnvFilter, colours: bool, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(colours)
        .fmt_fields(OneLine)
        .with_writer(writer)
        .finish()
}

/// Formats the message and `name=value` for the others, nothing of which can drive a terminal. The
/// formatter that comes with the subscriber sees to that for the message alone.
struct OneLine;

impl<'w> FormatFields<'w> for OneLine {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut line = Line {
            writer,
            begun: false,
            result: Ok(()),
        };
        fields.record(&mut line);
        line.result
    }
}

struct Line<'w> {
    writer: Writer<'w>,
    begun: bool,
    result: fmt::Result,
}

impl Line<'_> {
    fn add(&mut self, field: &Field, text: &str) {
        let space = if self.begun { " " } else { "" };
        let (name, equals) = match field.name() {
            "message" => ("", ""),
            name => (name, "="),
        };
        let text = harmless(text);
        self.begun = true;
        self.result = self
            .result
            .and_then(|()| write!(self.writer, "{space}{name}{equals}{text}"));
    }
}

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, &format!("{value:?}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.add(field, &chain(value));
    }
}

/// The level, overridden by whatever the directives name; a bare level among them replaces it.
fn filter(level: LevelFilter, directives: &str) -> Result<EnvFilter, TelemetryError> {
    let directives = directives.trim().trim_matches(',');
    let all = if directives.is_empty() {
        level.to_string()
    } else {
        format!("{level},{directives}")
    };
    EnvFilter::builder()
        .parse(all)
        .map_err(TelemetryError::Filter)
}

/// Whether to colour: see <https://no-color.org>.
fn colours(terminal: bool, no_color: Option<&OsStr>, term: Option<&OsStr>) -> bool {
    terminal && no_color.is_none_or(OsStr::is_empty) && term.is_none_or(|term| term != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn said(level: LevelFilter, directives: &str, colours: bool, speak: impl FnOnce()) -> String {
        let page = Page::default();
        let writer = page.clone();
        let filter = filter(level, directives).unwrap();
        let subscriber = subscriber(filter, colours, move || writer.clone());
        tracing::subscriber::with_default(subscriber, speak);
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn each_flag_moves_one_level_and_stops_at_the_ends() {
        let level = |verbose, quiet| Verbosity { verbose, quiet }.level(LevelFilter::INFO);
        assert_eq!(level(0, 0), LevelFilter::INFO);
        assert_eq!(level(1, 0), LevelFilter::DEBUG);
        assert_eq!(level(2, 0), LevelFilter::TRACE);
        assert_eq!(level(255, 0), LevelFilter::TRACE);
        assert_eq!(level(0, 1), LevelFilter::WARN);
        assert_eq!(level(0, 3), LevelFilter::OFF);
        assert_eq!(level(0, 255), LevelFilter::OFF);
        assert_eq!(level(1, 1), LevelFilter::INFO);
    }

    #[test]
    fn the_variable_overrides_what_it_names_and_nothing_else() {
        let speak = || {
            tracing::debug!("ours at debug");
            tracing::debug!(target: "other", "theirs at debug");
            tracing::warn!(target: "other", "theirs at warn");
        };
        let text = said(LevelFilter::WARN, "cc_kit=debug", false, speak);
        assert!(text.contains("ours at debug"), "{text}");
        assert!(!text.contains("theirs at debug"), "{text}");
        assert!(text.contains("theirs at warn"), "{text}");
        let text = said(LevelFilter::WARN, "debug", false, speak);
        assert!(text.contains("theirs at debug"), "{text}");
        assert!(said(LevelFilter::WARN, " ,", false, speak).contains("theirs at warn"));
    }

    #[test]
    fn a_bad_filter_is_an_error_of_use() {
        let error = filter(LevelFilter::INFO, "cc_kit=loud").unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        assert!(error.advice().is_some());
    }

    #[test]
    fn colours_only_on_a_terminal_that_wants_them() {
        let os = |text| Some(OsStr::new(text));
        assert!(colours(true, None, os("tmux-256color")));
        assert!(colours(true, os(""), None));
        assert!(!colours(true, os("1"), None));
        assert!(!colours(false, None, None));
        assert!(!colours(true, None, os("dumb")));
        let speak = || tracing::info!("hello");
        assert!(!said(LevelFilter::INFO, "", false, speak).contains('\u{1b}'));
        assert!(said(LevelFilter::INFO, "", true, speak).contains('\u{1b}'));
    }

    #[test]
    fn a_title_that_slipped_through_raw_drives_no_terminal_and_forges_no_line() {
        let title = "\u{1b}]0;owned\u{7}\u{9b}2J\n2026 ERROR forged\u{202e}";
        let text = said(LevelFilter::INFO, "", false, || {
            let span = tracing::info_span!("pane", title);
            let _inside = span.entered();
            tracing::info!(%title, other = ?title, "a title: {title}");
        });
        let line = text.strip_suffix('\n').unwrap();
        assert!(!line.contains(char::is_control), "{line:?}");
        assert!(!line.contains('\u{202e}'), "{line:?}");
        assert!(line.contains("title=\\x1b]0;owned\\x07"), "{line}");
    }

    #[test]
    fn an_error_is_said_with_its_causes() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot open the door")]
        struct Shut(#[source] io::Error);
        let text = said(LevelFilter::INFO, "", false, || {
            let error: &(dyn Error + 'static) = &Shut(io::Error::other("no \u{1b} key"));
            tracing::warn!(error, "cannot go on");
        });
        let expected = "cannot go on error=cannot open the door: no \\x1b key\n";
        assert!(text.ends_with(expected), "{text}");
    }
}
