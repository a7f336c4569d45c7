//! Two configurations compared.

use super::config;
use crate::config::{Changed, Changes, diff};

#[test]
fn units_are_added_removed_and_changed_field_by_field() {
    let old = config(
        "[unit.a]\ncommand = [\"x\"]\ncwd = \"/\"\n[unit.b]\ncommand = [\"x\"]\ncwd = \"/\"\n\
         [unit.c]\ncommand = [\"x\"]\ncwd = \"/\"\n[account.n]\n[account.m]\n",
    );
    let new = config(
        "[server]\nhistory_limit = 10\n\
         [unit.a]\ncommand = [\"x\"]\ncwd = \"/\"\n\
         [unit.b]\ncommand = [\"x\", \"y\"]\ncwd = \"/\"\nreplicas = 2\nbackoff.max = \"1m\"\n\
         [unit.d]\ncommand = [\"x\"]\ncwd = \"/\"\n\
         [account.n]\nmax_parallel = 1\n[alert.p]\ntype = \"desktop\"\n",
    );
    let changes = diff(&old, &new);
    let expected = Changes {
        added: vec!["d".into()],
        removed: vec!["c".into()],
        changed: vec![Changed {
            name: "b".into(),
            fields: vec!["command", "replicas", "backoff"],
        }],
        server: vec!["history_limit"],
        alerts: vec!["p".into()],
        accounts: vec!["n".into(), "m".into()],
    };
    assert_eq!(changes, expected);
    assert!(!changes.is_empty());
    assert!(diff(&new, &new).is_empty());
}

#[test]
fn a_default_that_changes_changes_all_that_use_it() {
    let units = "[unit.a]\ncommand = [\"x\"]\ncwd = \"/\"\n\
                 [unit.b]\ncommand = [\"x\"]\ncwd = \"/\"\nnice = 1\n";
    let old = config(units);
    let new = config(&format!("[defaults]\nnice = 5\n{units}"));
    let changed = diff(&old, &new).changed;
    assert_eq!(changed.len(), 1);
    assert_eq!(
        (changed[0].name.as_str(), &*changed[0].fields),
        ("a", &["nice"][..])
    );
}

#[test]
fn only_what_a_running_program_cannot_take_on_needs_a_restart() {
    for (field, restart) in [
        ("command", true),
        ("env", true),
        ("group", true),
        ("replicas", false),
        ("backoff", false),
        ("on_prompt", false),
    ] {
        let changed = Changed {
            name: "a".into(),
            fields: vec!["labels", field],
        };
        assert_eq!(changed.needs_restart(), restart, "{field}");
    }
}
