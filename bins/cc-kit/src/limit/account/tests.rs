use super::*;

mod chance;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn start() -> Timestamp {
    "2026-06-25T12:00:00Z".parse().unwrap()
}

fn minutes(minutes: i64) -> Timestamp {
    after(start(), SignedDuration::from_mins(minutes))
}

fn probe(account: &mut Account, now: Timestamp) -> Option<String> {
    account.due(now).map(|probe| probe.unit)
}

/// The time of the next wake, at which the probe goes.
fn wake(account: &mut Account, now: Timestamp) -> (Timestamp, Option<String>) {
    let at = account.next_wake(now).unwrap();
    let just_before = after(at, SignedDuration::from_millis(-1));
    if just_before > now {
        assert_eq!(probe(account, just_before), None, "not before it is due");
    }
    (at, probe(account, at))
}

#[test]
fn one_probe_goes_a_minute_after_the_reset_and_then_all_the_others() {
    let mut account = Account::new(7);
    let reset = Some(minutes(60));
    assert!(account.limited("a", reset, start()), "news");
    assert!(!account.limited("b", reset, minutes(1)), "no news");
    account.limited("c", None, minutes(2));
    assert!(account.is_limited());
    assert_eq!(account.reset(minutes(2)), reset);
    let (at, probe) = wake(&mut account, minutes(2));
    let waited = at.duration_since(minutes(60));
    let most = SignedDuration::from_secs(90);
    assert!(waited >= MINUTE && waited <= most, "{waited:?}");
    assert_eq!(probe.as_deref(), Some("a"));
    assert_eq!(account.due(at), None, "only one");
    assert!(account.resumed().is_empty());
    account.worked("a", after(at, MINUTE));
    assert_eq!(account.resumed(), ["b", "c"]);
    assert!(!account.is_limited());
    assert_eq!(account.next_wake(at), Some(at), "there is something to do");
    account.told("b");
    account.told("c");
    assert_eq!(account.next_wake(at), None);
}

#[test]
fn the_spread_comes_from_the_seed_alone() {
    let due = |seed: u64, reset: i64| {
        let mut account = Account::new(seed);
        account.limited("a", Some(minutes(reset)), start());
        let at = account.next_wake(start()).unwrap();
        at.duration_since(minutes(reset)).as_millis()
    };
    let spread: std::collections::BTreeSet<i128> = (0..64).map(|seed| due(seed, 60)).collect();
    assert!(spread.len() > 60, "{spread:?}");
    assert!(
        spread
            .iter()
            .all(|millis| (60_000..=90_000).contains(millis))
    );
    assert_eq!(due(3, 60), due(3, 60));
    assert_ne!(due(3, 60), due(3, 61));
}

#[test]
fn without_a_reset_the_waits_grow_to_half_an_hour() {
    let mut account = Account::new(1);
    account.limited("a", None, start());
    let mut now = start();
    for minutes in [5, 10, 20, 30, 30, 30] {
        let (at, probe) = wake(&mut account, now);
        assert_eq!(at.duration_since(now), SignedDuration::from_mins(minutes));
        assert_eq!(probe.as_deref(), Some("a"));
        now = after(at, SignedDuration::from_secs(10));
        account.limited("a", None, now);
    }
    let (at, _) = wake(&mut account, now);
    account.worked("a", at);
    account.limited("a", None, at);
    let (again, _) = wake(&mut account, at);
    assert_eq!(
        again.duration_since(at),
        SignedDuration::from_mins(5),
        "from the beginning"
    );
}

#[test]
fn a_probe_that_is_limited_again_waits_for_the_new_reset() {
    let mut account = Account::new(1);
    account.limited("a", Some(minutes(60)), start());
    account.limited("b", Some(minutes(60)), start());
    let (at, _) = wake(&mut account, start());
    assert!(!account.limited("a", Some(minutes(600)), at), "no news");
    assert!(account.resumed().is_empty());
    let (at, probe) = wake(&mut account, at);
    assert!(at.duration_since(minutes(600)) >= MINUTE);
    assert_eq!(probe.as_deref(), Some("b"), "whose own reset has passed");
    account.worked("b", at);
    assert_eq!(account.resumed(), ["a"]);
}

