//! What a pane showed, as lines of text: its bytes played into a terminal emulator.
//!
//! A line is said when it scrolls off the screen, when the screen is cleared, or at the end; so what
//! is drawn again and again, as a progress bar is, is said once, as it was last. The alternate screen
//! has no lines that scroll off: of it there are keyframes, every [`KEYFRAME`] in which it changed and
//! when it is left.

mod plain;
mod utf8;
mod watch;

use std::collections::VecDeque;

use super::list::Found;
use super::window::Stretch;
use avt::{ScreenKind, Terminal};
use cc_kit::journal::Entry;
use cc_kit::journal::note::{Note, Size};
use plain::{Plain, Within};
pub(crate) use utf8::Utf8;
use watch::{Watch, append};

/// How often the alternate screen is said, in nanoseconds of the pane's time.
const KEYFRAME: i64 = 30_000_000_000;

/// The largest screen that is drawn: no size in a journal makes a reader take more memory.
const CELLS_MAX: u32 = 4_000_000;

/// What is drawn where nothing is known.
const USUAL: Size = Size { cols: 80, rows: 24 };

/// A line that was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// When it was written to last: wall time in nanoseconds.
    pub(crate) at: i64,
    /// Its text, or with colours where those are asked for.
    pub(crate) text: String,
    /// Is it one of a keyframe of the alternate screen?
    pub(crate) alternate: bool,
}

/// What of a line is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Its characters.
    Text,
    /// Also its colours, as SGR sequences and nothing else.
    Ansi,
}

/// A terminal that says what it showed.
pub(crate) struct Render {
    terminal: Terminal,
    watch: Watch,
    utf8: Utf8,
    size: Size,
    /// As long as text only scrolls, and only text is asked for, there is no need of the terminal.
    plain: Option<Plain>,
    /// What the terminal is in the middle of.
    within: Within,
}

impl Render {
    pub(crate) fn new(look: Look) -> Self {
        Self {
            terminal: terminal(USUAL),
            watch: Watch::new(look, USUAL.rows),
            utf8: Utf8::default(),
            size: USUAL,
            plain: (look == Look::Text).then(Plain::default),
            within: Within::default(),
        }
    }

    /// Of a pane's log, from somewhere on: where it does not begin at its beginning, nothing may say
    /// how large the pane was, and it is taken for as large as it was last.
    pub(crate) fn of(found: &Found, stretch: Stretch, look: Look) -> Self {
        let mut render = Self::new(look);
        if let Some(size) = found.size.filter(|_| stretch.since.is_some()) {
            render.resize(0, size);
        }
        render
    }

    /// What happened to the pane; what changes nothing that it shows says nothing.
    pub(crate) fn take(&mut self, at: i64, entry: &Entry<'_>) -> Vec<Line> {
        match entry {
            Entry::Output(bytes) => self.output(at, bytes),
            Entry::Note(Note::Resize(size)) => self.resize(at, *size),
            Entry::Note(Note::Gap(_)) => self.gap(),
            _ => Vec::new(),
        }
    }

    /// The pane printed.
    pub(crate) fn output(&mut self, at: i64, bytes: &[u8]) -> Vec<Line> {
        let decoded = self.utf8.decode(bytes);
        let mut text = decoded.as_str();
        let mut lines = Vec::new();
        let mut rest;
        loop {
            if let Some(plain) = &mut self.plain {
                let (rows, cols) = (self.size.rows as usize, self.size.cols as usize);
                match plain.take(at, text, rows, cols, &mut lines) {
                    None => return lines,
                    Some(other) => rest = other,
                }
                lines.extend(self.take_over());
                text = rest.as_str();
            }
            // Up to where text may be plain again.
            let until = match text.rfind('\n') {
                Some(end) if self.watch.look == Look::Text => end + 1,
                _ => text.len(),
            };
            let (now, later) = text.split_at(until);
            lines.extend(self.draw(at, now));
            if now.ends_with('\n') && self.within == Within::Nothing {
                self.let_go();
            }
            if later.is_empty() {
                return lines;
            }
            if self.plain.is_none() {
                lines.extend(self.draw(at, later));
                return lines;
            }
            rest = later.to_owned();
            text = rest.as_str();
        }
    }

