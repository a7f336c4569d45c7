//! Who does not read is not waited for, and nobody waits for him.

use std::collections::HashSet;
use std::process::Stdio;
use std::time::Duration;

use harness::pane_agent;
use harness::process::Process;
use harness::server::{Boot, Server};
use harness::skip_if_asked;
use harness::wait::{PATIENCE, until_async};
use tmux_cc::client::{Attach, Budget, Cause, Event, PaneFilter};
use tmux_cc::protocol::Command;
use tmux_cc::wire::PaneId;
use tokio::io::{
    AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, copy, duplex, split,
};
use tokio::process::Command as Program;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::support::{LONG, Streams, alone, attached, follow, full, pane_of, scaled, soon, within};

const LINE: usize = 10 << 10;

/// Text that no lexer and no format takes for anything else.
fn text(n: usize) -> String {
    format!("{n:_>LINE$}")
}

#[tokio::test]
async fn large_commands_and_large_replies_pass_each_other() {
    skip_if_asked!();
    let server = Server::start();
    let (client, _events, _driver) = attached(&server).await;
    let mut tasks = JoinSet::new();
    for n in 0..scaled(10 << 20) / LINE {
        let client = client.clone();
        tasks.spawn(async move {
            let buffer = format!("b{n}");
            let set = Command::new("set-buffer").option("-b", &buffer);
            let show = Command::new("show-buffer").option("-b", &buffer);
            let delete = Command::new("delete-buffer").option("-b", &buffer);
            let line = set.arg(text(n)).then(show).then(delete);
            let reply = client.command(line).await.unwrap().ok().unwrap();
            assert_eq!(reply.blocks().len(), 3);
            assert_eq!(reply.blocks()[1].text(), text(n).as_bytes());
        });
    }
    within(LONG, "all replies", async {
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
    })
    .await;
}

/// A tmux that reads the next command only when its reply to the last is written.
async fn peer(stream: DuplexStream) -> usize {
    let (reader, mut writer) = split(stream);
    let mut lines = BufReader::new(reader).lines();
    let (mut number, mut bytes) = (1, 0);
    writer
        .write_all(b"%begin 1 1 0\n%end 1 1 0\n")
        .await
        .unwrap();
    while let Ok(Some(line)) = lines.next_line().await {
        number += 1;
        let word = line.rsplit(' ').next().unwrap();
        let body = match line.strip_prefix("display-message -p ") {
            Some(format) if format.contains("#{version}") => {
                "3.3a\t1\t1\t$0\tclient-1\tmain".to_owned()
            }
            _ => word.to_owned(),
        };
        bytes += body.len();
        let block = format!("%begin 1 {number} 1\n{body}\n%end 1 {number} 1\n");
        writer.write_all(block.as_bytes()).await.unwrap();
    }
    writer.write_all(b"%exit\n").await.unwrap();
    bytes
}

#[tokio::test]
async fn a_peer_that_answers_before_it_reads_on_is_no_deadlock() {
    for room in [1, 100, 4096] {
        let (ours, theirs) = duplex(room);
        let peer = tokio::spawn(peer(theirs));
        let attach = soon("a greeting", Attach::any().over(ours)).await;
        let (client, events, driver) = attach.unwrap();
        let driver = tokio::spawn(driver);
        let count = match room {
            1 => 4,
            _ => scaled(10 << 20) / LINE,
        };
        let mut tasks = JoinSet::new();
        for n in 0..count {
            let client = client.clone();
            tasks.spawn(async move {
                let command = Command::new("show").arg(text(n));
                let reply = client.command(command).await.unwrap().ok().unwrap();
                assert_eq!(reply.text(), text(n).as_bytes());
            });
        }
        within(LONG, "all replies", async {
            while let Some(done) = tasks.join_next().await {
                done.unwrap();
            }
        })
        .await;
        drop((client, events));
        soon("the driver", driver).await.unwrap();
        assert!(soon("the peer", peer).await.unwrap() >= count * LINE);
    }
}

