//! Flow control, client flags, sizes, subscriptions.

use super::stage::Stage;

/// Pausing and going on, by command and by age; flags and sizes.
pub(super) fn play(s: &mut Stage) {
    s.boot();
    s.attach("", &[]);
    by_command(s);
    flags(s);
    sizes(s);
    by_age(s);
}

fn by_command(s: &mut Stage) {
    s.print("%0", "before", "<before>");
    s.send("refresh-client -A '%0:pause'");
    s.send("refresh-client -A '%0:pause'");
    s.send("send-keys -t %0 -l before");
    s.send("refresh-client -A '%0:continue'");
    s.send("refresh-client -A '%0:continue'");
    s.send("refresh-client -A '%0:continue' ; display-message -p 'in one line'");
    s.send("refresh-client -A '%0:pause' ; refresh-client -A '%0:continue'");
    s.send("refresh-client -f pause-after=30");
    s.send("display-message -p '#{client_flags}'");
    s.send("send-keys -t %0 -H 0a");
    s.on(0).expect_output("%0", b"<before>");
    s.send("refresh-client -A '%0:pause'");
    s.send("refresh-client -A '%0:continue'");
    s.send("refresh-client -A '%0:off'");
    s.send("refresh-client -A '%0:on'");
    // Nothing that means anything is an error.
    s.send("refresh-client -A '%99:pause'");
    s.send("refresh-client -A '%0:sideways'");
    s.send("refresh-client -A '%0'");
    s.send("split-window -d -t %0");
    s.expect("%layout-change @0");
    s.send("refresh-client -A '%0:pause' -A '%1:pause'");
    s.send("refresh-client -A '%0:continue' -A '%1:continue'");
    s.send("kill-pane -t %1");
    s.expect("%layout-change @0");
    s.send("refresh-client -f '!pause-after'");
    s.print("%0", "again", "<again>");
    // Another client may say it for this one.
    let other = s.attach("other", &["-f", "no-output"]);
    let me = s.on(0).name();
    s.on(other)
        .send(format!("refresh-client -t {me} -A '%0:pause'"));
    s.expect("%pause %0");
    s.on(other)
        .send(format!("refresh-client -t {me} -A '%0:continue'"));
    s.on(other).send("display-message -p '#{client_flags}'");
    s.on(other).detach();
    s.expect("%client-detached ");
}

fn flags(s: &mut Stage) {
    for flags in [
        "ignore-size",
        "!ignore-size",
        "active-pane",
        "!active-pane",
        "no-detach-on-destroy",
        "!no-detach-on-destroy",
        "no-such-flag",
        "wait-exit,ignore-size",
        "!wait-exit,!ignore-size",
    ] {
        s.send(format!("refresh-client -f '{flags}'"));
        s.send("display-message -p '#{client_flags}'");
    }
    // Not enforced for what is typed; and not to be undone.
    let reader = s.attach("reader", &["-f", "read-only"]);
    s.on(reader).send("display-message -p '#{client_flags}'");
    s.on(reader).send("rename-window -t @0 renamed");
    s.on(reader).send("send-keys -t %0 -l again");
    s.on(reader).send("refresh-client -f '!read-only'");
    s.on(reader).send("display-message -p '#{client_flags}'");
    s.on(reader).detach();
    s.expect("%client-detached ");
    if s.at_least(3, 7) {
        // There it was refused.
        s.send("send-keys -t %0 -l again");
    }
    s.send("send-keys -t %0 -H 0a");
    s.on(0).expect_output("%0", b"<again>");
}

fn sizes(s: &mut Stage) {
    for (line, changes) in [
        ("refresh-client -C 50,15", true),
        ("refresh-client -C 40x12", true),
        ("refresh-client -C @0:30x10", true),
        ("refresh-client -C @0:", true),
        (
            "display-message -p '#{window_width}x#{window_height} #{client_width}'",
            false,
        ),
        ("resize-window -t @0 -x 44 -y 11", true),
        ("set-option -wu window-size", true),
    ] {
        s.send(line);
        if changes {
            s.expect("%layout-change @0");
        }
    }
}

