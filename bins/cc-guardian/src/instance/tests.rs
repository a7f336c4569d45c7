//! What becomes of one instance.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;

fn instance() -> Instance {
    let unit = config::one_unit(
        "w",
        None,
        1,
        Path::new("/"),
        &BTreeMap::new(),
        &["true".to_owned()],
        &[],
    );
    Instance::new(
        "w@1".to_owned(),
        Arc::new(unit.unwrap()),
        None,
        "t".to_owned(),
    )
}

fn run() -> Run {
    Run {
        number: "1".to_owned(),
        session: SessionId(0),
        pane: PaneId(0),
        process: None,
        pid: None,
    }
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const AT: Stamp = Stamp {
    monotonic_ns: 0,
    wall_ns: 0,
};

#[test]
fn what_runs_is_not_started_twice() {
    let mut it = instance();
    assert_eq!(it.up(secs(0)), Act::Start);
    assert_eq!(it.phase, Phase::Queued);
    assert_eq!(it.up(secs(0)), Act::Wait);
    it.making();
    assert_eq!(it.up(secs(0)), Act::Wait);
    it.started(run(), secs(0), AT);
    assert_eq!(it.up(secs(1)), Act::Wait);
    assert!(it.is_running());
}

#[test]
fn a_crash_is_followed_by_a_start_and_too_many_by_a_hold() {
    let mut it = instance();
    assert_eq!(it.up(secs(0)), Act::Start);
    let mut now = secs(0);
    let mut acts = Vec::new();
    for _ in 0..10 {
        it.started(run(), now, AT);
        now += secs(1);
        acts.push(it.ended(End::Signal(9), now, AT, 0.5));
        if let Phase::Waiting(at) = it.phase {
            assert_eq!(it.due(at - secs(1)), Act::Wait);
            now = at;
            assert_eq!(it.due(now), Act::Start);
        } else {
            break;
        }
    }
    assert!(matches!(acts.last(), Some(Act::Hold(why)) if why.contains("signal 9")));
    assert_eq!(
        acts.iter()
            .filter(|act| matches!(act, Act::Hold(_)))
            .count(),
        1
    );
    assert_eq!(acts.len(), 5);
    assert_eq!(it.due(now + secs(100_000)), Act::Wait);
    // Somebody says that it may run again.
    assert_eq!(it.up(now), Act::Start);
}

#[test]
fn who_ended_by_itself_stays_away() {
    let mut it = instance();
    it.up(secs(0));
    it.started(run(), secs(0), AT);
    assert_eq!(it.ended(End::Exit(7), secs(1), AT, 0.5), Act::Wait);
    assert_eq!(it.phase, Phase::Absent);
    assert_eq!(it.verdict().and_then(|v| v.sub.as_deref()), Some("exit 7"));
}

#[test]
fn a_server_that_is_lost_is_no_fault_of_the_unit() {
    let mut it = instance();
    it.up(secs(0));
    for n in 0..20 {
        it.started(run(), secs(n * 1000), AT);
        assert_eq!(
            it.ended(End::ServerLost, secs(n * 1000 + 1), AT, 0.5),
            Act::Wait
        );
        let Phase::Waiting(at) = it.phase else {
            panic!("{:?}", it.phase)
        };
        assert_eq!(it.due(at), Act::Start);
    }
}

#[test]
fn one_that_nobody_knows_how_to_start_is_not_started() {
    let mut it = instance();
    it.foreign = Some(Foreign {
        socket: "/tmp/s".to_owned(),
        again: false,
    });
    it.adopted(run(), secs(0), AT);
    it.ended(End::Exit(0), secs(1), AT, 0.5);
    assert!(it.is_past());
    assert_eq!(it.up(secs(2)), Act::Wait);
    assert_eq!(it.phase, Phase::Absent);
    it.foreign = it.foreign.map(|foreign| Foreign {
        again: true,
        ..foreign
    });
    assert_eq!(it.up(secs(2)), Act::Start);
}

#[test]
fn a_session_is_gone_on_with_once_unless_it_is_told_of_again() {
    let mut it = instance();
    let mut unit = (*it.unit).clone();
    unit.resume = config::Resume::SessionId;
    let profiles = cc_kit::profile::Profiles::builtin().into_all();
    let claude = profiles
        .into_iter()
        .find(|profile| profile.name() == "claude");
    it.redeclare(Arc::new(unit), claude.map(Arc::new));
    assert_eq!(it.command(), ["true"]);
    it.session = Some("0199-ab".to_owned());
    assert_eq!(it.command(), ["true", "--resume", "0199-ab"]);
    it.started(run(), secs(0), AT);
    assert_eq!(it.command(), ["true"]);
    it.session = Some("--evil".to_owned());
    assert_eq!(it.command(), ["true"]);
}

#[test]
fn a_session_that_could_not_be_gone_on_with_is_so_by_the_next_start() {
    let mut it = instance();
    let mut unit = (*it.unit).clone();
    unit.resume = config::Resume::SessionId;
    let profiles = cc_kit::profile::Profiles::builtin().into_all();
    let claude = profiles
        .into_iter()
        .find(|profile| profile.name() == "claude");
    it.redeclare(Arc::new(unit), claude.map(Arc::new));
    it.session = Some("0199-ab".to_owned());
    for _ in 0..3 {
        it.up(secs(0));
        it.making();
        assert_eq!(it.command(), ["true", "--resume", "0199-ab"]);
        // A guardian that ends meanwhile leaves it to the next.
        assert_eq!(it.kept().session.as_deref(), Some("0199-ab"));
        it.ended(End::NotMade, secs(0), AT, 0.5);
        it.stop(false);
    }
    // What the new run tells of before it is known to run is its own.
    it.command();
    it.session = Some("0199-cd".to_owned());
    it.started(run(), secs(1), AT);
    assert_eq!(it.kept().session.as_deref(), Some("0199-cd"));
    assert_eq!(it.command(), ["true", "--resume", "0199-cd"]);
    it.started(run(), secs(2), AT);
    assert_eq!(it.kept().session, None);
}

#[test]
fn what_was_over_before_is_so_still() {
    let mut it = instance();
    it.was("exit 7", AT);
    assert_eq!(it.verdict().and_then(|v| v.sub.as_deref()), Some("exit 7"));
    assert_eq!((&it.phase, it.wanted), (&Phase::Absent, false));
    it.held("too often".to_owned());
    assert_eq!(it.due(secs(1000)), Act::Wait);
    assert_eq!(it.phase, Phase::Held("too often".to_owned()));
    assert_eq!(it.up(secs(1000)), Act::Start);
}

#[test]
fn what_was_stopped_starts_with_the_guardian_where_it_always_runs() {
    let mut it = instance();
    for (restart, wanted, starts) in [
        (config::Restart::Always, false, true),
        (config::Restart::UnlessStopped, false, false),
        (config::Restart::OnFailure, false, false),
        (config::Restart::UnlessStopped, true, true),
        (config::Restart::No, true, true),
    ] {
        let unit = Unit {
            restart,
            ..(*it.unit).clone()
        };
        it.redeclare(Arc::new(unit), None);
        let kept = Kept {
            wanted,
            ..Kept::default()
        };
        assert_eq!(
            it.starts_with_the_guardian(&kept),
            starts,
            "{restart:?} {wanted}"
        );
    }
}

#[test]
fn one_that_was_ended_for_its_memory_has_that_for_its_cause() {
    let mut it = instance();
    it.up(secs(0));
    it.started(run(), secs(0), AT);
    let rules = crate::policy::wear::Rules {
        hard: Some(1),
        ..Default::default()
    };
    it.wear.step(&rules, 2, secs(0));
    it.ended(End::Signal(9), secs(1), AT, 0.5);
    assert_eq!(it.verdict().and_then(|v| v.sub.as_deref()), Some("oom"));
    assert!(matches!(it.phase, Phase::Waiting(_)));
    it.due(secs(1000));
    it.started(run(), secs(1000), AT);
    it.ended(End::Signal(9), secs(1001), AT, 0.5);
    assert_eq!(
        it.verdict().and_then(|v| v.sub.as_deref()),
        Some("signal 9")
    );
}

#[test]
fn what_is_stopped_stays_so_or_comes_again() {
    let mut it = instance();
    it.up(secs(0));
    it.started(run(), secs(0), AT);
    assert!(it.stop(false));
    assert!(!it.stop(false));
    assert_eq!(it.stopped(secs(2), AT), Act::Wait);
    assert_eq!(it.phase, Phase::Absent);
    assert_eq!(it.up(secs(3)), Act::Start);
    it.started(run(), secs(3), AT);
    assert!(it.stop(true));
    assert_eq!(it.stopped(secs(4), AT), Act::Start);
}
