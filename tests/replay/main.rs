//! Recorded transcripts of real tmux servers, played to the library.
//!
//! The recordings are in `transcripts/<tmux version>/`: what a control client of that version
//! read, byte for byte. Nothing plays them yet: that needs `tmux_cc`'s connection, whose events
//! are what is to be compared. Until then this binary has no test, rather than one that asserts
//! nothing.
