//! What a client process measures of itself.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use harness::process::Process;
use rustix::time::{ClockId, clock_gettime};

/// How often a command is sent.
pub(crate) const EVERY: Duration = Duration::from_millis(20);

/// How long nothing is measured, while everything begins.
pub(crate) const WARM: Duration = Duration::from_secs(2);

/// What a process has taken since a moment, and what it has seen.
#[derive(Debug)]
pub(crate) struct Watch {
    began: Instant,
    took: Duration,
    children: Duration,
    resident: u64,
    /// Round trips of commands.
    pub(crate) trips: Mutex<Vec<Duration>>,
}

impl Watch {
    pub(crate) fn begin() -> Self {
        Self {
            began: Instant::now(),
            took: processor(),
            children: children(),
            resident: resident(),
            trips: Mutex::default(),
        }
    }

    pub(crate) fn trip(&self, sent: Instant) {
        let mut trips = self.trips.lock().expect("no panic");
        // What was sent while everything began says nothing.
        if sent > self.began {
            trips.push(sent.elapsed());
        }
    }

    /// Says it all, a line each; so many bytes of output came since the beginning, and so often a
    /// pane was not followed without a gap.
    pub(crate) fn say(&self, bytes: u64, resyncs: u64) {
        let seconds = self.began.elapsed().as_secs_f64();
        let mut trips = self.trips.lock().expect("no panic").clone();
        trips.sort();
        let trip = |part: f64| {
            let at = (trips.len() as f64 * part) as usize;
            trips
                .get(at)
                .map_or(f64::NAN, |trip| trip.as_secs_f64() * 1e3)
        };
        println!(
            "cpu {}",
            (processor() - self.took).as_secs_f64() / seconds * 100.0
        );
        println!(
            "tmux {}",
            (children() - self.children).as_secs_f64() / seconds * 100.0
        );
        println!("mb {}", bytes as f64 / 1e6 / seconds);
        println!("resyncs {resyncs}");
        println!("p50 {}", trip(0.5));
        println!("p99 {}", trip(0.99));
        println!("trips {}", trips.len());
        println!("begin {}", self.resident as f64 / 1e6);
        println!("end {}", resident() as f64 / 1e6);
        println!("peak {}", own().memory().peak as f64 / 1e6);
    }
}

fn own() -> Process {
    Process::of(std::process::id())
}

fn resident() -> u64 {
    own().memory().resident
}

/// User and system time of this process, all its threads.
fn processor() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(now).unwrap_or_default()
}

/// The same of its children that live: the tmux clients.
fn children() -> Duration {
    // In ticks of 10 ms, behind the name, which may hold anything: utime and stime.
    let ticks = |child: Process| -> Option<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.pid())).ok()?;
        let (_, fields) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
    };
    let ticks: u64 = own().children().into_iter().filter_map(ticks).sum();
    Duration::from_millis(ticks * 10)
}
