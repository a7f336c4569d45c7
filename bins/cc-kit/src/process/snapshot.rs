//! All processes at one moment, and whose they are.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::time::Duration;

use super::system;
use super::{Identity, Process};

/// Until then a process may still become another program, and have another environment.
const SETTLED: Duration = Duration::from_secs(10);
/// No mark is longer.
const LONGEST_MARK: usize = 256;

/// Looks at all processes again and again; remembers their marks, so that each environment is read
/// about once.
#[derive(Debug, Default)]
pub struct Walk {
    variable: Option<String>,
    read: HashMap<Identity, Read>,
}

/// What was read of one environment.
#[derive(Debug)]
struct Read {
    mark: Option<String>,
    /// What the process called itself then: another name may mean another program.
    comm: String,
    settled: bool,
}

impl Read {
    /// Will it be the same when it is read again? A mark stays, whatever the process writes over it.
    fn stays(&self, process: &Process) -> bool {
        self.mark.is_some() || (self.settled && self.comm == process.comm)
    }
}

impl Walk {
    /// A walk that looks for the processes of units: those with this variable in their environment,
    /// such as `CC_UNIT`.
    #[must_use]
    pub fn new(variable: &str) -> Self {
        Self {
            variable: Some(variable.to_owned()),
            read: HashMap::new(),
        }
    }

    /// All processes now. Costs about 15 microseconds a process.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn take(&mut self) -> io::Result<Snapshot> {
        let (at, awake) = system::clocks()?;
        let mut processes = Vec::with_capacity(self.read.len() + 64);
        for pid in system::pids()? {
            // One that goes while we look is not there.
            let Some(mut process) = system::process(pid)? else {
                continue;
            };
            if let Some(variable) = &self.variable {
                process.mark = mark(&mut self.read, variable, &process, at);
            }
            processes.push(process);
        }
        let seen: HashSet<_> = processes.iter().map(|process| process.identity).collect();
        self.read.retain(|identity, _| seen.contains(identity));
        Ok(Snapshot::of(processes, at, awake))
    }
}

fn mark(
    read: &mut HashMap<Identity, Read>,
    variable: &str,
    process: &Process,
    at: Duration,
) -> Option<String> {
    let identity = process.identity;
    if let Some(read) = read.get(&identity).filter(|read| read.stays(process)) {
        return read.mark.clone();
    }
    // Whose environment cannot be read has no mark that we know of; a zombie has none any more.
    let environment = system::environment(identity.pid).ok().flatten();
    let mark = environment.and_then(|environment| value(&environment, variable));
    let now = Read {
        mark: mark.clone(),
        comm: process.comm.clone(),
        settled: age(identity.start, at) >= SETTLED,
    };
    read.insert(identity, now);
    mark
}

/// The value of a variable in `NAME=VALUE\0NAME=VALUE\0`.
fn value(environment: &[u8], variable: &str) -> Option<String> {
    let value = environment.split(|&byte| byte == 0).find_map(|entry| {
        let value = entry.strip_prefix(variable.as_bytes())?;
        value.strip_prefix(b"=")
    })?;
    if value.len() > LONGEST_MARK {
        return None;
    }
    String::from_utf8(value.to_vec()).ok()
}

/// How long ago something started, at a time since boot.
fn age(start: u64, at: Duration) -> Duration {
    let ticks = system::ticks_per_second();
    let nanos = (start % ticks).saturating_mul(1_000_000_000) / ticks;
    let started = Duration::from_secs(start / ticks) + Duration::from_nanos(nanos);
    at.saturating_sub(started)
}

/// All processes at one moment.
///
/// It is made one process after the other: what forks meanwhile may be missed, and who must have
/// all of something looks again until nothing new comes, as [`reap`](fn@super::reap) does.
#[derive(Debug, Default)]
pub struct Snapshot {
    processes: Vec<Process>,
    at: Duration,
    awake: Duration,
    by_pid: HashMap<i32, usize>,
    children: HashMap<i32, Vec<usize>>,
    sessions: HashMap<i32, Vec<usize>>,
}

