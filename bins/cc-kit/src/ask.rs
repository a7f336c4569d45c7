//! Asking a daemon over its [control socket](crate::control): a line of JSON there, lines of JSON back.
//!
//! A mistake is answered by `{"v":1,"error":..,"exit":N}`, with `"advice"` where something can be done.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::control;
use crate::exit::{Exit, Failure};
use crate::printable::{harmless, printable};

/// A daemon, in words.
#[derive(Debug, Clone, Copy)]
pub struct Daemon {
    /// What it is called, such as `guardian`.
    pub name: &'static str,
    /// What to do where none runs, in one sentence.
    pub start: &'static str,
}

/// What a daemon answers, line by line.
#[derive(Debug)]
pub struct Answers {
    of: Daemon,
    lines: BufReader<UnixStream>,
}

impl Answers {
    /// Asks; each answer may take up to `patience`.
    ///
    /// # Errors
    /// [`Exit::Unreachable`] where nobody listens.
    pub fn of(
        daemon: Daemon,
        socket: &Path,
        request: &impl Serialize,
        patience: Option<Duration>,
    ) -> Result<Self, Failure> {
        let unreachable =
            |error: io::Error| Failure::new(Exit::Unreachable, error).advice(daemon.start);
        let stream = control::connect(socket).map_err(unreachable)?;
        stream.set_read_timeout(patience).map_err(unreachable)?;
        let mut line = serde_json::to_vec(request).map_err(|e| Failure::new(Exit::Failed, e))?;
        line.push(b'\n');
        (&stream).write_all(&line).map_err(unreachable)?;
        Ok(Self {
            of: daemon,
            lines: BufReader::new(stream),
        })
    }

    /// The next answer; `None` where the daemon has gone.
    ///
    /// # Errors
    /// [`Exit::Timeout`] where none comes in time, [`Exit::Unreachable`] where it is none.
    pub fn next_line(&mut self) -> Result<Option<Value>, Failure> {
        let mut line = String::new();
        match self.lines.read_line(&mut line) {
            Ok(0) => Ok(None),
            Ok(_) => serde_json::from_str(&line)
                .map(Some)
                .map_err(|error| Failure::new(Exit::Unreachable, error)),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                ) =>
            {
                let silent = format!("the {} does not answer", self.of.name);
                Err(Failure::new(Exit::Timeout, silent).advice("See its log, then try again."))
            }
            Err(error) => Err(Failure::new(Exit::Unreachable, error)),
        }
    }
}

/// An answer, or the mistake that it tells of.
///
/// # Errors
/// That mistake, with its exit code.
pub fn checked(answer: Value) -> Result<Value, Failure> {
    let Some(error) = answer.get("error").and_then(Value::as_str) else {
        return Ok(answer);
    };
    let code = answer.get("exit").and_then(Value::as_u64).unwrap_or(1);
    let exit = Exit::of_code(code).unwrap_or(Exit::Failed);
    let failure = Failure::new(exit, error.to_owned());
    if let Some(advice) = answer.get("advice").and_then(Value::as_str) {
        return Err(failure.advice(printable(advice.as_bytes()).to_string()));
    }
    Err(match exit {
        Exit::Usage if error.starts_with("unknown variant") => {
            failure.advice("The daemon that runs is of another version: stop it and start it anew.")
        }
        _ => failure,
    })
}

/// A member of what was answered, for people; `None` where it says nothing.
#[must_use]
pub fn word(of: &Value, name: &str) -> Option<String> {
    match of.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(harmless(text).to_string()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    }
}

/// The members of a list that was answered; none where there is no such list.
pub fn members<'a>(of: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    of.get(name).and_then(Value::as_array).into_iter().flatten()
}
