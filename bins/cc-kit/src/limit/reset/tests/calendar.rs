//! Midnight, the year's end, and the days on which clocks are set.

use super::*;

#[test]
fn midnight_and_the_years_end_are_crossed() {
    let now = zoned("2026-12-31T23:30:00[Europe/Berlin]");
    each_means(
        &now,
        &[
            ("resets 12am", "2027-01-01T00:00:00"),
            ("resets 3am", "2027-01-01T03:00:00"),
            ("resets Jan 2, 3am", "2027-01-02T03:00:00"),
            ("resets tomorrow at 3am", "2027-01-01T03:00:00"),
            ("resets Saturday 9am", "2027-01-02T09:00:00"),
        ],
    );
    let early = zoned("2027-01-01T00:30:00[Europe/Berlin]");
    assert!(matches!(
        read("resets Dec 31, 11pm", &early),
        Err(Unread::Passed { .. })
    ));
    let leap = zoned("2028-02-27T12:00:00[Europe/Berlin]");
    each_means(&leap, &[("resets Feb 29, 3am", "2028-02-29T03:00:00")]);
}

#[test]
fn where_clocks_are_set_forward_the_time_moves_on() {
    // 2:00 to 3:00 does not exist.
    let now = zoned("2026-03-28T23:00:00[Europe/Berlin]");
    each_means(
        &now,
        &[
            ("resets 2:30am", "2026-03-29T03:30:00"),
            ("resets 3am", "2026-03-29T03:00:00"),
            ("resets in 4h", "2026-03-29T04:00:00"),
        ],
    );
}

#[test]
fn where_clocks_are_set_back_it_is_the_first_that_has_not_passed() {
    let fold = |now: &str, text: &str| {
        let reset = read(text, &zoned(now)).unwrap();
        reset.at.to_string()
    };
    // 2:00 to 3:00 comes twice, first at +02:00.
    let first = fold("2026-10-24T23:00:00[Europe/Berlin]", "resets 2:30am");
    assert_eq!(first, "2026-10-25T00:30:00Z");
    let between = fold("2026-10-25T02:45:00+02:00[Europe/Berlin]", "resets 2:30am");
    assert_eq!(between, "2026-10-25T01:30:00Z");
    let day = fold("2026-10-24T23:00:00[Europe/Berlin]", "resets 3pm");
    assert_eq!(day, "2026-10-25T14:00:00Z");
}

#[test]
fn the_machines_zone_counts_where_none_is_said() {
    for (zone, meant) in [
        ("Asia/Kolkata", "2026-06-26T09:30:00Z"),
        ("America/New_York", "2026-06-25T19:00:00Z"),
        ("UTC", "2026-06-25T15:00:00Z"),
    ] {
        let now = now().with_time_zone(TimeZone::get(zone).unwrap());
        let reset = read("resets 3pm", &now).unwrap();
        assert_eq!(reset.at.to_string(), meant, "{zone}");
    }
}

#[test]
fn the_calendars_ends_are_no_trouble() {
    for now in [
        Timestamp::MAX.to_zoned(TimeZone::UTC),
        Timestamp::MIN.to_zoned(TimeZone::UTC),
    ] {
        for text in [
            "resets 3pm",
            "resets tomorrow at 3am",
            "resets Monday 9am",
            "resets Jan 1",
            "resets Dec 31",
            "resets in 8 days",
            "resets 9999-12-31T23:59:59-14:00",
        ] {
            let _ = read(text, &now);
        }
    }
}
