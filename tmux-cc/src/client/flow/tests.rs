mod policies;
mod stitch;

use std::collections::BTreeMap;
use std::task::Waker;

use proptest::prelude::*;

use super::*;
use crate::client::events::{Cause, Event, Loss};
use crate::client::output::PaneFilter;
use crate::protocol::Exit;

const P: PaneId = PaneId(1);
const Q: PaneId = PaneId(2);

fn read(inbox: &Inbox, source: SourceId, lines: &str) {
    let chunk = Bytes::copy_from_slice(lines.as_bytes());
    let mut intake = inbox.intake(source);
    for line in chunk.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
        intake.line(line, &chunk);
    }
}

fn poll(inbox: &Inbox) -> Option<Batch> {
    match inbox.poll_batch(&Context::from_waker(Waker::noop())) {
        Poll::Ready(batch) => batch,
        Poll::Pending => None,
    }
}

/// Every event that waits, in words.
fn said(inbox: &Inbox) -> Vec<String> {
    let mut said = Vec::new();
    while let Some(batch) = poll(inbox) {
        said.extend(batch.iter().map(|event| match event {
            Event::Output(output) => format!(
                "{} {}+{} {}",
                output.pane,
                output.epoch,
                output.offset,
                String::from_utf8_lossy(&output.data.decode())
            ),
            Event::Resync(resync) => {
                let Loss::Unknown { at_least } = resync.loss else {
                    panic!("known")
                };
                format!(
                    "{} {} {} {at_least}",
                    resync.pane, resync.epoch, resync.cause
                )
            }
            Event::Ended(ended) => {
                format!("{} ended at {}+{}", ended.pane, ended.epoch, ended.offset)
            }
            other => format!("{other:?}"),
        }));
    }
    said
}

fn merged() -> (Arc<Inbox>, SourceId) {
    let inbox = Inbox::merged(Budget::bytes(0), OutputRequest::default(), Arc::default());
    let (source, _) = inbox.register(Some(SessionId(0)));
    (inbox, source)
}

/// A line of output of about `len` bytes.
fn output(pane: PaneId, len: usize) -> String {
    format!("%output {pane} {}\n", "x".repeat(len))
}

#[test]
fn a_pane_is_counted_from_where_it_was_first_seen() {
    let (inbox, source) = merged();
    inbox.set_watermark(source, P);
    read(
        &inbox,
        source,
        "%output %1 a\\015\\012\n%extended-output %2 3 : b\n%output %1 c\n",
    );
    assert_eq!(
        said(&inbox),
        ["%1 0 first-sight 0", "%1 0+0 a\r\n", "%2 0+0 b", "%1 0+3 c"]
    );
}

#[test]
fn what_does_not_fit_pauses_its_pane_and_is_said_when_it_goes_on() {
    let (inbox, source) = merged();
    inbox.set_watermark(source, Q);
    said(&inbox);
    // The budget is 64 KiB: the first fills it, the second is too much.
    read(&inbox, source, &output(P, 70_000));
    read(&inbox, source, &output(P, 10));
    read(&inbox, source, &output(P, 5));
    assert_eq!(inbox.take_orders(source), [Order::Pause(P)]);
    read(&inbox, source, "%pause %1\n");
    inbox.settled(source, &Order::Pause(P));
    assert_eq!(inbox.take_orders(source), [], "nothing was read yet");
    assert_eq!(said(&inbox).len(), 2);
    assert_eq!(inbox.take_orders(source), [Order::Continue(P)]);
    read(&inbox, source, &output(P, 3));
    read(&inbox, source, "%continue %1\n%output %1 on\n");
    assert_eq!(said(&inbox), ["%1 1 paused 18", "%1 1+0 on"]);
}

#[test]
fn a_quiet_pane_is_not_paused_for_a_loud_one() {
    let (inbox, source) = merged();
    inbox.set_watermark(source, Q);
    read(&inbox, source, &output(P, 40_000));
    read(&inbox, source, &output(P, 1));
    read(&inbox, source, &output(Q, 1));
    assert_eq!(inbox.take_orders(source), [Order::Pause(P)]);
    assert_eq!(said(&inbox).last().unwrap(), "%2 0+0 x");
}

