//! Whatever happens, in whatever order.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::tests::{after, alert, facts, seconds};
use super::*;
use crate::config::{Quiet, Rate};

const KINDS: [EventKind; 4] = [
    EventKind::Blocked,
    EventKind::Held,
    EventKind::Dead,
    EventKind::Oom,
];
const UNITS: [&str; 3] = ["a@1", "b@1", "c@1"];

#[derive(Debug, Clone, Copy)]
enum Step {
    Begins,
    Ends,
    Happens,
    Gone,
    Fetch,
}

fn step() -> impl Strategy<Value = (Step, usize, usize, u64)> {
    let step = prop_oneof![
        4 => Just(Step::Begins),
        3 => Just(Step::Ends),
        2 => Just(Step::Happens),
        1 => Just(Step::Gone),
        2 => Just(Step::Fetch),
    ];
    (step, 0..UNITS.len(), 0..KINDS.len(), 0_u64..200)
}

/// An alert with all its limits, which begin and end within what a test lasts.
fn settings() -> impl Strategy<Value = AlertSettings> {
    let afters = prop::collection::vec((0..KINDS.len(), 0_u64..300), 1..6);
    let rate = prop::option::of((1_u32..4, 1_u64..1000));
    (afters, 0_u64..600, rate, any::<bool>()).prop_map(|(events, dedupe, rate, quiet)| {
        let events: Vec<_> = events
            .into_iter()
            .map(|(kind, after)| {
                let kind = KINDS[kind];
                (kind, if kind.lasts() { after } else { 0 })
            })
            .collect();
        let mut settings = alert("a", &events);
        settings.dedupe = seconds(dedupe);
        settings.rate = rate.map(|(count, per)| Rate {
            count,
            per: seconds(per),
        });
        settings.quiet = quiet.then(|| Quiet {
            from: jiff::civil::time(12, 10, 0, 0),
            to: jiff::civil::time(12, 40, 0, 0),
        });
        settings
    })
}

fn at(steady: u64) -> Now {
    after("2026-07-01T12:00:00Z", steady)
}

/// What was true, kept in the plainest way.
#[derive(Debug, Default)]
struct Truth {
    open: BTreeMap<(usize, usize), u64>,
    /// By unit and kind.
    edges: BTreeMap<(String, EventKind), Vec<Edge>>,
}

/// From when, and to when it lasted.
type Edge = (u64, Option<u64>);

impl Truth {
    fn begins(&mut self, unit: usize, kind: usize, now: u64) {
        if !KINDS[kind].lasts() {
            return self.happens(unit, kind, now);
        }
        if self.open.insert((unit, kind), now).is_none() {
            let edges = self.edges.entry((UNITS[unit].to_owned(), KINDS[kind]));
            edges.or_default().push((now, None));
        }
    }

    fn ends(&mut self, unit: usize, kind: usize, now: u64) {
        if self.open.remove(&(unit, kind)).is_some() {
            let edges = self.edges.entry((UNITS[unit].to_owned(), KINDS[kind]));
            edges.or_default().last_mut().unwrap().1 = Some(now);
        }
    }

    fn happens(&mut self, unit: usize, kind: usize, now: u64) {
        let edges = self.edges.entry((UNITS[unit].to_owned(), KINDS[kind]));
        edges.or_default().push((now, Some(now)));
    }
}

