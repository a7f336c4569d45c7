//! The line of each command, and what is refused.

use proptest::prelude::*;

use super::*;
use crate::protocol::{Block, CommandError, Quirks, Reply, Target};
use crate::wire::{Guard, PaneId, SessionId, Version, WindowId, quoted};

const PANE: PaneId = PaneId(3);
const WINDOW: WindowId = WindowId(2);
const SESSION: SessionId = SessionId(1);
const IDS: &str = "-P -F '#{session_id} #{window_id} #{pane_id}'";

fn line(command: impl Into<Command>) -> String {
    let command = command.into();
    String::from_utf8(command.line().unwrap().to_vec()).unwrap()
}

/// The reason why a command is refused.
fn refused(command: impl Into<Command>) -> String {
    command.into().line().unwrap_err().to_string()
}

fn since(command: impl Into<Command>) -> Option<Version> {
    match command.into().check(Quirks::of(Version::FLOOR)) {
        Err(CommandError::TooOld { since, .. }) => Some(since),
        other => other.map(|()| None).unwrap(),
    }
}

#[test]
fn the_lines_of_sessions_windows_and_panes() {
    for (line, wanted) in [
        (
            line(
                NewSession::named("a#b")
                    .window_name("#[w]#H")
                    .size(80, 24)
                    .directory("/#x")
                    .environment("A", "b c")
                    .shell("exec top -d 1;"),
            ),
            format!(
                "new-session -d {IDS} -s 'a##b' -n '#[w]##H' -x 80 -y 24 -c '/##x' -e 'A=b c' -- \
                 'exec top -d 1;'"
            ),
        ),
        (line(NewSession::new()), format!("new-session -d {IDS}")),
        (
            line(NewSession::new().directory_format("#{d}")),
            format!("new-session -d {IDS} -c '#{{d}}'"),
        ),
        (
            line(KillSession::new(Target::session("a b"))),
            "kill-session -t '=a b:'".into(),
        ),
        (
            line(RenameSession::new(SESSION, "-#x")),
            "rename-session -t '$1' -- '-##x'".into(),
        ),
        (
            line(RenameSession::format(SESSION, "#{pid}")),
            "rename-session -t '$1' -- '#{pid}'".into(),
        ),
        (line(HasSession::new(SESSION)), "has-session -t '$1'".into()),
        (line(KillServer::new()), "kill-server".into()),
        (
            line(
                NewWindow::in_session(SESSION)
                    .detached()
                    .program(["a", "-b", ";"]),
            ),
            format!("new-window {IDS} -t '$1:' -d -- a -b ';'"),
        ),
        (
            line(
                NewWindow::at(Target::session("s"), 7)
                    .replacing()
                    .program(["one word"]),
            ),
            format!("new-window {IDS} -t '=s:7' -k -- /bin/sh -c 'exec \"$0\"' 'one word'"),
        ),
        (
            line(NewWindow::after(WINDOW).name_format("#{n}")),
            format!("new-window {IDS} -a -t @2 -n '#{{n}}'"),
        ),
        (
            line(NewWindow::before(WINDOW).name("n")),
            format!("new-window {IDS} -b -t @2 -n n"),
        ),
        (line(KillWindow::new(WINDOW)), "kill-window -t @2".into()),
        (
            line(RenameWindow::new(WINDOW, "#")),
            "rename-window -t @2 -- '##'".into(),
        ),
        (
            line(RenameWindow::format(WINDOW, "#H")),
            "rename-window -t @2 -- '#H'".into(),
        ),
        (
            line(SelectWindow::new(WINDOW)),
            "select-window -t @2".into(),
        ),
        (
            line(SelectWindow::in_session(SESSION, WINDOW)),
            "select-window -t '$1:@2'".into(),
        ),
        (
            line(SplitWindow::below(PANE).before().full().size(5).detached()),
            format!("split-window {IDS} -t '%3' -v -b -f -l 5 -d"),
        ),
        (
            line(SplitWindow::right(WINDOW).percent(30)),
            format!("split-window {IDS} -t @2 -h -l '30%'"),
        ),
        (line(KillPane::new(PANE)), "kill-pane -t '%3'".into()),
        (line(SelectPane::new(PANE)), "select-pane -t '%3'".into()),
        (
            line(SelectPane::title(PANE, "#x")),
            "select-pane -t '%3' -T '##x'".into(),
        ),
        (
            line(SelectPane::input(PANE, false)),
            "select-pane -t '%3' -d".into(),
        ),
        (
            line(SelectPane::input(PANE, true)),
            "select-pane -t '%3' -e".into(),
        ),
        (
            line(
                RespawnPane::new(PANE)
                    .kill()
                    .environment("A", "")
                    .shell("x"),
            ),
            "respawn-pane -t '%3' -k -e 'A=' -- x".into(),
        ),
        (
            line(RespawnWindow::new(WINDOW).program(["x", ""])),
            "respawn-window -t @2 -- x ''".into(),
        ),
    ] {
        assert_eq!(line, wanted);
    }
}

