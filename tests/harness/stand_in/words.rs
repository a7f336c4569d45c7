//! What a line of a script is made of: words, quoted text, durations and sizes.

use std::time::Duration;

/// Takes the first word off a line; both parts without blanks around them.
pub(super) fn split(line: &str) -> (&str, &str) {
    let line = line.trim();
    match line.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim()),
        None => (line, ""),
    }
}

/// The text that the rest of a line stands for: as it is, or, where it is in double quotes, with
/// `\n`, `\r`, `\t`, `\a`, `\e`, `\\`, `\"` and `\xNN` read as in C. `None` when a quote is not
/// closed, something follows it, or an escape is none of these.
pub(super) fn text(rest: &str) -> Option<Vec<u8>> {
    let Some(quoted) = rest.strip_prefix('"') else {
        return Some(rest.as_bytes().to_vec());
    };
    let mut out = Vec::with_capacity(quoted.len());
    let mut chars = quoted.chars();
    loop {
        match chars.next()? {
            '"' => return chars.as_str().trim().is_empty().then_some(out),
            '\\' => out.push(escaped(&mut chars)?),
            plain => out.extend_from_slice(plain.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

fn escaped(chars: &mut std::str::Chars<'_>) -> Option<u8> {
    Some(match chars.next()? {
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'a' => 0x07,
        'e' => 0x1b,
        '\\' => b'\\',
        '"' => b'"',
        'x' => {
            let (high, low) = (chars.next()?, chars.next()?);
            u8::try_from(high.to_digit(16)? * 16 + low.to_digit(16)?).ok()?
        }
        _ => return None,
    })
}

/// A time such as `50ms`, `3s`, `2m` or `1h`: a whole number and a unit.
#[must_use]
pub fn duration(word: &str) -> Option<Duration> {
    let (number, unit) = number_and_unit(word)?;
    let millis: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.checked_mul(millis).map(Duration::from_millis)
}

/// A number of bytes such as `4096`, `10kB`, `50MB` or `1GB`; a unit is a power of 1000.
#[must_use]
pub fn size(word: &str) -> Option<u64> {
    let (number, unit) = number_and_unit(word)?;
    let bytes: u64 = match unit {
        "" | "B" => 1,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return None,
    };
    number.checked_mul(bytes)
}

fn number_and_unit(word: &str) -> Option<(u64, &str)> {
    let end = word
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(word.len());
    let (number, unit) = word.split_at_checked(end)?;
    Some((number.parse().ok()?, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_taken_as_it_is_or_quoted() {
        assert_eq!(text("a \\n b"), Some(b"a \\n b".to_vec()));
        assert_eq!(text(r#""a\n\e\x41\"é""#), Some("a\n\x1bA\"é".into()));
        for bad in [r#""open"#, r#""a" b"#, r#""\q""#, r#""\x4""#, r#""\"#] {
            assert_eq!(text(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_time_has_a_unit() {
        assert_eq!(duration("50ms"), Some(Duration::from_millis(50)));
        assert_eq!(duration("1h"), Some(Duration::from_secs(3600)));
        for bad in ["", "3", "s", "1.5s", "3 s", "99999999999999999999s"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_size_may_have_one() {
        assert_eq!(size("4096"), Some(4096));
        assert_eq!(size("50MB"), Some(50_000_000));
        assert_eq!(size("50 MB"), None);
        assert_eq!(size("18446744073709551615GB"), None);
    }
}
