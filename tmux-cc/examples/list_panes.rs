//! Lists the panes of a tmux server, typed: `cargo run --example list_panes -- SOCKET`.

use tmux_cc::client::{Attach, Socket};
use tmux_cc::format::FromFormat;
use tmux_cc::protocol::Command;
use tmux_cc::wire::PaneId;

/// What is asked of each pane. A name that tmux does not know, or a type that cannot hold what it
/// says, does not compile.
#[derive(FromFormat)]
struct Pane {
    pane_id: PaneId,
    session_name: Vec<u8>,
    pane_current_command: Vec<u8>,
    pane_dead_status: Option<u8>,
    #[tmux(name = "@owner")]
    owner: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let socket = std::env::args_os().nth(1).ok_or("name a socket")?;
    let attach = Attach::any().socket(Socket::Path(socket.into()));
    let (client, _events, driver) = attach.start().await?;
    let driver = tokio::spawn(driver);
    for pane in client
        .rows::<Pane>(Command::new("list-panes").flag("-a"))
        .await?
    {
        println!(
            "{} in {} runs {}, status {:?}, owner {:?}",
            pane.pane_id,
            pane.session_name.escape_ascii(),
            pane.pane_current_command.escape_ascii(),
            pane.pane_dead_status,
            pane.owner,
        );
    }
    client.detach().await;
    driver.await?;
    Ok(())
}
