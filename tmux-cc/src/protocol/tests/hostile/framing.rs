//! Framing: guards, where blocks end, and the ends of streams.

use super::*;

/// Fields that are no guard, in the place of `1 11 1`.
const NO_GUARDS: [(&str, &str); 22] = [
    ("guard with 1 field", "1"),
    ("guard with 2 fields", "1 11"),
    ("guard with 4 fields", "1 11 1 1"),
    ("guard with a sign: time", "+1 11 1"),
    ("guard with a sign: number", "1 +11 1"),
    ("guard with a sign: negative", "1 -11 1"),
    ("guard with leading zeros: time", "01 11 1"),
    ("guard with leading zeros: number", "1 011 1"),
    ("guard with leading zeros: flags", "1 11 01"),
    ("guard with 2^32", "1 4294967296 1"),
    ("guard with 2^32 and the number", "1 4294967307 1"),
    ("guard with 2^64", "18446744073709551616 11 1"),
    ("guard with 2^64 and the time", "18446744073709551617 11 1"),
    ("guard with 30 digits", "1 999999999999999999999999999999 1"),
    ("guard with a tab", "1\t11 1"),
    ("guard with double spaces", "1  11 1"),
    ("guard with a trailing space", "1 11 1 "),
    ("guard with a CR before LF", "1 11 1\r"),
    ("guard with a NUL byte", "1 11 1\0"),
    ("guard with a NUL byte between", "1\0 11 1"),
    ("flags -1", "1 11 -1"),
    ("flags 2^32", "1 11 4294967296"),
];

#[test]
fn guards_that_are_none_to_the_letter() {
    for (item, fields) in NO_GUARDS {
        for kind in ["begin", "end", "error"] {
            let line = format!("%{kind} {fields}");
            let unknown = format!("unknown \"{}\"", line.as_bytes().escape_ascii());
            outside(item, line.as_bytes(), &[&unknown]);
            inside(item, line.as_bytes());
        }
    }
}

