//! Our follower of a server, with all its panes' output.

use std::hint::black_box;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use tmux_cc::client::{Event, PaneFilter, Server, Socket};
use tmux_cc::protocol::Command;

use crate::watch::{EVERY, WARM, Watch};

/// How long a slow consumer sleeps for each event.
const SLEEP: Duration = Duration::from_micros(500);

pub(crate) fn run(client: &str, socket: &str, tmux: &str, seconds: Duration) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(follow(client, socket, tmux, seconds));
}

async fn follow(client: &str, socket: &str, tmux: &str, seconds: Duration) {
    let server = Server::on(Socket::Path(socket.into()))
        .tmux(tmux)
        .start()
        .await
        .expect("a server");
    let mut output = server.output(PaneFilter::all());
    let began = Instant::now();
    let end = began + WARM + seconds;
    let watch: Arc<OnceLock<Watch>> = Arc::default();
    let asking = tokio::spawn({
        let (server, watch) = (server.clone(), Arc::clone(&watch));
        async move {
            while Instant::now() < end {
                let sent = Instant::now();
                let command = Command::new("display-message").flag("-p").arg("answer");
                if server.command(command).await.is_ok()
                    && let Some(watch) = watch.get()
                {
                    watch.trip(sent);
                }
                tokio::time::sleep(EVERY.saturating_sub(sent.elapsed())).await;
            }
        }
    });

    let (mut bytes, mut resyncs, mut out) = (0, 0, Vec::new());
    while let Ok(Some(batch)) = tokio::time::timeout_at(end.into(), output.recv()).await {
        let mut events = 0;
        for event in batch.iter() {
            events += 1;
            let output = match event {
                Event::Output(output) => output,
                Event::Resync(_) => {
                    resyncs += 1;
                    continue;
                }
                _ => continue,
            };
            bytes += black_box(output.data.as_bytes()).len() as u64;
            if client == "decoded" {
                out.clear();
                let _ = output.data.decode_into(&mut out);
                black_box(&out);
            }
        }
        if client == "slow" {
            // On another thread: it is the consumer that sleeps, and nothing else.
            let sleep = SLEEP * events;
            let slept = tokio::task::spawn_blocking(move || thread::sleep(sleep));
            let _ = slept.await;
        }
        if watch.get().is_none() && began.elapsed() > WARM {
            let _ = watch.set(Watch::begin());
            (bytes, resyncs) = (0, 0);
        }
        if Instant::now() > end {
            break;
        }
    }
    watch.get().expect("enough time").say(bytes, resyncs);
    asking.abort();
    drop(output);
    server.close().await;
}
