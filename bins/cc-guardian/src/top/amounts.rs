//! Times, sizes and shares as a few characters, and when a shown time changes.
//!
//! Times are compared in whole seconds since the epoch, so that all of them change on the same tick.

use jiff::Timestamp;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// `42s`, `12m`, `5h07m`, `3d04h`; six columns at most below 100 days.
pub(crate) fn span(seconds: i64) -> String {
    let seconds = seconds.max(0);
    if seconds < MINUTE {
        format!("{seconds}s")
    } else if seconds < HOUR {
        format!("{}m", seconds / MINUTE)
    } else if seconds < DAY {
        format!("{}h{:02}m", seconds / HOUR, seconds % HOUR / MINUTE)
    } else {
        format!("{}d{:02}h", seconds / DAY, seconds % DAY / HOUR)
    }
}

/// How long it has been so at `now`, in seconds.
pub(super) fn age(since: Timestamp, now: Timestamp) -> i64 {
    now.as_second() - since.as_second()
}

/// How long until `then`: a span, or `now` once it is reached.
pub(crate) fn left(then: Timestamp, now: Timestamp) -> String {
    match then.as_second() - now.as_second() {
        ..=0 => "now".to_owned(),
        seconds => span(seconds),
    }
}

/// After how many seconds the age of `since` is shown otherwise than at `now`.
pub(super) fn until_older(since: Timestamp, now: Timestamp) -> i64 {
    match age(since, now) {
        // The clocks differ: it is shown as 0 until it has begun.
        early @ ..=-1 => 1 - early,
        0..MINUTE => 1,
        age @ MINUTE..DAY => MINUTE - age % MINUTE,
        age => HOUR - age % HOUR,
    }
}

/// After how many seconds the countdown to `then` is shown otherwise than at `now`; none when it is
/// over.
pub(super) fn until_nearer(then: Timestamp, now: Timestamp) -> Option<i64> {
    match then.as_second() - now.as_second() {
        ..=0 => None,
        1..=MINUTE => Some(1),
        left @ ..=DAY => Some(left % MINUTE + 1),
        left => Some(left % HOUR + 1),
    }
}

/// `999K`, `1.2G`: five columns at most.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["K", "M", "G", "T", "P", "E"];
    if bytes < 1000 {
        return format!("{bytes}B");
    }
    // In tenths, so that no rounding makes 9.96 a ten with a fraction.
    let mut tenths = u128::from(bytes) * 10 / 1024;
    let mut units = UNITS.into_iter();
    let mut unit = units.next().unwrap_or_default();
    while tenths >= 10_000 {
        let Some(next) = units.next() else { break };
        unit = next;
        tenths /= 1024;
    }
    if tenths < 100 {
        format!("{}.{}{unit}", tenths / 10, tenths % 10)
    } else {
        format!("{}{unit}", tenths / 10)
    }
}

/// The share of one core in percent: `30%`, `150%`.
pub(super) fn share(cores: f64) -> String {
    if cores.is_finite() && (0.0..1000.0).contains(&cores) {
        format!("{:.0}%", cores * 100.0)
    } else {
        "?".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn spans_get_coarser_as_they_get_longer() {
        let table = [
            (-5, "0s"),
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (3599, "59m"),
            (3600, "1h00m"),
            (86_399, "23h59m"),
            (86_400, "1d00h"),
            (99 * 86_400 + 86_399, "99d23h"),
        ];
        for (seconds, shown) in table {
            assert_eq!(span(seconds), shown);
        }
    }

    #[test]
    fn sizes_take_five_columns_at_most() {
        let table = [
            (0, "0B"),
            (999, "999B"),
            (1000, "0.9K"),
            (10 * 1024 - 1, "9.9K"),
            (10 * 1024, "10K"),
            (999 * 1024, "999K"),
            (1023 * 1024, "0.9M"),
            (12_345_678, "11M"),
            (6 << 30, "6.0G"),
            (u64::MAX, "15E"),
        ];
        for (size, shown) in table {
            assert_eq!(bytes(size), shown);
        }
    }

    #[test]
    fn shares_are_percent_of_one_core() {
        assert_eq!(share(0.304), "30%");
        assert_eq!(share(1.5), "150%");
        assert_eq!(share(f64::NAN), "?");
        assert_eq!(share(-1.0), "?");
    }

    proptest! {
        /// Else a redraw would come late, or for nothing.
        #[test]
        fn the_next_change_is_the_first_second_at_which_the_text_differs(seconds in -200_i64..200_000) {
            let (since, now) = (at(1_000_000), at(1_000_000 + seconds));
            let shown = |after: i64| span(age(since, at(now.as_second() + after)));
            let change = until_older(since, now);
            prop_assert!(change > 0);
            prop_assert_ne!(shown(change), shown(0));
            prop_assert_eq!(shown(change - 1), shown(0));
        }

        #[test]
        fn a_countdown_changes_when_it_is_said_to(seconds in -10_i64..200_000) {
            let (then, now) = (at(1_000_000), at(1_000_000 - seconds));
            let shown = |after: i64| left(then, at(now.as_second() + after));
            match until_nearer(then, now) {
                None => prop_assert_eq!(shown(0), "now"),
                Some(change) => {
                    prop_assert!(change > 0);
                    prop_assert_ne!(shown(change), shown(0));
                    prop_assert_eq!(shown(change - 1), shown(0));
                }
            }
        }
    }
}
