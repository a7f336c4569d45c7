//! Runs a command in a window of its own, waits for its end and ends with its exit code:
//! `cargo run --example run_command -- SOCKET make test`.

use std::process::ExitCode;

use tmux_cc::client::{Server, ServerChange, Socket};
use tmux_cc::protocol::Command;
use tmux_cc::tree::Change;
use tmux_cc::wire::PaneId;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let socket = words.next().ok_or("name a socket and a command")?;
    let server = Server::on(Socket::Path(socket.into())).start().await?;
    server.ready().await;
    let mut changes = server.changes();
    // It waits for Enter, so that it does not end before the pane is one that is kept. Words behind
    // the first go to the program as they are: no shell reads them.
    let new = Command::new("new-window").flag("-dP");
    let new = new.option("-F", "#{pane_id}").arg("sh").arg("-c");
    let new = new.arg("read -r _ && exec \"$@\"").arg("sh");
    let made = server.command(words.fold(new, Command::arg)).await?.ok()?;
    let pane = PaneId::parse(made.text()).ok_or("no pane was made")?;
    let keep = Command::new("set-option").flag("-p").target(pane);
    let keep = keep.arg("remain-on-exit").arg("on");
    let go = Command::new("send-keys").target(pane).arg("Enter");
    server.command(keep.then(go)).await?.ok()?;
    let status = loop {
        match changes.recv().await {
            Some(ServerChange::Tree(Change::PaneDied(dead))) if dead.id == pane => {
                // How it died may be known only a moment later, and is told again then.
                match dead.death.map(|death| (death.status, death.signal)) {
                    Some((Some(status), _)) => break status,
                    Some((_, Some(signal))) => return Err(format!("{signal:?}").into()),
                    _ => {}
                }
            }
            Some(ServerChange::Down { .. }) | None => return Err("the server is gone".into()),
            _ => {}
        }
    };
    let kill = Command::new("kill-pane").target(pane);
    server.command(kill).await?.ok()?;
    server.close().await;
    Ok(ExitCode::from(status))
}
