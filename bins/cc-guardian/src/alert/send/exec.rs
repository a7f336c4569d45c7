//! A program, without a shell: the message on its standard input and in its environment.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use cc_kit::printable::printable;
use cc_kit::process::Group;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use super::{Means, SAID, SendError, Sent};
use crate::alert::letter::Letter;

/// How long to read on when the program has ended and something that it started still has its output.
const LINGER: Duration = Duration::from_millis(200);

/// Starts the program of an alert.
pub(super) async fn send(
    letter: &Letter,
    command: &[String],
    means: &Means,
) -> Result<Sent, SendError> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(not_started(Path::new(""), io::ErrorKind::NotFound.into()));
    };
    let program = if program.contains('/') {
        PathBuf::from(program)
    } else {
        means
            .program(program)
            .ok_or_else(|| not_started(Path::new(program), io::ErrorKind::NotFound.into()))?
    };
    run(letter, &program, arguments, means).await
}

fn not_started(program: &Path, source: io::Error) -> SendError {
    SendError::NotStarted {
        program: name(program),
        source,
    }
}

fn name(program: &Path) -> String {
    printable(program.as_os_str().as_encoded_bytes()).to_string()
}

/// Runs a program that tells somebody.
pub(super) async fn run(
    letter: &Letter,
    program: &Path,
    arguments: &[impl AsRef<OsStr>],
    means: &Means,
) -> Result<Sent, SendError> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(&means.environment)
        .envs(variables(letter))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut child = command
        .spawn()
        .map_err(|error| not_started(program, error))?;
    let group = Group::of(child.id());
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (mut said, mut complained) = (Vec::new(), Vec::new());
    let ended = {
        let message = letter.json.to_string();
        let talk = pin!(async {
            let (stdin, stdout, stderr) = pipes;
            tokio::join!(
                give(stdin, message),
                hear(stdout, &mut said),
                hear(stderr, &mut complained),
            );
        });
        timeout(means.program_limit, ended(&mut child, talk)).await
    };
    said.append(&mut complained);
    let (program, said) = (name(program), means.shown(&said));
    let status = match ended {
        Ok(Ok(status)) => status,
        Ok(Err(source)) => return Err(SendError::NotStarted { program, source }),
        Err(_) => {
            drop(group);
            let _ = child.wait().await;
            let limit = means.program_limit;
            return Err(SendError::Slow {
                program,
                limit,
                said,
            });
        }
    };
    group.has_ended();
    match how(status) {
        None => Ok(Sent { status: None, said }),
        Some(how) => Err(SendError::Program { program, how, said }),
    }
}

/// Waits for the end of a program that is talked to.
async fn ended(
    child: &mut Child,
    mut talk: Pin<&mut impl Future<Output = ()>>,
) -> io::Result<ExitStatus> {
    tokio::select! {
        status = child.wait() => {
            let _ = timeout(LINGER, talk).await;
            status
        }
        () = &mut talk => child.wait().await,
    }
}

/// Gives it the message. One that does not want it is none the worse.
async fn give(stdin: Option<ChildStdin>, message: String) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(message.as_bytes()).await;
        let _ = stdin.write_all(b"\n").await;
    }
}

/// Keeps the beginning of what it says, and hears the rest: it is not to wait for us.
async fn hear(pipe: Option<impl AsyncRead + Unpin>, said: &mut Vec<u8>) {
    let Some(mut pipe) = pipe else { return };
    let mut chunk = [0; 1024];
    while let Ok(read) = pipe.read(&mut chunk).await {
        let heard = chunk.get(..read).unwrap_or_default();
        if heard.is_empty() {
            return;
        }
        let room = SAID.saturating_sub(said.len()).min(read);
        said.extend_from_slice(heard.get(..room).unwrap_or_default());
    }
}

/// Why a program failed, if it did.
fn how(status: ExitStatus) -> Option<String> {
    match (status.code(), status.signal()) {
        (Some(0), _) => None,
        (Some(code), _) => Some(format!("status {code}")),
        (None, Some(signal)) => Some(format!("signal {signal}")),
        (None, None) => Some(status.to_string()),
    }
}

/// What the program finds in its environment.
fn variables(letter: &Letter) -> [(&'static str, &str); 9] {
    [
        ("CC_ALERT_ID", &letter.id),
        ("CC_ALERT_NAME", &letter.alert),
        ("CC_ALERT_UNIT", &letter.unit),
        ("CC_ALERT_KIND", letter.kind),
        ("CC_ALERT_SUB", &letter.sub),
        ("CC_ALERT_SINCE", &letter.since),
        ("CC_ALERT_AT", &letter.at),
        ("CC_ALERT_TITLE", &letter.title),
        ("CC_ALERT_BODY", &letter.body),
    ]
}
