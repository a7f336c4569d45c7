//! What the tests have found out about the tmux they ran against, for a table by version.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;

/// Names the file that facts are appended to.
const FACTS: &str = "TMUX_CC_TEST_FACTS";

/// Appends `subject<TAB>verdict` to the file that the environment names; does nothing without one.
///
/// Only what is the same in every run of one version belongs there.
///
/// # Panics
///
/// When the file cannot be written, or a word holds a tab or a newline.
pub fn record(subject: &str, verdict: &str) {
    assert!(
        ![subject, verdict].concat().contains(['\t', '\n']),
        "{subject:?} {verdict:?} are no two columns"
    );
    let Some(path) = env::var_os(FACTS) else {
        return;
    };
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .unwrap_or_else(|error| panic!("cannot open {path:?}: {error}"));
    // One write for each line: tests of other processes append to it at the same time.
    file.write_all(format!("{subject}\t{verdict}\n").as_bytes())
        .unwrap_or_else(|error| panic!("cannot write {path:?}: {error}"));
}
