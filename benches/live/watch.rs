//! What a client process measures of itself. The peers measure themselves by the same file.

use std::fs;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// How often a command is sent.
pub(crate) const EVERY: Duration = Duration::from_millis(20);

/// How long nothing is measured, while everything begins.
pub(crate) const WARM: Duration = Duration::from_secs(2);

/// How often resident memory is looked at.
const SAMPLE: Duration = Duration::from_secs(5);

/// What a process has taken since a moment, and what it has seen.
#[derive(Debug)]
pub(crate) struct Watch {
    began: Instant,
    took: Duration,
    children: Duration,
    /// Round trips of commands.
    trips: Mutex<Vec<Duration>>,
    /// Resident memory, in bytes: at the beginning, and after each [`SAMPLE`].
    resident: Mutex<Vec<u64>>,
}

impl Watch {
    pub(crate) fn begin() -> Self {
        Self {
            began: Instant::now(),
            took: processor(),
            children: children(),
            trips: Mutex::default(),
            resident: Mutex::new(vec![memory("VmRSS:")]),
        }
    }

    pub(crate) fn trip(&self, sent: Instant) {
        // What was sent while everything began says nothing.
        if sent > self.began {
            let mut trips = self.trips.lock().expect("no panic");
            trips.push(sent.elapsed());
        }
        let mut resident = self.resident.lock().expect("no panic");
        if self.began.elapsed() >= SAMPLE * resident.len() as u32 {
            resident.push(memory("VmRSS:"));
        }
    }

    /// Says it all, a line each; so many bytes of tmux's lines came since the beginning, and so
    /// often a pane was not followed without a gap.
    pub(crate) fn say(&self, bytes: u64, resyncs: u64) {
        let seconds = self.began.elapsed().as_secs_f64();
        let took = (processor() - self.took).as_secs_f64();
        let children = (children() - self.children).as_secs_f64();
        let megabytes = bytes as f64 / 1e6;
        let mut trips = self.trips.lock().expect("no panic").clone();
        trips.sort();
        let trip = |part: f64| {
            let at = (trips.len() as f64 * part) as usize;
            trips
                .get(at)
                .map_or(f64::NAN, |trip| trip.as_secs_f64() * 1e3)
        };
        println!("cpu {}", took / seconds * 100.0);
        println!("tmux {}", children / seconds * 100.0);
        println!("mb {}", megabytes / seconds);
        println!("each {}", took / megabytes * 1e3);
        println!("resyncs {resyncs}");
        println!("p50 {}", trip(0.5));
        println!("p99 {}", trip(0.99));
        println!("trips {}", trips.len());
        let resident = self.resident.lock().expect("no panic");
        println!("begin {}", resident[0] as f64 / 1e6);
        println!("end {}", memory("VmRSS:") as f64 / 1e6);
        println!("peak {}", memory("VmHWM:") as f64 / 1e6);
        for resident in &*resident {
            println!("resident {}", *resident as f64 / 1e6);
        }
    }
}

/// The length of the line that brought so much output, as it travelled: its head is counted too.
pub(crate) fn line(pane: u32, age: u64, escaped: usize) -> u64 {
    let digits = pane.checked_ilog10().unwrap_or(0) + age.checked_ilog10().unwrap_or(0) + 2;
    ("%extended-output %  : \n".len() + escaped) as u64 + u64::from(digits)
}

/// Memory of this process, in bytes.
fn memory(key: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").expect("/proc is mounted");
    let value = text.lines().find_map(|line| line.strip_prefix(key));
    let value = value.and_then(|value| value.trim().strip_suffix(" kB"));
    value
        .and_then(|value| value.parse::<u64>().ok())
        .expect("kB")
        * 1024
}

/// User and system time of this process, all its threads.
fn processor() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(now).unwrap_or_default()
}

/// The same of its children that live: the tmux clients.
fn children() -> Duration {
    let own = std::process::id().to_string();
    // In ticks of 10 ms, behind the name, which may hold anything: utime and stime.
    let ticks = |entry: fs::DirEntry| -> Option<u64> {
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        let (_, fields) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        if *fields.get(1)? != own {
            return None;
        }
        Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
    };
    let processes = fs::read_dir("/proc").expect("/proc is mounted");
    let ticks: u64 = processes.flatten().filter_map(ticks).sum();
    Duration::from_millis(ticks * 10)
}
