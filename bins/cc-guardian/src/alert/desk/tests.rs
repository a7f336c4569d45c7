use proptest::prelude::*;

use super::*;
use crate::alert::message::Untold;
use crate::config::{Event, Quiet, Rate, Way};

pub(super) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What both clocks show.
fn moment(wall: &str, steady: u64) -> Now {
    Now {
        steady: seconds(steady),
        wall: wall.parse().unwrap(),
    }
}

/// So many seconds after the start, which is that time in UTC.
pub(super) fn after(start: &str, steady: u64) -> Now {
    let start = moment(start, steady);
    Now {
        wall: start.wall + seconds(steady),
        ..start
    }
}

pub(super) fn at(steady: u64) -> Now {
    after("2026-07-01T12:00:00Z", steady)
}

pub(super) fn facts(sub: &str) -> Facts {
    Facts {
        sub: Some(sub.to_owned()),
        ..Facts::default()
    }
}

pub(super) fn alert(name: &str, events: &[(EventKind, u64)]) -> AlertSettings {
    let events = events.iter().map(|(kind, after)| Event {
        kind: *kind,
        after: seconds(*after),
    });
    AlertSettings {
        name: name.to_owned(),
        way: Way::Desktop,
        events: events.collect(),
        dedupe: Duration::ZERO,
        rate: None,
        quiet: None,
    }
}

fn night() -> Option<Quiet> {
    let (from, to) = (
        jiff::civil::time(22, 0, 0, 0),
        jiff::civil::time(7, 0, 0, 0),
    );
    Some(Quiet { from, to })
}

pub(super) fn desk(alerts: &[AlertSettings]) -> Desk {
    Desk::in_zone(alerts.to_vec(), TimeZone::UTC)
}

pub(super) fn begins(desk: &mut Desk, unit: &str, kind: EventKind, now: Now) {
    desk.begins(unit, kind, &facts("sub"), &[], now);
}

/// What is due, in short.
pub(super) fn due(desk: &mut Desk, now: Now) -> Vec<String> {
    let due = desk.due(now);
    due.iter()
        .map(|message| format!("{} {} {}", message.alert, message.word(), message.unit))
        .collect()
}

pub(super) const BLOCKED: EventKind = EventKind::Blocked;
pub(super) const OOM: EventKind = EventKind::Oom;

#[test]
fn what_has_lasted_long_enough_is_told_once() {
    let mut desk = desk(&[alert("a", &[(BLOCKED, 120)])]);
    begins(&mut desk, "u@1", BLOCKED, at(10));
    assert!(desk.due(at(129)).is_empty());
    assert_eq!(desk.next_due(at(129)), Some(seconds(130)));
    let told = desk.due(at(135));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].lasted, seconds(125));
    assert_eq!(told[0].at, at(135).wall);
    assert!(desk.due(at(10_000)).is_empty());
    assert_eq!(desk.next_due(at(10_000)), None);
}

#[test]
fn what_ends_before_is_not_told_and_what_lasted_is_also_after_its_end() {
    let mut desk = desk(&[alert("a", &[(BLOCKED, 120)])]);
    begins(&mut desk, "early@1", BLOCKED, at(0));
    begins(&mut desk, "late@1", BLOCKED, at(0));
    desk.ends("early@1", BLOCKED, at(119));
    desk.ends("late@1", BLOCKED, at(121));
    assert_eq!(due(&mut desk, at(200)), ["a blocked late@1"]);
}

#[test]
fn what_is_said_again_while_it_lasts_is_no_edge() {
    let mut desk = desk(&[alert("a", &[(BLOCKED, 60)])]);
    begins(&mut desk, "u@1", BLOCKED, at(0));
    desk.begins("u@1", BLOCKED, &facts("newer"), &[], at(30));
    let told = desk.due(at(60));
    assert_eq!(told[0].facts.sub.as_deref(), Some("newer"));
    for second in 61..70 {
        begins(&mut desk, "u@1", BLOCKED, at(second));
        assert!(desk.due(at(second)).is_empty());
    }
}