#[test]
fn the_lines_of_what_moves_and_has_a_size() {
    for (line, wanted) in [
        (
            line(BreakPane::new(PANE)),
            "break-pane -s '%3' ; display-message -p -t '%3' \
             '#{session_id} #{window_id} #{pane_id}'",
        ),
        (
            line(BreakPane::into_session(PANE, SESSION)),
            "break-pane -d -s '%3' -t '$1:' ; display-message -p -t '%3' \
             '#{session_id} #{window_id} #{pane_id}'",
        ),
        (
            line(JoinPane::below(PANE, PaneId(9)).before().size(3).detached()),
            "join-pane -s '%3' -t '%9' -v -b -l 3 -d",
        ),
        (
            line(JoinPane::right(PANE, PaneId(9))),
            "join-pane -s '%3' -t '%9' -h",
        ),
        (
            line(SwapPane::new(PANE, PaneId(9))),
            "swap-pane -d -s '%3' -t '%9'",
        ),
        (
            line(SwapWindow::new(WINDOW, WindowId(9))),
            "swap-window -d -s @2 -t @9",
        ),
        (
            line(MoveWindow::new(WINDOW, SESSION)),
            "move-window -d -s @2 -t '$1:'",
        ),
        (
            line(MoveWindow::at(WINDOW, SESSION, 4).replacing()),
            "move-window -d -s @2 -t '$1:4' -k",
        ),
        (
            line(LinkWindow::new(WINDOW, Target::session("b"))),
            "link-window -d -s @2 -t '=b:'",
        ),
        (
            line(UnlinkWindow::new(SESSION, WINDOW)),
            "unlink-window -t '$1:@2'",
        ),
        (
            line(ResizePane::new(PANE, 10, 5)),
            "resize-pane -t '%3' -x 10 -y 5",
        ),
        (
            line(ResizePane::height(PANE, 5)),
            "resize-pane -t '%3' -y 5",
        ),
        (line(ResizePane::zoom(PANE)), "resize-pane -Z -t '%3'"),
        (
            line(ResizeWindow::width(WINDOW, 90)),
            "resize-window -t @2 -x 90",
        ),
        (line(ClientSize::new(100, 30)), "refresh-client -C 100x30"),
        (
            line(ClientSize::of_window(WINDOW, 100, 30)),
            "refresh-client -C @2:100x30",
        ),
        (
            line(ClientSize::of_window_unset(WINDOW)),
            "refresh-client -C @2:",
        ),
        (
            line(SelectLayout::preset(WINDOW, Preset::MainVertical)),
            "select-layout -t @2 main-vertical",
        ),
        (
            line(SelectLayout::saved(WINDOW, "b25d,80x24,0,0,0")),
            "select-layout -t @2 -- b25d,80x24,0,0,0",
        ),
    ] {
        assert_eq!(line, wanted);
    }
}

