//! How fast `%output` goes through each layer, beside loops that do less.
//!
//! Machines are shared and noisy, so what counts are the ratios of one run: each loop goes over
//! the same bytes in turn, several times, and the median is printed.
//!
//! ```sh
//! cargo bench -p benches
//! ```

use std::hint::black_box;
use std::time::Instant;

use tmux_cc::protocol::{Connection, Event, Limits, Nonce};
use tmux_cc::wire::{Notification, escape_into, split_line};

/// Bytes of each corpus, in MB and in all.
const MB: usize = 16;
const CORPUS: usize = MB << 20;

/// Rounds, of which the median counts.
const ROUNDS: usize = 7;

/// `%output` lines with payloads of about `payload` bytes: coloured text over `panes` panes.
fn corpus(payload: usize, panes: usize) -> Vec<u8> {
    let mut stream = Vec::with_capacity(CORPUS + 16 * payload);
    // A small generator of our own: the corpus is the same on every machine.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut line = 0;
    while stream.len() < CORPUS {
        stream.extend_from_slice(format!("%output %{} ", line % panes).as_bytes());
        let mut text = Vec::with_capacity(payload + 32);
        while text.len() < payload {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            match state >> 60 {
                0 => text.extend_from_slice(b"\x1b[32m"),
                1 => text.extend_from_slice(b"\r\n"),
                _ => text.extend_from_slice(b"some words "),
            }
        }
        escape_into(&text, &mut stream);
        stream.push(b'\n');
        line += 1;
    }
    stream
}

fn attached() -> Connection {
    let mut conn = Connection::new(Limits::default(), Nonce::new([1; 16]));
    conn.receive(b"%begin 1 1 0\n%end 1 1 0\n");
    while conn.poll_event().is_some() {}
    conn
}

fn memcpy(stream: &[u8]) {
    let mut to = Vec::with_capacity(stream.len());
    to.extend_from_slice(stream);
    black_box(&to);
}

fn newlines(stream: &[u8]) {
    black_box(memchr::memchr_iter(b'\n', stream).count());
}

fn parse(stream: &[u8]) {
    let (mut rest, mut bytes) = (stream, 0);
    while let Some((line, tail)) = split_line(rest) {
        if let Notification::Output { data, .. } = Notification::parse(line) {
            bytes += data.as_bytes().len();
        }
        rest = tail;
    }
    black_box(bytes);
}

fn parse_and_decode(stream: &[u8]) {
    let (mut rest, mut out) = (stream, Vec::with_capacity(1 << 16));
    while let Some((line, tail)) = split_line(rest) {
        if let Notification::Output { data, .. } = Notification::parse(line) {
            out.clear();
            let _ = data.decode_into(&mut out);
            black_box(&out);
        }
        rest = tail;
    }
}

fn connection(stream: &[u8], read: usize) {
    let mut conn = attached();
    let mut bytes = 0;
    for read in stream.chunks(read) {
        conn.read_buffer().extend_from_slice(read);
        while let Some(event) = conn.poll_event() {
            if let Event::Notification(Notification::Output { data, .. }) = event {
                bytes += data.as_bytes().len();
            }
        }
    }
    black_box(bytes);
}

/// A loop over a corpus, and what it is called.
type Loop = (&'static str, fn(&[u8]));

const LOOPS: [Loop; 6] = [
    ("memcpy", memcpy),
    ("newlines only", newlines),
    ("wire: parse", parse),
    ("wire: parse and decode", parse_and_decode),
    ("Connection, 4 KiB reads", |stream| {
        connection(stream, 4 << 10)
    }),
    ("Connection, 64 KiB reads", |stream| {
        connection(stream, 64 << 10)
    }),
];

fn main() {
    let corpora = [
        ("46 B", corpus(46, 50)),
        ("173 B", corpus(173, 10)),
        ("9.5 KB", corpus(9500, 1)),
    ];
    println!("MB/s of encoded input, and the ratio to counting newlines; median of {ROUNDS}");
    for (name, stream) in &corpora {
        let mut seconds = vec![Vec::new(); LOOPS.len()];
        for _ in 0..ROUNDS {
            for ((_, run), seconds) in LOOPS.iter().zip(&mut seconds) {
                let began = Instant::now();
                run(black_box(stream));
                seconds.push(began.elapsed().as_secs_f64());
            }
        }
        let speeds: Vec<f64> = seconds
            .iter_mut()
            .map(|seconds| {
                seconds.sort_by(f64::total_cmp);
                stream.len() as f64 / 1e6 / seconds[ROUNDS / 2]
            })
            .collect();
        println!("\npayload {name}");
        for ((what, _), speed) in LOOPS.iter().zip(&speeds) {
            println!("  {what:26} {speed:8.0}  {:5.2}", speed / speeds[1]);
        }
    }
}
