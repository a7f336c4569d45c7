//! Which of the tasks that can be begun is next.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::Duration;

/// Waiting for that long is worth one more of priority, so that nothing starves.
pub const AGING: Duration = Duration::from_secs(10 * 60);

/// What decides when it is a task's turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// As it was given.
    pub priority: i32,
    /// For how long it has waited: since it was added, or since its delay was over.
    pub waited: Duration,
    /// How many its submitter has under way.
    pub under_way: u64,
    /// Its number among all that were ever added.
    pub added: u64,
}

impl Candidate {
    /// Its priority, with its age.
    #[must_use]
    pub fn effective(&self) -> i64 {
        let older = self.waited.as_secs() / AGING.as_secs();
        i64::from(self.priority).saturating_add(i64::try_from(older).unwrap_or(i64::MAX))
    }
}

/// `Less`: the left one is first. The higher priority with its age, then whose submitter has fewer
/// under way, then the older one.
#[must_use]
pub fn order(left: &Candidate, right: &Candidate) -> Ordering {
    let age = right.waited.cmp(&left.waited);
    (right.effective().cmp(&left.effective()))
        .then(left.under_way.cmp(&right.under_way))
        .then(age)
        .then(left.added.cmp(&right.added))
}

/// Of messages that are not over, the only one for each recipient that can be begun: the one that was
/// added first.
pub fn heads<'a>(messages: impl IntoIterator<Item = (&'a str, u64)>) -> BTreeMap<&'a str, u64> {
    let mut heads = BTreeMap::new();
    for (to, added) in messages {
        let head = heads.entry(to).or_insert(added);
        *head = added.min(*head);
    }
    heads
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(priority: i32, minutes: u64, under_way: u64, added: u64) -> Candidate {
        Candidate {
            priority,
            waited: Duration::from_secs(60 * minutes),
            under_way,
            added,
        }
    }

    #[test]
    fn first_the_priority_then_who_has_least_then_the_oldest() {
        // In the order in which they are to come.
        let sorted = [
            candidate(5, 0, 9, 9),
            candidate(4, 10, 10, 8),
            candidate(0, 9, 0, 2),
            candidate(0, 8, 0, 1),
            candidate(0, 8, 0, 3),
            candidate(0, 9, 1, 0),
            candidate(-1, 0, 0, 0),
        ];
        let mut shuffled = sorted;
        shuffled.reverse();
        shuffled.swap(0, 3);
        shuffled.sort_by(order);
        assert_eq!(shuffled, sorted);
    }

    #[test]
    fn what_waits_long_enough_comes_before_what_is_more_urgent() {
        let urgent = candidate(3, 0, 0, 2);
        assert_eq!(order(&candidate(0, 29, 0, 1), &urgent), Ordering::Greater);
        assert_eq!(order(&candidate(0, 30, 0, 1), &urgent), Ordering::Less);
        let ages = Candidate {
            waited: Duration::MAX,
            ..candidate(i32::MAX, 0, 0, 0)
        };
        assert!(ages.effective() > i64::from(i32::MAX));
    }

    #[test]
    fn of_messages_only_the_first_of_each_recipient_comes() {
        let messages = [("a", 3), ("b", 4), ("a", 1), ("b", 9)];
        assert_eq!(heads(messages), BTreeMap::from([("a", 1), ("b", 4)]));
    }
}