#[test]
fn only_what_is_asked_for_is_told() {
    let mut desk = desk(&[
        alert("a", &[(BLOCKED, 0)]),
        alert("b", &[(EventKind::Held, 0), (OOM, 0)]),
    ]);
    begins(&mut desk, "u@1", BLOCKED, at(0));
    desk.happened("u@1", OOM, &facts("sub"), at(1));
    begins(&mut desk, "u@1", EventKind::Limited, at(2));
    assert_eq!(due(&mut desk, at(3)), ["a blocked u@1", "b oom u@1"]);
}

#[test]
fn failures_go_to_the_alerts_that_the_unit_names() {
    let named = ["own".to_owned()];
    for (kind, told) in [
        (EventKind::Held, true),
        (EventKind::Errored, true),
        (EventKind::Hung, true),
        (EventKind::Dead, true),
        (BLOCKED, false),
        (EventKind::Limited, false),
    ] {
        let mut desk = desk(&[alert("own", &[]), alert("other", &[])]);
        desk.begins("u@1", kind, &facts("sub"), &named, at(0));
        desk.begins("v@1", kind, &facts("sub"), &[], at(0));
        let expected: &[String] = &[format!("own {} u@1", kind.word())];
        let expected = if told { expected } else { &[] };
        assert_eq!(due(&mut desk, at(0)), expected, "{kind:?}");
    }
    // Where its events say how long it has to last, that holds.
    let mut desk = desk(&[alert("own", &[(EventKind::Held, 60)])]);
    desk.begins("u@1", EventKind::Held, &facts("sub"), &named, at(0));
    assert!(desk.due(at(59)).is_empty());
    assert_eq!(due(&mut desk, at(60)), ["own held u@1"]);
}

#[test]
fn the_same_is_not_told_again_so_soon_and_the_next_says_how_often() {
    let mut settings = alert("a", &[(BLOCKED, 0), (OOM, 0)]);
    settings.dedupe = seconds(600);
    let mut desk = desk(&[settings]);
    for second in [0, 10, 20] {
        begins(&mut desk, "u@1", BLOCKED, at(second));
        desk.happened("u@1", OOM, &facts("sub"), at(second));
        desk.ends("u@1", BLOCKED, at(second + 5));
    }
    begins(&mut desk, "v@1", BLOCKED, at(30));
    let first = due(&mut desk, at(40));
    assert_eq!(first, ["a blocked u@1", "a oom u@1", "a blocked v@1"]);
    assert_eq!(desk.next_due(at(40)), None);
    begins(&mut desk, "u@1", BLOCKED, at(700));
    desk.happened("u@1", OOM, &facts("sub"), at(700));
    let counts: Vec<_> = desk.due(at(700)).iter().map(|told| told.untold).collect();
    let twice = Untold {
        repeated: 2,
        ..Untold::default()
    };
    assert_eq!(counts, [twice, twice]);
}

#[test]
fn what_still_lasts_when_it_may_be_told_again_is() {
    let mut settings = alert("a", &[(BLOCKED, 0)]);
    settings.dedupe = seconds(600);
    let mut desk = desk(&[settings]);
    begins(&mut desk, "u@1", BLOCKED, at(0));
    assert_eq!(desk.due(at(0)).len(), 1);
    desk.ends("u@1", BLOCKED, at(1));
    begins(&mut desk, "u@1", BLOCKED, at(2));
    assert!(desk.due(at(2)).is_empty());
    assert_eq!(desk.next_due(at(2)), Some(seconds(600)));
    let told = desk.due(at(600));
    assert_eq!((told.len(), told[0].lasted), (1, seconds(598)));
    assert!(desk.due(at(9000)).is_empty());
}

