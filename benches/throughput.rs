//! How fast output goes through each layer, beside loops that do less.
//!
//! Machines are shared and noisy, so what counts are the ratios of one run: every loop goes over
//! the same corpus in turn, several times, and medians are compared.
//!
//! ```sh
//! cargo bench -p benches --bench throughput     # our layers and the reference loops
//! benches/run                                   # the same, and other crates beside them
//! ```
//!
//! Both print one table and write it as JSON, under the path that they print. `BENCH_MB` (MB of
//! each corpus, 64) and `BENCH_ROUNDS` (7) make it shorter: `BENCH_MB=3` is enough to see that it
//! runs, and too short to judge by.

fn main() -> std::io::Result<()> {
    benches::throughput(Vec::new)
}
