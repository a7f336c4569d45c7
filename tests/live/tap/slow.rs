//! A consumer that is too slow: nobody's memory grows, and no gap is silent.

use std::time::{Duration, Instant};

use harness::pane_agent;
use harness::server::{Boot, Server};
use harness::skip_if_asked;
use tmux_cc::client::{Budget, Cause, Loss, Tap};

use super::{Heard, Tapped, helper};
use crate::support::{full, pane_of};

/// Numbered lines of a pane join within each stretch, and go on behind each gap.
#[derive(Default)]
struct Judge {
    line: Option<Vec<u8>>,
    last: Option<u64>,
    fresh: bool,
    lines: u64,
}

impl Judge {
    fn gap(&mut self) {
        self.line = None;
        self.fresh = true;
    }

    fn take(&mut self, bytes: &[u8]) {
        let mut pieces = bytes.split(|&b| b == b'\n');
        let first = pieces.next().unwrap_or_default();
        if let Some(line) = &mut self.line {
            line.extend_from_slice(first);
        }
        for piece in pieces {
            let Some(line) = self.line.replace(piece.to_vec()) else {
                continue;
            };
            let line = line.strip_suffix(b"\r").expect("a line");
            let number: u64 = str::from_utf8(line).unwrap().parse().unwrap();
            match self.last {
                Some(last) if !self.fresh => assert_eq!(number, last + 1),
                Some(last) => assert!(number > last, "{number} behind {last}"),
                None => {}
            }
            self.last = Some(number);
            self.fresh = false;
            self.lines += 1;
        }
    }
}

/// Passes when a consumer that sleeps while two panes flood costs neither us nor the server memory,
/// every gap is said, and the streams go on.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_slow_consumer_costs_no_memory_and_hides_no_gap() {
    skip_if_asked!();
    let server = Server::start_with(&Boot::running([pane_agent!(), "flood"]));
    let first = pane_of(&server, "=main:");
    let tap = Tap::new(helper()).budget(Budget::bytes(512 << 10));
    let mut tapped = Tapped::with(&server, tap).await;
    let second = tapped.window(&[pane_agent!(), "flood"]);
    let process = server.process().unwrap();
    let before = process.memory().resident;
    let mut judges = [(first, Judge::default()), (second, Judge::default())];
    let mut seen = [0, 0];
    let mut held = 0;
    let began = Instant::now();
    let time = Duration::from_secs(if full() { 60 } else { 6 });
    while began.elapsed() < time {
        tapped.next().await;
        for (at, (pane, judge)) in judges.iter_mut().enumerate() {
            let Some(heard) = tapped.panes.get_mut(pane) else {
                continue;
            };
            if heard.resyncs.len() > seen[at] {
                seen[at] = heard.resyncs.len();
                judge.gap();
            }
            judge.take(&std::mem::take(&mut heard.bytes));
        }
        held = held.max(process.memory().resident);
        // This consumer is slow on purpose.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    eprintln!(
        "the server held {} KiB more at most",
        (held - before) / 1024
    );
    for (pane, judge) in &judges {
        let heard = tapped.heard(*pane);
        let gaps = |h: &Heard| {
            h.resyncs
                .iter()
                .filter(|r| r.cause == Cause::Paused)
                .count()
        };
        eprintln!("{pane}: {} lines, {} gaps", judge.lines, gaps(heard));
        assert!(gaps(heard) > 1, "{pane}");
        assert!(judge.lines > 1000);
        let counted = heard
            .resyncs
            .iter()
            .all(|r| matches!(r.loss, Loss::Unknown { .. }));
        assert!(counted);
    }
    assert!(held < before + (16 << 20), "{held} {before}");
    let health = tapped.followed.health();
    assert!(health.gaps >= 2, "{health:?}");
    tapped.close().await;
}
