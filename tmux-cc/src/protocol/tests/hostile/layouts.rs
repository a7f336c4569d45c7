//! Layouts: the line passes them on as they are, and reading one answers each with its error.

use super::*;
use crate::wire::LayoutError::{self, Bracket, Checksum, Empty, Number, Prefix, Syntax, Trailing};
use crate::wire::{Layout, LayoutError::TooDeep, LayoutError::TooLong, LayoutError::Unclosed};

/// With its checksum in front.
fn sealed(body: &str) -> String {
    let sum = body.bytes().fold(0u16, |sum, byte| {
        sum.rotate_right(1).wrapping_add(u16::from(byte))
    });
    format!("{sum:04x},{body}")
}

/// The line says the layout as it stands; read, it is this: an error, or whether it is tiled.
#[track_caller]
fn layout(item: &str, text: &str, expected: Result<bool, LayoutError>) {
    let told = format!(
        "LayoutChange {{ window: WindowId(0), layout: {:?}, visible: [], flags: [] }}",
        text.as_bytes()
    );
    outside(
        item,
        format!("%layout-change @0 {text}  ").as_bytes(),
        &[&told],
    );
    let read = Layout::parse(text.as_bytes()).map(|layout| layout.is_tiled());
    assert_eq!(read, expected, "{item}");
}

#[test]
fn checksums() {
    let checksum = |stated| Checksum {
        stated,
        computed: 0xb25d,
    };
    for (item, text, expected) in [
        ("right", "b25d,80x24,0,0,0", Ok(true)),
        ("bad checksum", "b25e,80x24,0,0,0", Err(checksum(0xb25e))),
        ("upper-case hex", "B25D,80x24,0,0,0", Err(Prefix)),
        ("3 digits", "25d,80x24,0,0,0", Err(Prefix)),
        ("5 digits", "0b25d,80x24,0,0,0", Err(Prefix)),
        ("no digits", ",80x24,0,0,0", Err(Prefix)),
        ("no comma", "b25d80x24,0,0,0", Err(Prefix)),
        (
            "checksum only",
            "b25d,",
            Err(Checksum {
                stated: 0xb25d,
                computed: 0,
            }),
        ),
        ("empty field", "", Err(Empty)),
    ] {
        layout(item, text, expected);
    }
}

#[test]
fn bodies() {
    for (item, body, expected) in [
        (
            "unbalanced brackets: open",
            "80x24,0,0{80x24,0,0,0",
            Err(Unclosed),
        ),
        (
            "unbalanced brackets: closed",
            "80x24,0,0,0}",
            Err(Bracket { at: 16 }),
        ),
        (
            "unbalanced brackets: twice",
            "80x24,0,0{80x24,0,0,0}}",
            Err(Bracket { at: 27 }),
        ),
        (
            "unbalanced brackets: of another kind",
            "80x24,0,0{80x24,0,0,0]",
            Err(Bracket { at: 26 }),
        ),
        ("{} empty", "80x24,0,0{}", Err(Syntax { at: 15 })),
        ("[] empty", "80x24,0,0[]", Err(Syntax { at: 15 })),
        ("<> empty", "80x24,0,0,0<>", Err(Syntax { at: 17 })),
        (
            "sum mismatch: width",
            "80x24,0,0{40x24,0,0,0,40x24,41,0,1}",
            Ok(false),
        ),
        (
            "sum mismatch: height",
            "80x24,0,0[80x12,0,0,0,80x12,0,13,1]",
            Ok(false),
        ),
        (
            "sum matches",
            "81x24,0,0{40x24,0,0,0,40x24,41,0,1}",
            Ok(true),
        ),
        ("0x0", "0x0,0,0,0", Ok(true)),
        (
            "u32 overflow: width",
            "4294967296x24,0,0,0",
            Err(Number { at: 5 }),
        ),
        (
            "u32 overflow: pane",
            "80x24,0,0,4294967296",
            Err(Trailing { at: 14 }),
        ),
        (
            "u32 overflow: 20 digits",
            "80x99999999999999999999,0,0,0",
            Err(Number { at: 8 }),
        ),
        (
            "the largest numbers",
            "4294967295x4294967295,2147483647,-2147483648,4294967295",
            Ok(true),
        ),
        ("negative offsets", "80x24,-5,-2,0", Ok(true)),
        (
            "negative offsets: out of range",
            "80x24,0,-2147483649,0",
            Err(Number { at: 13 }),
        ),
        ("negative size", "80x-24,0,0,0", Err(Syntax { at: 8 })),
        ("<...> suffix", "80x24,0,0,0<40x6,4,2,1>", Ok(true)),
        (
            "<...> suffix: open",
            "80x24,0,0,0<40x6,4,2,1",
            Err(Unclosed),
        ),
        ("<...> alone", "<40x6,4,2,1>", Ok(true)),
        ("missing id", "80x24,0,0", Ok(true)),
        (
            "missing id, with its comma",
            "80x24,0,0,",
            Err(Trailing { at: 14 }),
        ),
        ("empty field: width", "x24,0,0,0", Err(Syntax { at: 5 })),
        ("empty field: offset", "80x24,0,,0", Err(Syntax { at: 13 })),
        ("empty field: body", "", Err(Syntax { at: 5 })),
        ("trailing garbage", "80x24,0,0,0y", Err(Trailing { at: 16 })),
        (
            "trailing garbage: begins like a sibling",
            "80x24,0,0,0x",
            Err(Trailing { at: 14 }),
        ),
        (
            "trailing garbage: another",
            "80x24,0,0,0,80x24,0,0,0",
            Err(Trailing { at: 16 }),
        ),
    ] {
        layout(item, &sealed(body), expected);
    }
}

#[test]
fn trailing_blanks_and_depth() {
    // These cannot stand in a line's field, or are longer than a test of pieces should be.
    let nested = |depth| format!("{}1x1,0,0,7{}", "1x1,0,0{".repeat(depth), "}".repeat(depth));
    for (item, text, expected) in [
        (
            "trailing garbage: a space",
            sealed("80x24,0,0,0 "),
            Err(Trailing { at: 16 }),
        ),
        (
            "trailing garbage: a newline",
            sealed("80x24,0,0,0\n"),
            Err(Trailing { at: 16 }),
        ),
        (
            "depth 1025",
            sealed(&nested(Layout::MAX_DEPTH + 1)),
            Err(TooDeep {
                at: 5 + Layout::MAX_DEPTH * 8 + 7,
            }),
        ),
        ("depth 100 000", sealed(&nested(100_000)), Err(TooLong)),
    ] {
        let read = Layout::parse(text.as_bytes()).map(|layout| layout.is_tiled());
        assert_eq!(read, expected, "{item}");
    }
    let deepest = sealed(&nested(Layout::MAX_DEPTH));
    assert!(Layout::parse(deepest.as_bytes()).is_ok(), "depth 1024");
}
