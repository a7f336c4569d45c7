//! Processor time and memory.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use super::system;
use super::{Identity, Process, Snapshot};

/// What some processes had used at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    awake: Duration,
    rss: u64,
    ticks: HashMap<Identity, Ticks>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ticks {
    own: u64,
    waited: u64,
}

impl Snapshot {
    /// What these of its processes had used.
    #[must_use]
    pub fn usage(&self, members: &[&Process]) -> Usage {
        let ticks = |process: &&Process| {
            let ticks = Ticks {
                own: process.cpu_ticks,
                waited: process.waited_ticks,
            };
            (process.identity, ticks)
        };
        Usage {
            awake: self.awake(),
            rss: members.iter().map(|process| process.rss).sum(),
            ticks: members.iter().map(ticks).collect(),
        }
    }

    /// How long ago the youngest of them started. Nothing where there are none.
    #[must_use]
    pub fn youngest(&self, members: &[&Process]) -> Option<Duration> {
        let youngest = members.iter().max_by_key(|member| member.identity.start)?;
        Some(self.age(youngest.identity))
    }
}

impl Usage {
    /// Processor time in all: of the processes, and of children of theirs that have ended and that
    /// they waited for.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        let ticks = self
            .ticks
            .values()
            .map(|ticks| ticks.own.saturating_add(ticks.waited));
        time(ticks.fold(0, u64::saturating_add))
    }

    /// Resident memory, what is shared counted once for each that has it: never less than what
    /// [`memory`] says, and free of cost.
    #[must_use]
    pub const fn rss(&self) -> u64 {
        self.rss
    }

    /// Processor time between an earlier moment and this one. Who ended meanwhile counts where a
    /// parent that is still there has waited for it.
    #[must_use]
    pub fn cpu_since(&self, before: &Self) -> Duration {
        let (mut own, mut waited) = (0_u64, 0_u64);
        for (identity, now) in &self.ticks {
            // Who is new has used all its time since; what it has waited for began later still.
            let was = before.ticks.get(identity);
            let was = was.copied().unwrap_or(Ticks { own: 0, waited: 0 });
            own = own.saturating_add(now.own.saturating_sub(was.own));
            waited = waited.saturating_add(now.waited.saturating_sub(was.waited));
        }
        // Who has gone is in its parent's sum with its whole life, also with what counted before.
        let gone = before
            .ticks
            .iter()
            .filter(|(who, _)| !self.ticks.contains_key(who));
        let counted = gone.map(|(_, was)| was.own.saturating_add(was.waited));
        let counted = counted.fold(0, u64::saturating_add);
        time(own.saturating_add(waited.saturating_sub(counted)))
    }

    /// The share of one core between an earlier moment and this one: 0.5 is half a core, 2.0 are two.
    /// Time in which the machine slept does not count. Nothing where no time has passed.
    #[must_use]
    pub fn share_since(&self, before: &Self) -> Option<f64> {
        let passed = self.awake.checked_sub(before.awake)?;
        let share = self.cpu_since(before).as_secs_f64() / passed.as_secs_f64();
        share.is_finite().then_some(share)
    }
}

/// How much memory some processes use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    /// Bytes.
    pub bytes: u64,
    /// Of how many processes it is their share (PSS), so that what they have in common counts once.
    pub shared: usize,
    /// Of how many it is all that is resident (RSS), as one may not know more.
    pub resident: usize,
}

/// How much memory some processes use, now.
///
/// The kernel walks through all of it, which takes milliseconds with large ones: ask where
/// [`Usage::rss`], which is never less, is over a limit, or once a minute.
///
/// # Errors
/// [`Unsupported`](io::ErrorKind::Unsupported) where the system is not Linux.
pub fn memory(members: &[&Process]) -> io::Result<Memory> {
    let mut memory = Memory::default();
    for member in members {
        let share = system::pss(member.identity.pid)?;
        // Looked at afterwards: what was read is this one's then.
        if !member.identity.is_alive()? {
            continue;
        }
        let (bytes, count) = match share {
            Some(share) => (share, &mut memory.shared),
            None => (member.rss, &mut memory.resident),
        };
        *count += 1;
        memory.bytes = memory.bytes.saturating_add(bytes);
    }
    Ok(memory)
}

