use super::*;
use crate::process::State;
use crate::process::players::Player;

/// A process that started at its own number.
fn process(pid: i32, parent: i32, session: i32) -> Process {
    Process {
        identity: identity(pid),
        comm: "sh".to_owned(),
        state: State::Sleeping,
        parent,
        group: session,
        session,
        tty: 0,
        foreground: -1,
        cpu_ticks: 0,
        waited_ticks: 0,
        rss: 0,
        mark: None,
    }
}

fn marked(pid: i32, parent: i32, session: i32, mark: &str) -> Process {
    Process {
        mark: Some(mark.to_owned()),
        ..process(pid, parent, session)
    }
}

fn identity(pid: i32) -> Identity {
    let start = pid.unsigned_abs().into();
    Identity { pid, start }
}

fn snapshot(processes: Vec<Process>) -> Snapshot {
    Snapshot::of(processes, Duration::from_secs(100), Duration::from_secs(90))
}

fn pids(found: &[&Process]) -> Vec<i32> {
    let mut pids: Vec<_> = found.iter().map(|process| process.identity.pid).collect();
    pids.sort_unstable();
    pids
}

#[test]
fn a_tree_is_who_comes_from_the_root_and_who_is_left_of_its_session() {
    let snapshot = snapshot(vec![
        process(1, 0, 1),
        process(10, 1, 10),
        process(11, 10, 10),
        process(12, 11, 12),
        process(13, 1, 10),
        process(14, 1, 12),
        process(20, 1, 20),
        process(21, 20, 20),
    ]);
    assert_eq!(pids(&snapshot.tree(identity(10))), [10, 11, 12, 13, 14]);
    assert_eq!(pids(&snapshot.tree(identity(11))), [11, 12, 14]);
}

#[test]
fn a_root_that_has_ended_leaves_its_session_and_nothing_of_another_of_its_number() {
    let orphans = vec![process(1, 0, 1), process(11, 1, 10), process(12, 11, 12)];
    assert_eq!(
        pids(&snapshot(orphans.clone()).tree(identity(10))),
        [11, 12]
    );
    let mut reused = orphans;
    let other = Identity { pid: 10, start: 99 };
    reused.push(Process {
        identity: other,
        ..process(10, 1, 10)
    });
    assert!(snapshot(reused).tree(identity(10)).is_empty());
}

#[test]
fn nobody_comes_from_a_process_that_started_later() {
    let mut late = process(10, 1, 10);
    late.identity.start = 50;
    let root = late.identity;
    let snapshot = snapshot(vec![late, process(11, 10, 10), process(60, 10, 10)]);
    assert_eq!(pids(&snapshot.tree(root)), [10, 60]);
}

#[test]
fn a_unit_is_its_marks_and_their_children_but_not_the_shell_they_were_started_in() {
    let snapshot = snapshot(vec![
        process(1, 0, 1),
        process(5, 1, 5),
        marked(10, 5, 5, "w@1.a"),
        process(11, 10, 5),
        marked(12, 1, 9, "w@1.a"),
        marked(13, 1, 9, "w@1.ab"),
        process(14, 1, 9),
    ]);
    assert_eq!(pids(&snapshot.unit("w@1.a", &[])), [10, 11, 12]);
    assert_eq!(snapshot.marked("w@1.a"), [identity(10), identity(12)]);
    assert!(snapshot.unit("", &[]).is_empty());
}

#[test]
fn who_comes_from_a_server_that_is_spared_is_of_the_unit_only_by_its_own_mark() {
    let snapshot = snapshot(vec![
        marked(10, 1, 10, "w@1.a"),
        process(11, 10, 11),
        marked(12, 10, 12, "w@1.a"),
        process(13, 12, 12),
    ]);
    assert_eq!(pids(&snapshot.unit("w@1.a", &[])), [10, 11, 12, 13]);
    let spare = [identity(10)];
    assert_eq!(pids(&snapshot.unit("w@1.a", &spare)), [12, 13]);
}

#[test]
fn parents_that_go_in_a_circle_end() {
    let snapshot = snapshot(vec![process(10, 11, 10), process(11, 10, 10)]);
    assert_eq!(snapshot.line(10), [identity(10), identity(11)]);
    assert_eq!(pids(&snapshot.tree(identity(10))), [10, 11]);
}

#[test]
fn the_foreground_is_a_group_of_the_same_terminal() {
    let on = |pid, group, tty| Process {
        group,
        tty,
        foreground: 12,
        ..process(pid, 1, 10)
    };
    let snapshot = snapshot(vec![
        on(10, 10, 7),
        on(12, 12, 7),
        on(13, 12, 7),
        on(14, 12, 8),
        process(20, 1, 20),
    ]);
    let foreground = snapshot.foreground(identity(10)).unwrap();
    assert_eq!(pids(&foreground.members), [12, 13]);
    assert_eq!(foreground.leader().unwrap().identity, identity(12));
    assert_eq!(snapshot.foreground(identity(20)), None);
}

