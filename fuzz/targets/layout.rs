//! See `tmux_cc_fuzz::layout`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tmux_cc_fuzz::layout(data));