/// With `pause-after` and no number, output that has waited a millisecond pauses its pane.
///
/// What it waits for is a reply that does not fit into the pipe of a client that stopped reading.
fn by_age(s: &mut Stage) {
    let slow = s.attach("slow", &["-f", "pause-after"]);
    let other = s.attach("watcher", &["-f", "no-output"]);
    s.send(format!("set-option -g @big '{}'", "x".repeat(6000)));
    s.on(slow).stall();
    s.on(slow).post("show-options -gv @big");
    s.on(slow).filled();
    for file in ["y", "z"] {
        s.file(file, file);
        s.on(other).send(format!("send-keys -t %0 -l {file}"));
        s.on(other).send("send-keys -t %0 -H 0a");
        s.printed(file);
    }
    s.on(0).expect_output("%0", b"yz");
    s.on(slow).fenced();
    s.on(slow).expect("%pause %0");
    s.on(slow).send("refresh-client -A '%0:continue'");
    s.on(slow).send("display-message -p 'and on'");
}

/// Every kind of subscription, and what changes them.
///
/// What is asked for in one line is first looked at in one tick, so that the order is one, too.
pub(super) fn play_subscriptions(s: &mut Stage) {
    s.boot();
    s.attach("", &[]);
    s.send(r#"set-option -p -t %0 @lines "one\ntwo""#);
    s.send("set-option -g @century '%C'");
    let names = [
        ("session", "::#{session_name} #{session_windows}"),
        ("pane", ":%0:#{pane_id} #{pane_dead}"),
        ("panes", ":%*:#{pane_id} #{pane_dead}"),
        ("window", ":@0:#{window_name}"),
        ("windows", ":@*:#{window_index} #{window_panes}"),
        ("a name", ":%0:#{pane_id} : x"),
        ("odd", ":bogus:#{session_name}"),
        ("century", "::%C #{T:@century}"),
        ("lines", ":%0:#{@lines}"),
        ("gone", ":%99:#{pane_id}"),
    ];
    let all = names.map(|(name, what)| format!(" -B '{name}{what}'"));
    s.send(format!("refresh-client{}", all.concat()));
    for (name, _) in &names[..9] {
        if *name == "odd" && s.at_least(3, 8) {
            continue;
        }
        s.expect(&format!("%subscription-changed {name} "));
    }
    s.send("rename-window -t @0 changed ; link-window -d -s @0 -t main:3");
    s.expect("%subscription-changed windows $0 @0 3 ");
    // Of a pane that dies, only what is asked of all panes is told.
    s.send("set-option -g remain-on-exit on");
    let mortal = "refresh-client -B 'mortal:%1:#{pane_dead}'";
    s.send(format!(
        "unlink-window -t main:3 ; split-window -d -t %0 cat ; {mortal}"
    ));
    for told in ["session", "mortal", "windows", "panes $0 @0 0 %1"] {
        s.expect(&format!("%subscription-changed {told} "));
    }
    s.send("send-keys -t %1 -H 04");
    s.expect("%subscription-changed panes $0 @0 0 %1 : %1 1");
    // Removed, all but one; and that one replaced. What a shell says comes after an empty value;
    // from 3.8 no shell is asked.
    let all = names.map(|(name, _)| format!(" -B '{name}'"));
    let new = ["window:@0:again #{window_name}", "job::#(echo worked)"];
    let new = new.map(|subscription| format!(" -B '{subscription}'"));
    s.send(format!("refresh-client{}{}", all.concat(), new.concat()));
    s.expect("%subscription-changed window $0 @0 0 - : again changed");
    if !s.at_least(3, 8) {
        s.expect("%subscription-changed job $0 - - - : worked");
    }
    s.send("refresh-client -B job -B window");
    s.send("kill-pane -t %1");
    s.expect("%layout-change @0");
}
