//! Keeps programs in tmux alive, and knows what each is doing.

use std::process::ExitCode;

fn main() -> ExitCode {
    cc_guardian::start()
}
