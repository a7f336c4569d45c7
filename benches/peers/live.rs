//! tmuxctl's tokio driver as a client of `benches/live`, which starts it.
//!
//! It hands output over decoded, one notification for each line.

#[path = "../live/watch.rs"]
mod watch;

use std::env;
use std::hint::black_box;
use std::process::Stdio;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tmuxctl::{Notification, TokioClient};
use tokio::process::Command;
use watch::{EVERY, WARM, Watch, line};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    let [socket, tmux, seconds, arguments @ ..] = &words[..] else {
        panic!("SOCKET TMUX SECONDS ARGUMENTS");
    };
    let seconds = Duration::from_secs(seconds.parse().expect("seconds"));
    // Its own way to start a client knows neither paths of sockets nor flags.
    let mut child = Command::new(tmux)
        .args(["-S", socket])
        .args(arguments)
        .env_remove("TMUX")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("tmux");
    let (reader, writer) = (child.stdout.take(), child.stdin.take());
    let mut client = TokioClient::with_transport(reader.expect("a pipe"), writer.expect("a pipe"));
    let mut events = client.events().expect("events");

    let began = Instant::now();
    let end = began + WARM + seconds;
    let watch: Arc<OnceLock<Watch>> = Arc::default();
    let asking = tokio::spawn({
        let watch = Arc::clone(&watch);
        async move {
            loop {
                let sent = Instant::now();
                if client.command("display-message -p answer").await.is_ok()
                    && let Some(watch) = watch.get()
                {
                    watch.trip(sent);
                }
                tokio::time::sleep(EVERY.saturating_sub(sent.elapsed())).await;
            }
        }
    });

    let (mut bytes, mut pauses) = (0, 0);
    while let Ok(Some(event)) = tokio::time::timeout_at(end.into(), events.recv()).await {
        match event {
            Notification::ExtendedOutput {
                pane,
                ms_behind,
                bytes: output,
            } => {
                let output = black_box(output);
                // Each was four bytes on its way.
                let escapes = output.iter().filter(|&&b| b < b' ' || b == b'\\').count();
                bytes += line(pane.0, ms_behind, output.len() + 3 * escapes);
            }
            Notification::Pause(_) => pauses += 1,
            _ => {}
        }
        if watch.get().is_none() && began.elapsed() > WARM {
            let _ = watch.set(Watch::begin());
            (bytes, pauses) = (0, 0);
        }
        if Instant::now() > end {
            break;
        }
    }
    watch.get().expect("enough time").say(bytes, pauses);
    // With the client, which then detaches.
    asking.abort();
    if tokio::time::timeout(WARM, child.wait()).await.is_err() {
        child.kill().await.expect("our own child");
    }
}
