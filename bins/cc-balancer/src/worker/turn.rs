//! The text of a turn, from a capture of its pane.

use crate::task::Fence;

/// What ties a prompt to its attempt: the last line of it.
///
/// It is no secret and allows nothing; it says to whoever reads the pane, us above all, where the turn
/// began.
pub(crate) fn mark(fence: &Fence, nonce: &str) -> String {
    format!("[task {}.{} {nonce}]", fence.task, fence.number)
}

/// What stands in a capture behind the last row in which the nonce does; all of it where it is not found,
/// and whether it was.
///
/// Rows that were wrapped are taken as joined, and what stands around the text, such as the rows of an
/// empty box at the end, is left in: nothing that may be an answer is thrown away.
pub(crate) fn text_of_turn<'a>(
    rows: impl IntoIterator<Item = &'a str>,
    nonce: &str,
) -> (String, bool) {
    let rows: Vec<&str> = rows.into_iter().map(str::trim_end).collect();
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
        assert_eq!(text_of_turn(rows, "n2"), ("ok: 2\n\nmore".to_owned(), true));
        assert_eq!(text_of_turn(["x", ""], "n3"), ("x".to_owned(), false));
        assert_eq!(text_of_turn(["n3"], "n3"), (String::new(), true));
    }
}