/// A server with so many panes that print numbers as fast as they can, in as many sessions as
/// there are panes by four.
fn flooding(panes: usize) -> (Server, Vec<PaneId>) {
    let server = Server::empty();
    let flood = [pane_agent!(), "flood"];
    let mut ids = Vec::new();
    for n in 0..panes {
        let session = format!("s{}", n / 4);
        if n == 0 {
            let mut boot = Boot::running(flood);
            boot.session.clone_from(&session);
            server.boot(&boot);
        } else if n % 4 == 0 {
            server.tmux([&["new-session", "-d", "-s", &session], &flood[..]].concat());
        } else {
            server.tmux([&["new-window", "-d", "-t", &session], &flood[..]].concat());
        }
        ids.push(pane_of(&server, &format!("{session}:{}", n % 4)));
    }
    (server, ids)
}

#[tokio::test]
async fn commands_are_answered_while_nobody_takes_the_output() {
    skip_if_asked!();
    let (server, panes) = flooding(3);
    let budget = 4 << 20;
    let start = follow(&server).budget(Budget::bytes(budget)).start();
    let followed = start.await.unwrap();
    let mut output = followed.output(PaneFilter::all());
    let mut streams = Streams::new();
    let all = |streams: &Streams| panes.iter().all(|pane| streams.last(*pane) > 0);
    streams.until(&mut output, "every pane", all).await;
    until_async(PATIENCE, "a client", async || {
        followed.command(Command::new("list-panes")).await.is_ok()
    })
    .await;

    // From here on nothing is taken, until every command is answered.
    let before = streams.bytes;
    let mut tasks = JoinSet::new();
    let commands = |followed: &tmux_cc::client::Server, tasks: &mut JoinSet<()>| {
        for n in 0..100 {
            let followed = followed.clone();
            tasks.spawn(async move {
                let command = Command::new("display-message").flag("-p");
                let command = command.arg(format!("a{n}"));
                let reply = soon("a reply", followed.command(command)).await.unwrap();
                assert_eq!(reply.ok().unwrap().text(), format!("a{n}").as_bytes());
            });
        }
    };
    let first = printed(&followed, panes[0]).await;
    within(LONG, "the queue to be full", async {
        // A line in the queue has eight bytes or more, and this is one pane of three.
        while (printed(&followed, panes[0]).await - first) * 8 < budget as u64 {
            commands(&followed, &mut tasks);
            while let Some(done) = tasks.join_next().await {
                done.unwrap();
            }
        }
    })
    .await;
    commands(&followed, &mut tasks);
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }

    // What was queued by then is still there, and behind it the panes go on with a gap.
    let paused = |streams: &Streams| {
        panes.iter().all(|pane| {
            let stream = streams.pane(*pane).unwrap();
            stream.resyncs.iter().any(|r| r.cause == Cause::Paused) && !stream.is_fresh()
        })
    };
    streams.until(&mut output, "the gaps", paused).await;
    let queued = streams.bytes - before;
    let bounds = budget as u64 / 4..budget as u64 * 2;
    assert!(bounds.contains(&queued), "{queued} were queued");
    soon("the end", followed.close()).await;
}

/// A client's process, from whose end of a stream nothing comes while the gate is shut.
fn gated(server: &Server, attach: &Attach) -> (DuplexStream, watch::Sender<bool>) {
    let (ours, theirs) = duplex(64 << 10);
    let (gate, mut open) = watch::channel(true);
    let mut program = Program::new(server.binary());
    program
        .arg("-S")
        .arg(server.socket())
        .args(attach.arguments());
    program.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = program.kill_on_drop(true).spawn().unwrap();
    let (mut from, mut to) = split(theirs);
    let mut stdin = process.stdin.take().unwrap();
    tokio::spawn(async move { copy(&mut from, &mut stdin).await });
    tokio::spawn(async move {
        let mut stdout = process.stdout.take().unwrap();
        let mut read = vec![0; 64 << 10];
        while open.wait_for(|open| *open).await.is_ok() {
            let count = stdout.read(&mut read).await.unwrap();
            if count == 0 || to.write_all(&read[..count]).await.is_err() {
                break;
            }
        }
        let _ = process.wait().await;
    });
    (ours, gate)
}

