//! Text put on cells. Nothing else writes to the buffer, so nothing is drawn that was not made safe.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::clean;

/// Writes `text` from `x` on, at most `columns` of it and nothing outside `area` (its first line), and
/// returns where it ended.
pub(super) fn put(buf: &mut Buffer, area: Rect, x: u16, text: &str, style: Style) -> u16 {
    let area = area.intersection(buf.area);
    if area.is_empty() || x < area.x || x >= area.right() {
        return x;
    }
    let room = usize::from(area.right() - x);
    let (end, _) = buf.set_stringn(x, area.y, clean::fit(text, room), room, style);
    end
}

/// Writes pieces one after the other.
pub(super) fn put_all(buf: &mut Buffer, area: Rect, pieces: &[(String, Style)]) -> u16 {
    let mut x = area.x;
    for (text, style) in pieces {
        x = put(buf, area, x, text, *style);
    }
    x
}

/// The `index`th line of `area`; empty below its end.
pub(super) fn line(area: Rect, index: usize) -> Rect {
    let down = u16::try_from(index).unwrap_or(u16::MAX).min(area.height);
    Rect {
        y: area.y.saturating_add(down),
        height: 1.min(area.height - down),
        ..area
    }
}
