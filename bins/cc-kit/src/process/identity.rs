//! Which process is meant.

use std::io;

use serde::{Deserialize, Serialize};

use super::system;

/// A process: its pid, and when it started.
///
/// A pid alone names another process as soon as the number is used again. The start time counts from
/// the boot: who keeps an identity on disk keeps the boot's id with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// The number.
    pub pid: i32,
    /// When it started, in clock ticks since boot: field 22 of `/proc/PID/stat`.
    pub start: u64,
}

impl Identity {
    /// The process that has that number now; a zombie has it too.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn of(pid: i32) -> io::Result<Option<Self>> {
        Ok(system::process(pid)?.map(|process| process.identity))
    }

    /// This process.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn own() -> io::Result<Self> {
        let own = rustix::process::getpid().as_raw_nonzero().get();
        Self::of(own)?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Does it run still? A zombie does not.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn is_alive(self) -> io::Result<bool> {
        let found = system::process(self.pid)?;
        Ok(found.is_some_and(|found| found.identity == self && !found.state.has_ended()))
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::process::players::Player;

    #[test]
    fn a_process_lives_until_it_is_a_zombie() {
        let mut player = Player::sh("echo ready; read line");
        let identity = player.identity();
        assert!(identity.is_alive().unwrap());
        player.end_input();
        player.until_zombie();
        assert!(!identity.is_alive().unwrap());
        assert_eq!(Identity::of(identity.pid).unwrap(), Some(identity));
        player.child.wait().unwrap();
        assert_eq!(Identity::of(identity.pid).unwrap(), None);
    }

    #[test]
    fn a_number_with_another_start_is_another_process() {
        let own = Identity::own().unwrap();
        assert!(own.is_alive().unwrap());
        let other = Identity {
            start: own.start - 1,
            ..own
        };
        assert!(!other.is_alive().unwrap());
    }

    #[test]
    fn no_process_has_a_number_below_one() {
        for pid in [0, -1, i32::MIN] {
            assert_eq!(Identity::of(pid).unwrap(), None);
        }
    }
}
