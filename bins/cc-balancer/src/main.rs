//! A task queue whose workers are tmux panes.

use std::process::ExitCode;

fn main() -> ExitCode {
    cc_balancer::start()
}
