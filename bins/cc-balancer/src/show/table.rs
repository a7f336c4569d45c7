//! Columns that stand under each other.

use std::io;

use cc_kit::printable::harmless;

/// How wide what is printed may be: as the terminal, or as it likes.
pub(super) fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(io::stdout());
    size.map_or(usize::MAX, |size| match size.ws_col {
        0 => usize::MAX,
        columns => columns.into(),
    })
}

/// Rows under their heads, at most so wide; what they hold only ever draws.
pub(super) fn table(head: &[&str], rows: &[Vec<String>], columns: usize) -> String {
    let clean = |cell: &String| harmless(cell).to_string();
    let rows: Vec<Vec<String>> =
        std::iter::once(head.iter().map(|cell| (*cell).to_owned()).collect())
            .chain(rows.iter().map(|row| row.iter().map(clean).collect()))
            .collect();
    let mut widths = vec![0; head.len()];
    for row in &rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = cell.chars().count().max(*widest);
        }
    }
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, wide) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:<wide$}  "));
        }
        let line: String = line.chars().take(columns).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_no_wider_than_asked_and_only_draws() {
        let rows = [
            vec!["1".to_owned(), "a\u{1b}[2J\nb".to_owned()],
            vec!["12345".to_owned(), "x".repeat(100)],
        ];
        let text = table(&["N", "TEXT"], &rows, 20);
        assert_eq!(text.lines().count(), 3);
        assert!(
            text.lines().all(|line| line.chars().count() <= 20),
            "{text}"
        );
        assert!(text.starts_with("N      TEXT\n1      a\\x1b"), "{text}");
        assert!(!text.contains('\u{1b}'));
    }
}