#[test]
fn a_pause_by_the_server_is_answered_by_itself() {
    let (inbox, source) = merged();
    inbox.set_watermark(source, Q);
    read(&inbox, source, "%output %1 a\n");
    said(&inbox);
    read(&inbox, source, "%pause %1\n");
    assert_eq!(inbox.take_orders(source), [Order::Continue(P)]);
    read(&inbox, source, "%continue %1\n%output %1 b\n");
    assert_eq!(said(&inbox), ["%1 1 paused 0", "%1 1+0 b"]);
}

#[test]
fn a_pane_that_comes_from_where_nobody_follows_begins_with_a_gap() {
    let (inbox, source) = merged();
    inbox.set_watermark(source, PaneId(0));
    inbox.assign(P, &[], true);
    inbox.assign(Q, &[source], true);
    inbox.assign(P, &[source], true);
    read(&inbox, source, "%output %1 a\n%output %2 b\n");
    assert_eq!(said(&inbox), ["%1 0 first-sight 0", "%1 0+0 a", "%2 0+0 b"]);
}

#[test]
fn a_pane_that_came_back_before_it_printed_goes_on() {
    let (inbox, source) = merged();
    inbox.set_watermark(source, PaneId(0));
    inbox.left(P, source);
    inbox.assign(P, &[source], true);
    assert_eq!(inbox.take_orders(source), [Order::Pause(P)]);
    read(&inbox, source, "%pause %1\n");
    inbox.settled(source, &Order::Pause(P));
    assert_eq!(inbox.take_orders(source), [Order::Continue(P)]);
}

#[test]
fn a_late_pause_does_not_bring_a_pane_back() {
    let (inbox, source) = merged();
    let (other, _) = inbox.register(Some(SessionId(1)));
    inbox.set_watermark(source, PaneId(0));
    read(&inbox, source, "%output %1 a\n");
    inbox.assign(P, &[source, other], true);
    assert_eq!(inbox.take_orders(other), [Order::Pause(P)]);
    inbox.gone(&[P]);
    for order in inbox.take_orders(source) {
        inbox.settled(source, &order);
    }
    read(&inbox, other, "%pause %1\n");
    inbox.settled(other, &Order::Pause(P));
    assert_eq!(said(&inbox), ["%1 0+0 a", "%1 ended at 0+1"]);
    assert_eq!(inbox.take_orders(other), []);
}

#[test]
fn a_pane_that_is_paused_before_it_was_seen_goes_on() {
    let (inbox, source) = merged();
    inbox.set_watermark(source, P);
    read(&inbox, source, "%pause %1\n%pause %2\n");
    let orders = inbox.take_orders(source);
    assert_eq!(orders, [Order::Continue(P), Order::Continue(Q)]);
    read(&inbox, source, "%continue %1\n%continue %2\n");
    read(&inbox, source, "%output %1 b\n%output %2 c\n");
    assert_eq!(
        said(&inbox),
        [
            "%1 0 first-sight 0",
            "%2 1 paused 0",
            "%1 0+0 b",
            "%2 1+0 c"
        ]
    );
}

#[test]
fn an_order_that_tmux_had_nothing_to_do_for_is_settled_by_its_answer() {
    let (inbox, source) = merged();
    inbox.set_watermark(source, Q);
    read(&inbox, source, &output(P, 70_000));
    read(&inbox, source, &output(P, 1));
    let orders = inbox.take_orders(source);
    inbox.settled(source, &orders[0]);
    said(&inbox);
    let orders = inbox.take_orders(source);
    assert_eq!(orders, [Order::Continue(P)]);
    inbox.settled(source, &orders[0]);
    read(&inbox, source, "%output %1 on\n");
    assert_eq!(said(&inbox), ["%1 1 paused 1", "%1 1+0 on"]);
}

