//! What tmux does on good days and on its last.

use super::*;
use crate::protocol::CommandId;

const SERVER_DIED: &str = "%exit server exited unexpectedly";
const DIED: &str = "exited Reason([115, 101, 114, 118, 101, 114, 32, 101, 120, 105, 116, 101, 100, \
                    32, 117, 110, 101, 120, 112, 101, 99, 116, 101, 100, 108, 121])";
const DIED_SAID: &str = "exit \"server exited unexpectedly\"";

fn disconnected(id: u64, exit: &str) -> String {
    let exit = exit.strip_prefix("exited ").unwrap();
    format!("reply {id}: Disconnected({exit})")
}

#[test]
fn the_greeting_attaches() {
    check(&[say("b1|hello|e1")], &["attached ok \"hello\\n\""]);
    check(
        &[say(
            "~/.tmux.conf:1: unknown command: x|b1|e1|b2|hook|e2|%session-changed $0 a b ",
        )],
        &[
            "stray \"~/.tmux.conf:1: unknown command: x\"",
            "attached ok \"\"",
            "unsolicited ok \"hook\\n\"",
            "SessionChanged { session: SessionId(0), name: [97, 32, 98, 32] }",
        ],
    );
}

#[test]
fn the_greeting_refuses() {
    check(
        &[send("a"), say("b1|can't find session: x|x1|%exit"), End],
        &[
            "refused error \"can\\'t find session: x\\n\"",
            "exit \"\"",
            "reply 0: Disconnected(Detached)",
            "exited Detached",
        ],
    );
    check(
        &[say("unknown command: bogus|%exit"), End],
        &[
            "stray \"unknown command: bogus\"",
            "exit \"\"",
            "exited Detached",
        ],
    );
    check(&[End], &["exited Eof"]);
}

#[test]
fn nothing_is_transmitted_before_the_greeting() {
    let mut conn = new(Limits::default());
    conn.send(&Command::raw("first")).unwrap();
    let mut told = Vec::new();
    for early in ["%sessions-changed", "x1", "stray", "B2|E2"] {
        conn.receive(&stream(early));
        drain(&mut conn, &mut told);
        assert_eq!(conn.poll_transmit(), None, "{early}");
    }
    conn.receive(&stream("b3|e3"));
    drain(&mut conn, &mut told);
    conn.send(&Command::raw("second")).unwrap();
    let lines =
        format!("first\ndisplay-message -p {FENCE}0\nsecond\ndisplay-message -p {FENCE}1\n");
    assert_eq!(conn.poll_transmit().unwrap(), lines);
    assert_eq!(conn.poll_transmit(), None);
    conn.receive_end();
    drain(&mut conn, &mut told);
    assert!(conn.send(&Command::raw("late")).is_err());
}

#[test]
fn one_command() {
    attached(
        &[send("a"), say("B11|one|  two  |E11"), say("F0")],
        &["reply 0: ok \"one\\n  two  \\n\""],
    );
    attached(&[send("a"), say("B11||E11|F0")], &["reply 0: ok \"\\n\""]);
    attached(&[send("a"), say("B11|E11|F0")], &["reply 0: ok \"\""]);
}

#[test]
fn a_list_of_commands_an_alias_and_a_sourced_file_give_more_blocks() {
    attached(
        &[send("a ; b"), say("B11|E11|B12|b|E12|F0")],
        &["reply 0: ok \"\", ok \"b\\n\""],
    );
    attached(
        &[
            send("alias"),
            send("b"),
            say("B11|E11|B12|x|X12|B13|E13|F0|B21|E21|F1"),
        ],
        &[
            "reply 0: ok \"\", error \"x\\n\", ok \"\"",
            "reply 1: ok \"\"",
        ],
    );
}

#[test]
fn a_command_that_fails_ends_its_line() {
    attached(
        &[send("a ; b ; c"), say("B11|E11|B12|text|no|X12|F0")],
        &["reply 0: ok \"\", error \"text\\nno\\n\""],
    );
    attached(
        &[
            send("bogus"),
            send("b"),
            say("B11|parse error: unknown command: bogus|X11|F0|B21|E21|F1"),
        ],
        &[
            "reply 0: error \"parse error: unknown command: bogus\\n\"",
            "reply 1: ok \"\"",
        ],
    );
}

#[test]
fn comments_and_assignments_have_no_block() {
    attached(
        &[send("# x"), send("A=b"), send("c"), say("F0|F1|B31|E31|F2")],
        &["reply 0: ", "reply 1: ", "reply 2: ok \"\""],
    );
}

