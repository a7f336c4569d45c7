//! What is printed for a row is what was in tmux, or is no row.

use std::time::SystemTime;

use tmux_cc::format::{
    BufferRow, ClientRow, Fields, FromFormat, PaneRow, SessionRow, WindowRow, quote_value_into,
    rows,
};
use tmux_cc::tree::Listing;
use tmux_cc::wire::{PaneId, Version};

/// One field of each kind.
#[derive(FromFormat, Debug, PartialEq)]
struct Row {
    pane_id: PaneId,
    pane_dead: bool,
    pane_dead_status: Option<u8>,
    pane_left: i32,
    session_created: SystemTime,
    version: Version,
    pane_title: Vec<u8>,
    #[tmux(name = "@x")]
    text: Option<String>,
    #[tmux(name = "@n", default)]
    number: u32,
}

/// What tmux has printed, or values that are to be printed: the first byte says which.
pub fn row(input: &[u8]) {
    let (mode, rest) = input.split_first().unwrap_or((&0, &[]));
    if mode & 1 == 1 {
        printed_values(rest, mode & 2 == 2);
    } else {
        printed(rest);
    }
}

/// Anything is rows, or an error that can be told.
fn printed(bytes: &[u8]) {
    read::<Row>(bytes);
    read::<SessionRow>(bytes);
    read::<WindowRow>(bytes);
    read::<PaneRow>(bytes);
    read::<ClientRow>(bytes);
    read::<BufferRow>(bytes);
    if let Err(error) = Listing::read([bytes]) {
        let _ = error.to_string();
    }

    let mut fields = Fields::new(bytes);
    loop {
        let before = fields.rest();
        let taken = fields.take::<Vec<u8>>("x");
        match (taken, decode_plainly(before)) {
            (Ok(value), Some((wanted, rest))) => {
                assert_eq!((&value, fields.rest()), (&wanted, rest));
                comes_back(&[value.clone()], false);
                comes_back(&[value], true);
            }
            (Err(error), None) => {
                let _ = error.to_string();
                break;
            }
            (taken, wanted) => panic!("{taken:?}, not {wanted:?}: {}", before.escape_ascii()),
        }
    }
}

fn read<T: FromFormat>(bytes: &[u8]) {
    if let Err(error) = rows::<T>(bytes) {
        let _ = format!("{error}: {}", error.source);
    }
}

/// Values between NULs, as they are printed with and without vis(3).
fn printed_values(bytes: &[u8], dollars: bool) {
    let values: Vec<_> = bytes.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect();
    comes_back(&values, dollars);
}

/// The values are read as they were; `dollars` is what 3.4 does besides.
fn comes_back(values: &[Vec<u8>], dollars: bool) {
    let mut raw = Vec::new();
    for value in values {
        quote_value_into(value, &mut raw);
    }
    for printed in [vis(&raw, dollars), raw] {
        let mut fields = Fields::new(&printed);
        for value in values {
            assert_eq!(fields.take::<Vec<u8>>("x").as_ref(), Ok(value));
        }
        assert_eq!(fields.end_row(), Ok(()));
        assert!(fields.is_empty());
    }
}

/// Replies of 3.4 to 3.5a: what cannot be shown becomes an escape, a backslash does not.
fn vis(printed: &[u8], dollars: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for (at, &byte) in printed.iter().enumerate() {
        let next = printed.get(at + 1).copied().unwrap_or(b' ');
        let named = next.is_ascii_alphabetic() || matches!(next, b'_' | b'{');
        match byte {
            b'$' if dollars && named => out.extend(b"\\$"),
            0x07 => out.extend(b"\\a"),
            0x08 => out.extend(b"\\b"),
            0x0b => out.extend(b"\\v"),
            0x0c => out.extend(b"\\f"),
            b'\r' => out.extend(b"\\r"),
            b'\n' | b'\t' | b' '..=b'~' => out.push(byte),
            _ => out.extend(format!("\\{byte:03o}").bytes()),
        }
    }
    out
}

/// A value and what is behind its end, a byte at a time.
fn decode_plainly(printed: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut value = Vec::new();
    let mut at = 0;
    loop {
        let byte = *printed.get(at)?;
        at += 1;
        if byte == b'|' {
            return Some((value, &printed[at..]));
        }
        if byte != b'\\' {
            value.push(byte);
            continue;
        }
        let escaped = *printed.get(at)?;
        at += 1;
        value.push(match escaped {
            b'\\' if printed.get(at) == Some(&b'$') => {
                at += 1;
                b'$'
            }
            b'a' => 7,
            b'b' => 8,
            b't' => 9,
            b'n' => 10,
            b'v' => 11,
            b'f' => 12,
            b'r' => 13,
            b's' => 32,
            b'0'..=b'3' => {
                let octal = printed.get(at - 1..at + 2)?;
                at += 2;
                u8::from_str_radix(std::str::from_utf8(octal).ok()?, 8).ok()?
            }
            byte if byte.is_ascii_alphanumeric() => return None,
            byte => byte,
        });
    }
}
