//! What is sent is what was meant, by the word of tmux's own lexer.

use tmux_cc::protocol::{Command, CommandError, Connection, Interactive, Limits, Nonce};
use tmux_cc::wire::{LineError, QuoteError, check_line, quote};

use crate::lexer::{self, Argument};

/// Values as arguments, or a line as it stands: the first byte says which.
pub fn quoting(input: &[u8]) {
    let (mode, rest) = input.split_first().unwrap_or((&0, &[]));
    if mode & 1 == 1 {
        arguments(rest);
    } else {
        line(rest);
    }
}

const NAMES: [&str; 6] = [
    "set-option",
    "display-message",
    "send-keys",
    "new-window",
    "x",
    "list-panes",
];

/// Arguments arrive byte for byte in their command, and nowhere else.
fn arguments(input: &[u8]) {
    let commands = split(input);
    let mut line: Option<Command> = None;
    let (mut wanted, mut refused) = (Vec::new(), None);
    for (at, values) in commands.iter().enumerate() {
        let name = NAMES[at % NAMES.len()];
        let mut command = Command::new(name);
        let mut words = vec![Argument::Word(name.into())];
        for (at, value) in values.iter().enumerate() {
            one_value(value);
            command = command.arg(value);
            words.push(Argument::Word(value.clone()));
            if let Some(nul) = value.iter().position(|&byte| byte == 0) {
                refused.get_or_insert(CommandError::Argument {
                    position: at + 1,
                    source: QuoteError::Nul { at: nul },
                });
            }
        }
        wanted.push(words);
        line = Some(match line {
            Some(line) => line.then(command),
            None => command,
        });
    }
    let Some(command) = line else { return };
    match (command.line(), refused) {
        (Ok(line), None) => {
            assert_eq!(lexer::commands(line), Ok(wanted));
            assert_eq!(check_line(line), Ok(()));
            is_one_line(&command, line);
        }
        (result, refused) => assert_eq!(result.err(), refused),
    }
}

/// A value by itself, behind something else and in front of it.
fn one_value(value: &[u8]) {
    let mut out = b"x ".to_vec();
    match quote(value, &mut out) {
        Ok(()) => {
            assert!(out.iter().all(|byte| !byte.is_ascii_control()));
            assert!(std::str::from_utf8(&out).is_ok());
            out.extend_from_slice(b" after ; y");
            let words = [&b"x"[..], value, b"after"].map(|word| Argument::Word(word.into()));
            let wanted = vec![words.to_vec(), vec![Argument::Word(b"y".to_vec())]];
            assert_eq!(lexer::commands(&out), Ok(wanted));
        }
        Err(error) => {
            let nul = value.iter().position(|&byte| byte == 0);
            assert_eq!(Some(error), nul.map(|at| QuoteError::Nul { at }));
            assert_eq!(out, b"x ");
        }
    }
}

/// The values of each command: a NUL and 1 ends a value, a NUL and 2 a command.
fn split(input: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut commands = vec![vec![Vec::new()]];
    let mut bytes = input.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let code = bytes.next_if(|code| byte == 0 && matches!(code, 1 | 2));
        let values = commands.last_mut().expect("one at least");
        match code {
            Some(1) => values.push(Vec::new()),
            Some(_) => commands.push(vec![Vec::new()]),
            None => values.last_mut().expect("one at least").push(byte),
        }
    }
    commands
}

/// A line that somebody typed is refused, or is one line of the commands it seems to be.
fn line(bytes: &[u8]) {
    let command = Command::raw(bytes);
    let bad = bytes
        .iter()
        .position(|byte| matches!(byte, 0 | b'\n' | b'\r' | 0xff));
    let blank = bytes.iter().all(|byte| matches!(byte, b' ' | b'\t'));
    let result = command.line();
    match (bad, result) {
        (Some(at), Err(CommandError::Line(error))) => assert_eq!(
            error,
            match bytes[at] {
                b'\n' => LineError::LineFeed { at },
                b'\r' => LineError::CarriageReturn { at },
                0xff => LineError::EndOfFile { at },
                _ => LineError::Nul { at },
            }
        ),
        (None, Err(CommandError::Line(error))) => {
            assert_eq!((error, blank), (LineError::Blank, true));
        }
        (Some(_), other) => panic!("{other:?}"),
        (None, result) => {
            assert!(!blank);
            if let Ok(commands) = lexer::commands(bytes) {
                let frozen = commands.iter().any(|command| match &command[0] {
                    Argument::Word(name) => Interactive::named(name).is_some(),
                    Argument::Block(_) => false,
                });
                let refused = matches!(result, Err(CommandError::Interactive { .. }));
                assert_eq!(refused, frozen, "{}", bytes.escape_ascii());
            }
            if let Ok(line) = result {
                assert_eq!(line, bytes);
                is_one_line(&command, line);
            }
        }
    }
}

/// What is transmitted is this line and a fence.
fn is_one_line(command: &Command, line: &[u8]) {
    let mut conn = Connection::new(Limits::default(), Nonce::new([7; 16]));
    conn.receive(b"%begin 1 1 0\n%end 1 1 0\n");
    assert!(conn.poll_event().is_some());
    conn.send(command).expect("it has a line");
    let sent = conn.poll_transmit().expect("it was sent");
    let lines: Vec<_> = sent.split(|&byte| byte == b'\n').collect();
    let fence = &b"display-message -p f07070707070707070707070707070707-0"[..];
    assert_eq!(lines, [line, fence, b""]);
}
