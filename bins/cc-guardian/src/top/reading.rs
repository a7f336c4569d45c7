//! A text to read in place of the list: an explanation, the help.

use super::clean;
use super::model::Page;

/// Where the meanings stand.
const INDENT: usize = 16;

/// One line of it takes this many lines at most.
const LINES: usize = 200;

/// Its lines, as wide as `width`.
pub(super) fn lines(page: &Page, width: u16) -> Vec<String> {
    page.lines
        .iter()
        .flat_map(|line| {
            if line.trim().is_empty() {
                vec![String::new()]
            } else {
                clean::wrap(line, width.into(), LINES)
            }
        })
        .collect()
}

/// The keys and the commands, with what they do.
pub(super) fn help(keys: &[(&str, &str)], words: &[(&str, &str)]) -> Vec<String> {
    let said = |(name, what): &(&str, &str)| format!("{name:INDENT$}{what}");
    let mut lines: Vec<_> = keys.iter().map(said).collect();
    lines.push(String::new());
    lines.push("commands, behind :".to_owned());
    lines.extend(words.iter().map(said));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::{command, keys};

    #[test]
    fn the_help_fits_the_smallest_screen_that_is_meant() {
        for line in help(&keys::KEYS, &command::WORDS) {
            assert!(line.len() <= 80, "{line}");
        }
    }

    #[test]
    fn blank_lines_stay() {
        let page = Page {
            title: String::new(),
            lines: vec!["a".into(), String::new(), "b c".into()],
            above: 0,
        };
        assert_eq!(lines(&page, 2), ["a", "", "b", "c"]);
    }
}
