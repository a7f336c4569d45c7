//! What a terminal does, and the lines that leave its screen.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::mem;

use avt::observer::Observer;
use avt::parser::{DecMode, Function};
use avt::{Color, Observation, Operation, Pen, ScreenKind, Terminal};

use super::{Line, Look};

/// Watches what a terminal does.
pub(super) struct Watch {
    pub(super) look: Look,
    /// Wall time of what is being fed.
    pub(super) now: i64,
    /// When each row was written to last.
    pub(super) times: VecDeque<i64>,
    /// A line that goes on in the next row.
    pub(super) open: Option<Line>,
    pub(super) ready: Vec<Line>,
    /// Was anything fed?
    pub(super) drawn: bool,
    /// Is it in a state in which text is more than its characters?
    pub(super) odd: bool,
    /// When the last keyframe was.
    pub(super) keyframe: i64,
    /// What it showed.
    pub(super) shown: Vec<String>,
}

impl Watch {
    pub(super) fn new(look: Look, rows: u32) -> Self {
        Self {
            look,
            now: 0,
            times: vec![0; rows as usize].into(),
            open: None,
            ready: Vec::new(),
            drawn: false,
            odd: false,
            keyframe: 0,
            shown: Vec::new(),
        }
    }

    pub(super) fn fit(&mut self, rows: usize) {
        self.times.resize(rows, self.now);
    }

    pub(super) fn time_of(&self, row: usize) -> i64 {
        self.times.get(row).copied().unwrap_or(self.now)
    }

    /// Takes a row; one that wraps goes on in the next.
    pub(super) fn push(&mut self, at: i64, line: &avt::Line) {
        let look = self.look;
        let open = self.open.get_or_insert_with(|| Line {
            at,
            text: String::new(),
            alternate: false,
        });
        open.at = open.at.max(at);
        append(line, look, &mut open.text);
        if !line.is_wrapped() {
            self.complete();
        }
    }

    pub(super) fn complete(&mut self) {
        if let Some(mut line) = self.open.take() {
            line.text.truncate(line.text.trim_end_matches(' ').len());
            self.ready.push(line);
        }
    }

    /// The screen that is shown, if it is another one than was said last.
    pub(super) fn frame(&mut self, terminal: &Terminal) -> Vec<Line> {
        let mut rows = Vec::new();
        for line in terminal.screen().visible_lines() {
            let mut text = String::new();
            append(line, self.look, &mut text);
            text.truncate(text.trim_end_matches(' ').len());
            rows.push(text);
        }
        while rows.last().is_some_and(String::is_empty) {
            rows.pop();
        }
        if rows == self.shown {
            return Vec::new();
        }
        self.shown.clone_from(&rows);
        let line = |text| Line {
            at: self.now,
            text,
            alternate: true,
        };
        rows.into_iter().map(line).collect()
    }

    pub(super) fn frame_if_alternate(&mut self, terminal: &Terminal) -> Vec<Line> {
        match terminal.active_screen_kind() {
            ScreenKind::Alternate => self.frame(terminal),
            ScreenKind::Primary => Vec::new(),
        }
    }
}

impl Observer for Watch {
    type Output = Vec<Line>;

    fn before(&mut self, context: &mut Observation<'_>, operation: &Operation) {
        if let Operation::Function(function) = operation {
            self.odd = (self.odd || is_odd(function)) && *function != Function::Ris;
        }
        match operation {
            Operation::Function(Function::Print(_) | Function::Rep(_)) => {
                let terminal = context.terminal();
                if terminal.active_screen_kind() == ScreenKind::Primary
                    && let Some(time) = self.times.get_mut(terminal.cursor().row)
                {
                    *time = self.now;
                }
            }
            // It may be about to leave the alternate screen, or to clear everything.
            Operation::Function(Function::Decrst(_) | Function::Ris) => {
                let mut frame = self.frame_if_alternate(context.terminal());
                self.ready.append(&mut frame);
                if matches!(operation, Operation::Function(Function::Ris)) {
                    let rows = context.terminal().primary_screen().visible_lines();
                    let before = self.ready.len();
                    for (row, line) in rows.enumerate() {
                        let at = self.time_of(row);
                        self.push(at, line);
                    }
                    self.complete();
                    while self.ready.len() > before
                        && self.ready.last().is_some_and(|line| line.text.is_empty())
                    {
                        self.ready.pop();
                    }
                }
            }
            _ => {}
        }
    }

    fn evicted(&mut self, _: &mut Observation<'_>, line: &avt::Line) {
        let at = self.times.pop_front().unwrap_or(self.now);
        self.times.push_back(self.now);
        self.push(at, line);
    }

    fn end(&mut self, _: &mut Observation<'_>) -> Vec<Line> {
        mem::take(&mut self.ready)
    }
}

/// Does it change what becomes of the text that comes?
fn is_odd(function: &Function) -> bool {
    let usual = |mode: &DecMode| {
        matches!(
            mode,
            DecMode::CursorKeys | DecMode::TextCursorEnable | DecMode::AltScreenBuffer
        )
    };
    match function {
        Function::Decset(modes) | Function::Decrst(modes) => !modes.as_slice().iter().all(usual),
        // A cursor that was saved can be gone back to.
        Function::Decsc
        | Function::Scosc
        | Function::Decstbm(..)
        | Function::Sm(_)
        | Function::Rm(_)
        | Function::So
        | Function::Si
        | Function::Gzd4(_)
        | Function::G1d4(_)
        | Function::Hts
        | Function::Tbc(_)
        | Function::Ctc(_) => true,
        _ => false,
    }
}

pub(super) fn append(line: &avt::Line, look: Look, out: &mut String) {
    match look {
        Look::Text => out.extend(line.chars()),
        Look::Ansi => {
            let length = line.text().trim_end_matches(' ').chars().count();
            let wrapped = line.is_wrapped();
            let mut pen: Option<&Pen> = None;
            for (column, cell) in line
                .cells()
                .iter()
                .filter(|cell| cell.width() > 0)
                .enumerate()
            {
                if !wrapped && column >= length {
                    break;
                }
                if pen != Some(cell.pen()) {
                    sgr(cell.pen(), pen.is_some(), out);
                    pen = Some(cell.pen());
                }
                out.push(cell.char());
            }
            if pen.is_some_and(|pen| !pen.is_default()) {
                out.push_str("\x1b[0m");
            }
        }
    }
}

/// Switches to a pen.
fn sgr(pen: &Pen, switched: bool, out: &mut String) {
    if pen.is_default() {
        if switched {
            out.push_str("\x1b[0m");
        }
        return;
    }
    out.push_str("\x1b[0");
    for (is, code) in [
        (pen.is_bold(), 1),
        (pen.is_faint(), 2),
        (pen.is_italic(), 3),
        (pen.is_underline(), 4),
        (pen.is_blink(), 5),
        (pen.is_inverse(), 7),
        (pen.is_strikethrough(), 9),
    ] {
        if is {
            let _ = write!(out, ";{code}");
        }
    }
    for (color, base) in [(pen.foreground(), 38), (pen.background(), 48)] {
        let _ = match color {
            None => Ok(()),
            Some(Color::Indexed(index)) => write!(out, ";{base};5;{index}"),
            Some(Color::RGB(rgb)) => write!(out, ";{base};2;{};{};{}", rgb.r, rgb.g, rgb.b),
        };
    }
    out.push('m');
}
