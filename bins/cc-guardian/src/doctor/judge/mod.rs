//! Facts into findings. Nothing here looks at the machine.
//!
//! | Room | In it |
//! |---|---|
//! | `tmux` | the program, and the faults of versions |
//! | `servers` | sockets, sessions, clients, panes |
//! | `history` | what servers keep in memory |
//! | `places` | directories, the configuration, the daemon |
//! | `machine` | linger, clock, limits, environment |

mod history;
mod machine;
mod places;
mod servers;
mod tmux;

#[cfg(test)]
mod tests;

use super::facts::Facts;
use cc_kit::doctor::Finding;

/// All findings, the worst first.
pub(super) fn judge(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    places::judge(facts, &mut findings);
    tmux::judge(facts, &mut findings);
    servers::judge(facts, &mut findings);
    history::judge(facts, &mut findings);
    machine::judge(facts, &mut findings);
    findings.sort_by_key(|finding| finding.level);
    findings
}

/// `-S SOCKET` for a command that is to be typed, where the path needs no quotes; else a word for it.
fn socket_of_command(socket: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "/._-@+".contains(char);
    if socket.chars().all(is_plain) {
        format!("-S {socket}")
    } else {
        "-S SOCKET".to_owned()
    }
}
