//! Who of those that wait is started next.
//!
//! Units are started in the order in which they are given, but one that waits for others does not
//! keep those behind it waiting. Between two starts there is `start_stagger`, and never more than
//! `max_running` run. All times are monotonic: the time since an epoch that the caller chooses.

use std::collections::HashSet;
use std::time::Duration;

/// What is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rules {
    /// At most so many run at a time, those that are being started among them; none is no limit.
    pub max_running: Option<usize>,
    /// So much time between two starts.
    pub start_stagger: Duration,
}

/// A unit that is to be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting<'a> {
    /// Which unit.
    pub unit: &'a str,
    /// The units that must be ready before.
    pub after: &'a [String],
}

/// Why a unit is not started yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Why<'a> {
    /// One it is to come after is not ready.
    #[error("waits for {0}")]
    Needs(&'a str),
    /// There is no room.
    #[error("waits for room: {0} run already")]
    Full(usize),
    /// Another one has just been started.
    #[error("waits for its turn")]
    Turn(Duration),
}

/// When the last start was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Throttle {
    last: Option<Duration>,
}

impl Throttle {
    /// Who is to be started now. They are taken as started: the next call wants `running` to count
    /// them.
    pub fn next(
        &mut self,
        rules: &Rules,
        waiting: &[Waiting<'_>],
        running: usize,
        ready: &HashSet<String>,
        now: Duration,
    ) -> Vec<String> {
        let mut start: Vec<String> = Vec::new();
        for unit in waiting {
            let running = running.saturating_add(start.len());
            match self.why(rules, *unit, running, ready, now) {
                None => {
                    start.push(unit.unit.to_owned());
                    self.last = Some(now);
                }
                Some(Why::Needs(_)) => {}
                Some(Why::Full(_) | Why::Turn(_)) => break,
            }
        }
        start
    }

    /// Why that unit is not started now; nothing where it would be, if none came before it.
    #[must_use]
    pub fn why<'a>(
        &self,
        rules: &Rules,
        unit: Waiting<'a>,
        running: usize,
        ready: &HashSet<String>,
        now: Duration,
    ) -> Option<Why<'a>> {
        if let Some(needed) = unit.after.iter().find(|needed| !ready.contains(*needed)) {
            return Some(Why::Needs(needed));
        }
        if rules.max_running.is_some_and(|most| running >= most) {
            return Some(Why::Full(running));
        }
        let turn = self.turn(rules, now)?;
        (turn > now).then(|| Why::Turn(turn.saturating_sub(now)))
    }

    /// When the stagger lets the next one start, if it does not do so now.
    #[must_use]
    pub fn next_wake(&self, rules: &Rules, now: Duration) -> Option<Duration> {
        self.turn(rules, now).filter(|turn| *turn > now)
    }

    fn turn(&self, rules: &Rules, now: Duration) -> Option<Duration> {
        // A start ahead of now was in another epoch: long ago.
        let last = self.last.filter(|last| *last <= now)?;
        Some(last.saturating_add(rules.start_stagger))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn rules(most: Option<usize>, stagger: u64) -> Rules {
        Rules {
            max_running: most,
            start_stagger: seconds(stagger),
        }
    }

    fn alone(units: &[&'static str]) -> Vec<Waiting<'static>> {
        units
            .iter()
            .map(|unit| Waiting { unit, after: &[] })
            .collect()
    }

    #[test]
    fn all_start_at_once_where_nothing_limits_them() {
        let waiting = alone(&["a", "b", "c"]);
        let mut throttle = Throttle::default();
        let start = throttle.next(&rules(None, 0), &waiting, 0, &HashSet::new(), seconds(1));
        assert_eq!(start, ["a", "b", "c"]);
        assert_eq!(throttle.next_wake(&rules(None, 0), seconds(1)), None);
    }

    #[test]
    fn one_starts_each_stagger() {
        let rules = rules(None, 5);
        let mut throttle = Throttle::default();
        let mut left = alone(&["a", "b", "c"]);
        let mut starts = Vec::new();
        for second in 0..20 {
            for unit in throttle.next(
                &rules,
                &left,
                starts.len(),
                &HashSet::new(),
                seconds(second),
            ) {
                left.retain(|waiting| waiting.unit != unit);
                starts.push((unit, second));
            }
        }
        let expected = [("a", 0), ("b", 5), ("c", 10)].map(|(unit, at)| (unit.to_owned(), at));
        assert_eq!(starts, expected);
        assert_eq!(throttle.next_wake(&rules, seconds(12)), Some(seconds(15)));
        let next = alone(&["d"])[0];
        let why = throttle.why(&rules, next, 0, &HashSet::new(), seconds(12));
        assert_eq!(why, Some(Why::Turn(seconds(3))));
    }

    #[test]
    fn no_more_run_than_may() {
        let rules = rules(Some(3), 0);
        let waiting = alone(&["a", "b", "c"]);
        let mut throttle = Throttle::default();
        let mut next =
            |running| throttle.next(&rules, &waiting, running, &HashSet::new(), seconds(1));
        assert_eq!(next(1), ["a", "b"]);
        assert!(next(3).is_empty());
        assert!(next(9).is_empty());
        let why = throttle.why(&rules, waiting[0], 3, &HashSet::new(), seconds(1));
        assert_eq!(why.unwrap().to_string(), "waits for room: 3 run already");
    }

    #[test]
    fn a_unit_waits_for_those_it_comes_after_and_lets_others_pass() {
        let rules = rules(None, 0);
        let after = ["db".to_owned(), "web".to_owned()];
        let waiting = [
            Waiting {
                unit: "a",
                after: &after,
            },
            Waiting {
                unit: "b",
                after: &[],
            },
        ];
        let mut throttle = Throttle::default();
        let mut ready = HashSet::from(["db".to_owned()]);
        assert_eq!(
            throttle.next(&rules, &waiting, 0, &ready, seconds(1)),
            ["b"]
        );
        let why = throttle.why(&rules, waiting[0], 0, &ready, seconds(1));
        assert_eq!(why, Some(Why::Needs("web")));
        ready.insert("web".to_owned());
        assert_eq!(
            throttle.next(&rules, &waiting, 0, &ready, seconds(1)),
            ["a", "b"]
        );
    }

    #[test]
    fn a_start_in_another_epoch_delays_nothing() {
        let rules = rules(None, 5);
        let mut throttle = Throttle::default();
        let waiting = alone(&["a"]);
        throttle.next(&rules, &waiting, 0, &HashSet::new(), seconds(1_000_000));
        let start = throttle.next(&rules, &waiting, 0, &HashSet::new(), seconds(1));
        assert_eq!(start, ["a"]);
    }

    proptest! {
        #[test]
        fn neither_limit_is_ever_broken(
            most in prop::option::of(0_usize..5),
            stagger in 0_u64..10,
            steps in prop::collection::vec((0_u64..8, any::<bool>()), 0..50),
        ) {
            let rules = rules(most, stagger);
            let waiting = alone(&["a", "b", "c", "d"]);
            let mut throttle = Throttle::default();
            let mut running = 0;
            let mut now = Duration::ZERO;
            let mut last: Option<Duration> = None;
            for (pass, ends) in steps {
                now += seconds(pass);
                running -= usize::from(ends && running > 0);
                let start = throttle.next(&rules, &waiting, running, &HashSet::new(), now);
                running += start.len();
                prop_assert!(start.is_empty() || most.is_none_or(|most| running <= most));
                if stagger > 0 && !start.is_empty() {
                    prop_assert_eq!(start.len(), 1);
                    prop_assert!(last.is_none_or(|last| now - last >= rules.start_stagger));
                    last = Some(now);
                }
                // And nobody waits for nothing.
                if start.is_empty() {
                    let full = most.is_some_and(|most| running >= most);
                    prop_assert!(full || throttle.next_wake(&rules, now).is_some());
                }
            }
        }
    }
}
