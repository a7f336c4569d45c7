//! The same questions where nobody has written down yet how to ask them.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::process::Signal;

use super::Identity;
use super::stat::{Exit, Process};

fn not_available<T>() -> io::Result<T> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "processes can be looked at only on Linux",
    ))
}

pub(super) fn pids() -> io::Result<Vec<i32>> {
    not_available()
}

pub(super) fn process(_: i32) -> io::Result<Option<Process>> {
    not_available()
}

pub(super) fn exit_of_zombie(_: Identity) -> Option<Exit> {
    None
}

pub(super) fn environment(_: i32) -> io::Result<Option<Vec<u8>>> {
    not_available()
}

pub(super) fn pss(_: i32) -> io::Result<Option<u64>> {
    not_available()
}

pub(super) fn wchan(_: i32) -> io::Result<Option<String>> {
    not_available()
}

pub(super) fn open(_: i32) -> io::Result<Option<OwnedFd>> {
    not_available()
}

pub(super) fn send(_: impl AsFd, _: Signal) -> io::Result<bool> {
    not_available()
}

pub(super) fn exit_of_child(_: impl AsFd) -> Option<Exit> {
    None
}

pub(super) fn clocks() -> io::Result<(Duration, Duration)> {
    not_available()
}

/// What nearly every system has; nothing is counted in it here.
pub(super) const fn ticks_per_second() -> u64 {
    100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_to_be_absent_where_nobody_looked() {
        let fd = std::fs::File::open("/dev/null").unwrap();
        let said = [
            pids().map(drop),
            process(1).map(drop),
            environment(1).map(drop),
            pss(1).map(drop),
            wchan(1).map(drop),
            open(1).map(drop),
            send(&fd, Signal::TERM).map(drop),
            clocks().map(drop),
        ];
        for said in said {
            assert_eq!(said.unwrap_err().kind(), io::ErrorKind::Unsupported);
        }
    }
}
