//! What is done about units by rule: started, restarted, held, brought back from a hang.
//!
//! | Room | In it |
//! |---|---|
//! | [`restart`] | whether and when a unit that ended is started again |
//! | [`ladder`] | what is done, step by step, about a unit that seems to hang |
//! | [`throttle`] | who of those that wait is started next |
//!
//! Their times are monotonic: [`Duration`](std::time::Duration)s since an epoch the caller chooses.

pub mod ladder;
pub mod restart;
pub mod throttle;

pub use ladder::Ladder;
pub use restart::Restart;
pub use throttle::Throttle;
