//! What panes print, and how their screens are read.

use super::stage::Stage;

/// Every byte, in pieces and whole, of windows that are looked at and of others.
pub(super) fn play(s: &mut Stage) {
    s.boot();
    s.attach("", &[]);
    let every: Vec<u8> = (0..=255).collect();
    s.print("%0", "all", [&every[..], b"<all>"].concat());
    s.print("%0", "utf8", "h\u{e9}\u{20ac}\u{1f980}\u{65}\u{301}\r\n");
    // A character cut in two, and bytes that are none.
    s.print("%0", "cut1", b"\xe2\x82");
    s.print("%0", "cut2", b"\xac<cut>");
    s.print("%0", "invalid", b"\xc3\x28\xff\xed\xa0\x80<invalid>");
    s.print(
        "%0",
        "colour",
        "\x1b[1;31mred\x1b[m \x1b]2;a title\x07\x1bkname\x1b\\<colour>",
    );
    s.print("%0", "guards", "%begin 1 2 1\r\n%end 1 2 1\r\n%exit\r\n");
    s.print("%0", "spaces", "  ");
    s.print("%0", "backslash", r"\134 \ \\");
    s.send("send-keys -t %0 -H 61 6c 6c 0a");
    s.on(0).expect_output("%0", b"<all>");
    // Another window of the session is heard, another session is not.
    s.send("new-window -d -n heard 'printf \"heard\"; exec cat'");
    s.on(0).expect_output("%1", b"heard");
    s.send("new-session -d -s deaf -n d1 'printf unheard; exec cat'");
    s.expect("%sessions-changed");
    s.send("send-keys -t %1 -l echoed");
    s.on(0).expect_output("%1", b"echoed");
    s.send("pipe-pane -t %1 'cat >/dev/null'");
    s.send("pipe-pane -t %1");
    s.send("clear-history -t %0");
}

/// `capture-pane` and its flags.
pub(super) fn play_captures(s: &mut Stage) {
    s.boot();
    s.attach("", &[]);
    let long = "w".repeat(70);
    let text = format!(
        "\x1b[2J\x1b[Hplain  \r\n\x1b[1;32mgreen\x1b[m h\u{e9}\r\n{long}\r\n%end 1 2 3\r\n\\back"
    );
    s.print("%0", "screen", text);
    for flags in [
        "", "-e", "-C", "-e -C", "-J", "-N", "-T", "-M", "-F", "-H", "-L", "-I",
    ] {
        s.send(format!("capture-pane -p {flags} -E 5 -t %0"));
    }
    s.send("capture-pane -p -S -3 -E - -t %0");
    s.send("capture-pane -p -a -t %0");
    s.send("capture-pane -p -a -q -t %0");
    s.print("%0", "partial", b"\x1b[1");
    s.send("capture-pane -p -P -t %0");
    s.send("capture-pane -p -P -C -t %0");
    s.send("capture-pane -E 1 -b captured -t %0");
    s.send("show-buffer -b captured");
    s.send(r#"set-buffer -b odd "tab\tesc\e back\\slash""#);
    s.send("show-buffer -b odd");
    s.send("list-buffers -F '#{buffer_name}: #{buffer_sample}'");
    s.send("display-message -p -t %0 '#{pane_title} #{cursor_x},#{cursor_y} #{alternate_on}'");
    s.send("capture-pane -p -t %0 ; display-message -p stitched");
}
