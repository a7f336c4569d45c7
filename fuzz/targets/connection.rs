//! See `tmux_cc_fuzz::connection`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tmux_cc_fuzz::connection(data));
