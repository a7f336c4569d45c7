//! Typed commands do what they say, with names that mean something to tmux or to a shell
