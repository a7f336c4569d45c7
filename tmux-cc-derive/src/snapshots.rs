//! What is emitted, as `snapshots/` has it.
//!
//! Written anew with `TMUX_CC_UPDATE_SNAPSHOTS=1`; what changes is then for `git diff` to show.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::derive;
use crate::expand::private;

const CASES: &[(&str, &str)] = &[
    (
        "kinds",
        "struct Row { pane_id: PaneId, pane_dead: bool, pane_left: i32, session_created: SystemTime, \
         pane_title: Vec<u8>, window_layout: Box<[u8]>, pane_dead_status: Option<u8> }",
    ),
    (
        "attributes",
        r##"pub(crate) struct Row {
            #[tmux(name = "pane_id")] r#type: PaneId,
            #[tmux(name = "@prio", default)] prio: u32,
            #[tmux(format = "#{?pane_active,a|b,c\\d}")] shown: String,
            #[tmux(unchecked)] destroy_unattached: Vec<u8>,
            #[tmux(since = "3.3")] pane_dead_time: Option<std::time::SystemTime>,
            #[tmux(unchecked, since = "3.9")] pane_mood: Option<String>,
        }"##,
    ),
    (
        "since",
        r#"#[tmux(since = "3.7")] struct Row { pane_pipe_pid: Option<u32>, pane_id: PaneId }"#,
    ),
    (
        "generics",
        "struct Row<T: Clone, const N: usize> where T: Send {
            pane_title: T, #[tmux(name = \"@x\", default)] x: Own<N>, pane_id: PaneId }",
    ),
    (
        "fallback",
        "struct Row<T> where T: Send { pane_titel: T, window_nmae: String }",
    ),
];

/// What is emitted for an input, as Rust is written.
fn expansion(input: &str) -> String {
    let input = syn::parse_str(input).unwrap();
    let file = syn::parse2(derive(&input)).unwrap();
    let private = private().to_string().replace(' ', "");
    prettyplease::unparse(&file).replace(&private, "::tmux_cc::__private")
}

#[test]
fn every_case_gives_its_snapshot() {
    let update = std::env::var_os("TMUX_CC_UPDATE_SNAPSHOTS").is_some_and(|value| value == "1");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots");
    let mut wrong = Vec::new();
    let mut known = BTreeSet::new();
    for (name, input) in CASES {
        let path = root.join(format!("{name}.rs"));
        let said = expansion(input);
        if update {
            fs::create_dir_all(&root).unwrap();
            fs::write(&path, &said).unwrap();
        }
        let wanted = fs::read_to_string(&path).unwrap_or_default();
        if said != wanted {
            wrong.push(format!("{path:?} is not what is emitted:\n{said}"));
        }
        known.insert(path);
    }
    for entry in fs::read_dir(&root).unwrap() {
        let path = entry.unwrap().path();
        if !known.contains(&path) {
            wrong.push(format!("{path:?} belongs to no case"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
