//! Our own layers.

use std::hint::black_box;

use tmux_cc::protocol::{Connection, Event, Limits, Nonce};
use tmux_cc::wire::{Escaped, Notification, PaneId, split_line};

use crate::{Loop, Tally, Work};

pub(crate) fn loops() -> Vec<Loop> {
    const KB: usize = 1 << 10;
    vec![
        Loop::new("wire", Work::Borrow, |stream| wire(stream, borrow)),
        Loop::new("wire, decoded", Work::Decode, |stream| {
            wire(stream, decode())
        }),
        Loop::new("Connection, 1 B", Work::Borrow, |stream| {
            connection(stream, 1, borrow)
        })
        .part(16),
        Loop::new("Connection, 4 KiB", Work::Borrow, |stream| {
            connection(stream, 4 * KB, borrow)
        }),
        Loop::new("Connection, 64 KiB", Work::Borrow, |stream| {
            connection(stream, 64 * KB, borrow)
        }),
        Loop::new("Connection, 4 KiB, decoded", Work::Decode, |stream| {
            connection(stream, 4 * KB, decode())
        }),
        Loop::new(OURS, Work::Decode, |stream| {
            connection(stream, 64 * KB, decode())
        }),
    ]
}

/// The loop that the figures for decoding are about.
pub(crate) const OURS: &str = "Connection, 64 KiB, decoded";

fn borrow(tally: &mut Tally, pane: PaneId, data: Escaped<'_>) {
    tally.add(pane.0, black_box(data.as_bytes()).len());
}

/// Decodes into one buffer, again and again.
pub(crate) fn decode() -> impl FnMut(&mut Tally, PaneId, Escaped<'_>) {
    let mut out = Vec::new();
    move |tally, pane, data| {
        out.clear();
        let _ = data.decode_into(&mut out);
        tally.add(pane.0, black_box(&out).len());
    }
}

fn wire(stream: &[u8], mut each: impl FnMut(&mut Tally, PaneId, Escaped<'_>)) -> Tally {
    let (mut tally, mut rest) = (Tally::default(), stream);
    while let Some((line, tail)) = split_line(rest) {
        if let Notification::Output { pane, data } = Notification::parse(line) {
            each(&mut tally, pane, data);
        }
        rest = tail;
    }
    tally
}

fn connection(
    stream: &[u8],
    read: usize,
    mut each: impl FnMut(&mut Tally, PaneId, Escaped<'_>),
) -> Tally {
    let mut conn = Connection::new(Limits::default(), Nonce::new([1; 16]));
    conn.receive(b"%begin 1 1 0\n%end 1 1 0\n");
    assert!(matches!(conn.poll_event(), Some(Event::Attached(_))));
    let mut tally = Tally::default();
    for read in stream.chunks(read) {
        conn.read_buffer().extend_from_slice(read);
        loop {
            match conn.poll_event() {
                Some(Event::Notification(Notification::Output { pane, data })) => {
                    each(&mut tally, pane, data);
                }
                Some(_) => {}
                None => break,
            }
        }
    }
    tally
}
