//! IO: control clients on tokio.
//!
//! - [`Attach`] makes one control client: a [`Client`] handle for commands, its [`Events`], and a
//!   [`Driver`] that the caller spawns.
//! - [`Server`] follows every session of a server, whatever comes and goes, and merges their
//!   output into one stream.
//!
//! The read loop never waits for a consumer: what does not fit is dropped by pane, and said.

mod ask;
mod attach;
mod codec;
mod driver;
mod error;
mod events;
mod flow;
#[cfg(target_os = "linux")]
mod gather;
mod handle;
mod health;
mod identity;
mod orphans;
mod output;
mod process;
mod run;
mod screen;
mod server;
mod socket;
mod subscription;
#[cfg(feature = "tap")]
mod tap;
mod until;
mod wait;

pub use attach::Attach;
pub use codec::{ControlCodec, ControlLine};
pub use driver::Driver;
pub use error::{AttachError, ClientError, QueryError, RunError, ServerError, WaitError};
pub use events::{Batch, Cause, Ended, Ending, Event, Loss, Output, PaneBytes, Resync};
pub use flow::Budget;
pub use handle::{Client, Events};
pub use health::Health;
pub use identity::{Attached, Identity};
pub use output::{OutputRequest, PaneFilter, Policy};
pub use screen::{Backfill, Modes, Mouse, Screen};
pub use server::{Changes, Server, ServerBuilder, ServerChange, ServerOutput, Subscribed, Waiting};
pub use socket::Socket;
pub use subscription::{Reported, Subscription};
#[cfg(feature = "tap")]
pub use tap::{TAP_HOOK_INDEX, Tap, TapError, TapHelper, TapOutput, hand_over};
pub use wait::WaitFor;
