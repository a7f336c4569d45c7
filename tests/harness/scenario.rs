//! The scenario of the transcripts: what is played to a tmux to see all that it can send.
//!
//! It is cut into [`CASES`], each on a server of its own. Together they cause every notification
//! and every row of the tables of what control mode does. Nothing waits for time to pass: each
//! step waits for a line, so that the next one finds the server where it should be, and so that
//! two recordings of one version differ in clock, numbers and pieces only.
//!
//! Left out, because they cannot be had in a test: `%exit too far behind` (300 seconds), `access
//! not allowed` (another user), layouts over 8192 bytes (hundreds of panes), and what is a race
//! by itself (the lost tail of a dying pane, commands before the attach has answered).

mod blocks;
mod client;
mod endings;
mod flow;
mod output;
mod replies;
mod stage;
mod transcript;
mod tree;

pub use client::Client;
pub use stage::{Stage, Who};
pub use transcript::{NONCE, Step, Transcript, What, escape, unescape};

/// One part of the scenario.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The name of its transcripts.
    pub name: &'static str,
    play: fn(&mut Stage),
}

/// Every part.
pub const CASES: [Case; 14] = [
    case("01_replies", replies::play),
    case("02_errors", replies::play_errors),
    case("03_blocks", blocks::play),
    case("04_modes", blocks::play_modes),
    case("05_tree", tree::play),
    case("06_layouts", tree::play_layouts),
    case("07_floating", tree::play_floating),
    case("08_sessions", tree::play_sessions),
    case("09_output", output::play),
    case("10_captures", output::play_captures),
    case("11_flow", flow::play),
    case("12_subscriptions", flow::play_subscriptions),
    case("13_terminal", endings::play_terminal),
    case("14_endings", endings::play),
];

const fn case(name: &'static str, play: fn(&mut Stage)) -> Case {
    Case { name, play }
}

impl Case {
    /// Plays it to the tmux under test; a transcript for each client.
    ///
    /// # Panics
    ///
    /// When something does not happen that should.
    #[must_use]
    pub fn record(&self) -> Vec<Transcript> {
        let mut stage = Stage::empty(self.name);
        (self.play)(&mut stage);
        stage.finish()
    }
}
