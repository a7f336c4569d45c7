//! From one picture to the next: the bytes that make the terminal show it.

use std::io::Write;

use super::agent::Size;
use super::picture::Picture;
use super::rows::Row;

/// What the terminal shows now.
#[derive(Debug)]
pub struct Painter {
    size: Size,
    /// The number of the row at the top of the screen. Rows above it are history.
    top: u64,
    rows: Vec<Row>,
    title: Option<String>,
    status: Option<&'static str>,
    cursor: Option<(u64, usize)>,
    /// Whether the cursor is seen, once that is known.
    visible: Option<bool>,
    /// Whether the next picture must not count on what is there.
    fresh: bool,
}

impl Painter {
    /// For a terminal of this size that shows anything at all.
    #[must_use]
    pub fn new(size: Size) -> Self {
        Self {
            size,
            top: 0,
            rows: Vec::new(),
            title: None,
            status: None,
            cursor: None,
            visible: None,
            fresh: true,
        }
    }

    /// The terminal has another size: the next picture is painted anew.
    pub fn resize(&mut self, size: Size) {
        self.size = size;
        self.fresh = true;
    }

    /// From which row on it wants the next picture; `None`: the last screenful.
    #[must_use]
    pub fn wants(&self) -> Option<u64> {
        (!self.fresh).then_some(self.top)
    }

    /// Paints what is different. Rows that leave the screen at its top become history.
    pub fn paint(&mut self, picture: &Picture, out: &mut Vec<u8>) {
        let start = out.len();
        let end = picture.first + picture.rows.len() as u64;
        let height = u64::from(self.size.rows);
        if self.fresh || picture.first != self.top {
            // Also where rows are gone: dropped before they were shown, or cleared.
            self.fresh = false;
            self.top = picture.first;
            self.rows = vec![Row::default(); self.size.rows.into()];
            out.extend_from_slice(b"\x1b[0m\x1b[H\x1b[2J");
        }
        loop {
            self.paint_rows(picture, out);
            let goal = end.saturating_sub(height).max(self.top);
            let step = (goal - self.top).min(height);
            if step == 0 {
                break;
            }
            self.scroll(step, out);
        }
        let moved = out.len() > start;
        self.paint_cursor(picture, moved, out);
        if self.title != picture.title {
            if let Some(title) = &picture.title {
                let title = super::rows::printable(title).replace('\n', " ");
                let _ = write!(out, "\x1b]0;{title}\x07");
            }
            self.title.clone_from(&picture.title);
        }
        if self.status != picture.status {
            if let Some(status) = picture.status {
                let _ = write!(out, "\x1b]7501;{status}\x1b\\");
            }
            self.status = picture.status;
        }
    }

    fn paint_rows(&mut self, picture: &Picture, out: &mut Vec<u8>) {
        let nothing = Row::default();
        let skip = usize::try_from(self.top.saturating_sub(picture.first)).unwrap_or(usize::MAX);
        let wanted = picture.rows.iter().skip(skip);
        let wanted = wanted.chain(std::iter::repeat(&nothing));
        for (at, (shown, wanted)) in self.rows.iter_mut().zip(wanted).enumerate() {
            if shown == wanted {
                continue;
            }
            // Erased first: behind a full row the cursor stands on its last cell.
            let _ = write!(out, "\x1b[{};1H\x1b[2K", at + 1);
            let dim = wanted.dim.unwrap_or(wanted.text.len());
            let (bright, dim) = wanted
                .text
                .split_at_checked(dim)
                .unwrap_or((&wanted.text, ""));
            out.extend_from_slice(bright.as_bytes());
            if !dim.is_empty() {
                let _ = write!(out, "\x1b[2m{dim}\x1b[0m");
            }
            shown.clone_from(wanted);
        }
    }

