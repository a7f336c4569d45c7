//! One line, its blocks, and how tmux reads and writes text.

use super::stage::Stage;

/// What a line means, and how many blocks it has.
pub(super) fn play(s: &mut Stage) {
    s.boot();
    s.attach("", &[]);
    // How many blocks.
    s.send_all(&[
        "display-message -p hello",
        r#"display-message -p """#,
        "display-message -p one ; display-message -p two",
        "display-message -p one ; kill-session -t =nosuch ; display-message -p three",
        "# a comment",
        "RECORDED=yes",
        "set-option -s command-alias[100] 'twice=display-message -p 1 ; display-message -p 2'",
        "twice",
        "rename-window -t @0 x1 ; display-message -p '#{window_name}' ; rename-window -t @0 w0",
    ]);
    s.on(0).raw("   \n");
    s.send("display-message -p 'spaces had no block'");
    // Quotes, escapes and words that begin with a sign.
    s.send_all(&[
        "display-message -p 'unterminated",
        "display-message -p a;",
        r#"display-message -p 'it'"'"'s'\'!"#,
        r#"display-message -p "$RECORDED ${RECORDED} $UNSET.""#,
        "display-message -p '$RECORDED \\n'",
        r#"display-message -p "\101\x\s\u00e9\\""#,
        "display-message -p a\\ b\\;",
        "display-message -p ~",
        "display-message -p '~'",
        "display-message -p -t %0 '#{pane_id}'",
        "display-message -p a%%b",
        "if-shell -F 1 { display-message -p braces }",
        "display-message -p a # b",
        "display-message -p 'a # b ; c'",
    ]);
    // What no library should send: a carriage return is a byte like any other, a newline ends the
    // line wherever it stands, and so does a NUL.
    s.on(0).raw("display-message -p 'cr'\r\n");
    s.expect("%e");
    s.on(0).raw("set-option -g @split \"a\nb\"\n");
    s.expect("%error");
    s.on(0).raw(b"display-message -p nul\0gone\n");
    s.expect("%end");
    // Formats and the clock: `%C` is the century.
    s.send_all(&[
        "display-message -p '#{session_name} ##{x} #[bold]'",
        "display-message -p '%C %%C'",
        "display-message -p '#{no_such_variable}'",
        r#"set-option -g @lines "one\ntwo""#,
        "show-options -gv @lines",
        "show-options -g @lines",
    ]);
    // How replies are written.
    s.send(r#"display-message -p "tab\tesc\e bell\a 1f\037 back\\slash""#);
    s.send("display-message -p 'h\u{e9}\u{20ac}'");
    s.send(b"display-message -p '\xc3\x28 bad'");
    s.on(0).raw(b"display-message -p '\xff\xfe bad'\n");
    s.expect("%e");
    // Without `-u` and with no UTF-8 in the environment, text is not what it was.
    let plain = s.start_without_utf8("ascii", &["-C", "attach-session", "-t", "main"]);
    s.on(plain).expect("%session-changed ");
    s.on(plain).send("display-message -p 'h\u{e9}\u{20ac}'");
    s.on(plain).send(r#"display-message -p "tab\tesc\e""#);
}

/// What tmux refuses, and how it says so.
pub(super) fn play_errors(s: &mut Stage) {
    s.boot();
    s.attach("", &[]);
    s.send_all(&[
        "bogus-command",
        "display-message -p never ; bogus-command",
        "list-windows -9",
        "kill-session a b",
        "list-windows -F",
        "; display-message -p x",
        "display-message -p a ;; display-message -p b",
        "display-message -p trailing\\",
        r#"display-message -p "\400""#,
        r#"display-message -p "\u12""#,
        "display-message -p {a b}",
        "display-message -p {",
        "display-message -p }",
        "display-message -p %abc",
        "refresh-client -A %0:pause",
        "kill-session -t =nosuch",
        "select-window -t @99",
        "select-pane -t %99",
        "list-panes -t %99",
        "display-message -p -t %99 'another pane answers'",
        "new-session -d -s main",
        "send-keys -X cancel",
        "refresh-client -C 0x0",
        "refresh-client -C 20000,20000",
        "refresh-client -C x",
        "refresh-client -t nobody",
        "set-option -g no-such-option 1",
        "show-buffer -b nosuch",
        "source-file no-such-file",
        "swap-pane -s %0 -t %0",
        "select-layout bogus",
        "link-window -s @0 -t main:0",
        "break-pane -s %0 -t main:0",
        "kill-pane -t %99 ; display-message -p never",
    ]);
}
