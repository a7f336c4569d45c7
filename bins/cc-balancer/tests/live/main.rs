//! The balancer against a real tmux, and its stores against what a store promises.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests: the helpers around the test functions are tests too"
)]

mod asking;
mod carrying;
mod codes;
mod desk;
mod disk;
mod dispatching;
mod doctor;
mod executing;
mod faults;
mod floor;
mod hosts;
mod killed;
mod nats;
mod queue;
mod real;
mod recipes;
mod restarts;
mod safe;
mod serving;
mod sqlite;
mod suite;
mod units;