#[test]
fn ends_of_blocks() {
    let reply = "reply 0: ok \"a\\n\"";
    rows(&[
        (
            "%end with wrong number inside block",
            vec![send("x"), say("B11|a|E12|E11|F0")],
            &["reply 0: ok \"a\\n%end 1 12 1\\n\" Lookalike"],
        ),
        (
            "%end with wrong time inside block",
            vec![send("x"), say("B11|a|%end 2 11 1|E11|F0")],
            &["reply 0: ok \"a\\n%end 2 11 1\\n\" Lookalike"],
        ),
        (
            "%end with wrong flags inside block",
            vec![send("x"), say("B11|a|e11|E11|F0")],
            &["reply 0: ok \"a\\n%end 1 11 0\\n\" Lookalike"],
        ),
        (
            "%end without begin",
            vec![say("E5|%output %0 x")],
            &[
                "UnmatchedGuard(GuardLine { kind: End, guard: Guard { time: 1, number: 5, flags: 1 } })",
                "output %0 \"x\"",
            ],
        ),
        (
            "%error without begin",
            vec![say("x7|%output %0 x")],
            &[
                "UnmatchedGuard(GuardLine { kind: Error, guard: Guard { time: 1, number: 7, flags: 0 } })",
                "output %0 \"x\"",
            ],
        ),
        (
            "%end twice",
            vec![say("B11|E11|E11")],
            &[
                "unsolicited ok \"\"",
                "Spoofed(Guard { time: 1, number: 11, flags: 1 })",
            ],
        ),
        (
            "%begin inside block",
            vec![send("x"), say("B11|a|B12|E12|E11|F0")],
            &["reply 0: ok \"a\\n%begin 1 12 1\\n%end 1 12 1\\n\" Lookalike"],
        ),
        (
            "%begin inside block that nobody typed",
            vec![say("b2|b3|e3|%end 1 2 1|e2")],
            &["unsolicited ok \"%begin 1 3 0\\n%end 1 3 0\\n%end 1 2 1\\n\""],
        ),
        (
            "two %begin in a row, the same",
            vec![send("x"), say("B11|B11|a|E11|F0")],
            &["reply 0: ok \"%begin 1 11 1\\na\\n\" Lookalike"],
        ),
        (
            "two %begin in a row, the first is nobody's",
            vec![send("x"), say("B10|B11|a|E11|F0")],
            &[
                "NeverClosed(Guard { time: 1, number: 10, flags: 1 })",
                reply,
            ],
        ),
        (
            "EOF inside block",
            vec![send("x"), send("y"), say("B11|a"), End],
            &[
                "reply 0: Disconnected(Eof)",
                "reply 1: Disconnected(Eof)",
                "exited Eof",
            ],
        ),
        (
            "EOF inside block that nobody typed",
            vec![say("b11|a"), End],
            &["exited Eof"],
        ),
        (
            "the largest numbers there are",
            vec![say(
                "%begin 18446744073709551615 4294967295 4294967295|%end 18446744073709551615 4294967295 4294967295",
            )],
            &[
                "NumberWentBack { from: 1, to: 4294967295 }",
                "unsolicited ok \"\"",
            ],
        ),
        (
            "missing final LF of a fence",
            vec![send("x"), say_cut("B11|a|E11|F0"), End],
            &["reply 0: Disconnected(Eof)", "exited Eof"],
        ),
        (
            "missing final LF of output",
            vec![say_cut("%output %0 ab\\01"), End],
            &["output %0 \"ab\"", "exited Eof"],
        ),
        (
            "missing final LF of %exit",
            vec![say_cut("%exit"), End],
            &["exited Detached"],
        ),
        (
            "missing final LF of anything else",
            vec![say_cut("%window-add @1"), End],
            &[
                "CutLine { line: [37, 119, 105, 110, 100, 111, 119, 45, 97, 100, 100, 32, 64, 49] }",
                "exited Eof",
            ],
        ),
        (
            "flags 2: nobody typed it",
            vec![send("x"), say("%begin 1 2 2|%end 1 2 2|B11|a|E11|F0")],
            &["unsolicited ok \"\"", reply],
        ),
        (
            "flags 3: typed, and more",
            vec![send("x"), say("%begin 1 11 3|a|%end 1 11 3|F0")],
            &[reply],
        ),
    ]);
}

#[test]
fn number_going_backwards() {
    let back = |from: u32, to: u32| format!("NumberWentBack {{ from: {from}, to: {to} }}");
    rows(&[
        (
            "number going backwards",
            vec![say("b5|e5|b4|e4|b4|e4|b9|e9")],
            &[
                "unsolicited ok \"\"",
                &back(5, 4),
                "unsolicited ok \"\"",
                &back(4, 4),
                "unsolicited ok \"\"",
                "unsolicited ok \"\"",
            ],
        ),
        (
            "number going backwards within a reply",
            vec![send("x"), say("B11|E11|B10|a|E10|F0")],
            &[&back(11, 10), "reply 0: ok \"\", ok \"a\\n\" Broken"],
        ),
        (
            "number that wraps",
            vec![say(
                "b2000000000|e2000000000|b4000000000|e4000000000|b4294967295|e4294967295|b0|e0|b7|e7",
            )],
            &["unsolicited ok \"\""; 5],
        ),
        (
            "number that wraps within a reply",
            vec![
                send("x"),
                say(
                    "b2000000000|e2000000000|b4000000000|e4000000000|B4294967295|E4294967295|B0|1|E0|F0",
                ),
            ],
            &[
                "unsolicited ok \"\"",
                "unsolicited ok \"\"",
                "reply 0: ok \"\", ok \"1\\n\"",
            ],
        ),
    ]);
}

