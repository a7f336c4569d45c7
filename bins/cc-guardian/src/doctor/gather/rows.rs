//! How a server says what it has: rows of fields between tabs, a letter first that says of what.
//!
//! The one field that strangers choose, a name, stands last; tmux lets no line feed and no tab into it.

use tmux_cc::wire::SessionId;

use crate::doctor::facts::{Alive, Client, Pane, Session};

/// One command list that asks for everything, so that one client is enough. Where there is no session
/// the later ones fail, and there is nothing that they could tell.
pub(super) const QUESTION: [&str; 16] = [
    "display-message",
    "-p",
    "V\t#{version}\t#{pid}\t#{exit-empty}\t#{exit-unattached}",
    ";",
    "list-sessions",
    "-F",
    "S\t#{session_id}\t#{session_attached}\t#{destroy-unattached}\t#{session_name}",
    ";",
    "list-panes",
    "-a",
    "-F",
    "P\t#{pane_id}\t#{pane_pipe}\t#{remain-on-exit}\t#{history_size}\t#{history_limit}\t\
     #{history_bytes}\t#{session_name}",
    ";",
    "list-clients",
    "-F",
    "C\t#{client_pid}\t#{client_control_mode}\t#{client_flags}\t#{client_name}\t#{session_name}",
];

/// Reads the answer; `None` where it is none.
pub(super) fn read(text: &str) -> Option<Alive> {
    let mut alive = None::<Alive>;
    for line in text.lines() {
        let (kind, row) = line.split_once('\t')?;
        if kind == "V" {
            let [version, pid, empty, unattached] = fields(row)?;
            alive = Some(Alive {
                version: version.to_owned(),
                pid: pid.parse().ok(),
                exit_empty: is_on(empty),
                exit_unattached: is_on(unattached),
                ..Alive::default()
            });
            continue;
        }
        let alive = alive.as_mut()?;
        match kind {
            "S" => alive.sessions.push(session(row)?),
            "C" => alive.clients.push(client(row)?),
            "P" => {
                let pane = pane(row)?;
                // A window can be linked to several sessions.
                if alive.panes.iter().all(|known| known.id != pane.id) {
                    alive.panes.push(pane);
                }
            }
            _ => return None,
        }
    }
    alive
}

fn session(row: &str) -> Option<Session> {
    let [id, attached, destroy, name] = fields(row)?;
    Some(Session {
        // It stands in a command that is advised.
        id: SessionId::parse(id.as_bytes())?.to_string(),
        name: name.to_owned(),
        attached: attached.parse().ok()?,
        destroy_unattached: is_on(destroy),
    })
}

fn client(row: &str) -> Option<Client> {
    let [pid, control, flags, name, session] = fields(row)?;
    Some(Client {
        name: name.to_owned(),
        pid: pid.parse().ok(),
        is_control: is_on(control),
        flags: flags.split(',').map(str::to_owned).collect(),
        session: session.to_owned(),
        is_guardian: None,
    })
}

fn pane(row: &str) -> Option<Pane> {
    let [id, pipe, remain, lines, limit, bytes, session] = fields(row)?;
    Some(Pane {
        id: id.to_owned(),
        session: session.to_owned(),
        is_piped: is_on(pipe),
        remain_on_exit: is_on(remain),
        history_lines: lines.parse().ok()?,
        history_limit: limit.parse().ok()?,
        history_bytes: bytes.parse().ok()?,
    })
}

/// Exactly so many fields; the last takes what is left.
fn fields<const N: usize>(row: &str) -> Option<[&str; N]> {
    let fields: Vec<&str> = row.splitn(N, '\t').collect();
    fields.try_into().ok()
}

/// Flags are 1 and 0, choices are words; what a version does not have is empty.
fn is_on(value: &str) -> bool {
    !matches!(value, "" | "0" | "off")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_whatever_the_names_are() {
        let alive = read(
            "V\t3.3a\t77\t1\t0\n\
             S\t$0\t0\t0\ta\n\
             S\t$1\t1\tkeep-last\tC\\t b \u{9b} :%end\n\
             P\t%0\t0\toff\t0\t2000\t768\ta\n\
             P\t%1\t1\ton\t12\t2000\t4096\tC\\t b\n\
             P\t%1\t1\ton\t12\t2000\t4096\tlinked\n\
             C\t78\t1\tattached,pause-after=2,UTF-8\tclient-78\tC\\t b\n",
        )
        .unwrap();
        assert_eq!((&*alive.version, alive.pid), ("3.3a", Some(77)));
        assert!(alive.exit_empty && !alive.exit_unattached);
        let destroyed: Vec<_> = alive
            .sessions
            .iter()
            .map(|s| s.destroy_unattached)
            .collect();
        assert_eq!(destroyed, [false, true]);
        assert_eq!(alive.sessions[1].name, "C\\t b \u{9b} :%end");
        assert_eq!(alive.panes.len(), 2);
        assert!(alive.panes[1].is_piped && alive.panes[1].remain_on_exit);
        assert_eq!(alive.panes[1].history_bytes, 4096);
        let client = &alive.clients[0];
        assert!(client.is_control && client.has("pause-after") && !client.has("no-output"));
    }

    #[test]
    fn what_is_no_answer_is_not_read() {
        for text in [
            "",
            "\n",
            "V\t3.3a\n",
            "S\t$0\t0\t0\ta\n",
            "V\t3.3a\t7\t1\t0\nX\ty\n",
            "V\t3.3a\t7\t1\t0\nS\t$0\tx\t0\ta\n",
            "V\t3.3a\t7\t1\t0\nS\t$0'; x\t0\t0\ta\n",
        ] {
            assert!(read(text).is_none(), "{text:?}");
        }
    }
}