#[test]
fn resets_that_come_to_nothing_again_and_again_do_not_make_it_hurry() {
    let mut account = Account::new(1);
    let second = SignedDuration::from_secs(1);
    let mut now = start();
    account.limited("a", Some(after(now, second)), now);
    let mut waits = Vec::new();
    for _ in 0..7 {
        let (at, _) = wake(&mut account, now);
        waits.push(at.duration_since(now).as_secs() / 60);
        now = at;
        account.limited("a", Some(after(now, second)), now);
    }
    assert_eq!(waits, [1, 1, 5, 10, 20, 30, 30]);
    // Nor does it hurry when another one says the same.
    let due = account.next_wake(now);
    account.limited("b", Some(after(now, second)), now);
    assert_eq!(account.next_wake(now), due);
}

#[test]
fn of_several_resets_the_earliest_counts() {
    let mut account = Account::new(1);
    account.limited("a", None, start());
    account.limited("b", Some(minutes(600)), start());
    account.limited("c", Some(minutes(60)), start());
    account.limited("d", Some(minutes(300)), start());
    let (at, probe) = wake(&mut account, start());
    assert!(at < minutes(62), "{at}");
    assert_eq!(probe.as_deref(), Some("c"));
}

#[test]
fn a_unit_that_says_it_again_while_it_waits_moves_nothing() {
    let mut account = Account::new(1);
    account.limited("a", None, start());
    let due = account.next_wake(start());
    for minute in 1..5 {
        assert!(!account.limited("a", None, minutes(minute)));
        assert_eq!(account.next_wake(minutes(minute)), due);
    }
    assert_eq!(account.units().count(), 1);
}

#[test]
fn a_reset_that_cannot_be_is_taken_as_unknown() {
    for reset in [
        minutes(-1),
        minutes(8 * 24 * 60 + 1),
        Timestamp::MAX,
        Timestamp::MIN,
    ] {
        let mut account = Account::new(1);
        account.limited("a", Some(reset), start());
        assert_eq!(account.next_wake(start()), Some(minutes(5)), "{reset}");
        assert_eq!(account.reset(start()), None);
    }
}

#[test]
fn a_unit_nobody_counts_on_says_nothing_of_the_limit() {
    let mut account = Account::new(1);
    account.limited("a", None, start());
    account.worked("other", minutes(1));
    assert!(account.is_limited());
    // But one of the limited does: somebody may have told it to go on by hand.
    account.limited("b", None, minutes(1));
    account.worked("b", minutes(2));
    assert!(!account.is_limited());
    assert_eq!(account.resumed(), ["a"]);
}

#[test]
fn a_probe_that_was_told_is_not_told_again() {
    let mut account = Account::new(1);
    account.limited("a", None, start());
    account.limited("b", None, start());
    assert_eq!(probe(&mut account, minutes(5)).as_deref(), Some("a"));
    account.worked("b", minutes(6));
    assert!(account.resumed().is_empty());
}

#[test]
fn a_probe_that_vanishes_is_followed_by_the_next() {
    let mut account = Account::new(1);
    account.limited("a", None, start());
    account.limited("b", None, start());
    assert_eq!(probe(&mut account, minutes(5)).as_deref(), Some("a"));
    account.gone("a", minutes(6));
    assert_eq!(account.next_wake(minutes(6)), Some(minutes(6)));
    assert_eq!(probe(&mut account, minutes(6)).as_deref(), Some("b"));
    account.gone("b", minutes(7));
    assert!(!account.is_limited());
    assert_eq!(account.next_wake(minutes(7)), None);
}

#[test]
fn a_probe_of_which_nothing_is_seen_is_followed_by_the_next() {
    let mut account = Account::new(1);
    account.limited("a", Some(minutes(1)), start());
    account.limited("b", Some(minutes(2)), start());
    assert_eq!(probe(&mut account, minutes(5)).as_deref(), Some("a"));
    assert_eq!(probe(&mut account, minutes(10)), None);
    assert_eq!(probe(&mut account, minutes(14)), None);
    assert_eq!(probe(&mut account, minutes(15)).as_deref(), Some("b"));
    assert_eq!(probe(&mut account, minutes(20)), None);
    assert_eq!(probe(&mut account, minutes(25)).as_deref(), Some("a"));
    account.worked("a", minutes(26));
    assert_eq!(account.resumed(), ["b"]);
}

