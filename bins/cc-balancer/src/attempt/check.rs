//! What decides whether that which says that it is done is done.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

/// How long a check may take.
const CHECK: Duration = Duration::from_secs(30 * 60);

/// Runs a check for the task of that id: its code, `None` where it could not be run, and what it said.
pub(super) async fn run_check(
    argv: &[String],
    cwd: Option<PathBuf>,
    id: &str,
) -> (Option<i32>, String) {
    let Some((program, arguments)) = argv.split_first() else {
        return (None, "the check is empty".to_owned());
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("CC_TASK", id)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    if let Some(cwd) = cwd {
        command.current_dir(cwd);
    }
    match tokio::time::timeout(CHECK, command.output()).await {
        Ok(Ok(output)) => {
            let mut said = output.stdout;
            said.extend_from_slice(&output.stderr);
            let code = output.status.code();
            let said = String::from_utf8_lossy(&said).into_owned();
            (Some(code.unwrap_or(-1)), said)
        }
        Ok(Err(error)) => (None, format!("{program}: {error}")),
        Err(_) => (None, format!("{program} took longer than {CHECK:?}")),
    }
}
