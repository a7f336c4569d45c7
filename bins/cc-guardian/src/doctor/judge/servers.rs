//! Sockets, sessions, clients, panes.

use tmux_cc::protocol::{Quirk, Quirks};
use tmux_cc::wire::Version;

use crate::doctor::facts::{Alive, Answer, Client, Daemon, Facts, Server, Told, Whose};
use cc_kit::doctor::{Finding, Level};

use super::socket_of_command;
use cc_kit::doctor::{many, safe};

pub(super) fn judge(facts: &Facts, findings: &mut Vec<Finding>) {
    if facts.servers.is_empty() {
        findings.push(Finding::ok(
            "server",
            "No tmux server runs, neither ours nor yours.",
        ));
    }
    for server in &facts.servers {
        socket(facts, server, findings);
        if let Answer::Alive(alive) = &server.answer {
            options(server, alive, findings);
            version(facts, server, alive, findings);
            sessions(server, alive, findings);
            for client in &alive.clients {
                findings.extend(control_client(server, alive, client));
            }
            panes(server, alive, findings);
        }
    }
    unguarded(facts, findings);
}

fn socket(facts: &Facts, server: &Server, findings: &mut Vec<Finding>) {
    let socket = safe(&server.socket);
    if server.owner != facts.user {
        findings.push(Finding::problem(
            "socket",
            format!("{socket} belongs to user {}.", server.owner),
            "Who listens there gets the environment and the terminal of whoever connects.",
            "Connect to nothing there; set TMUX_TMPDIR to a directory of your own.",
        ));
    } else if server.mode & 0o022 != 0 {
        findings.push(Finding::warning(
            "socket",
            format!("{socket} has mode {:04o}.", server.mode),
            "Others who can reach it can do all that you can.",
            "Take the rights of others away with chmod go= on it.",
        ));
    }
    findings.push(match &server.answer {
        Answer::Alive(alive) => {
            let whose = match server.whose {
                Whose::Guardian => "the guardian's",
                Whose::User => "yours",
            };
            let pid = alive.pid.map_or_else(String::new, |pid| format!(", pid {pid}"));
            let (sessions, clients) = (alive.sessions.len(), alive.clients.len());
            let what = format!(
                "{socket} ({whose}{pid}) runs tmux {} with {}, {} and {}.",
                safe(&alive.version),
                many(sessions, "session"),
                many(alive.panes.len(), "pane"),
                many(clients, "client"),
            );
            Finding::ok("server", what)
        }
        Answer::Stale => Finding::note(
            "server",
            format!("Nobody listens on {socket} any more."),
            "Its server has ended, perhaps in a crash; what ran there may go on without a terminal.",
            "Nothing: the next server takes its place.",
        ),
        Answer::Hung => Finding::problem(
            "server",
            format!("The tmux server on {socket} does not answer."),
            "It is stopped, or blocked by a terminal that stands still, and so is all that it holds.",
            "Look for a stopped process or terminal; cc-guardian does not end servers.",
        ),
        Answer::Refused { said } => Finding::warning(
            "server",
            format!("{socket} does not answer what it is asked: {}.", safe(said)),
            "What is on that server could not be looked at.",
            "Ask it by hand with `tmux -S`, or compare the version of the tmux that runs there.",
        ),
        Answer::NotAsked { why } => Finding::warning(
            "server",
            format!("{socket} was not asked: {}.", safe(why)),
            "What is on that server is not known.",
            "Put that right, and look again.",
        ),
    });
}

fn options(server: &Server, alive: &Alive, findings: &mut Vec<Finding>) {
    let socket = safe(&server.socket);
    let command = socket_of_command(&server.socket);
    if alive.exit_unattached {
        findings.push(Finding::problem(
            "server",
            format!("The server on {socket} has exit-unattached on."),
            "It ends, with all that runs in it, when the last client leaves.",
            format!("Switch it off with `tmux {command} set-option -s exit-unattached off`."),
        ));
    }
    if server.whose == Whose::User {
        return;
    }
    if alive.exit_empty {
        findings.push(Finding::warning(
            "server",
            format!("The guardian's server on {socket} has exit-empty on."),
            "Somebody has changed it, and it ends with its last session while units are restarted.",
            format!("Switch it off with `tmux {command} set-option -s exit-empty off`."),
        ));
    }
    let lost = alive.panes.iter().filter(|pane| !pane.remain_on_exit);
    let lost: Vec<_> = lost.map(|pane| safe(&pane.id)).collect();
    if !lost.is_empty() {
        findings.push(Finding::warning(
            "pane",
            format!("remain-on-exit is off in {} on {socket}.", lost.join(", ")),
            "How a program there ends is not seen, since its pane goes with it.",
            format!("Switch it on with `tmux {command} set-option -g remain-on-exit on`."),
        ));
    }
}

