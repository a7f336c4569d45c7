//! What is done about units by rule: started, restarted, held, brought back from a hang.
//!
//! | Room | In it |
//! |---|---|
//! | [`prompts`] | what a unit's own rules say about what it asks |
//! | [`restart`] | whether and when a unit that ended is started again |
//! | [`limits`] | who waits for the end of which limit, and who is told to go on, when |
//! | [`ladder`] | what is done, step by step, about a unit that seems to hang |
//! | [`throttle`] | who of those that wait is started next |
//! | [`wear`] | who has grown too large, or has run for long |
//!
//! Their times, but those of limits, are monotonic: [`Duration`](std::time::Duration)s since an epoch the caller chooses.

pub mod ladder;
pub mod limits;
pub mod prompts;
pub mod restart;
pub mod throttle;
pub mod wear;

pub use ladder::Ladder;
pub use limits::Limits;
pub use restart::Restart;
pub use throttle::Throttle;
pub use wear::Wear;
