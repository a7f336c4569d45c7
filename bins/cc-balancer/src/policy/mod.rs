//! What is next, who gets it, and what becomes of it: pure, and the same for every engine.

mod choice;
mod order;
mod retry;
mod room;

pub use choice::{Edge, Wanted, Why, choose, fits, judge};
pub use order::{AGING, Candidate, heads, order};
pub use retry::{Next, after, delay, next};
pub use room::{NoRoom, account, group};
