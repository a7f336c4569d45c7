//! The table of what the clients said.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::{env, fs};

use serde_json::json;

/// What a client says of itself, and how a column is headed.
const COLUMNS: [(&str, &str); 10] = [
    ("cpu", "cpu %"),
    ("tmux", "tmux %"),
    ("mb", "MB/s"),
    ("resyncs", "resyncs"),
    ("p50", "p50 ms"),
    ("p99", "p99 ms"),
    ("trips", "trips"),
    ("begin", "MB 2 s"),
    ("end", "MB end"),
    ("peak", "peak"),
];

/// What a client has said under each name, once for each round.
type Figures = BTreeMap<String, Vec<f64>>;

/// Figures by panes and client.
pub(crate) struct Report {
    seconds: u64,
    rows: Vec<(usize, &'static str, Figures)>,
}

impl Report {
    pub(crate) const fn new(seconds: u64) -> Self {
        Self {
            seconds,
            rows: Vec::new(),
        }
    }

    /// Takes what a client has said.
    pub(crate) fn add(&mut self, panes: usize, client: &'static str, said: &str) {
        let same = |row: &(usize, &str, _)| (row.0, row.1) == (panes, client);
        let at = self.rows.iter().position(same).unwrap_or_else(|| {
            self.rows.push((panes, client, BTreeMap::new()));
            self.rows.len() - 1
        });
        for line in said.lines() {
            let (name, figure) = line.split_once(' ').expect("a figure");
            let figures = self.rows[at].2.entry(name.to_owned()).or_default();
            figures.push(figure.parse().expect("a number"));
        }
    }

    pub(crate) fn print(&self) {
        println!(
            "Each client for {} s; `tmux` is the processor time of its tmux clients; memory in MB.",
            self.seconds
        );
        print!("\n{:>5} {:24}", "panes", "client");
        for (_, head) in COLUMNS {
            print!(" {head:>8}");
        }
        println!(" {:>8} {:>8}", "cpu/bare", "p50/bare");
        let mut report = Vec::new();
        for (panes, client, figures) in &self.rows {
            print!("{panes:5} {client:24}");
            let mut row = json!({ "panes": panes, "client": client });
            for (name, _) in COLUMNS {
                let figure = median(figures, name);
                print!(" {figure:8.2}");
                row[name] = json!(figure);
            }
            // Of a loop that has its commands on the same client.
            for name in ["cpu", "p50"] {
                let ratio = self.over_bare(*panes, name, figures);
                print!(" {ratio:8.2}");
                row[format!("{name}_over_bare")] = json!(ratio);
            }
            println!();
            report.push(row);
        }
        let path = path();
        let report = json!({ "seconds": self.seconds, "clients": report });
        fs::write(&path, format!("{report:#}\n")).expect("a report");
        println!("\n{}", path.display());
    }

    fn over_bare(&self, panes: usize, name: &str, figures: &Figures) -> f64 {
        let bare = self
            .rows
            .iter()
            .find(|row| row.0 == panes && row.1 == "bare loop");
        bare.map_or(f64::NAN, |(_, _, bare)| {
            median(figures, name) / median(bare, name)
        })
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