#[test]
fn exit_and_the_ends_of_a_terminals_stream() {
    inside("%exit inside a body", b"%exit");
    inside("%exit with a reason inside a body", b"%exit too far behind");
    inside(
        "the server's death inside a body",
        b"%exit server exited unexpectedly",
    );
    inside("ESC \\ inside a body", b"\x1b\\");
    inside("ESC P1000p inside a body", b"\x1bP1000p");
    let raw = |bytes: &[u8]| Step::Say(bytes.to_vec());
    let reason = "FalseExit { reason: [] }";
    rows(&[
        (
            "bytes after %exit: a line",
            vec![say("%exit|%output %0 x"), End],
            &["exit \"\"", reason, "output %0 \"x\"", "exited Eof"],
        ),
        (
            "bytes after %exit: a block",
            vec![send("x"), say("%exit|B11|a|E11|F0")],
            &["exit \"\"", reason, "reply 0: ok \"a\\n\""],
        ),
        (
            "bytes after %exit: half a line",
            vec![say("%exit"), say_cut("x"), End],
            &["exit \"\"", reason, "CutLine { line: [120] }", "exited Eof"],
        ),
        (
            "bytes after %exit: an empty line",
            vec![say("%exit|"), End],
            &["exit \"\"", reason, "stray \"\"", "exited Eof"],
        ),
        (
            "ESC \\ without CRLF",
            vec![raw(b"%exit\n\x1b\\"), End],
            &["exit \"\"", "exited Detached"],
        ),
        (
            "ESC \\ with LF",
            vec![raw(b"%exit\n\x1b\\\n"), End],
            &["exit \"\"", "exited Detached"],
        ),
        (
            "ESC of ESC \\ only",
            vec![raw(b"%exit\n\x1b"), End],
            &["exit \"\"", "exited Detached"],
        ),
        (
            "ESC \\ where nothing ends",
            vec![raw(b"\x1b\\\n%output %0 x\n")],
            &["stray \"\\x1b\\\\\"", "output %0 \"x\""],
        ),
        (
            "ESC P1000p in the middle",
            vec![raw(
                b"\x1bP1000px\n\x1bP1000p%exit\na\x1bP1000p\n\x1bP1000p%begin 1 2 0\n",
            )],
            &[
                "stray \"\\x1bP1000px\"",
                "stray \"\\x1bP1000p%exit\"",
                "stray \"a\\x1bP1000p\"",
                "stray \"\\x1bP1000p%begin 1 2 0\"",
            ],
        ),
    ]);
}

/// `ESC P1000p` at the start, split across reads: only there does it mean anything.
#[test]
fn a_terminals_stream() {
    let wrapped = "\x1bP1000p%begin 1 1 0\r\n%end 1 1 0\r\n%begin 1 11 1\r\na\r\r\n%end 1 11 1\r\n";
    for (item, end, exited) in [
        ("ESC P1000p at start, nothing at the end", "", "exited Eof"),
        (
            "ESC P1000p at start, ESC \\ without CRLF",
            "%exit\r\n\x1b\\",
            "exited Detached",
        ),
        (
            "ESC P1000p at start, ESC \\ with CRLF",
            "%exit\r\n\x1b\\\r\n",
            "exited Detached",
        ),
        (
            "ESC P1000p at start, ESC only",
            "%exit\r\n\x1b",
            "exited Detached",
        ),
        ("ESC P1000p at start, no LF", "%exit", "exited Detached"),
    ] {
        let stream = format!("{wrapped}{end}").into_bytes();
        let mut expected = vec!["attached ok \"\"", "unsolicited ok \"a\\r\\n\""];
        if end.contains('\n') {
            expected.push("exit \"\"");
        }
        expected.push(exited);
        // Every split of the introducer into two reads, and every byte alone.
        for cut in 0..=9 {
            let (head, tail) = stream.split_at(cut);
            let steps = [Step::Say(head.to_vec()), Step::Say(tail.to_vec()), End];
            for size in [usize::MAX, 1, 5] {
                let told = play(Limits::default(), &steps, size, true);
                assert_eq!(told, expected, "{item}, cut at {cut}, in pieces of {size}");
            }
        }
    }
    let told = play(
        Limits::default(),
        &[Step::Say(b"\x1bP1000p".to_vec()), End],
        1,
        true,
    );
    let cut = "CutLine { line: [27, 80, 49, 48, 48, 48, 112] }";
    assert_eq!(told, [cut, "exited Eof"], "ESC P1000p and no more");
}
