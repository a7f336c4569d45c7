use super::*;

const PANE: PaneId = PaneId(7);

fn row(piped: bool, runs: bool) -> Row {
    Row {
        pane: PANE,
        piped,
        runs,
    }
}

fn word(origin: Origin, blank: bool) -> Word {
    let text = format!("{}:1:{PANE}:0.0.0.0:h", "0".repeat(32));
    let word = Word::parse(text.as_bytes()).unwrap();
    Word {
        origin,
        blank,
        ..word
    }
}

struct Play {
    panes: Panes<&'static str>,
    now: Instant,
}

impl Play {
    fn new() -> Self {
        Self {
            panes: Panes::new(),
            now: Instant::now(),
        }
    }

    fn handed(&mut self, origin: Origin, blank: bool) -> Vec<Action<&'static str>> {
        self.panes.handed(&word(origin, blank), "pipe", self.now);
        self.panes.actions()
    }

    fn surveyed(&mut self, rows: &[Row], room: bool) -> Vec<Action<&'static str>> {
        self.panes.surveyed(rows, room, self.now);
        self.panes.actions()
    }

    fn reported(&mut self, report: Report) -> Vec<Action<&'static str>> {
        self.panes.reported(report, self.now);
        self.panes.actions()
    }

    fn answered(&mut self, ticket: u64, answer: Answer) -> Vec<Action<&'static str>> {
        self.panes.answered(PANE, ticket, answer, self.now);
        self.panes.actions()
    }

    /// Waits until something is due, and says what.
    fn due(&mut self, room: bool) -> Vec<Action<&'static str>> {
        self.now = self.panes.due(room).expect("something is due");
        self.panes.passed(room, self.now);
        self.panes.actions()
    }
}

fn hold(id: u64, begin: Begin) -> Vec<Action<&'static str>> {
    vec![Action::Hold(PANE, PipeId(id), "pipe", begin)]
}

#[test]
fn a_pane_that_a_hook_has_piped_begins_at_birth_whoever_is_first_to_tell() {
    let mut play = Play::new();
    assert_eq!(play.handed(Origin::Hook, true), hold(0, Begin::Birth));
    assert_eq!(play.surveyed(&[row(true, true)], true), []);

    let mut play = Play::new();
    assert_eq!(play.surveyed(&[row(true, true)], true), []);
    assert_eq!(play.handed(Origin::Hook, true), hold(0, Begin::Birth));
    // It is gone before its pipe is read to its end.
    assert_eq!(play.surveyed(&[], true), []);
    let ended = play.reported(Report::Ended(PANE, PipeId(0)));
    assert_eq!(ended, [Action::Survey]);
    assert_eq!(play.surveyed(&[], true), [Action::End(PANE)]);
}

#[test]
fn a_pane_that_has_shown_something_is_taken_with_its_screen() {
    let mut play = Play::new();
    assert_eq!(play.handed(Origin::Hook, false), []);
    assert_eq!(play.due(true), [Action::Survey]);
    let take = play.surveyed(&[row(false, true)], true);
    assert_eq!(take, [Action::Take(PANE, 0)]);
}

#[test]
fn answer_and_pipe_come_in_any_order() {
    let begun = || hold(0, Begin::Gap(Cause::FirstSight, None));
    let mut play = Play::new();
    assert_eq!(
        play.surveyed(&[row(false, true)], true),
        [Action::Take(PANE, 0)]
    );
    assert_eq!(play.answered(0, Answer::Taken(None)), []);
    assert_eq!(play.handed(Origin::Ticket(0), true), begun());

    let mut play = Play::new();
    assert_eq!(
        play.surveyed(&[row(false, true)], true),
        [Action::Take(PANE, 0)]
    );
    assert_eq!(play.handed(Origin::Ticket(0), true), []);
    assert_eq!(play.surveyed(&[row(true, true)], true), []);
    assert_eq!(play.answered(0, Answer::Taken(None)), begun());
}

