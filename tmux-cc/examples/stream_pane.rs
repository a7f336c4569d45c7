//! Prints what a pane shows, and then what it prints, byte for byte, until it ends:
//! `cargo run --example stream_pane -- SOCKET '%0'`.

use std::io::Write as _;

use tmux_cc::client::{Backfill, Event, OutputRequest, Server, Socket};
use tmux_cc::wire::PaneId;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let socket = words.next().ok_or("name a socket")?;
    let pane = words.next().ok_or("name a pane")?;
    let pane = PaneId::parse(pane.as_bytes()).ok_or("a pane is %0 and the like")?;
    let server = Server::on(Socket::Path(socket.into())).start().await?;
    let mut output = server.output(OutputRequest::from(pane).backfill(Backfill::Screen));
    let (mut out, mut bytes) = (std::io::stdout(), Vec::new());
    while let Some(batch) = output.recv().await {
        bytes.clear();
        for event in batch.iter() {
            match event {
                Event::Output(output) => drop(output.data.decode_into(&mut bytes)),
                // The stream begins, or something of it is lost: said, and never left out.
                Event::Resync(resync) => {
                    eprintln!("{:?}, lost: {:?}", resync.cause, resync.loss);
                    if let Some(screen) = &resync.screen {
                        screen.replay_into(&mut bytes);
                    }
                }
                Event::Ended(_) => return Ok(out.write_all(&bytes)?),
                _ => {}
            }
        }
        out.write_all(&bytes)?;
        out.flush()?;
    }
    Ok(())
}
