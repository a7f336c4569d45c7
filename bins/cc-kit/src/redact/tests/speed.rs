//! How fast.

use std::sync::Arc;
use std::time::Instant;

use super::super::*;
use super::RULES;
use super::samples::Seed;

fn log(seed: &mut Seed, colour: bool) -> Vec<u8> {
    let words = [
        "request",
        "GET",
        "served",
        "in",
        "cache",
        "worker",
        "listening",
        "on",
        "connection",
        "from",
        "upstream",
        "status=200",
        "bytes=5312",
        "user-agent",
        "Mozilla/5.0",
        "retry",
        "compiling",
        "crate",
        "finished",
        "the",
        "warning:",
        "unused",
        "variable",
        "x86_64-linux",
        "src/main.rs:142:9",
        "and",
        "a",
        "session",
        "opened",
        "https",
    ];
    let mut out = Vec::new();
    while out.len() < 8 << 20 {
        out.extend(
            seed.fill("2026-11-26T12:[0-5]{1}[0-9]{1}:[0-9]{2}.[0-9]{6}Z INFO ")
                .bytes(),
        );
        for _ in 0..12 + seed.below(12) {
            if colour {
                out.extend(seed.fill("\x1b|3[1-7]{1}m").replace('|', "[").bytes());
            }
            out.extend(words[seed.below(words.len())].bytes());
            if colour {
                out.extend(b"\x1b[0m");
            }
            out.push(b' ');
        }
        out.extend(b"\r\n");
    }
    out
}

/// `cargo test --release -- --ignored --nocapture`
#[test]
#[ignore = "takes time and says something only in a release build"]
fn speed() {
    let begin = Instant::now();
    Rules::builder().build(Key::new([1; 32])).unwrap();
    println!(
        "rules: {:?}; idle: {} bytes",
        begin.elapsed(),
        size_of::<Redactor>()
    );
    let mut seed = Seed(77);
    let plain = log(&mut seed, false);
    let one: Vec<u8> = plain
        .iter()
        .map(|byte| if *byte < b' ' { b' ' } else { *byte })
        .collect();
    let colour = log(&mut seed, true);
    let binary: Vec<u8> = (0..8 << 20)
        .map(|_| u8::try_from(seed.below(256)).unwrap())
        .collect();
    let code: Vec<u8> = include_bytes!("../engine.rs")
        .iter()
        .copied()
        .cycle()
        .take(8 << 20)
        .collect();
    for (name, text) in [
        ("long lines", &one),
        ("log text", &plain),
        ("colourful", &colour),
        ("binary", &binary),
        ("code", &code),
    ] {
        for chunk in [64 << 10, 4 << 10, 256] {
            let mut best = 0.0_f64;
            let mut hits = 0;
            for _ in 0..5 {
                let mut out = Vec::new();
                let mut redactor = Redactor::new(Arc::clone(&RULES));
                let begin = Instant::now();
                for piece in text.chunks(chunk) {
                    out.clear();
                    redactor.push(piece, &mut out, &mut |_| hits += 1);
                }
                best = best.max(text.len() as f64 / begin.elapsed().as_secs_f64() / 1e6);
            }
            println!("{name:12} pushes of {chunk:6}: {best:7.0} MB/s, {hits} hits");
        }
    }
}
