//! The grammar and the state machine do without an executor.
//!
//! Cargo is asked what it would build, so a dependency that drags tokio in through another one
//! is seen as well.

use std::collections::BTreeSet;
use std::process::Command;

use crate::root;

/// The packages in the tree of `tmux-cc` with the given features.
fn packages(features: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree", "-p", "tmux-cc", "-e", "normal", "--prefix", "none", "--locked",
        ])
        .args(features)
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree {features:?}: {said}");
    let tree = String::from_utf8(output.stdout).expect("package names are UTF-8");
    tree.lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn without_features_there_is_no_tokio() {
    let packages = packages(&["--no-default-features"]);
    assert!(packages.contains("tmux-cc"));
    for package in ["tokio", "tokio-util", "rustix", "getrandom", "mio"] {
        assert!(!packages.contains(package), "{package} is in {packages:?}");
    }
}

#[test]
fn with_all_features_there_is() {
    // The other half of the test above: what it looks for can be found.
    let packages = packages(&["--all-features"]);
    for package in ["tokio", "tokio-util"] {
        assert!(
            packages.contains(package),
            "{package} is not in {packages:?}"
        );
    }
}

#[test]
fn the_tap_needs_nothing_that_the_client_does_not() {
    let of = |feature| packages(&["--no-default-features", "--features", feature]);
    assert_eq!(of("tap"), of("client"));
}
