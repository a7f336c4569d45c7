//! Chance ends nothing that lives, and spares nothing that hangs.

use proptest::prelude::*;

use super::*;

/// What happens between two looks.
#[derive(Debug, Clone)]
enum Happens {
    Nothing,
    Sign(Sign),
    Work(Work),
    Waits(bool),
    Gone(bool),
}

fn happens() -> impl Strategy<Value = Happens> {
    let signs = vec![
        Sign::Hook,
        Sign::Transcript,
        Sign::Child,
        Sign::Screen,
        Sign::Cpu,
        Sign::Output,
    ];
    let work = vec![
        Work::None,
        Work::Thinking,
        Work::Thinking,
        Work::Tool { timeout: None },
        Work::Tool {
            timeout: Some(seconds(300)),
        },
    ];
    prop_oneof![
        20 => Just(Happens::Nothing),
        2 => prop::sample::select(signs).prop_map(Happens::Sign),
        1 => prop::sample::select(work).prop_map(Happens::Work),
        1 => prop::bool::weighted(0.2).prop_map(Happens::Waits),
        1 => prop::bool::weighted(0.1).prop_map(Happens::Gone),
    ]
}

/// How long until the next look: mostly a rung's time, sometimes a long silence.
fn pass() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0_u64..25, 1 => 500_u64..2_000]
}

fn apply(facts: &mut Facts, happens: &Happens, now: Duration) {
    match happens {
        Happens::Nothing => {}
        Happens::Sign(sign) => {
            let fact = match sign {
                Sign::Hook => &mut facts.hook,
                Sign::Transcript => &mut facts.transcript,
                Sign::Child => &mut facts.child,
                Sign::Screen => &mut facts.screen,
                Sign::Cpu => &mut facts.cpu,
                Sign::Output => &mut facts.output,
            };
            *fact = Some(now);
        }
        Happens::Work(work) => facts.work = *work,
        Happens::Waits(waits) => facts.waits = *waits,
        Happens::Gone(gone) => facts.gone = *gone,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn nothing_is_ended_while_a_sign_of_life_is_young_and_what_hangs_is_ended(
        steps in prop::collection::vec((pass(), happens()), 1..80),
        has_interrupt in any::<bool>(),
        has_exit in any::<bool>(),
    ) {
        let rules = Rules { has_interrupt, has_exit, ..Rules::default() };
        let mut ladder = Ladder::default();
        let mut facts = thinking();
        let mut second = 0;
        let mut excused = at(0);
        let mut probed: Option<Duration> = None;
        for (pass, happens) in steps {
            second += pass;
            let now = at(second);
            apply(&mut facts, &happens, now);
            if facts.work == Work::None || facts.waits || facts.gone {
                excused = now;
            }
            let Some(order) = ladder.step(&rules, &facts, now) else { continue };
            let patience = match facts.work {
                Work::Tool { timeout: None } => rules.tool_hang_after,
                _ => rules.hang_after,
            };
            let last = facts.last_sign().unwrap_or_default().max(excused);
            match order.action {
                Action::Alert => {
                    prop_assert!(probed.is_some_and(|probed| facts.sign_since(probed).is_some()));
                }
                action => {
                    prop_assert!(now - last >= patience, "{order:?}, last sign at {last:?}");
                    if action == Action::Probe {
                        probed = Some(now);
                    } else {
                        // No answer to the probe, and time for one.
                        let probed = probed.unwrap();
                        prop_assert!(facts.sign_since(probed).is_none());
                        prop_assert!(now - probed >= rules.answers.probe);
                    }
                }
            }
            if let Some(deadline) = order.deadline {
                prop_assert!(deadline > now);
            }
        }
        // Then it hangs: from wherever it stands, it is ended.
        facts = Facts { gone: false, waits: false, work: Work::Thinking, ..facts };
        let mut actions = Vec::new();
        for _ in 0..12 {
            let now = at(second);
            if let Some(order) = ladder.step(&rules, &facts, now) {
                actions.push(order.action);
            }
            if actions.contains(&Action::NewPane) {
                break;
            }
            second = ladder.due().unwrap().as_secs() - START;
        }
        prop_assert!(actions.contains(&Action::NewPane), "{actions:?}");
    }
}
