//! Other processes: whether they live, and what they hold.

use std::io;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// A process, told apart from a later one with the same number where the system lets us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    pid: Pid,
    /// When it was started, in clock ticks since boot. `None` outside Linux.
    born: Option<u64>,
}

impl Process {
    /// The process that has the number `pid` now.
    ///
    /// # Panics
    ///
    /// When `pid` is no process number.
    #[must_use]
    pub fn of(pid: u32) -> Self {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let pid = pid.expect("a process number is positive and fits an i32");
        Self {
            pid,
            born: status::of(pid).map(|(_, born)| born),
        }
    }

    /// Its number.
    #[must_use]
    pub fn pid(self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Whether it still runs.
    ///
    /// One that has exited and waits to be reaped does not run: a daemon's parent is init, and
    /// in a container nobody may ever reap it. Outside Linux such a one counts as running.
    #[must_use]
    pub fn alive(self) -> bool {
        match status::of(self.pid) {
            Some((state, born)) => Some(born) == self.born && !matches!(state, b'Z' | b'X'),
            None if status::KNOWN => false,
            // Not permitted means that it is there.
            None => test_kill_process(self.pid) != Err(rustix::io::Errno::SRCH),
        }
    }

    /// Sends SIGKILL, unless it is gone already.
    ///
    /// # Errors
    ///
    /// What the system answered.
    pub fn kill(self) -> io::Result<()> {
        self.signal(Signal::KILL)
    }

    /// Sends a signal, unless it is gone already.
    ///
    /// # Errors
    ///
    /// What the system answered.
    pub fn signal(self, signal: Signal) -> io::Result<()> {
        if !self.alive() {
            return Ok(());
        }
        match kill_process(self.pid, signal) {
            Err(rustix::io::Errno::SRCH) => Ok(()),
            other => Ok(other?),
        }
    }
}

/// What a process holds. Linux tells it in `/proc`; elsewhere it is not available here.
#[cfg(target_os = "linux")]
impl Process {
    /// Its resident memory now and at its highest, in bytes (`VmRSS` and `VmHWM`).
    ///
    /// # Panics
    ///
    /// When it is gone.
    #[must_use]
    pub fn memory(self) -> Memory {
        let text = self.read("status");
        let kibibytes = |key: &str| -> u64 {
            let value = text.lines().find_map(|line| line.strip_prefix(key));
            let value = value.and_then(|value| value.trim().strip_suffix(" kB"));
            let value = value.and_then(|value| value.trim().parse().ok());
            value.unwrap_or_else(|| panic!("process {} has no {key} line", self.pid()))
        };
        Memory {
            resident: kibibytes("VmRSS:") * 1024,
            peak: kibibytes("VmHWM:") * 1024,
        }
    }

    /// How many descriptors it has open.
    ///
    /// # Panics
    ///
    /// When it is gone, or belongs to another user.
    #[must_use]
    pub fn open_descriptors(self) -> usize {
        let path = format!("/proc/{}/fd", self.pid());
        let entries = std::fs::read_dir(&path);
        entries
            .unwrap_or_else(|error| panic!("cannot list {path}: {error}"))
            .count()
    }

    /// Its children, also those that wait to be reaped.
    ///
    /// # Panics
    ///
    /// When `/proc` cannot be read.
    #[must_use]
    pub fn children(self) -> Vec<Self> {
        let entries = std::fs::read_dir("/proc").expect("/proc is mounted");
        let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        // Not `task/*/children`: that file is behind a kernel option.
        pids.filter(|pid| {
            Pid::from_raw(*pid).and_then(status::parent) == Some(self.pid.as_raw_nonzero().get())
        })
        .map(|pid: i32| Self::of(pid.unsigned_abs()))
        .collect()
    }

    fn read(self, file: &str) -> String {
        let path = format!("/proc/{}/{file}", self.pid());
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {path}: {error}"))
    }
}

/// Memory of a process, in bytes.
#[cfg(target_os = "linux")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Resident now.
    pub resident: u64,
    /// The most that was ever resident.
    pub peak: u64,
}

#[cfg(target_os = "linux")]
mod status {
    //! `/proc/PID/stat`: `pid (name) state parent ... starttime ...`, see proc(5).

    use super::Pid;

    /// Whether an answer of `None` means that there is no such process.
    pub(super) const KNOWN: bool = true;

    /// The state letter and the start time.
    pub(super) fn of(pid: Pid) -> Option<(u8, u64)> {
        let fields = fields(pid)?;
        let mut fields = fields.split_ascii_whitespace();
        let state = *fields.next()?.as_bytes().first()?;
        // The 22nd field; `state` was the third.
        Some((state, fields.nth(18)?.parse().ok()?))
    }

    pub(super) fn parent(pid: Pid) -> Option<i32> {
        fields(pid)?.split_ascii_whitespace().nth(1)?.parse().ok()
    }

    /// What follows the name, which may itself hold blanks and brackets.
    fn fields(pid: Pid) -> Option<String> {
        let bytes = std::fs::read(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
        let end = bytes.iter().rposition(|byte| *byte == b')')?;
        String::from_utf8(bytes[end + 1..].to_vec()).ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod status {
    //! Without `/proc` a signal of nothing is all that can be asked.

    use super::Pid;

    pub(super) const KNOWN: bool = false;

    pub(super) fn of(_: Pid) -> Option<(u8, u64)> {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;
    use crate::wait::{PATIENCE, until};

    #[test]
    fn a_killed_child_is_gone_before_it_is_reaped() {
        let mut child = Command::new("cat")
            .stdin(Stdio::piped())
            .spawn()
            .expect("cat starts");
        let process = Process::of(child.id());
        assert!(process.alive());
        process.kill().expect("our child");
        if cfg!(target_os = "linux") {
            until(PATIENCE, "the child's end", || !process.alive());
        }
        child.wait().expect("our child");
        assert!(!process.alive());
        process
            .kill()
            .expect("nothing is left to kill, and that is no error");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_says_what_it_holds() {
        let mut child = Command::new("cat")
            .stdin(Stdio::piped())
            .spawn()
            .expect("cat starts");
        let (me, cat) = (Process::of(std::process::id()), Process::of(child.id()));
        assert!(me.children().contains(&cat));
        assert_eq!(cat.children(), []);
        assert!(cat.memory().resident > 0);
        assert!(cat.memory().peak >= cat.memory().resident);
        assert!(cat.open_descriptors() >= 3);
        drop(child.stdin.take());
        child.wait().expect("cat ends with its input");
        assert!(!me.children().contains(&cat));
    }
}
