//! Nothing is written to a pane that takes no input.

use super::answer::{AnswerError, done};
use crate::protocol::{Command, Reply, Target};
use crate::wire::PaneId;

/// The words in which such a line fails; the first are tmux's own, where it looks itself.
const EXITED: &str = "target pane has exited";
const IN_MODE: &str = "target pane is in a mode";

/// Is the program gone, or the input off? Pasting into a pane without a program crashes tmux 3.3a,
/// and with the input off what is pasted is gone without a word on all versions.
const TAKES_NONE: &str = "#{||:#{pane_dead},#{pane_input_off}}";

/// Is it the screen of a mode that tmux would look at for whether to mark a paste? The program's
/// own is another one.
const OTHER_SCREEN: &str = "#{pane_in_mode}";

/// Runs a command unless the pane takes no input, decided in the same line: nothing comes in
/// between. Where it does not run, `instead` does, and the line fails.
///
/// **Source:** tmux `cmd-if-shell.c`; `cmd-paste-buffer.c`, `cmd_paste_buffer_exec`.
pub(super) fn unless_dead(pane: PaneId, instead: Option<Command>, command: Command) -> Command {
    unless(pane, TAKES_NONE, EXITED, instead, command)
}

/// The same for a pane that is in a mode.
pub(super) fn unless_in_mode(pane: PaneId, instead: Option<Command>, command: Command) -> Command {
    unless(pane, OTHER_SCREEN, IN_MODE, instead, command)
}

fn unless(
    pane: PaneId,
    condition: &str,
    words: &str,
    instead: Option<Command>,
    command: Command,
) -> Command {
    // There is no such session, and so the line fails with these words.
    let fails = Command::new("has-session").target(Target::session(words));
    let refuse = match instead {
        Some(instead) => instead.then(fails),
        None => fails,
    };
    Command::new("if-shell")
        .flag("-F")
        .target(pane)
        .arg(condition)
        .nested(refuse)
        .nested(command)
}

/// Reads the reply to such a line.
pub(super) fn guarded(reply: Reply) -> Result<(), AnswerError> {
    let error = match done(reply) {
        Err(AnswerError::Failed(failed)) => failed,
        other => return other,
    };
    let ends = |words: &str| error.message().ends_with(words.as_bytes());
    Err(if ends(EXITED) {
        AnswerError::NoInput
    } else if ends(IN_MODE) {
        AnswerError::InMode
    } else {
        AnswerError::Failed(error)
    })
}
