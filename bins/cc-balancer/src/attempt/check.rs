//! What decides whether that which says that it is done is done.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use cc_kit::process::Group;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long a check may take.
const CHECK: Duration = Duration::from_secs(30 * 60);
/// How long what it printed is waited for once it has ended: what it left behind may hold its output open.
const LINGER: Duration = Duration::from_secs(1);

/// Runs a check for the task of that id: its code, `None` where it could not be run, and the end of what it
/// said, of either output at most so many bytes. Who waits no more ends it, with all that it has started.
pub(super) async fn run_check(
    argv: &[String],
    cwd: Option<PathBuf>,
    id: &str,
    most: usize,
) -> (Option<i32>, String) {
    let Some((program, arguments)) = argv.split_first() else {
        return (None, "the check is empty".to_owned());
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("CC_TASK", id)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    if let Some(cwd) = cwd {
        command.current_dir(cwd);
    }
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return (None, format!("{program}: {error}")),
    };
    let group = Group::of(child.id());
    let (mut printed, mut complained) = (Tail::of(most), Tail::of(most));
    let ended = {
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let hear = async { tokio::join!(printed.hear(stdout), complained.hear(stderr)) };
        timeout(CHECK, ended(&mut child, hear)).await
    };
    match ended {
        Ok(Ok(status)) => {
            group.has_ended();
            let said = printed.text() + &complained.text();
            (Some(status.code().unwrap_or(-1)), said)
        }
        Ok(Err(error)) => (None, format!("{program}: {error}")),
        Err(_) => (None, format!("{program} took longer than {CHECK:?}")),
    }
}

/// Waits for the end of one that is heard.
async fn ended<T>(child: &mut Child, hear: impl Future<Output = T>) -> std::io::Result<ExitStatus> {
    tokio::pin!(hear);
    tokio::select! {
        status = child.wait() => {
            let _ = timeout(LINGER, hear).await;
            status
        }
        _ = &mut hear => child.wait().await,
    }
}

/// The end of what is said.
#[derive(Debug)]
struct Tail {
    kept: VecDeque<u8>,
    most: usize,
}

impl Tail {
    const fn of(most: usize) -> Self {
        Self {
            kept: VecDeque::new(),
            most,
        }
    }

    async fn hear(&mut self, pipe: Option<impl AsyncRead + Unpin>) {
        let Some(mut pipe) = pipe else { return };
        let mut chunk = [0; 8192];
        while let Ok(read) = pipe.read(&mut chunk).await {
            let heard = chunk.get(..read).unwrap_or_default();
            if heard.is_empty() {
                return;
            }
            self.kept.extend(heard);
            let over = self.kept.len().saturating_sub(self.most);
            self.kept.drain(..over);
        }
    }

    fn text(mut self) -> String {
        String::from_utf8_lossy(self.kept.make_contiguous()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::{Pid, Signal};

    use super::*;

    async fn run(script: &str, most: usize) -> (Option<i32>, String) {
        let argv = ["sh", "-c", script].map(str::to_owned);
        run_check(&argv, None, "0123456789ab", most).await
    }

    #[tokio::test]
    async fn its_code_and_the_end_of_both_outputs_are_kept() {
        let (code, said) = run("echo $CC_TASK; echo no >&2; exit 3", 100).await;
        assert_eq!((code, said.as_str()), (Some(3), "0123456789ab\nno\n"));
        let (code, said) = run("seq 100000; echo x >&2", 7).await;
        assert_eq!((code, said.as_str()), (Some(0), "100000\nx\n"));
        let (code, said) = run("exit 0", 0).await;
        assert_eq!((code, said.as_str()), (Some(0), ""));
    }

    #[tokio::test]
    async fn what_it_left_behind_is_not_waited_for() {
        let (code, said) = run("sleep 100 & echo $!", 100).await;
        assert_eq!(code, Some(0));
        let left = Pid::from_raw(said.trim().parse().unwrap()).unwrap();
        // It is somebody's, as of any other program.
        rustix::process::kill_process(left, Signal::KILL).unwrap();
    }

    #[tokio::test]
    async fn one_that_nobody_waits_for_ends_with_all_that_it_has_started() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("f");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        let kind = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, kind, mode, 0).unwrap();
        // Whoever has it open holds up its reader.
        let script = format!("sleep 100 >{0} & exec sleep 100 >{0}", fifo.display());
        let checking = tokio::spawn(async move { run(&script, 100).await });
        let mut opened = tokio::fs::File::open(&fifo).await.unwrap();
        checking.abort();
        let mut said = Vec::new();
        let read = timeout(Duration::from_secs(15), opened.read_to_end(&mut said));
        read.await.expect("both are gone").unwrap();
    }
}
