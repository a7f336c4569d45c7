//! Sessions, windows, panes and their layouts.

use super::stage::Stage;

/// Windows and panes of the client's own session and of another one.
pub(super) fn play(s: &mut Stage) {
    s.boot();
    s.attach("", &[]);
    windows(s);
    panes(s);
    linked(s);
    groups(s);
}

fn windows(s: &mut Stage) {
    s.send("new-window -d -n w1");
    s.expect("%window-add @1");
    s.send("rename-window -t @1 'a b  c '");
    s.expect("%window-renamed @1 a b  c ");
    s.send("rename-window -t @1 '%end 1 2 3'");
    s.expect("%window-renamed @1 %end 1 2 3");
    s.send("rename-window -t @1 ''");
    s.expect("%window-renamed @1 ");
    s.send("rename-window -t @1 'h\u{e9}'");
    s.expect("%window-renamed @1 h");
    s.send("select-window -t @1");
    s.expect("%session-window-changed $0 @1");
    s.send("last-window");
    s.expect("%session-window-changed $0 @0");
    s.send("move-window -s @1 -t main:5");
    s.send("swap-window -s main:5 -t main:0");
    s.send("move-window -r");
    s.send("list-windows -F '#{window_index} #{window_id} #{window_name} #{window_raw_flags}'");
    s.send("kill-window -t @1");
    s.expect_closed("@1");
}

fn panes(s: &mut Stage) {
    s.send("split-window -v -t %0");
    s.expect("%layout-change @0");
    s.send("select-pane -t %0");
    s.expect("%window-pane-changed @0 %0");
    s.send("resize-pane -t %0 -Z");
    s.expect("%layout-change @0");
    s.send("resize-pane -t %0 -Z");
    s.expect("%layout-change @0");
    s.send("swap-pane -s %0 -t %2");
    s.expect("%layout-change @0");
    // To a window of its own, and back. A window that nobody has looked at has no flags.
    s.send("break-pane -d -s %2 -n broken");
    s.expect("%window-add @2");
    s.send("split-window -d -t @2");
    s.expect("%layout-change @2");
    s.send("select-pane -m -t %2");
    s.send("kill-pane -t %3");
    s.expect("%layout-change @2");
    s.send("select-pane -M");
    s.send("join-pane -d -s %2 -t %0");
    s.expect("%layout-change @0");
    s.send("list-panes -s -F '#{window_id} #{pane_id} #{pane_index} #{pane_active}'");
    // Flags other than `*` and `-` need something to happen while nobody looks.
    s.send("new-window -d -n bell 'printf \\\\a; exec cat'");
    s.expect("%window-add @3");
    s.on(0).expect_output("%4", b"\x07");
    s.send("split-window -d -t @3");
    s.expect("%layout-change @3");
    s.send("set-option -g remain-on-exit on");
    s.send("new-window -d -n dead true");
    s.expect("%window-add @4");
    s.send("kill-window -t @4");
    s.expect_closed("@4");
    s.send("kill-window -t @3");
    s.expect_closed("@3");
    s.send("kill-pane -t %2");
    s.expect("%layout-change @0");
}

