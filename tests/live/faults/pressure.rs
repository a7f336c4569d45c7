//! Little room and no reader: the pipes between a server and its clients are full.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use harness::seeded::{LINE, Seeded};
use harness::server::{Boot, Server};
use harness::wait::{PATIENCE, until_async};
use harness::{pane_agent, skip_if_asked};
use tmux_cc::client::{Cause, Event, PaneFilter};
use tmux_cc::protocol::Command;

use super::super::support::{LONG, Streams, ask, attach, attached, follow, full, pane_of, within};
use super::flooding;

/// tmux, with room for 4 KiB between it and whoever reads it.
#[cfg(target_os = "linux")]
fn small_pipe(server: &Server) -> PathBuf {
    let path = server.dir().join("small-pipe");
    let tmux = server.binary().to_str().unwrap();
    let small_pipe = env!("CARGO_BIN_EXE_small-pipe");
    let script = format!("#!/bin/sh\nexec '{small_pipe}' 4096 '{tmux}' \"$@\"\n");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    path
}

/// Passes when every reply comes whole, and a client with output has every byte of its pane.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn through_a_small_pipe_comes_every_byte() {
    skip_if_asked!();
    const BYTES: u64 = 16_000 * LINE;
    let bytes = BYTES.to_string();
    let server = Server::empty();
    let ready = server.dir().join("ready");
    let agent = [
        pane_agent!(),
        "text",
        "9",
        &bytes,
        "--go-line",
        "--then-stay",
    ];
    let ready_file = ["--ready-file", ready.to_str().unwrap()];
    server.boot(&Boot::running([&agent[..], &ready_file].concat()));
    // Before that there would be an echo.
    until_async(PATIENCE, "the agent", async || ready.exists()).await;
    let tmux = small_pipe(&server);
    let start = attach(&server, "main").tmux(&tmux).output(5).start();
    let (_client, mut events, driver) = start.await.unwrap();
    let _driver = tokio::spawn(driver);
    let start = attach(&server, "main").tmux(&tmux).start();
    let (client, _events, commands) = start.await.unwrap();
    let _commands = tokio::spawn(commands);
    let keys = server.answer(["list-keys"]);
    assert!(keys.len() > 8192);
    server.tmux(["send-keys", "-t", "=main:", "Enter"]);
    let asking = tokio::spawn(async move {
        for _ in 0..20 {
            let reply = ask(&client, "list-keys").await;
            assert_eq!(reply.text().trim_ascii_end(), keys.as_bytes());
        }
    });
    let mut output = Vec::new();
    within(LONG, "all output", async {
        while (output.len() as u64) < BYTES {
            let batch = events.recv().await.expect("events go on");
            for event in batch.iter() {
                match event {
                    Event::Output(piece) => output.extend(piece.data.decode().iter()),
                    Event::Resync(resync) => assert_eq!(resync.cause, Cause::FirstSight),
                    _ => {}
                }
            }
        }
    })
    .await;
    assert_eq!(output.len() as u64, BYTES);
    Seeded::text(9)
        .check(0, &output)
        .unwrap_or_else(|mismatch| panic!("{mismatch}"));
    within(LONG, "all replies", asking).await.unwrap();
}

/// Passes when under floods of two sessions every command is answered, both panes go on and say
/// every gap, and all clients leave.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn through_a_small_pipe_a_flood_is_followed() {
    skip_if_asked!();
    let server = Server::start_with(&flooding());
    server.tmux(["new-session", "-d", "-s", "second", pane_agent!(), "flood"]);
    let panes = [pane_of(&server, "main"), pane_of(&server, "second")];
    let start = follow(&server).tmux(small_pipe(&server)).start();
    let followed = start.await.unwrap();
    let mut output = followed.output(PaneFilter::all());
    let mut streams = Streams::new();
    let all = |s: &Streams| panes.iter().all(|pane| s.last(*pane) > 1000);
    streams.until(&mut output, "both panes", all).await;
    // Output may come before any client for commands is there.
    assert!(within(LONG, "a client for commands", followed.ready()).await);
    let asking = tokio::spawn({
        let followed = followed.clone();
        async move {
            for n in 0..100 {
                let command = Command::new("display-message").flag("-p");
                let command = command.arg(format!("a{n}"));
                let reply = within(LONG, "a reply", followed.command(command)).await;
                let reply = reply.unwrap_or_else(|error| panic!("{n}: {error}"));
                assert_eq!(reply.text(), format!("a{n}").as_bytes());
            }
        }
    });
    let from = panes.map(|pane| streams.last(pane));
    let on = |s: &Streams| (0..2).all(|n| s.last(panes[n]) > from[n] + 20_000);
    streams.until(&mut output, "both panes to go on", on).await;
    within(LONG, "all replies", asking).await.unwrap();
    within(LONG, "the end", followed.close()).await;
    assert_eq!(server.answer(["list-clients"]), "");
}

/// Passes when, while nobody reads what a client is sent, commands of another one are answered and
/// the server's memory stays bounded, and the pane goes on behind a gap that is said.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_reader_that_stops_costs_its_own_output_and_nothing_else() {
    skip_if_asked!();
    let server = Server::start_with(&flooding());
    let pane = pane_of(&server, "main");
    let (commands, _events, _commands) = attached(&server).await;
    let start = attach(&server, "main").output(1).start();
    let (_client, mut events, mut driver) = start.await.unwrap();
    // It reads until there is output, and stops: what drives it is not polled any more.
    let mut streams = Streams::new();
    within(LONG, "output", async {
        while streams.last(pane) < 1000 {
            tokio::select! {
                exit = &mut driver => panic!("{exit:?}"),
                batch = events.recv() => streams.take(&batch.unwrap()),
            }
        }
    })
    .await;
    let process = server.process().unwrap();
    let before = process.memory().resident;
    let end = Instant::now() + Duration::from_secs(if full() { 20 } else { 3 });
    let mut answered = 0;
    while Instant::now() < end {
        let reply = ask(&commands, &format!("display-message -p a{answered}")).await;
        assert_eq!(reply.text(), format!("a{answered}").as_bytes());
        answered += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let grown = process.memory().peak.saturating_sub(before);
    eprintln!("{answered} answers, the server has grown by {grown} bytes");
    assert!(answered > 10);
    // `pause-after` bounds what one second of a flood can be; without it 40 MB come with each.
    assert!(grown < 96 << 20, "the server has grown by {grown} bytes");

    let _driver = tokio::spawn(driver);
    let paused = |s: &Streams| {
        let stream = s.pane(pane).unwrap();
        stream.resyncs.iter().any(|r| r.cause == Cause::Paused) && !stream.is_fresh()
    };
    within(LONG, "the gap and what follows it", async {
        while !paused(&streams) {
            streams.take(&events.recv().await.unwrap());
        }
    })
    .await;
}