#[test]
fn blocks_of_hooks_are_nobodys_reply() {
    attached(
        &[
            send("a ; b"),
            say("b10|e10|B11|1|E11|b12|hook|x12|stray|B13|2|E13|b14|e14|F0|b20|e20"),
        ],
        &[
            "unsolicited ok \"\"",
            "unsolicited error \"hook\\n\"",
            "stray \"stray\"",
            "unsolicited ok \"\"",
            "reply 0: ok \"1\\n\", ok \"2\\n\"",
            "unsolicited ok \"\"",
        ],
    );
    // `if-shell -b` answers later, also within another command's reply.
    attached(
        &[
            send("if-shell -b x y"),
            send("b"),
            say("B11|E11|F0|b20|y|e20|B21|E21|b22|y|e22|F1"),
        ],
        &[
            "reply 0: ok \"\"",
            "unsolicited ok \"y\\n\"",
            "unsolicited ok \"y\\n\"",
            "reply 1: ok \"\"",
        ],
    );
    // A fence that a hook prints is none: who types on our input has flag 1.
    attached(
        &[send("a"), say(&format!("B11|E11|b12|{FENCE}0|e12|F0"))],
        &[
            &format!("unsolicited ok \"{FENCE}0\\n\""),
            "reply 0: ok \"\"",
        ],
    );
    attached(&[say("B11|who|E11")], &["unsolicited ok \"who\\n\""]);
}

#[test]
fn notifications_stand_between_the_blocks_of_a_line() {
    attached(
        &[
            send("a ; b"),
            say("%window-add @1|B11|E11|%output %0 x|B12|E12|%window-add @2|F0"),
        ],
        &[
            "WindowAdd { window: WindowId(1) }",
            "output %0 \"x\"",
            "WindowAdd { window: WindowId(2) }",
            "reply 0: ok \"\", ok \"\"",
        ],
    );
}

#[test]
fn ten_thousand_commands_in_one_go() {
    let mut conn = new(Limits::default());
    conn.receive(&stream("b1|e1"));
    let mut answers = Vec::new();
    for id in 0..10_000 {
        assert_eq!(conn.send(&Command::raw("a")).unwrap(), CommandId(id));
        answers.extend(stream(&format!("B{0}|{id}|E{0}|F{id}", 10 * id + 11)));
    }
    assert_eq!(conn.pending(), 10_000);
    let mut next = 0;
    for chunk in answers.chunks(8192) {
        conn.receive(chunk);
        while let Some(event) = conn.poll_event() {
            if let Event::Reply(id, reply) = event {
                assert_eq!(id, CommandId(next));
                assert_eq!(reply.unwrap().text(), next.to_string().as_bytes());
                next += 1;
            }
        }
    }
    assert_eq!((next, conn.pending()), (10_000, 0));
}

#[test]
fn a_command_that_ends_the_client_has_succeeded() {
    let end = ["WindowAdd { window: WindowId(1) }", "exit \"\""];
    let say = || say("B11|E11|%window-add @1|%exit");
    attached(
        &[send("kill-server"), say(), End],
        &[&end[..], &["reply 0: ok \"\"", "exited Detached"]].concat(),
    );
    attached(
        &[
            send("a ; kill-server"),
            super::say("B11|E11|B12|E12|%exit"),
            End,
        ],
        &["exit \"\"", "reply 0: ok \"\", ok \"\"", "exited Detached"],
    );
    // The rest of the line, and of the pipeline, has not run.
    attached(
        &[send("a ; b"), say(), End],
        &[
            &end[..],
            &["reply 0: Disconnected(Detached)", "exited Detached"],
        ]
        .concat(),
    );
    attached(
        &[send("kill-server"), send("b"), say(), End],
        &[
            &end[..],
            &[
                "reply 0: ok \"\"",
                "reply 1: Disconnected(Detached)",
                "exited Detached",
            ],
        ]
        .concat(),
    );
    attached(
        &[send("# x"), super::say("%exit"), End],
        &[
            "exit \"\"",
            "reply 0: Disconnected(Detached)",
            "exited Detached",
        ],
    );
    attached(
        &[send("a"), super::say("B11|no|X11|%exit"), End],
        &[
            "exit \"\"",
            "reply 0: Disconnected(Detached)",
            "exited Detached",
        ],
    );
}