fn linked(s: &mut Stage) {
    s.send("new-session -d -s other -n o1 -x 60 -y 20");
    s.expect("%unlinked-window-add @5");
    s.send("rename-window -t @5 'o one'");
    s.expect("%unlinked-window-renamed @5 o one");
    s.send("split-window -d -t @5");
    s.send("select-pane -t @5.1");
    s.expect("%window-pane-changed @5");
    s.send("new-window -t other: -n o2");
    s.expect("%session-window-changed $1 @6");
    s.send("link-window -d -s @5 -t main:7");
    s.expect("%window-add @5");
    s.send("rename-window -t @5 shared");
    s.expect("%window-renamed @5 shared");
    s.send("unlink-window -t main:7");
    s.send("display-message -p unlinked");
    s.send("kill-window -t @6");
    s.expect("%session-window-changed $1 @5");
    s.send("rename-session -t other 'o t:h.er'");
    s.expect("%session-renamed $1 ");
    // What a name may hold: up to 3.6 the rest is replaced, from 3.7 some of it is refused.
    s.send(r#"new-session -d -s "n:1.2\001$x" -n n1"#);
    s.send("new-session -d -s 'n:1.2 $x' -n n2");
    s.expect("%sessions-changed");
    s.send(r#"rename-window -t '$2:' "tab\tesc\e""#);
    s.send("list-sessions -F '#{session_id} #{session_name}'");
    s.send("kill-session -t '$2'");
    s.expect("%sessions-changed");
    s.send("kill-session -t '$1'");
    s.expect("%sessions-changed");
    s.send("display-message -p 'both are gone'");
}

fn groups(s: &mut Stage) {
    s.send("new-session -d -t main -s twin");
    s.expect("%sessions-changed");
    // Some versions make a window first that the group has no place for, so its number varies.
    s.send("new-window -d -t twin: -n common");
    s.expect("%window-add @");
    s.send("kill-window -t main:common");
    s.expect_closed("@");
    s.send("kill-session -t twin");
    s.expect("%sessions-changed");
    s.send("display-message -p 'the twin is gone'");
}

/// The forms of layouts, and what is refused.
pub(super) fn play_layouts(s: &mut Stage) {
    s.boot();
    s.attach("", &[]);
    for line in [
        "split-window -h -t %0",
        "split-window -v -t %1",
        "split-window -h -t %2",
    ] {
        s.send(line);
        s.expect("%layout-change @0");
    }
    for name in [
        "even-horizontal",
        "even-vertical",
        "main-horizontal",
        "main-vertical",
        "tiled",
    ] {
        s.send(format!("select-layout {name}"));
        s.expect("%layout-change @0");
    }
    s.send("list-windows -F '#{window_layout} #{window_visible_layout}'");
    s.send("list-windows");
    s.send("resize-pane -Z");
    s.expect("%layout-change @0");
    s.send("list-windows -F '#{window_layout} #{window_visible_layout}'");
    s.send("resize-pane -Z");
    s.expect("%layout-change @0");
    s.send("set-option -w pane-border-status top");
    s.send("set-option -wu pane-border-status");
    // By hand: a wrong sum, too many panes, and a right one without ids.
    s.send_all(&[
        "select-layout 'ffff,60x20,0,0,0'",
        "select-layout '380d,60x20,0,0{30x20,0,0,0,29x20,31,0[29x10,31,0,1,29x9,31,11,2]}'",
        "kill-pane -t %3",
    ]);
    s.expect("%layout-change @0");
    s.send("select-layout '2c01,60x20,0,0{30x20,0,0,29x20,31,0[29x10,31,0,29x9,31,11]}'");
    s.expect("%layout-change @0");
    s.send("select-layout 'a1dd,60x20,0,0,0'");
    // Up to 3.3a, what does not begin with four hexadecimal digits ends the server.
    if s.at_least(3, 4) {
        s.send("select-layout 'no layout'");
        s.send("select-layout ''");
    }
    s.send("select-layout -o");
    s.send("display-message -p '#{window_layout}'");
}

/// Panes that float, and the layouts that say so; errors where there are none.
pub(super) fn play_floating(s: &mut Stage) {
    s.boot();
    s.attach("", &[]);
    s.send("split-window -d -v -t %0");
    s.expect("%layout-change @0");
    s.send("new-pane -x 20 -y 5");
    s.send("display-message -p '#{window_panes} #{pane_floating_flag}'");
    s.send("list-windows -F '#{window_layout} #{window_visible_layout}'");
    s.send("new-pane -x 10 -y 4 -X 30 -Y 2");
    s.send("list-panes -F '#{pane_id} #{pane_floating_flag}'");
    s.send("refresh-client -f new-layouts");
    s.send("resize-pane -t %0 -y 5");
    s.send("display-message -p '#{client_flags}'");
    s.send("resize-pane -t %0 -Z");
    s.send("resize-pane -t %0 -Z");
    s.send("refresh-client -f '!new-layouts'");
    s.send("resize-pane -t %0 -y 7");
    s.send("kill-pane -t %3");
    s.send("kill-pane -t %2");
    s.send("display-message -p '#{window_layout}'");
}

/// Clients that come, go and change sessions.
pub(super) fn play_sessions(s: &mut Stage) {
    s.boot();
    let me = s.start(
        "",
        &[
            "new-session",
            "-s",
            "mine",
            "-n",
            "m1",
            "-x",
            "60",
            "-y",
            "20",
        ],
    );
    s.on(me).expect("%session-changed $1 mine");
    s.send("list-sessions -F '#{session_id} #{session_name} #{session_attached}'");
    let other = s.attach("other", &["-f", "ignore-size"]);
    let them = s.on(other).name();
    s.expect("%client-session-changed ");
    s.on(other).send("switch-client -t mine");
    s.on(other).expect("%session-changed $1 mine");
    s.expect("%client-session-changed ");
    s.elsewhere(&["switch-client", "-c", &them, "-t", "main"]);
    s.on(other).expect("%session-changed $0 main");
    s.expect("%client-session-changed ");
    s.on(other).send("attach-session -t mine");
    s.on(other).expect("%session-changed $1 mine");
    s.expect("%client-session-changed ");
    s.on(other).send("new-session -s third -n t1 -x 60 -y 20");
    s.on(other).expect("%session-changed $2 third");
    s.expect("%client-session-changed ");
    // A client that is not thrown out when its session ends goes on to another one, unasked.
    s.send("set-option -g detach-on-destroy off");
    s.send("kill-session -t third");
    s.on(other).expect("%session-changed ");
    s.expect("%client-session-changed ");
    s.send("set-option -g detach-on-destroy on");
    s.send(format!("detach-client -t {them}"));
    s.on(other).ends();
    s.expect("%client-detached ");
    s.send("list-clients -F '#{client_control_mode} #{client_flags} #{client_session}'");
    s.send("display-message -p '#{client_width}x#{client_height}'");
}
