//! A tmux that is none: for tests of programs that talk to tmux (feature `testing`).
//!
//! [`FakeTmux`] speaks control mode over any reader and writer, so a test needs no tmux, no process
//! and no time: what it answers is scripted, what it announces is said when the test says so, and
//! what was asked of it can be looked at. It keeps to what real servers do: a block for each command
//! of a line and none behind the first that fails, guards whose numbers rise with gaps, a fence's
//! reply only once all before it has run, notifications between blocks and never inside of them.
//!
//! ```
//! use tmux_cc::client::{Attach, Event};
//! use tmux_cc::protocol::Command;
//! use tmux_cc::testing::{Answer, FakeTmux};
//! use tmux_cc::wire::{Notification, PaneId};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let fake = FakeTmux::new("3.5a");
//! fake.on("list-panes", |asked| {
//!     assert_eq!(asked.value_of("-F"), Some(&b"#{pane_id}"[..]));
//!     Answer::ok("%0\n%1\n")
//! });
//! let (client, mut events, driver) = Attach::to("main").output(5).over(fake.connect()).await?;
//! tokio::spawn(driver);
//!
//! let panes = client.command(Command::new("list-panes").option("-F", "#{pane_id}")).await?.ok()?;
//! assert_eq!(panes.lines().count(), 2);
//!
//! fake.output(PaneId(1), b"hello\r\n");
//! let printed = loop {
//!     let batch = events.recv().await.expect("it goes on");
//!     let mut events = batch.iter();
//!     if let Some(Event::Output(output)) = events.find(|event| matches!(event, Event::Output(_))) {
//!         break output.data.decode().into_owned();
//!     }
//! };
//! assert_eq!(printed, b"hello\r\n");
//! # Ok(())
//! # }
//! ```

mod asked;
mod fake;
mod lexer;
#[cfg(test)]
mod tests;

pub use asked::{Answer, Asked};
pub use fake::FakeTmux;
