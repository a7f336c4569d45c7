//! What a program in a pane is doing, read from outside.
//!
//! A [`Profile`] is data: a TOML file that says how one program shows its state in its title, on the
//! screen, in the byte stream and by its name. [`Profile::read`] holds one [`Sight`] of a pane against
//! it and says what it makes of it, and why. It keeps nothing between two calls and reads no clock.
//!
//! What no rule knows is [`State::Unknown`], never idle.
//!
//! # Which rule wins
//!
//! Each rule claims a state. Sources have a rank: the foreground program, then what the program itself
//! says in the byte stream, then the title, then the cursor, then the screen. A rule has the rank of
//! the highest source that it found something in.
//!
//! 1. A foreground program that the profile does not know makes everything else history: unknown.
//! 2. A rule falls to one of higher rank that claims another state, unless it claims a more careful
//!    one: idle, starting < busy, errored < limited < blocked. So what stands on a screen may take
//!    trust away, and never give it.
//! 3. Of those left a blocked one wins: a dialog owns the keys. Idle wins only where nothing else is
//!    left.
//! 4. Else the highest priority, then the first in the file.
//!
//! # Confidence
//!
//! How many independent sources say the same, hints counted: 0.6 for one, 0.85 for two, 0.95 for more.
//! Each source that objects makes it 0.7 of that: one that says something else, except that a sign of
//! rest objects only to work. 0 where the state is unknown. So 0.8 and
//! more means: two sources agree, and none objects.
//!
//! # The file of a profile
//!
//! Regexes are those of the crate `regex`; each looks at one row, or at a region's rows joined by
//! single blanks. A region is a part of the screen, within another one (`of`) or the whole:
//!
//! | Key | The region is |
//! |---|---|
//! | `last`, `first` | the last or first so many rows that are not blank, and what is between |
//! | `bottom` | the last so many rows, blank or not |
//! | `below`, `from` | what follows the last row that matches, without or with it |
//! | `above`, `until` | what stands before the last, or before the first row that matches |
//! | `run` | the last unbroken run of rows that match |
//! | `between` | what stands between the last two rows that match two regexes |
//! | `before`, `after` | what stands before or behind another region |
//! | `cursor_row` | the cursor's row |
//! | `cursor_line` | the cursor's row with those that it goes on from: full rows, of which the first matches |
//!
//! A condition asks for one thing; `all`, `any` and `none` combine them, a `[[sign]]` names them:
//!
//! | Key | It asks |
//! |---|---|
//! | `in` with `row` or `text` | does a row of the region match, or all of it joined? |
//! | `present` | is the region there? |
//! | `title`, `command`, `in_band` | does that match? [`InBand`] says how the last one reads |
//! | `title_unset` | is the title empty, or the host's name? |
//! | `cursor_in`, `cursor_out` | is the cursor in the region, or elsewhere? |
//! | `cursor_at_edge` | is the cursor behind the last column? |
//! | `cursor_visible`, `alternate`, `blank` | is that so of the screen? |
//! | `sign` | are the sign's conditions met? |
//!
//! What is not known meets no condition, so it meets every `none`. A group `limit` catches what a
//! limited program says.
//!
//! A rule that says `limited` or `errored` may say how the program goes on when that is over:
//! `go_on = { prompt = "continue" }` where its box is there, `go_on = { choice = '^Keep trying' }` where its
//! dialog is; with both, the choice comes first. A `[[dialog]]` says which choices agree once (`yes`) and which refuse (`no`).
//!
//! ```
//! use cc_kit::profile::{Profile, Screen, Sight, State};
//!
//! let profile = Profile::parse("toy.toml".as_ref(), r#"
//! version = 1
//! agent = "toy"
//! checked_with = ["0.9"]
//! commands = ["toy"]
//! sending = { paste = "bracketed", settle = "100ms", enter = "Enter" }
//! keys = { interrupt = ["Escape"], exit = ["C-c"], gap = "300ms" }
//! hang = { after = "20m", tool_after = "60m", start_within = "60s" }
//!
//! [[region]]
//! name = "end"
//! last = 1
//!
//! [[rule]]
//! id = "prompt"
//! state = "idle"
//! all = [{ in = "end", row = '^> ?$' }]
//! none = [{ title = '^busy' }]
//! "#)?;
//! let screen = Screen::from_text("hello\n>");
//! let mut sight = Sight { screen: Some(&screen), title: "toy", host: "box", command: "toy", in_band: None };
//! assert_eq!(profile.read(&sight).state, State::Idle);
//! sight.title = "busy";
//! assert_eq!(profile.read(&sight).state, State::Unknown);
//! # Ok::<(), cc_kit::profile::ProfileError>(())
//! ```
//!
//! | Room | In it |
//! |---|---|
//! | `state` | the states |
//! | `sight` | what is looked at: screen, title, names, in-band status |
//! | `reading` | what comes out |
//! | `written` | the TOML of a profile |
//! | `compile` | from TOML to a profile, mistakes said with their line |
//! | `region` | parts of a screen |
//! | `condition` | what a rule asks for |
//! | `judge` | which rule wins, and how sure that is |
//! | `ask` | the dialog on a screen, and the draft in a box |
//! | `manners` | how a program is written to, stopped and taken up again |
//! | `shelf` | the profiles there are |
//! | `fixture` | screens of which the truth is known |

mod ask;
mod compile;
mod condition;
pub mod fixture;
mod judge;
mod manners;
mod reading;
mod region;
mod shelf;
mod sight;
mod state;
mod written;

#[cfg(test)]
mod tests;

pub use compile::{Profile, ProfileError};
pub use manners::{Hang, Keys, Paste, Resume, Sending};
pub use reading::{Choice, Dialog, Evidence, GoOn, Reading, Says, Seen, explain};
pub use shelf::Profiles;
pub use sight::{InBand, Screen, Sight};
pub use state::State;