#[test]
fn the_lines_of_what_is_read_and_set() {
    let guard = "if-shell -F -t '%3' '#{||:#{pane_dead},#{pane_input_off}}'";
    let fails = "has-session -t '\\''=target pane has exited:'\\''";
    let fails = fails.replace("'\\''", "'");
    for (line, wanted) in [
        (
            line(
                CapturePane::new(PANE)
                    .history()
                    .end(-1)
                    .escapes()
                    .join()
                    .octal(),
            ),
            "capture-pane -p -t '%3' -S - -E -1 -e -J -C".to_owned(),
        ),
        (
            line(
                CapturePane::new(PANE)
                    .start(-5)
                    .trailing_spaces()
                    .hidden()
                    .pending(),
            ),
            "capture-pane -p -t '%3' -S -5 -N -a -q -P".into(),
        ),
        (
            line(
                CapturePane::new(PANE)
                    .written()
                    .mode()
                    .numbers()
                    .line_flags()
                    .hyperlinks(),
            ),
            "capture-pane -p -t '%3' -T -M -L -F -H".into(),
        ),
        (
            line(DisplayMessage::new("-#{pid}")),
            "display-message -p -- '-#{pid}'".into(),
        ),
        (
            line(DisplayMessage::of(PANE, "x")),
            "display-message -p -t '%3' -- x".into(),
        ),
        (
            line(DisplayMessage::of(PANE, "x").command()),
            "display-message -p -t '%3' -- \"#{pane_id}\\tx\"".into(),
        ),
        (
            line(SendKeys::literal(PANE, "-a;")),
            "send-keys -l -t '%3' -- '-a;'".into(),
        ),
        (
            line(SendKeys::named(PANE, ["C-c", "Enter"])),
            "send-keys -t '%3' -- C-c Enter".into(),
        ),
        (
            line(SendKeys::bytes(PANE, b"\x1b\xff")),
            "send-keys -H -t '%3' 1b ff".into(),
        ),
        (
            line(SendKeys::times(PANE, 4, "Up")),
            "send-keys -t '%3' -N 4 -- Up".into(),
        ),
        (
            line(SetBuffer::new("-b", "-x")),
            "set-buffer -b -b -- -x".into(),
        ),
        (
            line(SetBuffer::append("b", "x")),
            "set-buffer -a -b b -- x".into(),
        ),
        (
            line(LoadBuffer::new("b", "/#x")),
            "load-buffer -b b -- '/##x'".into(),
        ),
        (line(ShowBuffer::new("b")), "show-buffer -b b".into()),
        (line(DeleteBuffer::new("b")), "delete-buffer -b b".into()),
        (
            line(
                PasteBuffer::new("b c", PANE)
                    .bracketed()
                    .line_feeds()
                    .delete(),
            ),
            format!(
                "{guard} {} {}",
                text(&fails),
                text("paste-buffer -b 'b c' -t '%3' -p -r -d")
            ),
        ),
        (
            line(PasteBuffer::new("b", PANE).separator("'").unescaped()),
            format!(
                "{guard} {} {}",
                text(&fails),
                text("paste-buffer -b b -t '%3' -s \"'\" -S")
            ),
        ),
        (
            line(SetOption::new(Scope::Server, "@x", "-y")),
            "set-option -s -- @x -y".into(),
        ),
        (
            line(SetOption::append(Scope::Sessions, "@x", "")),
            "set-option -a -g -- @x ''".into(),
        ),
        (
            line(SetOption::once(Scope::Windows, "@#x", "#{y}")),
            "set-option -o -g -w -- '@##x' '#{y}'".into(),
        ),
        (
            line(SetOption::format(Scope::Window(WINDOW), "@x", "#{y}")),
            "set-option -F -w -t @2 -- @x '#{y}'".into(),
        ),
        (
            line(UnsetOption::new(Scope::Pane(PANE), "@x")),
            "set-option -u -p -t '%3' -- @x".into(),
        ),
        (
            line(ShowOption::new(Scope::Session(SESSION.into()), "@x")),
            "show-options -qv -t '$1' -- @x".into(),
        ),
        (
            line(ShowOption::inherited(Scope::Pane(PANE), "@x")),
            "show-options -qv -A -p -t '%3' -- @x".into(),
        ),
        (
            line(SetEnvironment::new(Environment::Global, "A", "-b")),
            "set-environment -g -- A -b".into(),
        ),
        (
            line(UnsetEnvironment::new(
                Environment::Session(SESSION.into()),
                "A",
            )),
            "set-environment -u -t '$1' -- A".into(),
        ),
        (
            line(UnsetEnvironment::removed(Environment::Global, "A")),
            "set-environment -r -g -- A".into(),
        ),
        (
            line(ShowEnvironment::new(Environment::Global, "A")),
            "show-environment -g -- A".into(),
        ),
        (line(PipePane::close(PANE)), "pipe-pane -t '%3'".into()),
        (
            line(PipePane::shell(PANE, "a %d #H")),
            "pipe-pane -t '%3' -- 'a %%d ##H'".into(),
        ),
        (
            line(PipePane::format(PANE, "a %d")),
            "pipe-pane -t '%3' -- 'a %d'".into(),
        ),
        (
            line(PipePane::program(PANE, ["a b", "it's"])),
            format!("pipe-pane -t '%3' -- {}", text("exec 'a b' 'it'\\''s'")),
        ),
        (
            line(SignalChannel::new("-x;")),
            "wait-for -S -- '-x;'".into(),
        ),
        (
            line(ListSessions::all().filter("#{x}")),
            "list-sessions -f '#{x}'".into(),
        ),
        (line(ListWindows::all()), "list-windows -a".into()),
        (
            line(ListWindows::of(SESSION).filter("1")),
            "list-windows -t '$1' -f 1".into(),
        ),
        (line(ListPanes::all()), "list-panes -a".into()),
        (
            line(ListPanes::of_session(SESSION)),
            "list-panes -s -t '$1'".into(),
        ),
        (
            line(ListPanes::of_window(WINDOW).filter("1")),
            "list-panes -t @2 -f 1".into(),
        ),
        (line(ListClients::all()), "list-clients".into()),
        (
            line(ListClients::of(SESSION)),
            "list-clients -t '$1'".into(),
        ),
        (
            line(ListBuffers::all().filter("1")),
            "list-buffers -f 1".into(),
        ),
    ] {
        assert_eq!(line, wanted);
    }
}

