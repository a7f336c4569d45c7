#![allow(clippy::indexing_slicing, reason = "tests")]

use jiff::ToSpan as _;

use super::turn::TRIES;
use super::*;

/// Units of one account, seen again and again, on a clock of their own.
struct World {
    limits: Limits,
    now: Zoned,
    units: BTreeMap<String, (State, Option<&'static str>, Zoned, String)>,
    /// Is everything stored and read again between any two steps?
    restarts: bool,
    told: Vec<(String, bool, Zoned)>,
    news: Vec<String>,
}

impl World {
    fn at(now: &str) -> Self {
        Self {
            limits: Limits::default(),
            now: now.parse().unwrap(),
            units: BTreeMap::new(),
            restarts: false,
            told: Vec::new(),
            news: Vec::new(),
        }
    }

    fn is(&mut self, unit: &str, state: State, sub: Option<&'static str>, text: &str) {
        let now = self.now.clone();
        self.units
            .insert(unit.to_owned(), (state, sub, now, text.to_owned()));
        self.step();
    }

    fn limited(&mut self, unit: &str, text: &str) {
        self.is(unit, State::Limited, Some("usage"), text);
    }

    fn step(&mut self) {
        if self.restarts {
            let stored = serde_json::to_string(&self.limits).unwrap();
            self.limits = serde_json::from_str(&stored).unwrap();
        }
        for (unit, (state, sub, since, text)) in &self.units {
            let lasted = self.now.duration_since(since);
            let seen = Seen {
                unit,
                account: "team",
                state: *state,
                sub: *sub,
                lasted: Duration::try_from(lasted).unwrap(),
                text: Some(text)
                    .filter(|text| !text.is_empty())
                    .map(String::as_str),
                goes_on: matches!(sub, Some("usage" | "network")),
            };
            let news = self.limits.observe(&seen, &self.now);
            self.news
                .extend(news.map(|news| format!("{}: {}", news.unit, news.words)));
        }
        let busy = self.units.iter().filter(|(_, it)| it.0 == State::Busy);
        let busy = busy.map(|(unit, _)| unit.clone()).collect();
        self.limits
            .busy(BTreeMap::from([("team".to_owned(), busy)]));
    }

    /// Lets time pass, from wake to wake; everybody who is told to go on has been told at once, and
    /// shows `then`.
    fn pass(&mut self, span: jiff::Span, then: State) {
        let until = &self.now + span;
        let mut woken = false;
        loop {
            let orders = self.limits.due(self.now.timestamp());
            assert!(
                !woken || !orders.is_empty(),
                "it does not rest: {:?}",
                self.limits
            );
            for order in orders {
                self.told
                    .push((order.unit.clone(), order.first, self.now.clone()));
                self.limits
                    .came(&order.unit, Came::Told, self.now.timestamp());
                if then != State::Limited {
                    self.is(&order.unit, then, None, "");
                }
            }
            self.step();
            let wake = self.limits.next_wake(self.now.timestamp());
            match wake.filter(|wake| *wake < until.timestamp()) {
                Some(wake) => {
                    woken = wake <= self.now.timestamp();
                    self.now = wake.to_zoned(self.now.time_zone().clone());
                }
                None => break,
            }
        }
        self.now = until;
        self.step();
    }

