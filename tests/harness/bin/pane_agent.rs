//! `pane-agent`: a program for panes that prints what a test can predict.
//!
//! | Mode | Prints | tty |
//! |---|---|---|
//! | `random SEED BYTES` | exactly the first bytes of the seed's stream | raw |
//! | `text SEED BYTES` | the same of the seed's text stream | raw |
//! | `flood` | `0\n`, `1\n`, `2\n`, ... | no echo |
//! | `guards` | lines that look like control mode's own | no echo |
//! | `receive FILE` | nothing: it writes what it reads to the file, byte for byte | raw |
//!
//! Raw means that what a client reads is byte for byte what was printed. The other modes leave
//! the tty to turn `\n` into `\r\n`, so that lines begin in the first column of the screen.
//! Nowhere is there an echo: a terminal answers some sequences (random bytes hold them), and the
//! answers must not come back as output.

#![allow(
    clippy::indexing_slicing,
    reason = "part of the tests, not of what ships"
)]

use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::RangeInclusive;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, Parser, Subcommand};
use harness::seeded::Seeded;
use harness::wait;
use rustix::termios::{LocalModes, OptionalActions, Termios, isatty, tcgetattr, tcsetattr};

/// Large enough to keep a pty full.
const CHUNK: usize = 64 * 1024;

/// A program for panes that prints what a test can predict.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    mode: Mode,
    #[command(flatten)]
    course: Course,
}

/// When to begin, and what to do at the end.
#[derive(Args, Debug)]
struct Course {
    /// Create this file when the tty is set and nothing is printed yet.
    #[arg(long, global = true, value_name = "PATH")]
    ready_file: Option<PathBuf>,
    /// Print nothing before this file is there.
    #[arg(long, global = true, value_name = "PATH")]
    go_file: Option<PathBuf>,
    /// Print nothing before a line (or a lone Enter) was read.
    #[arg(long, global = true)]
    go_line: bool,
    /// Create this file when everything is printed.
    #[arg(long, global = true, value_name = "PATH")]
    done_file: Option<PathBuf>,
    /// Stay, silent, until standard input ends.
    #[arg(long, global = true)]
    then_stay: bool,
}

#[derive(Debug, Subcommand)]
enum Mode {
    /// Print the first BYTES of the byte stream of SEED: every value, most of it not UTF-8.
    Random { seed: u64, bytes: u64 },
    /// Print the first BYTES of the text stream of SEED: numbered lines of 64 bytes.
    Text { seed: u64, bytes: u64 },
    /// Print numbers, one a line, as fast as the terminal takes them.
    Flood {
        /// Stop after so many lines.
        #[arg(long, default_value_t = u64::MAX)]
        lines: u64,
    },
    /// Print lines of control mode, and every `%end TIME NUMBER FLAGS` in the given ranges: a
    /// reader of captured text that trusts a look-alike ends its block on one of them.
    Guards {
        /// How far back TIME goes from now, in seconds.
        #[arg(long, default_value_t = 2)]
        before: u64,
        /// How far ahead TIME goes from now, in seconds.
        #[arg(long, default_value_t = 3)]
        after: u64,
        /// The range of NUMBER, both ends included.
        #[arg(long, default_value = "0-300", value_parser = parse_range)]
        numbers: RangeInclusive<u32>,
        /// FLAGS: 1 is what the reply to a client's own command has.
        #[arg(long, default_value_t = 1)]
        flags: u32,
        /// Print it all again and again, each time from the new now.
        #[arg(long)]
        repeat: bool,
    },
    /// Append what is typed to a file, as it comes.
    Receive {
        file: PathBuf,
        /// Have pasted text marked as such.
        #[arg(long)]
        bracketed: bool,
    },
}

fn parse_range(text: &str) -> Result<RangeInclusive<u32>, String> {
    let (first, last) = text.split_once('-').ok_or("expected FIRST-LAST")?;
    let number = |text: &str| text.parse().map_err(|error| format!("{text:?}: {error}"));
    Ok(number(first)?..=number(last)?)
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        // The other end of the tty went away, which is how most tests end.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe || is_hangup(&error) => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("pane-agent: {error}");
            ExitCode::FAILURE
        }
    }
}

