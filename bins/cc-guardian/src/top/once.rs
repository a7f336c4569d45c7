//! One frame, or one listing, as text: for scripts, and for terminals that are none.

use std::io::{self, Write};

use cc_kit::printable::printable;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr as _;

use super::Event;
use super::listing::Listing;
use super::look::Look;
use super::model::App;
use super::table::{Row, Table};
use super::view;

/// Writes a listing as the daemon gave it, on a line of its own. Characters that would drive or
/// confuse a terminal are escaped as JSON escapes them, which changes no value.
///
/// # Errors
/// When `out` cannot be written.
pub(crate) fn json(listing: &str, out: &mut impl Write) -> io::Result<()> {
    let mut text = String::with_capacity(listing.len());
    for char in listing.trim_end().chars() {
        let is_safe = match char {
            '\n' | '\t' | '\\' => true,
            // Blank in JSON, and of use to nobody.
            '\r' => continue,
            _ => printable(char.encode_utf8(&mut [0; 4]).as_bytes())
                .to_string()
                .starts_with(char),
        };
        if is_safe {
            text.push(char);
            continue;
        }
        for unit in char.encode_utf16(&mut [0; 2]) {
            text.push_str(&format!("\\u{unit:04x}"));
        }
    }
    writeln!(out, "{text}")
}

/// Writes all units of a listing as they are at `now`, as plain text `width` columns wide.
///
/// # Errors
/// When `out` cannot be written.
pub(crate) fn plain(
    listing: Listing,
    now: Timestamp,
    width: u16,
    out: &mut impl Write,
) -> io::Result<()> {
    // Without lines for keys there is room for the header, and for what stands in place of a list.
    let mut app = App::new(width, 0);
    app.update(Event::Listing(listing), now);
    let look = Look { color: false };
    let (line, lines) = (Rect::new(0, 0, width, 1), Rect::new(0, 0, width, 7));
    let mut header = Buffer::empty(line);
    view::header(&app, look, line, &mut header);
    write_text(&header, out)?;
    if app.rows.is_empty() {
        let mut nothing = Buffer::empty(lines);
        view::nothing(&app, lines, &mut nothing);
        return write_text(&nothing, out);
    }
    let table = Table::new(&app.units, width);
    let mut head = Buffer::empty(line);
    table.draw_head(line, look.strong(), &mut head);
    write_text(&head, out)?;
    for unit in app.shown() {
        let row = Row {
            selected: false,
            old: false,
            now,
            look,
        };
        let mut cells = Buffer::empty(line);
        table.draw_row(unit, row, line, &mut cells);
        write_text(&cells, out)?;
    }
    Ok(())
}

fn write_text(buf: &Buffer, out: &mut impl Write) -> io::Result<()> {
    out.write_all(text(buf).trim_end_matches('\n').as_bytes())?;
    out.write_all(b"\n")
}

/// What stands on cells, one line a row, without blanks at its end.
pub(super) fn text(buf: &Buffer) -> String {
    let mut text = String::new();
    for row in buf.content().chunks(usize::from(buf.area.width).max(1)) {
        let mut line = String::new();
        // A wide character covers the cells behind it.
        let mut covered = 0_usize;
        for cell in row {
            if covered == 0 {
                line.push_str(cell.symbol());
                covered = cell.symbol().width();
            }
            covered = covered.saturating_sub(1);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::demo;

    fn printed(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_listing_is_printed_as_it_was_given_but_for_what_drives_a_terminal() {
        let given =
            "{\"v\":1,\n \"units\":[{\"x\":\"日本 \\u001b \u{9b}2J \u{202e}\u{e0041}\\\\\"}]}\n";
        let shown = printed(|out| json(given, out));
        assert!(
            !shown.contains(['\u{9b}', '\u{202e}', '\u{e0041}']),
            "{shown}"
        );
        assert!(
            shown.contains("日本 \\u001b \\u009b2J \\u202e\\udb40\\udc41\\\\"),
            "{shown}"
        );
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&shown), value(given));
    }

    #[test]
    fn what_is_no_json_drives_no_terminal_either() {
        assert_eq!(
            printed(|out| json("\x1b]0;x\x07\r\n\x7f", out)),
            "\\u001b]0;x\\u0007\n\\u007f\n"
        );
    }

    #[test]
    fn a_frame_has_a_line_for_every_unit_and_none_that_is_too_wide() {
        let listing = demo::listing(100, 0, demo::START);
        let shown = printed(|out| plain(listing, demo::START, 80, out));
        assert_eq!(shown.lines().count(), 102);
        assert!(shown.lines().all(|line| line.width() <= 80));
        assert!(shown.lines().all(|line| line.trim_end() == line));
    }

    #[test]
    fn without_units_it_says_what_to_do() {
        let shown = printed(|out| plain(Listing::default(), demo::START, 80, out));
        assert!(shown.contains("cc-guardian up"), "{shown}");
    }
}
