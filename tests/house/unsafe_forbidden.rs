//! No crate that ships has `unsafe` code: the workspace forbids it, and every member signs.

use std::path::PathBuf;

use toml::Table;

use crate::{manifest, root};

/// Reference loops and allocation counts may need it, and nobody installs them.
const FREE: [&str; 1] = ["benches"];

fn members(workspace: &Table) -> Vec<PathBuf> {
    let members = workspace["workspace"]["members"]
        .as_array()
        .expect("a list of members");
    let members = members
        .iter()
        .map(|member| member.as_str().expect("a path"));
    members
        .map(|member| {
            assert!(
                !member.contains('*'),
                "{member}: this test reads paths, not patterns"
            );
            root().join(member)
        })
        .collect()
}

/// Whether a package takes the lints of the workspace, all of them.
fn signs(package: &Table) -> bool {
    let lints = package.get("lints").and_then(|lints| lints.as_table());
    lints.is_some_and(|lints| {
        lints.len() == 1 && lints.get("workspace").and_then(toml::Value::as_bool) == Some(true)
    })
}

#[test]
fn the_workspace_forbids_unsafe_code() {
    let workspace = manifest(&root().join("Cargo.toml"));
    let lint = &workspace["workspace"]["lints"]["rust"]["unsafe_code"];
    // `deny` would not do: a crate can allow again what is only denied.
    assert_eq!(lint.as_str(), Some("forbid"));
}

#[test]
fn every_member_takes_the_lints_of_the_workspace() {
    let members = members(&manifest(&root().join("Cargo.toml")));
    assert!(members.len() > 4);
    for member in members {
        let package = manifest(&member.join("Cargo.toml"));
        let name = package["package"]["name"].as_str().expect("a name");
        assert!(
            FREE.contains(&name) || signs(&package),
            "{name} has no `lints.workspace = true`"
        );
    }
}

#[test]
fn a_package_that_does_not_sign_is_seen() {
    let signs = |text: &str| signs(&text.parse().expect("a manifest"));
    assert!(signs("lints.workspace = true"));
    assert!(!signs(""));
    assert!(!signs("lints.workspace = false"));
    assert!(!signs("[lints.rust]\nunsafe_code = 'allow'"));
}
