//! A consumer that is far too slow, in a process of its own so that its memory is its own.

use std::collections::HashMap;
use std::process::Command;

use harness::server::{Boot, Server};

/// What a consumer that sleeps `sleep` milliseconds for each batch has seen in some seconds.
fn consume(sleep: &str, budget: &str) -> HashMap<String, u64> {
    let full = std::env::var_os("TMUX_CC_FULL").is_some_and(|value| value == "1");
    let seconds = if full { "10" } else { "6" };
    let flood = || Boot::running([harness::pane_agent!(), "flood"]);
    let server = Server::start_with(&flood());
    for _ in 1..20 {
        server.tmux([
            "new-window",
            "-d",
            "-t",
            "=main:",
            harness::pane_agent!(),
            "flood",
        ]);
    }
    let output = Command::new(env!("CARGO_BIN_EXE_slow-consumer"))
        .args([server.socket().as_os_str(), server.binary()])
        .args([seconds, sleep, budget])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(server.alive());
    let figures: HashMap<_, _> = said
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, figure)| (name.to_owned(), figure.parse().unwrap()))
        .collect();
    eprintln!("sleep {sleep} ms, budget {budget}: {figures:?}");
    figures
}

fn check(figures: &HashMap<String, u64>) {
    assert!(figures["peak"] < 64 << 20, "{figures:?}");
    assert_eq!(figures["errors"], 0, "{figures:?}");
    assert_eq!(figures["panes"], 20, "{figures:?}");
    assert!(figures["asked"] >= 10, "{figures:?}");
    assert_eq!(figures["answered"], figures["asked"], "{figures:?}");
    // Nobody could follow 20 floods, and each pane that was skipped says so.
    assert!(figures["skipped"] > 0, "{figures:?}");
}

/// tmux itself is the slow part here: it pauses what is older than two seconds.
#[cfg(target_os = "linux")]
#[test]
fn a_slow_consumer_costs_neither_memory_nor_replies() {
    harness::skip_if_asked!();
    check(&consume("1", "8388608"));
}

/// Here the budget is: it is full at once, and panes are paused by us.
#[cfg(target_os = "linux")]
#[test]
fn a_consumer_far_too_slow_for_its_budget_costs_neither_memory_nor_replies() {
    harness::skip_if_asked!();
    check(&consume("30", "65536"));
}
