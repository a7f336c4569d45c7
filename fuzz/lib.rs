//! What must hold for every input, one function for each target.
//!
//! Not only "does not panic": each compares the library with a second opinion, a slow and plain
//! one, or with itself on the way back.

mod bytes;
mod connection;
mod lexer;
mod memory;
mod quoting;
mod row;

// The toy tmux and its judge are those of the tests. By path: as a dependency the package of the
// tests would bring an async runtime and more, all of it built again with a sanitizer.
#[path = "../tests/replay/judge.rs"]
mod judge;
#[path = "../tests/harness/toy.rs"]
mod toy;

pub use connection::connection;
pub use quoting::quoting;
pub use row::row;

use tmux_cc::wire::{Escaped, Layout, Notification, escape_into};

/// A line is a notification or `Unknown`, and `Unknown` keeps every byte.
pub fn notification(line: &[u8]) {
    let notification = Notification::parse(line);
    // Formatting walks what parsing only points at.
    let _ = format!("{notification:?}");
    match notification {
        Notification::Unknown { line: kept } => assert_eq!(kept, line),
        Notification::Output { pane, data } => {
            let head = format!("%output {pane} ");
            assert_eq!([head.as_bytes(), data.as_bytes()].concat(), line);
            escape(data.as_bytes());
        }
        Notification::ExtendedOutput { data, .. } => {
            assert!(line.ends_with(data.as_bytes()));
            escape(data.as_bytes());
        }
        _ => {}
    }
}

/// Decoding agrees with the plain decoder, with its own measure, and with encoding.
pub fn escape(bytes: &[u8]) {
    let escaped = Escaped::new(bytes);
    let (wanted, malformed) = decode_plainly(bytes);

    let mut out = b"kept".to_vec();
    let decoded = escaped.decode_into(&mut out);
    assert_eq!(out[..4], *b"kept");
    assert_eq!(out[4..], wanted);
    assert_eq!(decoded.len, wanted.len());
    assert_eq!(decoded.malformed, malformed);
    assert_eq!(escaped.decoded_len(), wanted.len());
    assert_eq!(*escaped.decode(), *wanted);

    let (whole, cut) = escaped.split_cut_escape();
    assert_eq!([whole.as_bytes(), cut].concat(), bytes);

    // Any bytes survive the way through tmux and back.
    let mut sent = Vec::new();
    escape_into(bytes, &mut sent);
    let mut back = Vec::new();
    let decoded = Escaped::new(&sent).decode_into(&mut back);
    assert_eq!(back, bytes);
    assert_eq!(decoded.malformed, 0);
}

/// A layout is refused, or can be walked to its end.
pub fn layout(bytes: &[u8]) {
    walk(bytes);
    // Nobody guesses a checksum: without a right one nothing behind it would ever be read.
    let sum = bytes.iter().fold(0_u16, |sum, byte| {
        sum.rotate_right(1).wrapping_add(u16::from(*byte))
    });
    let prefix = format!("{sum:04x},");
    walk(&[prefix.as_bytes(), bytes].concat());
}

fn walk(bytes: &[u8]) {
    match Layout::parse(bytes) {
        Ok(layout) => {
            assert_eq!(layout.as_bytes(), bytes);
            assert!(layout.cells().count() > 0);
            assert!(layout.panes().count() <= layout.cells().count());
            let _ = layout.is_tiled();
            let _ = format!("{layout:?}");
        }
        Err(error) => {
            let _ = error.to_string();
        }
    }
}

/// The rule of tmux's `control_append_data`, backwards, a byte at a time: the bytes, and how many
/// backslashes were none of its.
fn decode_plainly(bytes: &[u8]) -> (Vec<u8>, usize) {
    let digit = |at: usize, most: u8| {
        let byte = bytes.get(at).copied().unwrap_or_default();
        (b'0'..=most).contains(&byte).then(|| byte - b'0')
    };
    let (mut out, mut malformed, mut at) = (Vec::new(), 0, 0);
    while at < bytes.len() {
        let digits = (
            digit(at + 1, b'3'),
            digit(at + 2, b'7'),
            digit(at + 3, b'7'),
        );
        match (bytes[at], digits) {
            (b'\\', (Some(high), Some(middle), Some(low))) => {
                out.push(high << 6 | middle << 3 | low);
                at += 4;
            }
            (byte, _) => {
                malformed += usize::from(byte == b'\\');
                out.push(byte);
                at += 1;
            }
        }
    }
    (out, malformed)
}
