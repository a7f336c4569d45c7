//! Sending a prompt to a program in a pane: exactly, once, or not at all.
//!
//! 1. [`Prompt`]: text without control characters, or it is refused.
//! 2. The gate: the program is idle, its box is empty, no mode lies over the pane, nobody types.
//! 3. The paste, in brackets.
//! 4. The echo is seen, then some time passes (some programs eat an Enter that comes with a paste).
//! 5. Enter, as its own command.
//! 6. The confirmation: a hook, or an empty box and signs of the turn. While the text still stands in
//!    the box and the program is idle, Enter again, three times at most.
//! 7. The [`Receipt`]: how far it came. What is uncertain is never sent again.
//!
//! [`Delivery`] decides, and does nothing; [`deliver`] does what it decides, by [`Hands`].
//!
//! A dialog is answered in the same way: [`Answer`] decides, [`answer()`] does it. The screen still shows
//! that very dialog, by its hash, right before the key; the key is pressed once; the dialog is seen to go.

mod answer;
#[cfg(test)]
mod answers;
mod delivery;
mod hands;
mod prompt;
#[cfg(test)]
mod tests;

pub use answer::{Answer, Answered, Do, Seen};
pub use delivery::{Act, Delivery, Event, Looked, Outcome, Receipt, Stage, Why};
pub use hands::{Hands, Reader, answer, deliver};
pub use prompt::{LIMIT, Prompt, Unfit};
