//! See `tmux_cc_fuzz::row`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tmux_cc_fuzz::row(data));
