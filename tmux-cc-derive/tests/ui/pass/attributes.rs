use tmux_cc::format::FromFormat;
use tmux_cc::format::rows;
use tmux_cc::wire::{PaneId, Version};

#[derive(FromFormat)]
struct Row {
    #[tmux(name = "pane_id")]
    r#type: PaneId,
    #[tmux(name = "@my-option_2", default)]
    option: u32,
    #[tmux(format = "#{?pane_active,a,b} #{l:#}}")]
    shown: String,
    #[tmux(unchecked, name = "destroy-unattached")]
    destroy: Option<String>,
    #[tmux(since = "3.7")]
    pane_pipe_pid: Option<u32>,
    #[tmux(since = "3.3", default)]
    pane_dead_signal: String,
    #[tmux(unchecked, since = "4.0", default)]
    pane_mood: u8,
}

fn main() {
    let row = rows::<Row>(b"%1||a\\ }|off||||\n").unwrap().remove(0);
    assert_eq!((row.r#type, row.option, row.pane_mood), (PaneId(1), 0, 0));
    assert_eq!((row.shown.as_str(), row.destroy.as_deref()), ("a }", Some("off")));
    assert_eq!((row.pane_pipe_pid, row.pane_dead_signal.as_str()), (None, ""));
    assert!(Row::available_on(Version::new(3, 2)).is_ok());
}
