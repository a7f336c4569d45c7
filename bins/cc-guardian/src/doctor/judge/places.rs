//! Directories, the configuration, the daemon.

use cc_kit::printable::harmless;

use crate::doctor::facts::{Configuration, Daemon, Facts, Folder, Found, Runtime, Told};
use cc_kit::doctor::{Finding, Level};

use cc_kit::doctor::{bytes, many, safe};

/// Less room than this is none: a day of events takes some megabytes.
const NO_ROOM: u64 = 50 << 20;
/// Less than this will soon be none.
const LITTLE_ROOM: u64 = 1 << 30;
/// `sun_path` has room for 108 bytes on Linux and 104 elsewhere, the last of them 0.
const LONGEST_SOCKET: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

pub(super) fn judge(facts: &Facts, findings: &mut Vec<Finding>) {
    configuration(facts, findings);
    daemon(facts, findings);
    state(facts, findings);
    runtime(facts, findings);
    sockets(facts, findings);
}

fn configuration(facts: &Facts, findings: &mut Vec<Finding>) {
    let topic = "configuration";
    findings.push(match &facts.configuration {
        Configuration::Absent => {
            Finding::ok(topic, "There is no file of units, and none is needed.")
        }
        Configuration::Right {
            file, instances, ..
        } => Finding::ok(
            topic,
            format!(
                "{} declares {instances} instances, without a mistake.",
                safe(file)
            ),
        ),
        Configuration::Wrong { file, mistakes } => {
            // Its texts are escaped where they are made.
            let first = mistakes.first().map_or("", String::as_str);
            let count = many(mistakes.len(), "mistake");
            let file = safe(file);
            Finding::problem(
                topic,
                format!("{file} has {count}, the first: {}.", harmless(first)),
                "Nothing is started from a file with a mistake.",
                "See all of them with `cc-guardian check FILE`, and correct these lines.",
            )
        }
    });
    let Configuration::Right { sockets, .. } = &facts.configuration else {
        return;
    };
    for socket in sockets
        .iter()
        .filter(|socket| socket.len() > LONGEST_SOCKET)
    {
        findings.push(Finding::problem(
            "socket",
            format!("The path {} is too long for a socket.", safe(socket)),
            format!("It may have {LONGEST_SOCKET} bytes, so tmux cannot start that server."),
            "Give the group a shorter name, or set a shorter XDG_RUNTIME_DIR.",
        ));
    }
}

fn daemon(facts: &Facts, findings: &mut Vec<Finding>) {
    let topic = "daemon";
    let start = "Start it with `cc-guardian up` or `cc-guardian run`.";
    findings.push(match &facts.daemon {
        Daemon::Answers {
            pid,
            instances,
            running,
        } => {
            let pid = pid.map_or_else(String::new, |pid| format!(" (pid {pid})"));
            let what =
                format!("A guardian{pid} answers, {running} of its {instances} instances run.");
            Finding::ok(topic, what)
        }
        Daemon::Absent => Finding::note(topic, "No guardian runs.", "Nothing is guarded.", start),
        Daemon::Stale => Finding::warning(
            topic,
            "No guardian runs, and one has left its socket.",
            "It was killed or has crashed, so nothing is guarded.",
            "Start it with `cc-guardian up`, and see the end of guardian.log.",
        ),
        Daemon::Silent { why } => Finding::problem(
            topic,
            format!("The guardian does not answer: {}.", safe(why)),
            "It hangs, or is another program; what it should guard is not guarded.",
            "See guardian.log, and start it again.",
        ),
    });
}

fn state(facts: &Facts, findings: &mut Vec<Finding>) {
    let Some(state) = &facts.state else {
        findings.push(Finding::problem(
            "state",
            "There is no home directory.",
            "Nothing can be remembered, so no guardian starts.",
            "Set HOME, or name the directory of state with --state.",
        ));
        return;
    };
    let path = safe(&state.path);
    folder("state", state, facts.user, findings);
    let Found::Directory {
        mode,
        free,
        is_volatile,
        ..
    } = &state.found
    else {
        return;
    };
    if mode & 0o055 != 0 && mode & 0o022 == 0 {
        findings.push(Finding::warning(
            "state",
            format!("{path} has mode {mode:04o}."),
            "Others can read what your units do and are asked.",
            "Take the rights of others away with chmod go= on it.",
        ));
    }
    if *is_volatile == Told::Known(true) {
        findings.push(Finding::warning(
            "state",
            format!("{path} is kept in memory only."),
            "After a reboot the guardian has forgotten its units.",
            "Name a directory on a disk with --state or XDG_STATE_HOME.",
        ));
    }
    let Some(free) = *free else {
        return;
    };
    let what = format!("{} are free for {path}.", bytes(free));
    let level = if free < NO_ROOM {
        Level::Problem
    } else if free < LITTLE_ROOM {
        Level::Warning
    } else {
        findings.push(Finding::ok("state", what));
        return;
    };
    let why = "When it is full nothing more is remembered; what runs goes on.";
    findings.push(Finding::new(level, "state", what, why, "Free space there."));
}

