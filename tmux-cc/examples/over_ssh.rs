//! Control mode over ssh, or over anything else that has an input and an output:
//! `cargo run --example over_ssh -- work ssh host tmux`.

use std::process::Stdio;

use tmux_cc::client::Attach;
use tmux_cc::protocol::Command;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let session = words.next().ok_or("name a session and what runs tmux")?;
    let program = words
        .next()
        .ok_or("name what runs tmux, such as `ssh host tmux`")?;
    let attach = Attach::to(&session);
    // What tmux is to be told at the other end. A shell reads it there: these words mean themselves
    // to it, unless the session's name does not.
    let mut child = tokio::process::Command::new(program)
        .args(words)
        .args(attach.arguments())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let (Some(output), Some(input)) = (child.stdout.take(), child.stdin.take()) else {
        return Err("no pipes".into());
    };
    let (client, _events, driver) = attach.over(tokio::io::join(output, input)).await?;
    let driver = tokio::spawn(driver);
    let windows = client.command(Command::new("list-windows")).await?.ok()?;
    for window in windows.lines() {
        println!("{}", window.escape_ascii());
    }
    client.detach().await;
    println!("{}", driver.await?);
    child.wait().await?;
    Ok(())
}
