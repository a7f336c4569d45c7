//! What Linux is asked, call by call.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions};
use rustix::time::{ClockId, clock_gettime};

use super::line;
use super::{Exit, Identity, Process};

/// Longer than any line of `/proc/PID/stat`: 52 numbers, and a name of 64 bytes.
const LINE: usize = 4096;
/// The kernel lets an environment be larger, but none that anybody wants.
const ENVIRONMENT: u64 = 1 << 20;
/// Most environments are smaller.
const ONE_READ: usize = 1 << 15;
/// How long a process may take to become another program before it counts as one without an
/// environment: it reads that program's first pages, mostly from memory.
const BECOMING: Duration = Duration::from_millis(50);

/// The numbers of all processes.
pub(super) fn pids() -> io::Result<Vec<i32>> {
    let mut pids = Vec::with_capacity(256);
    for entry in fs::read_dir("/proc")? {
        // Those that go while we read are not there, which is what they are.
        let Ok(entry) = entry else { continue };
        if let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        {
            pids.push(pid);
        }
    }
    Ok(pids)
}

/// What the kernel says of a process now.
pub(super) fn process(pid: i32) -> io::Result<Option<Process>> {
    let mut line = [0; LINE];
    let Some(line) = line_of(pid, &mut line)? else {
        return Ok(None);
    };
    line::parse(line, page())
        .map(Some)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a strange /proc/PID/stat"))
}

/// How a zombie ended, where we may know.
pub(super) fn exit_of_zombie(process: Identity) -> Option<Exit> {
    let mut line = [0; LINE];
    let line = line_of(process.pid, &mut line).ok()??;
    let found = line::parse(line, page())?;
    if found.identity != process || !found.state.has_ended() {
        return None;
    }
    match line::exit_code(line)? {
        // The same is said to those who may not know: of others' processes it says nothing.
        0 => {
            let owner = fs::metadata(format!("/proc/{}", process.pid)).ok()?.uid();
            let own = rustix::process::geteuid();
            (own.is_root() || own.as_raw() == owner).then_some(Exit::Status(0))
        }
        code => Some(Exit::from_wait_status(code)),
    }
}

fn line_of(pid: i32, line: &mut [u8; LINE]) -> io::Result<Option<&[u8]>> {
    if pid <= 0 {
        return Ok(None);
    }
    let read = File::open(format!("/proc/{pid}/stat")).and_then(|mut file| file.read(line));
    Ok(unless_gone(read)?.and_then(|read| line.get(..read)))
}

/// Its environment as it started: `NAME=VALUE`, each with a zero byte behind. Nothing where it is
/// gone, or its business is not ours.
///
/// One that is just becoming another program has none for a moment, or half of one: that is waited
/// for, or whoever looks would take a process of a unit for a stranger.
pub(super) fn environment(pid: i32) -> io::Result<Option<Vec<u8>>> {
    let deadline = Instant::now() + BECOMING;
    loop {
        let Some(bytes) = environment_now(pid)? else {
            return Ok(None);
        };
        let mut line = [0; LINE];
        let whole = match line_of(pid, &mut line)?.map(line::environment) {
            Some(line::Environment::Of(size)) => bytes.len() as u64 == size.min(ENVIRONMENT),
            Some(line::Environment::NotYet) => false,
            Some(line::Environment::Never) | None => true,
        };
        if whole || Instant::now() >= deadline {
            return Ok(Some(bytes));
        }
        std::thread::yield_now();
    }
}

fn environment_now(pid: i32) -> io::Result<Option<Vec<u8>>> {
    // Mostly one read: between two the process may become another program.
    let mut bytes = Vec::with_capacity(ONE_READ);
    let read = File::open(format!("/proc/{pid}/environ")).and_then(|mut file| {
        loop {
            let had = bytes.len();
            bytes.resize(bytes.capacity().max(had + ONE_READ), 0);
            let read = file.read(bytes.get_mut(had..).unwrap_or_default())?;
            bytes.truncate(had + read);
            if read == 0 || bytes.len() as u64 >= ENVIRONMENT {
                return Ok(());
            }
        }
    });
    bytes.truncate(usize::try_from(ENVIRONMENT).unwrap_or(usize::MAX));
    match read {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(None),
        read => Ok(unless_gone(read)?.map(|()| bytes)),
    }
}

/// Its share of the memory it uses, in bytes. Nothing where it is gone, or we may not know.
pub(super) fn pss(pid: i32) -> io::Result<Option<u64>> {
    match fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(None),
        read => Ok(unless_gone(read)?.and_then(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
            let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
            kilobytes.checked_mul(1024)
        })),
    }
}

/// What its main thread waits for in the kernel. Nothing where it runs, is gone, or we may not know.
pub(super) fn wchan(pid: i32) -> io::Result<Option<String>> {
    match fs::read_to_string(format!("/proc/{pid}/wchan")) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(None),
        read => Ok(unless_gone(read)?.filter(|name| !name.is_empty() && name != "0")),
    }
}

/// A handle of the process that has that number now.
pub(super) fn open(pid: i32) -> io::Result<Option<OwnedFd>> {
    let Some(pid) = (pid > 0).then_some(pid).and_then(Pid::from_raw) else {
        return Ok(None);
    };
    Ok(rustix::process::pidfd_open(pid, PidfdFlags::empty())
        .map(Some)
        .or_else(|errno| gone(errno, None))?)
}

/// Sends a signal to whom a handle is of; whether there was somebody.
pub(super) fn send(handle: impl AsFd, signal: Signal) -> io::Result<bool> {
    Ok(rustix::process::pidfd_send_signal(handle, signal)
        .map(|()| true)
        .or_else(|errno| gone(errno, false))?)
}

/// How a child of ours ended, which can still be waited for afterwards. Nothing where it is none.
pub(super) fn exit_of_child(handle: impl AsFd) -> Option<Exit> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let status = rustix::process::waitid(WaitId::PidFd(handle.as_fd()), options).ok()??;
    if let Some(status) = status.exit_status() {
        return Some(Exit::Status(status));
    }
    status.terminating_signal().map(|number| Exit::Signal {
        number,
        core: status.dumped(),
    })
}

/// The time since boot, and without what was slept through.
pub(super) fn clocks() -> io::Result<(Duration, Duration)> {
    let read = |clock| Duration::try_from(clock_gettime(clock)).unwrap_or_default();
    Ok((read(ClockId::Boottime), read(ClockId::Monotonic)))
}

/// Clock ticks a second.
pub(super) fn ticks_per_second() -> u64 {
    static TICKS: OnceLock<u64> = OnceLock::new();
    *TICKS.get_or_init(|| rustix::param::clock_ticks_per_second().max(1))
}

fn page() -> u64 {
    static PAGE: OnceLock<u64> = OnceLock::new();
    *PAGE.get_or_init(|| rustix::param::page_size() as u64)
}

/// Nothing where a process is gone: before its file was opened, or after.
fn unless_gone<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if Errno::from_io_error(&error) == Some(Errno::SRCH) => Ok(None),
        Err(error) => Err(error),
    }
}

fn gone<T>(errno: Errno, then: T) -> Result<T, Errno> {
    match errno {
        Errno::SRCH => Ok(then),
        errno => Err(errno),
    }
}
