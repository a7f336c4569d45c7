//! What Codex 0.169 looks like below its transcript, and what it says of itself in band.

use std::time::Duration;

use super::machine::{Machine, Outcome};
use super::picture::{Below, Room, frame};
use super::say::spent;
use super::turn::Look;

/// How fast the spinner in the title moves.
pub(super) const FRAME: Duration = Duration::from_millis(100);

/// How fast the title of a question does.
pub(super) const BLINK: Duration = Duration::from_secs(1);

const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const BULLETS: [char; 2] = ['•', '◦'];
const PLACEHOLDER: &str = "Ask Codex to do anything";

impl Machine {
    /// The title: none before the session stands.
    pub(super) fn title_codex(&self, now: Duration) -> Option<String> {
        if self.transcript.end() == 0 {
            return None;
        }
        let name = self.topic.as_deref().unwrap_or_else(|| self.setup.folder());
        if self.dialog.is_some() {
            let mark = frame(&['!', '.'], BLINK, now)?;
            return Some(format!("[ {mark} ] Action Required | {name}"));
        }
        Some(match self.busy_for(now) {
            Some(time) => format!("{} {name}", frame(&SPINNER, FRAME, time)?),
            None => name.to_owned(),
        })
    }

    /// Its state as OSC 7501 tells it: limits and errors hold until somebody types.
    pub(super) fn status_at(&self) -> Option<&'static str> {
        if self.setup.like != super::agent::Like::Codex || self.transcript.end() == 0 {
            return None;
        }
        Some(match self.outcome {
            _ if self.dialog.is_some() => "state=blocked:app=codex:kind=permission",
            _ if self.turn.is_some() => "state=working:app=codex",
            Outcome::Done if !self.looked => "state=done:app=codex",
            Outcome::Limited | Outcome::Errored if !self.looked => "state=error:app=codex",
            _ => "state=idle:app=codex",
        })
    }

    pub(super) fn below_codex(&self, room: Room, now: Duration) -> Below {
        let mut below = Below::default();
        below.row("");
        if let Some(dialog) = &self.dialog {
            below.dialog(dialog, "");
            // Hidden, and parked at the end of the screen.
            below.cursor = None;
            return below;
        }
        if self.turn.is_some() {
            self.working_rows(&mut below, now);
        }
        for queued in &self.queue {
            below.row("• Messages to be submitted after next tool call (press esc to interrupt)");
            let shown = queued.shown();
            below.row(format!("  ↳ {}", shown.lines().next().unwrap_or_default()));
            below.row("");
        }
        below.type_box(&self.shown, PLACEHOLDER, "› ", room);
        below.row("");
        if self.starting() {
            below.row("  ? for shortcuts");
            return below;
        }
        below.row(format!("  mock-1 medium · {}", self.setup.cwd));
        below.row(match (&self.turn, self.shown.is_empty()) {
            (Some(_), false) => "  tab to queue message",
            (None, true) if self.outcome == Outcome::Interrupted => {
                "  esc again to edit previous message"
            }
            (_, true) => "  ← for agents · ? for shortcuts",
            (None, false) => "",
        });
        below
    }

    /// The row of a turn; there is none while an answer streams.
    fn working_rows(&self, below: &mut Below, now: Duration) {
        let time = self.shown_time(now);
        let bullet = frame(&BULLETS, Duration::from_millis(600), time).unwrap_or('•');
        let time = spent(time);
        let words = self.step_words();
        match self.look() {
            Look::Streaming => return,
            Look::Retrying => {
                let (first, reason) = words
                    .split_once('\n')
                    .unwrap_or((words, "unexpected status 500 Internal Server Error"));
                let first = if first.is_empty() {
                    "Reconnecting... 3/5"
                } else {
                    first
                };
                below.row(format!("{bullet} {first} ({time} • esc to interrupt)"));
                below.row(format!("  └ {reason}"));
            }
            Look::Tool => {
                below.row(format!("{bullet} Running {words}"));
                below.row("");
                below.row(format!("{bullet} Working ({time} • esc to interrupt)"));
            }
            Look::Thinking | Look::Quiet => {
                let words = if words.is_empty() { "Working" } else { words };
                below.row(format!("{bullet} {words} ({time} • esc to interrupt)"));
            }
        }
        below.row("");
    }
}