fn time(ticks: u64) -> Duration {
    let second = system::ticks_per_second();
    let nanos = (ticks % second).saturating_mul(1_000_000_000) / second;
    Duration::from_secs(ticks / second) + Duration::from_nanos(nanos)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::process::players::Player;

    fn usage(awake: u64, members: &[(i32, u64, u64)]) -> Usage {
        let ticks = members.iter().map(|&(pid, own, waited)| {
            let identity = Identity { pid, start: 1 };
            (identity, Ticks { own, waited })
        });
        Usage {
            awake: Duration::from_secs(awake),
            rss: 0,
            ticks: ticks.collect(),
        }
    }

    /// Ticks in which these are whole.
    fn seconds(seconds: u64) -> u64 {
        seconds * system::ticks_per_second()
    }

    #[test]
    fn a_share_is_of_one_core() {
        let before = usage(10, &[(1, seconds(100), 0)]);
        let after = usage(20, &[(1, seconds(101), 0), (2, seconds(4), 0)]);
        assert_eq!(after.cpu_since(&before), Duration::from_secs(5));
        assert_eq!(after.share_since(&before), Some(0.5));
        assert_eq!(before.share_since(&before), None);
        assert_eq!(before.share_since(&after), None);
    }

    #[test]
    fn who_was_waited_for_counts_once() {
        let before = usage(10, &[(1, 0, 0), (2, seconds(30), 0)]);
        let after = usage(20, &[(1, 0, seconds(33))]);
        assert_eq!(after.cpu_since(&before), Duration::from_secs(3));
    }

    #[test]
    fn who_goes_without_being_waited_for_hides_nobody_else() {
        let before = usage(10, &[(1, 0, 0), (2, seconds(1_000), 0)]);
        let after = usage(20, &[(1, seconds(8), 0)]);
        assert_eq!(after.cpu_since(&before), Duration::from_secs(8));
    }

    #[test]
    fn a_real_shell_that_counts_uses_time_and_one_that_waits_none() {
        let mut busy = Player::sh("while :; do :; done");
        let idle = Player::sh("read line");
        let first = Snapshot::take().unwrap();
        busy.until(|process| process.cpu_ticks >= 20);
        let second = Snapshot::take().unwrap();
        let of = |snapshot: &Snapshot, who| snapshot.usage(&snapshot.tree(who));
        let before = of(&first, busy.identity());
        let after = of(&second, busy.identity());
        assert!(after.share_since(&before).unwrap() > 0.05);
        assert!(after.rss() > 0);
        let spent = after.cpu_since(&before);
        assert!(spent <= after.cpu());
        let idled = of(&second, idle.identity()).cpu_since(&of(&first, idle.identity()));
        assert!(idled < spent);
        busy.child.kill().unwrap();
    }

    #[test]
    fn memory_is_the_share_of_those_whose_share_may_be_known() {
        let player = Player::sh("read line");
        let snapshot = Snapshot::take().unwrap();
        let tree = snapshot.tree(player.identity());
        let memory = memory(&tree).unwrap();
        assert_eq!(memory.shared + memory.resident, tree.len());
        assert!(memory.bytes > 0);
        let mut other = tree[0].clone();
        other.identity.start += 1;
        assert_eq!(super::memory(&[&other]).unwrap(), Memory::default());
    }

    #[test]
    fn the_youngest_started_last() {
        let player = Player::sh("read line");
        let snapshot = Snapshot::take().unwrap();
        let young = snapshot.get(player.identity()).unwrap();
        let old = snapshot.get(Identity::own().unwrap()).unwrap();
        let youngest = snapshot.youngest(&[young, old]).unwrap();
        assert_eq!(youngest, snapshot.age(young.identity));
        assert_eq!(snapshot.youngest(&[]), None);
    }
}