#[test]
fn a_broken_connection_is_no_success() {
    attached(
        &[
            send("a ; kill-server"),
            say("B11|E11|B12|E12"),
            say(SERVER_DIED),
            End,
        ],
        &[DIED_SAID, &disconnected(0, DIED), DIED],
    );
    attached(
        &[send("kill-server"), say("B11|E11"), End],
        &["reply 0: Disconnected(Eof)", "exited Eof"],
    );
    attached(
        &[send("a"), send("b"), End],
        &[
            "reply 0: Disconnected(Eof)",
            "reply 1: Disconnected(Eof)",
            "exited Eof",
        ],
    );
}

#[test]
fn exit_within_an_open_block() {
    let gone = [disconnected(0, DIED), DIED.to_owned()];
    let gone = [&gone[0][..], &gone[1]];
    for body in ["B11", "B11|half", "B11|half|%output %0 x"] {
        attached(
            &[send("a"), say(&format!("{body}|{SERVER_DIED}")), End],
            &gone,
        );
        attached(
            &[send("a"), say_cut(&format!("{body}|{SERVER_DIED}")), End],
            &gone,
        );
        attached(
            &[
                send("a"),
                say(&format!("{body}|a body line{SERVER_DIED}")),
                End,
            ],
            &gone,
        );
        attached(
            &[
                send("a"),
                say_cut(&format!("{body}|a body line{SERVER_DIED}")),
                End,
            ],
            &gone,
        );
        let detached = ["reply 0: Disconnected(Detached)", "exited Detached"];
        attached(&[send("a"), say(&format!("{body}|%exit")), End], &detached);
        attached(
            &[send("a"), say_cut(&format!("{body}|%exit")), End],
            &detached,
        );
    }
    // In the middle of a body it is body.
    attached(
        &[
            send("a"),
            say(&format!("B11|%exit|{SERVER_DIED}|x{SERVER_DIED}|E11|F0")),
        ],
        &[&format!(
            "reply 0: ok \"%exit\\n{SERVER_DIED}\\nx{SERVER_DIED}\\n\""
        )],
    );
    attached(
        &[send("a"), say("B11|%exit|more"), End],
        &["reply 0: Disconnected(Eof)", "exited Eof"],
    );
}

#[test]
fn the_end_of_a_body_over_its_limit_is_seen() {
    let gone = [disconnected(0, DIED), DIED.to_owned()];
    let gone = [&gone[0][..], &gone[1]];
    for glue in ["", "x", &"x".repeat(1000)] {
        let steps = [
            send("a"),
            say(&format!("B11|{}|{glue}{SERVER_DIED}", "y".repeat(2000))),
            End,
        ];
        attached_within(Limits::default().reply(1000), &steps, &gone);
    }
}

#[test]
fn exit_glued_to_output_that_was_cut() {
    let cut = [say(&format!("%output %0 ab\\015\\01{SERVER_DIED}")), End];
    attached(&cut, &["output %0 \"ab\\\\015\"", DIED]);
    let cut = [say_cut(&format!("%output %0 ab{SERVER_DIED}")), End];
    attached(&cut, &["output %0 \"ab\"", DIED]);
    let cut = [
        say(&format!("%extended-output %0 5 : ab\\{SERVER_DIED}")),
        End,
    ];
    attached(
        &cut,
        &[
            "ExtendedOutput { pane: PaneId(0), age: 5, data: Escaped(\"ab\") }",
            DIED,
        ],
    );
    // Half a notification is not said.
    attached(
        &[say(&format!("%window-add @1{SERVER_DIED}")), End],
        &[
            "CutLine { line: [37, 119, 105, 110, 100, 111, 119, 45, 97, 100, 100, 32, 64, 49] }",
            DIED,
        ],
    );
    attached(
        &[say("%output %0 ab\\0"), End],
        &["output %0 \"ab\\\\0\"", "exited Eof"],
    );
    attached(
        &[say_cut("%output %0 ab\\0"), End],
        &["output %0 \"ab\"", "exited Eof"],
    );
}

