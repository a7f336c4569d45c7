//! Findings for people: the worst first, 80 columns wide.

use crate::printable::harmless;
use unicode_width::UnicodeWidthStr as _;

use super::finding::{Finding, Level};

/// How wide a line is at most, where its words are not longer.
const WIDTH: usize = 80;

/// What each level is called, one of them and several.
const LEVELS: [(Level, &str, &str); 4] = [
    (Level::Problem, "problem", "problems"),
    (Level::Warning, "warning", "warnings"),
    (Level::Note, "note", "notes"),
    (Level::Ok, "fine", "fine"),
];

/// The findings, in the groups of their levels.
#[must_use]
pub fn text(findings: &[Finding]) -> String {
    let mut text = String::new();
    let mut counts = Vec::new();
    for (level, one, several) in LEVELS {
        let of_level = || findings.iter().filter(|finding| finding.level == level);
        let count = of_level().count();
        let word = if count == 1 { one } else { several };
        counts.push(format!("{count} {word}"));
        if count == 0 {
            continue;
        }
        text.push_str(&several.to_uppercase());
        text.push('\n');
        for finding in of_level() {
            fold(
                "  ",
                &format!("{}: ", finding.topic),
                &finding.what,
                &mut text,
            );
            fold("    ", "why: ", &finding.why, &mut text);
            fold("    ", "do:  ", &finding.next, &mut text);
        }
        text.push('\n');
    }
    text.push_str(&counts.join(", "));
    text.push_str(".\n");
    text
}

/// Adds a sentence, folded between words; what is folded stands under the beginning of the sentence.
fn fold(indent: &str, label: &str, sentence: &str, text: &mut String) {
    if sentence.is_empty() {
        return;
    }
    // What labels are there is up to us, so a byte of them is a column.
    let under = indent.len() + label.len().min(6);
    let mut line = format!("{indent}{label}");
    let mut is_first = true;
    for word in harmless(sentence).to_string().split(' ') {
        if !is_first && line.width() + 1 + word.width() > WIDTH {
            text.push_str(line.trim_end());
            text.push('\n');
            line = " ".repeat(under);
        } else if !is_first {
            line.push(' ');
        }
        line.push_str(word);
        is_first = false;
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_stands_first_and_no_line_is_too_wide() {
        let long = "a sentence that goes on ".repeat(9);
        let said = text(&[
            Finding::ok("clock", "It is right."),
            Finding::note("client", "日本 ".repeat(30), long.clone(), "Go."),
            Finding::problem("tmux", "There is none.", long, "Install it."),
        ]);
        assert!(said.starts_with("PROBLEMS\n  tmux: There is none.\n    why: a sentence"));
        assert!(said.lines().all(|line| line.width() <= WIDTH), "{said}");
        assert!(said.lines().all(|line| line.trim_end() == line), "{said}");
        assert!(said.ends_with("1 problem, 0 warnings, 1 note, 1 fine.\n"));
        let at = |part| said.find(part).unwrap();
        assert!(at("PROBLEMS") < at("NOTES") && at("NOTES") < at("FINE"));
        assert!(!said.contains("WARNINGS"));
    }

    #[test]
    fn a_finding_cannot_drive_the_terminal() {
        let said = text(&[Finding::ok("x", "a\u{1b}[2J\nFINE \u{202e}")]);
        assert!(said.contains("a\\x1b[2J\\nFINE \\u{202e}"), "{said}");
    }
}
