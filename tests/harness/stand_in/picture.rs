//! What is on the screen: a function of the machine, the time and the size.

use std::time::Duration;

use super::agent::Like;
use super::dialog::Dialog;
use super::machine::Machine;
use super::rows::{Row, width, wrap};
use super::turn::Look;

/// A picture of the whole screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    /// The number of the first of its rows; the first row of a transcript is 0.
    pub first: u64,
    /// The rows from there to the end. There may be more than the screen has.
    pub rows: Vec<Row>,
    /// Where the cursor is: the number of its row, and its column.
    pub cursor: Option<(u64, usize)>,
    /// Whether the cursor is seen.
    pub cursor_visible: bool,
    /// The title; `None` while it has set none.
    pub title: Option<String>,
    /// What it says of itself in band (OSC 7501), where it does.
    pub status: Option<&'static str>,
}

/// The rows below the transcript.
#[derive(Debug, Default)]
pub(super) struct Below {
    pub(super) rows: Vec<Row>,
    /// Where the cursor is: an index of `rows`, and its column.
    pub(super) cursor: Option<(usize, usize)>,
}

impl Below {
    pub(super) fn row(&mut self, text: impl Into<String>) {
        self.rows.push(Row::plain(text));
    }

    /// The box: the end of what is in it, or a placeholder, and the cursor behind it.
    pub(super) fn type_box(&mut self, shown: &str, placeholder: &str, mark: &str, size: Room) {
        if shown.is_empty() {
            self.cursor = Some((self.rows.len(), width(mark)));
            self.rows.push(Row::with_dim(mark, placeholder));
            return;
        }
        let shown = super::rows::printable(shown);
        let rows = wrap(&shown, size.columns, mark, "  ");
        // Of a draft that is higher than its room the end is seen.
        let skip = rows.len().saturating_sub(size.rows);
        for text in rows.into_iter().skip(skip) {
            self.cursor = Some((self.rows.len(), width(&text)));
            self.row(text);
        }
    }

    /// A dialog, which stands in the place of the box.
    pub(super) fn dialog(&mut self, dialog: &Dialog, indent: &str) {
        let sheet = &dialog.sheet;
        for line in &sheet.head {
            self.row(line);
        }
        for (at, choice) in sheet.choices.iter().enumerate() {
            let blank = " ";
            let selected = at == dialog.selected;
            let mark = if selected { sheet.mark } else { blank };
            if selected {
                self.cursor = Some((self.rows.len(), width(indent)));
            }
            self.row(format!("{indent}{mark} {}. {}", at + 1, choice.label));
        }
        if let Some(foot) = sheet.foot {
            self.row("");
            self.row(foot);
        }
    }
}

/// How much room a part of the screen has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) columns: usize,
    pub(super) rows: usize,
}

impl Machine {
    /// The picture from row number `from` on, or, without one, that of the last screenful.
    /// `None` when nothing is drawn: a shell writes, and so does one that only starts.
    #[must_use]
    pub fn draw(&self, from: Option<u64>, now: Duration) -> Option<Picture> {
        let (columns, rows) = (usize::from(self.size.columns), usize::from(self.size.rows));
        let half = Room {
            columns,
            rows: (rows / 2).max(1),
        };
        let below = match self.setup.like {
            Like::Shell => return None,
            Like::Claude if self.starting() => return None,
            Like::Claude => self.below_claude(half, now),
            Like::Codex => self.below_codex(half, now),
        };
        let mut picture = match self.setup.like {
            Like::Codex => self.full_screen(below, rows),
            _ => self.scrolling(below, rows, from),
        };
        for row in &mut picture.rows {
            *row = std::mem::take(row).cut(columns);
        }
        // Claude hides it always, and draws one of its own.
        picture.cursor_visible = self.setup.like == Like::Codex && picture.cursor.is_some();
        picture.title = self.title_at(now);
        picture.status = self.status_at();
        Some(picture)
    }