#[test]
fn two_events_tell_of_the_same_twice_and_count_it_never() {
    let mut settings = alert("a", &[(BLOCKED, 0), (BLOCKED, 60)]);
    settings.dedupe = seconds(30);
    let mut desk = desk(&[settings.clone()]);
    begins(&mut desk, "u@1", BLOCKED, at(0));
    assert_eq!(desk.due(at(0)).len(), 1);
    assert_eq!(desk.due(at(60)).len(), 1);
    desk.ends("u@1", BLOCKED, at(61));
    // The second would come too soon, and then it is over.
    settings.dedupe = seconds(600);
    desk.set(vec![settings]);
    begins(&mut desk, "v@1", BLOCKED, at(100));
    assert_eq!(desk.due(at(100)).len(), 1);
    assert!(desk.due(at(160)).is_empty());
    desk.ends("v@1", BLOCKED, at(200));
    begins(&mut desk, "v@1", BLOCKED, at(1000));
    assert_eq!(desk.due(at(1000))[0].untold, Untold::default());
}

#[test]
fn above_the_rate_nothing_is_told_and_the_next_says_how_much() {
    let mut settings = alert("a", &[(BLOCKED, 0), (OOM, 0)]);
    settings.rate = Some(Rate {
        count: 2,
        per: seconds(60),
    });
    let mut desk = desk(&[settings]);
    for unit in ["a@1", "b@1", "c@1", "d@1"] {
        begins(&mut desk, unit, BLOCKED, at(0));
    }
    desk.happened("a@1", OOM, &facts("sub"), at(1));
    assert_eq!(due(&mut desk, at(1)), ["a blocked a@1", "a blocked b@1"]);
    assert_eq!(desk.next_due(at(1)), Some(seconds(60)));
    assert!(desk.due(at(59)).is_empty());
    // There is room, and what still lasts is not lost: one is told, the others are counted.
    let told = desk.due(at(60));
    assert_eq!((told.len(), &*told[0].unit), (1, "c@1"));
    let counted = Untold {
        over_rate: 2,
        ..Untold::default()
    };
    assert_eq!(told[0].untold, counted);
    assert_eq!(desk.next_due(at(60)), None);
}

#[test]
fn what_was_over_the_rate_and_is_over_is_only_counted() {
    let mut settings = alert("a", &[(BLOCKED, 0)]);
    settings.rate = Some(Rate {
        count: 1,
        per: seconds(60),
    });
    let mut desk = desk(&[settings]);
    begins(&mut desk, "a@1", BLOCKED, at(0));
    begins(&mut desk, "b@1", BLOCKED, at(1));
    assert_eq!(desk.due(at(1)).len(), 1);
    desk.gone("b@1", at(2));
    assert_eq!(desk.next_due(at(2)), None);
    begins(&mut desk, "c@1", BLOCKED, at(100));
    assert_eq!(desk.due(at(100))[0].untold.over_rate, 1);
}

#[test]
fn quiet_hours_hold_back_what_lasts_and_count_what_does_not() {
    let mut settings = alert("a", &[(BLOCKED, 0), (BLOCKED, 120), (OOM, 0)]);
    settings.quiet = night();
    let mut desk = desk(&[settings]);
    let at = |steady| after("2026-07-01T23:00:00Z", steady);
    begins(&mut desk, "stays@1", BLOCKED, at(0));
    begins(&mut desk, "ends@1", BLOCKED, at(0));
    desk.happened("u@1", OOM, &facts("first"), at(10));
    desk.happened("u@1", OOM, &facts("second"), at(20));
    desk.ends("ends@1", BLOCKED, at(60));
    assert!(desk.due(at(8 * 3600 - 1)).is_empty());
    assert_eq!(desk.next_due(at(8 * 3600 - 1)), Some(seconds(8 * 3600)));
    let told = desk.due(at(8 * 3600));
    let told: Vec<_> = told
        .iter()
        .map(|told| (&*told.unit, told.facts.sub.as_deref(), told.untold))
        .collect();
    let untold = |repeated, in_quiet| Untold {
        repeated,
        over_rate: 0,
        in_quiet,
    };
    assert_eq!(
        told,
        [
            ("stays@1", Some("sub"), untold(0, 1)),
            ("u@1", Some("second"), untold(1, 0)),
        ]
    );
    assert_eq!(desk.next_due(at(8 * 3600)), None);
}

