//! Programs that are asked something, with a deadline.

use std::env;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// How long an answer may take. A server that is well answers in milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// What they are told of our environment: a tmux server gets all of that of its clients.
const KEPT: [&str; 8] = [
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "DBUS_SYSTEM_BUS_ADDRESS",
];

/// What came of it.
#[derive(Debug)]
pub(super) enum Asked {
    /// It ended, well or not.
    Said {
        is_well: bool,
        out: String,
        error: String,
    },
    /// It did not end in time, and was ended.
    Late,
    /// It could not be started.
    Failed(String),
}

/// Runs a program to its end.
pub(super) async fn ask<A: AsRef<OsStr>>(
    program: &Path,
    arguments: impl IntoIterator<Item = A>,
) -> Asked {
    ask_for(PATIENCE, program, arguments).await
}

async fn ask_for<A: AsRef<OsStr>>(
    patience: Duration,
    program: &Path,
    arguments: impl IntoIterator<Item = A>,
) -> Asked {
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).env_clear();
    for kept in KEPT {
        command.envs(env::var_os(kept).map(|value| (kept, value)));
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match tokio::time::timeout(patience, command.output()).await {
        Err(_) => Asked::Late,
        Ok(Err(error)) => Asked::Failed(error.to_string()),
        Ok(Ok(output)) => Asked::Said {
            is_well: output.status.success(),
            out: text(&output.stdout),
            error: text(&output.stderr).trim().to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_does_not_end_is_not_waited_for() {
        let sh = Path::new("/bin/sh");
        let asked = ask_for(Duration::from_millis(50), sh, ["-c", "exec sleep 600"]).await;
        assert!(matches!(asked, Asked::Late), "{asked:?}");
        let asked = ask(sh, ["-c", "echo out; echo error >&2; exit 3"]).await;
        let Asked::Said {
            is_well,
            out,
            error,
        } = asked
        else {
            panic!("{asked:?}");
        };
        assert_eq!((is_well, &*out, &*error), (false, "out\n", "error"));
        let asked = ask(Path::new("/no/such/program"), ["x"]).await;
        assert!(matches!(asked, Asked::Failed(_)), "{asked:?}");
    }
}
