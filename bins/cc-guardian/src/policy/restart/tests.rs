use proptest::prelude::*;

use super::*;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn rules(policy: Policy) -> Rules {
    Rules {
        policy,
        ..Rules::default()
    }
}

/// Started at the epoch's second 1, ended a second later.
fn once(rules: &Rules, cause: Cause) -> Decision {
    let mut unit = Restart::default();
    unit.started(seconds(1));
    unit.ended(rules, cause, seconds(2), 0.5)
}

const POLICIES: [Policy; 5] = [
    Policy::No,
    Policy::OnFailure,
    Policy::OnAbnormal,
    Policy::Always,
    Policy::UnlessStopped,
];

const CAUSES: [Cause; 14] = [
    Cause::Exit(0),
    Cause::Exit(1),
    Cause::Exit(143),
    Cause::Signal(15),
    Cause::Signal(9),
    Cause::Signal(11),
    Cause::Oom,
    Cause::Hang,
    Cause::StartupTimeout,
    Cause::ServerLost,
    Cause::Operator,
    Cause::RateLimited,
    Cause::Auth,
    Cause::Blocked,
];

#[test]
fn the_table_of_policies_holds() {
    // One column a policy, in the order above.
    let table = [
        (Cause::Exit(0), "---yy"),
        (Cause::Exit(3), "-y-yy"),
        (Cause::Exit(-1), "-y-yy"),
        (Cause::Signal(1), "---yy"),
        (Cause::Signal(2), "---yy"),
        (Cause::Signal(13), "---yy"),
        (Cause::Signal(15), "---yy"),
        (Cause::Signal(9), "-yyyy"),
        (Cause::Signal(6), "-yyyy"),
        (Cause::Oom, "-yyyy"),
        (Cause::Hang, "-yyyy"),
        (Cause::StartupTimeout, "-yyyy"),
        (Cause::ServerLost, "-yyyy"),
        (Cause::Operator, "-----"),
        (Cause::RateLimited, "-----"),
        (Cause::Auth, "-----"),
        (Cause::Billing, "-----"),
        (Cause::Blocked, "-----"),
    ];
    for (cause, row) in table {
        for (policy, expected) in POLICIES.into_iter().zip(row.chars()) {
            let decision = once(&rules(policy), cause);
            let restarts = matches!(decision, Decision::Restart { .. });
            assert_eq!(
                restarts,
                expected == 'y',
                "{policy:?} after {cause:?}: {decision:?}"
            );
        }
    }
}

#[test]
fn success_statuses_are_clean_ends() {
    let mut rules = rules(Policy::OnFailure);
    rules.success_exit_status = vec![Success::Code(143), Success::Signal(9)];
    assert_eq!(once(&rules, Cause::Exit(143)), Decision::Stay(Why::Clean));
    assert_eq!(once(&rules, Cause::Signal(9)), Decision::Stay(Why::Clean));
    assert!(matches!(
        once(&rules, Cause::Exit(9)),
        Decision::Restart { .. }
    ));
    assert!(matches!(
        once(&rules, Cause::Signal(143)),
        Decision::Restart { .. }
    ));
}

#[test]
fn the_reason_to_stay_is_told() {
    let no = rules(Policy::No);
    assert_eq!(
        once(&no, Cause::Exit(1)),
        Decision::Stay(Why::Policy(Policy::No))
    );
    assert_eq!(once(&no, Cause::Exit(0)), Decision::Stay(Why::Clean));
    let always = rules(Policy::Always);
    assert_eq!(
        once(&always, Cause::Auth),
        Decision::Stay(Why::Cause(Cause::Auth))
    );
}

#[test]
fn waits_grow_up_to_the_longest() {
    let backoff = Backoff {
        jitter: 0.0,
        ..Backoff::default()
    };
    let waits: Vec<u64> = (0..10).map(|n| backoff.wait(n, 0.9).as_secs()).collect();
    assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    assert_eq!(backoff.wait(u32::MAX, 0.5), seconds(300));
    let none = Backoff {
        initial: Duration::ZERO,
        ..backoff
    };
    assert_eq!(none.wait(u32::MAX, 0.5), Duration::ZERO);
}

#[test]
fn the_jitter_spreads_also_the_longest_wait() {
    let backoff = Backoff::default();
    assert_eq!(backoff.wait(0, 0.5), seconds(2));
    assert_eq!(backoff.wait(0, 0.0), Duration::from_millis(1_600));
    assert_eq!(backoff.wait(0, 1.0), Duration::from_millis(2_400));
    assert_eq!(backoff.wait(50, 0.0), seconds(240));
    assert_eq!(backoff.wait(50, 1.0), seconds(360));
}

