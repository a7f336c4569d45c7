//! Commands, on their way out: a value arrives as it is or is refused, a line is one line.

use super::*;
use crate::protocol::CommandError::{self, Argument};
use crate::wire::{LineError, QuoteError};

/// As an argument it stands in the line like this.
fn arguments() -> [(&'static str, &'static [u8], &'static str); 18] {
    [
        ("empty", b"", "''"),
        ("only spaces", b"   ", "'   '"),
        ("#x", b"#x", "'#x'"),
        ("A=b", b"A=b", "'A=b'"),
        ("embedded LF", b"a\nb", r#""a\nb""#),
        ("embedded CR", b"a\rb", r#""a\rb""#),
        ("unterminated quotes: single", b"'x", r#""'x""#),
        ("unterminated quotes: double", b"\"x", "'\"x'"),
        ("lone ;", b";", "';'"),
        ("; at end of quoted arg", b"a b;", "'a b;'"),
        ("; at end of quoted arg, escaped", b"a\\;", r"'a\;'"),
        ("%if", b"%if", "'%if'"),
        ("{", b"{", "'{'"),
        ("~root", b"~root", "'~root'"),
        ("~root and a quote", b"~root'", r#""\~root'""#),
        ("$HOME", b"$HOME", "'$HOME'"),
        ("$HOME and a quote", b"$HOME'", r#""\$HOME'""#),
        ("#(touch /tmp/x)", b"#(touch /tmp/x)", "'#(touch /tmp/x)'"),
    ]
}

/// The line as it is sent, with its fence.
#[track_caller]
fn sent(item: &str, command: &Command, line: &str) {
    let mut conn = new(Limits::default());
    conn.receive(&stream("b1|e1"));
    drain(&mut conn, &mut Vec::new());
    conn.send(command).unwrap();
    let wanted = format!("{line}\ndisplay-message -p {FENCE}0\n");
    assert!(conn.poll_transmit().unwrap() == wanted, "{item}: {command}");
}

/// Nothing is sent, and why.
#[track_caller]
fn refused(item: &str, command: &Command, error: &CommandError) {
    let mut conn = new(Limits::default());
    conn.receive(&stream("b1|e1"));
    drain(&mut conn, &mut Vec::new());
    assert_eq!(conn.send(command).as_ref(), Err(error), "{item}");
    assert_eq!((conn.poll_transmit(), conn.pending()), (None, 0), "{item}");
}

#[test]
fn as_an_argument() {
    for (item, value, word) in arguments() {
        let command = Command::new("set-option").flag("-g").option("@x", value);
        sent(item, &command, &format!("set-option -g @x {word}"));
        // What stands behind it is still an argument of the same command.
        let command = command.arg("-q");
        sent(item, &command, &format!("set-option -g @x {word} -q"));
    }
    let large = "x".repeat(1 << 20);
    let command = Command::new("set-buffer").arg(&large);
    sent("1 MB argument", &command, &format!("set-buffer {large}"));
    let source = QuoteError::Nul { at: 1 };
    let nul = Command::new("set-option").flag("-g").option("@x", "a\0b");
    let error = Argument {
        position: 3,
        source,
    };
    refused("embedded NUL", &nul, &error);
}

#[test]
fn as_a_line() {
    for (item, line, error) in [
        ("empty", "", LineError::Blank),
        ("only spaces", " \t ", LineError::Blank),
        ("embedded LF", "a\nb", LineError::LineFeed { at: 1 }),
        ("LF at the end", "a\n", LineError::LineFeed { at: 1 }),
        ("embedded CR", "a\rb", LineError::CarriageReturn { at: 1 }),
        (
            "CR LF at the end",
            "a\r\n",
            LineError::CarriageReturn { at: 1 },
        ),
        ("embedded NUL", "a\0b", LineError::Nul { at: 1 }),
    ] {
        refused(item, &Command::raw(line), &error.into());
    }
    let error = LineError::EndOfFile { at: 1 }.into();
    refused("embedded 0xff", &Command::raw(b"a\xffb"), &error);
    // What tmux can answer is for tmux to answer, and its fence comes back either way: it stands
    // on a line of its own, where no quote, brace or comment reaches.
    for (item, line, answer, told) in [
        ("#x", "#x", "F0", "reply 0: "),
        ("A=b", "A=b", "F0", "reply 0: "),
        (
            "unterminated quotes: single",
            "display -p 'x",
            "B11|x|E11|F0",
            "reply 0: ok \"x\\n\"",
        ),
        (
            "unterminated quotes: double",
            "display -p \"x",
            "B11|x|E11|F0",
            "reply 0: ok \"x\\n\"",
        ),
        (
            "lone ;",
            ";",
            "B11|parse error: syntax error|X11|F0",
            "reply 0: error \"parse error: syntax error\\n\"",
        ),
        (
            "%if",
            "%if",
            "B11|parse error: syntax error|X11|F0",
            "reply 0: error \"parse error: syntax error\\n\"",
        ),
        (
            "{",
            "{",
            "B11|parse error: syntax error|X11|F0",
            "reply 0: error \"parse error: syntax error\\n\"",
        ),
        (
            "~root",
            "display -p ~root",
            "B11|/root|E11|F0",
            "reply 0: ok \"/root\\n\"",
        ),
        (
            "$HOME",
            "display -p $HOME",
            "B11|/root|E11|F0",
            "reply 0: ok \"/root\\n\"",
        ),
        (
            "#(touch /tmp/x)",
            "display -p #(touch /tmp/x)",
            "B11|E11|F0",
            "reply 0: ok \"\"",
        ),
    ] {
        sent(item, &Command::raw(line), line);
        row(item, &[send(line), say(answer)], &[told]);
    }
    let large = format!("set-buffer {}", "x".repeat(1 << 20));
    sent("1 MB argument", &Command::raw(&large), &large);
}