    /// The transcript, and what is below it right behind its end.
    fn scrolling(&self, below: Below, height: usize, from: Option<u64>) -> Picture {
        let end = self.transcript.end();
        let from =
            from.unwrap_or_else(|| (end + below.rows.len() as u64).saturating_sub(height as u64));
        let (first, mut rows) = self.transcript.since(from);
        let cursor = below.cursor.map(|(row, column)| (end + row as u64, column));
        rows.extend(below.rows);
        Picture {
            first,
            rows,
            cursor,
            ..Picture::default()
        }
    }

    /// The end of the transcript at the top, what is below it at the bottom, and the end of that
    /// where there is no room for all.
    fn full_screen(&self, below: Below, height: usize) -> Picture {
        let room = height.saturating_sub(below.rows.len());
        let skip = below.rows.len().saturating_sub(height);
        let from = self.transcript.end().saturating_sub(room as u64);
        let (_, mut rows) = self.transcript.since(from);
        rows.resize(room, Row::default());
        let cursor = below.cursor.and_then(|(row, column)| {
            let row = (room + row).checked_sub(skip)?;
            Some((row as u64, column))
        });
        rows.extend(below.rows.into_iter().skip(skip));
        Picture {
            first: 0,
            rows,
            cursor,
            ..Picture::default()
        }
    }

    /// The title, where one is set.
    pub(super) fn title_at(&self, now: Duration) -> Option<String> {
        if let Some(title) = &self.title {
            return Some(title.clone());
        }
        match self.setup.like {
            Like::Shell => None,
            Like::Claude => self.title_claude(now),
            Like::Codex => self.title_codex(now),
        }
    }

    /// How long the turn lasts, while no dialog stands in its place.
    pub(super) fn busy_for(&self, now: Duration) -> Option<Duration> {
        let turn = self.turn.as_ref().filter(|_| self.dialog.is_none())?;
        Some(now.saturating_sub(turn.began))
    }

    /// What is seen of the turn.
    pub(super) fn look(&self) -> Look {
        let step = self.turn.as_ref().and_then(|turn| turn.step.as_ref());
        step.map_or(Look::Thinking, |step| step.look)
    }

    /// The words of the step, if there are any.
    pub(super) fn step_words(&self) -> &str {
        let step = self.turn.as_ref().and_then(|turn| turn.step.as_ref());
        step.map_or("", |step| step.words.as_str())
    }

    /// The time that a busy row shows; while it is quiet that stands still.
    pub(super) fn shown_time(&self, now: Duration) -> Duration {
        let Some(turn) = &self.turn else {
            return Duration::ZERO;
        };
        let at = match &turn.step {
            Some(step) if step.look == Look::Quiet => step.began,
            _ => now,
        };
        at.saturating_sub(turn.began)
    }

    /// How long the step lasts.
    pub(super) fn step_time(&self, now: Duration) -> Duration {
        let step = self.turn.as_ref().and_then(|turn| turn.step.as_ref());
        step.map_or(Duration::ZERO, |step| now.saturating_sub(step.began))
    }

    /// When the next picture of something that moves is due.
    pub(super) fn next_frame(&self, now: Duration) -> Option<Duration> {
        let frame = match self.setup.like {
            Like::Shell => return None,
            Like::Claude => {
                self.busy_for(now)?;
                if self.look() == Look::Quiet {
                    super::claude::TITLE_FRAME
                } else {
                    super::claude::FRAME
                }
            }
            Like::Codex if self.dialog.is_some() => super::codex::BLINK,
            Like::Codex => {
                self.busy_for(now)?;
                super::codex::FRAME
            }
        };
        let began = self.turn.as_ref().map_or(Duration::ZERO, |turn| turn.began);
        let frames = now.saturating_sub(began).as_millis() / frame.as_millis();
        let frames = u32::try_from(frames).unwrap_or(u32::MAX);
        Some(began + frame.saturating_mul(frames.saturating_add(1)))
    }
}

/// Which of so many pictures is shown after so long.
pub(super) fn frame<T: Copy>(pictures: &[T], every: Duration, after: Duration) -> Option<T> {
    let number = after.as_millis() / every.as_millis().max(1);
    let number = usize::try_from(number).unwrap_or(0);
    pictures.get(number % pictures.len().max(1)).copied()
}
