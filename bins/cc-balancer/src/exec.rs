//! `exec`: what a shell worker runs. It asks the balancer for the command of an attempt, runs it in this
//! terminal, and says how it ended, however long the balancer is away.

use std::env;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};
use std::time::{Duration, Instant};

use cc_kit::exit::{Exit, Failure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::process::Command;
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};
use tokio::time::sleep;

use crate::ask::{Place, ask_at, runtime, say};
use crate::cli;
use crate::request::{Attempt, Request};
use crate::task::TaskId;

/// How long a balancer may be away before the command is begun.
const BEGIN: Duration = Duration::from_secs(30);
/// How long it may be away once that has ended.
const END: Duration = Duration::from_secs(60 * 60);
/// How long it is waited before it is looked for again: at first, and at most.
const AGAIN: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(10));
/// What a shell ends with where it cannot run something, and where that is not there.
const CANNOT: (u8, u8) = (126, 127);

/// Runs the command of an attempt.
pub(crate) fn exec(exec: &cli::Exec) -> Result<ExitCode, Failure> {
    let attempt = attempt(exec)?;
    // A shell need not have the environment of the balancer that types.
    let socket = match &exec.socket {
        Some(socket) => socket.clone(),
        None => Place::find(&exec.state)?.socket(),
    };
    runtime()?.block_on(async {
        // From here on no key ends us before we have said how it ended.
        let mut signals = Caught::install().map_err(|error| Failure::new(Exit::Failed, error))?;
        let begin = Request::ExecBegin(attempt.clone());
        let answer = patiently(&socket, &begin, BEGIN, &mut signals).await;
        let answer = answer.map_err(|failure| match failure.exit() {
            Exit::Unreachable | Exit::Interrupted => failure,
            _ => failure.advice("Nothing was run."),
        })?;
        let text = answer.get("text").and_then(Value::as_str).ok_or_else(|| {
            Failure::new(Exit::Unreachable, "the balancer told no command")
                .advice("Nothing was run: the balancer that runs is of another version.")
        })?;
        let cwd = answer.get("cwd").and_then(Value::as_str).map(PathBuf::from);
        let code = run(text, cwd.as_deref(), &attempt, &mut signals).await;
        let end = Request::ExecEnd {
            attempt,
            exit: code.into(),
        };
        match patiently(&socket, &end, END, &mut signals).await {
            Ok(_) => {}
            Err(failure) => drop(failure.report()),
        }
        Ok(code.into())
    })
}

/// `ID.N`
fn attempt(exec: &cli::Exec) -> Result<Attempt, Failure> {
    let parts = exec.attempt.rsplit_once('.');
    let parts = parts
        .and_then(|(id, number)| Some((id.parse::<TaskId>().ok()?, number.parse::<u32>().ok()?)));
    let (task, number) = parts.ok_or_else(|| {
        Failure::new(Exit::Usage, format!("{:?} is no attempt", exec.attempt))
            .advice("This is for the balancer alone: it types what is right.")
    })?;
    Ok(Attempt {
        task: task.into(),
        attempt: number,
        nonce: exec.nonce.clone(),
    })
}

/// Asks until somebody answers, for so long.
async fn patiently(
    socket: &Path,
    request: &Request,
    patience: Duration,
    signals: &mut Caught,
) -> Result<Value, Failure> {
    let began = Instant::now();
    let (mut rest, most) = AGAIN;
    let mut is_said = false;
    loop {
        let failure = match ask_at(socket, request) {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        let is_away = matches!(failure.exit(), Exit::Unreachable | Exit::Timeout);
        if !is_away || began.elapsed() > patience {
            return Err(failure);
        }
        if !is_said {
            say("the balancer is away: waiting for it (^C gives up)");
            is_said = true;
        }
        tokio::select! {
            () = sleep(rest) => {}
            _ = signals.interrupt.recv() => {
                return Err(Failure::new(Exit::Interrupted, "given up")
                    .advice("The balancer was not told how it ended."));
            }
        }
        rest = (rest * 2).min(most);
    }
}

/// Signals that end the command and not us.
#[derive(Debug)]
struct Caught {
    interrupt: Signals,
    terminate: Signals,
    /// These come from the terminal to the command as well.
    _both: [Signals; 2],
}

impl Caught {
    fn install() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            _both: [signal(SignalKind::quit())?, signal(SignalKind::hangup())?],
        })
    }
}

/// Runs it as this shell would, and gives its exit code.
async fn run(text: &str, cwd: Option<&Path>, attempt: &Attempt, signals: &mut Caught) -> u8 {
    let shell = env::var_os("SHELL").map(PathBuf::from);
    let shell = shell.filter(|shell| shell.is_absolute() && shell.is_file());
    let mark = attempt.mark();
    let mut command = Command::new(shell.unwrap_or_else(|| PathBuf::from("sh")));
    command
        .arg("-c")
        .arg(text)
        .env("CC_TASK", &attempt.task)
        .env("CC_ATTEMPT", attempt.attempt.to_string())
        .env(mark.variable, mark.value);
    if let Some(cwd) = cwd {
        command.current_dir(cwd);
    }
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            say(&format!("error: it cannot be run: {error}"));
            return match error.kind() {
                io::ErrorKind::NotFound => CANNOT.1,
                _ => CANNOT.0,
            };
        }
    };
    let pid = child.id().and_then(|id| i32::try_from(id).ok());
    let pid = pid.and_then(Pid::from_raw);
    loop {
        tokio::select! {
            ended = child.wait() => return ended.map_or(CANNOT.0, code),
            Some(()) = signals.terminate.recv() => {
                if let Some(pid) = pid {
                    let _ = kill_process(pid, Signal::TERM);
                }
            }
        }
    }
}

/// As shells say it: of a signal 128 and more.
fn code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok())
        .unwrap_or(CANNOT.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_an_exit_code_as_shells_have_it() {
        for (raw, expected) in [(0, 0), (3 << 8, 3), (9, 137), (15, 143), (255 << 8, 255)] {
            assert_eq!(code(ExitStatus::from_raw(raw)), expected);
        }
    }

    #[test]
    fn an_attempt_is_an_id_and_a_number() {
        let read = |text: &str| {
            attempt(&cli::Exec {
                socket: None,
                attempt: text.to_owned(),
                nonce: "n".to_owned(),
                state: cc_kit::home::State::default(),
            })
        };
        let right = read("0123456789ab.2").unwrap();
        assert_eq!((right.task.as_str(), right.attempt), ("0123456789ab", 2));
        for wrong in [
            "",
            "0123456789ab",
            "0123456789ab.",
            "0123.1",
            "0123456789ab.-1",
        ] {
            assert_eq!(read(wrong).unwrap_err().exit(), Exit::Usage, "{wrong}");
        }
    }
}