#[test]
fn a_pane_that_two_clients_see_comes_once() {
    let (inbox, one) = merged();
    let (two, _) = inbox.register(Some(SessionId(1)));
    inbox.set_watermark(one, Q);
    read(&inbox, one, "%output %1 a\n");
    read(&inbox, two, "%output %1 a\n");
    read(&inbox, one, "%output %1 b\n");
    assert_eq!(said(&inbox), ["%1 0 first-sight 0", "%1 0+0 a", "%1 0+1 b"]);
    assert_eq!(inbox.take_orders(two), [Order::Pause(P)]);
    read(&inbox, two, "%pause %1\n");
    inbox.settled(two, &Order::Pause(P));

    // The one that delivers it goes; the other takes over, behind a gap.
    inbox.remove(one);
    inbox.assign(P, &[two], true);
    assert_eq!(inbox.take_orders(two), [Order::Continue(P)]);
    read(&inbox, two, "%continue %1\n%output %1 c\n");
    assert_eq!(said(&inbox), ["%1 1 disconnected 0", "%1 1+0 c"]);
}

#[test]
fn a_pane_that_moves_is_handed_over_behind_a_gap_and_forgotten_by_who_had_it() {
    let (inbox, one) = merged();
    let (two, _) = inbox.register(Some(SessionId(1)));
    inbox.set_watermark(one, PaneId(0));
    read(&inbox, one, "%output %1 a\n");
    inbox.assign(P, &[two], true);
    // What tmux held for the first would come again if the pane came back to it, and what the
    // second has on its way may be old: both begin with a pause.
    assert_eq!(inbox.take_orders(one), [Order::Pause(P)]);
    assert_eq!(inbox.take_orders(two), [Order::Pause(P)]);
    read(&inbox, one, "%output %1 late\n");
    read(&inbox, two, "%output %1 early\n%pause %1\n");
    inbox.settled(two, &Order::Pause(P));
    assert_eq!(inbox.take_orders(two), [Order::Continue(P)]);
    read(&inbox, two, "%continue %1\n%output %1 b\n");
    assert_eq!(said(&inbox), ["%1 0+0 a", "%1 1 moved 0", "%1 1+0 b"]);
    // Back again before any listing shows that it was away.
    inbox.left(P, two);
    inbox.assign(P, &[two], true);
    assert_eq!(inbox.take_orders(two), [Order::Pause(P)]);
    read(&inbox, two, "%output %1 old\n%pause %1\n");
    inbox.settled(two, &Order::Pause(P));
    assert_eq!(inbox.take_orders(two), [Order::Continue(P)]);
    read(&inbox, two, "%continue %1\n%output %1 c\n");
    assert_eq!(said(&inbox), ["%1 2 moved 5", "%1 2+0 c"]);
    // Nowhere at all.
    inbox.assign(P, &[], true);
    assert_eq!(said(&inbox), ["%1 3 moved 3"]);
    inbox.assign(P, &[], true);
    assert_eq!(said(&inbox), [""; 0]);
}

