//! What is done about a consumer that is too slow.

use super::*;

fn with(request: OutputRequest) -> (Arc<Inbox>, SourceId) {
    let inbox = Inbox::merged(Budget::bytes(0), request, Arc::default());
    let (source, _) = inbox.register(Some(SessionId(0)));
    inbox.set_watermark(source, PaneId(0));
    (inbox, source)
}

/// Every loss that is said, and how many bytes came between.
fn losses(inbox: &Inbox) -> Vec<(Cause, Loss)> {
    let mut losses = Vec::new();
    while let Some(batch) = poll(inbox) {
        losses.extend(batch.iter().filter_map(|event| match event {
            Event::Resync(resync) => Some((resync.cause, resync.loss)),
            _ => None,
        }));
    }
    losses
}

#[test]
fn what_is_dropped_is_counted_and_said_when_there_is_room() {
    let (inbox, source) = with(OutputRequest::default().policy(Policy::Drop));
    read(&inbox, source, &output(P, 70_000));
    read(&inbox, source, "%output %1 a\\015\\012\n");
    read(&inbox, source, &output(P, 7));
    assert_eq!(inbox.take_orders(source), [], "the server is left in peace");
    assert_eq!(losses(&inbox), [(Cause::Dropped, Loss::Known(10))]);
    read(&inbox, source, "%output %1 on\n");
    assert_eq!(said(&inbox), ["%1 1+0 on"]);
}

#[test]
fn a_pane_can_be_dealt_with_in_another_way() {
    let (inbox, source) = with(OutputRequest::default());
    inbox.set_policy(P, Policy::Drop);
    read(&inbox, source, &output(P, 70_000));
    read(&inbox, source, &output(P, 7));
    read(&inbox, source, &output(Q, 7));
    assert_eq!(inbox.take_orders(source), [Order::Pause(Q)]);
    read(&inbox, source, "%pause %2\n");
    inbox.settled(source, &Order::Pause(Q));
    assert_eq!(losses(&inbox), [(Cause::Dropped, Loss::Known(7))]);
    assert_eq!(inbox.take_orders(source), [Order::Continue(Q)]);
    read(&inbox, source, "%continue %2\n");
    let lost = (Cause::Paused, Loss::Unknown { at_least: 7 });
    assert_eq!(losses(&inbox), [lost]);
}

#[test]
fn panes_that_are_not_asked_for_are_paused() {
    let (inbox, source) = with(OutputRequest::from(P));
    read(&inbox, source, "%output %2 b\n%output %1 a\n%output %2 b\n");
    assert_eq!(inbox.take_orders(source), [Order::Pause(Q)]);
    read(&inbox, source, "%pause %2\n");
    inbox.assign(Q, &[source], false);
    assert_eq!(inbox.take_orders(source), []);
    assert_eq!(said(&inbox), ["%1 0+0 a"]);
}

#[test]
fn a_pane_of_which_only_a_listing_tells_begins_with_a_gap() {
    let window = crate::wire::WindowId(1);
    let (inbox, source) = with(OutputRequest::from(PaneFilter::windows([window])));
    read(&inbox, source, "%output %1 a\n");
    assert_eq!(said(&inbox), [""; 0]);
    inbox.assign(P, &[source], true);
    read(&inbox, source, "%output %1 b\n");
    assert_eq!(said(&inbox), ["%1 0 first-sight 0", "%1 0+0 b"]);
}

#[test]
fn a_pane_that_is_moved_to_where_it_is_not_asked_for_ends() {
    let (inbox, source) = with(OutputRequest::default());
    read(&inbox, source, "%output %1 a\n");
    inbox.assign(P, &[source], false);
    assert_eq!(inbox.take_orders(source), [Order::Pause(P)]);
    read(&inbox, source, "%output %1 b\n%pause %1\n");
    inbox.settled(source, &Order::Pause(P));
    assert_eq!(
        said(&inbox),
        ["%1 0+0 a", "%1 1 moved 0", "%1 ended at 1+0"]
    );
    inbox.assign(P, &[source], true);
    assert_eq!(inbox.take_orders(source), [Order::Continue(P)]);
    assert_eq!(said(&inbox), ["%1 0 first-sight 0"]);
}

#[test]
fn what_the_server_pauses_while_it_is_dropped_goes_on_all_the_same() {
    let (inbox, source) = with(OutputRequest::default().policy(Policy::Drop));
    read(&inbox, source, &output(Q, 70_000));
    read(&inbox, source, &output(P, 7));
    assert_eq!(losses(&inbox), [(Cause::Dropped, Loss::Known(7))]);
    // Nothing has come since that was said when there is no room again.
    read(&inbox, source, &output(Q, 70_000));
    read(&inbox, source, &output(P, 7));
    read(&inbox, source, "%pause %1\n");
    while poll(&inbox).is_some() {}
    assert_eq!(inbox.take_orders(source), [Order::Continue(P)]);
    read(&inbox, source, "%continue %1\n%output %1 on\n");
    assert_eq!(said(&inbox), ["%1 2 paused 7", "%1 2+0 on"]);
}

#[test]
fn what_is_held_for_nobody_is_let_go_of() {
    let request = OutputRequest::default().backfill(crate::client::screen::Backfill::Screen);
    let inbox = Inbox::merged(Budget::bytes(0), request, Arc::default());
    let (source, _) = inbox.register(Some(SessionId(0)));
    read(&inbox, source, "%output %1 a\n");
    let now = tokio::time::Instant::now();
    inbox.settled(source, &Order::Pause(P));
    assert_eq!(inbox.take_stitch(now), Err(None), "it has no name yet");
    inbox.set_name(source, b"client-7");
    let stitch = inbox.take_stitch(now).unwrap();
    assert_eq!(stitch.client, b"client-7");
    read(&inbox, source, "%output %1 b\n");
    assert!(inbox.lock().bytes > 0);
    inbox.close();
    read(&inbox, source, "%output %1 c\n");
    inbox.stitched(&stitch, Asked::Unreachable);
    inbox.remove(source);
    inbox.settled(source, &Order::Pause(P));
    assert_eq!(inbox.lock().bytes, 0);
}

#[test]
fn an_answer_to_a_client_that_has_ended_revives_nothing() {
    let (inbox, source) = with(OutputRequest::default());
    read(&inbox, source, "%output %1 a\n");
    inbox.remove(source);
    inbox.settled(source, &Order::Barrier(vec![P]));
    inbox.settled(source, &Order::Pause(P));
    assert_eq!(
        said(&inbox),
        ["%1 0+0 a", "%1 1 disconnected 0", "%1 ended at 1+0"]
    );
}

#[test]
fn a_pane_that_printed_before_anybody_was_there_begins_with_a_gap() {
    let (inbox, source) = with(OutputRequest::default());
    inbox.unheard(P, &[SessionId(7)]);
    // This one's client is attached.
    inbox.unheard(Q, &[SessionId(0)]);
    read(&inbox, source, "%output %1 a\n%output %2 b\n");
    assert_eq!(said(&inbox), ["%1 0 first-sight 0", "%1 0+0 a", "%2 0+0 b"]);
}