fn version(facts: &Facts, server: &Server, alive: &Alive, findings: &mut Vec<Finding>) {
    let Told::Known(program) = &facts.tmux.version else {
        return;
    };
    if *program != alive.version {
        findings.push(Finding::warning(
            "server",
            format!(
                "{} runs tmux {}, and the program is {} now.",
                safe(&server.socket),
                safe(&alive.version),
                safe(program)
            ),
            "It was not restarted since an upgrade, so it has the faults of the old version.",
            "Restart it when what runs there can be stopped.",
        ));
    }
}

fn sessions(server: &Server, alive: &Alive, findings: &mut Vec<Finding>) {
    let socket = safe(&server.socket);
    let command = socket_of_command(&server.socket);
    for session in alive.sessions.iter().filter(|s| s.destroy_unattached) {
        let (name, id) = (safe(&session.name), safe(&session.id));
        let level = match (server.whose, session.attached) {
            (Whose::Guardian, _) | (_, 0) => Level::Problem,
            _ => Level::Warning,
        };
        let why = if session.attached == 0 {
            "Nobody is attached, so it ends as soon as any client leaves: a `tmux ls`, or this look."
        } else {
            "It ends, with all that runs in it, when its last client leaves, be that the guardian's."
        };
        findings.push(Finding::new(
            level,
            "session",
            format!("Session \"{name}\" ({id}) on {socket} has destroy-unattached on."),
            why,
            format!(
                "Switch it off with `tmux {command} set-option -t '{id}' destroy-unattached off`."
            ),
        ));
    }
}

/// What there is to say of a control client that is not the guardian's own.
fn control_client(server: &Server, alive: &Alive, client: &Client) -> Option<Finding> {
    if !client.is_control || client.is_guardian == Some(true) {
        return None;
    }
    let whose = match client.is_guardian {
        None => "A control client, perhaps the guardian's own,",
        Some(_) => "A control client of somebody else",
    };
    let pid = client
        .pid
        .map_or_else(String::new, |pid| format!(", pid {pid}"));
    let who = format!(
        "{whose} ({}{pid}) is attached to \"{}\" on {}",
        safe(&client.name),
        safe(&client.session),
        safe(&server.socket)
    );
    let version = Version::parse(alive.version.as_bytes());
    let crashes = version.map_or_else(Quirks::default, Quirks::of);
    let topic = "client";
    Some(if client.has("no-output") {
        let next = "Nothing.";
        let why = "It takes no output, so it does no harm there.";
        if client.has("read-only") {
            // From 3.4 on tmux may take it for the client of commands that come from elsewhere.
            return Some(Finding::warning(
                topic,
                format!("{who}, read-only."),
                "Commands from elsewhere, `tmux send-keys` too, can be refused because of it.",
                "Attach it without read-only: that holds no control client back anyway.",
            ));
        }
        Finding::note(topic, format!("{who}, without output."), why, next)
    } else if crashes.has(Quirk::RespawnCrash) {
        Finding::warning(
            topic,
            format!("{who}, and takes output."),
            "Up to tmux 3.7c one respawn-pane beside it can end the server and all that runs there.",
            "Attach it with -f no-output, or let nobody respawn a pane there.",
        )
    } else if !client.has("pause-after") {
        Finding::warning(
            topic,
            format!("{who}, and takes output without pause-after."),
            "When it stands still the server keeps for it what it does not read, without bound.",
            "Attach it with -f pause-after=2, or with -f no-output.",
        )
    } else {
        let why = "It takes output, and is paused when it is slow.";
        Finding::note(topic, format!("{who}."), why, "Nothing.")
    })
}

fn panes(server: &Server, alive: &Alive, findings: &mut Vec<Finding>) {
    let piped = alive.panes.iter().filter(|pane| pane.is_piped);
    let piped: Vec<_> = piped
        .map(|pane| format!("{} (\"{}\")", safe(&pane.id), safe(&pane.session)))
        .collect();
    if piped.is_empty() {
        return;
    }
    let what = format!(
        "The pipe of {} on {} is taken.",
        piped.join(", "),
        safe(&server.socket)
    );
    findings.push(Finding::note(
        "pipe",
        what,
        "A pane has one, and whoever opens a second one silently ends the first, so logs get gaps.",
        "See that it is cc-logger's, or keep cc-logger away from that pane.",
    ));
}

/// Units that nobody guards.
fn unguarded(facts: &Facts, findings: &mut Vec<Finding>) {
    if !matches!(facts.daemon, Daemon::Absent | Daemon::Stale) {
        return;
    }
    let sessions = facts.servers.iter().map(|server| match &server.answer {
        Answer::Alive(alive) if server.whose == Whose::Guardian => alive.sessions.len(),
        _ => 0,
    });
    let sessions: usize = sessions.sum();
    if sessions > 0 {
        findings.push(Finding::problem(
            "daemon",
            format!(
                "{} of units run, and no guardian.",
                many(sessions, "session")
            ),
            "Nobody notices when one of them ends or hangs.",
            "Start it with `cc-guardian up` or `cc-guardian run`: it takes up what runs.",
        ));
    }
}