#[test]
fn word_of_an_earlier_order_does_not_bring_old_bytes() {
    let (inbox, one) = merged();
    let (two, _) = inbox.register(Some(SessionId(1)));
    let settle = |source: SourceId| {
        let orders = inbox.take_orders(source);
        orders.iter().for_each(|order| inbox.settled(source, order));
        orders
    };
    inbox.set_watermark(one, PaneId(0));
    read(&inbox, one, "%output %1 a\n");
    inbox.assign(P, &[two], true);
    assert_eq!(settle(one), [Order::Pause(P)]);
    assert_eq!(settle(two), [Order::Pause(P)]);
    assert_eq!(settle(two), [Order::Continue(P)]);
    read(&inbox, two, "%output %1 b\n");
    // Back, and away again before the first client answers.
    inbox.assign(P, &[one], true);
    let on = inbox.take_orders(one);
    assert_eq!(on, [Order::Continue(P)]);
    inbox.assign(P, &[two], true);
    let off = inbox.take_orders(one);
    assert_eq!(off, [Order::Pause(P)]);
    assert_eq!(settle(two), [Order::Pause(P)]);
    assert_eq!(settle(two), [Order::Continue(P)]);
    read(&inbox, two, "%output %1 d\n");
    // And back once more: only now comes what the first was told long ago.
    inbox.assign(P, &[one], true);
    said(&inbox);
    read(&inbox, one, "%continue %1\n");
    inbox.settled(one, &on[0]);
    read(&inbox, one, "%output %1 c\n%pause %1\n");
    inbox.settled(one, &off[0]);
    assert_eq!(settle(one), [Order::Continue(P)]);
    read(&inbox, one, "%output %1 e\n");
    assert_eq!(said(&inbox), ["%1 4+0 e"]);
}

#[test]
fn a_pane_ends_behind_the_last_that_was_on_its_way() {
    let (inbox, source) = merged();
    inbox.set_watermark(source, PaneId(0));
    read(&inbox, source, "%output %1 a\n");
    inbox.gone(&[P, Q]);
    let orders = inbox.take_orders(source);
    assert_eq!(orders, [Order::Barrier(vec![P])]);
    read(&inbox, source, "%output %1 b\n");
    inbox.settled(source, &orders[0]);
    assert_eq!(said(&inbox), ["%1 0+0 a", "%1 0+1 b", "%1 ended at 0+2"]);
}

#[test]
fn a_pane_that_ends_while_it_is_too_much_is_not_seen_again() {
    let (inbox, source) = merged();
    inbox.set_watermark(source, PaneId(0));
    read(&inbox, source, &output(P, 70_000));
    inbox.gone(&[P]);
    read(&inbox, source, &output(P, 10));
    let orders = inbox.take_orders(source);
    assert_eq!(orders, [Order::Barrier(vec![P])], "nothing to be paused");
    assert_eq!(said(&inbox).len(), 1);
    // There is room again, but something is missing.
    read(&inbox, source, &output(P, 5));
    for order in orders.into_iter().chain(inbox.take_orders(source)) {
        inbox.settled(source, &order);
    }
    assert_eq!(said(&inbox), ["%1 ended at 0+70000"]);
}

#[test]
fn a_server_that_goes_ends_every_pane() {
    let (inbox, source) = merged();
    inbox.set_watermark(source, PaneId(0));
    read(&inbox, source, "%output %2 b\n%output %1 a\n");
    inbox.end_all(Exit::Eof);
    read(&inbox, source, "%output %1 late\n");
    assert_eq!(
        said(&inbox),
        ["%2 0+0 b", "%1 0+0 a", "%1 ended at 0+1", "%2 ended at 0+1"]
    );
}

#[test]
fn nothing_is_kept_for_nobody() {
    let (inbox, source) = merged();
    inbox.set_watermark(source, PaneId(0));
    read(&inbox, source, &output(P, 70_000));
    inbox.close();
    read(&inbox, source, "%output %1 b\n%pause %1\n");
    assert_eq!(
        inbox.take_orders(source),
        [Order::Continue(P)],
        "followed all the same"
    );
    assert_eq!(said(&inbox), [""; 0]);
    let state = inbox.lock();
    assert_eq!((state.bytes, state.holders), (0, 0));
}

#[test]
fn a_client_that_was_moved_to_another_session_is_sent_away() {
    let (inbox, source) = merged();
    read(&inbox, source, "%session-changed $0 own\n");
    assert_eq!(inbox.take_orders(source), []);
    read(&inbox, source, "%session-changed $7 other\n");
    assert_eq!(inbox.take_orders(source), [Order::Detach]);
}

