//! Units that do nothing, and units that only seem to.

use std::fs;

use harness::skip_if_asked;
use harness::stand_in::Remote;

use crate::guardian::{Guardian, stand_in};

/// Passes when one that hangs is probed, then interrupted, and each rung is told; and one that works
/// silently beside it is left alone.
#[test]
fn who_hangs_is_probed_before_anything_else_is_done() {
    skip_if_asked!();
    let mut guardian = Guardian::home();
    let config = guardian.path("units.toml");
    let (control, other) = (guardian.path("control"), guardian.path("other"));
    let unit = |name: &str, control: &std::path::Path| {
        format!(
            "[unit.{name}]\ncommand = [{:?}, \"--like\", \"claude\", \"--control\", {control:?}]\n\
             profile = \"claude\"\nhang_after = \"6s\"\ntool_hang_after = \"6s\"\n",
            stand_in()
        )
    };
    let text = format!("version = 1\n{}{}", unit("w", &control), unit("v", &other));
    fs::write(&config, text).unwrap();
    guardian.run(&["-c", config.to_str().unwrap()]);
    guardian.ok(&["up"]);
    guardian.until_state("w@1", "idle");
    guardian.until_state("v@1", "idle");
    let mut silent = Remote::connect(&other).unwrap();
    // It shows nothing more of what it does, but is there.
    silent.order("title \u{2802} Thinking").unwrap();
    silent.order("quiet 1h").unwrap();
    guardian.until_state("v@1", "busy");
    let mut agent = Remote::connect(&control).unwrap();
    agent.order("busy 1h").unwrap();
    guardian.until_state("w@1", "busy");
    agent.order("hang").unwrap();
    let pid = guardian.unit("w@1")["pid"].clone();
    guardian.until_state("w@1", "suspect");
    guardian.until_state("w@1", "hung");
    let rungs = |unit: &str| -> Vec<String> {
        let events = guardian.events(unit).into_iter();
        let rungs = events.filter(|event| event["kind"] == "rung");
        rungs
            .map(|event| event["detail"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(rungs("w@1"), ["probe", "probe: silent", "interrupt"]);
    // It has been asked, and nothing of it has been ended.
    assert_eq!(guardian.unit("w@1")["pid"], pid);
    // The other one has drawn itself anew when it was probed, and no more is done to it.
    guardian.until("v@1", "probed", |_| {
        rungs("v@1").contains(&"probe: alive (output)".to_owned())
    });
    let said = rungs("v@1");
    assert!(!said.iter().any(|said| said == "interrupt"), "{said:?}");
}
