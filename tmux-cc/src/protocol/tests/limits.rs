//! What passes a limit is an error for one thing alone, and nothing grows.

use super::*;
use crate::protocol::CommandError;

#[test]
fn a_reply_over_its_limit_is_an_error_for_its_command_alone() {
    let limits = Limits::default().reply(300);
    let large = "x".repeat(299);
    let over = "reply 0: TooLarge { limit: 300 }";
    for body in [
        &format!("B11|{large}x|E11"),
        &"B11|0123456789|E11|".repeat(100)[..1899],
        &format!("B11|{large}|E11|B12|1|E12"),
        &format!("B11|{large}x|more|X11|B12|1|E12|B13|E13"),
    ] {
        attached_within(
            limits,
            &[
                send("a"),
                send("b"),
                say(&format!("{body}|F0|B21|2|E21|F1")),
            ],
            &[
                &["NumberWentBack { from: 11, to: 11 }"].repeat(if body.len() == 1899 {
                    99
                } else {
                    0
                })[..],
                &[over, "reply 1: ok \"2\\n\""],
            ]
            .concat(),
        );
    }
    // Of just the limit: the body and its newline, and what a block weighs.
    let fits = "x".repeat(150);
    attached_within(
        limits,
        &[send("a"), say(&format!("B11|{fits}|E11|F0"))],
        &[&format!("reply 0: ok \"{fits}\\n\"")],
    );
}

#[test]
fn a_fence_passes_where_a_reply_has_no_room() {
    attached_within(
        Limits::default().reply(0),
        &[send("a"), say("B11|E11|F0"), send("b"), say("B21|x|E21|F1")],
        &[
            "reply 0: TooLarge { limit: 0 }",
            "reply 1: TooLarge { limit: 0 }",
        ],
    );
}

#[test]
fn an_unsolicited_block_over_the_limit_is_skipped() {
    let limits = Limits::default().reply(10);
    attached_within(
        limits,
        &[say("b5|0123456789|e5|b6|012345678|e6")],
        &[
            "UnsolicitedTooLarge(Guard { time: 1, number: 5, flags: 0 })",
            "unsolicited ok \"012345678\\n\"",
        ],
    );
    attached_within(
        limits,
        &[say("B5|0123456789|E5|B6|%exit 01234|E6")],
        &[
            "UnsolicitedTooLarge(Guard { time: 1, number: 5, flags: 1 })",
            "UnsolicitedTooLarge(Guard { time: 1, number: 6, flags: 1 })",
        ],
    );
    // A greeting over it still attaches.
    check_within(
        limits,
        &[say("b1|0123456789|e1"), send("a"), say("F0")],
        &[
            "UnsolicitedTooLarge(Guard { time: 1, number: 1, flags: 0 })",
            "attached ok \"\"",
            "reply 0: ",
        ],
    );
}

#[test]
fn a_line_over_the_limit_outside_a_block() {
    let limits = Limits::default().line(40);
    let long = "%output %0 ".to_owned() + &"x".repeat(100);
    let skipped = format!(
        "LineTooLong {{ prefix: {:?}, length: 111 }}",
        &long.as_bytes()[..64]
    );
    let steps = [say(&format!("%output %0 a|{long}|%output %0 b"))];
    attached_within(
        limits,
        &steps,
        &["output %0 \"a\"", &skipped, "output %0 \"b\""],
    );
    attached_within(
        limits,
        &[say("%exit"), say(&long), End],
        &[
            "exit \"\"",
            "FalseExit { reason: [] }",
            &skipped,
            "exited Eof",
        ],
    );
    let died = "%output %0 a%exit server exited unexpectedly";
    attached_within(
        limits.line(60),
        &[say(died), say(&long), End],
        &[
            "output %0 \"a%exit server exited unexpectedly\"",
            &skipped,
            "exited Eof",
        ],
    );
    attached_within(limits, &[say_cut(&long), End], &[&skipped, "exited Eof"]);
    let fits = "%output %0 ".to_owned() + &"x".repeat(29);
    attached_within(
        limits,
        &[say(&fits)],
        &[&format!("output %0 \"{}\"", "x".repeat(29))],
    );
}

