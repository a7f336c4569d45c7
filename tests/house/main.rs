//! Tests of the house itself: its rooms, its doors, and the rules that every crate signs.
//!
//! They read sources and manifests. Each comes with a case that must fail, so that a checker
//! that sees nothing is seen.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests: the helpers around the test functions are tests too"
)]

use std::path::{Path, PathBuf};

mod arrows;
mod examples;
mod features;
mod paths;
mod top_level;
mod unsafe_forbidden;

/// The top of the workspace.
fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests
        .parent()
        .expect("tests/ is a folder of the workspace")
        .to_owned()
}

/// A manifest, parsed.
fn manifest(path: &Path) -> toml::Table {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    text.parse()
        .unwrap_or_else(|error| panic!("{path:?}: {error}"))
}
