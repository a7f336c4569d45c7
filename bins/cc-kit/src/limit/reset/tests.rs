use super::*;

mod calendar;
mod hostile;
mod refused;

/// A Thursday afternoon in Berlin, in summer.
fn now() -> Zoned {
    zoned("2026-06-25T14:00:00[Europe/Berlin]")
}

fn zoned(text: &str) -> Zoned {
    text.parse().unwrap()
}

fn at(text: &str, now: &Zoned) -> String {
    match read(text, now) {
        Ok(reset) => reset
            .at
            .to_zoned(now.time_zone().clone())
            .datetime()
            .to_string(),
        Err(error) => error.to_string(),
    }
}

/// Each of the texts means that local time, seen at `now`.
fn each_means(now: &Zoned, cases: &[(&str, &str)]) {
    for (text, meant) in cases {
        assert_eq!(&at(text, now), meant, "{text:?}");
    }
}

#[test]
fn times_of_the_day_are_the_next_such_time() {
    each_means(
        &now(),
        &[
            (
                "You've hit your session limit · resets 3pm (Europe/Berlin)",
                "2026-06-25T15:00:00",
            ),
            (
                "You\u{2019}ve hit your limit ∙ resets 3:30pm",
                "2026-06-25T15:30:00",
            ),
            (
                "5-hour limit reached ∙ resets 3pm\n/upgrade",
                "2026-06-25T15:00:00",
            ),
            ("resets at 9:30 PM", "2026-06-25T21:30:00"),
            ("try again at 9:30\u{202f}PM.", "2026-06-25T21:30:00"),
            ("try again at 9:30 p.m. or later", "2026-06-25T21:30:00"),
            ("TRY AGAIN AT 9:30PM", "2026-06-25T21:30:00"),
            (
                "Your limit will reset at 3pm (America/New_York).",
                "2026-06-25T21:00:00",
            ),
            ("resets 12am", "2026-06-26T00:00:00"),
            ("resets 12pm", "2026-06-26T12:00:00"),
            ("resets 00:30", "2026-06-26T00:30:00"),
            ("resets 9am", "2026-06-26T09:00:00"),
            ("resets 23:59:59", "2026-06-25T23:59:59"),
            ("(resets 3pm)", "2026-06-25T15:00:00"),
            ("resets at: 3 pm", "2026-06-25T15:00:00"),
            ("resets daily at midnight", "2026-06-26T00:00:00"),
            ("resets at midnight Pacific Time", "2026-06-26T09:00:00"),
            ("resets at 9am PT", "2026-06-25T18:00:00"),
            ("resets 3pm UTC", "2026-06-25T17:00:00"),
            ("resets 3pm utc", "2026-06-25T17:00:00"),
            ("resets 3pm (UTC)", "2026-06-25T17:00:00"),
            ("resets 3pm (UTC+1)", "2026-06-25T16:00:00"),
            ("resets 15:00 GMT-05:30", "2026-06-25T22:30:00"),
            ("resets 3pm EST", "2026-06-25T22:00:00"),
            ("resets 15:00 +0200", "2026-06-25T15:00:00"),
            ("resets 3pm (local time)", "2026-06-25T15:00:00"),
            ("rate limited until 3pm", "2026-06-25T15:00:00"),
            ("Available again at 15:00", "2026-06-25T15:00:00"),
        ],
    );
}

