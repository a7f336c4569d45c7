//! The table of `benches/throughput.rs`, with loops over other crates in the same rounds.

use std::hint::black_box;

use benches::{Loop, Tally, Work};
use termwiz::tmux_cc;
use tmuxctl::{Engine, Event, Incoming, Notification, Parser};

fn main() -> std::io::Result<()> {
    benches::throughput(|| {
        vec![
            Loop::new("tmuxctl Engine, 8 KiB", Work::Decode, |stream| {
                engine(stream, 8 << 10)
            }),
            Loop::new("tmuxctl Engine, 64 KiB", Work::Decode, |stream| {
                engine(stream, 64 << 10)
            }),
            Loop::new("tmuxctl Parser", Work::Decode, parser),
            // It decodes to text and loses what is none, so it finds something else.
            Loop::new("termwiz tmux_cc", Work::DecodeText, termwiz).part(16),
        ]
    })
}

/// As its drivers feed it.
fn engine(stream: &[u8], read: usize) -> Tally {
    let (mut engine, mut tally) = (Engine::new(), Tally::default());
    for read in stream.chunks(read) {
        for incoming in engine.feed(read) {
            if let Incoming::Notification(Notification::Output { pane, bytes }) = incoming {
                tally.add(pane.0, black_box(bytes).len());
            }
        }
    }
    tally
}

/// Its parser alone, on lines already split.
fn parser(stream: &[u8]) -> Tally {
    let (mut parser, mut tally) = (Parser::new(), Tally::default());
    for line in stream.split(|&byte| byte == b'\n') {
        if let Some(Event::Notification(Notification::Output { pane, bytes })) = parser.push(line) {
            tally.add(pane.0, black_box(bytes).len());
        }
    }
    tally
}

/// A line that it does not understand is an error; it goes on with the next.
fn termwiz(stream: &[u8]) -> Tally {
    let (mut parser, mut tally) = (tmux_cc::Parser::new(), Tally::default());
    for byte in stream {
        if let Ok(Some(tmux_cc::Event::Output { pane, text })) = parser.advance_byte(*byte) {
            tally.add(
                u32::try_from(pane).unwrap_or_default(),
                black_box(text).len(),
            );
        }
    }
    tally
}
