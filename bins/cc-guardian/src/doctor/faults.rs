//! What is known to be wrong with versions of tmux, and matters here.
//!
//! The versions stand in the library's table of quirks; here stands what follows from them. What that
//! table does not tell, since control mode has nothing to do with it, has a small table of its own.

use tmux_cc::protocol::{Quirk, Quirks};
use tmux_cc::wire::Version;

/// A fault of one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// What it does, in a sentence.
    pub(super) what: &'static str,
    pub(super) why: &'static str,
    pub(super) next: &'static str,
}

/// Why a quirk matters, and what to do.
const MATTERS: [(Quirk, &str, &str); 7] = [
    (
        Quirk::RespawnCrash,
        "Every session of that server ends with it.",
        "Respawn nothing beside other control clients, or take tmux 3.8; cc-guardian makes a new \
         pane instead.",
    ),
    (
        Quirk::PasteDeadPaneCrash,
        "Every session of that server ends with it.",
        "Let scripts test #{pane_dead} in the same command list; cc-guardian does, tmux 3.4 needs \
         it no more.",
    ),
    (
        Quirk::SubscriptionCrash,
        "Every session of that server ends with a client that is stopped or busy at the wrong time.",
        "Stop no control client with SIGSTOP, or take tmux 3.7.",
    ),
    (
        Quirk::HandshakeDropCrash,
        "Every session of that server ends with it.",
        "Never kill a `tmux -C` that has only just been started, or take tmux 3.7.",
    ),
    (
        Quirk::StuckClientBlocksExit,
        "`kill-server` then never ends, and nothing new can be started there.",
        "End that client's process, or take tmux 3.8.",
    ),
    (
        Quirk::LostExitStatus,
        "How a program ended can be known late or not at all.",
        "Nothing: cc-guardian asks the kernel too; tmux 3.6 does better.",
    ),
    (
        Quirk::MissingValue,
        "A script with an empty variable can end the session that it runs in.",
        "Quote variables in scripts that call tmux, or take tmux 3.4.",
    ),
];

/// A fault that the library's table does not tell of.
struct Own {
    since: Option<Version>,
    until: Option<Version>,
    fault: Fault,
}

/// Sources: measured on 3.3a, CHANGES of 3.7; commit of tmux #2828 and measured on five versions;
/// tmux #5356.
const OWN: [Own; 3] = [
    Own {
        since: None,
        until: Some(Version::new(3, 7)),
        fault: Fault {
            what: "A paste buffer is passed on as it is, an ESC[201~ in it too.",
            why: "What stands behind it is typed as keys and not pasted.",
            next: "Paste nothing from strangers by hand; cc-guardian takes escapes out.",
        },
    },
    Own {
        since: Some(Version::new(3, 3)),
        until: None,
        fault: Fault {
            what: "The last output of a program that ends is not always sent to control clients.",
            why: "A log that is made by control mode alone can lack its last lines.",
            next: "Where it has to be complete let cc-logger write it: it holds the pane's pipe.",
        },
    },
    Own {
        since: None,
        until: Some(Version::new(3, 8)),
        fault: Fault {
            what: "A client whose terminal stands still can block the whole server.",
            why: "Nothing on that server goes on until that terminal does.",
            next: "End that client, or take tmux 3.8.",
        },
    },
];

/// The versions that this program is tested on.
pub(super) const TESTED: [Version; 4] = [
    Version::patched(3, 3, 'a'),
    Version::patched(3, 5, 'a'),
    Version::patched(3, 7, 'c'),
    Version::new(3, 8),
];

/// The faults of a version.
pub(super) fn of(version: Version) -> Vec<Fault> {
    let quirks = Quirks::of(version);
    let told = MATTERS.iter().filter(|(quirk, ..)| quirks.has(*quirk));
    let told = told.filter_map(|(quirk, why, next)| {
        let row = Quirks::table().iter().find(|row| row.quirk == *quirk)?;
        Some(Fault {
            what: row.effect,
            why,
            next,
        })
    });
    let own = OWN.iter().filter(|own| {
        own.since.is_none_or(|since| version.at_least(since))
            && !own.until.is_some_and(|until| version.at_least(until))
    });
    told.chain(own.map(|own| own.fault)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_has_its_own_faults() {
        let count = |version: &str, part: &str| {
            let faults = of(Version::parse(version.as_bytes()).unwrap());
            let with = faults.iter().filter(|fault| fault.what.contains(part));
            with.count()
        };
        for (version, part, expected) in [
            ("3.3a", "Respawning", 1),
            ("3.7c", "Respawning", 1),
            ("3.8", "Respawning", 0),
            ("3.3a", "dead pane", 1),
            ("3.4", "dead pane", 0),
            ("3.6b", "subscription", 1),
            ("3.7", "subscription", 0),
            ("3.5a", "exited program's status", 1),
            ("3.6", "exited program's status", 0),
            ("3.6", "ESC[201~", 1),
            ("3.7", "ESC[201~", 0),
            ("3.2a", "last output", 0),
            ("3.8", "last output", 1),
            ("3.7c", "terminal stands still", 1),
            ("next-3.8", "terminal stands still", 0),
        ] {
            assert_eq!(count(version, part), expected, "{version} {part}");
        }
    }

    #[test]
    fn every_fault_is_said_in_sentences() {
        for fault in of(Version::patched(3, 3, 'a')) {
            for said in [fault.what, fault.why, fault.next] {
                assert!(said.ends_with('.'), "{said}");
            }
        }
    }
}
