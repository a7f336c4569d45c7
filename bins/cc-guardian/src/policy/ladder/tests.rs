use super::*;

mod chance;

const MINUTE: u64 = 60;
/// When the watch of all tests begins.
const START: u64 = 10_000;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// So long after the start.
fn at(second: u64) -> Duration {
    seconds(START + second)
}

fn thinking() -> Facts {
    Facts {
        work: Work::Thinking,
        ..Facts::default()
    }
}

/// A unit with a clock of its own, looked at once a second.
struct Watch {
    ladder: Ladder,
    rules: Rules,
    facts: Facts,
    second: u64,
    orders: Vec<(Action, u64)>,
}

impl Watch {
    fn new(facts: Facts) -> Self {
        Self {
            ladder: Ladder::default(),
            rules: Rules::default(),
            facts,
            second: 0,
            orders: Vec::new(),
        }
    }

    fn now(&self) -> Duration {
        at(self.second)
    }

    /// Looks until that second, and before each look lets something happen.
    fn until(
        &mut self,
        second: u64,
        mut happens: impl FnMut(&mut Facts, Duration, Option<Action>),
    ) {
        let mut last = None;
        while self.second < second {
            happens(&mut self.facts, at(self.second), last);
            let now = self.now();
            let order = self.ladder.step(&self.rules, &self.facts, now);
            last = order.map(|order| order.action);
            if let Some(order) = order {
                self.orders.push((order.action, self.second));
            }
            self.second += 1;
        }
    }

    fn actions(&self) -> Vec<Action> {
        self.orders.iter().map(|(action, _)| *action).collect()
    }

    fn outcomes(&self) -> Vec<Outcome> {
        self.ladder
            .record()
            .iter()
            .map(|rung| rung.outcome)
            .collect()
    }
}

fn nothing(_: &mut Facts, _: Duration, _: Option<Action>) {}

#[test]
fn what_is_truly_hung_is_ended_rung_by_rung() {
    let mut watch = Watch::new(thinking());
    watch.until(20 * MINUTE, nothing);
    assert_eq!(watch.orders, [], "not a second before");
    assert_eq!(watch.ladder.state(), State::Quiet);
    watch.until(20 * MINUTE + 5, nothing);
    assert_eq!(watch.ladder.state(), State::Suspect);
    assert!(!watch.ladder.is_hung());
    watch.until(20 * MINUTE + 50, nothing);
    assert_eq!(watch.ladder.state(), State::Hung);
    assert!(watch.ladder.is_hung());
    watch.until(20 * MINUTE + 61, nothing);
    let from = 20 * MINUTE;
    assert_eq!(
        watch.orders,
        [
            (Action::Probe, from),
            (Action::Interrupt, from + 10),
            (Action::Exit, from + 25),
            (Action::Terminate, from + 45),
            (Action::Kill, from + 55),
            (Action::NewPane, from + 60),
        ]
    );
    assert!(watch.ladder.is_hung());
    let silent = [Outcome::Silent; 5];
    assert_eq!(watch.outcomes()[..5], silent);
    assert_eq!(watch.outcomes()[5], Outcome::Done);
    // What runs in the new pane has all its time.
    watch.until(40 * MINUTE + 50, nothing);
    assert_eq!(watch.orders.len(), 6);
    assert_eq!(watch.ladder.state(), State::Quiet);
}

#[test]
fn the_deadlines_are_told() {
    let rules = Rules::default();
    let mut ladder = Ladder::default();
    assert_eq!(ladder.step(&rules, &thinking(), at(0)), None);
    assert_eq!(ladder.due(), Some(at(20 * MINUTE)));
    // Whoever sleeps until then misses nothing.
    let mut now = at(0);
    let mut orders = Vec::new();
    while let Some(due) = ladder.due() {
        assert!(due > now);
        now = due;
        let order = ladder.step(&rules, &thinking(), now).unwrap();
        assert_eq!(order.deadline, ladder.due());
        orders.push(order.action);
    }
    assert_eq!(orders.len(), 6);
}

#[test]
fn a_profile_without_keys_goes_on_to_the_signals() {
    let mut watch = Watch::new(thinking());
    watch.rules.has_interrupt = false;
    watch.rules.has_exit = false;
    watch.until(30 * MINUTE, nothing);
    assert_eq!(
        watch.actions(),
        [
            Action::Probe,
            Action::Terminate,
            Action::Kill,
            Action::NewPane
        ]
    );
    let mut watch = Watch::new(thinking());
    watch.rules.has_interrupt = false;
    watch.until(30 * MINUTE, nothing);
    assert_eq!(watch.actions()[1], Action::Exit);
}

