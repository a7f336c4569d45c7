//! Chance that is the same in each run.

use std::time::Duration;

use crate::seeded::Seeded;

/// The same numbers in each run.
#[derive(Debug)]
pub struct Dice {
    stream: Seeded,
    at: u64,
}

impl Dice {
    /// Those of that seed.
    #[must_use]
    pub const fn of(seed: u64) -> Self {
        let stream = Seeded::bytes(seed);
        Self { stream, at: 0 }
    }

    /// One of so many.
    ///
    /// # Panics
    /// When there is none.
    pub fn below(&mut self, most: usize) -> usize {
        let mut word = [0; 8];
        self.stream.fill(self.at, &mut word);
        self.at += 8;
        usize::try_from(u64::from_le_bytes(word) >> 1).unwrap_or_default() % most
    }

    /// One of those.
    ///
    /// # Panics
    /// When there is none.
    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    /// A time of up to that, short ones more often than long ones.
    pub fn moment(&mut self, most: Duration) -> Duration {
        let share = self.below(1000) as f64 / 1000.0;
        most.mul_f64(share * share)
    }
}