#[test]
fn the_end_of_quiet_hours_is_looked_for_again_as_clocks_are_set() {
    let mut settings = alert("a", &[(BLOCKED, 0)]);
    settings.quiet = night();
    let mut desk = desk(&[settings]);
    begins(&mut desk, "u@1", BLOCKED, moment("2026-07-01T23:00:00Z", 0));
    let next = desk.next_due(moment("2026-07-01T23:00:00Z", 0));
    assert_eq!(next, Some(seconds(600)));
    assert_eq!(desk.due(moment("2026-07-02T08:00:00Z", 600)).len(), 1);
}

#[test]
fn quiet_hours_go_by_the_clock_of_the_place_also_when_it_is_set_forward_or_back() {
    let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
    // 07:00 there: an hour before in summer time.
    for (begin, quiet, over) in [
        (
            "2026-07-01T21:00:00Z",
            "2026-07-02T04:59:59Z",
            "2026-07-02T05:00:00Z",
        ),
        (
            "2026-01-01T21:00:00Z",
            "2026-01-02T05:59:59Z",
            "2026-01-02T06:00:00Z",
        ),
        (
            "2026-03-28T21:00:00Z",
            "2026-03-29T04:59:59Z",
            "2026-03-29T05:00:00Z",
        ),
        (
            "2026-10-24T20:00:00Z",
            "2026-10-25T05:59:59Z",
            "2026-10-25T06:00:00Z",
        ),
    ] {
        let mut settings = alert("a", &[(BLOCKED, 0)]);
        settings.quiet = night();
        let mut desk = Desk::in_zone(vec![settings], berlin.clone());
        begins(&mut desk, "u@1", BLOCKED, moment(begin, 0));
        assert!(desk.due(moment(quiet, 1)).is_empty(), "{quiet}");
        assert_eq!(desk.next_due(moment(quiet, 1)), Some(seconds(2)), "{quiet}");
        assert_eq!(desk.due(moment(over, 2)).len(), 1, "{over}");
    }
}

#[test]
fn what_waits_and_what_was_counted_stays_with_an_alert_that_stays() {
    let mut stays = alert("stays", &[(BLOCKED, 60), (OOM, 0)]);
    stays.dedupe = seconds(600);
    let mut desk = desk(&[stays.clone(), alert("goes", &[(BLOCKED, 60), (OOM, 0)])]);
    begins(&mut desk, "u@1", BLOCKED, at(0));
    for second in 0..3 {
        desk.happened("u@1", OOM, &facts("sub"), at(second));
    }
    stays.dedupe = seconds(100);
    desk.set(vec![alert("comes", &[(BLOCKED, 60)]), stays]);
    assert_eq!(due(&mut desk, at(10)), ["stays oom u@1"]);
    assert_eq!(due(&mut desk, at(60)), ["stays blocked u@1"]);
    desk.happened("u@1", OOM, &facts("sub"), at(101));
    assert_eq!(desk.due(at(101))[0].untold.repeated, 2);
    // It lasts, and for the new one that is no edge.
    begins(&mut desk, "u@1", BLOCKED, at(110));
    assert!(desk.due(at(500)).is_empty());
    assert!(desk.alert("goes").is_none() && desk.alert("comes").is_some());
}

proptest! {
    #[test]
    fn a_kind_that_does_not_last_never_begins(second in 0_u64..100) {
        let mut desk = desk(&[alert("a", &[(OOM, 0)])]);
        begins(&mut desk, "u@1", OOM, at(second));
        begins(&mut desk, "u@1", OOM, at(second));
        prop_assert_eq!(desk.due(at(second)).len(), 2);
    }
}

/// Of a question.
fn asked(question: &str) -> Facts {
    Facts {
        detail: Some(question.to_owned()),
        ..Facts::default()
    }
}

/// The desk of a guardian that starts anew `steady` seconds after the start.
fn anew(old: &Desk, settings: &AlertSettings, steady: u64) -> Desk {
    let stored = serde_json::to_string(&old.memory(at(steady))).unwrap();
    let mut desk = desk(std::slice::from_ref(settings));
    // Another start of the machine, and another steady clock, for all that it matters.
    desk.remember(
        &serde_json::from_str::<Vec<_>>(&stored).unwrap(),
        at(steady),
    );
    desk
}

