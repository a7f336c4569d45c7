//! The list of units.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::clean;
use super::columns::{self, Column};
use super::layout::{Areas, top};
use super::listing::Unit;
use super::look::Look;
use super::model::App;
use super::paint::{line, put};

/// What stands before the row that is selected, and before the others.
const MARKS: [&str; 2] = ["> ", "  "];

/// The columns of a list of these units.
#[derive(Clone, Debug)]
pub(super) struct Table {
    plan: Vec<(Column, usize)>,
}

impl Table {
    pub(super) fn new(units: &[Unit], width: u16) -> Self {
        let width = usize::from(width).saturating_sub(MARKS[0].len());
        Self {
            plan: columns::plan(units, width),
        }
    }

    /// The names of the columns, on the first line of `area`.
    pub(super) fn draw_head(&self, area: Rect, style: Style, buf: &mut Buffer) {
        let mut x = area.x;
        x = put(buf, area, x, MARKS[1], style);
        for (column, width) in &self.plan {
            x = cell(buf, area, x, (*column, *width), column.title(), style);
        }
    }

    /// A unit, on the first line of `area`.
    pub(super) fn draw_row(&self, unit: &Unit, row: Row, area: Rect, buf: &mut Buffer) {
        let plain = row.style();
        if row.selected {
            buf.set_style(area.intersection(buf.area), plain);
        }
        let mark = if row.selected { MARKS[0] } else { MARKS[1] };
        let mut x = put(buf, area, area.x, mark, plain);
        for (column, width) in &self.plan {
            let text = column.text(unit, row.now);
            let style = match column {
                Column::State if !row.old => plain.patch(row.look.state(unit.state())),
                _ => plain,
            };
            x = cell(buf, area, x, (*column, *width), &text, style);
        }
    }
}

/// How a row is to be shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) selected: bool,
    /// Is it what was known before the daemon went away?
    pub(super) old: bool,
    pub(super) now: Timestamp,
    pub(super) look: Look,
}

impl Row {
    fn style(self) -> Style {
        let style = if self.old {
            self.look.faint()
        } else {
            Style::new()
        };
        if self.selected {
            style.patch(self.look.picked())
        } else {
            style
        }
    }
}

fn cell(
    buf: &mut Buffer,
    area: Rect,
    x: u16,
    (column, width): (Column, usize),
    text: &str,
    style: Style,
) -> u16 {
    let text = if column == Column::Name {
        clean::fit_name(text, width)
    } else {
        clean::fit(text, width)
    };
    let blank = width.saturating_sub(clean::width(&text));
    let indent = if column.is_right() { blank } else { 0 };
    let indent = u16::try_from(indent).unwrap_or(u16::MAX);
    put(buf, area, x.saturating_add(indent), &text, style);
    let width = u16::try_from(width).unwrap_or(u16::MAX);
    x.saturating_add(width).saturating_add(1)
}

/// Draws the list of what is shown of `app`.
pub(super) fn draw(app: &App, now: Timestamp, look: Look, areas: &Areas, buf: &mut Buffer) {
    let table = Table::new(&app.units, areas.list.width);
    table.draw_head(areas.head, look.strong(), buf);
    let height = usize::from(areas.list.height);
    // The terminal may have another size than the one that was said.
    let first = top(app.top, app.row, height, app.rows.len());
    for (index, unit) in app.shown().skip(first).take(height).enumerate() {
        let row = Row {
            selected: first + index == app.row,
            old: app.lost.is_some(),
            now,
            look,
        };
        table.draw_row(unit, row, line(areas.list, index), buf);
    }
}
