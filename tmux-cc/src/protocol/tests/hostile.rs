//! The hostile list: every item of it is a row, with what is said of it, in the order of the list.
//!
//! | Part | Where |
//! |---|---|
//! | Framing | [`framing`] |
//! | Names of lines, escapes, ids, output, subscriptions, names of things | [`lines`] |
//! | Layouts | [`layouts`] |
//! | Commands | [`commands`] |
//! | Behaviour | here, and live, below |
//!
//! Of behaviour, what needs a real tmux is in `tests/live`:
//!
//! | Item | Test |
//! |---|---|
//! | The reader stops | `backpressure::commands_are_answered_while_nobody_takes_the_output`, `memory::a_slow_consumer_costs_neither_memory_nor_replies` |
//! | The server is killed in the middle of a block | `faults::every_pending_command_hears_that_the_server_died` |
//! | The client is killed | `following::a_client_that_is_taken_away_comes_back` |
//! | A reply larger than a pipe while the writer waits | `backpressure::large_commands_and_large_replies_pass_each_other`, `backpressure::a_peer_that_answers_before_it_reads_on_is_no_deadlock` |
//! | Hook spam | `replies::every_reply_is_that_of_its_command` |
//!
//! What somebody can do who writes guards into a body is in [`forged`](super::forged).

mod commands;
mod framing;
mod layouts;
mod lines;

use super::*;

/// An item of the list, what happens, and what is said of it.
type Row<'a> = (&'a str, Vec<Step>, &'a [&'a str]);

