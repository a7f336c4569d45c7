//! What it costs to have many of them.

use super::*;

#[test]
fn it_costs_nothing_while_it_is_idle() {
    harness::skip_if_asked!();
    let mut pane = Pane::start(&["--like", "claude"]);
    pane.until("idle");
    let pid = pane.state().pid;
    let switches = || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("Linux");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.and_then(|line| line.trim().parse::<u64>().ok())
            .expect("a number")
    };
    let before = switches();
    // Long enough for ten frames of what moves in a turn; nothing may move now.
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert!(switches() - before < 3);
    pane.order("busy");
    let before = switches();
    until(PATIENCE, "frames of a turn", || switches() - before > 3);
}

#[test]
fn memory_that_it_takes_is_there() {
    harness::skip_if_asked!();
    let mut pane = Pane::start(&["--like", "claude"]);
    pane.until("idle");
    let process = pane.process();
    let before = process.memory().resident;
    pane.order("grow 50MB");
    assert!(process.memory().resident > before + 49_000_000);
}
