//! The two times of a record.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use rustix::time::{ClockId, clock_gettime};

/// A moment, on two clocks: one to measure with and one to show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Stamp {
    /// Nanoseconds on a clock that never goes back and does not stop in suspend: `CLOCK_BOOTTIME` on
    /// Linux, `CLOCK_MONOTONIC` elsewhere (which on macOS goes on in suspend too). Starts anew with
    /// every boot.
    pub monotonic_ns: u64,
    /// Nanoseconds since 1970 in UTC. Jumps when the clock is set.
    pub wall_ns: i64,
}

impl Stamp {
    /// This moment.
    #[must_use]
    pub fn now() -> Self {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        const STEADY: ClockId = ClockId::Boottime;
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        const STEADY: ClockId = ClockId::Monotonic;
        let steady = Duration::try_from(clock_gettime(STEADY)).unwrap_or_default();
        Self {
            monotonic_ns: u64::try_from(steady.as_nanos()).unwrap_or(u64::MAX),
            wall_ns: since_1970(SystemTime::now()),
        }
    }
}

/// Nanoseconds, negative before 1970. Good until the year 2262.
fn since_1970(time: SystemTime) -> i64 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => {
            i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |before| -before)
        }
    }
}

/// What the kernel calls this boot: `/proc/sys/kernel/random/boot_id` on Linux; elsewhere not
/// available.
#[must_use]
pub fn boot_id() -> Option<String> {
    if !cfg!(any(target_os = "linux", target_os = "android")) {
        return None;
    }
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let id = id.trim();
    (!id.is_empty()).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clocks_tell_the_time() {
        let before = SystemTime::now();
        let first = Stamp::now();
        let second = Stamp::now();
        assert!(first.monotonic_ns > 0 && first.monotonic_ns <= second.monotonic_ns);
        let since_1970 = before.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let apart = i128::from(first.wall_ns) - i128::try_from(since_1970.as_nanos()).unwrap();
        assert!((0..60_000_000_000).contains(&apart), "{apart} ns apart");
    }

    #[test]
    fn wall_time_is_signed() {
        let second = Duration::from_secs(1);
        assert_eq!(since_1970(SystemTime::UNIX_EPOCH + second), 1_000_000_000);
        assert_eq!(since_1970(SystemTime::UNIX_EPOCH - second), -1_000_000_000);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_boot_has_a_name_that_stays() {
        let id = boot_id().unwrap();
        assert_eq!(id.len(), 36);
        assert_eq!(boot_id(), Some(id));
    }
}
