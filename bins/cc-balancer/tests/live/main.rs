//! The balancer against a real tmux.
