//! How random a text looks.

/// Shannon's entropy in bits for each byte.
pub(super) fn entropy(text: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let total = f64::from(u32::try_from(text.len()).unwrap_or(u32::MAX));
    let shares = counts.iter().filter(|count| **count > 0);
    shares
        .map(|count| f64::from(*count) / total)
        .map(|share| -share * share.log2())
        .sum()
}

/// Whether `text` is what people write where a secret would stand.
pub(super) fn placeholder(text: &[u8]) -> bool {
    const BEGIN: [&str; 22] = [
        "your",
        "my-",
        "my_",
        "xxx",
        "***",
        "...",
        "${",
        "$(",
        "$",
        "<",
        "{",
        "%",
        "[",
        "env.",
        "process.",
        "os.",
        "none",
        "null",
        "true",
        "false",
        "redacted",
        "undefined",
    ];
    const WITHIN: [&str; 14] = [
        "example",
        "changeme",
        "change-me",
        "change_me",
        "placeholder",
        "xxxx",
        "****",
        "....",
        "<redacted",
        "your-",
        "your_",
        "insert",
        "dummy",
        "todo",
    ];
    const WHOLE: [&str; 7] = [
        "password",
        "passwd",
        "pass",
        "passphrase",
        "secret",
        "token",
        "string",
    ];
    let text = String::from_utf8_lossy(text).to_lowercase();
    let mut bytes = text.bytes();
    let first = bytes.next();
    bytes.all(|byte| Some(byte) == first)
        || WHOLE.contains(&text.as_str())
        || BEGIN.iter().any(|begin| text.starts_with(begin))
        || WITHIN.iter().any(|within| text.contains(within))
}

/// Whether `text`, at the start of a line, goes on with a token that broke there: long, and not the
/// shape of a word.
pub(super) fn continues(text: &[u8]) -> bool {
    let upper = text.iter().filter(|byte| byte.is_ascii_uppercase()).count();
    let lower = text.iter().filter(|byte| byte.is_ascii_lowercase()).count();
    let digit = text.iter().any(u8::is_ascii_digit);
    let capital = text.first().is_some_and(u8::is_ascii_uppercase);
    let word = upper == 0 || lower == 0 || (upper == 1 && capital);
    text.len() >= 6 && (digit || !word)
}

/// Whether `text` is an identifier of a program rather than a value.
pub(super) fn identifier(text: &[u8]) -> bool {
    let name =
        |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.' | b'-' | b':' | b'/');
    text.iter().all(name)
}