#[test]
fn days_are_read_before_and_behind_the_time() {
    each_means(
        &now(),
        &[
            ("weekly limit · resets Jun 29, 3am", "2026-06-29T03:00:00"),
            (
                "resets Jun 29 at 3am (Europe/London)",
                "2026-06-29T04:00:00",
            ),
            ("resets June 29th, 2026 3:00 AM UTC", "2026-06-29T05:00:00"),
            ("resets 29 Jun 3am", "2026-06-29T03:00:00"),
            ("resets 29. Jun", "no time is said"),
            (
                "resets on the 29th of June, 2026 at 03:00",
                "2026-06-29T03:00:00",
            ),
            ("resets 3am on Jun 29", "2026-06-29T03:00:00"),
            ("resets 3am (UTC) on Jun 29", "2026-06-29T05:00:00"),
            ("resets Jun 29", "2026-06-29T00:00:00"),
            ("resets Mon, Jun 29, 3am", "2026-06-29T03:00:00"),
            ("resets tomorrow at 3am", "2026-06-26T03:00:00"),
            ("try again tomorrow at 3am", "2026-06-26T03:00:00"),
            ("resets at 3am tomorrow", "2026-06-26T03:00:00"),
            ("resets today at 3pm", "2026-06-25T15:00:00"),
            ("resets tomorrow", "2026-06-26T00:00:00"),
            ("resets Monday 9am", "2026-06-29T09:00:00"),
            ("resets on Mon. at 9:00", "2026-06-29T09:00:00"),
            ("resets next Monday at 9am", "2026-06-29T09:00:00"),
            ("resets 9am on Monday", "2026-06-29T09:00:00"),
            ("resets Monday", "2026-06-29T00:00:00"),
            ("resets Thursday 3pm", "2026-06-25T15:00:00"),
            ("resets Thursday 9am", "2026-07-02T09:00:00"),
            ("resets Friday 9am", "2026-06-26T09:00:00"),
            ("resets Wed 9am", "2026-07-01T09:00:00"),
        ],
    );
}

#[test]
fn whole_dates_are_read() {
    each_means(
        &now(),
        &[
            ("resets 2026-06-29T03:00:00Z", "2026-06-29T05:00:00"),
            (
                "resets at 2026-06-29T03:00:00.123456Z",
                "2026-06-29T05:00:00",
            ),
            (
                "resets_at: \"2026-06-29T03:00:00+02:00\"",
                "2026-06-29T03:00:00",
            ),
            ("resets 2026-06-29T03:00:00-04:00", "2026-06-29T09:00:00"),
            ("resets 2026-06-29 03:00", "2026-06-29T03:00:00"),
            ("resets 2026-06-29 03:00:00 UTC", "2026-06-29T05:00:00"),
            ("resets 2026-06-29", "2026-06-29T00:00:00"),
            (
                "try again at Jun 29th, 2026 11:14 PM.",
                "2026-06-29T23:14:00",
            ),
            (
                "Retry-After: Mon, 29 Jun 2026 03:00:00 GMT",
                "2026-06-29T05:00:00",
            ),
            (
                "anthropic-ratelimit-requests-reset: 2026-06-25T12:10:00Z",
                "2026-06-25T14:10:00",
            ),
        ],
    );
}

#[test]
fn spans_and_numbers_are_read() {
    let now = now();
    let millis = |text: &str| {
        let reset = read(text, &now).map_err(|error| format!("{text:?}: {error}"));
        reset
            .unwrap()
            .at
            .duration_since(now.timestamp())
            .as_millis()
    };
    for (text, meant) in [
        ("try again in 3 days 4 hours 5 minutes", 273_900_000),
        ("try again in 3 days, 4 hours and 5 minutes.", 273_900_000),
        ("try again in 42s", 42_000),
        ("Please try again in 20s. Visit ..", 20_000),
        ("try again in 1.898s", 1_898),
        ("try again in 28ms", 28),
        ("try again in 3s 2m ago", 3_000),
        (
            "■■■ slow down [retrying in 59m 59s attempt #1]   esc interrupt",
            3_599_000,
        ),
        ("░Retrying in 0.2 seconds...k", 200),
        ("Retrying in 2.0 seconds...k", 2_000),
        ("API error · Retrying in 3s · attempt 4/10", 3_000),
        ("retry-after 3600", 3_600_000),
        ("Retry-After: 3600\nMay 5", 3_600_000),
        ("retry after 5 seconds", 5_000),
        ("retry-after: 7 May", 7_000),
        ("\"retry_after_ms\": 5000,", 5_000),
        ("\"retryDelay\": \"40s\"", 40_000),
        ("Please retry in 12.345678s.", 12_345),
        ("Your quota will reset after 2h51m34s.", 10_294_000),
        ("resets in 2h 13m", 7_980_000),
        ("resets in about an hour", 3_600_000),
        ("resets 2h 30m", 9_000_000),
        ("\"resets_in_seconds\": 3600", 3_600_000),
        ("try again in 8 days", 691_200_000),
        ("retry-after: 0", 0),
        ("Claude AI usage limit reached|1782392400", 3_600_000),
        ("\"resets_at\": 1782392400000", 3_600_000),
    ] {
        assert_eq!(millis(text), meant, "{text:?}");
    }
    each_means(&now, &[("resets in 2 days at 3am", "2026-06-27T03:00:00")]);
}

