//! What becomes of what could not be sent.

use super::tests::{BLOCKED, OOM, alert, at, begins, desk, due, facts, seconds};
use crate::alert::message::Untold;

/// Passes when a long outage ends with a message, as long as there is still something to tell.
#[test]
fn what_could_not_be_sent_is_told_anew_as_long_as_it_lasts() {
    let pause = seconds(600);
    let mut settings = alert("a", &[(BLOCKED, 0)]);
    settings.dedupe = seconds(3600);
    let mut desk = desk(&[settings]);
    begins(&mut desk, "w", BLOCKED, at(0));
    let mut now = 0;
    for _ in 0..3 {
        let told = desk.due(at(now));
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].lasted, seconds(now));
        desk.came("a", &told[0].id(), false);
        assert_eq!(desk.next_due(at(now)), None);
        assert!(!desk.given_up("a", "another", pause, at(now + 700)));
        assert!(desk.given_up("a", &told[0].id(), pause, at(now + 700)));
        assert_eq!(desk.next_due(at(now + 700)), Some(seconds(now + 1300)));
        assert!(desk.due(at(now + 1299)).is_empty());
        now += 1300;
    }
    let told = desk.due(at(now));
    assert_eq!(told.len(), 1);
    desk.came("a", &told[0].id(), true);
    assert_eq!(desk.next_due(at(now)), None);
}

#[test]
fn what_could_not_be_sent_and_is_over_is_not_told_any_more() {
    let pause = seconds(600);
    for over in [10, 800] {
        let mut desk = desk(&[alert("a", &[(BLOCKED, 0), (OOM, 0)])]);
        begins(&mut desk, "w", BLOCKED, at(0));
        desk.happened("w", OOM, &facts("x"), at(0));
        let told = desk.due(at(0));
        assert_eq!(told.len(), 2);
        if over < 700 {
            desk.ends("w", BLOCKED, at(over));
        }
        for message in &told {
            let lasts = message.kind == Some(BLOCKED) && over > 700;
            assert_eq!(desk.given_up("a", &message.id(), pause, at(700)), lasts);
        }
        desk.ends("w", BLOCKED, at(800));
        assert!(desk.due(at(10_000)).is_empty());
        // What comes then is told at once, and nothing was left untold that it would have to count.
        begins(&mut desk, "w", BLOCKED, at(10_001));
        let told = desk.due(at(10_001));
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].untold, Untold::default());
    }
}

#[test]
fn what_began_again_while_it_could_not_be_sent_waits_no_longer_than_that() {
    let mut settings = alert("a", &[(BLOCKED, 0)]);
    settings.dedupe = seconds(36_000);
    let mut desk = desk(&[settings]);
    begins(&mut desk, "w", BLOCKED, at(0));
    let told = desk.due(at(0));
    desk.ends("w", BLOCKED, at(10));
    begins(&mut desk, "w", BLOCKED, at(20));
    assert!(desk.due(at(20)).is_empty());
    assert!(desk.given_up("a", &told[0].id(), seconds(600), at(700)));
    assert_eq!(due(&mut desk, at(1300)), ["a blocked w"]);
}
