//! Waiting for a condition, with a deadline and a name for what did not come.
//!
//! A fixed sleep is either too short on a loaded machine or too long on every other one. These
//! look at once, then again after pauses that grow from one millisecond to fifty, and when time
//! is up they panic at the caller's line with `what` was waited for.

use std::future::Future;
use std::panic::Location;
use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for something that should take milliseconds.
///
/// Generous, because it is only ever spent when a test fails.
pub const PATIENCE: Duration = Duration::from_secs(15);

const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// The pauses between two looks, and the moment after which there is none.
#[derive(Debug)]
struct Backoff {
    began: Instant,
    within: Duration,
    pause: Duration,
}

impl Backoff {
    fn new(within: Duration) -> Self {
        Self {
            began: Instant::now(),
            within,
            pause: SHORTEST_PAUSE,
        }
    }

    /// The next pause, never past the deadline; `None` when the deadline is behind us.
    fn next(&mut self) -> Option<Duration> {
        let left = self
            .within
            .checked_sub(self.began.elapsed())
            .filter(|left| !left.is_zero())?;
        let pause = self.pause.min(left);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Some(pause)
    }
}

#[cold]
fn give_up(within: Duration, what: &str, at: &Location<'_>) -> ! {
    panic!("waited {within:?} in vain for: {what} (asked at {at})");
}

/// Waits until `condition` holds.
///
/// # Panics
///
/// When it does not hold `within` the given time.
#[track_caller]
pub fn until(within: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    until_some(within, what, || condition().then_some(()));
}

/// Waits until `look` returns a value, and returns that.
///
/// # Panics
///
/// When there is none `within` the given time.
#[track_caller]
pub fn until_some<T>(within: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let mut backoff = Backoff::new(within);
    loop {
        if let Some(found) = look() {
            return found;
        }
        match backoff.next() {
            Some(pause) => thread::sleep(pause),
            None => give_up(within, what, Location::caller()),
        }
    }
}

/// [`until`] for tokio: `condition` may await, and other tasks run during the pauses.
///
/// The deadline is one of wall time, even where a test has paused the clock of tokio: what is
/// waited for is another process, and that one does not know.
///
/// # Panics
///
/// When it does not hold `within` the given time. An await inside `condition` that never ends is
/// cut short at the deadline as well.
#[track_caller]
pub fn until_async<'a>(
    within: Duration,
    what: &'a str,
    mut condition: impl AsyncFnMut() -> bool + 'a,
) -> impl Future<Output = ()> + 'a {
    until_some_async(within, what, async move || condition().await.then_some(()))
}

/// [`until_some`] for tokio.
///
/// # Panics
///
/// As [`until_async`].
#[track_caller]
pub fn until_some_async<'a, T>(
    within: Duration,
    what: &'a str,
    mut look: impl AsyncFnMut() -> Option<T> + 'a,
) -> impl Future<Output = T> + 'a {
    // An async fn would give its own line instead of the caller's.
    let at = Location::caller();
    async move {
        let mut backoff = Backoff::new(within);
        loop {
            match tokio::time::timeout(within, look()).await {
                Ok(Some(found)) => return found,
                Ok(None) => {}
                Err(_) => give_up(within, what, at),
            }
            match backoff.next() {
                Some(pause) => tokio::time::sleep(pause).await,
                None => give_up(within, what, at),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_again_until_the_value_is_there() {
        let mut looks = 0;
        let found = until_some(PATIENCE, "the third look", || {
            looks += 1;
            (looks == 3).then_some(looks)
        });
        assert_eq!(found, 3);
    }

    #[test]
    #[should_panic(expected = "in vain for: pigs to fly")]
    fn names_what_did_not_come() {
        until(Duration::from_millis(5), "pigs to fly", || false);
    }

    #[tokio::test]
    #[should_panic(expected = "in vain for: an answer")]
    async fn an_await_that_never_ends_is_cut_short() {
        until_async(Duration::from_millis(5), "an answer", async || {
            std::future::pending::<()>().await;
            true
        })
        .await;
    }

    #[tokio::test]
    async fn async_conditions_may_change_what_they_hold() {
        let mut looks = 0;
        let found = until_some_async(PATIENCE, "the third look", async || {
            looks += 1;
            (looks == 3).then_some("here")
        })
        .await;
        assert_eq!(found, "here");
    }
}
