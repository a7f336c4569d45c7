//! Secrets, taken out of what panes print.
//!
//! A [`Redactor`] is one pane's stream. What it passes on is what came in, except that a secret is
//! replaced by `<redacted:RULE:HASH8>`. It matches on what a person sees: escape sequences do not
//! interrupt a secret, nor does a line break within a token. The hash is keyed, so that one secret
//! shows the same hash everywhere and the hash does not help to guess it.
//!
//! | Room | In it |
//! |---|---|
//! | `rules` | what is a secret |
//! | `builder` | which rules there are: built-in, the user's, values of the environment |
//! | `rules.toml` | the built-in rules |
//! | `finder` | where in a stream a rule may begin |
//! | `visible` | what of the bytes shows |
//! | `judge` | whether a rule matches at a place |
//! | `key` | the key of an installation, kept |
//! | `engine` | the stream: what is held, what goes out |
//! | `block` | a secret from BEGIN to END |
//! | `strings` | the bodies of OSC, DCS and their like, as text of their own |

mod block;
mod builder;
mod engine;
mod entropy;
mod finder;
mod judge;
mod key;
mod rules;
mod strings;
mod visible;

#[cfg(test)]
mod tests;

pub use builder::Builder;
pub use engine::Hit;
pub use rules::{Key, Rule, RuleError, RuleInfo, Rules};
pub use strings::{Redactor, redacted};