fn text(value: &str) -> String {
    String::from_utf8(quoted(value.as_bytes()).unwrap()).unwrap()
}

#[test]
fn what_tmux_would_misread_is_refused() {
    for (reason, wanted) in [
        (
            refused(NewSession::new().shell("")),
            "the shell command is empty",
        ),
        (
            refused(NewSession::new().program([] as [&str; 0])),
            "the program has no name",
        ),
        (
            refused(NewSession::new().program([""])),
            "the program has no name",
        ),
        (
            refused(NewSession::new().program(["-x"])),
            "the program begins with a hyphen",
        ),
        (
            refused(NewSession::new().environment("A=b", "c")),
            "the name of a variable is empty or holds a `=`",
        ),
        (
            refused(NewWindow::at(Target::session("a:b"), 1)),
            "the name of a session has a colon or a dot",
        ),
        (
            refused(SendKeys::literal(PANE, b"\xff")),
            "the text is not UTF-8, which tmux would drop",
        ),
        (
            refused(SendKeys::named(PANE, [] as [&str; 0])),
            "the list of keys is empty",
        ),
        (
            refused(SendKeys::named(PANE, ["a", ""])),
            "the name of a key is empty",
        ),
        (
            refused(SendKeys::times(PANE, 2, "")),
            "the name of a key is empty",
        ),
        (
            refused(SendKeys::bytes(PANE, b"")),
            "the list of keys is empty",
        ),
        (
            refused(SetBuffer::new("b", "")),
            "the content of a buffer is empty",
        ),
        (
            refused(LoadBuffer::new("b", "x")),
            "the path is not absolute",
        ),
        (
            refused(SignalChannel::new("")),
            "the name of a channel is empty",
        ),
        (
            refused(PipePane::shell(PANE, "")),
            "the shell command is empty",
        ),
        (
            refused(PipePane::shell(PANE, format!("{}%", "x".repeat(8190)))),
            "the shell command is too long for tmux, which looks for the time in it",
        ),
    ] {
        assert_eq!(reason, wanted);
    }
    assert!(
        Command::from(PipePane::shell(PANE, "x".repeat(9000)))
            .line()
            .is_ok()
    );
    // What crashes 3.3a.
    for layout in [
        "",
        "b25",
        "b25d",
        "b25d,",
        "b25x,80x24,0,0,0",
        "tiled",
        "\0",
    ] {
        let command = Command::from(SelectLayout::saved(WINDOW, layout));
        assert!(command.line().is_err(), "{layout:?}");
    }
}

