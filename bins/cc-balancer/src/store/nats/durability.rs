//! What a server can do, and what that means for what it has acknowledged: in words, for `doctor`.

use serde::{Deserialize, Serialize};

/// What is known of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Its version, as it says it: `2.9.10`.
    pub version: String,
    /// Does it keep anything?
    pub keeps: bool,
    /// The cluster that it is of.
    pub cluster: Option<String>,
    /// On how many servers everything is kept; `None`: nothing is yet.
    pub replicas: Option<usize>,
    /// Is what goes there encrypted, or stays it on this machine?
    pub is_private: bool,
}

/// How grave something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// As it should be.
    Fine,
    /// Good to know.
    Note,
    /// It can cost something.
    Warning,
    /// It does not work like that.
    Wrong,
}

/// Something to know of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How grave.
    pub weight: Weight,
    /// What, and what to do.
    pub text: String,
}

/// The oldest that is tested.
const OLDEST: [u64; 3] = [2, 9, 10];
/// The first that can be told to write to disk before it acknowledges.
const CAN_SYNC: [u64; 3] = [2, 10, 0];
/// The first that keeps what it acknowledged when it is killed.
const SURVIVES_KILL: [u64; 3] = [2, 10, 23];

/// What these facts mean.
#[must_use]
pub fn findings(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut say = |weight, text: String| found.push(Finding { weight, text });
    let name = &facts.version;
    if !facts.keeps {
        say(
            Weight::Wrong,
            "the server keeps nothing: start it with JetStream (`nats-server -js -sd DIR`)"
                .to_owned(),
        );
    }
    if !facts.is_private {
        say(
            Weight::Warning,
            "plain text leaves this machine: everybody on the way reads and writes tasks; use tls://"
                .to_owned(),
        );
    }
    match version(name) {
        None => say(
            Weight::Note,
            format!("the server says that its version is {name:?}, which says nothing"),
        ),
        Some(version) if version < OLDEST => say(
            Weight::Warning,
            format!("nats-server {name} is older than what is tested (2.9.10)"),
        ),
        Some(version) if version < CAN_SYNC => say(
            Weight::Warning,
            format!(
                "nats-server {name} acknowledges before it writes to disk (every 2 minutes) and cannot be \
                 told otherwise: a power cut there can undo what it acknowledged. Tasks are published again \
                 by who added them; what was begun in that time can be done twice, flagged. For more, take \
                 2.10 or later with `sync_interval: always`"
            ),
        ),
        Some(version) => {
            say(
                Weight::Note,
                format!(
                    "nats-server {name} writes to disk every 2 minutes unless its configuration says \
                     `jetstream {{ sync_interval: always }}`, which cannot be seen from here: look there"
                ),
            );
            if version < SURVIVES_KILL {
                say(
                    Weight::Warning,
                    format!(
                        "nats-server {name} can lose what it acknowledged when it is killed: take 2.10.23 or later"
                    ),
                );
            }
        }
    }
    match (facts.replicas, &facts.cluster) {
        (None, _) => {}
        (Some(1), Some(_)) => say(
            Weight::Warning,
            "everything is kept on one server of the cluster: while that is away nothing is begun"
                .to_owned(),
        ),
        (Some(1), None) => say(
            Weight::Note,
            "there is one server: while it is away tasks are added and none is begun".to_owned(),
        ),
        (Some(replicas), _) => say(
            Weight::Fine,
            format!(
                "everything is kept on {replicas} servers: {} may be away",
                replicas.saturating_sub(1) / 2
            ),
        ),
    }
    found
}

/// The numbers of a version; what comes after them is not looked at.
fn version(text: &str) -> Option<[u64; 3]> {
    let numbers = text.trim_start_matches('v').split(['-', '+']).next()?;
    let mut numbers = numbers.split('.').map(str::parse);
    match (numbers.next()?, numbers.next()?, numbers.next()?) {
        (Ok(major), Ok(minor), Ok(patch)) => Some([major, minor, patch]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(version: &str, replicas: Option<usize>, cluster: Option<&str>) -> Vec<Finding> {
        findings(&Facts {
            version: version.to_owned(),
            keeps: true,
            cluster: cluster.map(str::to_owned),
            replicas,
            is_private: true,
        })
    }

    fn worst(found: &[Finding]) -> Weight {
        found.iter().map(|finding| finding.weight).max().unwrap()
    }

    fn says(found: &[Finding], words: &str) -> bool {
        found.iter().any(|finding| finding.text.contains(words))
    }

    #[test]
    fn an_old_server_is_not_told_to_sync_and_a_new_one_is_asked_whether_it_does() {
        let old = of("2.9.10", Some(1), None);
        assert_eq!(worst(&old), Weight::Warning);
        assert!(says(&old, "cannot be told otherwise") && says(&old, "published again"));
        let new = of("2.11.4", Some(3), Some("c"));
        assert_eq!(worst(&new), Weight::Note);
        assert!(says(&new, "sync_interval: always") && says(&new, "1 may be away"));
        assert!(says(&of("2.10.22", None, None), "when it is killed"));
        assert!(!says(&of("2.10.23-RC.1", None, None), "when it is killed"));
        assert!(says(&of("2.8.4", None, None), "older than what is tested"));
        assert!(says(&of("nightly", None, None), "says nothing"));
    }

    #[test]
    fn a_server_that_keeps_nothing_is_wrong_and_plain_text_is_said() {
        let facts = Facts {
            version: "2.11.0".to_owned(),
            ..Facts::default()
        };
        let found = findings(&facts);
        assert_eq!(worst(&found), Weight::Wrong);
        assert!(says(&found, "-js -sd DIR") && says(&found, "plain text"));
        assert!(says(
            &of("2.11.0", Some(1), Some("c")),
            "one server of the cluster"
        ));
    }
}
