//! Programs that are asked something, with a deadline.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::fs::Access;

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
pub enum Asked {
    /// It ended, well or not.
    Said {
        /// Did it end with 0?
        is_well: bool,
        /// What it printed.
        out: String,
        /// What it printed on standard error.
        error: String,
    },
    /// It did not end in time, and was ended.
    Late,
    /// It could not be started.
    Failed(String),
}

/// Runs a program to its end.
pub async fn ask<A: AsRef<OsStr>>(program: &Path, arguments: impl IntoIterator<Item = A>) -> Asked {
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

/// Where a program is, as it is looked for when it is started.
#[must_use]
pub fn program(name: &Path) -> Option<PathBuf> {
    let can_be_run =
        |path: &Path| path.is_file() && rustix::fs::access(path, Access::EXEC_OK).is_ok();
    if name.components().count() > 1 {
        return can_be_run(name).then(|| name.to_owned());
    }
    let path = env::var_os("PATH")?;
    let mut found = env::split_paths(&path).map(|directory| directory.join(name));
    found.find(|path| can_be_run(path))
}

/// What a tmux says of itself, without the word `tmux`.
///
/// # Errors
/// Why it says nothing.
pub async fn version(tmux: &Path) -> Result<String, String> {
    match ask(tmux, ["-V"]).await {
        Asked::Said { error, is_well, .. } if !is_well => Err(error),
        Asked::Said { out, .. } => {
            let said = out.trim();
            Ok(said.strip_prefix("tmux ").unwrap_or(said).to_owned())
        }
        Asked::Late => Err("it does not answer".to_owned()),
        Asked::Failed(error) => Err(error),
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

    #[test]
    fn a_program_is_what_can_be_run() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("tmux");
        assert_eq!(program(&file), None);
        std::fs::write(&file, "#!/bin/sh\n").unwrap();
        assert_eq!(program(&file), None);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(&file, mode).unwrap();
        assert_eq!(program(&file), Some(file));
        assert_eq!(program("no-such-program-anywhere".as_ref()), None);
        assert!(program("sh".as_ref()).unwrap().is_absolute());
        assert_eq!(program(directory.path()), None);
    }
}