#[test]
fn what_is_younger_than_the_floor_says_so() {
    for (command, version) in [
        (Command::from(CapturePane::new(PANE).written()), "3.4"),
        (CapturePane::new(PANE).mode().into(), "3.6"),
        (CapturePane::new(PANE).numbers().into(), "3.7"),
        (CapturePane::new(PANE).line_flags().into(), "3.7"),
        (CapturePane::new(PANE).hyperlinks().into(), "3.7"),
        (PasteBuffer::new("b", PANE).unescaped().into(), "3.7"),
        (ListClients::all().filter("1").into(), "3.4"),
        (ClientSize::of_window(WINDOW, 1, 1).into(), "3.3"),
        (ClientSize::of_window_unset(WINDOW).into(), "3.3"),
        (
            SelectLayout::preset(WINDOW, Preset::MainVerticalMirrored).into(),
            "3.5",
        ),
        (
            SelectLayout::preset(WINDOW, Preset::MainHorizontalMirrored).into(),
            "3.5",
        ),
        (SelectLayout::saved(WINDOW, "{\"x\":1}").into(), "3.8"),
    ] {
        assert_eq!(
            since(command.clone()),
            Version::parse(version.as_bytes()),
            "{command}"
        );
    }
    assert_eq!(since(CapturePane::new(PANE).join()), None);
}

#[test]
fn text_is_refused_with_its_reason() {
    let refused = |paste: &Paste| {
        let command = paste.command("b", Quirks::default());
        command.line().err().map(|error| error.to_string())
    };
    for (text, raw, reason) in [
        (&b"plain\ttext\n\xc3\xa9"[..], false, None),
        (b"a\0", false, Some("the text has a nul byte")),
        (b"a\0", true, Some("the text has a nul byte")),
        (b"\xff", false, Some("the text is not UTF-8")),
        (b"\xff\x03\r", true, None),
        (
            b"\r",
            false,
            Some("the text has a control character, which would be a key"),
        ),
        (
            b"\x03",
            false,
            Some("the text has a control character, which would be a key"),
        ),
        (
            b"\x7f",
            false,
            Some("the text has a control character, which would be a key"),
        ),
        (
            b"\xc2\x9b",
            false,
            Some("the text has a control character, which would be a key"),
        ),
        (
            b"\x1b[201~",
            false,
            Some("the text has the sequence that ends a paste"),
        ),
        (
            b"\x1b[201~",
            true,
            Some("the text has the sequence that ends a paste"),
        ),
    ] {
        let mut paste = Paste::new(PANE, text);
        if raw {
            paste = paste.raw();
        }
        let reason = reason.map(str::to_owned);
        assert_eq!(refused(&paste), reason, "{}", text.escape_ascii());
    }
    assert_eq!(
        refused(&Paste::new(PANE, "\x1b[201~").raw().unbracketed()),
        None
    );
    let long = vec![b'x'; Paste::LIMIT + 1];
    assert!(refused(&Paste::new(PANE, &long)).is_some());
    assert_eq!(refused(&Paste::new(PANE, &long[1..])), None);
}

#[test]
fn text_is_one_line_that_looks_first() {
    let on = |version: &str| Quirks::of(Version::parse(version.as_bytes()).unwrap());
    let paste = Paste::new(PANE, "-hi;");
    let old = line(paste.command("my b", on("3.3a")));
    let if_shell = |condition: &str, words: &str, paste: &str| {
        let forget = format!("delete-buffer -b 'my b' ; has-session -t '={words}:'");
        let (forget, paste) = (text(&forget), text(paste));
        format!("if-shell -F -t '%3' '{condition}' {forget} {paste}")
    };
    let wanted = |paste: &str| {
        let takes_none = "#{||:#{pane_dead},#{pane_input_off}}";
        let guarded = if_shell(takes_none, "target pane has exited", paste);
        format!("has-session -t '%3' ; set-buffer -b 'my b' -- '-hi;' ; {guarded}")
    };
    let marked = |flags: &str| {
        let paste = format!("paste-buffer -b 'my b' -t '%3' {flags}");
        wanted(&if_shell(
            "#{pane_in_mode}",
            "target pane is in a mode",
            &paste,
        ))
    };
    assert_eq!(old, marked("-d -p -r"));
    assert_eq!(
        line(paste.command("my b", on("3.7"))),
        marked("-d -p -r -S")
    );
    let keys = paste.unbracketed().enter();
    assert_eq!(
        line(keys.command("my b", on("3.3a"))),
        wanted("paste-buffer -b 'my b' -t '%3' -d")
    );
    let empty = Paste::new(PANE, "").command("b", on("3.3a"));
    assert!(!line(empty).contains("paste-buffer"));
}

