//! A line for somebody who looks at a terminal.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use cc_kit::printable::harmless;
use indicatif::{ProgressBar, ProgressStyle};

/// How often it moves.
const TICK: Duration = Duration::from_millis(200);

/// What is shown meanwhile; nothing where nobody looks.
#[derive(Debug)]
pub(super) struct Progress(Option<ProgressBar>);

impl Progress {
    /// Begins to show.
    pub(super) fn begin() -> Self {
        if !io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(TICK);
        Self(Some(bar))
    }

    /// Shows that.
    pub(super) fn show(&self, words: String) {
        if let Some(bar) = &self.0 {
            bar.set_message(harmless(&words).to_string());
        }
    }

    /// Shows nothing more.
    pub(super) fn clear(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
