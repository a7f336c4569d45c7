//! A result as Markdown, for the summary of a CI job.

use std::fmt::Write as _;

use super::Report;

/// The most bytes of a text: what CI takes in all is about 1 MiB.
const MOST: usize = 60_000;

/// The section to append.
pub(super) fn summary(report: &Report) -> String {
    let mut out = String::new();
    let state = report.text("state");
    let mark = match state {
        "done" => "✅",
        "blocked" | "held" => "✋",
        _ => "❌",
    };
    let _ = writeln!(
        out,
        "\n### {mark} Task {}: {}\n",
        cell(report.text("task")),
        cell(state)
    );
    let _ = writeln!(out, "| | |\n|---|---|");
    let mut row = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(out, "| {name} | {} |", cell(value));
        }
    };
    row("why", report.text("why"));
    let worker = |name| {
        report
            .value()
            .pointer(name)
            .and_then(|value| value.as_str())
    };
    row(
        "worker",
        worker("/worker/unit")
            .or_else(|| worker("/worker/pane"))
            .unwrap_or_default(),
    );
    let number = |name| {
        report
            .number(name)
            .map(|number| number.to_string())
            .unwrap_or_default()
    };
    row("attempt", &number("attempt"));
    row("exit code", &number("exit"));
    row("waited", &seconds(report.number("waited_s")));
    row("ran", &seconds(report.number("ran_s")));
    for (name, title) in [("text", "Output"), ("check", "Check")] {
        let text = report.text(name);
        if !text.trim().is_empty() {
            let _ = writeln!(out, "\n{title}:\n\n{}", fenced(text));
        }
    }
    out
}

fn seconds(seconds: Option<f64>) -> String {
    seconds
        .map(|seconds| format!("{seconds:.1} s"))
        .unwrap_or_default()
}

/// Text that ends no cell and means nothing but itself: whatever could is a character reference.
fn cell(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            _ if c.is_alphanumeric() || " ,;%".contains(c) => out.push(c),
            _ if is_unseen(c) => out.push(' '),
            _ => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
        }
    }
    out
}

/// A block that nothing in it ends: its fence is longer than any run of backticks in it.
fn fenced(text: &str) -> String {
    let (text, is_cut) = match text.len() > MOST {
        true => (
            text.get(text.ceil_char_boundary(text.len() - MOST)..)
                .unwrap_or_default(),
            true,
        ),
        false => (text, false),
    };
    let mut clean = String::with_capacity(text.len());
    for line in text.lines() {
        let plain = |c: &char| *c == '\t' || !is_unseen(*c);
        clean.extend(line.chars().filter(plain));
        clean.push('\n');
    }
    let longest = clean.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let cut = if is_cut { "(only its end)\n\n" } else { "" };
    format!("{cut}{fence}text\n{clean}{fence}")
}

/// What drives a terminal, or turns text round.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn report(text: &str, why: &str) -> Report {
        Report(json!({
            "v": 1, "task": "0a", "state": "failed", "why": why, "text": text, "exit": 3,
            "worker": {"unit": "w@1", "pane": "%3"}, "attempt": 2, "waited_s": 1.25, "ran_s": 60.0,
        }))
    }

    #[test]
    fn hostile_text_stays_in_its_block_and_its_cell() {
        let text = "a\n```\n````\n# Forged\n<script>\u{1b}[2J\n~~~\n`````";
        let why = "x |\n\n# Forged <img src=x onerror=y> [l](javascript:z) `b` | y";
        let shown = summary(&report(text, why));
        let fences: Vec<usize> = shown
            .lines()
            .enumerate()
            .filter(|(_, line)| line.starts_with("``````"))
            .map(|(index, _)| index)
            .collect();
        assert_eq!(fences.len(), 2, "{shown}");
        let outside: Vec<&str> = shown
            .lines()
            .enumerate()
            .filter(|(index, _)| *index < fences[0] || *index > fences[1])
            .map(|(_, line)| line)
            .collect();
        let outside = outside.join("\n");
        assert_eq!(outside.matches("# ").count(), 1, "{outside}");
        assert!(!outside.contains(['<', '`', '[', '\u{1b}']), "{outside}");
        let why = outside
            .lines()
            .find(|line| line.starts_with("| why"))
            .unwrap();
        assert_eq!(why.matches('|').count(), 3, "{why}");
        assert!(!shown.contains('\u{1b}'));
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        let shown = fenced(&"ä".repeat(MOST));
        assert!(shown.len() < MOST + 100 && shown.starts_with("(only its end)"));
    }
}