fn reply(ok: bool, body: &[u8]) -> Reply {
    let guard = Guard {
        time: 1,
        number: 2,
        flags: 1,
    };
    Reply {
        blocks: vec![Block {
            guard,
            ok,
            body: body.to_vec(),
        }],
        spoof: None,
    }
}

#[test]
fn answers_are_read() {
    let made = NewSession::new()
        .answer(reply(true, b"$1 @2 %3\n"))
        .unwrap();
    assert_eq!(
        (made.session, made.window, made.pane),
        (SESSION, WINDOW, PANE)
    );
    for body in [
        &b""[..],
        b"$1 @2\n",
        b"$1 @2 %3 \n",
        b"@1 @2 %3\n",
        b"main:0.0\n",
    ] {
        let error = NewSession::new().answer(reply(true, body)).unwrap_err();
        assert!(matches!(error, AnswerError::Unreadable { .. }), "{error:?}");
    }
    let has = HasSession::new(SESSION);
    assert_eq!(has.answer(reply(true, b"")), Ok(true));
    assert_eq!(
        has.answer(reply(false, b"can't find session: $1\n")),
        Ok(false)
    );
    assert!(has.answer(reply(false, b"no current client\n")).is_err());
    let show = ShowOption::new(Scope::Server, "@x");
    assert_eq!(show.answer(reply(true, b"")), Ok(None));
    assert_eq!(show.answer(reply(true, b"\n")), Ok(Some(vec![])));
    assert_eq!(
        show.answer(reply(true, b"a\nb\n")),
        Ok(Some(b"a\nb".to_vec()))
    );
    let show = ShowEnvironment::new(Environment::Global, "A");
    assert_eq!(
        show.answer(reply(true, b"A=b=\n")),
        Ok(Some(b"b=".to_vec()))
    );
    assert_eq!(show.answer(reply(true, b"-A\n")), Ok(None));
    assert_eq!(
        show.answer(reply(false, b"unknown variable: A\n")),
        Ok(None)
    );
    assert!(show.answer(reply(true, b"B=c\n")).is_err());
    let display = DisplayMessage::of(PANE, "x");
    assert_eq!(
        display.answer(reply(true, b"%3\tx\ty\n")),
        Ok(b"x\ty".to_vec())
    );
    assert_eq!(
        display.answer(reply(true, b"%4\tx\n")),
        Err(AnswerError::NoTarget)
    );
    let named = DisplayMessage::of(Target::session("s"), "x");
    assert_eq!(named.answer(reply(true, b"s\tx\n")), Ok(b"x".to_vec()));
    for (words, error) in [
        ("target pane has exited", AnswerError::NoInput),
        (
            "can't find session: target pane has exited",
            AnswerError::NoInput,
        ),
        (
            "can't find session: target pane is in a mode",
            AnswerError::InMode,
        ),
    ] {
        let words = format!("{words}\n");
        let paste = Paste::new(PANE, "x");
        assert_eq!(paste.answer(reply(false, words.as_bytes())), Err(error));
    }
    let failed = KillPane::new(PANE).answer(reply(false, b"can't find pane: %3\n"));
    assert_eq!(
        failed.unwrap_err().to_string(),
        "tmux refused the command: can't find pane: %3"
    );
}

proptest! {
    /// An argument stays one word that says what was given, wherever a command has one.
    #[test]
    fn any_argument_is_quoted_whole(value in "[^\0]{1,40}", bytes in prop::collection::vec(1u8.., 1..40)) {
        let word = |value: &[u8]| quoted(value).unwrap();
        let ends = |command: Command, value: &[u8]| {
            let line = command.line().unwrap().to_vec();
            assert!(line.ends_with(&[b" ", &word(value)[..]].concat()), "{command}");
        };
        ends(SetBuffer::new("b", &bytes).into(), &bytes);
        ends(SetOption::new(Scope::Server, "@x", &bytes).into(), &bytes);
        ends(RenameWindow::new(WINDOW, &bytes).into(), &literal(&bytes));
        ends(SendKeys::literal(PANE, &value).into(), value.as_bytes());
        ends(NewSession::new().program(["x", &value]).into(), value.as_bytes());
        ends(NewSession::new().shell(&bytes).into(), &bytes);
        ends(DisplayMessage::new(&bytes).into(), &bytes);
    }
}
