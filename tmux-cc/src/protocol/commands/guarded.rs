//! Nothing is written to a pane that takes no input.

use super::sessions::fails;
use crate::protocol::Command;
use crate::wire::PaneId;

/// In whose words such a line fails; those of tmux itself, where it looks.
pub(super) const EXITED: &str = "target pane has exited";

/// Is the program gone, or the input off? Pasting into a pane without a program crashes tmux 3.3a,
/// and with the input off what is pasted is gone without a word on all versions.
const TAKES_NONE: &str = "#{||:#{pane_dead},#{pane_input_off}}";

/// Runs one command or the other, decided in the same line: nothing comes in between.
///
/// **Source:** tmux `cmd-if-shell.c`; `cmd-paste-buffer.c`, `cmd_paste_buffer_exec`.
pub(super) fn guarded(pane: PaneId, before: Option<Command>, command: Command) -> Command {
    let refuse = match before {
        Some(before) => before.then(fails(EXITED)),
        None => fails(EXITED),
    };
    Command::new("if-shell")
        .flag("-F")
        .target(pane)
        .arg(TAKES_NONE)
        .nested(refuse)
        .nested(command)
}
