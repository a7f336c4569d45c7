//! `tap-helper hand-over SOCKET WORD`: what tmux starts for a pane that is tapped.
//! `tap-helper hold SOCKET TMUX`: holds a tap until it is killed or its standard input ends.
//!
//! The second prints `ready`, then `pane %N` when a pane is first heard of, and `closed` when it
//! has left in order.

#![allow(clippy::expect_used, reason = "part of the tests, not of what ships")]

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::Read;
use std::process::ExitCode;

use tmux_cc::client::{Event, Server, Socket, Tap, TapHelper, hand_over};
use tmux_cc::wire::PaneId;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    match args.next() {
        Some(mode) if mode == "hand-over" => hand_over(args),
        Some(mode) if mode == "hold" => {
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_all().build().expect("a runtime");
            runtime.block_on(hold(args));
            ExitCode::SUCCESS
        }
        _ => ExitCode::FAILURE,
    }
}

async fn hold(mut args: impl Iterator<Item = OsString>) {
    let socket = args.next().expect("SOCKET");
    let tmux = args.next().expect("TMUX");
    let server = Server::on(Socket::Path(socket.into())).tmux(tmux);
    let server = server.start().await.expect("a tmux and a socket");
    let helper = TapHelper::this_program().expect("a path").arg("hand-over");
    let mut output = server.tap(Tap::new(helper)).await.expect("a tap");
    println!("ready");
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
            let pane = match event {
                Event::Output(output) => output.pane,
                Event::Resync(resync) => resync.pane,
                _ => continue,
            };
            if seen.insert(pane) {
                println!("pane {pane}");
            }
        }
    }
    output.close().await;
    server.close().await;
    println!("closed");
}
