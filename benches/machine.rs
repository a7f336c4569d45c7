//! What benches of whole programs share: where those are, what they use, and what panes print.

use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// A program of the workspace, as it is shipped.
///
/// # Panics
/// When it has not been built.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
        PathBuf::from,
    );
    let program = target.join("release").join(name);
    assert!(
        program.exists(),
        "build it first: cargo build --release -p {name}"
    );
    program
}

/// What a process has used of all CPUs, in seconds, by the clock that ticks 100 times a second for
/// users, whatever the kernel's own does.
///
/// # Panics
/// When there is no such process.
#[must_use]
pub fn cpu(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process");
    let behind_name = stat.rsplit_once(") ").expect("a name").1;
    let fields: Vec<_> = behind_name.split(' ').collect();
    let field = |at: usize| fields[at].parse::<u64>().expect("a number");
    (field(11) + field(12)) as f64 / 100.0
}

/// The middle one.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Lines of printable text, the same on every machine; `coloured`: every fifth begins with colours.
///
/// # Panics
/// When there is no room.
pub fn write_text(path: &Path, bytes: usize, coloured: bool) {
    let mut file = BufWriter::new(fs::File::create(path).expect("a file"));
    let (mut state, mut written, mut line) = (0x9e37_79b9_7f4a_7c15_u64, 0, Vec::new());
    let mut number = 0_u64;
    while written < bytes {
        line.clear();
        if coloured && number.is_multiple_of(5) {
            write!(line, "\x1b[32mINFO\x1b[0m step {number} ").expect("room");
        }
        for _ in 0..5 + state % 7 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            line.extend((0..8).map(|at| b'a' + (state >> (8 * at)) as u8 % 26));
            line.push(b' ');
        }
        line.push(b'\n');
        file.write_all(&line).expect("room");
        written += line.len();
        number += 1;
    }
    file.flush().expect("room");
}
