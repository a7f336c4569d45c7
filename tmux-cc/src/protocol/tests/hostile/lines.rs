//! Lines outside any block: names, escapes, ids, output, subscriptions.

use super::*;
use crate::wire::Escaped;

/// A line that is not understood, and comes as it is.
#[track_caller]
fn unknown(item: &str, line: &[u8]) {
    outside(
        item,
        line,
        &[&format!("unknown \"{}\"", line.escape_ascii())],
    );
}

#[test]
fn names_of_lines() {
    for line in ["%", "%%", "% output", "%OUTPUT", "%outputx", "%foo-bar baz"] {
        unknown(line, line.as_bytes());
    }
    unknown("%OUTPUT with its fields", b"%OUTPUT %0 x");
    unknown("%exits", b"%exits");
    unknown("%sessions-changed with a field", b"%sessions-changed ");
    let large = [b"%foo-bar ".to_vec(), vec![b'x'; 1 << 20]].concat();
    unknown("1 MB unknown line", &large);
    outside("empty line outside block", b"", &["stray \"\""]);
    outside("CR outside block", b"\r", &["stray \"\\r\""]);
    outside("NUL outside block", b"\0", &["stray \"\\x00\""]);
    let large = vec![b'x'; 1 << 20];
    let stray = format!("stray \"{}\"", large.escape_ascii());
    outside("1 MB stray line", &large, &[&stray]);
}

/// Output: the payload comes as it is, and decodes to these bytes with so many errors.
#[track_caller]
fn payload(item: &str, payload: &[u8], decoded: &[u8], malformed: usize) {
    let line = [b"%output %0 ", payload].concat();
    let told = format!("output %0 \"{}\"", payload.escape_ascii());
    outside(item, &line, &[&told]);
    let mut out = Vec::new();
    let found = Escaped::new(payload).decode_into(&mut out);
    assert_eq!((&out[..], found.malformed), (decoded, malformed), "{item}");
}

