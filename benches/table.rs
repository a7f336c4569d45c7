//! Running loops in turn, and the table of what they took.

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs, io};

use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

use crate::layers::OURS;
use crate::reference::{BLOCK, SCALAR, SPLIT};
use crate::{Corpus, Loop, Tally, Work, allocations, client, layers, median, reference};

/// What a loop took for a corpus.
struct Row {
    name: &'static str,
    /// Encoded bytes in a second, in millions.
    speed: f64,
    /// Allocations for a line.
    allocations: f64,
}

/// Measures the reference loops, ours and `more`, prints the table and writes it.
///
/// # Errors
/// Where the table cannot be written.
pub fn throughput(more: impl FnOnce() -> Vec<Loop>) -> io::Result<()> {
    let megabytes = number("BENCH_MB", 64);
    let rounds = number("BENCH_ROUNDS", 7);
    let mut loops = reference::loops((megabytes + 1) << 20);
    loops.extend(layers::loops());
    loops.extend(client::loops());
    loops.extend(more());
    println!(
        "MB/s of encoded input; over the newline split, over the better of the two reference \
         decoders; allocations per line.\nMedians of {rounds}, over {megabytes} MB."
    );
    let mut report = Vec::new();
    for corpus in Corpus::all(megabytes << 20) {
        let rows = measure(&corpus, &mut loops, rounds);
        print!("{}", table(&corpus, &rows));
        report.push(json(&corpus, &rows));
    }
    let report = json!({ "megabytes": megabytes, "rounds": rounds, "corpora": report });
    let path = path();
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&path, format!("{report:#}\n"))?;
    println!("\n{}", path.display());
    Ok(())
}

fn number(name: &str, default: usize) -> usize {
    match env::var(name) {
        Ok(value) => value
            .parse()
            .ok()
            .filter(|&n| n > 0)
            .unwrap_or_else(|| panic!("{name} is no number: {value}")),
        Err(_) => default,
    }
}

/// Where the report goes: among what is built.
fn path() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target")),
        PathBuf::from,
    );
    target.join("throughput.json")
}

/// What this thread has had of the processor: everything runs on it, and who else runs on the
/// machine does not count.
fn clock() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(now).unwrap_or_default()
}

/// Lets every loop go over the corpus in turn, so that what disturbs the machine disturbs all.
fn measure(corpus: &Corpus, loops: &mut [Loop], rounds: usize) -> Vec<Row> {
    let mut found: Vec<(Vec<Duration>, u64, Tally)> = vec![Default::default(); loops.len()];
    // One round more, that warms up.
    for round in 0..=rounds {
        for (each, (times, count, tally)) in loops.iter_mut().zip(&mut found) {
            let stream = black_box(corpus.part(each.part));
            let before = allocations();
            let began = clock();
            *tally = (each.run)(stream);
            let took = clock().saturating_sub(began);
            *count = allocations() - before;
            if round > 0 {
                times.push(took);
            }
        }
    }
    check(corpus, loops, found.iter().map(|(_, _, tally)| *tally));
    loops
        .iter()
        .zip(found)
        .map(|(each, (times, count, tally))| Row {
            name: each.name,
            speed: corpus.part(each.part).len() as f64 / 1e6 / median(times).as_secs_f64(),
            allocations: count as f64 / tally.lines.max(1) as f64,
        })
        .collect()
}

/// Loops that do the same over the same must have found the same.
fn check(corpus: &Corpus, loops: &[Loop], tallies: impl Iterator<Item = Tally>) {
    let mut seen: Vec<(&Loop, Tally)> = Vec::new();
    for (each, tally) in loops.iter().zip(tallies) {
        let same =
            |(other, _): &&(&Loop, Tally)| (other.work, other.part) == (each.work, each.part);
        if let Some((first, expected)) = seen.iter().find(same) {
            assert_eq!(
                tally, *expected,
                "{}: {} and {} differ",
                corpus.name, each.name, first.name
            );
        }
        assert!(
            each.work == Work::Copy || tally.lines > 0,
            "{} found nothing",
            each.name
        );
        seen.push((each, tally));
    }
}

fn speed(rows: &[Row], name: &str) -> f64 {
    rows.iter()
        .find(|row| row.name == name)
        .map_or(0.0, |row| row.speed)
}

/// What the ratios are to.
fn bases(rows: &[Row]) -> (f64, f64) {
    let decoder = speed(rows, BLOCK).max(speed(rows, SCALAR));
    (speed(rows, SPLIT), decoder)
}

fn table(corpus: &Corpus, rows: &[Row]) -> String {
    let (split, decoder) = bases(rows);
    let mut table = format!(
        "\n{:32} {:>8} {:>7} {:>8} {:>8}\n",
        corpus.name, "MB/s", "/split", "/decode", "allocs"
    );
    for row in rows {
        let _ = writeln!(
            table,
            "{}{:30} {:8.0} {:7.2} {:8.2} {:8.4}",
            if row.name == OURS { "> " } else { "  " },
            row.name,
            row.speed,
            row.speed / split,
            row.speed / decoder,
            row.allocations
        );
    }
    table
}

fn json(corpus: &Corpus, rows: &[Row]) -> Value {
    let (split, decoder) = bases(rows);
    let loops: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "loop": row.name,
                "megabytes_per_second": row.speed,
                "over_newline_split": row.speed / split,
                "over_better_reference_decode": row.speed / decoder,
                "allocations_per_line": row.allocations,
            })
        })
        .collect();
    json!({ "corpus": corpus.name, "bytes": corpus.stream.len(), "loops": loops })
}
