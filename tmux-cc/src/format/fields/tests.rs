//! What is printed is what was there, on any version.

use proptest::prelude::*;

use super::*;
use crate::wire::{PaneId, SessionId};

/// `q:` of 3.8: it takes newline and tab for special too.
fn quote_newer(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for &byte in value {
        if SPECIAL.contains(&byte) || b"\n\t".contains(&byte) {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(END);
    out
}

fn quote(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    quote_value_into(value, &mut out);
    out
}

/// vis(3) as replies pass through it from 3.4 to 3.5a: `wide` characters pass where the terminal
/// can show them; 3.4 puts a backslash before `dollars` that look like a variable's.
fn vis(printed: &[u8], wide: bool, dollars: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in printed.utf8_chunks() {
        for c in chunk.valid().chars() {
            let mut bytes = [0; 4];
            let bytes = c.encode_utf8(&mut bytes).as_bytes();
            match bytes {
                _ if bytes.len() > 1 && wide => out.extend_from_slice(bytes),
                [byte] => vis_byte(*byte, &mut out),
                _ => bytes.iter().for_each(|byte| vis_byte(*byte, &mut out)),
            }
        }
        chunk
            .invalid()
            .iter()
            .for_each(|byte| vis_byte(*byte, &mut out));
    }
    if dollars {
        out = with_dollars(&out);
    }
    out
}

fn vis_byte(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'\n' | b'\t' | b' '..=b'~' => out.push(byte),
        0x07 => out.extend(b"\\a"),
        0x08 => out.extend(b"\\b"),
        0x0b => out.extend(b"\\v"),
        0x0c => out.extend(b"\\f"),
        b'\r' => out.extend(b"\\r"),
        _ => out.extend(format!("\\{byte:03o}").bytes()),
    }
}

fn with_dollars(printed: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for (at, &byte) in printed.iter().enumerate() {
        let next = printed.get(at + 1).copied().unwrap_or(0);
        if byte == b'$' && (next.is_ascii_alphabetic() || next == b'_' || next == b'{') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out
}

/// Bytes that a value may have: any but NUL, those that matter more often.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        prop::sample::select(&b"\\|$aHOME_{};n0123456789\n\t\r\x07\x1b\x7f "[..]),
        1..=u8::MAX,
    ];
    prop_oneof![
        prop::collection::vec(byte, 0..40),
        ".{0,12}".prop_map(|text| text.replace('\0', "").into_bytes()),
    ]
}

fn take_all(printed: &[u8], values: usize) -> Vec<Vec<u8>> {
    let mut fields = Fields::new(printed);
    let taken = (0..values).map(|_| fields.take("x").unwrap()).collect();
    fields.end_row().unwrap();
    assert!(fields.is_empty());
    taken
}

proptest! {
    #[test]
    fn values_come_back_from_every_version(values in prop::collection::vec(value(), 1..6)) {
        let older: Vec<u8> = values.iter().flat_map(|value| quote(value)).collect();
        let newer: Vec<u8> = values.iter().flat_map(|value| quote_newer(value)).collect();
        for printed in [
            vis(&older, true, false),
            vis(&older, false, false),
            vis(&older, true, true),
            vis(&older, false, true),
            older,
            newer,
        ] {
            let row = [&printed[..], b"\n"].concat();
            prop_assert_eq!(&take_all(&row, values.len()), &values, "{}", row.escape_ascii());
        }
    }

    #[test]
    fn junk_is_an_error_or_values(junk in value(), nul in any::<bool>()) {
        let junk = if nul { [&junk[..], b"\0|\\\0|"].concat() } else { junk };
        let mut fields = Fields::new(&junk);
        let mut before = junk.len();
        while !fields.is_empty() {
            match fields.take::<Vec<u8>>("x") {
                Ok(value) => prop_assert!(value.len() < before - fields.rest().len()),
                Err(error) => {
                    prop_assert!(!error.to_string().is_empty());
                    break;
                }
            }
            before = fields.rest().len();
        }
    }
}