proptest! {
    #[test]
    fn no_limit_is_ever_broken_and_only_edges_are_told(
        settings in settings(),
        steps in prop::collection::vec(step(), 0..80),
    ) {
        let mut desk = Desk::in_zone(vec![settings.clone()], TimeZone::UTC);
        let (mut truth, mut told, mut now) = (Truth::default(), Vec::new(), 0);
        for (step, unit, kind, pass) in steps {
            now += pass;
            let (name, word) = (UNITS[unit], KINDS[kind]);
            match step {
                Step::Begins => {
                    desk.begins(name, word, &facts(""), &[], at(now));
                    truth.begins(unit, kind, now);
                }
                Step::Ends => {
                    desk.ends(name, word, at(now));
                    truth.ends(unit, kind, now);
                }
                Step::Happens if !word.lasts() => {
                    desk.happened(name, word, &facts(""), at(now));
                    truth.happens(unit, kind, now);
                }
                Step::Happens => {}
                Step::Gone => {
                    desk.gone(name, at(now));
                    for kind in 0..KINDS.len() {
                        truth.ends(unit, kind, now);
                    }
                }
                Step::Fetch => told.extend(desk.due(at(now))),
            }
            // Nothing is due before it is said to be.
            if matches!(step, Step::Fetch) {
                prop_assert!(desk.next_due(at(now)).is_none_or(|next| next > seconds(now)));
            }
        }
        // Then nothing happens any more, and the desk wakes when it says.
        told.extend(desk.due(at(now)));
        let mut wakes = 0;
        while let Some(next) = desk.next_due(at(now)) {
            prop_assert!(next > seconds(now));
            now = next.as_secs();
            told.extend(desk.due(at(now)));
            wakes += 1;
            prop_assert!(wakes < 1000, "it wakes for ever");
        }

        let start = at(0).wall;
        let when = |message: &Message| message.at.duration_since(start).as_secs() as u64;
        for (place, message) in told.iter().enumerate() {
            let time = when(message);
            let kind = message.kind.unwrap();
            // Never in quiet hours.
            let quiet = settings.quiet.is_some_and(|quiet| {
                quiet.contains(at(time).wall.to_zoned(TimeZone::UTC).time())
            });
            prop_assert!(!quiet, "{time}");
            // Never twice within dedupe.
            let earlier = told[..place].iter().rev();
            let mut same = earlier.filter(|other| (&other.unit, other.kind) == (&message.unit, message.kind));
            if let Some(other) = same.next() {
                prop_assert!(time - when(other) >= settings.dedupe.as_secs(), "{time}");
            }
            // Never more than the rate.
            if let Some(rate) = settings.rate {
                let window = told[..=place].iter().filter(|other| time - when(other) < rate.per.as_secs());
                prop_assert!(window.count() <= rate.count as usize, "{time}");
            }
            // Only what began, and lasted as long as an event wants it to.
            let began = time - message.lasted.as_secs();
            let edges = &truth.edges[&(message.unit.clone(), kind)];
            let edge = edges.iter().find(|(from, _)| *from == began);
            prop_assert!(edge.is_some(), "{message:?}");
            let lasted = edge.unwrap().1.map_or(u64::MAX, |end| end - began);
            let mut events = settings.events.iter().filter(|event| event.kind == kind);
            prop_assert!(events.any(|event| event.after.as_secs() <= lasted), "{message:?}");
        }
        // Each edge at most once by each event, and each that was due is told or counted.
        let mut wanted = 0;
        for ((unit, kind), edges) in &truth.edges {
            let events: BTreeSet<_> = settings
                .events
                .iter()
                .filter(|event| event.kind == *kind)
                .map(|event| event.after)
                .collect();
            let said = told.iter().filter(|message| (&message.unit, message.kind) == (unit, Some(*kind)));
            prop_assert!(said.count() <= edges.len() * events.len());
            wanted += edges.len() * events.len();
        }
        let counted: u32 = told
            .iter()
            .map(|message| message.untold)
            .map(|untold| untold.repeated + untold.over_rate + untold.in_quiet)
            .sum();
        prop_assert!(told.len() + counted as usize <= wanted);
    }

    #[test]
    fn without_limits_every_edge_that_lasts_is_told_at_its_time(
        steps in prop::collection::vec(step(), 0..80),
        wait in 0_u64..300,
    ) {
        let events = KINDS.map(|kind| (kind, if kind.lasts() { wait } else { 0 }));
        let mut desk = Desk::in_zone(vec![alert("a", &events)], TimeZone::UTC);
        let (mut truth, mut told, mut now) = (Truth::default(), 0, 0);
        for (step, unit, kind, pass) in steps {
            now += pass;
            match step {
                Step::Begins => {
                    desk.begins(UNITS[unit], KINDS[kind], &facts(""), &[], at(now));
                    truth.begins(unit, kind, now);
                }
                Step::Ends => {
                    desk.ends(UNITS[unit], KINDS[kind], at(now));
                    truth.ends(unit, kind, now);
                }
                Step::Fetch => told += desk.due(at(now)).len(),
                Step::Happens | Step::Gone => {}
            }
        }
        told += desk.due(at(now + wait)).len();
        let mut expected = 0;
        for ((_, kind), edges) in &truth.edges {
            let wait = if kind.lasts() { wait } else { 0 };
            expected += edges
                .iter()
                .filter(|(from, to)| to.is_none_or(|to| to - from >= wait))
                .count();
        }
        prop_assert_eq!(told, expected);
    }
}
