use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

use super::*;

async fn exec(folder: &Path, command: &[&str]) -> Result<Sent, SendError> {
    let command = command.iter().map(|&word| word.to_owned()).collect();
    send(&letter(), &Way::Exec { command }, &means(folder)).await
}

#[tokio::test]
async fn a_program_gets_the_message_on_stdin_and_in_its_environment() {
    let folder = TempDir::new().unwrap();
    let tell = program(
        folder.path(),
        "tell",
        "cat >\"$OUT/in\"; printf '%s\\n' \"$#\" \"$1\" \"$CC_ALERT_NAME\" \"$CC_ALERT_UNIT\" \
         \"$CC_ALERT_KIND\" \"$CC_ALERT_SUB\" \"$CC_ALERT_TITLE\" \"$CC_ALERT_ID\" >\"$OUT/env\"; \
         printf 'told\\033[2J\\n'",
    );
    let sent = exec(folder.path(), &[&tell, "$(touch pwned) *"])
        .await
        .unwrap();
    assert_eq!((sent.status, &*sent.said), (None, "told\\x1b[2J"));
    let letter = letter();
    let stdin: Value = serde_json::from_str(&read(folder.path(), "in")).unwrap();
    assert_eq!(stdin, letter.json);
    let expected = [
        "1",
        "$(touch pwned) *",
        "phone",
        "coder@1",
        "held",
        &letter.sub,
        &letter.title,
        &letter.id,
    ];
    let environment = read(folder.path(), "env");
    assert_eq!(environment.lines().collect::<Vec<_>>(), expected);
    assert!(!environment.contains('\u{1b}'), "{environment:?}");
}

#[tokio::test]
async fn a_program_is_found_by_its_name_alone() {
    let folder = TempDir::new().unwrap();
    program(folder.path(), "tell", "exit 0");
    exec(folder.path(), &["tell"]).await.unwrap();
    let wrong = exec(folder.path(), &["no-such-program"]).await.unwrap_err();
    assert_eq!(wrong.to_string(), "cannot start no-such-program");
    assert!(!wrong.may_pass());
}

#[tokio::test]
async fn how_a_program_failed_is_said() {
    let folder = TempDir::new().unwrap();
    for (text, expected) in [
        (
            "echo no network >&2; exit 3",
            "ended with status 3: no network",
        ),
        ("kill -9 $$", "ended with signal 9"),
        (
            "echo token correct-horse is wrong; exit 1",
            "ended with status 1: token <redacted:env:HASH> is wrong",
        ),
    ] {
        let tell = program(folder.path(), "tell", text);
        let wrong = exec(folder.path(), &[&tell]).await.unwrap_err();
        let (before, after) = expected.split_once("HASH").unwrap_or((expected, ""));
        let said = wrong.to_string();
        assert!(said.starts_with(&format!("{tell} {before}")), "{said}");
        assert!(said.ends_with(after) && !said.contains("horse"), "{said}");
        assert!(wrong.may_pass());
    }
}

#[tokio::test]
async fn a_program_may_say_much_and_need_not_listen() {
    let folder = TempDir::new().unwrap();
    let text = "exec <&-; head -c 1000000 /dev/zero | tr '\\0' x; echo >\"$OUT/done\"";
    let tell = program(folder.path(), "tell", text);
    let sent = exec(folder.path(), &[&tell]).await.unwrap();
    assert_eq!(sent.said.chars().count(), SHOWN);
    assert!(folder.path().join("done").exists());
}

#[tokio::test]
async fn what_a_program_leaves_behind_is_not_waited_for() {
    let folder = TempDir::new().unwrap();
    // It has the output open, and goes on until the folder is gone.
    let text = "(while [ -d \"$OUT\" ]; do sleep 0.1; done) & echo started";
    let tell = program(folder.path(), "tell", text);
    let sent = exec(folder.path(), &[&tell]).await.unwrap();
    assert_eq!(sent.said, "started");
}

#[tokio::test]
async fn a_program_that_does_not_end_is_killed_with_what_it_started() {
    let folder = TempDir::new().unwrap();
    // The pipe has an end when nobody has it open any more.
    let pipe = folder.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let (ended, end) = std::sync::mpsc::channel();
    thread::spawn({
        let pipe = pipe.clone();
        move || ended.send(fs::read_to_string(pipe).unwrap())
    });
    let text = "exec 3>\"$OUT/pipe\"; echo begun >&3; sleep 1000 & sleep 1000";
    let command = vec![program(folder.path(), "tell", text)];
    let mut means = means(folder.path());
    // It has to have opened the pipe by then, or the reader would wait for ever: there is a second
    // writer until it has.
    let other = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    means.program_limit = Duration::from_millis(500);
    let wrong = send(&letter(), &Way::Exec { command }, &means).await;
    assert!(matches!(wrong, Err(SendError::Slow { .. })), "{wrong:?}");
    drop(other);
    end.recv_timeout(Duration::from_secs(60))
        .expect("something has the pipe open still");
}

#[tokio::test]
async fn a_program_is_killed_when_nobody_waits_for_it_any_more() {
    let folder = TempDir::new().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let text = "exec 3>\"$OUT/pipe\"; echo begun >&3; sleep 1000 & sleep 1000";
    let tell = program(folder.path(), "tell", text);
    let mut reader = {
        let sending = tokio::spawn({
            let folder = folder.path().to_owned();
            async move { exec(&folder, &[&tell]).await }
        });
        let open = tokio::task::spawn_blocking(move || {
            let mut pipe = fs::File::open(pipe).unwrap();
            let mut begun = [0; 6];
            pipe.read_exact(&mut begun).unwrap();
            pipe
        });
        let pipe = open.await.unwrap();
        sending.abort();
        assert!(sending.await.unwrap_err().is_cancelled());
        pipe
    };
    let end = tokio::task::spawn_blocking(move || reader.read_to_string(&mut String::new()));
    let end = tokio::time::timeout(Duration::from_secs(60), end).await;
    assert_eq!(
        end.expect("something has it open still").unwrap().unwrap(),
        0
    );
}