#[test]
fn the_same_line_in_the_middle_of_a_stream_is_output() {
    let line = format!("%output %0 ab\\01{SERVER_DIED}");
    let output = format!("output %0 \"ab\\\\01{SERVER_DIED}\"");
    for (more, event) in [
        ("%output %1 x", "output %1 \"x\""),
        ("stray", "stray \"stray\""),
        ("b5|e5", "unsolicited ok \"\""),
    ] {
        let steps = [say(&line), say(more), End];
        attached(&steps, &[&output, event, "exited Eof"]);
    }
    let twice = [say(&format!("{line}|{line}")), End];
    attached(&twice, &[&output, "output %0 \"ab\"", DIED]);
    attached(
        &[say(&format!("{line}|%exit")), End],
        &[&output, "exit \"\"", "exited Detached"],
    );
    attached(
        &[say(&line), say_cut("%output %0 x"), End],
        &[&output, "output %0 \"x\"", "exited Eof"],
    );
    let died = [say(&line), say(SERVER_DIED), End];
    attached(&died, &[&output, DIED_SAID, DIED]);
}

#[test]
fn glued_exit_behind_a_doubted_block() {
    attached(
        &[
            send("a"),
            say(&format!("B11|%end 1 1 1|E11|%output %0 a\\0{SERVER_DIED}")),
            End,
        ],
        &["output %0 \"a\"", &disconnected(0, DIED), DIED],
    );
    attached(
        &[
            send("a"),
            say("B11|%end 1 1 1|E11|%output %0 a"),
            say_cut("%output %0 b\\0"),
            End,
        ],
        &[
            "output %0 \"a\"",
            "output %0 \"b\"",
            "reply 0: Disconnected(Eof)",
            "exited Eof",
        ],
    );
    attached(
        &[send("kill-server"), say("B11|%end 1 1 1|E11|%exit"), End],
        &[
            "exit \"\"",
            "reply 0: ok \"%end 1 1 1\\n\" Lookalike",
            "exited Detached",
        ],
    );
}

#[test]
fn an_exit_that_is_not_the_last_line_is_false() {
    let reason = "FalseExit { reason: [120] }";
    attached(
        &[say("%exit x|%output %0 y"), End],
        &["exit \"x\"", reason, "output %0 \"y\"", "exited Eof"],
    );
    attached(
        &[say("%exit x|stray|%exit"), End],
        &[
            "exit \"x\"",
            reason,
            "stray \"stray\"",
            "exit \"\"",
            "exited Detached",
        ],
    );
    attached(
        &[send("a"), say("%exit x|B11|E11|F0")],
        &["exit \"x\"", reason, "reply 0: ok \"\""],
    );
    attached(
        &[send("a"), say("B11|E11|%exit x|%exit"), End],
        &[
            "exit \"x\"",
            reason,
            "exit \"\"",
            "reply 0: ok \"\"",
            "exited Detached",
        ],
    );
    attached(
        &[say("%exit x"), say_cut("cut"), End],
        &[
            "exit \"x\"",
            reason,
            "CutLine { line: [99, 117, 116] }",
            "exited Eof",
        ],
    );
    // Nothing follows: it stands until the end is known.
    attached(&[say("%exit x")], &["exit \"x\""]);
}

#[test]
fn the_last_newline_may_be_missing() {
    attached(&[say_cut("%exit"), End], &["exited Detached"]);
    attached(
        &[say_cut("%exit too far behind"), End],
        &["exited Reason([116, 111, 111, 32, 102, 97, 114, 32, 98, 101, 104, 105, 110, 100])"],
    );
    attached(
        &[say_cut("%exi"), End],
        &["CutLine { line: [37, 101, 120, 105] }", "exited Eof"],
    );
    attached(
        &[say_cut("%exits"), End],
        &[
            "CutLine { line: [37, 101, 120, 105, 116, 115] }",
            "exited Eof",
        ],
    );
    attached(
        &[say_cut("x"), End],
        &["CutLine { line: [120] }", "exited Eof"],
    );
    attached(
        &[send("a"), say_cut("B11|E11|F0"), End],
        &["reply 0: Disconnected(Eof)", "exited Eof"],
    );
}

#[test]
fn nothing_comes_behind_the_end() {
    let mut conn = new(Limits::default());
    conn.receive(b"%exit\n");
    conn.receive_end();
    let mut told = Vec::new();
    drain(&mut conn, &mut told);
    conn.receive(b"%sessions-changed\n");
    conn.receive_end();
    drain(&mut conn, &mut told);
    assert_eq!(told, ["exit \"\"", "exited Detached"]);
}