    fn draw(&mut self, at: i64, text: &str) -> Vec<Line> {
        self.watch.now = at;
        self.watch.drawn = true;
        self.within = self.within.behind(text);
        let mut lines = self.terminal.feed_with(text, &mut self.watch);
        if self.terminal.active_screen_kind() == ScreenKind::Alternate
            && at.saturating_sub(self.watch.keyframe) >= KEYFRAME
        {
            self.watch.keyframe = at;
            lines.extend(self.watch.frame(&self.terminal));
        }
        lines
    }

    /// The terminal goes on where the plain text ends.
    fn take_over(&mut self) -> Vec<Line> {
        let Some((kept, open, begun)) = self.plain.take().map(|mut plain| plain.leave()) else {
            return Vec::new();
        };
        self.terminal = terminal(self.size);
        self.within = Within::default();
        self.watch = Watch::new(self.watch.look, self.size.rows);
        let mut lines = Vec::new();
        for line in kept {
            lines.extend(self.draw(line.at, &line.text));
            lines.extend(self.draw(line.at, "\r\n"));
        }
        lines.extend(self.draw(open.at, &open.text));
        lines.extend(self.draw(open.at, &begun));
        lines
    }

    /// Back to plain text, where the terminal is as one that was never used.
    fn let_go(&mut self) {
        let screen = self.terminal.screen();
        let cursor = self.terminal.cursor();
        let below = || screen.visible_lines().skip(cursor.row);
        if self.watch.look != Look::Text
            || self.watch.odd
            || self.terminal.active_screen_kind() != ScreenKind::Primary
            || cursor.col != 0
            || self.watch.open.is_some()
            || !below().all(|line| line.chars().all(|char| char == ' '))
        {
            return;
        }
        let mut lines = VecDeque::new();
        let mut open: Option<Line> = None;
        for (row, line) in screen.visible_lines().take(cursor.row).enumerate() {
            let at = self.watch.time_of(row);
            let joined = open.get_or_insert_with(|| Line {
                at,
                text: String::new(),
                alternate: false,
            });
            joined.at = joined.at.max(at);
            append(line, Look::Text, &mut joined.text);
            if !line.is_wrapped() {
                lines.extend(open.take());
            }
        }
        if open.is_none() {
            self.plain = Some(Plain::resume(lines));
        }
    }

    /// It has another size.
    pub(crate) fn resize(&mut self, at: i64, size: Size) -> Vec<Line> {
        let size = sane(size);
        if size == self.size {
            return Vec::new();
        }
        self.size = size;
        if self.plain.is_some() {
            // How lines wrap is for the terminal to say, should it be needed.
            return Vec::new();
        }
        self.watch.now = at;
        let (cols, rows) = (size.cols as usize, size.rows as usize);
        if !self.watch.drawn {
            self.terminal = terminal(size);
            self.watch.fit(rows);
            return Vec::new();
        }
        let lines = self.terminal.resize_with(cols, rows, &mut self.watch);
        self.watch.fit(rows);
        lines
    }

    /// What comes now does not follow what came before.
    pub(crate) fn gap(&mut self) -> Vec<Line> {
        let lines = self.finish();
        let look = self.watch.look;
        self.terminal = terminal(self.size);
        self.watch = Watch::new(look, self.size.rows);
        self.utf8 = Utf8::default();
        self.within = Within::default();
        self.plain = (look == Look::Text).then(Plain::default);
        lines
    }

    /// What is on the screen now.
    pub(crate) fn screen(&self) -> Vec<String> {
        let look = self.watch.look;
        let row = |line: &avt::Line| {
            let mut text = String::new();
            append(line, look, &mut text);
            text
        };
        self.terminal.screen().visible_lines().map(row).collect()
    }

    /// What is on the screen at the end.
    pub(crate) fn finish(&mut self) -> Vec<Line> {
        let mut lines = self.take_over();
        lines.extend(self.watch.frame_if_alternate(&self.terminal));
        let before = lines.len();
        for (row, line) in self.terminal.primary_screen().visible_lines().enumerate() {
            let at = self.watch.time_of(row);
            self.watch.push(at, line);
        }
        self.watch.complete();
        lines.append(&mut self.watch.ready);
        // The empty rest of a screen was never written to.
        while lines.len() > before && lines.last().is_some_and(|line| line.text.is_empty()) {
            lines.pop();
        }
        lines
    }
}

