//! Tells each new title of each pane: `cargo run --example watch_titles -- SOCKET`.

use tmux_cc::client::{Server, Socket, Subscription};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let socket = std::env::args_os().nth(1).ok_or("name a socket")?;
    let server = Server::on(Socket::Path(socket.into())).start().await?;
    // tmux looks once a second, and tells what has changed; also over servers that come and go.
    let mut titles = server.subscribe(Subscription::panes("#{pane_title}"));
    while let Some(title) = titles.recv().await {
        if let Some(pane) = title.pane {
            println!("{pane} is now called {}", title.value.escape_ascii());
        }
    }
    Ok(())
}