#[test]
fn a_helper_that_never_comes_is_asked_for_less_and_less_often() {
    let mut play = Play::new();
    let began = play.now;
    assert_eq!(
        play.surveyed(&[row(false, true)], true),
        [Action::Take(PANE, 0)]
    );
    for ticket in 1..=3 {
        assert_eq!(play.answered(ticket - 1, Answer::Taken(None)), []);
        assert_eq!(play.due(true), []);
        assert_eq!(play.surveyed(&[row(false, true)], true), []);
        assert_eq!(play.due(true), [Action::Survey]);
        let take = play.surveyed(&[row(false, true)], true);
        assert_eq!(take, [Action::Take(PANE, ticket)]);
    }
    assert_eq!(play.now - began, 3 * HELPER + 7 * PAUSES.0);
    // One that comes too late is let go of.
    assert_eq!(play.handed(Origin::Ticket(1), true), [Action::Survey]);
}

#[test]
fn a_pipe_of_the_users_is_said_once_and_the_pane_taken_when_it_is_gone() {
    let mut play = Play::new();
    assert_eq!(play.surveyed(&[row(true, true)], true), []);
    assert_eq!(play.due(true), [Action::Survey]);
    assert_eq!(
        play.surveyed(&[row(true, true)], true),
        [Action::Untapped(PANE)]
    );
    assert_eq!(play.surveyed(&[row(true, true)], true), []);
    assert_eq!(play.panes.due(true), None);
    assert_eq!(
        play.surveyed(&[row(false, true)], true),
        [Action::Take(PANE, 0)]
    );
    assert_eq!(play.answered(0, Answer::NotFree), [Action::Survey]);
    // It has another one by then, and none of ours is on its way.
    assert_eq!(
        play.surveyed(&[row(true, true)], true),
        [Action::Untapped(PANE)]
    );
    assert_eq!(play.surveyed(&[], true), [Action::End(PANE)]);
}

#[test]
fn a_pane_that_was_too_much_is_taken_again_when_there_is_room() {
    let mut play = Play::new();
    play.handed(Origin::Hook, true);
    assert_eq!(play.reported(Report::Over(PANE, PipeId(0))), []);
    assert_eq!(play.panes.due(false), None);
    assert_eq!(play.surveyed(&[row(false, true)], false), []);
    assert_eq!(play.due(true), [Action::Survey]);
    assert_eq!(
        play.surveyed(&[row(false, true)], true),
        [Action::Take(PANE, 0)]
    );
    play.answered(0, Answer::Taken(None));
    let begun = play.handed(Origin::Ticket(0), false);
    assert_eq!(begun, hold(1, Begin::Gap(Cause::Paused, None)));
    // What is told of the pipe before is no news.
    assert_eq!(play.reported(Report::Ended(PANE, PipeId(0))), []);
}

#[test]
fn a_dead_pane_waits_without_a_clock_and_a_respawn_is_taken() {
    let mut play = Play::new();
    play.handed(Origin::Created, true);
    play.reported(Report::Ended(PANE, PipeId(0)));
    assert_eq!(play.surveyed(&[row(false, false)], true), []);
    assert_eq!(play.panes.due(true), None);
    // From 3.8 on a hook tells, else the next look.
    let begun = play.handed(Origin::Created, false);
    assert_eq!(begun, hold(1, Begin::Gap(Cause::PipeClosed, None)));
    play.reported(Report::Ended(PANE, PipeId(1)));
    let take = play.surveyed(&[row(false, true)], true);
    assert_eq!(take, [Action::Take(PANE, 0)]);
}

#[test]
fn a_pane_that_was_dead_before_is_not_born_by_a_respawn() {
    let mut play = Play::new();
    assert_eq!(play.surveyed(&[row(false, false)], true), []);
    let begun = play.handed(Origin::Created, true);
    assert_eq!(begun, hold(0, Begin::Gap(Cause::FirstSight, None)));
}

#[test]
fn a_pane_that_has_died_before_its_helper_comes_was_born_all_the_same() {
    let mut play = Play::new();
    assert_eq!(play.surveyed(&[], true), []);
    assert_eq!(play.surveyed(&[row(false, false)], true), []);
    assert_eq!(play.handed(Origin::Hook, true), hold(0, Begin::Birth));
}
