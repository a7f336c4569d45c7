//! Every transcript gives the events of its snapshot.
//!
//! The snapshots are in `snapshots/<tmux version>/`, one for each transcript. They are written
//! anew with `TMUX_CC_UPDATE_SNAPSHOTS=1`; what changes is then for `git diff` to show.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use harness::scenario::CASES;

use crate::played::snapshot;
use crate::{recordings, versions};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("replay/snapshots")
}

/// Where two texts part, with the lines around it.
fn parting(said: &str, wanted: &str) -> Option<String> {
    let (mut said, mut wanted) = (said.lines(), wanted.lines());
    for number in 1.. {
        match (said.next(), wanted.next()) {
            (None, None) => return None,
            (said, wanted) if said == wanted => {}
            (said, wanted) => return Some(format!("line {number}: {said:?}, not {wanted:?}")),
        }
    }
    None
}

#[test]
fn every_transcript_gives_its_events() {
    let update = std::env::var_os("TMUX_CC_UPDATE_SNAPSHOTS").is_some_and(|value| value == "1");
    let mut wrong = Vec::new();
    let mut known = BTreeSet::new();
    for (version, transcript) in recordings() {
        let dir = root().join(&version);
        let path = dir.join(format!("{}.events", transcript.name));
        let said = snapshot(&transcript, &version);
        if update {
            fs::create_dir_all(&dir).expect("a directory for snapshots");
            fs::write(&path, &said).expect("a snapshot can be written");
        }
        let wanted = fs::read_to_string(&path).unwrap_or_default();
        wrong.extend(parting(&said, &wanted).map(|at| format!("{path:?}, {at}")));
        known.insert(path);
    }
    for entry in walkdir::WalkDir::new(root()) {
        let path = entry.expect("the snapshots can be listed").into_path();
        if path.is_file() && !known.contains(&path) {
            if update {
                fs::remove_file(&path).expect("a snapshot can be removed");
            } else {
                wrong.push(format!("{path:?} has no transcript"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_version_has_every_case() {
    for version in versions() {
        let found: BTreeSet<String> = recordings()
            .filter(|(of, _)| *of == version)
            .map(|(_, transcript)| {
                let (case, _) = transcript
                    .name
                    .split_once('.')
                    .unwrap_or((&transcript.name, ""));
                case.to_owned()
            })
            .collect();
        let wanted: BTreeSet<String> = CASES.iter().map(|case| case.name.to_owned()).collect();
        assert_eq!(found, wanted, "{version}");
    }
}

/// The case that takes seconds, since subscriptions are looked at once in one.
#[cfg(target_os = "linux")]
const SLOW: &str = "12_subscriptions";

/// The tmux under test does today what it did when it was recorded, if it is one that was.
///
/// All that is random in a recording is left out of snapshots, so they are equal or something
/// has changed: the scenario, the recorder, the library or that tmux.
#[cfg(target_os = "linux")]
#[test]
fn a_fresh_recording_gives_the_same() {
    harness::skip_if_asked!();
    let version = harness::Server::empty().version();
    if !versions().contains(&version) {
        eprintln!("SKIPPED: there are no transcripts of tmux {version}");
        return;
    }
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let record = |case: &'static harness::scenario::Case| {
            let transcripts = case.record();
            let wrong = transcripts.into_iter().filter_map(|transcript| {
                let path = root().join(format!("{version}/{}.events", transcript.name));
                let said = snapshot(&transcript, &version);
                let wanted = fs::read_to_string(&path).unwrap_or_default();
                parting(&said, &wanted).map(|at| format!("{path:?}, {at}"))
            });
            wrong.collect::<Vec<_>>()
        };
        let threads: Vec<_> = CASES
            .iter()
            .filter(|case| case.name != SLOW)
            .map(|case| scope.spawn(move || record(case)))
            .collect();
        let results = threads.into_iter().map(|thread| thread.join());
        results
            .flat_map(|result| result.expect("the case is recorded"))
            .collect()
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}
