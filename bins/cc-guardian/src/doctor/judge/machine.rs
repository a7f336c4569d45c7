//! Linger, clock, limits, environment.

use crate::doctor::facts::{Configuration, Daemon, Facts, Told};
use cc_kit::doctor::{Finding, Level};

use cc_kit::doctor::safe;

/// What a guardian has open without units.
const FILES_AT_REST: u64 = 64;
/// What it has open for each: the pipes of a control client, watches of processes, a lease.
const FILES_OF_ONE: u64 = 8;
/// 2025-01-01: no clock that is set shows less.
const BEFORE_THIS_PROGRAM: i64 = 1_735_689_600;

/// Variables that go round as those of Claude Code, and that it does not read.
const INVENTED: [&str; 4] = [
    "CLAUDE_AUTO_RESUME",
    "CLAUDE_HEADLESS",
    "CLAUDE_LOG_LEVEL",
    "CLAUDE_SESSION_TIMEOUT",
];

pub(super) fn judge(facts: &Facts, findings: &mut Vec<Finding>) {
    linger(facts, findings);
    clock(facts, findings);
    limits(facts, findings);
    environment(facts, findings);
}

fn linger(facts: &Facts, findings: &mut Vec<Finding>) {
    let topic = "linger";
    findings.push(match &facts.linger {
        Told::Known(true) => Finding::ok(topic, "What you run outlives your logout."),
        Told::Known(false) => Finding::warning(
            topic,
            "Linger is off for you.",
            "When you log out, services of yours end, the guardian too, and none starts at boot.",
            "Switch it on with `loginctl enable-linger`.",
        ),
        Told::NotKnown(why) => Finding::note(
            topic,
            format!(
                "Whether what you run outlives your logout is not known: {}.",
                safe(why)
            ),
            "Where it does not, the guardian ends with your last session.",
            "Log out and in again, and see whether it still runs.",
        ),
    });
}

fn clock(facts: &Facts, findings: &mut Vec<Finding>) {
    if facts.now < BEFORE_THIS_PROGRAM {
        findings.push(Finding::problem(
            "clock",
            "The clock shows a time before this program was written.",
            "Waits until a limit is over, and the times of events, are all wrong.",
            "Set it, and keep it right by NTP.",
        ));
    }
    findings.push(match &facts.synchronized {
        Told::Known(true) => Finding::ok("clock", "It is kept right by NTP."),
        Told::Known(false) => Finding::warning(
            "clock",
            "It is not kept right by NTP.",
            "Limits that are over at a time of day are waited for too long or too short.",
            "Switch that on with `timedatectl set-ntp true`, or install chrony.",
        ),
        Told::NotKnown(why) => Finding::note(
            "clock",
            format!("Whether it is kept right is not known: {}.", safe(why)),
            "Limits that are over at a time of day are waited for by this clock.",
            "Compare it with another one.",
        ),
    });
    findings.push(match &facts.zone {
        Told::Known(zone) => Finding::ok("zone", format!("The time zone is {}.", safe(zone))),
        Told::NotKnown(why) => Finding::warning(
            "zone",
            format!("The time zone is not known: {}.", safe(why)),
            "Times of day, as in \"resets 3am\", are then taken for UTC.",
            "Set /etc/localtime, or TZ to a name such as Europe/Berlin.",
        ),
    });
}

fn limits(facts: &Facts, findings: &mut Vec<Finding>) {
    let declared = match &facts.configuration {
        Configuration::Right { instances, .. } => *instances,
        _ => 0,
    };
    let has = match &facts.daemon {
        Daemon::Answers { instances, .. } => *instances,
        _ => 0,
    };
    let units = u64::try_from(declared.max(has)).unwrap_or(u64::MAX);
    let needed = units
        .saturating_mul(FILES_OF_ONE)
        .saturating_add(FILES_AT_REST);
    let Some(limit) = facts.descriptors else {
        findings.push(Finding::ok(
            "limits",
            "A process may have any number of files open.",
        ));
        return;
    };
    let level = if limit < needed {
        Level::Problem
    } else if limit < needed.saturating_mul(2) {
        Level::Warning
    } else {
        let what =
            format!("A process may have {limit} files open, {units} instances need {needed}.");
        findings.push(Finding::ok("limits", what));
        return;
    };
    findings.push(Finding::new(
        level,
        "limits",
        format!(
            "A process may have {limit} files open, and {units} instances need about {needed}."
        ),
        "Without them units can neither be started nor be looked at.",
        "Raise it with `ulimit -n`, or LimitNOFILE= in the service.",
    ));
}

fn environment(facts: &Facts, findings: &mut Vec<Finding>) {
    for name in &facts.variables {
        if INVENTED.contains(&name.as_str()) {
            findings.push(Finding::warning(
                "environment",
                format!("{name} is set, and no program reads it."),
                "Who set it expects something of it that does not happen.",
                "Remove it; how long a unit may hang is hang_after in its configuration.",
            ));
        }
    }
    let is_utf8 = |locale: &String| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    };
    findings.push(match &facts.locale {
        Some(locale) if is_utf8(locale) => {
            Finding::ok("locale", format!("It is {}.", safe(locale)))
        }
        other => Finding::warning(
            "locale",
            match other {
                Some(locale) => format!("It is {}, without UTF-8.", safe(locale)),
                None => "It is not set, so it is not UTF-8.".to_owned(),
            },
            "Programs in panes then draw other signs than those they are known by.",
            "Set LANG to C.UTF-8 or to another locale with UTF-8.",
        ),
    });
    findings.push(match facts.terminal.as_deref() {
        None | Some("" | "dumb" | "unknown") => Finding::note(
            "terminal",
            "TERM names no terminal.",
            "`attach` and `top` cannot be used here; the guardian itself needs none.",
            "Use a terminal for these.",
        ),
        Some(terminal) => Finding::ok("terminal", format!("TERM is {}.", safe(terminal))),
    });
}
