//! Our follower of a server, with all its panes' output, and our client of one session.

use std::hint::black_box;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use tmux_cc::client::{
    Attach, Batch, Client, Event, Events, PaneFilter, Server, ServerOutput, Socket,
};
use tmux_cc::protocol::Command;

use crate::watch::{EVERY, WARM, Watch, line};

/// How long a slow consumer sleeps for each event.
const SLEEP: Duration = Duration::from_micros(500);

/// What is done with output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// It is taken as it travelled.
    Undecoded,
    Decoded,
    /// It is taken too slowly.
    Slow,
}

/// Where commands go.
#[derive(Clone)]
enum Asked {
    /// To a client of their own.
    Server(Server),
    /// To the client that takes the output.
    Client(Client),
}

/// Where output comes from.
enum Taken {
    Server(ServerOutput),
    Client(Events),
}

impl Asked {
    async fn ask(&self, command: Command) -> bool {
        match self {
            Self::Server(server) => server.command(command).await.is_ok(),
            Self::Client(client) => client.command(command).await.is_ok(),
        }
    }

    async fn end(self) {
        match self {
            Self::Server(server) => server.close().await,
            Self::Client(client) => client.detach().await,
        }
    }
}

impl Taken {
    async fn recv(&mut self) -> Option<Batch> {
        match self {
            Self::Server(output) => output.recv().await,
            Self::Client(events) => events.recv().await,
        }
    }
}

fn block_on(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(work);
}

/// Output on a client, commands on another.
pub(crate) fn server(socket: &str, tmux: &str, seconds: Duration, usage: Use) {
    block_on(async {
        let server = Server::on(Socket::Path(socket.into()))
            .tmux(tmux)
            .start()
            .await
            .expect("a server");
        let output = server.output(PaneFilter::all());
        follow(Asked::Server(server), Taken::Server(output), seconds, usage).await;
    });
}

/// Output and commands on one client.
pub(crate) fn client(socket: &str, tmux: &str, seconds: Duration, usage: Use) {
    block_on(async {
        let attach = Attach::to("main").socket_path(socket).tmux(tmux).output(5);
        let (client, events, driver) = attach.start().await.expect("a client");
        let driver = tokio::spawn(driver);
        follow(Asked::Client(client), Taken::Client(events), seconds, usage).await;
        let _ = driver.await;
    });
}

async fn follow(asked: Asked, mut taken: Taken, seconds: Duration, usage: Use) {
    let began = Instant::now();
    let end = began + WARM + seconds;
    let watch: Arc<OnceLock<Watch>> = Arc::default();
    let asking = tokio::spawn({
        let (asked, watch) = (asked.clone(), Arc::clone(&watch));
        async move {
            while Instant::now() < end {
                let sent = Instant::now();
                let command = Command::new("display-message").flag("-p").arg("answer");
                if asked.ask(command).await
                    && let Some(watch) = watch.get()
                {
                    watch.trip(sent);
                }
                tokio::time::sleep(EVERY.saturating_sub(sent.elapsed())).await;
            }
        }
    });

    let (mut bytes, mut resyncs, mut out) = (0, 0, Vec::new());
    while let Ok(Some(batch)) = tokio::time::timeout_at(end.into(), taken.recv()).await {
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
            let data = black_box(output.data.as_bytes());
            bytes += line(output.pane.0, output.age, data.len());
            if usage == Use::Decoded {
                out.clear();
                let _ = output.data.decode_into(&mut out);
                black_box(&out);
            }
        }
        if usage == Use::Slow {
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
    drop(taken);
    asked.end().await;
}