    /// Moves the screen up, so that its topmost rows become history.
    fn scroll(&mut self, by: u64, out: &mut Vec<u8>) {
        let count = usize::try_from(by)
            .unwrap_or(usize::MAX)
            .min(self.rows.len());
        let _ = write!(out, "\x1b[{};1H", self.size.rows);
        out.extend(std::iter::repeat_n(b'\n', count));
        self.rows.drain(..count);
        self.rows.resize(self.size.rows.into(), Row::default());
        self.top += by;
    }

    fn paint_cursor(&mut self, picture: &Picture, moved: bool, out: &mut Vec<u8>) {
        if self.visible != Some(picture.cursor_visible) {
            self.visible = Some(picture.cursor_visible);
            let how = if picture.cursor_visible { 'h' } else { 'l' };
            let _ = write!(out, "\x1b[?25{how}");
        }
        if !moved && self.cursor == picture.cursor {
            return;
        }
        self.cursor = picture.cursor;
        let (row, column) = picture.cursor.unwrap_or((u64::MAX, 0));
        let row = row.saturating_sub(self.top).saturating_add(1);
        let row = row.min(self.size.rows.into());
        let column = (column + 1).min(self.size.columns.into());
        let _ = write!(out, "\x1b[{row};{column}H");
    }

    /// Moves below the last row that anything stands in, for what comes when the program is gone.
    pub fn leave(&self, out: &mut Vec<u8>) {
        let used = self.rows.iter().rposition(|row| !row.text.is_empty());
        let last = used.map_or(1, |at| at + 1);
        let _ = write!(out, "\x1b[0m\x1b[{last};1H\r\n\x1b[?25h");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size {
        columns: 10,
        rows: 3,
    };

    fn picture(first: u64, rows: &[&str]) -> Picture {
        Picture {
            first,
            rows: rows.iter().map(|row| Row::plain(*row)).collect(),
            ..Picture::default()
        }
    }

    fn paint(painter: &mut Painter, picture: &Picture) -> String {
        let mut out = Vec::new();
        painter.paint(picture, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_what_is_different_is_painted() {
        let mut painter = Painter::new(SIZE);
        let first = paint(&mut painter, &picture(0, &["one", "two"]));
        assert!(first.contains("one") && first.contains("two"));
        assert_eq!(paint(&mut painter, &picture(0, &["one", "two"])), "");
        let next = paint(&mut painter, &picture(0, &["one", "2"]));
        assert!(next.starts_with("\x1b[2;1H\x1b[2K2\x1b["), "{next:?}");
        painter.resize(SIZE);
        assert!(paint(&mut painter, &picture(0, &["one", "2"])).contains("one"));
    }

    #[test]
    fn rows_are_painted_before_they_leave_the_screen() {
        let mut painter = Painter::new(SIZE);
        paint(&mut painter, &picture(0, &["one"]));
        let rows = ["1", "2", "3", "4", "5", "6", "7", "8"];
        let out = paint(&mut painter, &picture(0, &rows));
        let plain: String = out.chars().filter(|c| *c == '\n').collect();
        assert_eq!(plain.len(), 5, "five rows are history");
        assert!(rows.iter().all(|row| out.contains(&format!("2K{row}"))));
        assert_eq!(painter.wants(), Some(5));
        assert_eq!(paint(&mut painter, &picture(5, &["6", "7", "8"])), "");
    }

    #[test]
    fn rows_that_are_gone_mean_a_new_picture() {
        let mut painter = Painter::new(SIZE);
        paint(&mut painter, &picture(0, &["1", "2", "3", "4"]));
        for first in [9, 0] {
            let out = paint(&mut painter, &picture(first, &["x"]));
            assert!(out.contains("\x1b[2J") && out.contains('x'));
            assert_eq!(painter.wants(), Some(first));
        }
    }

    #[test]
    fn a_title_cannot_break_out() {
        let mut painter = Painter::new(SIZE);
        let hostile = Picture {
            title: Some("a\x07\x1b]2;b\nc".to_owned()),
            ..Picture::default()
        };
        assert!(paint(&mut painter, &hostile).ends_with("\x1b]0;a]2;b c\x07"));
    }
}
