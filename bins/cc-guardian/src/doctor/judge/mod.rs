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

use cc_kit::printable::printable;

use super::facts::Facts;
use super::finding::Finding;

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

/// A stranger's text in a sentence.
fn safe(text: &str) -> String {
    printable(text.as_bytes()).to_string()
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

/// So many of something.
fn many(count: usize, what: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} {what}{end}")
}

/// An amount of memory, for people.
fn bytes(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    for (size, unit) in UNITS {
        if bytes >= size {
            let tenths = bytes.saturating_mul(10) / size;
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} bytes")
}
