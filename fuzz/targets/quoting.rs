//! See `tmux_cc_fuzz::quoting`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tmux_cc_fuzz::quoting(data));
