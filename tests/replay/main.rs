//! Streams played to the library: recorded transcripts of real tmux servers, and what a toy tmux
//! writes.
//!
//! The recordings are in `transcripts/<tmux version>/`: what control clients of that version read,
//! byte for byte, and what they sent, fences too. `transcripts/README.md` says how they are made.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests: the helpers around the test functions are tests too"
)]

use std::collections::BTreeSet;
use std::path::Path;

use harness::scenario::Transcript;
use harness::toy;

mod chunking;
mod coverage;
mod hostile;
mod judge;
mod played;
mod quirks;
mod replies;
mod snapshots;

/// Every recording, with the version of its tmux.
fn recordings() -> impl Iterator<Item = (String, Transcript)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts");
    let files = walkdir::WalkDir::new(root).sort_by_file_name().into_iter();
    files
        .map(|entry| entry.expect("the transcripts can be listed").into_path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "txt"))
        .map(|path| {
            let dir = path
                .parent()
                .and_then(Path::file_name)
                .expect("a directory");
            let version = dir.to_str().expect("a version").to_owned();
            (
                version,
                Transcript::load(&path).expect("a transcript can be read"),
            )
        })
}

/// The versions that are recorded.
fn versions() -> BTreeSet<String> {
    let versions: BTreeSet<String> = recordings().map(|(version, _)| version).collect();
    assert!(versions.len() >= 4, "{versions:?}");
    versions
}
