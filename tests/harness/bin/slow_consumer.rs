//! `slow-consumer SOCKET TMUX SECONDS SLEEP BUDGET`: reads a server's merged output far too slowly.
//!
//! It does so for SECONDS, and until something was skipped.
//! It sleeps SLEEP milliseconds for each batch, has a budget of BUDGET bytes, checks that the numbered lines of every pane go on
//! where they were or behind a stated gap, and sends commands all the while. At the end it prints
//! what it held in memory at most, for a test that cannot be fooled by its own memory.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "part of the tests, not of what ships"
)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use harness::process::Process;
use tmux_cc::client::{Budget, Event, PaneFilter, Server, Socket};
use tmux_cc::protocol::Command;
use tmux_cc::wire::PaneId;

/// What came of one pane.
#[derive(Default)]
struct Pane {
    bytes: u64,
    resyncs: u64,
    skipped: u64,
    /// The epoch and offset that must come next.
    next: Option<(u32, u64)>,
    /// The last whole number, and the digits of the one being read.
    number: Option<u64>,
    digits: Vec<u8>,
    /// Is the number being read whole? The first after a gap may have lost its head.
    whole: bool,
    /// Was there a gap since the last whole number?
    behind_gap: bool,
    errors: u64,
}

impl Pane {
    fn take(&mut self, epoch: u32, offset: u64, bytes: &[u8]) {
        if self.next.is_some_and(|next| next != (epoch, offset)) {
            self.errors += 1;
        }
        self.next = Some((epoch, offset + bytes.len() as u64));
        self.bytes += bytes.len() as u64;
        for &byte in bytes {
            if byte != b'\n' {
                self.digits.push(byte);
                continue;
            }
            let line = std::str::from_utf8(&self.digits).unwrap_or_default();
            let number = line.trim_end().parse::<u64>().ok();
            if std::mem::replace(&mut self.whole, true) {
                let follows = match (self.number, number) {
                    (_, None) => false,
                    (None, Some(_)) => true,
                    // Behind a gap nothing comes that was seen before it.
                    (Some(last), Some(number)) if self.behind_gap => number > last,
                    (Some(last), Some(number)) => number == last + 1,
                };
                self.errors += u64::from(!follows);
                self.behind_gap = false;
                self.number = number;
            }
            self.digits.clear();
        }
    }

    fn resync(&mut self, epoch: u32) {
        self.resyncs += 1;
        self.next = Some((epoch, 0));
        self.whole = false;
        self.behind_gap = true;
        self.digits.clear();
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut args = std::env::args_os().skip(1);
    let socket = args.next().expect("SOCKET");
    let tmux = args.next().expect("TMUX");
    let seconds: u64 = args
        .next()
        .and_then(|s| s.to_str()?.parse().ok())
        .expect("SECONDS");

    let sleep: u64 = args
        .next()
        .and_then(|s| s.to_str()?.parse().ok())
        .expect("SLEEP");
    let budget: usize = args
        .next()
        .and_then(|s| s.to_str()?.parse().ok())
        .expect("BUDGET");

    let server = Server::on(Socket::Path(socket.into()))
        .tmux(tmux)
        .pause_after(2)
        .budget(Budget::bytes(budget))
        .start()
        .await
        .unwrap();
    let mut output = server.output(PaneFilter::all());
    let end = Instant::now() + Duration::from_secs(seconds);
    let asking = tokio::spawn({
        let server = server.clone();
        async move {
            let (mut asked, mut answered) = (0u64, 0u64);
            while Instant::now() < end {
                let word = format!("answer-{asked}");
                let command = Command::new("display-message").flag("-p").arg(&word);
                if let Ok(reply) = server.command(command).await {
                    asked += 1;
                    answered += u64::from(reply.text() == word.as_bytes());
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            (asked, answered)
        }
    });

    let mut panes: BTreeMap<PaneId, Pane> = BTreeMap::new();
    let mut decoded = Vec::new();
    // What it is about is skipping: where the machine has been too busy for that, it goes on.
    let latest = end + Duration::from_secs(60);
    loop {
        let skipped = panes.values().any(|pane| pane.skipped > 0);
        let until = if skipped { end } else { latest };
        if Instant::now() >= until {
            break;
        }
        let Ok(Some(batch)) = tokio::time::timeout_at(until.into(), output.recv()).await else {
            break;
        };
        for event in batch.iter() {
            match event {
                Event::Output(output) => {
                    decoded.clear();
                    let _ = output.data.decode_into(&mut decoded);
                    let pane = panes.entry(output.pane).or_default();
                    pane.take(output.epoch, output.offset, &decoded);
                }
                Event::Resync(resync) => {
                    let pane = panes.entry(resync.pane).or_default();
                    pane.skipped += u64::from(resync.cause != tmux_cc::client::Cause::FirstSight);
                    pane.resync(resync.epoch);
                }
                _ => {}
            }
        }
        tokio::time::sleep(Duration::from_millis(sleep)).await;
    }
    let (asked, answered) = asking.await.unwrap();
    let peak = Process::of(std::process::id()).memory().peak;
    server.close().await;

    println!("peak {peak}");
    println!("asked {asked}");
    println!("answered {answered}");
    println!("panes {}", panes.len());
    println!(
        "bytes {}",
        panes.values().map(|pane| pane.bytes).sum::<u64>()
    );
    println!(
        "skipped {}",
        panes.values().filter(|pane| pane.skipped > 0).count()
    );
    println!(
        "errors {}",
        panes.values().map(|pane| pane.errors).sum::<u64>()
    );
}
