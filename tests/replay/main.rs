//! Streams played to the library: recorded transcripts of real tmux servers, and what a toy tmux
//! writes.
//!
//! The recordings are in `transcripts/<tmux version>/`: what a control client of that version
//! read, byte for byte. They were made without fences, so the blocks that answered a typed command
//! come as unsolicited ones.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests: the helpers around the test functions are tests too"
)]

use std::path::{Path, PathBuf};

use harness::toy;

mod chunking;
mod judge;
mod replies;

/// Every recording, with its path under `transcripts/`.
fn recordings() -> Vec<(PathBuf, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts");
    let recordings = walkdir::WalkDir::new(&root)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.expect("the transcripts can be read"))
        .filter(|entry| entry.path().extension().is_some_and(|kind| kind == "txt"));
    recordings
        .map(|entry| {
            let bytes = std::fs::read(entry.path()).expect("a transcript can be read");
            let name = entry.path().strip_prefix(&root).expect("a path below");
            (name.to_owned(), bytes)
        })
        .collect()
}
