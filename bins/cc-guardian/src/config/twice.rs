//! Headers of tables that stand in a text twice.
//!
//! The parser says where the second one is; who has to choose wants to see the first one too.

use std::ops::Range;

/// The header, `[..]` on a line of its own, under which `offset` stands or in which it is.
pub(super) fn header(text: &str, offset: usize) -> Option<Range<usize>> {
    headers(text)
        .take_while(|header| header.start <= offset)
        .last()
}

/// Where the same header as that at `second` stood first; `None`: nowhere before.
pub(super) fn first(text: &str, second: Range<usize>) -> Option<usize> {
    let wanted = name(text, second.clone())?;
    headers(text)
        .take_while(|header| header.start < second.start)
        .find(|header| name(text, header.clone()).as_ref() == Some(&wanted))
        .map(|header| header.start)
}

/// A line that begins with `[` may be an element of a list too; then nothing is found by it.
fn headers(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut begins = 0;
    text.split_inclusive('\n').filter_map(move |line| {
        let start = begins + (line.len() - line.trim_start().len());
        begins += line.len();
        let header = line.trim_start();
        let end = header.find(']')?;
        header.starts_with('[').then_some(start..start + end + 1)
    })
}

/// What stands between the brackets, without the blanks that mean nothing.
fn name(text: &str, header: Range<usize>) -> Option<String> {
    let name = text.get(header)?.strip_prefix('[')?.strip_suffix(']')?;
    Some(name.split('.').map(str::trim).collect::<Vec<_>>().join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a = 1\n[x]\nb = 2\n [ y . z ] # note\nc = [\n1]\n[y.z]\nd = 4\n";

    #[test]
    fn an_offset_stands_under_the_last_header_before_it() {
        let at = |needle: &str| header(TEXT, TEXT.find(needle).unwrap()).map(|at| &TEXT[at]);
        assert_eq!(at("a = "), None);
        assert_eq!(at("b = "), Some("[x]"));
        assert_eq!(at("c = "), Some("[ y . z ]"));
        assert_eq!(at("d = "), Some("[y.z]"));
        assert_eq!(at("y.z"), Some("[y.z]"));
    }

    #[test]
    fn the_first_of_two_headers_is_found_however_it_is_spaced() {
        let second = header(TEXT, TEXT.find("y.z").unwrap()).unwrap();
        assert_eq!(first(TEXT, second), TEXT.find("[ y"));
        let only = header(TEXT, TEXT.find("b =").unwrap()).unwrap();
        assert_eq!(first(TEXT, only), None);
    }
}
