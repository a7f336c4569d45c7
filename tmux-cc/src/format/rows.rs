//! The rows of sessions and panes.

use crate::wire::{PaneId, SessionId, WindowId};

/// One line of `list-sessions`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SessionRow {
    /// `#{session_id}`.
    pub id: SessionId,
    /// `#{session_name}`, as bytes: it need not be UTF-8.
    pub name: Vec<u8>,
    /// The option `destroy-unattached`: does the session end when its last client leaves? A
    /// control client of ours is a client too.
    pub destroy_unattached: bool,
}

impl SessionRow {
    /// What to give to `list-sessions -F`.
    pub const FORMAT: &str = "#{session_id}\t#{destroy-unattached}\t#{session_name}";

    /// Parses one line that [`FORMAT`](Self::FORMAT) has made, or `None` where it is none.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Self> {
        let mut fields = line.splitn(3, |&b| b == b'\t');
        Some(Self {
            id: SessionId::parse(fields.next()?)?,
            destroy_unattached: !matches!(fields.next()?, b"0" | b"off" | b""),
            name: fields.next()?.to_vec(),
        })
    }
}

/// One line of `list-panes -a`: a pane at one of its places.
///
/// A window that is linked into several sessions has a row in each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PaneRow {
    /// `#{pane_id}`.
    pub id: PaneId,
    /// `#{session_id}`.
    pub session: SessionId,
    /// `#{window_id}`.
    pub window: WindowId,
    /// `#{window_index}` in that session.
    pub window_index: u32,
    /// `#{pane_index}` in that window.
    pub pane_index: u32,
    /// `#{pane_dead}`: has the program ended and the pane been kept (`remain-on-exit`)?
    pub dead: bool,
    /// The user option `@cc_unit`, where it is a name of letters, digits, `_`, `@`, `.` and `-`.
    pub unit: Option<String>,
    /// `#{session_name}`.
    pub session_name: Vec<u8>,
    /// `#{window_name}`.
    pub window_name: Vec<u8>,
}

impl PaneRow {
    /// What to give to `list-panes -a -F`.
    ///
    /// A user option may hold anything, a newline too: one that is no plain name is left out by
    /// tmux itself.
    pub const FORMAT: &str = "#{session_id}\t#{window_id}\t#{pane_id}\t#{window_index}\t\
        #{pane_index}\t#{pane_dead}\t#{?#{m:*[^a-zA-Z0-9_@.-]*,#{@cc_unit}},,#{@cc_unit}}\t\
        #{session_name}\t#{window_name}";

    /// Parses one line that [`FORMAT`](Self::FORMAT) has made, or `None` where it is none.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Self> {
        let mut fields = line.splitn(9, |&b| b == b'\t');
        Some(Self {
            session: SessionId::parse(fields.next()?)?,
            window: WindowId::parse(fields.next()?)?,
            id: PaneId::parse(fields.next()?)?,
            window_index: number(fields.next()?)?,
            pane_index: number(fields.next()?)?,
            dead: fields.next()? == b"1",
            unit: Some(String::from_utf8(fields.next()?.to_vec()).ok()?)
                .filter(|unit| !unit.is_empty()),
            session_name: fields.next()?.to_vec(),
            window_name: fields.next()?.to_vec(),
        })
    }
}

fn number(field: &[u8]) -> Option<u32> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read() {
        let row = SessionRow::parse(b"$3\t1\tmy sess").unwrap();
        assert_eq!(
            (row.id, row.destroy_unattached, &row.name[..]),
            (SessionId(3), true, &b"my sess"[..])
        );
        assert!(!SessionRow::parse(b"$3\t0\tx").unwrap().destroy_unattached);
        let row = PaneRow::parse(b"$0\t@1\t%2\t3\t4\t1\tcoder@1\tses\xff\twin dow").unwrap();
        assert_eq!(
            (row.session, row.window, row.id),
            (SessionId(0), WindowId(1), PaneId(2))
        );
        assert_eq!((row.window_index, row.pane_index, row.dead), (3, 4, true));
        assert_eq!(row.unit.as_deref(), Some("coder@1"));
        assert_eq!(
            (&row.session_name[..], &row.window_name[..]),
            (&b"ses\xff"[..], &b"win dow"[..])
        );
        assert_eq!(
            PaneRow::parse(b"$0\t@1\t%2\t3\t4\t0\t\ts\tw").unwrap().unit,
            None
        );
    }

    #[test]
    fn what_is_no_row_is_none() {
        for line in [
            &b""[..],
            b"$0",
            b"$0\t1",
            b"x\t1\tn",
            b"%0\t1\tn",
            b"second line",
        ] {
            assert_eq!(SessionRow::parse(line), None);
            assert_eq!(PaneRow::parse(line), None);
        }
        assert_eq!(PaneRow::parse(b"$0\t@1\t%2\tx\t4\t0\t\ts\tw"), None);
    }
}