#[test]
fn escapes() {
    for (item, bytes, decoded, malformed) in [
        (r"\", &br"\"[..], &br"\"[..], 1),
        (r"\1", br"\1", br"\1", 1),
        (r"\12", br"\12", br"\12", 1),
        (r"\8aa", br"\8aa", br"\8aa", 1),
        (r"\400", br"\400", br"\400", 1),
        (r"\777", br"\777", br"\777", 1),
        (r"\\", br"\\", br"\\", 2),
        (r"\134134", br"\134134", br"\134", 0),
        (r"trailing \ at EOL", br"a\012\", b"a\n\\", 1),
        (r"trailing \01 at EOL", br"a\012\01", b"a\n\\01", 1),
        (
            "overlong UTF-8",
            b"\xc0\xaf\xe0\x80\xaf",
            b"\xc0\xaf\xe0\x80\xaf",
            0,
        ),
        (
            "surrogates",
            b"\xed\xa0\x80\xed\xbf\xbf",
            b"\xed\xa0\x80\xed\xbf\xbf",
            0,
        ),
        (
            "beyond the last character",
            b"\xf4\x90\x80\x80",
            b"\xf4\x90\x80\x80",
            0,
        ),
        ("only-DEL lines", b"\x7f\x7f\x7f", b"\x7f\x7f\x7f", 0),
    ] {
        payload(item, bytes, decoded, malformed);
    }
}

#[test]
fn all_256_bytes() {
    let all: Vec<u8> = (0..=255).collect();
    let escaped: Vec<u8> = all
        .iter()
        .flat_map(|&byte| match byte {
            ..0x20 | b'\\' => format!("\\{byte:03o}").into_bytes(),
            _ => vec![byte],
        })
        .collect();
    payload("all 256 bytes, as tmux sends them", &escaped, &all, 0);
    // A server that escapes nothing: the backslash begins no escape.
    let raw: Vec<u8> = all.iter().copied().filter(|&byte| byte != b'\n').collect();
    payload("all 256 bytes but LF, raw", &raw, &raw, 1);
    inside("all 256 bytes but LF, in a body", &raw);
}

#[test]
fn four_byte_utf8_split_at_every_offset() {
    let character = "😀".as_bytes();
    for cut in 0..=character.len() {
        let (head, tail) = character.split_at(cut);
        let line = [&b"%output %0 "[..], head, b"\n%output %0 ", tail].concat();
        let told = [head, tail].map(|part| format!("output %0 \"{}\"", part.escape_ascii()));
        let item = format!("4-byte UTF-8 split at {cut}");
        outside(&item, &line, &[&told[0], &told[1]]);
    }
}

#[test]
fn ids() {
    for (item, line) in [
        ("%", "%output % x"),
        ("%-1", "%output %-1 x"),
        ("%4294967296", "%output %4294967296 x"),
        ("@", "%window-add @"),
        ("@4294967296", "%window-add @4294967296"),
        ("$", "%session-changed $ x"),
        ("$4294967296", "%session-changed $4294967296 x"),
        ("wrong sigil: window for pane", "%output @0 x"),
        ("wrong sigil: pane for window", "%window-add %0"),
        ("wrong sigil: window for session", "%session-changed @0 x"),
        ("wrong sigil: none", "%output 0 x"),
        ("missing field: pane", "%pause"),
        ("missing field: pane, but a space", "%pause "),
        ("missing field: second pane", "%window-pane-changed @0"),
        ("missing field: name", "%session-changed $0"),
        ("missing field: layout", "%layout-change @0"),
        ("pane id %01", "%output %01 x"),
        ("pane id %+1", "%output %+1 x"),
        ("more fields than there are", "%pause %0 x"),
    ] {
        unknown(item, line.as_bytes());
    }
    outside(
        "%4294967295",
        b"%output %4294967295 x",
        &["output %4294967295 \"x\""],
    );
    outside(
        "@4294967295",
        b"%window-add @4294967295",
        &["WindowAdd { window: WindowId(4294967295) }"],
    );
}

#[test]
fn output() {
    payload("empty payload", b"", b"", 0);
    payload("payload starting with spaces", b"  x", b"  x", 0);
    payload("payload like a guard", b"%end 1 11 1", b"%end 1 11 1", 0);
    unknown("no payload", b"%output %0");
    for (item, line, told) in [
        (
            "%extended-output %0 5 x y : data : more",
            &b"%extended-output %0 5 x y : data : more"[..],
            "ExtendedOutput { pane: PaneId(0), age: 5, data: Escaped(\"data : more\") }",
        ),
        (
            "%extended-output with an empty payload",
            b"%extended-output %0 5 : ",
            "ExtendedOutput { pane: PaneId(0), age: 5, data: Escaped(\"\") }",
        ),
        (
            "age 2^64-1",
            b"%extended-output %0 18446744073709551615 : x",
            "ExtendedOutput { pane: PaneId(0), age: 18446744073709551615, data: Escaped(\"x\") }",
        ),
    ] {
        outside(item, line, &[told]);
    }
    for (item, line) in [
        ("%extended-output without ` : `", "%extended-output %0 5 x"),
        ("%extended-output with ` :` only", "%extended-output %0 5 :"),
        ("age 2^64", "%extended-output %0 18446744073709551616 : x"),
        ("age -1", "%extended-output %0 -1 : x"),
        ("no age", "%extended-output %0 : x"),
    ] {
        unknown(item, line.as_bytes());
    }
}

/// `16 MB line`: an error, no growth, and the next line is right.
#[test]
fn output_of_sixteen_megabytes_is_an_error_and_no_growth() {
    let mut conn = new(Limits::default());
    conn.receive(b"%output %0 ");
    for _ in 0..(16 << 20) / 4096 {
        conn.receive(&[b'x'; 4096]);
        assert!(conn.poll_event().is_none());
        assert!(conn.held() < 3 * Limits::default().line);
    }
    conn.receive(b"\n%output %0 y\n");
    let mut told = Vec::new();
    drain(&mut conn, &mut told);
    assert!(told[0].starts_with("LineTooLong {"), "{}", told[0]);
    assert!(told[0].ends_with("length: 16777227 }"), "{}", told[0]);
    assert_eq!(told[1..], ["output %0 \"y\""]);
}

#[test]
fn subscriptions() {
    let told = |name: &str, window: &str, index: &str, pane: &str, value: &str| {
        let (name, value) = (name.as_bytes(), value.as_bytes());
        format!(
            "SubscriptionChanged {{ name: {name:?}, session: SessionId(0), window: {window}, \
             index: {index}, pane: {pane}, value: {value:?} }}"
        )
    };
    let (window, index, pane) = ("Some(WindowId(0))", "Some(2)", "Some(PaneId(1))");
    for (item, line, expected) in [
        (
            "name with spaces",
            "%subscription-changed bad  name $0 @0 2 %1 : v",
            vec![told("bad  name", window, index, pane, "v")],
        ),
        (
            "name with the beginning of other fields",
            "%subscription-changed a $1 @7 $0 @0 2 %1 : v",
            vec![told("a $1 @7", window, index, pane, "v")],
        ),
        (
            "name like an id",
            "%subscription-changed $1 @7 $0 @0 2 %1 : v",
            vec![told("$1 @7", window, index, pane, "v")],
        ),
        (
            "value containing ` : `",
            "%subscription-changed n $0 @0 2 %1 : a : b",
            vec![told("n", window, index, pane, "a : b")],
        ),
        (
            "value with newline: the second half is a stray line",
            "%subscription-changed n $0 @0 2 %1 : a\nb c",
            vec![
                told("n", window, index, pane, "a"),
                "stray \"b c\"".to_owned(),
            ],
        ),
        (
            "value with newline: the second half is a notification",
            "%subscription-changed n $0 @0 2 %1 : a\n%window-add @1",
            vec![
                told("n", window, index, pane, "a"),
                "WindowAdd { window: WindowId(1) }".to_owned(),
            ],
        ),
        (
            "empty value",
            "%subscription-changed n $0 @0 2 %1 : ",
            vec![told("n", window, index, pane, "")],
        ),
        (
            "all `-`",
            "%subscription-changed n $0 - - - : v",
            vec![told("n", "None", "None", "None", "v")],
        ),
    ] {
        let expected: Vec<_> = expected.iter().map(String::as_str).collect();
        outside(item, line.as_bytes(), &expected);
    }
    unknown("no name", b"%subscription-changed $0 @0 2 %1 : v");
    unknown("no ` : `", b"%subscription-changed n $0 @0 2 %1 :");
    unknown("no session", b"%subscription-changed n - - - - : v");
}

#[test]
fn names_of_things() {
    let large = "x".repeat(100_000);
    let renamed = |name: &[u8]| format!("WindowRenamed {{ window: WindowId(0), name: {name:?} }}");
    for (item, name) in [
        ("window `%end 1 2 3`", &b"%end 1 2 3"[..]),
        ("name with trailing spaces", b"a  b   "),
        ("UTF-8", "é€😀".as_bytes()),
        ("invalid UTF-8", b"\xff\xfe\xc3"),
        ("100 KB", large.as_bytes()),
        ("empty (`%window-renamed @0 `)", b""),
        ("a name like an id", b"@1 %2"),
        ("a name with a CR", b"a\r"),
    ] {
        let line = [b"%window-renamed @0 ", name].concat();
        outside(item, &line, &[&renamed(name)]);
    }
    for (item, name) in [("session `my sess`", "my sess"), ("session ` `", " ")] {
        let told = format!(
            "SessionChanged {{ session: SessionId(0), name: {:?} }}",
            name.as_bytes()
        );
        outside(
            item,
            format!("%session-changed $0 {name}").as_bytes(),
            &[&told],
        );
    }
    outside(
        "client with a name of two words",
        b"%client-session-changed client-1 $0 my sess",
        &[
            "ClientSessionChanged { client: [99, 108, 105, 101, 110, 116, 45, 49], session: \
           SessionId(0), name: [109, 121, 32, 115, 101, 115, 115] }",
        ],
    );
}
