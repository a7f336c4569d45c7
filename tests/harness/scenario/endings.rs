//! How control clients begin and end.

use rustix::process::Signal;

use super::stage::Stage;

/// `-CC` on a terminal, and a terminal as the name of a client.
pub(super) fn play_terminal(s: &mut Stage) {
    s.boot();
    let observer = s.attach("observer", &[]);
    let cc = s.start_on_pty("", &["attach-session", "-t", "main"]);
    s.on(cc).expect("%session-changed ");
    s.on(observer).expect("%client-session-changed ");
    s.on(cc).send("display-message -p hi");
    s.on(cc).send("bogus-command");
    s.on(cc).send("send-keys -t %0 -l none");
    s.on(cc).send("detach-client");
    s.on(cc).ends();
    s.on(observer).expect("%client-detached ");
}

/// Every reason for `%exit` that can be had, and clients that never attach.
pub(super) fn play(s: &mut Stage) {
    started_by_a_client(s);
    s.boot();
    never_attached(s);
    detached(s);
    gone_with_their_session(s);
    gone_with_the_server(s);
}

/// The server is started by its first client, from a file that holds an error.
fn started_by_a_client(s: &mut Stage) {
    s.file(
        "conf",
        "set-option -g status off\nbogus-command\nset-option -g automatic-rename off\n",
    );
    let session = "new-session -s first -n w0 -x 60 -y 20 cat";
    let args: Vec<&str> = ["-f", "conf", "-u", "-C"]
        .into_iter()
        .chain(session.split(' '))
        .collect();
    let first = s.start_bare("config-error", &args);
    s.on(first).expect("%session-changed $0 first");
    s.on(first).send("display-message -p started");
    s.running();
    s.on(first).post("kill-server");
    s.on(first).ends();
    s.gone();
}

fn never_attached(s: &mut Stage) {
    for (name, args) in [
        ("bad-target", &["attach-session", "-t", "=nosuch"][..]),
        ("list", &["list-sessions", "-F", "#{session_name}"]),
        (
            "two",
            &[
                "display-message",
                "-p",
                "one",
                ";",
                "display-message",
                "-p",
                "two",
            ],
        ),
        ("unknown", &["bogus-command"]),
        ("no-client", &["refresh-client", "-B", "x"]),
    ] {
        let client = s.start(name, args);
        s.on(client).ends();
    }
}

fn detached(s: &mut Stage) {
    let client = s.attach("detach", &[]);
    s.on(client).post("detach-client");
    s.on(client).ends();

    let client = s.attach("empty-line", &[]);
    s.on(client).detach();

    let client = s.attach("end-of-input", &[]);
    s.on(client).hang_up();
    s.on(client).ends();

    // What was read before the end is still run; a line without its newline is none.
    let client = s.attach("end-of-input-queued", &[]);
    s.on(client)
        .raw("display-message -p one\ndisplay-message -p two\ndisplay-message -p no");
    s.on(client).hang_up();
    s.on(client).ends();

    let client = s.attach("end-of-input-waiting", &[]);
    s.on(client)
        .raw("wait-for nobody\ndisplay-message -p never\n");
    s.on(client).expect("%end");
    s.on(client).hang_up();
    s.on(client).ends();

    // What a terminal would run in its place is nothing to a client without one.
    let client = s.attach("detach-and-run", &[]);
    s.on(client).send("detach-client -E true");
    s.on(client).send("display-message -p 'still here'");
    s.on(client).detach();

    for (name, signal) in [
        ("SIGTERM", Signal::TERM),
        ("SIGHUP", Signal::HUP),
        ("SIGKILL", Signal::KILL),
    ] {
        let client = s.attach(&name.to_lowercase(), &[]);
        s.on(client).signal(signal, name);
        s.on(client).ends();
    }

    let client = s.attach("wait-exit", &["-f", "wait-exit"]);
    s.on(client).post("detach-client");
    s.on(client).expect("%exit");
    s.on(client).raw("nobody reads this\n");
    s.on(client).detach();
}

fn gone_with_their_session(s: &mut Stage) {
    let session = ["new-session", "-x", "60", "-y", "20", "-n", "w", "-s"];
    let client = s.start("kill-session", &[&session[..], &["doomed"]].concat());
    s.on(client).expect("%session-changed ");
    s.on(client).post("kill-session -t =doomed");
    s.on(client).ends();

    let client = s.start("last-pane", &[&session[..], &["brief", "cat"]].concat());
    s.on(client).expect("%session-changed ");
    s.on(client).post("kill-pane");
    s.on(client).ends();

    let client = s.start("killed-elsewhere", &[&session[..], &["taken"]].concat());
    s.on(client).expect("%session-changed ");
    s.elsewhere(&["kill-session", "-t", "=taken"]);
    s.on(client).ends();
}

fn gone_with_the_server(s: &mut Stage) {
    // In the middle of a reply: what it could not write any more is missing, and `%exit` stands
    // at once behind what it could.
    let cut = s.attach("crash-in-reply", &[]);
    s.on(cut)
        .send(format!("set-option -g @big '{}'", "x".repeat(6000)));
    let whole = s.attach("crash", &[]);
    s.on(cut).stall();
    s.on(cut).post("show-options -gv @big");
    s.on(cut).filled();
    s.crash();
    // Up to 3.7 it waits until there is room for its `%exit`; from 3.8 that is lost.
    if s.at_least(3, 8) {
        s.on(cut).dies_unread();
    }
    s.on(cut).ends();
    s.on(whole).ends();
    // An attach starts a server, if only to find that it has no sessions.
    let client = s.start("no-sessions", &["attach-session"]);
    s.on(client).ends();
}