/// One thing that happens to an inbox with two sources and two panes.
#[derive(Clone, Debug)]
enum Step {
    Read {
        source: usize,
        pane: u32,
        len: usize,
    },
    Pause {
        source: usize,
        pane: u32,
    },
    Continue {
        source: usize,
        pane: u32,
    },
    Settle {
        source: usize,
    },
    Assign {
        pane: u32,
        candidates: Vec<usize>,
    },
    Left {
        source: usize,
        pane: u32,
    },
    Gone {
        pane: u32,
    },
    Take,
}

fn step() -> impl Strategy<Value = Step> {
    let (source, pane) = (0..2usize, 1..3u32);
    prop_oneof![
        4 => (source.clone(), pane.clone(), prop_oneof![1..9usize, Just(30_000)])
            .prop_map(|(source, pane, len)| Step::Read { source, pane, len }),
        1 => (source.clone(), pane.clone()).prop_map(|(source, pane)| Step::Pause { source, pane }),
        1 => (source.clone(), pane.clone())
            .prop_map(|(source, pane)| Step::Continue { source, pane }),
        2 => source.clone().prop_map(|source| Step::Settle { source }),
        1 => (pane.clone(), proptest::sample::subsequence(vec![0, 1], 0..=2))
            .prop_map(|(pane, candidates)| Step::Assign { pane, candidates }),
        1 => (source, pane.clone()).prop_map(|(source, pane)| Step::Left { source, pane }),
        1 => pane.prop_map(|pane| Step::Gone { pane }),
        3 => Just(Step::Take),
    ]
}

proptest! {
    /// Whatever happens, a piece stands behind the one before it or behind a resync, and what
    /// waits is bounded.
    #[test]
    fn streams_are_whole_or_say_that_they_are_not(
        steps in proptest::collection::vec(step(), 0..120)) {
        let (inbox, one) = merged();
        let (two, _) = inbox.register(Some(SessionId(1)));
        let sources = [one, two];
        let mut ends: BTreeMap<PaneId, (u32, u64)> = BTreeMap::new();
        for step in steps {
            let takes = matches!(step, Step::Take);
            match step {
                Step::Read { source, pane, len } => {
                    read(&inbox, sources[source], &output(PaneId(pane), len));
                }
                Step::Pause { source, pane } => {
                    read(&inbox, sources[source], &format!("%pause %{pane}\n"));
                }
                Step::Continue { source, pane } => {
                    read(&inbox, sources[source], &format!("%continue %{pane}\n"));
                }
                Step::Settle { source } => {
                    for order in inbox.take_orders(sources[source]) {
                        inbox.settled(sources[source], &order);
                    }
                }
                Step::Assign { pane, candidates } => {
                    let candidates: Vec<_> = candidates.into_iter().map(|at| sources[at]).collect();
                    inbox.assign(PaneId(pane), &candidates, true);
                }
                Step::Left { source, pane } => inbox.left(PaneId(pane), sources[source]),
                Step::Gone { pane } => inbox.gone(&[PaneId(pane)]),
                Step::Take => {}
            }
            prop_assert!(inbox.lock().bytes < (64 << 10) + 2 * 30_000 + 20_000);
            if !takes {
                continue;
            }
            while let Some(batch) = poll(&inbox) {
                for event in batch.iter() {
                    match event {
                        Event::Output(output) => {
                            let at = (output.epoch, output.offset);
                            prop_assert_eq!(ends.get(&output.pane), Some(&at));
                            let end = output.offset + output.data.decoded_len() as u64;
                            ends.insert(output.pane, (output.epoch, end));
                        }
                        Event::Resync(resync) => {
                            if let Some((epoch, _)) = ends.get(&resync.pane) {
                                prop_assert!(resync.epoch > *epoch);
                            }
                            ends.insert(resync.pane, (resync.epoch, 0));
                        }
                        Event::Ended(ended) => {
                            prop_assert!(ends.remove(&ended.pane).is_some());
                        }
                        other => prop_assert!(false, "{other:?}"),
                    }
                }
            }
            let state = inbox.lock();
            prop_assert_eq!((state.bytes, state.holders), (0, 0));
        }
    }
}
