//! One process, as it was found, and how it ended.

use super::Identity;

/// A process, as one look found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Which one.
    pub identity: Identity,
    /// What it calls itself, at most 15 bytes: any process can say anything here.
    pub comm: String,
    /// Does it run, wait, stand still?
    pub state: State,
    /// The pid of its parent; who outlives its parent gets another.
    pub parent: i32,
    /// Its process group.
    pub group: i32,
    /// Its session, by the pid of the leader.
    pub session: i32,
    /// The device number of its terminal; 0 for none.
    pub tty: i32,
    /// The process group in the foreground of that terminal; -1 for none.
    pub foreground: i32,
    /// Processor time of its own, in clock ticks.
    pub cpu_ticks: u64,
    /// That of its children that have ended and that it waited for, and of theirs.
    pub waited_ticks: u64,
    /// Memory that is resident, in bytes; what is shared counts in full. The kernel rounds it.
    pub rss: u64,
    /// The value of the variable that marks the processes of a unit, where it was looked for.
    pub mark: Option<String>,
}

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Runs, or would.
    Running,
    /// Waits for something.
    Sleeping,
    /// Waits and cannot be woken, not even by a kill.
    Uninterruptible,
    /// Stopped by a signal or a tracer.
    Stopped,
    /// Has ended, and nobody has asked how.
    Zombie,
    /// Is being taken away.
    Dead,
    /// What this code does not know.
    Other(char),
}

impl State {
    /// Is it over with it?
    #[must_use]
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Zombie | Self::Dead)
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this status.
    Status(i32),
    /// By a signal.
    Signal {
        /// Its number.
        number: i32,
        /// Did it leave a core dump?
        core: bool,
    },
}

impl Exit {
    /// Reads what `wait` calls a status.
    #[must_use]
    pub const fn from_wait_status(status: i32) -> Self {
        match status & 0x7f {
            0 => Self::Status((status >> 8) & 0xff),
            number => Self::Signal {
                number,
                core: status & 0x80 != 0,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_it_ended_is_read_as_wait_says_it() {
        assert_eq!(Exit::from_wait_status(0), Exit::Status(0));
        assert_eq!(Exit::from_wait_status(7 << 8), Exit::Status(7));
        let (number, core) = (9, false);
        assert_eq!(Exit::from_wait_status(9), Exit::Signal { number, core });
        let (number, core) = (11, true);
        assert_eq!(
            Exit::from_wait_status(11 | 0x80),
            Exit::Signal { number, core }
        );
    }
}
