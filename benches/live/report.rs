//! The table of what the clients said.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::{env, fs};

use serde_json::json;

/// A loop that has its commands on the client that takes the output.
pub(crate) const BARE: &str = "bare loop";

/// A loop that has a client for its commands, as a [`tmux_cc::client::Server`] has.
pub(crate) const APART: &str = "bare, commands apart";

/// A consumer that is too slow.
pub(crate) const SLOW: &str = "Server, 500 us an event";

/// What a client says of itself, how a column is headed, and how many places it has.
const COLUMNS: [(&str, &str, usize); 11] = [
    ("cpu", "cpu %", 2),
    ("tmux", "tmux %", 2),
    ("mb", "MB/s", 2),
    ("each", "ms/MB", 3),
    ("resyncs", "resyncs", 0),
    ("p50", "p50 ms", 2),
    ("p99", "p99 ms", 2),
    ("trips", "trips", 0),
    ("begin", "MB 2 s", 1),
    ("end", "MB end", 1),
    ("peak", "peak", 1),
];

/// What is compared with a loop, and the heads of the columns over the one and the other.
const RATIOS: [(&str, &str, &str); 4] = [
    ("cpu", "cpu", "cpu/apart"),
    ("each", "ms/MB", "ms/MB/a"),
    ("p50", "p50", "p50/a"),
    ("p99", "p99", "p99/a"),
];

/// Who is watched beside what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) panes: usize,
    /// Is a person's terminal attached too?
    pub(crate) terminal: bool,
    pub(crate) client: &'static str,
}

/// What a client has said under each name, once for each round.
type Figures = BTreeMap<String, Vec<f64>>;

/// Figures by panes and client.
pub(crate) struct Report {
    seconds: u64,
    slow: u64,
    rounds: u64,
    load: String,
    rows: Vec<(Row, Figures)>,
}

impl Report {
    pub(crate) fn new(seconds: u64, slow: u64, rounds: u64) -> Self {
        Self {
            seconds,
            slow,
            rounds,
            load: crate::load(),
            rows: Vec::new(),
        }
    }

    /// Takes what a client has said; nothing, if there is no such client.
    pub(crate) fn add(&mut self, row: Row, said: &str) {
        let at = self.rows.iter().position(|(other, _)| *other == row);
        let at = at.unwrap_or_else(|| {
            self.rows.push((row, BTreeMap::new()));
            self.rows.len() - 1
        });
        for line in said.lines() {
            let (name, figure) = line.split_once(' ').expect("a figure");
            let figures = self.rows[at].1.entry(name.to_owned()).or_default();
            figures.push(figure.parse().expect("a number"));
        }
    }

    pub(crate) fn print(&self) {
        let load = (&self.load, crate::load());
        let version = harness::server::Server::empty().version();
        println!(
            "tmux {version}; {} s each, medians of {}; the slow one {} s. Load {} before, {} after.",
            self.seconds, self.rounds, self.slow, load.0, load.1
        );
        println!(
            "`tmux %` is the processor time of a client's own tmux processes. MB/s are of tmux's \
             lines. Behind the bar: over the bare loop, and over the one with its commands apart."
        );
        println!("`+t`: a person's terminal is attached too. Memory in MB.\n");
        print!("{:>5} {:23}", "panes", "client");
        for (_, head, _) in COLUMNS {
            print!(" {head:>7}");
        }
        print!(" |");
        for (_, head, _) in RATIOS {
            print!(" {head:>6}");
        }
        print!(" |");
        for (_, _, head) in RATIOS {
            print!(" {head:>9}");
        }
        println!();
        let mut report = Vec::new();
        for (row, figures) in &self.rows {
            let panes = format!("{}{}", row.panes, if row.terminal { "+t" } else { "" });
            print!("{panes:>5} {:23}", row.client);
            if figures.is_empty() {
                println!(" not there");
                continue;
            }
            let mut object = json!({
                "panes": row.panes,
                "terminal": row.terminal,
                "client": row.client,
                "rounds": figures,
            });
            for (name, _, places) in COLUMNS {
                let figure = median(figures, name);
                print!(" {figure:7.places$}");
                object[name] = json!(figure);
            }
            for (bare, over, width) in [(BARE, "bare", 6), (APART, "apart", 9)] {
                print!(" |");
                for (name, ..) in RATIOS {
                    let ratio = self.over(bare, row, name, figures);
                    print!(" {ratio:width$.2}");
                    object[format!("{name}_over_{over}")] = json!(ratio);
                }
            }
            println!();
            report.push(object);
        }
        for (_, figures) in self.rows.iter().filter(|(row, _)| row.client == SLOW) {
            halves(&figures["resident"]);
        }
        let path = path();
        let report = json!({
            "tmux": version,
            "seconds": self.seconds,
            "slow_seconds": self.slow,
            "rounds": self.rounds,
            "load": [load.0, load.1],
            "clients": report,
        });
        fs::write(&path, format!("{report:#}\n")).expect("a report");
        println!("\n{}", path.display());
    }

    /// A figure over that of a loop beside the same server.
    fn over(&self, bare: &str, row: &Row, name: &str, figures: &Figures) -> f64 {
        let same = |other: &Row| {
            let condition = (other.panes, other.terminal);
            condition == (row.panes, row.terminal) && other.client == bare
        };
        let bare = self.rows.iter().find(|(other, _)| same(other));
        bare.map_or(f64::NAN, |(_, bare)| {
            median(figures, name) / median(bare, name)
        })
    }
}

/// Prints whether memory still grows in the second half.
fn halves(resident: &[f64]) {
    let (first, second) = resident.split_at(resident.len() / 2);
    println!("\n{SLOW}, resident MB every 5 s:");
    for (name, half) in [("first", first), ("second", second)] {
        let all: Vec<String> = half.iter().map(|figure| format!("{figure:.1}")).collect();
        let most = half.iter().copied().fold(0.0, f64::max);
        println!("  {name} half: {} (at most {most:.1})", all.join(" "));
    }
}

fn median(figures: &Figures, name: &str) -> f64 {
    let mut all = figures.get(name).cloned().unwrap_or_default();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Where the report goes: among what is built.
fn path() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target")),
        PathBuf::from,
    );
    target.join("live.json")
}