#[test]
fn each_sign_of_life_alone_is_enough_for_days() {
    let signs: [fn(&mut Facts, Duration); 5] = [
        |facts, now| facts.screen = Some(now),
        |facts, now| facts.hook = Some(now),
        |facts, now| facts.transcript = Some(now),
        |facts, now| facts.cpu = Some(now),
        |facts, now| facts.child = Some(now),
    ];
    for sign in signs {
        let mut watch = Watch::new(thinking());
        watch.until(48 * 60 * MINUTE, |facts, now, _| {
            if now.as_secs() % (19 * MINUTE) == 0 {
                sign(facts, now);
            }
        });
        assert_eq!(watch.orders, []);
    }
}

#[test]
fn a_legitimate_wait_is_never_ended() {
    let mut watch = Watch::new(thinking());
    watch.facts.waits = true;
    watch.until(48 * 60 * MINUTE, nothing);
    assert_eq!(watch.orders, []);
    assert_eq!(watch.ladder.due(), None);
    // The silence of the wait does not count when it is over.
    watch.facts.waits = false;
    let over = watch.second;
    watch.until(over + 20 * MINUTE - 1, nothing);
    assert_eq!(watch.orders, []);
    watch.until(over + 21 * MINUTE, nothing);
    assert_eq!(watch.actions()[0], Action::Probe);
}

#[test]
fn who_is_not_at_work_cannot_hang() {
    let mut watch = Watch::new(Facts::default());
    watch.until(48 * 60 * MINUTE, nothing);
    assert_eq!(watch.orders, []);
    // Its work begins, and with it its time.
    watch.facts.work = Work::Thinking;
    watch.until(48 * 60 * MINUTE + 20 * MINUTE - 1, nothing);
    assert_eq!(watch.orders, []);
}

#[test]
fn a_tool_has_a_time_of_its_own() {
    for (timeout, minutes) in [(None, 60), (Some(90), 90), (Some(2), 20)] {
        let timeout = timeout.map(|minutes| seconds(minutes * MINUTE));
        let mut watch = Watch::new(Facts {
            work: Work::Tool { timeout },
            ..Facts::default()
        });
        watch.until(minutes * MINUTE + 1, nothing);
        assert_eq!(
            watch.orders,
            [(Action::Probe, minutes * MINUTE)],
            "{timeout:?}"
        );
    }
    // A tool that is begun during a climb ends it.
    let mut watch = Watch::new(thinking());
    watch.until(20 * MINUTE + 5, nothing);
    watch.facts.work = Work::Tool { timeout: None };
    watch.until(50 * MINUTE, nothing);
    assert_eq!(watch.actions(), [Action::Probe]);
    assert_eq!(watch.outcomes(), [Outcome::Excused]);
}

#[test]
fn what_draws_when_probed_is_told_once_and_never_ended() {
    let mut watch = Watch::new(thinking());
    let mut draw_until = None;
    watch.until(5 * 60 * MINUTE, |facts, now, last| {
        // It draws when the pane changes and when it changes back.
        if last == Some(Action::Probe) {
            draw_until = Some(now + seconds(2));
        }
        if draw_until.is_some_and(|until| now <= until) {
            facts.output = Some(now);
            facts.screen = Some(now);
            facts.cpu = Some(now);
        }
    });
    let alerts = watch
        .actions()
        .iter()
        .filter(|action| **action == Action::Alert)
        .count();
    assert_eq!(alerts, 1, "{:?}", watch.orders);
    let probes = watch
        .actions()
        .iter()
        .filter(|action| **action == Action::Probe)
        .count();
    assert!(
        (14..=15).contains(&probes),
        "it is asked again and again: {probes}"
    );
    assert_eq!(
        watch.orders.len(),
        alerts + probes,
        "and nothing else is done"
    );
}

#[test]
fn a_spinner_is_no_sign_but_an_answer() {
    let mut watch = Watch::new(thinking());
    watch.until(60 * MINUTE, |facts, now, _| facts.output = Some(now));
    assert_eq!(
        watch.orders,
        [
            (Action::Probe, 20 * MINUTE),
            (Action::Alert, 20 * MINUTE + 1),
            (Action::Probe, 40 * MINUTE + 1),
        ]
    );
    assert_eq!(watch.outcomes()[0], Outcome::Alive(Sign::Output));
}

#[test]
fn it_is_told_again_when_there_was_life_in_between() {
    let mut watch = Watch::new(thinking());
    watch.until(60 * MINUTE, |facts, now, _| {
        facts.output = Some(now);
        if now == at(30 * MINUTE) {
            facts.screen = Some(now);
        }
    });
    assert_eq!(
        watch.orders,
        [
            (Action::Probe, 20 * MINUTE),
            (Action::Alert, 20 * MINUTE + 1),
            (Action::Probe, 50 * MINUTE),
            (Action::Alert, 50 * MINUTE + 1),
        ]
    );
}