/// On a connection that has attached, whatever the pieces.
#[track_caller]
fn rows(rows: &[Row<'_>]) {
    for (item, steps, expected) in rows {
        row(item, steps, expected);
    }
}

#[track_caller]
fn row(item: &str, steps: &[Step], expected: &[&str]) {
    let steps = [&[say("b1|e1")], steps].concat();
    let expected = [&["attached ok \"\""], expected].concat();
    let said = |step: &Step| match step {
        Step::Say(bytes) => bytes.len(),
        _ => 0,
    };
    let long = steps.iter().map(said).sum::<usize>() > 5000;
    let sizes: &[usize] = if long {
        &[usize::MAX, 4096, 1000]
    } else {
        &[usize::MAX, 1, 2, 3, 7, 61]
    };
    for &size in sizes {
        for eager in [true, false] {
            let told = play(Limits::default(), &steps, size, eager);
            assert_eq!(told, expected, "{item}, in pieces of {size}");
        }
    }
}

/// Lines outside any block: what is said of them, before what follows and the end.
#[track_caller]
fn outside(item: &str, lines: &[u8], expected: &[&str]) {
    let stream = [lines, b"\n%output %9 next\n"].concat();
    let expected = [expected, &["output %9 \"next\"", "exited Eof"]].concat();
    row(item, &[Step::Say(stream), End], &expected);
}

/// A line in the body of a reply: a part of it like any other, and no spoof either.
#[track_caller]
fn inside(item: &str, line: &[u8]) {
    let stream = [
        &stream("B11|a")[..],
        line,
        b"\n",
        &stream("b|E11|F0|B21|E21|F1"),
    ]
    .concat();
    let reply = format!("reply 0: ok \"a\\n{}\\nb\\n\"", line.escape_ascii());
    let steps = [send("x"), send("y"), Step::Say(stream)];
    row(item, &steps, &[&reply, "reply 1: ok \"\""]);
}

#[test]
fn behaviour() {
    let mut spam = String::from("B11|E11");
    for number in 0..200 {
        spam += &format!("|b{0}|hook|e{0}", 12 + number);
    }
    let hooks = ["unsolicited ok \"hook\\n\""; 200];
    let spammed = [&hooks[..], &["reply 0: ok \"\"", "reply 1: ok \"1\\n\""]].concat();
    let spam = format!("{spam}|B300|{FENCE}0|E300|B301|1|E301|B302|{FENCE}1|E302");

    rows(&[
        (
            "partial reads of 1 byte",
            vec![send("a"), say("B11|one|E11|%output %0 x\\012|F0")],
            &["output %0 \"x\\\\012\"", "reply 0: ok \"one\\n\""],
        ),
        (
            "server killed in the middle of a block",
            vec![
                send("a"),
                say_cut("B11|one|tw%exit server exited unexpectedly"),
                End,
            ],
            &[
                "reply 0: Disconnected(Reason([115, 101, 114, 118, 101, 114, 32, 101, 120, 105, \
                 116, 101, 100, 32, 117, 110, 101, 120, 112, 101, 99, 116, 101, 100, 108, 121]))",
                "exited Reason([115, 101, 114, 118, 101, 114, 32, 101, 120, 105, 116, 101, 100, \
                 32, 117, 110, 101, 120, 112, 101, 99, 116, 101, 100, 108, 121])",
            ],
        ),
        (
            "client killed in the middle of a block",
            vec![send("a"), say_cut("B11|one|tw"), End],
            &["reply 0: Disconnected(Eof)", "exited Eof"],
        ),
        (
            "client killed in the middle of a line",
            vec![send("a"), say_cut("%window-ad"), End],
            &[
                "CutLine { line: [37, 119, 105, 110, 100, 111, 119, 45, 97, 100] }",
                "reply 0: Disconnected(Eof)",
                "exited Eof",
            ],
        ),
        (
            "%pause inside block",
            vec![
                send("refresh-client -A '%0:pause'"),
                say("B11|%pause %0|E11|F0"),
            ],
            &["Pause { pane: PaneId(0) }", "reply 0: ok \"\""],
        ),
        (
            "%pause inside block of another command",
            vec![send("capture-pane -p"), say("B11|%pause %0|E11|F0")],
            &["reply 0: ok \"%pause %0\\n\""],
        ),
        (
            "hook spam within a line",
            vec![send("a"), send("b"), say(&spam)],
            &spammed,
        ),
        (
            "clock step, back and forward",
            vec![
                send("a ; b"),
                say(
                    "%begin 9 11 1|1|%end 9 11 1|%begin 8 12 1|2|%end 8 12 1|%begin 18446744073709551615 13 0|%end 18446744073709551615 13 0|F0",
                ),
            ],
            &["unsolicited ok \"\"", "reply 0: ok \"1\\n\", ok \"2\\n\""],
        ),
        (
            "clock step within a block",
            vec![send("a"), say("B11|%end 2 11 1|E11|F0")],
            &["reply 0: ok \"%end 2 11 1\\n\" Lookalike"],
        ),
    ]);
}

/// `10 000 pipelined commands`, and as many blocks that nobody typed between them.
#[test]
fn a_flood_of_blocks_with_flags_0_reaches_nobody_and_is_not_kept() {
    let mut conn = new(Limits::default());
    conn.receive(&stream("b1|e1"));
    for _ in 0..10_000 {
        conn.send(&Command::raw("a")).unwrap();
    }
    let (mut hooks, mut replies, mut number) = (0, 0, 1);
    for id in 0..10_000 {
        for (flags, body) in [(0, "hook\n"), (1, "mine\n"), (1, &format!("{FENCE}{id}\n"))] {
            number += 1;
            conn.receive(
                format!("%begin 1 {number} {flags}\n{body}%end 1 {number} {flags}\n").as_bytes(),
            );
        }
        while let Some(event) = conn.poll_event() {
            match event {
                Event::Unsolicited(block) => hooks += usize::from(block.text() == b"hook"),
                Event::Reply(id, Ok(reply)) => {
                    assert_eq!((id.0, reply.text()), (replies, &b"mine"[..]));
                    replies += 1;
                }
                Event::Attached(_) => {}
                other => panic!("{other:?}"),
            }
        }
        assert!(conn.held() < 512 << 10, "{} bytes", conn.held());
    }
    assert_eq!((hooks, replies, conn.pending()), (10_000, 10_000, 0));
}