#[test]
fn a_long_run_lets_the_waits_begin_again() {
    let mut rules = rules(Policy::Always);
    rules.backoff.jitter = 0.0;
    rules.start_limit.burst = 0;
    let mut unit = Restart::default();
    let mut now = Duration::ZERO;
    let mut wait = |run: u64| {
        unit.started(now);
        now += seconds(run);
        let Decision::Restart { after } = unit.ended(&rules, Cause::Exit(1), now, 0.5) else {
            panic!("no limit, no end");
        };
        now += after;
        assert_eq!(unit.due(), Some(now));
        after.as_secs()
    };
    assert_eq!([wait(1), wait(1), wait(599)], [2, 4, 8]);
    assert_eq!([wait(600), wait(1)], [2, 4]);
}

#[test]
fn too_many_starts_hold_it_and_tell_once() {
    let rules = rules(Policy::OnFailure);
    let mut unit = Restart::default();
    let mut now = seconds(100);
    // The first start and four restarts.
    for _ in 0..4 {
        unit.started(now);
        now += seconds(1);
        match unit.ended(&rules, Cause::Exit(1), now, 0.5) {
            Decision::Restart { after } => now += after,
            other => panic!("{other:?}"),
        }
    }
    unit.started(now);
    let hold = |first| Decision::Hold {
        reason: Cause::Hang,
        first,
    };
    assert_eq!(unit.ended(&rules, Cause::Hang, now, 0.5), hold(true));
    assert_eq!(unit.held(), Some(Cause::Hang));
    assert_eq!(unit.due(), None);
    assert_eq!(unit.ended(&rules, Cause::Exit(1), now, 0.5), hold(false));
    // However late: only an operator ends it.
    now += seconds(1_000_000);
    assert_eq!(unit.ended(&rules, Cause::Exit(1), now, 0.5), hold(false));
    assert!(unit.released(now));
    assert!(!unit.released(now), "once is enough");
    assert_eq!(unit.due(), Some(now));
    unit.started(now);
    let decision = unit.ended(&rules, Cause::Exit(1), now, 0.5);
    assert_eq!(
        decision,
        Decision::Restart { after: seconds(2) },
        "from the beginning"
    );
}

#[test]
fn starts_far_apart_never_hold_it() {
    let rules = rules(Policy::Always);
    let mut unit = Restart::default();
    let mut now = Duration::ZERO;
    for _ in 0..1_000 {
        unit.started(now);
        now += seconds(300);
        match unit.ended(&rules, Cause::Exit(0), now, 0.0) {
            Decision::Restart { after } => now += after,
            other => panic!("{other:?}"),
        }
        assert!(unit.starts.len() <= 6, "it keeps no more than it needs");
    }
}

#[test]
fn limits_and_questions_never_count() {
    let rules = rules(Policy::Always);
    for cause in [
        Cause::RateLimited,
        Cause::Auth,
        Cause::Billing,
        Cause::Blocked,
        Cause::Operator,
        Cause::ServerLost,
    ] {
        let mut unit = Restart::default();
        for second in 0..2_681 {
            unit.started(seconds(second));
            let decision = unit.ended(&rules, cause, seconds(second), 0.5);
            let restarts = matches!(decision, Decision::Restart { .. });
            assert_eq!(restarts, cause == Cause::ServerLost);
            assert_eq!(unit.held(), None);
            assert!(unit.starts.len() <= 1, "{cause:?}");
        }
        // Nor do they excuse what comes then.
        unit.started(seconds(3_000));
        let decision = unit.ended(&rules, Cause::Exit(1), seconds(3_000), 0.5);
        assert!(
            matches!(decision, Decision::Restart { .. }),
            "{cause:?}: {decision:?}"
        );
    }
}

#[test]
fn starting_by_hand_before_the_time_does_not_get_around_the_limit() {
    let rules = rules(Policy::Always);
    let mut unit = Restart::default();
    let mut held = 0;
    for second in 0..6 {
        unit.started(seconds(second));
        let decision = unit.ended(&rules, Cause::Exit(1), seconds(second), 0.5);
        held += u32::from(matches!(decision, Decision::Hold { .. }));
    }
    assert_eq!(held, 2);
}

#[test]
fn starts_without_end_are_not_all_kept() {
    for (policy, burst) in [(Policy::No, 5), (Policy::Always, 0)] {
        let mut rules = rules(policy);
        rules.start_limit.burst = burst;
        let mut unit = Restart::default();
        for second in 0..1_000 {
            unit.started(seconds(second));
            let decision = unit.ended(&rules, Cause::Exit(1), seconds(second), 0.5);
            assert!(!matches!(decision, Decision::Hold { .. }));
            assert!(unit.starts.len() <= 6, "{policy:?}");
        }
    }
}

#[test]
fn without_an_interval_there_is_no_limit() {
    let mut rules = rules(Policy::Always);
    rules.start_limit.interval = Duration::ZERO;
    let mut unit = Restart::default();
    for _ in 0..1_000 {
        unit.started(seconds(1));
        let decision = unit.ended(&rules, Cause::Exit(1), seconds(1), 0.5);
        assert!(matches!(decision, Decision::Restart { .. }));
    }
}