#[test]
fn progress_during_a_probe_is_nothing_to_tell() {
    let mut watch = Watch::new(thinking());
    watch.until(30 * MINUTE, |facts, now, last| {
        if last == Some(Action::Probe) {
            facts.output = Some(now);
            facts.hook = Some(now);
        }
    });
    assert_eq!(watch.actions(), [Action::Probe]);
    assert_eq!(watch.outcomes(), [Outcome::Alive(Sign::Hook)]);
}

#[test]
fn life_on_any_rung_ends_the_climb() {
    let rungs = [
        Action::Interrupt,
        Action::Exit,
        Action::Terminate,
        Action::Kill,
    ];
    for rung in rungs {
        let mut watch = Watch::new(thinking());
        watch.until(40 * MINUTE, |facts, now, last| {
            if last == Some(rung) {
                facts.output = Some(now);
            }
        });
        assert_eq!(watch.actions().last(), Some(&rung));
        assert_eq!(watch.outcomes().last(), Some(&Outcome::Alive(Sign::Output)));
        assert!(!watch.ladder.is_hung());
        assert_eq!(watch.ladder.state(), State::Quiet);
    }
}

#[test]
fn the_end_of_its_work_ends_the_climb() {
    let mut watch = Watch::new(thinking());
    watch.until(30 * MINUTE, |facts, _, last| {
        if last == Some(Action::Interrupt) {
            facts.work = Work::None;
        }
    });
    assert_eq!(watch.actions(), [Action::Probe, Action::Interrupt]);
    assert_eq!(watch.outcomes(), [Outcome::Silent, Outcome::Excused]);
}

#[test]
fn an_end_on_the_ladder_is_one_for_having_hung() {
    for (rung, hung) in [
        (Action::Probe, false),
        (Action::Interrupt, true),
        (Action::Exit, true),
        (Action::Terminate, true),
        (Action::Kill, true),
    ] {
        let mut watch = Watch::new(thinking());
        watch.until(40 * MINUTE, |facts, _, last| {
            facts.gone |= last == Some(rung)
        });
        assert_eq!(watch.actions().last(), Some(&rung));
        assert_eq!(watch.outcomes().last(), Some(&Outcome::Ended));
        assert_eq!(watch.ladder.is_hung(), hung, "{rung:?}");
        // The next life of it has nothing to do with that.
        watch.facts.gone = false;
        watch.until(41 * MINUTE, nothing);
        assert!(!watch.ladder.is_hung());
    }
}

#[test]
fn who_looks_late_looks_twice() {
    let rules = Rules::default();
    let mut ladder = Ladder::default();
    let mut step = |second| {
        let order = ladder.step(&rules, &thinking(), at(second));
        order.map(|order| order.action)
    };
    assert_eq!(step(0), None);
    assert_eq!(step(20 * MINUTE), Some(Action::Probe));
    // Nobody looked for an hour.
    assert_eq!(step(80 * MINUTE), None);
    assert_eq!(step(80 * MINUTE + 9), None);
    assert_eq!(step(80 * MINUTE + 10), Some(Action::Interrupt));
    assert_eq!(step(140 * MINUTE), None, "on each rung");
    assert_eq!(step(200 * MINUTE), Some(Action::Exit), "but once");
}

#[test]
fn a_watch_that_begins_anew_has_patience() {
    // All signs are older than anybody's patience.
    let old = Some(seconds(1));
    let facts = Facts {
        screen: old,
        hook: old,
        transcript: old,
        cpu: old,
        child: old,
        ..thinking()
    };
    let mut watch = Watch::new(facts);
    watch.until(20 * MINUTE, nothing);
    assert_eq!(watch.orders, []);
}

#[test]
fn the_record_does_not_grow_without_end() {
    let mut watch = Watch::new(thinking());
    watch.rules.hang_after = seconds(1);
    watch.until(60 * MINUTE, nothing);
    assert_eq!(watch.ladder.record().len(), KEPT);
    assert!(watch.orders.len() > 2 * KEPT);
}

#[test]
fn the_record_can_be_stored() {
    let rung = Rung {
        what: Action::NewPane,
        at: seconds(3),
        outcome: Outcome::Alive(Sign::Cpu),
    };
    let json = serde_json::to_string(&rung).unwrap();
    assert_eq!(serde_json::from_str::<Rung>(&json).unwrap(), rung);
    assert!(json.contains("new-pane"), "{json}");
}