#[test]
fn wrapped_text_is_read_like_whole_text() {
    each_means(
        &now(),
        &[
            ("try\nagain at\n9:30\nPM.", "2026-06-25T21:30:00"),
            (
                "│ resets 3pm   │\n│ (Europe/Lon\n   don) │",
                "2026-06-25T16:00:00",
            ),
            (
                "│ weekly limit · resets │\n│ Jun 29, 3am           │",
                "2026-06-29T03:00:00",
            ),
            ("try again in 3 days\r\n  4 hours", "2026-06-28T18:00:00"),
        ],
    );
}

#[test]
fn the_last_phrase_decides() {
    each_means(
        &now(),
        &[
            ("resets 3pm\nsome lines\nresets 4pm", "2026-06-25T16:00:00"),
            ("Retrying in 1s\nRetrying in 60s", "2026-06-25T14:01:00"),
            ("resets 3pm. Try again later.", "2026-06-25T15:00:00"),
            ("resets 3pm (in 1h). Monday is free", "2026-06-25T15:00:00"),
            ("resets 3pm\nJun 29 log line", "2026-06-25T15:00:00"),
        ],
    );
    let refused = read("resets 3pm, or try again in 9 days", &now());
    assert!(matches!(refused, Err(Unread::TooFar { .. })), "{refused:?}");
}

#[test]
fn what_only_looks_like_a_time_is_none() {
    for text in [
        "",
        "resets",
        "try again later",
        "Please wait.",
        "git reset --hard 3",
        "reset 3 commits",
        "resets 3",
        "resets at 15",
        "retry 3/5",
        "retry after 3 attempts",
        "retry 3 m",
        "Reconnecting... 3/5 (1s • esc to interrupt)",
        "exceeded retry limit, last status: 429 Too Many Requests",
        "Try 3pm again",
        "resets 13pm",
        "resets 0am",
        "resets 25:00",
        "resets 12:60",
        "resets 11/27/2026",
        "limit reached | 12",
        "retry-after: -5",
        "presets 3pm",
        "it works until it breaks",
    ] {
        assert_eq!(read(text, &now()), Err(Unread::NoTime), "{text:?}");
    }
}

#[test]
fn what_was_said_is_told_and_cannot_harm() {
    let said = |text: &str| read(text, &now()).unwrap().said;
    assert_eq!(
        said("limit · \u{202e}resets\u{7}\n 3pm\t│(Europe/\u{1b}Berlin) tail"),
        "resets 3pm (Europe/ Berlin)"
    );
    assert_eq!(said("try again in 42s!"), "try again in 42s");
}

#[test]
fn an_offset_said_in_brackets_may_be_wrapped() {
    each_means(&now(), &[("resets 3pm (UTC\n+1)", "2026-06-25T16:00:00")]);
}

#[test]
fn of_a_long_text_only_the_end_is_read() {
    let filler = "é".repeat(MOST);
    let above = read(&format!("resets 3pm{filler}"), &now());
    assert_eq!(above, Err(Unread::NoTime));
    assert!(read(&format!("{filler}resets 3pm"), &now()).is_ok());
    let zeros = "0".repeat(1_000);
    for long in [
        format!("try again in {zeros}5s"),
        format!("try again in 1.{zeros}s"),
        format!("resets 15:00:00.{zeros}"),
    ] {
        let said = read(&long, &now()).map_or_else(|error| error.to_string(), |reset| reset.said);
        assert!(said.len() < 40, "{said}");
    }
}
