//! Amounts and numbers in sentences.

use crate::printable::printable;

/// A stranger's text in a sentence.
#[must_use]
pub fn safe(text: &str) -> String {
    printable(text.as_bytes()).to_string()
}

/// So many of something.
#[must_use]
pub fn many(count: usize, what: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} {what}{end}")
}

/// An amount of memory, for people.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    for (size, unit) in UNITS {
        if bytes >= size {
            let tenths = bytes.saturating_mul(10) / size;
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} bytes")
}