#[test]
fn a_terminal_wraps_the_stream() {
    let wrapped = |text: &str| Step::Say(text.as_bytes().to_vec());
    check(
        &[
            send("a"),
            wrapped(
                "\x1bP1000p%begin 1 1 0\r\n%end 1 1 0\r\n%begin 1 11 1\r\na\r\r\n%end 1 11 1\r\n",
            ),
            wrapped(&format!(
                "%begin 1 12 1\r\n{FENCE}0\r\n%end 1 12 1\r\n%output %0 x\r\n%exit\r\n\x1b\\"
            )),
            End,
        ],
        &[
            "attached ok \"\"",
            "reply 0: ok \"a\\r\\n\"",
            "output %0 \"x\"",
            "exit \"\"",
            "exited Detached",
        ],
    );
    for tail in ["", "\x1b", "\x1b\\", "\x1b\\\r\n"] {
        check(
            &[
                wrapped("\x1bP1000p%begin 1 1 0\r\n%end 1 1 0\r\n%exit r\r\n"),
                wrapped(tail),
                End,
            ],
            &["attached ok \"\"", "exit \"r\"", "exited Reason([114])"],
        );
    }
    check(
        &[wrapped("%begin 1 1 0\n%end 1 1 0\n%exit\n\x1b\\\n"), End],
        &["attached ok \"\"", "exit \"\"", "exited Detached"],
    );
}

#[test]
fn pause_and_continue_within_their_own_block() {
    let pause = "Pause { pane: PaneId(0) }";
    let proceed = "Continue { pane: PaneId(1) }";
    let flow = say("B11|%pause %0|%continue %1|E11|F0");
    attached(
        &[
            send("refresh-client -A '%0:pause' -A '%1:continue'"),
            flow.clone(),
        ],
        &[pause, proceed, "reply 0: ok \"\""],
    );
    let body = "reply 0: ok \"%pause %0\\n%continue %1\\n\"";
    attached(
        &[Is("3.7c"), send("refresh -A '%0:pause'"), flow.clone()],
        &[pause, proceed, "reply 0: ok \"\""],
    );
    attached(
        &[
            Is("3.8"),
            send("refresh-client -A '%0:pause'"),
            flow.clone(),
        ],
        &[body],
    );
    for line in [
        "capture-pane -p ; refresh-client -A '%0:pause'",
        "show-buffer",
        "refresh-client -B x",
    ] {
        attached(&[send(line), flow.clone()], &[body]);
    }
    // Not one line of the body is something else, and the command did not fail.
    attached(
        &[
            send("refresh-client -A '%0:pause'"),
            say("B11|%pause %0|x|E11|F0"),
        ],
        &["reply 0: ok \"%pause %0\\nx\\n\""],
    );
    attached(
        &[
            send("refresh-client -A '%0:pause'"),
            say("B11|%pause %0|X11|F0"),
        ],
        &["reply 0: error \"%pause %0\\n\""],
    );
    // A hook in front of it is not it.
    attached(
        &[
            send("refresh-client -A '%0:pause'"),
            say("b10|%pause %7|e10|B11|%pause %0|E11|F0"),
        ],
        &["unsolicited ok \"%pause %7\\n\"", pause, "reply 0: ok \"\""],
    );
}

#[test]
fn message_within_its_own_block() {
    let own = say("B11|%message hi  there|E11|F0");
    attached(
        &[send("display-message hi"), own.clone()],
        &[
            "Message { text: [104, 105, 32, 32, 116, 104, 101, 114, 101] }",
            "reply 0: ok \"\"",
        ],
    );
    attached(
        &[send("display-message -p hi"), own],
        &["reply 0: ok \"%message hi  there\\n\""],
    );
}

#[test]
fn a_fence_that_never_comes_costs_its_command_alone() {
    attached(
        &[
            send("a"),
            send("b"),
            send("c"),
            say("B11|1|E11|B21|2|E21|F1|B31|3|E31|F2"),
        ],
        &[
            "reply 0: FenceLost",
            "reply 1: ok \"\"",
            "reply 2: ok \"3\\n\"",
        ]
        .map(|line| {
            if line.starts_with("reply 1") {
                "reply 1: "
            } else {
                line
            }
        }),
    );
    // The fence failed: its block is one more of the reply, until the next fence.
    attached(
        &[
            send("a"),
            send("b"),
            say(&format!("B11|E11|B12|{FENCE}0|X12|B21|E21|F1")),
        ],
        &["reply 0: FenceLost", "reply 1: "],
    );
}

#[test]
fn two_fences_of_one_command_answer_once() {
    attached(
        &[
            send("a"),
            send("b"),
            say(&format!("F0|B21|{FENCE}0|E21|F1")),
        ],
        &["reply 0: ", &format!("reply 1: ok \"{FENCE}0\\n\"")],
    );
}
