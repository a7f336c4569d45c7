//! Whatever the text is, it does no harm.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;

/// Pieces of which the phrases are made, so that chance comes near them.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "resets",
            "try again",
            "retry-after",
            "retrying",
            "until",
            "reached|",
            "in",
            "at",
            "on",
            "after",
            "3pm",
            "9:30",
            "PM",
            "12am",
            "00:30",
            "Jun",
            "29",
            "29th",
            "Monday",
            "tomorrow",
            "2026",
            "2026-06-29",
            "T03:00:00",
            "Z",
            "+02:00",
            "-",
            ":",
            ",",
            "(",
            ")",
            "(Europe/Berlin)",
            "UTC",
            "PST",
            "days",
            "4",
            "hours",
            "59m",
            "0.2",
            "s",
            "3600",
            "1782392400",
            "18446744073709551616",
            "a",
            ".",
            "\n",
            "│",
            "\u{202f}",
            "é",
            "T",
            "Feb",
            "30",
            "midnight",
            "Pacific Time",
            "weeks",
            "_ms",
        ])
        .prop_map(str::to_owned),
        any::<u64>().prop_map(|number| number.to_string()),
        ".{0,6}",
    ];
    let blank = prop::sample::select(vec!["", " ", "\n"]);
    prop::collection::vec((piece, blank), 0..16).prop_map(|pieces| {
        let mut text = String::new();
        for (piece, blank) in pieces {
            text.push_str(&piece);
            text.push_str(blank);
        }
        text
    })
}

fn any_now() -> impl Strategy<Value = Zoned> {
    let zone = prop::sample::select(vec![
        "UTC",
        "Europe/Berlin",
        "America/St_Johns",
        "Asia/Kathmandu",
        "Pacific/Apia",
        "Australia/Lord_Howe",
    ]);
    (-62_135_596_800_i64..253_402_207_200, zone).prop_map(|(second, zone)| {
        let zone = TimeZone::get(zone).unwrap();
        Timestamp::from_second(second).unwrap().to_zoned(zone)
    })
}

fn is_sound(text: &str, now: &Zoned) -> Result<(), TestCaseError> {
    match read(text, now) {
        Ok(reset) => {
            let wait = reset.at.duration_since(now.timestamp());
            prop_assert!(!wait.is_negative() && wait <= FARTHEST, "{reset:?}");
            prop_assert!(!reset.said.contains(|c: char| c.is_control()));
            prop_assert!(reset.said.len() < 1_000);
        }
        Err(Unread::Passed { at, .. }) => prop_assert!(at < now.timestamp()),
        Err(_) => {}
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_text_does_harm(text in "(?s).{0,200}", now in any_now()) {
        is_sound(&text, &now)?;
    }

    #[test]
    fn nothing_that_looks_like_a_phrase_does_harm(text in pieces(), now in any_now()) {
        is_sound(&text, &now)?;
    }

    #[test]
    fn a_local_time_is_what_the_clock_will_show(
        minutes in 0_i8..60, hour in 0_i8..24, seen in 0_i64..365 * 86_400,
    ) {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let year = date(2026, 1, 1).to_zoned(zone.clone()).unwrap().timestamp();
        let now = year.checked_add(SignedDuration::from_secs(seen)).unwrap();
        let now = now.to_zoned(zone);
        match read(&format!("resets {hour:02}:{minutes:02}"), &now) {
            Ok(reset) => {
                let shown = reset.at.to_zoned(now.time_zone().clone());
                let in_gap = hour == 2 && shown.hour() == 3;
                prop_assert!(in_gap || (shown.hour(), shown.minute()) == (hour, minutes));
                let wait = reset.at.duration_since(now.timestamp());
                prop_assert!(wait <= SignedDuration::from_hours(25), "{wait:?}");
            }
            Err(Unread::Passed { at, .. }) => {
                prop_assert!(now.timestamp().duration_since(at) <= JUST_PASSED);
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}
