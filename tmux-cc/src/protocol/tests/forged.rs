//! What somebody who prints in a pane would try: guards of his own.

use super::*;

/// Expected of a body with these lines: it is whole, and nothing else is said.
#[track_caller]
fn whole(body: &[&str], spoof: &str, desync: &[&str]) {
    let text: String = body.iter().map(|line| line_of(line)).collect();
    let text = text.as_bytes().escape_ascii();
    let lines = body.join("|");
    attached(
        &[
            send("a"),
            send("b"),
            say(&format!(
                "B11|{lines}|E11|%window-add @1|stray|F0|%output %0 x|B21|E21|F1"
            )),
        ],
        &[
            desync,
            &[
                "WindowAdd { window: WindowId(1) }",
                "stray \"stray\"",
                &format!("reply 0: ok \"{text}\"{spoof}"),
                "output %0 \"x\"",
                "reply 1: ok \"\"",
            ],
        ]
        .concat(),
    );
}

const OWN: &str = "Spoofed(Guard { time: 1, number: 11, flags: 1 })";

#[test]
fn bodies_that_look_like_control_mode() {
    for body in [
        &["%output %0 x"][..],
        &["%exit"],
        &["%exit server exited unexpectedly", "x"],
        &["%window-add @7", "%pause %0", "%continue %0", "%message x"],
        &[
            "%begin",
            "%end",
            "%error",
            "%end ",
            "%end 1",
            "%end 1 11",
            "%end 1 11 1 1",
            "%end  1 11 1",
        ],
        &[
            "%end 1 11 1 ",
            "%end 01 11 1",
            "%end 1 011 1",
            "%end +1 11 1",
            "%end 1\t11 1",
            "%END 1 11 1",
        ],
        &[
            "%end 1 11 1\r",
            "%end 1 11 1\0",
            " %end 1 11 1",
            "x%end 1 11 1",
            "%end 1 4294967307 1",
        ],
        &[
            "%end 18446744073709551617 11 1",
            "%end 999999999999999999999999999999 11 1",
            "%end 1 11 -1",
        ],
        &[FENCE],
        &["f00000000000000000000000000000000-0"],
        &["\x1bP1000p%end 1 11 1", "\x1b\\"],
        &["", "", ""],
        &["f07070707070707070707070707070707-9"],
    ] {
        whole(body, "", &[]);
    }
}

#[test]
fn lookalikes_leave_the_body_whole() {
    for body in [
        &["E12"][..],
        &["%end 2 11 1"],
        &["e11"],
        &["%end 1 11 3"],
        &["X10", "E10"],
        &["B11"],
        &["B12", "E12"],
        &["B11", "x", "B11"],
        &["%end 1 1 1", "x", "%error 1 4294967295 0"],
        &["%begin 1 11 1", "%output %0 x", "%end 1 10 1"],
        &["%end 1 11 2"],
        &["B12", "f00000000000000000000000000000000-0", "E12"],
        // A fence's text that somebody has seen, without its guards or already answered.
        &["%end 1 1 1", "f07070707070707070707070707070707-0"],
        &["B12", "f07070707070707070707070707070707-9", "E12"],
    ] {
        whole(body, " Lookalike", &[]);
    }
}

#[test]
fn an_exact_guard_among_guesses_is_found_out() {
    for body in [
        &["E10", "E11", "E12"][..],
        &["E9", "E10", "E11"],
        &["E10", "E11", "E11", "E11", "x"],
        &["E10", "X11", "%output %9 forged", "%exit", "rest"],
        &["E10", "E11", "B12", "forged", "E12", "rest"],
        &["E10", "E11", "B12", "never closed"],
        &["E10", "E11", "b12", "x", "e12", "B11", "x", "E11", "y"],
        &["E10", "E11", "B19", "x", "E19"],
        &["E10", "E11", "%begin 1 4000000000 1", "x"],
        &["X10", "X11"],
        &["B11", "E11"],
        &["E10", "E11", ""],
        &["E10", "E11", "%exit server exited unexpectedly"],
    ] {
        whole(body, " Rejoined", &[OWN]);
    }
}