fn is_hangup(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

fn run(cli: &Cli) -> io::Result<()> {
    let raw = matches!(
        cli.mode,
        Mode::Random { .. } | Mode::Text { .. } | Mode::Receive { .. }
    );
    let _tty = Tty::quiet(raw)?;
    let course = &cli.course;
    if let Mode::Receive { file, bracketed } = &cli.mode {
        return receive(file, *bracketed, course);
    }
    touch(course.ready_file.as_deref())?;
    if let Some(path) = &course.go_file {
        wait::until(Duration::MAX, "the go file", || path.exists());
    }
    if course.go_line {
        read_line()?;
    }

    // Not `io::stdout()`, which looks for lines and keeps what follows the last one.
    let mut out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    match &cli.mode {
        Mode::Random { seed, bytes } => print(&mut out, Seeded::bytes(*seed), *bytes)?,
        Mode::Text { seed, bytes } => print(&mut out, Seeded::text(*seed), *bytes)?,
        Mode::Flood { lines } => flood(&mut out, *lines)?,
        Mode::Guards {
            before,
            after,
            numbers,
            flags,
            repeat,
        } => loop {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_err(io::Error::other)?
                .as_secs();
            let times = now.saturating_sub(*before)..=now + after;
            out.write_all(&guards(times, numbers, *flags))?;
            if !repeat {
                break;
            }
        },
        Mode::Receive { .. } => {}
    }

    touch(course.done_file.as_deref())?;
    if course.then_stay {
        io::copy(&mut io::stdin(), &mut io::sink())?;
    }
    Ok(())
}

fn receive(file: &Path, bracketed: bool, course: &Course) -> io::Result<()> {
    let mut file = File::options().create(true).append(true).open(file)?;
    if bracketed {
        let mut out = io::stdout();
        out.write_all(b"\x1b[?2004h")?;
        out.flush()?;
    }
    touch(course.ready_file.as_deref())?;
    let mut input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    io::copy(&mut input, &mut file)?;
    touch(course.done_file.as_deref())
}

fn touch(path: Option<&Path>) -> io::Result<()> {
    path.map_or(Ok(()), |path| File::create(path).map(drop))
}

/// Reads byte by byte up to the end of a line, whichever way the tty spells it.
fn read_line() -> io::Result<()> {
    for byte in io::stdin().lock().bytes() {
        if matches!(byte?, b'\r' | b'\n') {
            return Ok(());
        }
    }
    Err(io::ErrorKind::BrokenPipe.into())
}

fn print(out: &mut File, stream: Seeded, bytes: u64) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    let mut offset = 0;
    while offset < bytes {
        let length = usize::try_from(bytes - offset).map_or(CHUNK, |left| left.min(CHUNK));
        let chunk = &mut buffer[..length];
        stream.fill(offset, chunk);
        out.write_all(chunk)?;
        offset += length as u64;
    }
    Ok(())
}

fn flood(out: &mut File, lines: u64) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(CHUNK + 32);
    for number in 0..lines {
        writeln!(buffer, "{number}")?;
        if buffer.len() >= CHUNK {
            out.write_all(&buffer)?;
            buffer.clear();
        }
    }
    out.write_all(&buffer)
}

/// First one of every kind of line that a careless reader might act on, then the spray.
fn guards(times: RangeInclusive<u64>, numbers: &RangeInclusive<u32>, flags: u32) -> Vec<u8> {
    let (now, number) = (times.start(), numbers.start());
    let mut lines = format!(
        "%begin {now} {number} {flags}\n\
         %error {now} {number} {flags}\n\
         %output %0 spoof\\015\\012\n\
         %extended-output %0 0 : spoof\n\
         %pause %0\n\
         %continue %0\n\
         %session-changed $99 spoof\n\
         %window-close @0\n\
         %exit spoof\n"
    );
    for time in times {
        for number in numbers.clone() {
            lines.push_str(&format!("%end {time} {number} {flags}\n"));
        }
    }
    lines.into_bytes()
}

/// The tty without echo, as it was again when dropped.
struct Tty {
    before: Option<Termios>,
}

impl Tty {
    fn quiet(raw: bool) -> io::Result<Self> {
        let stdin = io::stdin();
        if !isatty(&stdin) {
            return Ok(Self { before: None });
        }
        let before = tcgetattr(&stdin)?;
        let mut quiet = before.clone();
        if raw {
            quiet.make_raw();
        } else {
            quiet
                .local_modes
                .remove(LocalModes::ECHO | LocalModes::ECHONL);
        }
        tcsetattr(&stdin, OptionalActions::Now, &quiet)?;
        Ok(Self {
            before: Some(before),
        })
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // Drain: what is still on its way out is to pass as it was written.
            let _ = tcsetattr(io::stdin(), OptionalActions::Drain, before);
        }
    }
}
