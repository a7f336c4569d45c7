//! The text of a turn, from a capture of its pane.

use crate::task::Fence;

/// What ties a prompt to its attempt: the last line of it.
///
/// It is no secret and allows nothing; it says to whoever reads the pane, us above all, where the turn
/// began.
pub(crate) fn mark(fence: &Fence, nonce: &str) -> String {
    format!("[task {}.{} {nonce}]", fence.task, fence.number)
}

/// Where the box begins in which prompts are written; what stands behind that is no part of a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Below {
    /// Its first row, with what borders it.
    row: String,
    /// How often that row stands on the screen from there on.
    times: usize,
}

impl Below {
    /// That of a screen, above whose box there are so many rows.
    pub(crate) fn of(rows: &[String], above: usize) -> Option<Self> {
        let row = rows.get(above)?.trim_end().to_owned();
        let below = rows.get(above..)?.iter();
        let times = below.filter(|other| other.trim_end() == row).count();
        Some(Self { row, times })
    }

    /// Where it begins in rows that end as that screen does.
    fn begins(&self, rows: &[&str]) -> Option<usize> {
        let same = rows.iter().enumerate().rev();
        let mut same = same.filter(|(_, row)| **row == self.row);
        same.nth(self.times.checked_sub(1)?).map(|(at, _)| at)
    }
}

/// What stands in a capture behind the last row in which the nonce does, up to the box; all of it where
/// the nonce is not found, and whether it was.
///
/// Rows that were wrapped are taken as joined.
pub(crate) fn text_of_turn<'a>(
    rows: impl IntoIterator<Item = &'a str>,
    nonce: &str,
    below: Option<&Below>,
) -> (String, bool) {
    let mut rows: Vec<&str> = rows.into_iter().map(str::trim_end).collect();
    if let Some(begins) = below.and_then(|below| below.begins(&rows)) {
        rows.truncate(begins);
    }
    let at = rows.iter().rposition(|row| row.contains(nonce));
    let turn = rows.get(at.map_or(0, |at| at + 1)..).unwrap_or_default();
    let begin = turn.iter().position(|row| !row.is_empty());
    let end = turn.iter().rposition(|row| !row.is_empty());
    let kept = match (begin, end) {
        (Some(begin), Some(end)) => turn.get(begin..=end).unwrap_or_default(),
        _ => &[],
    };
    (kept.join("\n"), at.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_turn_is_what_stands_behind_the_last_mark() {
        let rows = [
            "> first [task a.1 n1]",
            "ok: 1",
            "",
            "> second",
            "  [task b.1 n2]  ",
            "",
            "ok: 2  ",
            "",
            "more",
            "",
        ];
        let turn = |nonce| text_of_turn(rows, nonce, None);
        assert_eq!(turn("n2"), ("ok: 2\n\nmore".to_owned(), true));
        let turn = |rows: &[&'static str]| text_of_turn(rows.to_vec(), "n3", None);
        assert_eq!(turn(&["x", ""]), ("x".to_owned(), false));
        assert_eq!(turn(&["n3"]), (String::new(), true));
    }

    #[test]
    fn the_box_is_no_part_of_it() {
        let screen = [
            "ok: 1",
            "---",
            "> [task b.1 n2]",
            "ok: 2",
            "---",
            ">",
            "---",
            "  ?",
        ];
        let screen = screen.map(str::to_owned);
        let below = Below::of(&screen, 4).unwrap();
        let rows = ["before"]
            .into_iter()
            .chain(screen.iter().map(String::as_str));
        let turn = text_of_turn(rows, "n2", Some(&below));
        assert_eq!(turn, ("ok: 2".to_owned(), true));
        assert_eq!(Below::of(&screen, 9), None);
    }
}