fn terminal(size: Size) -> Terminal {
    let (cols, rows) = (size.cols as usize, size.rows as usize);
    match Terminal::new(cols, rows) {
        Ok(terminal) => terminal,
        // Cannot be: `sane` leaves no size of 0.
        Err(_) => terminal_of_one_cell(),
    }
}

fn terminal_of_one_cell() -> Terminal {
    let mut size = 1;
    loop {
        if let Ok(terminal) = Terminal::new(size, size) {
            return terminal;
        }
        size += 1;
    }
}

fn sane(size: Size) -> Size {
    let size = Size {
        cols: size.cols.max(1),
        rows: size.rows.max(1),
    };
    match size.cols.checked_mul(size.rows) {
        Some(cells) if cells <= CELLS_MAX => size,
        _ => USUAL,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(lines: &[Line]) -> Vec<&str> {
        lines.iter().map(|line| line.text.as_str()).collect()
    }

    fn rendered(cols: u32, rows: u32, pieces: &[(i64, &str)]) -> Vec<Line> {
        let mut render = Render::new(Look::Text);
        let mut lines = render.resize(0, Size { cols, rows });
        for (at, piece) in pieces {
            lines.extend(render.output(*at, piece.as_bytes()));
        }
        lines.extend(render.finish());
        lines
    }

    #[test]
    fn lines_have_the_time_at_which_they_were_written() {
        let lines = rendered(
            20,
            2,
            &[
                (1, "one\r\n"),
                (2, "two\r\n"),
                (3, "three\r\nfo"),
                (9, "ur"),
            ],
        );
        assert_eq!(texts(&lines), ["one", "two", "three", "four"]);
        let times: Vec<_> = lines.iter().map(|line| line.at).collect();
        assert_eq!(times, [1, 2, 3, 9]);
    }

    #[test]
    fn what_is_drawn_over_is_said_once_as_it_was_last() {
        let bar = "\r[#   ]\r[##  ]\r[### ]\r[####]\r\ndone\r\n";
        assert_eq!(texts(&rendered(20, 5, &[(1, bar)])), ["[####]", "done"]);
        let up = "a\r\nb\r\n\x1b[2A\x1b[2Kx\r\n";
        assert_eq!(texts(&rendered(20, 5, &[(1, up)])), ["x", "b"]);
    }

    /// The texts by the terminal alone.
    fn drawn(cols: u32, rows: u32, pieces: &[String]) -> Vec<String> {
        let mut render = Render::new(Look::Text);
        render.plain = None;
        render.watch.odd = true;
        render.resize(0, Size { cols, rows });
        let mut lines = Vec::new();
        for piece in pieces {
            lines.extend(render.draw(1, piece));
        }
        lines.extend(render.finish());
        let lines = lines
            .into_iter()
            .filter(|line| !line.alternate && !line.text.is_empty());
        lines.map(|line| line.text).collect()
    }

    proptest! {
        /// Passes when the short way says what the terminal would have said, for text of all kinds
        /// that is cut anywhere. But for empty lines: a screen that was cleared in colour has some.
        #[test]
        fn the_short_way_leads_to_the_same_lines(
            pieces in proptest::collection::vec(
                prop_oneof![
                    4 => "[a-z ]{0,12}",
                    4 => Just("\r\n".to_owned()),
                    1 => Just("\n".to_owned()),
                    1 => Just("\r".to_owned()),
                    1 => Just("\t".to_owned()),
                    1 => Just("\u{8}".to_owned()),
                    2 => Just("\u{1b}[1;31m".to_owned()),
                    1 => Just("\u{1b}]0;a title\u{7}".to_owned()),
                    1 => Just("\u{1b}]2;another\u{1b}\\".to_owned()),
                    1 => Just("\u{e9}\u{2500}".to_owned()),
                    1 => Just("\u{65e5}".to_owned()),
                    1 => Just("\u{1b}[2K".to_owned()),
                    1 => Just("\u{1b}[1A".to_owned()),
                    1 => Just("\u{1b}[H\u{1b}[2J".to_owned()),
                    1 => Just("\u{1b}[?25l".to_owned()),
                    1 => Just("\u{1b}[?1049h".to_owned()),
                    1 => Just("\u{1b}[?1049l".to_owned()),
                    1 => Just("\u{1b}[2;3r".to_owned()),
                    1 => Just("\u{1b}c".to_owned()),
                    1 => Just("\u{1b}".to_owned()),
                ],
                0..60,
            ),
            cols in 3u32..30,
            rows in 1u32..6,
            cut in 1usize..9,
        ) {
            let whole: String = pieces.concat();
            let chars: Vec<char> = whole.chars().collect();
            let pieces: Vec<String> = chars.chunks(cut).map(|c| c.iter().collect()).collect();
            let mut render = Render::new(Look::Text);
            let mut lines = render.resize(0, Size { cols, rows });
            for piece in &pieces {
                lines.extend(render.output(1, piece.as_bytes()));
            }
            lines.extend(render.finish());
            let lines = lines.into_iter().filter(|line| !line.alternate && !line.text.is_empty());
            let texts: Vec<_> = lines.map(|line| line.text).collect();
            prop_assert_eq!(texts, drawn(cols, rows, &pieces));
        }
    }

    #[test]
    fn a_line_that_wraps_is_one_line() {
        let lines = rendered(4, 2, &[(1, "abcdefghij\r\nk\r\nl\r\nm")]);
        assert_eq!(texts(&lines), ["abcdefghij", "k", "l", "m"]);
    }

    #[test]
    fn the_alternate_screen_is_said_in_keyframes() {
        let second = 1_000_000_000;
        let lines = rendered(
            10,
            3,
            &[
                (0, "before\r\n"),
                (second, "\x1b[?1049h\x1b[H\x1b[2Jfirst"),
                (2 * second, "\x1b[H\x1b[2Jsecond"),
                (40 * second, "\x1b[H\x1b[2Jthird"),
                (41 * second, "\x1b[H\x1b[2Jlast"),
                (42 * second, "\x1b[?1049lafter"),
            ],
        );
        let of = |alternate| {
            let is = move |line: &&Line| line.alternate == alternate;
            lines
                .iter()
                .filter(is)
                .map(|line| line.text.as_str())
                .collect::<Vec<_>>()
        };
        assert_eq!(of(true), ["third", "last"]);
        assert_eq!(of(false), ["before", "after"]);
    }

    #[test]
    fn colours_are_kept_where_they_are_asked_for() {
        let mut render = Render::new(Look::Ansi);
        let mut lines = render.output(
            1,
            b"\x1b[1;31mred\x1b[0m plain \x1b]0;title\x07\x1b[48;2;1;2;3mx\x1b[m\r\n",
        );
        lines.extend(render.finish());
        assert_eq!(
            texts(&lines),
            ["\x1b[0;1;38;5;1mred\x1b[0m plain \x1b[0;48;2;1;2;3mx\x1b[0m"]
        );
    }

    #[test]
    fn a_gap_begins_a_new_screen() {
        let mut render = Render::new(Look::Text);
        assert_eq!(render.output(1, b"half \x1b[31"), []);
        let lines = render.gap();
        assert_eq!(texts(&lines), ["half"]);
        render.output(2, b"mnext");
        assert_eq!(texts(&render.finish()), ["mnext"]);
    }

    #[test]
    fn characters_may_come_in_parts() {
        let text = "a\u{e9}\u{65e5}\u{1f600}z".as_bytes();
        for at in 0..=text.len() {
            let mut utf8 = Utf8::default();
            let decoded = utf8.decode(&text[..at]) + &utf8.decode(&text[at..]);
            assert_eq!(decoded.as_bytes(), text, "parted at {at}");
        }
        assert_eq!(Utf8::default().decode(b"a\xffb\xc3"), "a\u{fffd}b");
    }

    #[test]
    fn no_size_makes_it_take_all_memory() {
        let mut render = Render::new(Look::Text);
        let size = Size {
            cols: u32::MAX,
            rows: u32::MAX,
        };
        render.resize(0, size);
        render.resize(0, Size { cols: 0, rows: 0 });
        render.output(1, b"x");
        assert_eq!(texts(&render.finish()), ["x"]);
    }
}
