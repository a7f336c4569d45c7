//! Facts into findings.

use cc_kit::doctor::{Finding, Level, bytes, many, safe};

use super::facts::{Configuration, Daemon, Facts, Found, Kept, Reached, Server, Store, Table};
use crate::store::nats::Weight;

/// The topics that have an exit code of their own.
pub(super) const STORE: &str = "store";
pub(super) const CONFIGURATION: &str = "configuration";
pub(super) const BALANCER: &str = "balancer";

/// The least room that is enough for a while.
const ROOM: u64 = 512 << 20;
/// Where nothing can be added soon.
const NO_ROOM: u64 = 16 << 20;

/// All findings, the worst first.
pub(super) fn judge(facts: &Facts) -> Vec<Finding> {
    let mut findings = vec![configuration(facts), tmux(facts)];
    findings.extend(facts.tables.iter().enumerate().map(workers));
    findings.push(daemon(facts));
    findings.extend(store(&facts.store));
    findings.extend(facts.nats.iter().flat_map(nats));
    findings.sort_by_key(|finding| finding.level);
    findings
}

fn configuration(facts: &Facts) -> Finding {
    match &facts.configuration {
        Configuration::Right { file } if facts.tables.is_empty() => Finding::warning(
            CONFIGURATION,
            format!("{} names nobody who works.", safe(file)),
            "Tasks are taken, and wait.",
            "Say who works: [[worker]] with session and profile.",
        ),
        Configuration::Right { file } => {
            let tables = many(facts.tables.len(), "table");
            Finding::ok(
                CONFIGURATION,
                format!("{} has {tables} of workers.", safe(file)),
            )
        }
        Configuration::Wrong { mistake, advice } => {
            let why = "`cc-balancer serve` does not begin with it.";
            Finding::problem(CONFIGURATION, mistake, why, advice)
        }
        Configuration::Absent => Finding::note(
            CONFIGURATION,
            "There is none.",
            "`cc-balancer serve` does not begin without one; tasks are taken, and wait.",
            "Say who works in balancer.toml, or name a file with -c.",
        ),
    }
}

fn tmux(facts: &Facts) -> Finding {
    let tmux = &facts.tmux;
    let program = safe(&tmux.program);
    let (Some(path), Ok(version)) = (&tmux.path, &tmux.version) else {
        let error = tmux.version.as_ref().err().map_or("", String::as_str);
        return Finding::problem(
            "tmux",
            format!("{program} cannot be run: {}.", safe(error)),
            "Without it no server is followed.",
            "Install it, or name it in the configuration: tmux = \"/path/to/tmux\".",
        );
    };
    let (path, version) = (safe(path), safe(version));
    let mut numbers = version.split(|char: char| !char.is_ascii_digit());
    let mut number = || numbers.next().and_then(|it| it.parse::<u32>().ok());
    match (number(), number()) {
        (Some(major), Some(minor)) if (major, minor) < (3, 2) => Finding::problem(
            "tmux",
            format!("{path} is tmux {version}."),
            "The oldest that can be followed is 3.2.",
            "Install a newer one.",
        ),
        _ => Finding::ok("tmux", format!("{path} is tmux {version}.")),
    }
}

fn workers((at, table): (usize, &Table)) -> Finding {
    let (number, means) = (at + 1, safe(&table.means));
    let what = format!("[[worker]] number {number} ({means})");
    let socket = safe(&table.socket);
    match &table.found {
        Found::Nobody(why) if table.is_guardian => Finding::warning(
            "workers",
            format!("{what}: no guardian answers at {socket}: {}.", safe(why)),
            "It knows where its units are: none of them works.",
            "Start it: `cc-guardian up`; or name its state: guardian = \"DIR\".",
        ),
        Found::Nobody(why) => Finding::warning(
            "workers",
            format!("{what}: no tmux server answers at {socket}: {}.", safe(why)),
            "Nobody works there.",
            "Start it, or correct the socket; it is followed as soon as it is there.",
        ),
        Found::Workers(found) if found.is_empty() => Finding::warning(
            "workers",
            format!("{what} matches nothing at {socket}."),
            "Tasks that only those could have wait.",
            match table.is_guardian {
                true => "Compare it with `cc-guardian ls`.".to_owned(),
                false => format!("Compare it with `tmux -S {socket} list-panes -a`."),
            },
        ),
        Found::Workers(found) => Finding::ok(
            "workers",
            format!(
                "{what}: {} at {socket}: {}.",
                many(found.len(), "worker"),
                safe(&found.join(", "))
            ),
        ),
    }
}

