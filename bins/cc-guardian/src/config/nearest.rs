//! The word that was probably meant.

/// The one of `known` that is nearest to `given`, if it is near enough for a slip of the fingers or
/// begins with it.
pub(crate) fn nearest<'a>(
    given: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let letters = given.chars().count();
    // A third of the letters may be wrong, never all: "hang_afer" is near, "colour" is near nothing.
    let bearable = (letters / 3).max(1).min(letters.saturating_sub(1));
    let near = |word: &str| {
        let begins = letters >= 3 && word.starts_with(given);
        let distance = if begins { 1 } else { distance(given, word) };
        (distance <= bearable).then_some(distance)
    };
    known
        .into_iter()
        .filter_map(|word| near(word).map(|distance| (distance, word)))
        .min()
        .map(|(_, word)| word)
}

/// How many letters have to be put in, taken out, replaced, or swapped with their neighbour.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    let mut previous = None;
    for (row, letter) in from.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, &other) in to.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX);
            let replaced = at(&last, column).saturating_add(usize::from(letter != other));
            let put_in = at(&last, column + 1).saturating_add(1);
            let taken_out = at(&current, column).saturating_add(1);
            let mut best = replaced.min(put_in).min(taken_out);
            let left = column.checked_sub(1);
            if let Some(left) = left
                && previous == Some(other)
                && to.get(left) == Some(&letter)
            {
                best = best.min(at(&before_last, left).saturating_add(1));
            }
            current.push(best);
        }
        before_last = std::mem::replace(&mut last, current);
        previous = Some(letter);
    }
    last.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_a_stranger_finds_none() {
        let known = ["hang_after", "tool_hang_after", "nice", "cwd"];
        for (given, meant) in [
            ("hang_afer", Some("hang_after")),
            ("hnag_after", Some("hang_after")),
            ("hangafter", Some("hang_after")),
            ("cdw", Some("cwd")),
            ("niec", Some("nice")),
            ("hang", Some("hang_after")),
            ("colour", None),
            ("a", None),
            ("", None),
        ] {
            assert_eq!(nearest(given, known), meant, "{given}");
        }
    }

    #[test]
    fn distances_count_what_fingers_do() {
        for (from, to, expected) in [
            ("", "", 0),
            ("", "ab", 2),
            ("ab", "", 2),
            ("ab", "ba", 1),
            ("kitten", "sitting", 3),
            ("abcd", "acbd", 1),
        ] {
            assert_eq!(distance(from, to), expected, "{from} {to}");
        }
    }
}
