//! `record-transcripts`: records the transcripts of the tmux under test.
//!
//! `cargo run -p tests --bin record-transcripts -- [DIR]`, with `TMUX_CC_TEST_TMUX` for another
//! tmux than the one on the path. It plays the scenario of `harness::scenario` and writes, into
//! `DIR/VERSION` (`DIR` is `tests/transcripts` unless given), two files for each client; what
//! was there before is removed.

use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::Parser;
use harness::Server;
use harness::scenario::CASES;

/// Records the transcripts of the tmux under test.
#[derive(Debug, Parser)]
struct Cli {
    /// Where the directory of the version is made.
    dir: Option<PathBuf>,
    /// Only cases whose name contains this; nothing is removed then.
    #[arg(long)]
    only: Option<String>,
}

fn main() -> io::Result<()> {
    let cli = Cli::parse();
    let version = Server::empty().version();
    let dir = cli
        .dir
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts"))
        .join(&version);
    if cli.only.is_none() && dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    fs::create_dir_all(&dir)?;
    let mut size = 0;
    for case in CASES {
        if cli
            .only
            .as_ref()
            .is_some_and(|only| !case.name.contains(only))
        {
            continue;
        }
        for transcript in case.record() {
            println!("{} {} bytes", transcript.name, transcript.stream.len());
            size += transcript.stream.len();
            transcript.save(&dir)?;
        }
    }
    println!("tmux {version}: {size} bytes");
    Ok(())
}