#[test]
fn a_mark_is_the_whole_value_of_the_whole_name() {
    let environment = b"MY_CC_UNIT=no\0CC_UNIT_X=no\0CC_UNIT=w@1.a=b\0CC_UNIT=late\0";
    assert_eq!(value(environment, "CC_UNIT").as_deref(), Some("w@1.a=b"));
    assert_eq!(value(b"CC_UNIT\0X=CC_UNIT=1\0", "CC_UNIT"), None);
    assert_eq!(value(b"CC_UNIT=\xff\0", "CC_UNIT"), None);
    let long = format!("CC_UNIT={}", "x".repeat(300));
    assert_eq!(value(long.as_bytes(), "CC_UNIT"), None);
}

#[test]
fn age_counts_from_the_start() {
    let ticks = system::ticks_per_second();
    let at = Duration::from_secs(100);
    assert_eq!(age(90 * ticks, at), Duration::from_secs(10));
    assert_eq!(
        age(90 * ticks + ticks / 2, at),
        Duration::from_millis(9_500)
    );
    assert_eq!(age(200 * ticks, at), Duration::ZERO);
}

#[test]
fn who_becomes_another_program_again_and_again_keeps_its_mark() {
    let player = Player::sh(r#"export S='exec sh -c "$S"'; eval "$S""#);
    let looked_at = || Walk::new(Player::VARIABLE).take().unwrap();
    for _ in 0..300 {
        let snapshot = looked_at();
        let process = snapshot.get(player.identity()).unwrap();
        assert_eq!(process.mark.as_ref(), Some(&player.mark));
    }
}

#[test]
fn a_real_tree_is_found_from_its_root() {
    let mut player = Player::sh("sleep 1000 & echo $!; wait");
    let sleeper: i32 = player.line().parse().unwrap();
    let snapshot = Snapshot::take().unwrap();
    let tree = snapshot.tree(player.identity());
    assert!(pids(&tree).contains(&player.identity().pid));
    assert!(pids(&tree).contains(&sleeper));
    let own = Identity::own().unwrap();
    assert!(snapshot.line(sleeper).contains(&own));
    assert!(snapshot.age(player.identity()) < Duration::from_secs(60));
    player.end(sleeper);
}

#[test]
fn a_real_orphan_in_a_session_of_its_own_is_found_by_its_mark_alone() {
    let mut player = Player::sh("(setsid sh -c 'echo $$; exec sleep 1000' &)");
    let pid: i32 = player.line().parse().unwrap();
    player.child.wait().unwrap();
    let mut walk = Walk::new(Player::VARIABLE);
    let orphan = Identity::of(pid).unwrap().unwrap();
    // Twice, so that the second comes from what is remembered.
    for _ in 0..2 {
        let snapshot = walk.take().unwrap();
        assert_eq!(snapshot.marked(&player.mark), [orphan]);
        assert!(snapshot.tree(player.identity()).is_empty());
    }
    player.end(pid);
}

#[test]
fn a_process_that_becomes_another_program_gets_its_mark() {
    let variable = "CC_TEST_LATE";
    let mark = format!("late.{}", std::process::id());
    let mut player = Player::sh(&format!(
        "echo ready; read line; {variable}={mark} exec sleep 1000"
    ));
    assert_eq!(player.line(), "ready");
    let mut walk = Walk::new(variable);
    assert!(walk.take().unwrap().marked(&mark).is_empty());
    player.end_input();
    player.until(|process| process.comm == "sleep");
    assert_eq!(walk.take().unwrap().marked(&mark), [player.identity()]);
}

#[test]
fn what_is_gone_is_forgotten() {
    let mut player = Player::sh("read line");
    let mut walk = Walk::new(Player::VARIABLE);
    walk.take().unwrap();
    assert!(walk.read.contains_key(&player.identity()));
    player.end_input();
    player.child.wait().unwrap();
    walk.take().unwrap();
    assert!(!walk.read.contains_key(&player.identity()));
}

#[test]
fn a_process_that_sleeps_says_what_it_waits_for_or_nothing() {
    let player = Player::sh("read line");
    // Some kernels do not tell; what is told is a name.
    if let Some(name) = wchan(player.identity()).unwrap() {
        assert!(name.bytes().all(|b| b.is_ascii_graphic()), "{name}");
    }
    let other = Identity {
        start: 0,
        ..player.identity()
    };
    assert_eq!(wchan(other).unwrap(), None);
}
