//! Where one tmux differs from another: one table, looked up at run time.

use crate::wire::Version;

/// Something that only some versions of tmux do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Quirk {
    /// `%pause` and `%continue` are written inside the block of the `refresh-client -A` that
    /// caused them.
    FlowInBlock,
    /// Respawning a pane can crash the server while any control client without `no-output` has
    /// not consumed that pane's output.
    RespawnCrash,
    /// `paste-buffer` into a dead pane crashes the server.
    PasteDeadPaneCrash,
    /// `refresh-client -A '%0:off'` with queued output can abort the server.
    OffAborts,
    /// Replies pass through vis(3): control bytes arrive as `\033`, backslashes are not escaped.
    VisReplies,
    /// A client that drops during its handshake can crash the server.
    HandshakeDropCrash,
    /// The server does not exit while a control client's reader is stuck.
    StuckClientBlocksExit,
    /// With utempter, an exited program's status can stay unread until another child exits.
    LostExitStatus,
}

/// One row of the table of quirks.
#[derive(Clone, Copy, Debug)]
pub struct QuirkRow {
    /// What differs.
    pub quirk: Quirk,
    /// The first version that does it; all older ones where there is none.
    pub since: Option<Version>,
    /// The first version that does it no more; none yet where there is none.
    pub until: Option<Version>,
    /// Where that is known from.
    pub source: &'static str,
}

/// The table.
const TABLE: [QuirkRow; 8] = [
    QuirkRow {
        quirk: Quirk::FlowInBlock,
        since: None,
        until: Some(Version::new(3, 8)),
        source: "control.c; tmux #5458: notifications deferred past the guard",
    },
    QuirkRow {
        quirk: Quirk::RespawnCrash,
        since: None,
        until: Some(Version::new(3, 8)),
        source: "spawn.c, control.c; tmux #5498, #5499",
    },
    QuirkRow {
        quirk: Quirk::PasteDeadPaneCrash,
        since: None,
        until: Some(Version::new(3, 5)),
        source: "cmd-paste-buffer.c; measured on 3.3a and 3.5a, 3.4 not tried",
    },
    QuirkRow {
        quirk: Quirk::OffAborts,
        since: None,
        until: Some(Version::new(3, 7)),
        source: "control.c, commit cae229cad",
    },
    QuirkRow {
        quirk: Quirk::VisReplies,
        since: Some(Version::new(3, 4)),
        until: Some(Version::new(3, 6)),
        source: "cmd-queue.c, cmdq_print; tmux #3401, #3414, #3451",
    },
    QuirkRow {
        quirk: Quirk::HandshakeDropCrash,
        since: None,
        until: Some(Version::new(3, 7)),
        source: "server-client.c; tmux #5004",
    },
    QuirkRow {
        quirk: Quirk::StuckClientBlocksExit,
        since: None,
        until: Some(Version::new(3, 8)),
        source: "control.c; tmux #5444",
    },
    QuirkRow {
        quirk: Quirk::LostExitStatus,
        since: None,
        until: Some(Version::new(3, 6)),
        source: "server.c; tmux #4559, commit fa5f3cef3",
    },
];

/// The quirks of one server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    version: Option<Version>,
}

/// How replies made by tmux's print path are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReplyText {
    /// As they are.
    Raw,
    /// Through vis(3), which cannot be undone: a backslash is not escaped.
    Vis,
}

impl Quirks {
    /// Of a version.
    #[must_use]
    pub const fn of(version: Version) -> Self {
        Self {
            version: Some(version),
        }
    }

    /// Does this version do it? An unknown version may do anything.
    #[must_use]
    pub fn has(self, quirk: Quirk) -> bool {
        let Some(version) = self.version else {
            return true;
        };
        TABLE.iter().filter(|row| row.quirk == quirk).any(|row| {
            row.since.is_none_or(|since| version.at_least(since))
                && !row.until.is_some_and(|until| version.at_least(until))
        })
    }

    /// How replies are encoded.
    #[must_use]
    pub fn reply_text(self) -> ReplyText {
        if self.has(Quirk::VisReplies) {
            ReplyText::Vis
        } else {
            ReplyText::Raw
        }
    }

    /// The whole table.
    #[must_use]
    pub const fn table() -> &'static [QuirkRow] {
        &TABLE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_against_the_table() {
        let has = |version: &str, quirk| {
            Quirks::of(Version::parse(version.as_bytes()).unwrap()).has(quirk)
        };
        for (version, quirk, expected) in [
            ("3.3a", Quirk::FlowInBlock, true),
            ("3.7c", Quirk::FlowInBlock, true),
            ("next-3.8", Quirk::FlowInBlock, false),
            ("master", Quirk::FlowInBlock, false),
            ("3.3a", Quirk::VisReplies, false),
            ("3.4", Quirk::VisReplies, true),
            ("3.5a", Quirk::VisReplies, true),
            ("3.6", Quirk::VisReplies, false),
            ("3.3a", Quirk::PasteDeadPaneCrash, true),
            ("3.5a", Quirk::PasteDeadPaneCrash, false),
            ("3.6b", Quirk::OffAborts, true),
            ("3.7", Quirk::OffAborts, false),
        ] {
            assert_eq!(has(version, quirk), expected, "{version} {quirk:?}");
        }
    }

    #[test]
    fn an_unknown_version_may_do_anything() {
        assert!(
            Quirks::table()
                .iter()
                .all(|row| Quirks::default().has(row.quirk))
        );
    }
}
