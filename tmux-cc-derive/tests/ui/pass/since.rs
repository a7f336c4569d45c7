use tmux_cc::format::FromFormat;
use std::time::SystemTime;
use tmux_cc::format::Unavailable;
use tmux_cc::wire::Version;

/// What only a newer tmux knows.
#[derive(FromFormat)]
#[tmux(since = "3.7")]
struct New {
    pane_pipe_pid: Option<u32>,
    pane_dead_time: Option<SystemTime>,
}

#[derive(FromFormat)]
#[tmux(since = "3.6")]
struct Newer {
    pane_title: String,
}

fn main() {
    assert!(New::available_on(Version::patched(3, 7, 'c')).is_ok());
    let error = New::available_on(Version::patched(3, 3, 'a')).unwrap_err();
    assert!(matches!(error, Unavailable::TooNew { variable: "pane_pipe_pid", .. }));
    let error = Newer::available_on(Version::patched(3, 5, 'a')).unwrap_err();
    assert_eq!(error.to_string(), "the row asks for tmux 3.6, and the server is tmux 3.5a");
}