#[test]
fn escapes_are_those_of_tmux() {
    for (printed, value) in [
        (&b"plain|"[..], &b"plain"[..]),
        (b"|", b""),
        (b"\\%0|", b"%0"),
        (b"a\\|b|", b"a|b"),
        (b"\\\\|", b"\\"),
        // A backslash and a letter, and vis(3)'s.
        (b"\\\\n\\n|", b"\\n\n"),
        (b"\\\\033\\033|", b"\\033\x1b"),
        (b"\\377\\001|", b"\xff\x01"),
        (b"\\a\\b\\t\\v\\f\\r\\s|", b"\x07\x08\t\x0b\x0c\r "),
        (b"\\$HOME|", b"$HOME"),
        // 3.4: of `$HOME`, and of a backslash before it.
        (b"\\\\$HOME|", b"$HOME"),
        (b"\\\\\\\\$HOME|", b"\\$HOME"),
        // The others: of a backslash before it.
        (b"\\\\\\$HOME|", b"\\$HOME"),
        (b"a\nb\\\nc|", b"a\nb\nc"),
        (b"\xc3\xa9\xff|", b"\xc3\xa9\xff"),
    ] {
        let taken = Fields::new(printed).take::<Vec<u8>>("x");
        assert_eq!(taken, Ok(value.to_vec()), "{}", printed.escape_ascii());
    }
}

#[test]
fn what_is_no_value_is_named() {
    let error = |printed: &[u8]| {
        let mut fields = Fields::new(printed);
        fields.take::<PaneId>("pane_id").unwrap_err().to_string()
    };
    for (printed, said) in [
        (&b""[..], r#"`pane_id` has no end: """#),
        (b"\\%1", r#"`pane_id` has no end: "\\%1""#),
        (b"%1\n|", r#"`pane_id` is not a pane's id: "%1\n""#),
        (b"$1|", r#"`pane_id` is not a pane's id: "$1""#),
        (
            b"\\q|",
            r#"`pane_id` is escaped as tmux does not do it: "\\q|""#,
        ),
        (
            b"x\\8|",
            r#"`pane_id` is escaped as tmux does not do it: "\\8|""#,
        ),
        (
            b"\\12|",
            r#"`pane_id` is escaped as tmux does not do it: "\\12|""#,
        ),
        (
            b"\\400|",
            r#"`pane_id` is escaped as tmux does not do it: "\\400|""#,
        ),
        (b"|", r#"`pane_id` is not a pane's id: """#),
    ] {
        assert_eq!(error(printed), said);
    }
    // A backslash at the end of all.
    let cut = Fields::new(b"x\\").take::<Vec<u8>>("pane_title");
    assert!(cut.is_err(), "{cut:?}");
}

#[test]
fn a_row_ends_where_its_fields_end() {
    let mut fields = Fields::new(b"$1|\n$2|x\n");
    assert_eq!(fields.take("session_id"), Ok(SessionId(1)));
    assert_eq!(fields.end_row(), Ok(()));
    assert_eq!(fields.take("session_id"), Ok(SessionId(2)));
    let error = fields.end_row().unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"the row goes on behind its last field: "x""#
    );
    assert_eq!(fields.rest(), b"x\n");
}

#[test]
fn an_empty_value_may_be_a_default() {
    assert_eq!(Fields::new(b"|").take_or_default::<u32>("x"), Ok(0));
    assert_eq!(Fields::new(b"7|").take_or_default::<u32>("x"), Ok(7));
    assert!(Fields::new(b"x|").take_or_default::<u32>("x").is_err());
}

#[test]
fn values_without_escapes_are_borrowed() {
    let mut fields = Fields::new(b"plain|\\$|");
    assert!(matches!(fields.value("x"), Ok(Cow::Borrowed(b"plain"))));
    assert!(matches!(fields.value("x"), Ok(Cow::Owned(_))));
}
