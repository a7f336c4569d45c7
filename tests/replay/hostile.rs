//! The hostile list of `tmux-cc` (`protocol/tests/hostile.rs`) leaves some of its items to tests
//! that need a real tmux. It names them, and they are there.

use std::path::Path;

/// Every `` `module::test` `` in the tables of a file's doc.
fn named(source: &str) -> Vec<(&str, &str)> {
    source
        .lines()
        .filter(|line| line.starts_with("//! |"))
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .filter_map(|name| name.split_once("::"))
        .collect()
}

#[test]
fn every_live_test_of_the_hostile_list_is_there() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = tests.join("../tmux-cc/src/protocol/tests/hostile.rs");
    let list = std::fs::read_to_string(list).expect("the list can be read");
    let named = named(&list);
    assert!(named.len() > 5, "{named:?}");
    for (module, test) in named {
        let file = tests.join(format!("live/{module}.rs"));
        let source = std::fs::read_to_string(file).expect("a module of the live tests");
        assert!(
            source.contains(&format!("fn {test}()")),
            "no {test} in {module}"
        );
    }
}