    fn told(&self) -> Vec<(&str, bool)> {
        let told = self.told.iter();
        told.map(|(unit, first, _)| (unit.as_str(), *first))
            .collect()
    }
}

/// Passes when one goes behind the reset, alone, and the others when it works: across midnight, the
/// day on which clocks are set back, and a guardian that starts anew at every step.
#[test]
fn one_goes_first_and_the_others_when_it_works() {
    for (now, text, reset) in [
        (
            "2026-06-25T12:00[UTC]",
            "resets 3pm (UTC)",
            "2026-06-25T15:00[UTC]",
        ),
        (
            "2026-06-25T23:50[UTC]",
            "resets 12:30am",
            "2026-06-26T00:30[UTC]",
        ),
        (
            "2026-10-25T01:30+02:00[Europe/Berlin]",
            "resets 4am (Europe/Berlin)",
            "2026-10-25T04:00[Europe/Berlin]",
        ),
        (
            "2026-03-28T23:30[Europe/Berlin]",
            "resets 3:30am",
            "2026-03-29T03:30[Europe/Berlin]",
        ),
    ] {
        for restarts in [false, true] {
            let mut world = World::at(now);
            world.restarts = restarts;
            for unit in ["a", "b", "c"] {
                world.limited(unit, &format!("You've hit your limit · {text}"));
            }
            let reset: Zoned = reset.parse().unwrap();
            let wait = world.limits.wait("b", world.now.timestamp()).unwrap();
            assert_eq!(wait.reset, Some(reset.timestamp()), "{now}");
            world.pass(1.day(), State::Busy);
            assert_eq!(
                world.told(),
                [("a", true), ("b", false), ("c", false)],
                "{now}"
            );
            let behind = world.told[0].2.duration_since(&reset).as_secs();
            assert!((60..=90).contains(&behind), "{now}: {behind}");
            let behind = |one: usize, other: usize| {
                world.told[one]
                    .2
                    .duration_since(&world.told[other].2)
                    .as_millis()
            };
            assert!(behind(1, 0) >= 15_000 && behind(2, 1) >= 1_000, "{now}");
            assert!(world.limits.is_empty(), "{:?}", world.limits);
        }
    }
}

/// Passes when no more units of an account are told to go on than may be busy at once, those that are
/// busy already among them, and the next one goes when one of them rests.
#[test]
fn no_more_go_on_than_may_be_busy_at_once() {
    let mut world = World::at("2026-06-25T12:00[UTC]");
    for unit in ["a", "b", "c", "d"] {
        world.limited(unit, "resets 3pm (UTC)");
    }
    // It works with the account too, and has not run into its limit.
    world.is("e", State::Busy, None, "");
    world.limits.at_most("team", Some(3));
    world.pass(4.hours(), State::Busy);
    let first = [("a", true), ("b", false)];
    assert_eq!(world.told(), first);
    world.is("b", State::Idle, None, "");
    world.pass(1.minute(), State::Busy);
    assert_eq!(world.told(), [&first[..], &[("c", false)]].concat());
    // More may be, or all.
    world.limits.at_most("team", None);
    world.pass(1.minute(), State::Busy);
    assert_eq!(world.told().len(), 4);
}

#[test]
fn a_turn_that_ends_well_is_enough() {
    let mut world = World::at("2026-06-25T12:00[UTC]");
    world.limited("a", "resets 3pm");
    world.limited("b", "resets 3pm");
    world.pass(1.day(), State::Idle);
    assert_eq!(world.told(), [("a", true), ("b", false)]);
    let behind = world.told[1].2.duration_since(&world.told[0].2).as_secs();
    assert!(behind < 10, "{behind}");
}

/// Passes when a refusal is known by the words that still stand, or stand there again.
#[test]
fn who_is_refused_waits_anew_and_nobody_else_goes() {
    for seen_busy in [false, true] {
        let mut world = World::at("2026-06-25T12:00[UTC]");
        world.limited("a", "resets 1pm");
        world.limited("b", "resets 1pm");
        world.now = &world.now + 62.minutes();
        let orders = world.limits.due(world.now.timestamp());
        assert_eq!(orders.len(), 1);
        world.limits.came("a", Came::Told, world.now.timestamp());
        if seen_busy {
            world.is("a", State::Busy, Some("thinking"), "");
        }
        world.now = &world.now + 4.seconds();
        world.limited("a", "resets 5pm");
        if !seen_busy {
            // Nothing is known by words that stood there before.
            let wait = world.limits.wait("a", world.now.timestamp()).unwrap();
            assert_eq!(wait.first.as_deref(), Some("a"));
        }
        world.pass(3.hours(), State::Limited);
        let wait = world.limits.wait("a", world.now.timestamp()).unwrap();
        let five = "2026-06-25T17:00:00Z".parse().unwrap();
        assert_eq!((wait.first, wait.reset), (None, Some(five)));
        assert_eq!(world.told(), []);
        let again = |news: &String| news.starts_with("a: once more: ");
        assert!(world.news.iter().any(again), "{:?}", world.news);
        world.pass(1.day(), State::Busy);
        let firsts: Vec<_> = world.told().iter().map(|(_, first)| *first).collect();
        assert_eq!(firsts, [true, false]);
    }
}

#[test]
fn a_look_of_work_is_no_proof_of_it() {
    let mut world = World::at("2026-06-25T12:00[UTC]");
    world.limited("a", "resets 1pm");
    world.limited("b", "resets 1pm");
    world.now = &world.now + 62.minutes();
    let orders = world.limits.due(world.now.timestamp());
    assert_eq!(orders.len(), 1);
    let at = world.now.timestamp();
    world.limits.came("a", Came::Told, at);
    world.is("a", State::Busy, Some("thinking"), "");
    world.now = &world.now + 10.seconds();
    world.is("a", State::Busy, Some("retrying"), "");
    world.now = &world.now + 10.minutes();
    world.step();
    assert!(world.limits.closed("team", world.now.timestamp()).is_some());
}

#[test]
fn who_was_taken_away_from_its_limit_is_told_nothing() {
    let mut world = World::at("2026-06-25T12:00[UTC]");
    world.limited("a", "resets 1pm");
    world.limited("b", "resets 1pm");
    world.is("a", State::Idle, None, "");
    assert!(world.limits.closed("team", world.now.timestamp()).is_some());
    world.is("b", State::Dead, Some("exit 0"), "");
    world.pass(1.day(), State::Busy);
    assert_eq!(world.told(), []);
    assert!(world.limits.is_empty());
}

/// Passes when one that cannot be told is tried again, does not keep the next one from going, and does
/// not keep anybody awake when it is not its turn.
#[test]
fn who_cannot_be_told_is_tried_again_and_then_left_to_a_human() {
    for works in [true, false] {
        let mut world = World::at("2026-06-25T12:00[UTC]");
        world.limited("a", "");
        world.limited("b", "");
        let mut tries = BTreeMap::<String, u32>::new();
        for _ in 0..2400 {
            let now = world.now.timestamp();
            let is_due = world.limits.next_wake(now).is_some_and(|wake| wake < now);
            let orders = world.limits.due(now);
            let rests = !is_due || !orders.is_empty();
            assert!(rests, "{:?}", world.limits);
            for order in orders {
                *tries.entry(order.unit.clone()).or_default() += 1;
                let came = match order.unit.as_str() {
                    "a" => Came::Held,
                    _ => Came::Told,
                };
                if came == Came::Held && !works {
                    // Each try takes its time.
                    world.now = &world.now + 31.seconds();
                }
                let now = world.now.timestamp();
                world.limits.came(&order.unit, came, now);
                if came == Came::Told && works {
                    world.is("b", State::Busy, None, "");
                }
            }
            world.now = &world.now + 1.second();
            world.step();
        }
        assert!(tries["a"] > 5 && tries["a"] <= TRIES, "{works}: {tries:?}");
        assert!(!works || tries["b"] == 1, "{tries:?}");
        assert!(tries["b"] >= 1, "{tries:?}");
    }
}

#[test]
fn a_failure_that_passes_is_waited_for_alone() {
    let mut world = World::at("2026-06-25T12:00[UTC]");
    world.is("a", State::Errored, Some("network"), "");
    world.is("b", State::Errored, Some("auth"), "");
    world.is("c", State::Limited, Some("billing"), "resets 1pm");
    assert!(world.limits.closed("team", world.now.timestamp()).is_none());
    let begin = world.now.clone();
    world.pass(40.minutes(), State::Limited);
    let at: Vec<_> = world
        .told
        .iter()
        .map(|(unit, _, at)| (unit.as_str(), at.duration_since(&begin).as_mins()))
        .collect();
    assert_eq!(at, [("a", 5), ("a", 15), ("a", 35)]);
}

/// Passes when one that was being told as the guardian ended is not told twice.
#[test]
fn nobody_is_told_twice_by_two_guardians() {
    let mut world = World::at("2026-06-25T12:00[UTC]");
    world.restarts = true;
    world.limited("a", "");
    world.limited("b", "");
    world.now = &world.now + 5.minutes();
    let orders = world.limits.due(world.now.timestamp());
    assert_eq!(orders.len(), 1);
    world.step();
    assert_eq!(world.limits.due(world.now.timestamp()), []);
    world.now = &world.now + 9.minutes();
    world.step();
    assert_eq!(world.limits.due(world.now.timestamp()), []);
}
