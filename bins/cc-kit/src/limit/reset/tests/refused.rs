//! What is not read, and why.

use super::*;

#[test]
fn more_than_eight_days_are_refused() {
    for text in [
        "resets Jul 4, 3am",
        "resets Dec 1",
        "resets 2027-06-25T15:00:00Z",
        "try again in 8 days 1 second",
        "try again in 2 weeks",
        "retry-after 691201",
        "retry-after 99999999999999999999999999999999999",
        "try again in 99999999999999 weeks",
        "resets in 18446744073709551615 days at 3am",
        "limit reached|9999999999",
    ] {
        let refused = read(text, &now());
        assert!(
            matches!(refused, Err(Unread::TooFar { .. })),
            "{text:?}: {refused:?}"
        );
    }
}

#[test]
fn what_has_passed_says_nothing_of_how_long_to_wait() {
    for text in [
        "resets 2pm",
        "resets 1:59pm",
        "resets 12:30",
        "resets 2026-06-25T11:00:00Z",
        "resets Jun 25, 3am",
        "resets Jun 1, 3am",
        "resets Thursday",
        "resets Jun 25",
        "resets today at 9am",
        "limit reached|1749924000",
    ] {
        let refused = read(text, &now());
        if text.ends_with("2pm") {
            assert_eq!(refused.unwrap().at, now().timestamp(), "it ends now");
        } else {
            assert!(
                matches!(refused, Err(Unread::Passed { .. })),
                "{text:?}: {refused:?}"
            );
        }
    }
    // Yesterday's last minutes, seen after midnight.
    let night = zoned("2026-06-25T00:10:00[Europe/Berlin]");
    assert!(matches!(
        read("resets 11:55pm", &night),
        Err(Unread::Passed { .. })
    ));
    assert_eq!(at("resets 10:30pm", &night), "2026-06-25T22:30:00");
}

#[test]
fn what_cannot_be_is_refused_with_its_reason() {
    for text in [
        "resets 3pm (Mars/Olympus)",
        "resets 3pm (XYZ)",
        "resets 3pm Europe/Nowhere",
    ] {
        let refused = read(text, &now());
        assert!(
            matches!(refused, Err(Unread::UnknownZone { .. })),
            "{text:?}: {refused:?}"
        );
    }
    let refused = read("resets Feb 30, 3am", &now());
    assert_eq!(
        refused,
        Err(Unread::NoSuchDay {
            said: "resets Feb 30, 3am".into()
        })
    );
}
