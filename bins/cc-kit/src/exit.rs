//! The one table of exit codes, and how a program ends with one of them.
//!
//! A program's `main` is: parse, choose, start, and on an error [`Failure::report`].

use std::borrow::Cow;
use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::printable::harmless;

/// How a program of this family ends. The numbers are an interface: scripts match on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Exit {
    /// 0: done, or the task succeeded.
    Success = 0,
    /// 1: it ran, and failed.
    Failed = 1,
    /// 2: the command line or the configuration makes no sense.
    Usage = 2,
    /// 3: blocked; only a human can go on.
    Blocked = 3,
    /// 4: no unit, task or pane of that name.
    Unknown = 4,
    /// 5: not allowed.
    NotAllowed = 5,
    /// 6: rate-limited, and told not to wait.
    RateLimited = 6,
    /// 7: the state store or the journal is unhealthy: full, damaged, not writable, in use.
    Store = 7,
    /// 8: something was sent, and whether it arrived is not known.
    DeliveryUncertain = 8,
    /// 69: the daemon or the tmux server cannot be reached.
    Unreachable = 69,
    /// 75: no worker in time; trying later may help.
    NoWorker = 75,
    /// 124: the time given was over.
    Timeout = 124,
    /// 130: stopped by SIGINT.
    Interrupted = 130,
    /// 143: stopped by SIGTERM.
    Terminated = 143,
}

impl Exit {
    /// The number that the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The row of that number, where there is one.
    #[must_use]
    pub fn of_code(code: u64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|exit| u64::from(exit.code()) == code)
    }

    const ALL: [Self; 14] = [
        Self::Success,
        Self::Failed,
        Self::Usage,
        Self::Blocked,
        Self::Unknown,
        Self::NotAllowed,
        Self::RateLimited,
        Self::Store,
        Self::DeliveryUncertain,
        Self::Unreachable,
        Self::NoWorker,
        Self::Timeout,
        Self::Interrupted,
        Self::Terminated,
    ];
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// An error that knows how the program should end because of it, and what its reader can do next.
pub trait Advise: Error {
    /// The row of the table.
    fn exit(&self) -> Exit;

    /// One clear sentence that says what to do next, if there is something to do.
    fn advice(&self) -> Option<Cow<'static, str>> {
        None
    }
}

/// The end of a program that did not succeed: an exit code, what went wrong, and what to do next.
///
/// Errors that implement [`Advise`] turn into one with `?`; for others there is [`Failure::new`].
///
/// ```no_run
/// use cc_kit::exit::{Exit, Failure};
/// use std::process::ExitCode;
///
/// fn run() -> Result<(), Failure> {
///     let source = std::io::Error::other("connection refused");
///     Err(Failure::new(Exit::Unreachable, source).advice("Start it with `cc-logger run`."))
/// }
///
/// fn main() -> ExitCode {
///     match run() {
///         Ok(()) => Exit::Success.into(),
///         Err(failure) => failure.report(),
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    source: Box<dyn Error + Send + Sync>,
    advice: Option<Cow<'static, str>>,
}

impl Failure {
    /// A failure without advice.
    pub fn new(exit: Exit, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            exit,
            source: source.into(),
            advice: None,
        }
    }

    /// Says what to do next, in one sentence; replaces what was said before.
    #[must_use]
    pub fn advice(mut self, advice: impl Into<Cow<'static, str>>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// The row of the table.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        self.exit
    }

    /// Is there advice?
    #[must_use]
    pub const fn is_advised(&self) -> bool {
        self.advice.is_some()
    }

    /// Prints to stderr and gives the exit code. A stderr that cannot be written changes nothing.
    #[must_use]
    pub fn report(&self) -> ExitCode {
        let _ = self.write_to(&mut io::stderr().lock());
        self.exit.into()
    }

    /// What is wrong, with its causes, on one line.
    ///
    /// What an error quotes may come from strangers, so control characters are escaped.
    #[must_use]
    pub fn what(&self) -> String {
        harmless(&chain(&*self.source)).to_string()
    }

    /// What to do next, on one line, in the same way.
    #[must_use]
    pub fn next_step(&self) -> Option<String> {
        let advice = self.advice.as_ref()?;
        Some(harmless(advice).to_string())
    }

    /// Writes `error: `, [what](Self::what) is wrong, and on a second line [what to do](Self::next_step).
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        let mut text = format!("error: {}\n", self.what());
        if let Some(next) = self.next_step() {
            let _ = writeln!(text, "{next}");
        }
        out.write_all(text.as_bytes())
    }
}

impl<E: Advise + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self {
            exit: error.exit(),
            advice: error.advice(),
            source: Box::new(error),
        }
    }
}

/// The messages of an error and its causes, joined by `: `. A message that only repeats the end of
/// what stands there already is left out.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !line.ends_with(&message) {
            let _ = write!(line, ": {message}");
        }
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot write 12 bytes to log")]
    struct Full(#[source] io::Error);

    impl Advise for Full {
        fn exit(&self) -> Exit {
            Exit::Store
        }
        fn advice(&self) -> Option<Cow<'static, str>> {
            Some("Free some space.".into())
        }
    }

    fn written(failure: &Failure) -> String {
        let mut out = Vec::new();
        failure.write_to(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_numbers_are_the_documented_ones() {
        let table = [
            (Exit::Success, 0),
            (Exit::Failed, 1),
            (Exit::Usage, 2),
            (Exit::Blocked, 3),
            (Exit::Unknown, 4),
            (Exit::NotAllowed, 5),
            (Exit::RateLimited, 6),
            (Exit::Store, 7),
            (Exit::DeliveryUncertain, 8),
            (Exit::Unreachable, 69),
            (Exit::NoWorker, 75),
            (Exit::Timeout, 124),
            (Exit::Interrupted, 130),
            (Exit::Terminated, 143),
        ];
        for (exit, code) in table {
            assert_eq!(exit.code(), code);
            assert_eq!(
                format!("{:?}", ExitCode::from(exit)),
                format!("{:?}", ExitCode::from(code))
            );
        }
    }

    #[test]
    fn a_failure_prints_its_causes_once_and_then_the_advice() {
        let failure = Failure::from(Full(io::Error::other("disk is full")));
        assert_eq!(failure.exit(), Exit::Store);
        assert_eq!(
            written(&failure),
            "error: cannot write 12 bytes to log: disk is full\nFree some space.\n"
        );
    }

    #[test]
    fn a_cause_that_is_already_in_the_line_is_not_repeated() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot start: {0}")]
        struct Eager(#[source] io::Error);
        let failure = Failure::new(Exit::Failed, Eager(io::Error::other("no such thing")));
        assert_eq!(written(&failure), "error: cannot start: no such thing\n");
    }

    #[test]
    fn a_quoted_name_cannot_drive_the_terminal_or_forge_a_line() {
        let failure = Failure::new(Exit::Unknown, "no pane \u{1b}[2J\nerror: forged");
        assert_eq!(
            written(&failure),
            "error: no pane \\x1b[2J\\nerror: forged\n"
        );
    }
}
