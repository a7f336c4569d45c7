//! Says what happens to the sessions, windows and panes of a server:
//! `cargo run --example mirror_tree -- SOCKET`.

use tmux_cc::client::{Server, ServerChange, Socket};
use tmux_cc::tree::Change;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let socket = std::env::args_os().nth(1).ok_or("name a socket")?;
    let server = Server::on(Socket::Path(socket.into())).start().await?;
    let mut changes = server.changes();
    // It begins with how everything is, and goes on over servers that come and go.
    while let Some(change) = changes.recv().await {
        match change {
            ServerChange::Up(server) => println!("tmux {} runs as {}", server.version, server.pid),
            ServerChange::Down { exit, .. } => println!("it is gone: {exit}"),
            ServerChange::Tree(change) => match &change {
                Change::PaneAdded(pane) => println!("{} in {} came", pane.id, pane.window),
                Change::PaneDied(pane) => println!("{} died: {:?}", pane.id, pane.death),
                Change::PaneGone(pane) => println!("{} went", pane.id),
                Change::WindowRenamed(window) => {
                    println!("{} is {}", window.id, window.name.escape_ascii());
                }
                // `server.tree()` has all of it, as it is now.
                other => println!("{other:?}"),
            },
            _ => {}
        }
    }
    Ok(())
}
