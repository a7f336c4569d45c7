//! The stand-in for a shell.

use super::*;

#[test]
fn a_line_is_echoed_and_answered() {
    let mut play = Play::new(Like::Shell);
    play.send("echo a  b").wait(0).send("what").wait(50);
    assert_eq!(
        play.written(),
        "$ echo a  b\r\na b\r\n$ what\r\nok: what\r\n$ "
    );
    assert_eq!(play.prompts(), ["echo a  b", "what"]);
    assert_eq!(play.state(), "idle");
}

#[test]
fn marks_tell_where_a_command_is_and_how_it_ended() {
    let mut play = Play::with(Setup {
        marks: true,
        ..Setup::new(Like::Shell)
    });
    play.send("false");
    let prompt = "\x1b]133;A\x1b\\$ \x1b]133;B\x1b\\";
    assert_eq!(
        play.written(),
        format!("{prompt}false\r\n\x1b]133;C\x1b\\\x1b]133;D;1\x1b\\{prompt}")
    );
}

#[test]
fn what_is_typed_while_it_is_busy_runs_after_it() {
    let mut play = Play::new(Like::Shell);
    play.send("sleep 3").send("echo one").send("echo two");
    assert_eq!((play.state(), play.prompts().len()), ("busy", 1));
    play.wait(3_000);
    assert_eq!(play.prompts(), ["sleep 3", "echo one", "echo two"]);
    assert!(
        play.written()
            .ends_with("$ echo one\r\none\r\n$ echo two\r\ntwo\r\n$ ")
    );
}

#[test]
fn ctrl_c_breaks_a_command_off() {
    let mut play = Play::new(Like::Shell);
    play.send("sleep 3").press(Input::CtrlC);
    assert_eq!(play.state(), "idle");
    assert!(play.written().ends_with("^C\r\n$ "));
    play.press(Input::CtrlD);
    assert_eq!(play.exit_status(), Some(130));
}

#[test]
fn a_question_is_answered_by_a_line() {
    let mut play = Play::new(Like::Shell);
    play.send("ask");
    assert_eq!(play.state(), "blocked");
    assert!(play.written().ends_with("Continue? [Y/n] "));
    play.send("n");
    assert_eq!(play.state(), "idle");
    play.send("password").send("secret");
    assert!(!play.written().contains("secret"));
    assert_eq!(play.prompts(), ["ask", "password"]);
    assert_eq!(play.state(), "idle");
}

#[test]
fn it_ends_with_the_status_that_it_is_told() {
    let mut play = Play::new(Like::Shell);
    play.send("exit 3");
    assert_eq!(play.exit_status(), Some(3));
}