#[test]
fn a_line_over_the_limit_within_a_block() {
    let limits = Limits::default().line(40);
    let long = "x".repeat(41);
    attached_within(
        limits,
        &[
            send("a"),
            send("b"),
            say(&format!("B11|a|{long}|b|E11|F0|B21|c|E21|F1")),
        ],
        &[
            "reply 0: TooLarge { limit: 16777216 }",
            "reply 1: ok \"c\\n\"",
        ],
    );
    attached_within(
        limits,
        &[say(&format!("b11|{long}|e11"))],
        &["UnsolicitedTooLarge(Guard { time: 1, number: 11, flags: 0 })"],
    );
    attached_within(
        limits,
        &[send("a"), say_cut(&format!("B11|a|{long}")), End],
        &["reply 0: Disconnected(Eof)", "exited Eof"],
    );
}

#[test]
fn a_line_over_the_limit_behind_a_doubted_block() {
    let limits = Limits::default().line(40);
    let long = "x".repeat(50);
    let skipped = format!(
        "LineTooLong {{ prefix: {:?}, length: 50 }}",
        long.as_bytes()
    );
    attached_within(
        limits,
        &[
            send("a"),
            say(&format!(
                "B11|%end 1 1 1|E11|%output %0 a|{long}|%output %0 b|F0"
            )),
        ],
        &[
            "output %0 \"a\"",
            &skipped,
            "output %0 \"b\"",
            "reply 0: ok \"%end 1 1 1\\n\" Lookalike",
        ],
    );
    attached_within(
        limits,
        &[
            send("a ; b"),
            say(&format!(
                "B11|%end 1 1 1|E11|B12|a|{long}|b|E12|F0|%output %0 b"
            )),
        ],
        &["reply 0: TooLarge { limit: 16777216 }", "output %0 \"b\""],
    );
}

#[test]
fn a_terminals_wrapping_does_not_count() {
    let limits = Limits::default().line(40);
    let wrapped =
        |line: &str| Step::Say(format!("\x1bP1000p{line}\r\n{line}\r\nok\r\n").into_bytes());
    let fits = "x".repeat(40);
    let stray = format!("stray \"{fits}\"");
    check_within(limits, &[wrapped(&fits)], &[&stray, &stray, "stray \"ok\""]);
    let long = "x".repeat(41);
    let skipped = format!(
        "LineTooLong {{ prefix: {:?}, length: 41 }}",
        long.as_bytes()
    );
    check_within(
        limits,
        &[wrapped(&long)],
        &[&skipped, &skipped, "stray \"ok\""],
    );
}

#[test]
fn more_commands_than_may_wait_are_refused() {
    let mut conn = new(Limits::default().pending(2));
    conn.send(&Command::raw("a")).unwrap();
    conn.send(&Command::raw("b")).unwrap();
    let full = Err(CommandError::Full { pending: 2 });
    assert_eq!(conn.send(&Command::raw("c")), full);
    conn.receive(&stream("b1|e1|F0"));
    let mut told = Vec::new();
    drain(&mut conn, &mut told);
    assert_eq!(conn.send(&Command::raw("c")).unwrap().0, 2);
    let lines = conn.poll_transmit().unwrap();
    assert_eq!(lines.iter().filter(|&&b| b == b'\n').count(), 6);
}

#[test]
fn nothing_grows() {
    let limits = Limits::default().line(1000).reply(10_000);
    let over = |conn: &Connection| conn.held() > 2 * (1000 + 10_000) + (256 << 10);
    for (name, opening, line) in [
        (
            "one line without end",
            "",
            &b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"[..],
        ),
        ("a body without end", "B11", b"%end 1 12 1\n"),
        (
            "blocks without a fence",
            "",
            b"%begin 1 1 1\nx\n%end 1 1 1\n",
        ),
        (
            "doubt without a fence",
            "B11|%end 1 1 1|E11",
            b"%output %0 x\n",
        ),
        (
            "doubt and copies",
            "B11|%end 1 1 1|E11",
            b"%end 1 11 1\n%begin 1 11 1\n",
        ),
        (
            "the client's end again and again",
            "",
            b"%output %0 x%exit server exited unexpectedly\n",
        ),
        ("ends", "", b"%exit server exited unexpectedly\n"),
    ] {
        let mut conn = new(limits);
        conn.receive(&stream("b1|e1"));
        conn.send(&Command::raw("a")).unwrap();
        if !opening.is_empty() {
            conn.receive(&stream(opening));
        }
        for _ in 0..2000 {
            conn.receive(&line.repeat(10));
            assert!(!over(&conn), "{name}: {} bytes", conn.held());
            while conn.poll_event().is_some() {}
        }
    }
}
