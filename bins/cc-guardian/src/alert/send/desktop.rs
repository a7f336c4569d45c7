//! A notification on the desktop, by the program that shows them here.

use std::path::PathBuf;

use super::{Means, SendError, Sent, exec};
use crate::alert::letter::Letter;
use crate::config::EventKind;

/// A program that shows notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    NotifySend,
    TerminalNotifier,
    Osascript,
}

/// Those of this system, the best one first.
const HERE: &[Program] = if cfg!(target_os = "macos") {
    &[Program::TerminalNotifier, Program::Osascript]
} else {
    &[Program::NotifySend]
};

/// The script gets the texts as arguments: nothing in them is ever a part of it.
const SCRIPT: [&str; 3] = [
    "on run argv",
    "display notification (item 2 of argv) with title (item 1 of argv)",
    "end run",
];

impl Program {
    const fn name(self) -> &'static str {
        match self {
            Self::NotifySend => "notify-send",
            Self::TerminalNotifier => "terminal-notifier",
            Self::Osascript => "osascript",
        }
    }

    pub(super) fn arguments(self, letter: &Letter) -> Vec<String> {
        let (title, body) = (letter.title.as_str(), letter.body.as_str());
        let arguments: Vec<&str> = match self {
            Self::NotifySend => {
                let urgency = if letter.kind == EventKind::Blocked.word() {
                    "--urgency=normal"
                } else {
                    "--urgency=critical"
                };
                let body = without_markup(body);
                let fixed = ["--app-name=cc-guardian", urgency, "--", title];
                return fixed.map(str::to_owned).into_iter().chain([body]).collect();
            }
            // Both texts begin with a letter of ours: what begins otherwise it reads as something else.
            Self::TerminalNotifier => vec!["-title", title, "-message", body],
            Self::Osascript => {
                let lines = SCRIPT.iter().flat_map(|line| ["-e", line]);
                lines.chain(["--", title, body]).collect()
            }
        };
        arguments.into_iter().map(str::to_owned).collect()
    }
}

/// Bodies may have markup, links among it: strangers are to have none.
fn without_markup(text: &str) -> String {
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

/// Shows it.
pub(super) async fn send(letter: &Letter, means: &Means) -> Result<Sent, SendError> {
    let (notifier, program) = find(HERE, means)?;
    exec::run(letter, &program, &notifier.arguments(letter), means).await
}

/// The first of them that is there.
pub(super) fn find(notifiers: &[Program], means: &Means) -> Result<(Program, PathBuf), SendError> {
    let found = |notifier: &Program| Some((*notifier, means.program(notifier.name())?));
    let missing = notifiers.last().map_or("notify-send", |last| last.name());
    let mut found = notifiers.iter().filter_map(found);
    found.next().ok_or(SendError::NoNotifier(missing))
}