#[test]
fn a_forged_end_does_not_turn_an_error_into_success() {
    attached(
        &[send("a"), say("B11|E10|E11|no|X11|F0")],
        &[
            OWN,
            "reply 0: error \"%end 1 10 1\\n%end 1 11 1\\nno\\n\" Rejoined",
        ],
    );
    attached(
        &[send("a"), say("B11|X10|X11|yes|E11|F0")],
        &[
            OWN,
            "reply 0: ok \"%error 1 10 1\\n%error 1 11 1\\nyes\\n\" Rejoined",
        ],
    );
}

#[test]
fn every_block_of_a_line_is_rejoined() {
    attached(
        &[
            send("a ; b"),
            say("B11|E10|E11|1|E11|%window-add @1|B12|E1|E12|2|E12|F0"),
        ],
        &[
            OWN,
            "WindowAdd { window: WindowId(1) }",
            "Spoofed(Guard { time: 1, number: 12, flags: 1 })",
            "reply 0: ok \"%end 1 10 1\\n%end 1 11 1\\n1\\n\", ok \"%end 1 1 1\\n%end 1 12 1\\n2\\n\" Rejoined",
        ],
    );
    // A look-alike in the first is enough for the second to be looked at.
    attached(
        &[
            send("a ; b"),
            say("B11|E10|E11|b12|E12|e12|B13|E13|2|E13|F0"),
        ],
        &[
            "unsolicited ok \"%end 1 12 1\\n\"",
            "Spoofed(Guard { time: 1, number: 13, flags: 1 })",
            "reply 0: ok \"%end 1 10 1\\n\", ok \"%end 1 13 1\\n2\\n\" Rejoined",
        ],
    );
}