fn runtime(facts: &Facts, findings: &mut Vec<Finding>) {
    let topic = "runtime";
    let next =
        "Log in by way of a session manager, or set it to a directory of your own, mode 0700.";
    let instead = "Sockets then stand in the directory of state, where other programs do not look.";
    let runtime = match &facts.runtime {
        Runtime::Unset => {
            let what = "XDG_RUNTIME_DIR is not set.";
            findings.push(Finding::warning(topic, what, instead, next));
            return;
        }
        Runtime::Relative(path) => {
            let what = format!("XDG_RUNTIME_DIR is \"{}\", no absolute path.", safe(path));
            findings.push(Finding::warning(topic, what, instead, next));
            return;
        }
        Runtime::Set(runtime) => runtime,
    };
    let path = safe(&runtime.path);
    folder(topic, runtime, facts.user, findings);
    if let Found::Directory { mode, .. } = runtime.found
        && mode & 0o055 != 0
        && mode & 0o022 == 0
    {
        findings.push(Finding::warning(
            topic,
            format!("XDG_RUNTIME_DIR, {path}, has mode {mode:04o}."),
            "By its specification nobody else may enter it; what others see there they can try.",
            "Give it mode 0700.",
        ));
    }
    if runtime.path.starts_with("/run/user/") && facts.linger == Told::Known(false) {
        findings.push(Finding::warning(
            topic,
            format!("{path} goes when you log out."),
            "The sockets of the guardian and its servers go with it, and nothing reaches them.",
            "Keep it with `loginctl enable-linger`.",
        ));
    }
}

/// Where sockets are, others may not write: who can replace one can take the place of a server.
fn sockets(facts: &Facts, findings: &mut Vec<Finding>) {
    let folders = facts.guardian_sockets.iter().chain([&facts.user_sockets]);
    for sockets in folders {
        // That there are none yet is as it should be.
        if !matches!(sockets.found, Found::Missing { .. }) {
            folder("sockets", sockets, facts.user, findings);
        }
    }
}

/// A directory that has to be ours.
fn folder(topic: &'static str, folder: &Folder, user: u32, findings: &mut Vec<Finding>) {
    let path = safe(&folder.path);
    let needed = "The guardian keeps things there, and does not start without it.";
    findings.push(match &folder.found {
        Found::Missing { can_be_made: true } => {
            Finding::ok(topic, format!("{path} is not there yet, and can be made."))
        }
        Found::Missing { can_be_made: false } => Finding::problem(
            topic,
            format!("{path} is not there, and you may not make it."),
            needed,
            "Have it made for you with mode 0700, or name another one.",
        ),
        Found::Other => Finding::problem(
            topic,
            format!("{path} is no directory."),
            needed,
            "Move away what is there, or name another one.",
        ),
        Found::Closed { why } => Finding::problem(
            topic,
            format!("{path} cannot be looked at: {}.", safe(why)),
            needed,
            "Give it to yourself with mode 0700, or name another one.",
        ),
        Found::Directory { owner, .. } if *owner != user => Finding::problem(
            topic,
            format!("{path} belongs to user {owner}, not to you."),
            "Who owns it can put something of his in the place of what you keep there.",
            "Give it to yourself with mode 0700, or name another one.",
        ),
        Found::Directory { mode, .. } if mode & 0o022 != 0 => Finding::problem(
            topic,
            format!("Others may write to {path}: it has mode {mode:04o}."),
            "They can put something of theirs in the place of what you keep there.",
            "Give it mode 0700.",
        ),
        Found::Directory {
            is_writable: false, ..
        } => Finding::problem(
            topic,
            format!("You may not read and write {path}."),
            needed,
            "Give it to yourself with mode 0700, or name another one.",
        ),
        Found::Directory { .. } => {
            Finding::ok(topic, format!("{path} is yours alone to write to."))
        }
    });
}
