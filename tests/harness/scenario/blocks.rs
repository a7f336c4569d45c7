//! Blocks that are not one to a line: hooks, shells, files, waiting, modes.

use super::stage::Stage;

/// Bodies that look like guards, and blocks that come late, elsewhere or not at all.
pub(super) fn play(s: &mut Stage) {
    s.boot();
    s.attach("", &[]);
    bodies(s);
    hooks(s);
    shells(s);
    files(s);
    waits(s);
}

fn bodies(s: &mut Stage) {
    s.send_all(&[
        r#"set-buffer -b guards "%end 1 2 1\n%begin 1 2 1\n%output %0 x\n%exit\n""#,
        "show-buffer -b guards",
        "list-buffers",
    ]);
    if s.at_least(3, 4) {
        s.expect("%end");
    }
    // On the screen of a pane they are the same.
    let lines = "%begin 1 2 1\r\n%end 1 2 1\r\n%error 1 2 1\r\n%exit\r\n";
    s.print("%0", "guards", lines);
    s.send("capture-pane -p -t %0");
    s.send("delete-buffer -b guards");
    // Without a descriptor, what the client should have read or written is a stray line.
    s.send("set-buffer -b b1 text");
    s.send("save-buffer -b b1 -");
    s.send("load-buffer -");
}

fn hooks(s: &mut Stage) {
    // A command's hook has blocks with flags 0; a notification's hook prints no guards at all.
    s.send("set-hook -g after-list-buffers 'display-message -p hooked ; display-message -p again'");
    s.send("list-buffers -F x");
    s.send("set-hook -gu after-list-buffers");
    s.send("set-hook -g window-renamed 'display-message -p renamed'");
    s.send("rename-window -t @0 w1");
    s.expect("%window-renamed @0 w1");
    s.send("set-hook -gu window-renamed");
    s.send("rename-window -t @0 w0");
    s.expect("%window-renamed @0 w0");
    // A key binding's block has flags 0 too.
    s.send("bind-key -n F1 display-message -p bound");
    if s.at_least(3, 4) {
        let me = s.on(0).name();
        s.elsewhere(&["send-keys", "-K", "-c", &me, "F1"]);
        s.send("display-message -p 'the key was pressed'");
    }
}

fn shells(s: &mut Stage) {
    s.send_all(&[
        "if-shell true 'display-message -p yes' 'display-message -p no'",
        "if-shell false 'display-message -p yes' 'display-message -p no ; display-message -p 2'",
        "if-shell -F 1 'display-message -p yes'",
        "if-shell -F 1 'bogus-command'",
        "if-shell true 'bogus-command'",
        "if-shell true 'kill-session -t =nosuch ; display-message -p never' ; display-message -p x",
    ]);
    s.send("if-shell -b true 'display-message -p background'");
    s.expect("background");
    s.send("run-shell true");
    s.send("run-shell -C 'display-message -p from-c'");
    s.send("run-shell -b true");
    // In 3.3 and 3.4 what it prints opens a mode in the pane instead of going to the client.
    s.send("run-shell 'echo printed; exit 3'");
    s.send("display-message -p '#{pane_in_mode}'");
    s.send("copy-mode -q");
    s.send("display-message -p '#{pane_in_mode}'");
}

fn files(s: &mut Stage) {
    s.file(
        "good",
        "display-message -p first\nkill-session -t =nosuch\ndisplay-message -p last\n",
    );
    s.file("bad", "display-message -p never\nbogus-command\n");
    s.file("empty", "");
    s.send_all(&[
        "source-file good",
        "source-file bad",
        "source-file empty",
        "source-file -n good",
    ]);
    if s.at_least(3, 6) {
        s.send("display-message -p 'after the error'");
    }
}

fn waits(s: &mut Stage) {
    s.on(0).post("wait-for channel");
    s.expect("%end");
    s.on(0).raw("display-message -p 'behind the wait'\n");
    s.elsewhere(&["wait-for", "-S", "channel"]);
    s.expect("behind the wait");
    s.send_all(&[
        "wait-for -S early",
        "wait-for early",
        "wait-for -L lock",
        "wait-for -U lock",
    ]);
    s.send("display-panes -d 50");
    if s.at_least(3, 8) {
        // There it is a mode, which ends.
        s.on(0).expect_times(2, "%pane-mode-changed %0");
    }
    s.send("display-popup -E true");
    s.send("lock-client");
    s.send("suspend-client");
    s.send("refresh-client");
    // A control client cannot answer: its queue stays frozen, and only its end helps.
    for (name, line) in [
        ("confirm", "confirm-before 'display-message -p confirmed'"),
        ("prompt", "command-prompt 'display-message -p prompted'"),
        (
            "menu",
            "display-menu -x 0 -y 0 item a 'display-message -p chosen'",
        ),
    ] {
        let frozen = s.attach(name, &[]);
        s.expect_ever(&format!("%client-session-changed {} ", s.name(frozen)));
        s.on(frozen).raw(format!("{line}\n"));
        s.on(frozen).expect("%end");
        s.on(frozen).raw("display-message -p never\n");
        s.send("display-message -p 'others go on'");
        s.on(frozen).detach();
        s.expect(&format!("%client-detached {}", s.name(frozen)));
        s.send("display-message -p '#{pane_in_mode}'");
    }
}

/// Modes of panes, messages, buffers.
pub(super) fn play_modes(s: &mut Stage) {
    s.boot();
    s.attach("", &[]);
    for mode in [
        "copy-mode",
        "clock-mode",
        "choose-tree",
        "choose-buffer",
        "customize-mode",
    ] {
        s.send(format!("{mode} -t %0"));
        // There is nothing to choose from: no mode.
        if mode != "choose-buffer" {
            s.expect("%pane-mode-changed %0");
        }
        s.send("display-message -p -t %0 '#{pane_in_mode} #{pane_mode}'");
        s.send("send-keys -t %0 q");
        s.send("copy-mode -q -t %0");
        s.send("display-message -p -t %0 '#{pane_in_mode} #{pane_mode}'");
    }
    // To the client itself, to another client, from elsewhere.
    let other = s.attach("other", &[]);
    let (me, them) = (s.on(0).name(), s.on(other).name());
    s.send("display-message 'a message'");
    s.send(r#"display-message "esc\e tab\t back\\slash""#);
    s.send(format!("display-message -c {them} 'to another'"));
    s.elsewhere(&["display-message", "-c", &me, "from elsewhere"]);
    if s.at_least(3, 4) {
        s.on(other).expect("%message to another");
        s.expect("%message from elsewhere");
    }
    s.on(other).detach();
    s.expect("%client-detached ");
    for line in [
        "set-buffer -b named text",
        "set-buffer -b named more",
        "set-buffer -b named -n renamed",
        "delete-buffer -b renamed",
        "set-buffer 'its name is automatic'",
        "delete-buffer",
    ] {
        s.send(line);
        if s.at_least(3, 4) {
            s.expect("%paste-buffer-");
        }
    }
    s.send("list-buffers");
}
