//! Looking at everything that could hurt, and saying it: what the `doctor` of each program is made of.
//!
//! | Room | In it |
//! |---|---|
//! | `finding` | what a finding is |
//! | `print` | findings for people |
//! | `asked` | programs that are asked something, with a deadline |
//! | `words` | amounts and numbers in sentences |

mod asked;
mod finding;
mod print;
mod words;

pub use asked::{Asked, ask, program, version};
pub use finding::{Finding, Level};
pub use print::text;
pub use words::{bytes, many, safe};
