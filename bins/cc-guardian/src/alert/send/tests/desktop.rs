use tempfile::TempDir;

use super::*;
use crate::alert::send::desktop::{self, Program};

#[tokio::test]
async fn the_desktop_is_told_by_the_program_that_is_there() {
    let folder = TempDir::new().unwrap();
    let name = if cfg!(target_os = "macos") {
        "terminal-notifier"
    } else {
        "notify-send"
    };
    program(
        folder.path(),
        name,
        "printf '%s\\0' \"$@\" >\"$OUT/arguments\"",
    );
    send(&letter(), &Way::Desktop, &means(folder.path()))
        .await
        .unwrap();
    let arguments = read(folder.path(), "arguments");
    assert!(arguments.contains(&letter().title), "{arguments:?}");
    assert!(!arguments.contains('\u{1b}'), "{arguments:?}");
}

#[tokio::test]
async fn a_desktop_without_that_program_is_a_clear_error() {
    let folder = TempDir::new().unwrap();
    let means = Means::with(
        [(OsString::from("PATH"), folder.path().as_os_str().to_owned())],
        secrets(),
    );
    let wrong = send(&letter(), &Way::Desktop, &means).await.unwrap_err();
    let said = wrong.to_string();
    assert!(
        said.starts_with("there is no ") && said.ends_with(" in PATH"),
        "{said}"
    );
    assert!(!wrong.may_pass());
}

#[test]
fn every_notifier_gets_texts_as_texts() {
    let letter = letter();
    let notify_send = Program::NotifySend.arguments(&letter);
    let end = notify_send
        .iter()
        .position(|argument| argument == "--")
        .unwrap();
    assert_eq!(notify_send[end + 1], letter.title);
    // Its bodies have markup.
    assert!(letter.body.contains('&'));
    assert!(notify_send[end + 2].contains("&amp;"), "{notify_send:?}");
    assert!(
        !notify_send[end + 2].contains(['<', '>']),
        "{notify_send:?}"
    );
    let osascript = Program::Osascript.arguments(&letter);
    let end = osascript
        .iter()
        .position(|argument| argument == "--")
        .unwrap();
    assert_eq!(
        osascript[end + 1..],
        [letter.title.clone(), letter.body.clone()]
    );
    let script = osascript[..end].join("\n");
    assert!(
        !script.contains("coder") && !script.contains("pwned"),
        "{script}"
    );
    let terminal = Program::TerminalNotifier.arguments(&letter);
    assert_eq!(
        terminal,
        ["-title", &letter.title, "-message", &letter.body]
    );
}

#[test]
fn the_best_notifier_that_is_there_is_taken() {
    let folder = TempDir::new().unwrap();
    let means = Means::with(
        [(OsString::from("PATH"), folder.path().as_os_str().to_owned())],
        secrets(),
    );
    let both = [Program::TerminalNotifier, Program::Osascript];
    let wrong = desktop::find(&both, &means).unwrap_err();
    assert_eq!(wrong.to_string(), "there is no osascript in PATH");
    program(folder.path(), "osascript", "exit 0");
    assert_eq!(desktop::find(&both, &means).unwrap().0, both[1]);
    program(folder.path(), "terminal-notifier", "exit 0");
    assert_eq!(desktop::find(&both, &means).unwrap().0, both[0]);
}
