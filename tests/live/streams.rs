//! Streams of output: with their past, of some panes, by policy, under all that can happen to them.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use harness::process::Process;
use harness::server::{Boot, Server};
use harness::wait::{PATIENCE, until, until_async};
use harness::{pane_agent, skip_if_asked};
use tmux_cc::client::{
    Backfill, Budget, Cause, Event, Loss, OutputRequest, PaneFilter, Policy, Screen, ServerOutput,
};
use tmux_cc::protocol::Limits;
use tmux_cc::wire::{PaneId, SessionId, WindowId};
use tokio::time::Instant;

use super::support::{LONG, Streams, follow, pane_id, pane_of, scaled, soon, within};

const FLOOD: [&str; 2] = [pane_agent!(), "flood"];

/// A new window of that session; its pane.
fn window(server: &Server, session: &str, command: &[&str]) -> PaneId {
    let new = ["new-window", "-d", "-P", "-F", "#{pane_id}", "-t", session];
    pane_id(&server.answer([&new[..], command].concat()))
}

/// A control client of somebody else that reads 2.7 MB a second, far less than it is sent.
struct Backlogged {
    child: Child,
    stop: Arc<AtomicBool>,
}

impl Backlogged {
    fn attach(server: &Server) -> Self {
        let mut command = server.command();
        command.args(["-C", "attach-session", "-f", "pause-after=2", "-t", "=main"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        thread::spawn(move || {
            let mut buffer = vec![0; 27 << 10];
            while let Ok(1..) = stdout.read(&mut buffer) {
                if !stopped.load(Ordering::Relaxed) {
                    // Being slow is what it is for.
                    thread::sleep(Duration::from_millis(10));
                }
            }
        });
        Self { child, stop }
    }
}

impl Drop for Backlogged {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // To end its input with output on the way could end the server.
        let _ = Process::of(self.child.id()).signal(rustix::process::Signal::TERM);
        let _ = self.child.wait();
    }
}

/// Passes when each of many streams, opened on a pane that prints numbers with all its might
/// beside three others, a client that lags behind and one more, begins with a screen and goes on
/// from it without a line missing or twice.
#[tokio::test]
async fn a_stream_begins_with_its_past_in_the_middle_of_a_flood() {
    skip_if_asked!();
    let server = Server::start_with(&Boot::running(FLOOD));
    let pane = pane_of(&server, "main");
    for _ in 0..3 {
        window(&server, "=main:", &FLOOD);
    }
    let backlogged = Backlogged::attach(&server);
    let mut second = harness::raw::Raw::attach_flagged(&server, "=main", "no-output");
    let followed = follow(&server).start().await.unwrap();
    let tries = scaled(200);
    for at in 0..tries {
        let lines = [0, 5, 1000][at % 3];
        let request = OutputRequest::from(pane).backfill(match lines {
            0 => Backfill::Screen,
            lines => Backfill::History(lines),
        });
        let mut output = followed.output(request);
        let mut streams = Streams::new();
        let goes_on = |s: &Streams| s.pane(pane).is_some_and(|s| s.offset > 20_000);
        streams.until(&mut output, "the pane", goes_on).await;
        let stream = streams.pane(pane).unwrap();
        assert!(stream.screens >= 1 && stream.epoch + 1 == u32::try_from(stream.screens).unwrap());
        assert_eq!(stream.resyncs[0].cause, Cause::FirstSight);
        let screen = stream.resyncs[0].screen.as_ref().unwrap();
        let shown = screen.text.iter().filter(|&&b| b == b'\n').count();
        assert_eq!(shown, 24 + lines as usize, "as much as was asked for");
        assert_eq!(streams.panes.len(), 1, "no other pane was asked for");
        second.say("display-message -p 'still here'");
    }
    eprintln!("{tries} streams");
    drop(backlogged);
    soon("the end", followed.close()).await;
    assert!(server.alive());
}

/// Passes when a screen that is replayed into another pane of the same size looks the same there:
/// text, colours, cursor, modes, and what the alternate screen covers.
#[tokio::test]
async fn a_screen_can_be_replayed() {
    skip_if_asked!();
    for (name, printed) in [
        ("plain", "one\\r\\ntwo\\r\\n$ "),
        (
            "colours",
            "\\033[31;1mred\\033[0m \\033[44mon blue\\r\\nback\\033[49m \\\\033[1m\\r\\n",
        ),
        (
            "wide",
            "caf\\303\\251 \\343\\201\\202\\343\\201\\204 \\\\ ok",
        ),
        (
            "wrapped",
            "123456789012345678901234567890123456789012345678901234567890\\r\\nx",
        ),
        (
            "history",
            "1\\r\\n2\\r\\n3\\r\\n4\\r\\n5\\r\\n6\\r\\n7\\r\\n8\\r\\n9\\r\\n10\\r\\n11\\r\\n12",
        ),
        ("region", "a\\r\\nb\\r\\nc\\033[2;5r\\033[4;3Hhere"),
        ("origin", "a\\r\\nb\\r\\nc\\033[2;5r\\033[?6h\\033[2;3Hhere"),
        (
            "modes",
            "x\\033[?1h\\033=\\033[?7l\\033[?25l\\033[4h\\033[?1002h\\033[?1006h",
        ),
        (
            "alternate",
            "shell $ vi\\r\\n\\033[?1049h\\033[2J\\033[H~ file\\r\\n\\033[7m--\\033[0m",
        ),
    ] {
        let shape = Boot::running(["sh", "-c", &format!("printf '{printed}'; exec cat")]);
        let server = Server::start_with(&shape.size(20, 8));
        let pane = pane_of(&server, "main");
        let followed = follow(&server).start().await.unwrap();
        let state = |pane: PaneId| {
            let format = "#{cursor_x},#{cursor_y} #{cursor_flag}#{insert_flag}#{wrap_flag}\
                #{keypad_cursor_flag}#{keypad_flag}#{origin_flag}#{alternate_on}\
                #{mouse_button_flag}#{mouse_sgr_flag} \
                #{scroll_region_upper}-#{scroll_region_lower} #{history_size}";
            let id = pane.to_string();
            let capture = ["capture-pane", "-p", "-e", "-S", "-", "-t", &id];
            let normal = ["capture-pane", "-p", "-e", "-a", "-q", "-t", &id];
            let state = ["display-message", "-p", "-t", &id, format];
            [
                server.answer(capture),
                server.answer(normal),
                server.answer(state),
            ]
        };
        until(PATIENCE, "the pane to have printed", || {
            let all = state(pane).concat();
            ["$", "back", "ok", "x", "12", "here", "--"]
                .iter()
                .any(|end| all.contains(end))
        });
        let screen = screen_of(&mut followed.output(with_history(pane))).await;
        let mut bytes = Vec::new();
        screen.replay_into(&mut bytes);
        let file = server.dir().join("screen");
        fs::write(&file, bytes).unwrap();
        let replay = format!("stty raw; cat '{}'; exec sleep 1000", file.display());
        let again = window(&server, "=main:", &["sh", "-c", &replay]);
        let expected = state(pane);
        until(PATIENCE, name, || {
            let found = state(again);
            if found != expected {
                eprintln!("{name}: {found:#?} {expected:#?}");
            }
            found == expected
        });
        soon("the end", followed.close()).await;
    }
}

fn with_history(pane: PaneId) -> OutputRequest {
    OutputRequest::from(pane).backfill(Backfill::History(1000))
}

/// The first screen that comes.
async fn screen_of(output: &mut ServerOutput) -> Arc<Screen> {
    within(PATIENCE, "a screen", async {
        loop {
            let batch = output.recv().await.expect("the output goes on");
            for event in batch.iter() {
                if let Event::Resync(resync) = event {
                    return Arc::clone(resync.screen.as_ref().expect("it was asked for"));
                }
            }
        }
    })
    .await
}

/// Passes when every control client is killed again and again while panes print numbers with all
/// their might, and each stream goes on behind a gap that is said; with a past and without.
#[tokio::test]
async fn streams_say_what_killed_clients_cost() {
    skip_if_asked!();
    for backfill in [Backfill::None, Backfill::History(100)] {
        let server = Server::start_with(&Boot::running(FLOOD));
        let mut panes = vec![pane_of(&server, "main")];
        for _ in 0..2 {
            panes.push(window(&server, "=main:", &FLOOD));
        }
        let followed = follow(&server).start().await.unwrap();
        let request = OutputRequest::from(PaneFilter::all()).backfill(backfill);
        let mut output = followed.output(request);
        let mut streams = Streams::new();
        let all = |s: &Streams| panes.iter().all(|pane| s.last(*pane) > 0);
        streams.until(&mut output, "every pane", all).await;
        let mut killed = 0;
        for _ in 0..scaled(60) {
            let clients = server.answer(["list-clients", "-F", "#{client_pid}"]);
            for pid in clients.lines() {
                // It may have gone since.
                let _ = Process::of(pid.parse().unwrap()).kill();
                killed += 1;
            }
            let second = Instant::now() + Duration::from_secs(1);
            while let Ok(batch) = tokio::time::timeout_at(second, output.recv()).await {
                streams.take(&batch.expect("the output goes on"));
            }
        }
        eprintln!("{killed} clients killed");
        let from: Vec<_> = panes.iter().map(|pane| streams.last(*pane)).collect();
        let all = |s: &Streams| panes.iter().zip(&from).all(|(p, from)| s.last(*p) > *from);
        streams.until(&mut output, "every pane to go on", all).await;
        for pane in panes {
            let stream = streams.pane(pane).unwrap();
            let broken = |r: &&tmux_cc::client::Resync| r.cause == Cause::Disconnected;
            assert!(
                stream.resyncs.iter().filter(broken).count() >= 1,
                "{stream:?}"
            );
            if backfill != Backfill::None {
                // One that was on its way when its client ended is missing, but not more.
                assert!(
                    stream.screens * 2 > stream.resyncs.len() as u64,
                    "{stream:?}"
                );
                let screen = stream.resyncs.last().unwrap().screen.as_ref();
                let shown = screen.unwrap().text.iter().filter(|&&b| b == b'\n').count();
                assert_eq!(shown, 24 + 100);
            }
        }
        soon("the end", followed.close()).await;
        assert!(server.alive());
    }
}

/// Passes when a stream of the latest screens never has more than one waiting, shows later numbers
/// in each, and in the last one the last.
#[tokio::test]
async fn the_latest_screen_is_all_that_a_slow_consumer_gets() {
    skip_if_asked!();
    let server = Server::start();
    let flood = [pane_agent!(), "flood", "--lines", "200000", "--then-stay"];
    let followed = follow(&server).start().await.unwrap();
    let every = Duration::from_millis(20);
    let request = OutputRequest::from(PaneFilter::all()).policy(Policy::Latest { every });
    let mut output = followed.output(request);
    screen_of(&mut output).await;
    let pane = window(&server, "=main:", &flood);
    let mut last = 0;
    let mut screens = 0;
    within(LONG, "the last number", async {
        while last < 199_999 {
            let batch = output.recv().await.expect("the output goes on");
            for event in batch.iter() {
                match event {
                    Event::Resync(resync) if resync.pane == pane => {
                        let screen = resync.screen.as_ref().expect("nothing else was asked for");
                        let numbers = screen.visible.split(|&b| b == b'\n');
                        let numbers = numbers.filter_map(|n| {
                            str::from_utf8(n.trim_ascii()).ok()?.parse::<u64>().ok()
                        });
                        let shown = numbers.max().unwrap_or(0);
                        assert!(shown >= last);
                        last = shown;
                        screens += 1;
                    }
                    Event::Resync(_) => {}
                    other => panic!("{other:?}"),
                }
            }
            tokio::time::sleep(every * 2).await;
        }
    })
    .await;
    eprintln!("{screens} screens");
    assert!((2..10_000).contains(&screens));
    soon("the end", followed.close()).await;
}

/// Passes when what was taken and what is said to be dropped are together what was printed.
#[tokio::test]
async fn what_is_dropped_is_counted_to_the_byte() {
    skip_if_asked!();
    let server = Server::start();
    let followed = follow(&server).pause_after(100).start().await.unwrap();
    let request = OutputRequest::from(PaneFilter::all())
        .policy(Policy::Drop)
        .budget(Budget::bytes(64 << 10));
    let mut output = followed.output(request);
    until_async(PATIENCE, "the client", async || {
        followed.health().attached >= 2
    })
    .await;
    let lines = 100_000_u64;
    let done = server.dir().join("done");
    let flood = [
        pane_agent!(),
        "flood",
        "--lines",
        "100000",
        "--then-stay",
        "--done-file",
        done.to_str().unwrap(),
    ];
    let pane = window(&server, "=main:", &flood);
    until_async(LONG, "the flood to end", async || done.exists()).await;
    let printed: u64 = (0..lines).map(|n| n.to_string().len() as u64 + 2).sum();
    let (mut taken, mut dropped, mut gaps) = (0, 0, 0);
    within(LONG, "every byte", async {
        while taken + dropped < printed {
            let batch = output.recv().await.expect("the output goes on");
            for event in batch.iter() {
                match event {
                    Event::Output(found) if found.pane == pane => {
                        taken += found.data.decoded_len() as u64;
                    }
                    Event::Resync(resync) if resync.pane == pane => {
                        assert_eq!(resync.cause, Cause::Dropped);
                        let Loss::Known(lost) = resync.loss else {
                            panic!("{resync:?}")
                        };
                        dropped += lost;
                        gaps += 1;
                    }
                    _ => {}
                }
            }
        }
    })
    .await;
    eprintln!("{taken} bytes taken, {dropped} dropped in {gaps} gaps");
    assert_eq!(taken + dropped, printed);
    assert!(dropped > 0, "it was fast enough");
    soon("the end", followed.close()).await;
}

/// Passes when streams of a pane, a window, a session and everything run side by side, each with
/// its panes and no others, and a pane that leaves what was asked for ends there.
#[tokio::test]
async fn streams_have_the_panes_that_were_asked_for() {
    skip_if_asked!();
    let server = Server::start_with(&Boot::running(FLOOD));
    server.tmux([&["new-session", "-d", "-s", "other"], &FLOOD[..]].concat());
    server.tmux([&["split-window", "-d", "-t", "=main:"], &FLOOD[..]].concat());
    let moving = window(&server, "=main:", &FLOOD);
    let (first, other) = (pane_of(&server, "main:0.0"), pane_of(&server, "other"));
    let split = pane_of(&server, "main:0.1");
    let id =
        |target: &str, format: &str| server.answer(["display-message", "-p", "-t", target, format]);
    let window_id = WindowId::parse(id("=main:0", "#{window_id}").trim().as_bytes()).unwrap();
    let session_id = SessionId::parse(id("=main:", "#{session_id}").trim().as_bytes()).unwrap();
    let followed = follow(&server).start().await.unwrap();
    let cases = [
        (PaneFilter::from(split), vec![split]),
        (PaneFilter::panes([first, other]), vec![first, other]),
        (PaneFilter::windows([window_id]), vec![first, split]),
        (
            PaneFilter::sessions([session_id]),
            vec![first, split, moving],
        ),
        (PaneFilter::all(), vec![first, split, moving, other]),
    ];
    let mut streams: Vec<_> = cases
        .map(|(filter, panes)| {
            let panes: BTreeSet<_> = panes.into_iter().collect();
            (followed.output(filter), Streams::new(), panes)
        })
        .into();
    for (output, streams, panes) in &mut streams {
        let all = |s: &Streams| panes.iter().all(|pane| s.last(*pane) > 2000);
        streams.until(output, "its panes", all).await;
        assert!(
            streams.panes.keys().eq(panes.iter()),
            "{:?}",
            streams.panes.keys()
        );
    }
    server.tmux(["move-window", "-d", "-s", "=main:1", "-t", "=other:"]);
    let (output, judged, _) = &mut streams[3];
    judged
        .until(output, "its end", |s| s.has_ended(moving))
        .await;
    let (output, judged, _) = &mut streams[4];
    let from = judged.last(moving);
    judged
        .until(output, "the moved pane", |s| s.last(moving) > from + 1000)
        .await;
    assert!(!judged.has_ended(moving));
    soon("the end", followed.close()).await;
}

/// Passes when a history that no reply can hold is given up for the screen alone, and the stream
/// goes on from that.
#[tokio::test]
async fn a_history_that_is_too_long_is_left_out() {
    skip_if_asked!();
    let server = Server::start_with(&Boot::running(FLOOD));
    let pane = pane_of(&server, "main");
    until(PATIENCE, "some history", || {
        let size = ["display-message", "-p", "-t", "=main:", "#{history_size}"];
        server.answer(size).trim().parse::<u32>().unwrap() > 1000
    });
    let limits = Limits::default().reply(4096);
    let followed = follow(&server).limits(limits).start().await.unwrap();
    let mut output = followed.output(with_history(pane));
    let mut streams = Streams::new();
    let goes_on = |s: &Streams| s.pane(pane).is_some_and(|s| s.offset > 20_000);
    streams.until(&mut output, "the pane", goes_on).await;
    let screen = streams.pane(pane).unwrap().resyncs[0].screen.as_ref();
    assert_eq!(screen.unwrap().text, screen.unwrap().visible);
    soon("the end", followed.close()).await;
}
