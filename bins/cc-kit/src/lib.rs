//! What the tmux-cc programs share and is not protocol.
