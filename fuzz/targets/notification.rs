//! See `tmux_cc_fuzz::notification`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tmux_cc_fuzz::notification(data));
