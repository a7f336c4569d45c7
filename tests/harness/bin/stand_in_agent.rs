//! `stand-in-agent`: looks like an agent in a pane, and does what a script says.
//!
//! What can stand in a script, and what the control socket understands: `harness::stand_in::script`.
//! What the log holds: `harness::stand_in::record`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Parser, ValueEnum};
use harness::stand_in::agent::{Like, Setup};
use harness::stand_in::run::{Options, run};
use harness::stand_in::script::Script;
use harness::stand_in::words;

/// Looks like an agent in a pane, and does what a script says.
#[derive(Debug, Parser)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
struct Cli {
    /// Which program to look like; by default the one by whose name it was called.
    #[arg(long, value_enum)]
    like: Option<Name>,
    /// What to do at each prompt.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Do what stands in a prompt behind `do: `.
    #[arg(long)]
    obey: bool,
    /// Append a line for every prompt that is submitted.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Listen here for orders.
    #[arg(long, value_name = "SOCKET")]
    control: Option<PathBuf>,
    /// Read nothing for so long.
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = time)]
    slow_start: Duration,
    /// Ask first whether the folder is trusted.
    #[arg(long)]
    trust: bool,
    /// Go on with this session.
    #[arg(long, value_name = "ID", conflicts_with = "session_id")]
    resume: Option<String>,
    /// Begin a session of this id.
    #[arg(long, value_name = "ID")]
    session_id: Option<String>,
    /// SIGHUP does nothing.
    #[arg(long)]
    ignore_hup: bool,
    /// SIGINT does nothing.
    #[arg(long)]
    ignore_int: bool,
    /// SIGTERM does nothing.
    #[arg(long)]
    ignore_term: bool,
    /// Swallow an Enter that comes so soon behind a paste.
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = time)]
    paste_guard: Duration,
    /// Swallow the first N Enters.
    #[arg(long, value_name = "N", default_value_t = 0)]
    eat_enter: u32,
    /// Show what is typed so much later.
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = time)]
    slow_echo: Duration,
    /// As a shell: mark prompts and commands (OSC 133).
    #[arg(long)]
    marks: bool,
    /// As a shell: have pasted text marked as such.
    #[arg(long)]
    bracketed: bool,
    /// With --ignore-hup: how long to live when the terminal is gone.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = time)]
    orphan_for: Duration,
    /// Run this at every event, with JSON on its standard input as Claude's hooks get it: one
    /// word is a line for `sh -c`, more are a program and its arguments. Takes all that follows.
    #[arg(long, value_name = "CMD", num_args = 1.., allow_hyphen_values = true)]
    hook: Vec<String>,
    /// A prompt to submit as soon as it stands; as codex also `resume ID`, with or without one.
    #[arg(value_name = "PROMPT")]
    words: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Name {
    Claude,
    Codex,
    Shell,
}

fn time(text: &str) -> Result<Duration, String> {
    words::duration(text).ok_or_else(|| format!("{text:?} is no time such as 50ms, 3s or 1h"))
}

fn main() -> ExitCode {
    let done = options(Cli::parse()).and_then(|options| run(options).map_err(|it| it.to_string()));
    match done {
        Ok(status) => status.into(),
        Err(error) => {
            eprintln!("stand-in-agent: {error}");
            ExitCode::FAILURE
        }
    }
}

fn options(cli: Cli) -> Result<Options, String> {
    let like = match cli.like {
        Some(Name::Claude) => Like::Claude,
        Some(Name::Codex) => Like::Codex,
        Some(Name::Shell) => Like::Shell,
        None => called().ok_or("--like says which program to look like")?,
    };
    let script = match &cli.script {
        Some(path) => Script::load(path).map_err(|error| explain(&error))?,
        None => Script::default(),
    };
    let started = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let (resume, prompt) = match cli.words.as_slice() {
        [] => (None, None),
        [word, id] if like == Like::Codex && word == "resume" => (Some(id.clone()), None),
        [word, id, prompt @ ..] if like == Like::Codex && word == "resume" => {
            (Some(id.clone()), Some(prompt.join(" ")))
        }
        prompt => (None, Some(prompt.join(" "))),
    };
    let resume = cli.resume.or(resume);
    let resumed = resume.is_some();
    let session = resume.or(cli.session_id);
    let ignored = [
        (cli.ignore_hup, signal_hook::consts::SIGHUP),
        (cli.ignore_int, signal_hook::consts::SIGINT),
        (cli.ignore_term, signal_hook::consts::SIGTERM),
    ];
    let cwd = std::env::current_dir().map_err(|error| error.to_string())?;
    Ok(Options {
        setup: Setup {
            script,
            obeys: cli.obey,
            cwd: cwd.to_string_lossy().into_owned(),
            session: session.unwrap_or_else(|| session_id(started)),
            resumed,
            prompt,
            trust: cli.trust,
            slow_start: cli.slow_start,
            slow_echo: cli.slow_echo,
            paste_guard: cli.paste_guard,
            eat_enter: cli.eat_enter,
            marks: cli.marks,
            ignored: ignored
                .into_iter()
                .filter_map(|(ignored, signal)| ignored.then_some(signal))
                .collect(),
            started: started.as_secs(),
            ..Setup::new(like)
        },
        log: cli.log,
        control: cli.control,
        hook: cli.hook,
        bracketed: cli.bracketed,
        orphan_for: cli.orphan_for,
    })
}

/// What it was called by: through a link of that name it is what a pane says it runs.
fn called() -> Option<Like> {
    let name = std::env::args_os().next()?;
    match Path::new(&name).file_name()?.to_str()? {
        "claude" => Some(Like::Claude),
        "codex" => Some(Like::Codex),
        _ => None,
    }
}

/// An id in the form of those of the agents; no two that run at once have the same.
fn session_id(now: Duration) -> String {
    format!(
        "{:08x}-{:04x}-4{:03x}-8000-{:012x}",
        std::process::id(),
        now.subsec_nanos() & 0xffff,
        (now.subsec_nanos() >> 16) & 0xfff,
        now.as_secs() & 0xffff_ffff_ffff,
    )
}

/// An error and what it comes from.
fn explain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", explain(source)),
        None => error.to_string(),
    }
}