#[test]
fn what_lasts_is_not_told_again_by_the_next_guardian() {
    let settings = alert("a", &[(BLOCKED, 0)]);
    let mut before = desk(std::slice::from_ref(&settings));
    before.begins("u", BLOCKED, &asked("one?"), &[], at(0));
    assert_eq!(due(&mut before, at(0)), ["a blocked u"]);
    for times in 1..=2 {
        // It stands as it did.
        let mut after = anew(&before, &settings, 100 * times);
        after.settled("u", Some(BLOCKED));
        after.begins("u", BLOCKED, &asked("one?"), &[], at(100 * times));
        assert_eq!(due(&mut after, at(100 * times)), [""; 0]);
        before = after;
        // And what begins later is an edge again.
        let mut later = anew(&before, &settings, 250);
        later.settled("u", Some(BLOCKED));
        later.begins("u", BLOCKED, &asked("one?"), &[], at(250));
        later.ends("u", BLOCKED, at(260));
        later.begins("u", BLOCKED, &asked("one?"), &[], at(270));
        assert_eq!(due(&mut later, at(270)), ["a blocked u"]);
    }
    // Another question is another thing, and so is one that comes behind something else.
    let mut after = anew(&before, &settings, 300);
    after.begins("u", BLOCKED, &asked("two?"), &[], at(300));
    assert_eq!(due(&mut after, at(300)), ["a blocked u"]);
    let mut after = anew(&before, &settings, 300);
    after.settled("u", None);
    after.begins("u", BLOCKED, &asked("one?"), &[], at(300));
    assert_eq!(due(&mut after, at(300)), ["a blocked u"]);
}

#[test]
fn the_next_guardian_keeps_to_the_pause_between_two_of_the_same() {
    let settings = AlertSettings {
        dedupe: seconds(600),
        ..alert("a", &[(BLOCKED, 0)])
    };
    let mut before = desk(std::slice::from_ref(&settings));
    before.begins("u", BLOCKED, &asked("one?"), &[], at(0));
    assert_eq!(due(&mut before, at(0)), ["a blocked u"]);
    before.ends("u", BLOCKED, at(10));
    let mut after = anew(&before, &settings, 20);
    after.begins("u", BLOCKED, &asked("one?"), &[], at(30));
    assert_eq!(due(&mut after, at(30)), [""; 0]);
    assert_eq!(due(&mut after, at(599)), [""; 0]);
    assert_eq!(due(&mut after, at(600)), ["a blocked u"]);
    // What was not told yet is told by whoever comes.
    let mut waits = desk(std::slice::from_ref(&settings));
    waits.begins("v", BLOCKED, &asked("one?"), &[], at(0));
    let mut after = anew(&waits, &settings, 5);
    after.begins("v", BLOCKED, &asked("one?"), &[], at(5));
    assert_eq!(due(&mut after, at(5)), ["a blocked v"]);
}

/// Passes when what could not be sent is begun anew by the next desk, and what was sent in the end is
/// not.
#[test]
fn what_could_not_be_sent_is_told_by_the_next() {
    let settings = || vec![alert("a", &[(EventKind::Held, 0)])];
    for (came, again) in [(&[][..], 0), (&[false], 1), (&[false, true], 0)] {
        let mut desk = Desk::in_zone(settings(), TimeZone::UTC);
        desk.begins("w", EventKind::Held, &facts("x"), &[], at(0));
        let told = desk.due(at(0));
        assert_eq!(told.len(), 1);
        desk.came("a", "another", false);
        for is_sent in came {
            desk.came("a", &told[0].id(), *is_sent);
        }
        let memory = desk.memory(at(1));
        let mut next = Desk::in_zone(settings(), TimeZone::UTC);
        next.remember(&memory, at(2));
        next.begins("w", EventKind::Held, &facts("x"), &[], at(2));
        assert_eq!(next.due(at(2)).len(), again, "{came:?}");
    }
}
