//! What the daemon counts, for `stats` and for Prometheus.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// A number that only grows, or one that goes up and down.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn sub(&self, less: u64) {
        self.0.fetch_sub(less, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, to: u64) {
        self.0.store(to, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Everything that is counted.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Bytes that panes printed and that were taken.
    pub(crate) bytes: Count,
    /// Gaps that were said.
    pub(crate) gaps: Count,
    /// Bytes that are missing in those whose size is known.
    pub(crate) gap_bytes: Count,
    /// Times that the disk did not take something.
    pub(crate) write_failures: Count,
    /// Bytes on their way to the thread that writes.
    pub(crate) queued: Count,
    /// Journals that are open.
    pub(crate) panes: Count,
    /// Times that a server was attached to again.
    pub(crate) reconnects: Count,
    /// Segments that were deleted.
    pub(crate) deleted: Count,
    redactions: Mutex<BTreeMap<String, u64>>,
}

impl Counters {
    pub(crate) fn redacted(&self, rule: &str) {
        let mut rules = self
            .redactions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match rules.get_mut(rule) {
            Some(count) => *count += 1,
            None => {
                rules.insert(rule.to_owned(), 1);
            }
        }
    }

    /// How often each rule took something out.
    pub(crate) fn redactions(&self) -> BTreeMap<String, u64> {
        self.redactions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