/// Up to 3.8 tmux can forget to write a reply: what stands before it in its queue is thrown away for
/// its age, and nothing is left whose writing would call for more.
#[tokio::test]
async fn a_reply_behind_output_that_has_become_too_old_comes() {
    skip_if_asked!();
    let (server, panes) = flooding(3);
    let attach = Attach::to("s0").output(1);
    let (stream, gate) = gated(&server, &attach);
    let (client, mut events, driver) = soon("a client", attach.over(stream)).await.unwrap();
    let driver = tokio::spawn(driver);
    for round in 1..=2 {
        within(LONG, "output of every pane", async {
            let mut seen = HashSet::new();
            while seen.len() < panes.len() {
                let batch = events.recv().await.expect("the client goes on");
                seen.extend(batch.iter().filter_map(|event| match event {
                    Event::Output(output) => Some(output.pane),
                    _ => None,
                }));
            }
        })
        .await;
        gate.send_replace(false);
        // The pipe is full, and tmux holds back what comes, once that stands still for long.
        sleep(Duration::from_millis(300)).await;
        let word = format!("answer-{round}");
        let command = Command::new("display-message").flag("-p").arg(&word);
        let asked = client.clone();
        let reply = tokio::spawn(async move { asked.command(command).await });
        // What comes is too old after a second.
        sleep(Duration::from_millis(2500)).await;
        assert!(!reply.is_finished());
        gate.send_replace(true);
        let reply = soon("the reply", reply).await.unwrap().unwrap();
        assert_eq!(reply.ok().unwrap().text(), word.as_bytes());
    }
    assert!(server.alive());
    drop((client, events));
    soon("the driver", driver).await.unwrap();
}

/// The last number on a pane's screen.
async fn printed(followed: &tmux_cc::client::Server, pane: PaneId) -> u64 {
    let capture = Command::new("capture-pane").flag("-p").target(pane);
    let reply = soon("a capture", followed.command(capture)).await.unwrap();
    let reply = reply.ok().unwrap();
    let numbers = reply
        .lines()
        .filter_map(|line| str::from_utf8(line).ok()?.parse().ok());
    numbers.max().unwrap_or(0)
}

#[cfg(target_os = "linux")]
#[test]
fn a_slow_consumer_costs_a_bounded_amount_of_memory() {
    skip_if_asked!();
    alone(
        "backpressure::a_slow_consumer_costs_a_bounded_amount_of_memory",
        slow_consumer(),
    );
}

#[cfg(target_os = "linux")]
async fn slow_consumer() {
    let (server, panes) = flooding(20);
    let me = Process::of(std::process::id());
    let before = me.memory().resident;
    let followed = follow(&server).start().await.unwrap();
    let mut output = followed.output(PaneFilter::all());
    let mut streams = Streams::new();
    let all = |streams: &Streams| panes.iter().all(|pane| streams.last(*pane) > 0);
    streams.until(&mut output, "every pane", all).await;
    until_async(PATIENCE, "a client", async || {
        followed.command(Command::new("list-panes")).await.is_ok()
    })
    .await;
    let commands = tokio::spawn({
        let followed = followed.clone();
        async move {
            for n in 0..100 {
                let command = Command::new("display-message").flag("-p");
                let command = command.arg(format!("a{n}"));
                let reply = soon("a reply", followed.command(command)).await.unwrap();
                assert_eq!(reply.text(), format!("a{n}").as_bytes());
            }
        }
    });
    // So slow that much must be skipped; long enough that unbounded growth would show.
    let taken = streams.bytes;
    let time = Duration::from_secs(if full() { 10 } else { 2 });
    let end = tokio::time::Instant::now() + time;
    let mut batches = 0;
    while tokio::time::Instant::now() < end || !commands.is_finished() {
        let batch = soon("a batch", output.recv()).await.unwrap();
        streams.take(&batch);
        batches += 1;
        sleep(Duration::from_millis(if full() { 1 } else { 10 })).await;
    }
    commands.await.unwrap();
    let gaps = |streams: &Streams| panes.iter().map(|p| streams.epoch(*p)).collect::<Vec<_>>();
    let skipped = |streams: &Streams| gaps(streams).iter().filter(|epoch| **epoch > 0).count();
    streams
        .until(&mut output, "a gap in every pane", |streams| {
            skipped(streams) == panes.len()
        })
        .await;
    let grown = me.memory().peak - before;
    eprintln!(
        "{batches} batches, {} bytes taken, gaps {:?}, grown by {grown} bytes",
        streams.bytes - taken,
        gaps(&streams)
    );
    assert!(grown < 64 << 20, "grown by {grown} bytes");
    soon("the end", followed.close()).await;
}
