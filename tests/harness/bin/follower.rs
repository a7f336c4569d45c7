//! `follower SOCKET TMUX`: follows a server with its output, until its standard input ends.
//!
//! Prints `pane %N` when a pane's output first comes, and `closed` when it has left in order: a
//! process that a test can kill.

#![allow(clippy::expect_used, reason = "part of the tests, not of what ships")]

use std::collections::BTreeSet;
use std::io::Read;

use tmux_cc::client::{Event, PaneFilter, Server, Socket};
use tmux_cc::wire::PaneId;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut args = std::env::args_os().skip(1);
    let socket = args.next().expect("SOCKET");
    let tmux = args.next().expect("TMUX");
    let server = Server::on(Socket::Path(socket.into())).tmux(tmux);
    let server = server.start().await.expect("a tmux and a socket");
    let mut output = server.output(PaneFilter::all());
    let (end, mut ended) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        end.send(())
    });
    let mut seen: BTreeSet<PaneId> = BTreeSet::new();
    loop {
        let batch = tokio::select! {
            batch = output.recv() => batch.expect("the output goes on"),
            _ = &mut ended => break,
        };
        for event in batch.iter() {
            if let Event::Output(output) = event
                && seen.insert(output.pane)
            {
                println!("pane {}", output.pane);
            }
        }
    }
    server.close().await;
    println!("closed");
}
