//! The whole client, over a pipe in memory.

use std::hint::black_box;

use tmux_cc::client::{Attach, Budget, Event, PaneBytes};
use tokio::io::{
    AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex, split,
};
use tokio::runtime::Builder;

use crate::{Loop, Tally, Work};

pub(crate) fn loops() -> Vec<Loop> {
    vec![
        Loop::new("client", Work::Borrow, |stream| {
            client(stream, |data| match data {
                PaneBytes::Escaped(data) => black_box(data.as_bytes()).len(),
                PaneBytes::Raw(data) => black_box(data).len(),
            })
        }),
        Loop::new("client, decoded", Work::Decode, |stream| {
            let mut out = Vec::new();
            client(stream, move |data| {
                out.clear();
                let _ = data.decode_into(&mut out);
                black_box(&out).len()
            })
        }),
    ]
}

/// Attaches, and takes the stream as a server's output. Everything runs on one thread, the peer
/// that writes too.
fn client(stream: &[u8], mut each: impl FnMut(PaneBytes<'_>) -> usize) -> Tally {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (ours, theirs) = duplex(64 << 10);
        let attach = Attach::any().output(300).budget(Budget::bytes(1 << 30));
        // The peer has to borrow the stream, so it is no task of its own.
        let consume = async {
            let (client, mut events, driver) = attach.over(ours).await.expect("a greeting");
            let driver = tokio::spawn(driver);
            let mut tally = Tally::default();
            while let Some(batch) = events.recv().await {
                for event in batch.iter() {
                    if let Event::Output(output) = event {
                        tally.add(output.pane.0, each(output.data));
                    }
                }
            }
            drop(client);
            driver.await.expect("a driver");
            tally
        };
        let (tally, ()) = tokio::join!(consume, peer(theirs, stream));
        tally
    })
}

/// Answers what a client asks before it is attached, then sends the stream and ends.
async fn peer(theirs: DuplexStream, stream: &[u8]) {
    /// The two questions of a client that wants output, and a fence behind each.
    const QUESTIONS: u32 = 4;

    let (reader, mut writer) = split(theirs);
    let mut reader = BufReader::new(reader);
    let hello = b"%begin 1 1 0\n%end 1 1 0\n";
    writer.write_all(hello).await.expect("a client");
    let mut line = String::new();
    for number in 2..2 + QUESTIONS {
        line.clear();
        reader.read_line(&mut line).await.expect("a line");
        let body = if line.contains("#{version}") {
            "3.3a\t1\t1\t$0\tclient-1\tmain"
        } else if line.starts_with("list-panes") {
            "%0"
        } else {
            line.trim_end().rsplit(' ').next().unwrap_or_default()
        };
        let block = format!("%begin 1 {number} 1\n{body}\n%end 1 {number} 1\n");
        writer.write_all(block.as_bytes()).await.expect("a client");
    }
    writer.write_all(stream).await.expect("a client");
    writer.write_all(b"%exit\n").await.expect("a client");
    writer.shutdown().await.expect("a client");
    // Until the client has let go.
    let mut rest = Vec::new();
    let _ = reader.read_to_end(&mut rest).await;
}
