//! How often the path of output allocates: hardly ever, since its buffers are used again.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "tests: the helpers around the test functions are tests too"
)]

use allocation_counter::measure;
use tmux_cc::protocol::{Connection, Event, Limits, Nonce};
use tmux_cc::wire::{Notification, escape_into, split_line};

/// 1 MiB of `%output` lines with about `payload` bytes each, one pane in 50.
fn output_lines(payload: usize) -> Vec<u8> {
    let mut stream = Vec::new();
    let mut line = 0;
    while stream.len() < 1 << 20 {
        stream.extend_from_slice(format!("%output %{} ", line % 50).as_bytes());
        let text = format!("line {line} \x1b[31mred\x1b[0m caf\u{e9}\r\n");
        let text: Vec<u8> = text.bytes().cycle().take(payload).collect();
        escape_into(&text, &mut stream);
        stream.push(b'\n');
        line += 1;
    }
    stream
}

fn attached() -> Connection {
    let mut conn = Connection::new(Limits::default(), Nonce::new([1; 16]));
    conn.receive(b"%begin 1 1 0\n%end 1 1 0\n");
    assert!(matches!(conn.poll_event(), Some(Event::Attached(_))));
    conn
}

#[test]
fn the_grammar_does_not_allocate() {
    let stream = output_lines(46);
    let mut lines = 0u64;
    let counted = measure(|| {
        let mut rest = &stream[..];
        while let Some((line, tail)) = split_line(rest) {
            lines += u64::from(Notification::parse(line).is_output());
            rest = tail;
        }
    });
    assert!(lines > 10_000, "{lines}");
    assert_eq!(counted.count_total, 0, "for {lines} lines");
}

#[test]
fn a_connection_allocates_neither_by_the_line_nor_by_the_read() {
    const READ: usize = 64 << 10;
    for payload in [20, 46, 1000] {
        let stream = output_lines(payload);
        let mut conn = attached();
        let mut lines = 0u64;
        let mut decoded = Vec::with_capacity(1 << 20);
        let counted = measure(|| {
            for read in stream.chunks(READ) {
                conn.read_buffer().extend_from_slice(read);
                while let Some(event) = conn.poll_event() {
                    if let Event::Notification(Notification::Output { data, .. }) = event {
                        decoded.clear();
                        let _ = data.decode_into(&mut decoded);
                        lines += 1;
                    }
                }
            }
        });
        let reads = stream.len().div_ceil(READ) as u64;
        assert!(lines > 500, "{lines} lines of {payload}");
        // The buffer is used again and again: less than one in a hundred lines, and in two reads.
        assert!(
            counted.count_total * 100 < lines && counted.count_total <= reads / 2,
            "{} allocations for {reads} reads and {lines} lines of {payload}",
            counted.count_total
        );
    }
}