#[test]
fn who_was_about_to_go_on_waits_again_when_the_limit_is_back() {
    let mut account = Account::new(1);
    for unit in ["a", "b", "c"] {
        account.limited(unit, None, start());
    }
    assert!(account.due(minutes(5)).is_some());
    account.worked("a", minutes(6));
    account.told("b");
    assert!(account.limited("b", None, minutes(7)), "a new limit");
    assert!(account.resumed().is_empty());
    assert_eq!(account.units().collect::<Vec<_>>(), ["b", "c"]);
}

#[test]
fn an_operator_ends_the_wait() {
    let mut account = Account::new(1);
    account.limited("a", Some(minutes(600)), start());
    account.limited("b", None, start());
    account.clear(minutes(1));
    assert_eq!(account.resumed(), ["a", "b"]);
    assert!(!account.is_limited());
}

#[test]
fn a_clock_that_is_set_forward_makes_no_second_probe() {
    let mut account = Account::new(1);
    account.limited("a", None, start());
    account.limited("b", None, start());
    let now = minutes(5);
    assert_eq!(probe(&mut account, now).as_deref(), Some("a"));
    let jumped = after(now, HOUR);
    for second in 0..290 {
        let now = after(jumped, SignedDuration::from_secs(second));
        assert_eq!(probe(&mut account, now), None, "after {second} s");
    }
    account.worked("a", after(jumped, MINUTE));
    assert_eq!(account.resumed(), ["b"]);
}

#[test]
fn a_clock_that_is_set_back_makes_no_wait_longer() {
    let mut account = Account::new(1);
    account.limited("a", None, start());
    account.limited("b", None, start());
    assert_eq!(account.due(minutes(2)), None);
    let back = |minute: i64| after(minutes(minute), -HOUR);
    assert_eq!(
        account.next_wake(back(3)),
        Some(back(6)),
        "five minutes on, less what passed"
    );
    assert_eq!(account.due(back(2)), None);
    assert_eq!(probe(&mut account, back(5)).as_deref(), Some("a"));
    // Back once more, while the probe is out: it is waited for as long as ever.
    let back = |minute: i64| after(minutes(minute), -HOUR - HOUR);
    assert_eq!(probe(&mut account, back(5)), None);
    assert_eq!(probe(&mut account, back(10)), None);
    assert_eq!(probe(&mut account, back(15)).as_deref(), Some("b"));
}

#[test]
fn a_reset_stays_where_the_wall_clock_has_it() {
    let mut account = Account::new(1);
    account.limited("a", Some(minutes(60)), start());
    let due = account.next_wake(start());
    assert_eq!(account.due(minutes(-60)), None);
    assert_eq!(account.next_wake(minutes(-60)), due);
    // An hour forward instead: it goes early, and waits again for what it is told then.
    assert!(account.due(minutes(65)).is_some());
    account.limited("a", None, minutes(66));
    let corrected = minutes(6);
    assert_eq!(account.next_wake(corrected), Some(minutes(16)));
}

#[test]
fn a_start_without_a_clock_does_not_wait_for_decades() {
    let mut account = Account::new(1);
    account.limited("a", Some(minutes(60)), start());
    let year_1970: Timestamp = "1970-01-01T00:00:10Z".parse().unwrap();
    assert_eq!(account.due(year_1970), None);
    let wake = account.next_wake(year_1970).unwrap();
    assert_eq!(wake.duration_since(year_1970), SignedDuration::from_mins(5));
    assert!(
        account.due(minutes(1)).is_some(),
        "the right time is there again"
    );
}

#[test]
fn what_is_stored_goes_on_where_it_was() {
    let stored = |account: &Account| {
        let json = serde_json::to_string(account).unwrap();
        let back: Account = serde_json::from_str(&json).unwrap();
        assert_eq!(&back, account);
        back
    };
    let mut account = Account::new(1);
    account.limited("a", Some(minutes(60)), start());
    account.limited("b", None, start());
    let mut account = stored(&account);
    assert!(account.due(minutes(62)).is_some());
    let mut account = stored(&account);
    assert_eq!(account.due(minutes(63)), None, "the probe is out");
    account.worked("a", minutes(64));
    assert_eq!(stored(&account).resumed(), ["b"]);
}
