//! `top`: all units on one screen, those that need somebody first.
//!
//! | Room | In it |
//! |---|---|
//! | [`listing`] | what the daemon says of its units |
//! | [`action`] | what happens to the dashboard, and what it asks for |
//! | [`model`], [`keys`] | the pure state, and what each key does to it |
//! | [`command`], [`filter`], `line`, [`confirm`] | commands in words, filters, typing, the question before anything is done |
//! | [`view`], [`layout`] | the whole screen, and where things are on it |
//! | [`table`], [`columns`], [`beside`], [`reading`], [`prompt`] | its parts |
//! | [`clean`], [`paint`], [`amounts`], [`look`] | hostile text, cells, numbers, colours |
//! | [`due`] | when a shown time changes |
//! | [`once`] | one frame or one listing as text |
//! | [`screen`], [`run`](mod@run) | the terminal, and the loop around all of it |

mod action;
mod amounts;
mod beside;
mod clean;
mod columns;
mod command;
mod confirm;
#[cfg(test)]
pub(crate) mod demo;
mod due;
mod filter;
mod keys;
mod layout;
mod line;
mod listing;
mod look;
mod model;
pub(crate) mod once;
mod paint;
mod prompt;
mod reading;
mod run;
mod screen;
mod table;
mod view;

pub(crate) use action::{Action, Event};
pub(crate) use amounts::{left, span};
pub(crate) use beside::details;
pub(crate) use clean::{fit, width};
pub(crate) use columns::says;
#[cfg(test)]
pub(crate) use listing::Choice;
pub(crate) use listing::{Listing, Question, State, Unit};
pub(crate) use look::{Look, glyph};
pub(crate) use run::{Doing, Hands, run};

#[cfg(test)]
mod snapshots;
