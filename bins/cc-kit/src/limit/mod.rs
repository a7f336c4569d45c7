//! Usage limits: when they end, and how the units of one account wait for that.
//!
//! | Room | In it |
//! |---|---|
//! | [`reset`] | the time a limit ends, out of an agent's own words |
//! | [`account`] | one probe after the reset, then everybody |

pub mod account;
mod clock;
mod day;
mod phrase;
pub mod reset;
mod span;
mod words;
mod zone;

pub use account::{Account, Probe};
pub use reset::{Reset, Unread};