fn daemon(facts: &Facts) -> Finding {
    match &facts.daemon {
        Daemon::Answers(workers) => Finding::ok(
            BALANCER,
            format!("It runs, with {}.", many(workers.len(), "worker")),
        ),
        Daemon::Absent => Finding::note(
            BALANCER,
            "None runs.",
            "Tasks are taken, and wait.",
            "Start it: `cc-balancer serve`.",
        ),
        Daemon::Silent(why) => Finding::problem(
            BALANCER,
            format!("It listens, and does not answer: {}.", safe(why)),
            "Nothing can be asked of it.",
            "See its log, end it and start it again: what is under way goes on.",
        ),
    }
}

fn store(store: &Store) -> Vec<Finding> {
    let path = safe(&store.path);
    let health = match &store.found {
        Kept::Nothing => {
            return vec![Finding::note(
                STORE,
                format!("{path} is not there yet."),
                "Nothing was ever added.",
                "The first `cc-balancer add` makes it.",
            )];
        }
        Kept::Broken(why) => {
            return vec![Finding::problem(
                STORE,
                format!("{path} cannot be read: {}.", safe(why)),
                "Nothing can be added, and nothing is begun.",
                "Move it away and put a copy in its place: `cc-balancer backup` writes one.",
            )];
        }
        Kept::There(health) => health,
    };
    let mut findings = Vec::new();
    let mut problem = |what: String, why: &str, next: &str| {
        findings.push(Finding::problem(STORE, what, why, next));
    };
    if let Some(first) = health.damage.first() {
        let count = many(health.damage.len(), "mistake");
        problem(
            format!("{path} is damaged: {count}, the first is: {}.", safe(first)),
            "Tasks may be missing or wrong.",
            "End the balancer, and put a copy in its place: `cc-balancer backup` writes one.",
        );
    }
    let (version, known) = health.version;
    if version > known {
        problem(
            format!("{path} has version {version}, this program knows {known}."),
            "It was written by a newer program.",
            "Start the newer program.",
        );
    }
    if health.journal_mode != "wal" || health.synchronous < 2 {
        let (mode, sync) = (safe(&health.journal_mode), health.synchronous);
        problem(
            format!("{path} is written with journal_mode {mode} and synchronous {sync}."),
            "A power cut can take what was acknowledged.",
            "Start the balancer, which sets wal and FULL.",
        );
    }
    if health.mode & 0o077 != 0 {
        findings.push(Finding::warning(
            STORE,
            format!(
                "{path} can be read by others: its mode is {:o}.",
                health.mode
            ),
            "Prompts and results are in it.",
            format!("chmod 600 {path}"),
        ));
    }
    findings.extend(health.free.and_then(|free| room(&path, free)));
    if findings.is_empty() {
        let free = health
            .free
            .map(|free| format!(", {} are free", bytes(free)));
        findings.push(Finding::ok(
            STORE,
            format!(
                "{path} is sound: {}, journal_mode wal, synchronous full{}.",
                bytes(health.size),
                free.unwrap_or_default()
            ),
        ));
    }
    findings
}

/// What is wrong with so much room beside the store, if anything is.
fn room(path: &str, free: u64) -> Option<Finding> {
    let level = match free {
        ..NO_ROOM => Level::Problem,
        NO_ROOM..ROOM => Level::Warning,
        ROOM.. => return None,
    };
    Some(Finding::new(
        level,
        STORE,
        format!("{} are free beside {path}.", bytes(free)),
        "Where it is full, nothing can be added (exit code 7).",
        "Make room, or let less be kept: [result] keep and max_bytes.",
    ))
}

fn nats(server: &Server) -> Vec<Finding> {
    let url = safe(&server.url);
    match &server.found {
        Reached::Refused(why) => vec![Finding::problem(
            "nats",
            format!("{}.", safe(why)),
            "`cc-balancer serve` does not begin with it.",
            "Correct store and [nats] in the configuration.",
        )],
        Reached::Nobody { why } => vec![Finding::problem(
            "nats",
            match why {
                Some(why) => format!("No server at {url} lets us in: {}.", safe(why)),
                None => format!("No server at {url} answers."),
            },
            "Tasks are taken and wait for it; none is begun.",
            "See whether it runs, and who may log in there.",
        )],
        Reached::There { findings, .. } => findings
            .iter()
            .map(|finding| {
                let level = match finding.weight {
                    Weight::Fine => Level::Ok,
                    Weight::Note => Level::Note,
                    Weight::Warning => Level::Warning,
                    Weight::Wrong => Level::Problem,
                };
                Finding::new(level, "nats", format!("{}.", safe(&finding.text)), "", "")
            })
            .collect(),
    }
}
