//! What Claude Code 2.1 looks like below its transcript.

use std::time::Duration;

use super::dialog::Kind;
use super::machine::{Again, Machine};
use super::picture::{Below, Room, frame};
use super::say::spent;
use super::turn::Look;

/// How fast the busy row moves.
pub(super) const FRAME: Duration = Duration::from_millis(120);

/// How fast the title does.
pub(super) const TITLE_FRAME: Duration = Duration::from_secs(1);

const GLYPHS: [char; 6] = ['·', '✢', '*', '✶', '✻', '✽'];
const BUSY: [char; 2] = ['⠂', '⠐'];
const IDLE: char = '✳';
const NAME: &str = "Claude Code";

/// What stands before the draft: no blank, as in the real one.
const MARK: &str = "❯\u{a0}";

/// The words of busy rows; a turn has one.
const VERBS: [&str; 4] = ["Pondering", "Beaming", "Leavening", "Sautéing"];

/// The footers of the modes that shift+tab goes through.
const FOOTERS: [&str; MODES] = [
    "  ? for shortcuts · ← for agents",
    "  ⏵⏵ accept edits on (shift+tab to cycle) · ← for agents",
    "  ⏸ plan mode on (shift+tab to cycle) · ← for agents",
    "  ⏵⏵ auto mode on (shift+tab to cycle) · ← for agents",
];

/// How many modes there are.
pub(super) const MODES: usize = 4;

/// Tokens come at this rate, in milliseconds a token.
const PER_TOKEN: u128 = 10;

fn tokens(time: Duration) -> String {
    let tokens = time.as_millis() / PER_TOKEN;
    match tokens {
        0..1000 => tokens.to_string(),
        _ => format!("{}.{}k", tokens / 1000, tokens % 1000 / 100),
    }
}

impl Machine {
    /// The title: the idle one in a dialog too, and none before it stands.
    pub(super) fn title_claude(&self, now: Duration) -> Option<String> {
        if self.transcript.end() == 0 {
            return None;
        }
        let glyph = match self.busy_for(now) {
            Some(time) => frame(&BUSY, TITLE_FRAME, time)?,
            None => IDLE,
        };
        let name = self.topic.as_deref().unwrap_or(NAME);
        Some(format!("{glyph} {name}"))
    }

    pub(super) fn below_claude(&self, room: Room, now: Duration) -> Below {
        let mut below = Below::default();
        if !self.transcript.ends_in_gap() {
            below.row("");
        }
        let rule = "─".repeat(room.columns);
        if let Some(dialog) = &self.dialog {
            if dialog.kind == Kind::Permission {
                below.row(format!("● Bash({})", dialog.command));
                below.row("  ⎿ \u{a0}Waiting…");
                below.row("");
            }
            below.row(rule);
            let indent = if dialog.kind == Kind::Question {
                ""
            } else {
                " "
            };
            below.dialog(dialog, indent);
            return below;
        }
        if let Some(turn) = &self.turn {
            match self.look() {
                Look::Tool => {
                    below.row(format!(
                        "  ⎿ \u{a0}Running… ({})",
                        spent(self.step_time(now))
                    ));
                    below.row("");
                    below.row(self.busy_row(turn.began, now));
                }
                Look::Retrying => {
                    below.row(self.busy_row(turn.began, now));
                    let words = self.step_words();
                    let usual = "API error · Retrying in 3s · attempt 4/10";
                    below.row(format!(
                        "  ⎿ \u{a0}{}",
                        if words.is_empty() { usual } else { words }
                    ));
                }
                Look::Thinking | Look::Streaming | Look::Quiet => {
                    below.row(self.busy_row(turn.began, now));
                }
            }
            below.row("");
            for queued in &self.queue {
                let shown = queued.shown();
                let first = shown.lines().next().unwrap_or_default();
                below.row(format!("  ❯ {first}"));
            }
        }
        below.row(rule.clone());
        let placeholder = if self.queue.is_empty() {
            &self.suggestion
        } else {
            "Press up to edit queued messages"
        };
        below.type_box(&self.shown, placeholder, MARK, room);
        below.row(rule);
        below.row(self.footer_claude());
        below
    }

    /// The busy row. In its first moments nothing is counted yet.
    fn busy_row(&self, began: Duration, now: Duration) -> String {
        let time = self.shown_time(now);
        let glyph = frame(&GLYPHS, FRAME, time).unwrap_or('✻');
        let words = match self.look() {
            Look::Thinking if !self.step_words().is_empty() => self.step_words(),
            // Any turn has one of its own, and keeps it.
            _ => frame(&VERBS, Duration::from_millis(1), began).unwrap_or("Pondering"),
        };
        if time < Duration::from_secs(1) {
            return format!("{glyph} {words}…");
        }
        let (time, tokens) = (spent(time), tokens(time));
        format!("{glyph} {words}… ({time} · ↓ {tokens} tokens)")
    }

    /// What stands below the box; with a draft in it that is nothing, busy or not.
    fn footer_claude(&self) -> &'static str {
        match self.again {
            Some((Again::CtrlC, _)) => "  Press Ctrl-C again to exit",
            Some((Again::CtrlD, _)) => "  Press Ctrl-D again to exit",
            Some((Again::Escape, _)) if !self.draft.is_empty() => "  Esc again to clear",
            _ if !self.shown.is_empty() => "",
            _ if self.turn.is_some() => "  esc to interrupt · ← for agents",
            _ => FOOTERS.get(self.mode).copied().unwrap_or_default(),
        }
    }
}
