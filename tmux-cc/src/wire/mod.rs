//! Grammar: bytes to values and back, stateless.
//!
//! Parsing borrows from its input and allocates nothing. tmux speaks bytes, not text: about one
//! `%output` line in eight of a busy stream is not valid UTF-8 alone, so nothing here is `str`.
//!
//! - [`Notification`]: the lines sent unasked. [`Guard`]: the lines around a reply.
//! - [`Escaped`]: the payload of `%output`, decoded when and where a consumer asks.
//! - [`Layout`]: the geometry of a window. [`Version`]: which tmux it is.
//! - [`quote()`]: any bytes as one word of a command line.

mod capture;
mod escape;
mod guard;
mod id;
mod layout;
mod line;
mod marks;
mod notification;
mod quote;
mod shown;
mod version;

pub use capture::decode_capture_into;
pub use escape::{Decoded, Escaped, escape_into};
pub use guard::{Guard, GuardKind, GuardLine};
pub use id::{PaneId, SessionId, WindowId};
pub use layout::{Cell, Cells, Content, Layout, LayoutError, Panes};
pub(crate) use line::Newlines;
pub use line::{DCS, ST, split_line};
pub use notification::Notification;
pub(crate) use notification::is_named_output;
pub use quote::{LineError, QuoteError, check_line, quote, quoted};
pub(crate) use shown::Shown;
pub use version::Version;