impl Snapshot {
    /// All processes now, without their marks.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn take() -> io::Result<Self> {
        Walk::default().take()
    }

    pub(super) fn of(processes: Vec<Process>, at: Duration, awake: Duration) -> Self {
        let mut snapshot = Self {
            at,
            awake,
            ..Self::default()
        };
        for (index, process) in processes.iter().enumerate() {
            snapshot.by_pid.insert(process.identity.pid, index);
            let children = snapshot.children.entry(process.parent).or_default();
            children.push(index);
            let session = snapshot.sessions.entry(process.session).or_default();
            session.push(index);
        }
        snapshot.processes = processes;
        snapshot
    }

    /// When it was taken: time since boot, with what was slept through.
    #[must_use]
    pub const fn at(&self) -> Duration {
        self.at
    }

    /// When it was taken, on a clock that stands still while the machine sleeps.
    #[must_use]
    pub const fn awake(&self) -> Duration {
        self.awake
    }

    /// All of them.
    #[must_use]
    pub fn processes(&self) -> &[Process] {
        &self.processes
    }

    /// That process, if it was there.
    #[must_use]
    pub fn get(&self, identity: Identity) -> Option<&Process> {
        self.of_pid(identity.pid)
            .filter(|process| process.identity == identity)
    }

    /// The process that had that number.
    #[must_use]
    pub fn of_pid(&self, pid: i32) -> Option<&Process> {
        self.processes.get(*self.by_pid.get(&pid)?)
    }

    /// How old a process was.
    #[must_use]
    pub fn age(&self, identity: Identity) -> Duration {
        age(identity.start, self.at)
    }

    /// A process and all that come from it: children, theirs, and who is left of the sessions that
    /// any of them leads or led. Also without the root itself, where it has ended.
    ///
    /// Who has left both, as a daemon does, is found by its [mark](Self::unit) alone.
    #[must_use]
    pub fn tree(&self, root: Identity) -> Vec<&Process> {
        let mut found = Found::default();
        match self.of_pid(root.pid) {
            // The number belongs to another, so nothing is left of the session: the kernel gives
            // none away that a session still has.
            Some(process) if process.identity != root => return Vec::new(),
            Some(_) => found.add(self.by_pid.get(&root.pid).copied()),
            None => found.add(self.sessions.get(&root.pid).into_iter().flatten().copied()),
        }
        self.close(found, &[])
    }

    /// The processes with this mark.
    #[must_use]
    pub fn marked(&self, mark: &str) -> Vec<Identity> {
        let marked = self.processes.iter().filter(|p| p.is_marked(mark));
        marked.map(|process| process.identity).collect()
    }

    /// All of a unit: those with its mark, and all that come from them. Neither `spare` nor who comes
    /// from one of those, unless it has the mark itself: a server that was started in a unit has the
    /// mark, and all its panes come from it.
    #[must_use]
    pub fn unit(&self, mark: &str, spare: &[Identity]) -> Vec<&Process> {
        let mut found = Found::default();
        let marked = self.processes.iter().enumerate();
        found.add(marked.filter(|(_, p)| p.is_marked(mark)).map(|(at, _)| at));
        self.close(found, spare)
    }

    /// Who a process comes from, itself first.
    #[must_use]
    pub fn line(&self, pid: i32) -> Vec<Identity> {
        let mut line = Vec::new();
        let mut next = self.of_pid(pid);
        while let Some(process) = next.filter(|process| !line.contains(&process.identity)) {
            line.push(process.identity);
            next = self.of_pid(process.parent);
        }
        line
    }

    fn close(&self, mut found: Found, spare: &[Identity]) -> Vec<&Process> {
        let mut tree = Vec::new();
        while let Some(index) = found.next.pop_front() {
            let Some(process) = self.processes.get(index) else {
                continue;
            };
            if spare.contains(&process.identity) {
                continue;
            }
            tree.push(process);
            let Identity { pid, start } = process.identity;
            let children = self.children.get(&pid).into_iter().flatten();
            let session = self.sessions.get(&pid).into_iter().flatten();
            // Nobody comes from who started later: the number was another's when that was read.
            let later = |index: &usize| {
                let process = self.processes.get(*index);
                process.is_some_and(|process| process.identity.start >= start)
            };
            found.add(children.chain(session).copied().filter(later));
        }
        tree
    }

    /// Who is in the foreground of a process's terminal. Nothing where it has none.
    #[must_use]
    pub fn foreground(&self, of: Identity) -> Option<Foreground<'_>> {
        let asked = self.get(of)?;
        let group = asked.foreground;
        if asked.tty == 0 || group <= 0 {
            return None;
        }
        let members = |process: &&Process| process.group == group && process.tty == asked.tty;
        Some(Foreground {
            group,
            members: self.processes.iter().filter(members).collect(),
        })
    }
}

/// The process group that reads a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreground<'a> {
    /// Its number, which is the pid of its leader.
    pub group: i32,
    /// Who is in it.
    pub members: Vec<&'a Process>,
}

impl<'a> Foreground<'a> {
    /// The leader, where it still runs.
    #[must_use]
    pub fn leader(&self) -> Option<&'a Process> {
        let mut members = self.members.iter().copied();
        members.find(|process| process.identity.pid == self.group)
    }
}

/// What the main thread of a process waits for in the kernel: a function's name, such as
/// `do_select`. Nothing where it runs, is gone, or one may not know.
///
/// # Errors
/// When the system does not tell.
pub fn wchan(of: Identity) -> io::Result<Option<String>> {
    let name = system::wchan(of.pid)?;
    Ok(name.filter(|_| of.is_alive().unwrap_or(false)))
}

impl Process {
    fn is_marked(&self, mark: &str) -> bool {
        !mark.is_empty() && self.mark.as_deref() == Some(mark)
    }
}

/// What a search has found, and has not looked at yet.
#[derive(Default)]
struct Found {
    seen: HashSet<usize>,
    next: VecDeque<usize>,
}

impl Found {
    fn add(&mut self, indices: impl IntoIterator<Item = usize>) {
        for index in indices {
            if self.seen.insert(index) {
                self.next.push_back(index);
            }
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