#[test]
fn an_operators_stop_ends_a_hold() {
    let rules = rules(Policy::Always);
    let mut unit = Restart::default();
    for second in 0..5 {
        unit.started(seconds(second));
        unit.ended(&rules, Cause::Exit(1), seconds(second), 0.5);
    }
    assert!(unit.held().is_some());
    assert!(!unit.starts_with_the_guardian(&rules));
    let decision = unit.ended(&rules, Cause::Operator, seconds(9), 0.5);
    assert_eq!(decision, Decision::Stay(Why::Cause(Cause::Operator)));
    assert_eq!(unit.held(), None);
    assert!(unit.starts_with_the_guardian(&rules), "always");
}

#[test]
fn what_an_operator_stopped_stays_stopped_unless_it_is_to_run_always() {
    for policy in POLICIES {
        let rules = rules(policy);
        let mut unit = Restart::default();
        assert!(unit.starts_with_the_guardian(&rules));
        unit.started(seconds(1));
        unit.ended(&rules, Cause::Operator, seconds(2), 0.5);
        let starts = unit.starts_with_the_guardian(&rules);
        assert_eq!(starts, policy == Policy::Always, "{policy:?}");
        unit.started(seconds(3));
        assert!(
            unit.starts_with_the_guardian(&rules),
            "it was started again"
        );
    }
}

#[test]
fn what_is_stored_goes_on_in_another_epoch() {
    let rules = rules(Policy::Always);
    let mut unit = Restart::default();
    for second in [1_000, 1_010, 1_020] {
        unit.started(seconds(second));
        unit.ended(&rules, Cause::Exit(1), seconds(second + 1), 0.5);
    }
    let json = serde_json::to_string(&unit).unwrap();
    let mut back: Restart = serde_json::from_str(&json).unwrap();
    assert_eq!(back, unit);
    // The machine was started anew: 1,030 there is 630 here.
    back.rebase(seconds(1_030), seconds(630));
    assert_eq!(back.due(), Some(seconds(629)));
    for second in [630, 640] {
        back.started(seconds(second));
        unit.started(seconds(second + 400));
        let here = back.ended(&rules, Cause::Exit(1), seconds(second + 1), 0.5);
        let there = unit.ended(&rules, Cause::Exit(1), seconds(second + 401), 0.5);
        assert_eq!(here, there);
    }
    assert!(back.held().is_some());
    // Without it, times ahead of now count as nothing: it is never held for what has not been.
    let mut rules = rules;
    rules.start_limit.burst = 3;
    let mut stale: Restart = serde_json::from_str(&json).unwrap();
    stale.started(seconds(5));
    let decision = stale.ended(&rules, Cause::Exit(1), seconds(6), 0.5);
    assert!(matches!(decision, Decision::Restart { .. }));
}

fn cause() -> impl Strategy<Value = Cause> {
    prop::sample::select(CAUSES.to_vec())
}

proptest! {
    #[test]
    fn a_wait_is_within_its_bounds_whatever_is_configured(
        initial in any::<u32>(), factor in any::<f64>(), max in any::<u32>(),
        jitter in any::<f64>(), n in any::<u32>(), dice in any::<f64>(),
    ) {
        let backoff = Backoff {
            initial: Duration::from_millis(initial.into()),
            factor,
            max: Duration::from_millis(max.into()),
            jitter,
            reset_after: Duration::ZERO,
        };
        let wait = backoff.wait(n, dice).as_secs_f64();
        prop_assert!(wait <= backoff.max.as_secs_f64() * 2.0 + 1e-6);
        let least = backoff.initial.min(backoff.max).as_secs_f64();
        prop_assert!(jitter > 0.0 || wait >= least - 1e-6, "{wait} {least}");
    }

    #[test]
    fn starts_of_its_own_keep_to_the_limit(
        policy in prop::sample::select(POLICIES.to_vec()),
        ends in prop::collection::vec((cause(), 0_u64..400, 0.0..1.0), 0..60),
    ) {
        let rules = rules(policy);
        let mut unit = Restart::default();
        let mut now = seconds(1_000);
        // The starts that followed an end that counts.
        let mut starts = vec![now];
        unit.started(now);
        for (cause, run, dice) in ends {
            now += seconds(run);
            match unit.ended(&rules, cause, now, dice) {
                Decision::Restart { after } => {
                    prop_assert!(after >= Duration::from_millis(1_600));
                    now += after;
                    prop_assert_eq!(unit.due(), Some(now));
                    if cause.counts() {
                        starts.push(now);
                    }
                    unit.started(now);
                }
                Decision::Hold { first, .. } => {
                    prop_assert!(first && cause.counts());
                    prop_assert_eq!(unit.due(), None);
                    break;
                }
                Decision::Stay(_) => {
                    prop_assert_eq!(unit.due(), None);
                    now += seconds(600);
                    if cause.counts() {
                        starts.push(now);
                    }
                    unit.started(now);
                }
            }
        }
        for window in starts.windows(6) {
            prop_assert!(window[5] - window[0] >= seconds(600), "{window:?}");
        }
    }
}
