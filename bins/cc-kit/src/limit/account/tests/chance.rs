//! Chance finds no second probe, and loses nobody.

use proptest::prelude::*;

use super::*;

/// Something that happens; times in seconds.
#[derive(Debug, Clone)]
enum Step {
    Limited(usize, Option<i64>),
    Worked(usize),
    Gone(usize),
    Told,
    Due,
    Pass(i64),
    Jump(bool),
    Store,
}

fn step() -> impl Strategy<Value = Step> {
    let unit = 0_usize..4;
    prop_oneof![
        3 => (unit.clone(), prop::option::of(-100_i64..900_000))
            .prop_map(|(unit, reset)| Step::Limited(unit, reset)),
        1 => unit.clone().prop_map(Step::Worked),
        1 => unit.prop_map(Step::Gone),
        1 => Just(Step::Told),
        5 => Just(Step::Due),
        4 => (0_i64..2_000).prop_map(Step::Pass),
        1 => any::<bool>().prop_map(Step::Jump),
        1 => Just(Step::Store),
    ]
}

/// A probe that went out: after how much true time, and how many jumps forward since.
#[derive(Debug)]
struct Out {
    unit: String,
    passed: i64,
    jumps: u32,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn there_is_one_probe_at_a_time_and_everybody_goes_on_in_the_end(
        seed in any::<u64>(),
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let name = |unit: usize| ["a", "b", "c", "d"][unit].to_owned();
        let mut account = Account::new(seed);
        let mut now = start();
        let mut out: Option<Out> = None;
        for step in steps {
            match step {
                Step::Limited(unit, reset) => {
                    let unit = name(unit);
                    let was = account.is_limited();
                    let reset = reset.map(|second| after(now, SignedDuration::from_secs(second)));
                    prop_assert_eq!(account.limited(&unit, reset, now), !was);
                    prop_assert!(account.units().any(|other| other == unit));
                    prop_assert!(!account.resumed().contains(&unit));
                }
                Step::Worked(unit) => account.worked(&name(unit), now),
                Step::Gone(unit) => account.gone(&name(unit), now),
                Step::Told => {
                    let unit = account.resumed().first().cloned();
                    if let Some(unit) = unit {
                        account.told(&unit);
                    }
                }
                Step::Due => {
                    if let Some(probe) = account.due(now) {
                        prop_assert!(account.units().any(|unit| unit == probe.unit));
                        if let Some(out) = &out {
                            prop_assert!(
                                out.passed >= 300 || out.jumps > 1,
                                "{probe:?} while {out:?} is out"
                            );
                        }
                        out = Some(Out { unit: probe.unit, passed: 0, jumps: 0 });
                    }
                }
                Step::Pass(seconds) => {
                    now = after(now, SignedDuration::from_secs(seconds));
                    if let Some(out) = &mut out {
                        out.passed += seconds;
                    }
                }
                Step::Jump(forward) => {
                    now = after(now, if forward { HOUR } else { -HOUR });
                    if let Some(out) = &mut out {
                        out.jumps += u32::from(forward);
                    }
                }
                Step::Store => {
                    let json = serde_json::to_string(&account).unwrap();
                    let back: Account = serde_json::from_str(&json).unwrap();
                    prop_assert_eq!(&back, &account);
                    account = back;
                }
            }
            if out.as_ref().is_some_and(|out| account.probe() != Some(out.unit.as_str())) {
                out = None;
            }
            prop_assert_eq!(account.is_limited(), account.units().next().is_some());
            prop_assert_eq!(
                account.next_wake(now).is_some(),
                account.is_limited() || !account.resumed().is_empty()
            );
        }
        // From here on every probe works.
        let mut left: Vec<String> = account.units().map(str::to_owned).collect();
        left.extend(account.resumed().iter().cloned());
        left.retain(|unit| account.probe() != Some(unit));
        let mut went = Vec::new();
        if let Some(probe) = account.probe().map(str::to_owned) {
            account.worked(&probe, now);
        }
        for _ in 0..8 {
            for unit in account.resumed().to_vec() {
                account.told(&unit);
                went.push(unit);
            }
            let Some(wake) = account.next_wake(now) else { break };
            let longest = FARTHEST.saturating_add(SignedDuration::from_hours(3));
            prop_assert!(wake >= now && wake.duration_since(now) <= longest, "{wake} at {now}");
            now = wake;
            if let Some(probe) = account.due(now) {
                account.worked(&probe.unit, now);
                went.push(probe.unit);
            }
        }
        prop_assert!(!account.is_limited());
        went.sort();
        left.sort();
        prop_assert_eq!(went, left);
    }
}