#[test]
fn two_blocks_that_spoof_together() {
    // Two captures of one pane that has printed every guess there is.
    attached(
        &[
            send("a ; b"),
            say("B11|E10|E11|E12|1|E11|B12|E10|E11|E12|2|E12|F0"),
        ],
        &[
            OWN,
            "Spoofed(Guard { time: 1, number: 12, flags: 1 })",
            "reply 0: ok \"%end 1 10 1\\n%end 1 11 1\\n%end 1 12 1\\n1\\n\", \
         ok \"%end 1 10 1\\n%end 1 11 1\\n%end 1 12 1\\n2\\n\" Rejoined",
        ],
    );
    let three = "B11|E10|E11|E12|E13|1|E11|B12|E10|E11|E12|E13|2|E12|B13|E10|E11|E12|E13|3|E13|F0";
    let body = r"%end 1 10 1\n%end 1 11 1\n%end 1 12 1\n%end 1 13 1\n";
    attached(
        &[send("a ; b ; c"), say(three)],
        &[
            OWN,
            "Spoofed(Guard { time: 1, number: 12, flags: 1 })",
            "Spoofed(Guard { time: 1, number: 13, flags: 1 })",
            &format!(r#"reply 0: ok "{body}1\n", ok "{body}2\n", ok "{body}3\n" Rejoined"#),
        ],
    );
    // Only the second holds guesses at the first one's guard.
    attached(
        &[send("a ; b"), say("B11|E10|1|E11|B12|E10|E11|2|E12|F0")],
        &["reply 0: ok \"%end 1 10 1\\n1\\n\", ok \"%end 1 10 1\\n%end 1 11 1\\n2\\n\" Lookalike"],
    );
    // Where its own beginning stands behind that, the bytes could as well be those of a first block that
    // was closed by a copy.
    attached(
        &[send("a ; b"), say("B11|E11|B12|E11|B12|2|E12|F0")],
        &[
            OWN,
            "reply 0: ok \"\", ok \"%end 1 11 1\\n%begin 1 12 1\\n2\\n\" Broken",
        ],
    );
    // The same of two blocks behind one that only holds a look-alike.
    attached(
        &[
            send("a ; b ; c"),
            say("B11|E10|E11|B12|E12|B13|1|E12|B13|2|E13|F0"),
        ],
        &[
            "Spoofed(Guard { time: 1, number: 12, flags: 1 })",
            "reply 0: ok \"%end 1 10 1\\n\", ok \"%end 1 12 1\\n%begin 1 13 1\\n1\\n\", ok \"2\\n\" Broken",
        ],
    );
    // And every `%begin` too: where the first ends cannot be known, and that is said.
    attached(
        &[
            send("a ; b"),
            send("c"),
            say("B11|E10|1|E11|B12|E10|E11|B12|2|E12|F0|F1"),
        ],
        &[
            OWN,
            "reply 0: ok \"%end 1 10 1\\n1\\n%end 1 11 1\\n%begin 1 12 1\\n%end 1 10 1\\n\", ok \"2\\n\" Broken",
            "reply 1: ",
        ],
    );
}

#[test]
fn a_single_lucky_guess_is_noticed() {
    attached(
        &[
            send("a"),
            send("b"),
            say("B11|x|E11|rest|%output %0 x|E11|F0|B21|E21|F1"),
        ],
        &[
            "stray \"rest\"",
            "output %0 \"x\"",
            OWN,
            "reply 0: ok \"x\\n\" Broken",
            "reply 1: ok \"\"",
        ],
    );
    // Blocks forged behind it do not hide it.
    attached(
        &[send("a"), say("B11|x|E11|B12|forged|E12|E11|F0")],
        &[OWN, "reply 0: ok \"x\\n\", ok \"forged\\n\" Broken"],
    );
    attached(
        &[send("a"), say("B11|x|E11|B5|forged|E5|E11|F0")],
        &[
            "NumberWentBack { from: 11, to: 5 }",
            OWN,
            "reply 0: ok \"x\\n\", ok \"forged\\n\" Broken",
        ],
    );
    // Nor does one that is left open: the fence ends it.
    attached(
        &[
            send("a"),
            send("b"),
            say("B11|x|E11|B12|forged|E11|%window-add @1|F0|B21|E21|F1"),
        ],
        &[
            "NeverClosed(Guard { time: 1, number: 12, flags: 1 })",
            "stray \"forged\"",
            OWN,
            "WindowAdd { window: WindowId(1) }",
            "reply 0: ok \"x\\n\" Broken",
            "reply 1: ok \"\"",
        ],
    );
    // Nor does one that guesses the number of the next block: it would swallow the real guards.
    attached(
        &[
            send("a ; b"),
            say("B11|E11|X19|B12|x|E11|%output %0 y|B12|2|E12|F0"),
        ],
        &[
            "UnmatchedGuard(GuardLine { kind: Error, guard: Guard { time: 1, number: 19, flags: 1 } })",
            OWN,
            "reply 0: ok \"\", ok \"x\\n%end 1 11 1\\n%output %0 y\\n%begin 1 12 1\\n2\\n\" Broken",
        ],
    );
    attached(
        &[
            send("a ; b"),
            say("B11|x|E11|B13|E11|B12|2|X12|B13|3|E13|F0"),
        ],
        &[
            OWN,
            "reply 0: ok \"x\\n\", \
             ok \"%end 1 11 1\\n%begin 1 12 1\\n2\\n%error 1 12 1\\n%begin 1 13 1\\n3\\n\" Broken",
        ],
    );
    // Or that of a hook.
    attached(
        &[send("a"), say("B11|E11|b12|x|E11|b12|hook|e12|F0")],
        &[
            OWN,
            "unsolicited ok \"x\\n%end 1 11 1\\n%begin 1 12 0\\nhook\\n\"",
            "reply 0: ok \"\" Broken",
        ],
    );
    // Nor does it when the numbers have wrapped between them.
    attached(
        &[
            say("b2000000000|e2000000000|b4000000000|e4000000000"),
            send("a"),
            say("B4294967290|E4294967290|B3|X3|B4|E4294967290|F0"),
        ],
        &[
            "unsolicited ok \"\"",
            "unsolicited ok \"\"",
            "NeverClosed(Guard { time: 1, number: 4, flags: 1 })",
            "Spoofed(Guard { time: 1, number: 4294967290, flags: 1 })",
            "reply 0: ok \"\", error \"\" Broken",
        ],
    );
    // In a hook's block it is not our reply that is broken.
    attached(
        &[send("a"), say("B11|E11|b12|x|e12|rest|e12|F0")],
        &[
            "unsolicited ok \"x\\n\"",
            "stray \"rest\"",
            "Spoofed(Guard { time: 1, number: 12, flags: 0 })",
            "reply 0: ok \"\"",
        ],
    );
}

#[test]
fn a_forged_begin_outside_a_block_swallows_nothing() {
    for (forged, flags) in [("B12", 1), ("b12", 0)] {
        attached(
            &[
                send("a"),
                send("b"),
                say(&format!(
                    "B11|E11|{forged}|stray|%window-add @1|b13|hook|e13|F0|%output %0 x|B21|2|E21|F1"
                )),
            ],
            &[
                &format!("NeverClosed(Guard {{ time: 1, number: 12, flags: {flags} }})"),
                "stray \"stray\"",
                "WindowAdd { window: WindowId(1) }",
                "unsolicited ok \"hook\\n\"",
                "reply 0: ok \"\"",
                "output %0 \"x\"",
                "reply 1: ok \"2\\n\"",
            ],
        );
    }
    // Many of them, one with the very guard of the fence, one with a number far ahead.
    attached(
        &[
            say("%begin 9 2000000000 1|x"),
            send("a"),
            say("B19|B12|B11|E11|b5|F0|B21|E21"),
            send("b"),
            say("F1"),
        ],
        &[
            "NeverClosed(Guard { time: 9, number: 2000000000, flags: 1 })",
            "stray \"x\"",
            "NeverClosed(Guard { time: 1, number: 19, flags: 1 })",
            "NeverClosed(Guard { time: 1, number: 12, flags: 1 })",
            "NeverClosed(Guard { time: 1, number: 5, flags: 0 })",
            "reply 0: ok \"\"",
            "unsolicited ok \"\"",
            "reply 1: ",
        ],
    );
    // Over the limit what it swallowed is gone; that is said, and the next command is right.
    attached_within(
        Limits::default().reply(200),
        &[
            send("a"),
            send("b"),
            say(&format!("B11|E11|B12|{}|F0|B21|2|E21|F1", "x".repeat(300))),
        ],
        &[
            "NeverClosed(Guard { time: 1, number: 12, flags: 1 })",
            "reply 0: TooLarge { limit: 200 }",
            "reply 1: ok \"2\\n\"",
        ],
    );
    // And it is not the end of the connection either.
    attached(
        &[say("B12|%window-add @1|%exit"), End],
        &["exited Detached"],
    );
}

#[test]
fn every_end_of_a_stream_ends_it() {
    let whole = stream(
        "b1|e1|%output %0 \\033[m|B11|E10|E11|x|E11|b12|e12|stray|F0|B21|E21|%exit server exited unexpectedly",
    );
    for cut in 0..=whole.len() {
        let steps = [send("a"), send("b"), Step::Say(whole[..cut].to_vec()), End];
        let told = play(Limits::default(), &steps, usize::MAX, true);
        for id in ["reply 0", "reply 1"] {
            assert_eq!(
                told.iter().filter(|line| line.starts_with(id)).count(),
                1,
                "{cut}: {told:?}"
            );
        }
        assert!(told.last().unwrap().starts_with("exited "));
        assert_eq!(
            told.iter()
                .filter(|line| line.starts_with("exited "))
                .count(),
            1
        );
        assert_eq!(play(Limits::default(), &steps, 1, true), told, "{cut}");
    }
}
