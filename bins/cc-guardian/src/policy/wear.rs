//! What is done about an instance that has grown large, or has run for long.
//!
//! Above its soft limit of memory somebody is told, once a run, and it is started anew when it is idle;
//! above the hard one it is ended, and that is an end by want of memory. One that has run for as long
//! as `restart_every` says is started afresh, though nothing is wrong.

use std::time::Duration;

/// What is configured; what is not said is never done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rules {
    /// Bytes above which somebody is told.
    pub soft: Option<u64>,
    /// Bytes above which it is ended.
    pub hard: Option<u64>,
    /// How long it runs at most.
    pub age: Option<Duration>,
}

impl Rules {
    /// Is so much memory above any limit? Then it is worth to look at it more closely.
    #[must_use]
    pub fn are_near(&self, bytes: u64) -> bool {
        let above = |limit: &u64| bytes > *limit;
        self.soft.as_ref().is_some_and(above) || self.hard.as_ref().is_some_and(above)
    }
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// It uses so much, more than its soft limit: tell, and start it anew once it is idle.
    Soft(u64),
    /// It uses so much, more than its hard limit: end it.
    Hard(u64),
    /// It has run for so long: start it afresh.
    Old(Duration),
}

/// One run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wear {
    told: bool,
    ended: bool,
    old: bool,
}

impl Wear {
    /// Decides by what it uses and how long it has run. Each order is given once a run.
    pub fn step(&mut self, rules: &Rules, bytes: u64, age: Duration) -> Option<Order> {
        if rules.hard.is_some_and(|hard| bytes > hard) {
            let first = !std::mem::replace(&mut self.ended, true);
            return first.then_some(Order::Hard(bytes));
        }
        if rules.soft.is_some_and(|soft| bytes > soft) && !self.told {
            self.told = true;
            return Some(Order::Soft(bytes));
        }
        if rules.age.is_some_and(|most| age >= most) && !self.old {
            self.old = true;
            return Some(Order::Old(age));
        }
        None
    }

    /// Was it ended for want of memory?
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn rules() -> Rules {
        Rules {
            soft: Some(100),
            hard: Some(200),
            age: Some(24 * HOUR),
        }
    }

    #[test]
    fn each_limit_is_told_of_once() {
        let mut wear = Wear::default();
        assert_eq!(wear.step(&rules(), 100, HOUR), None);
        assert_eq!(wear.step(&rules(), 101, HOUR), Some(Order::Soft(101)));
        assert_eq!(wear.step(&rules(), 150, HOUR), None);
        assert!(!wear.is_ended());
        assert_eq!(wear.step(&rules(), 201, HOUR), Some(Order::Hard(201)));
        assert!(wear.is_ended());
        assert_eq!(wear.step(&rules(), 300, HOUR), None);
    }

    #[test]
    fn one_that_leaps_over_both_limits_is_ended() {
        let mut wear = Wear::default();
        assert_eq!(wear.step(&rules(), 999, HOUR), Some(Order::Hard(999)));
    }

    #[test]
    fn one_is_old_when_its_age_has_come_and_not_a_moment_before() {
        let mut wear = Wear::default();
        let second = Duration::from_secs(1);
        assert_eq!(wear.step(&rules(), 1, 24 * HOUR - second), None);
        assert_eq!(
            wear.step(&rules(), 1, 24 * HOUR),
            Some(Order::Old(24 * HOUR))
        );
        assert_eq!(wear.step(&rules(), 1, 25 * HOUR), None);
        // Large and old: it is told of both.
        assert_eq!(wear.step(&rules(), 101, 25 * HOUR), Some(Order::Soft(101)));
    }

    #[test]
    fn without_rules_nothing_is_done() {
        let mut wear = Wear::default();
        assert_eq!(wear.step(&Rules::default(), u64::MAX, Duration::MAX), None);
        assert!(!Rules::default().are_near(u64::MAX));
        assert!(rules().are_near(101) && !rules().are_near(100));
    }
}
