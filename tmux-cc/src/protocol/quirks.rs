//! Where one tmux differs from another: one table, looked up at run time.

use crate::wire::Version;

/// Something that only some versions of tmux do, or fail to do.
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
    /// `select-layout` with a layout that does not begin with four hexadecimal digits, an empty
    /// one too, crashes the server.
    LayoutCrash,
    /// `refresh-client -A '%0:off'` with queued output can abort the server.
    OffAborts,
    /// Replies pass through vis(3): control bytes arrive as `\033`, backslashes are not escaped.
    VisReplies,
    /// `show-buffer` passes through vis(3), so a buffer is not told byte for byte.
    VisBuffers,
    /// A client that drops during its handshake can crash the server.
    HandshakeDropCrash,
    /// The server does not exit while a control client's reader is stuck.
    StuckClientBlocksExit,
    /// With utempter, an exited program's status can stay unread until another child exits.
    LostExitStatus,
    /// What a command changes is told after its reply, often after later replies too, and names
    /// are those of that moment: of two renames in a row the second is told twice.
    LateNotifications,
    /// The closing of a window of the client's own session is told as `%unlinked-window-close`;
    /// `%window-close` means that one of its links went and another is left.
    UnlinkedClose,
    /// A window of a session that the client makes for itself is told as `%unlinked-window-add`,
    /// or not at all, and the end of the client's last session is not told before `%exit`.
    QuietOwnSession,
    /// A message for the client is dropped; others send it as `%message`.
    NoMessages,
    /// Changes of paste buffers are not told.
    NoBufferNotifications,
    /// Errors in the file that a server starts with are shown in a mode of the first pane, not
    /// told.
    StartErrorsInPane,
    /// Errors in a file given to `source-file` come as stray lines, not as `%config-error`.
    StraySourceErrors,
    /// What `run-shell` prints puts a mode over a pane and is not sent to the client.
    RunShellMode,
    /// `display-panes` puts a mode over a pane while it shows the numbers.
    DisplayPanesMode,
    /// A command whose last flag lacks its value can run as if the flag had none:
    /// `kill-session -t` kills the current session.
    MissingValue,
    /// Characters that a session's name may not hold are replaced (`.` and `:` by `_`); others
    /// keep these two and refuse control characters.
    NamesReplaced,
    /// A `$` in a session's name comes back as `\$`.
    DollarEscaped,
    /// A read-only client may send keys to panes by command.
    ReadOnlySendsKeys,
    /// The client flag `no-detach-on-destroy` does nothing.
    NoDetachFlagIgnored,
    /// The client flag `active-pane` does nothing.
    ActivePaneIgnored,
    /// A pane that floats stands twice in a layout: among the tiled panes, and behind them.
    FloatingTwice,
    /// Panes that float are missing from layouts unless the client asks for `new-layouts`.
    FloatingHidden,
    /// Layouts are JSON for clients with `new-layouts`, and for commands that are not sent by a
    /// control client: `tmux list-windows`.
    JsonLayouts,
    /// A subscription to what is neither empty nor an id is one to the session; others never
    /// report it.
    OddSubscription,
    /// `#()` in a subscription stays empty: no shell is run for it.
    NoSubscriptionJobs,
    /// `%exit` is lost when the client's pipe is full at the end.
    ExitLost,
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
const TABLE: [QuirkRow; 31] = [
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
        until: Some(Version::new(3, 4)),
        source: "cmd-paste-buffer.c, window_pane_exited; measured on 3.3a and 3.5a",
    },
    QuirkRow {
        quirk: Quirk::LayoutCrash,
        since: Some(Version::new(3, 3)),
        until: Some(Version::new(3, 4)),
        source: "layout-custom.c, layout_parse: `cause` is not set; measured on 3.3a",
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
        quirk: Quirk::VisBuffers,
        since: None,
        until: Some(Version::new(3, 4)),
        source: "cmd-save-buffer.c, utf8_stravisx; measured on 3.3a and 3.5a",
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
    QuirkRow {
        quirk: Quirk::LateNotifications,
        since: None,
        until: Some(Version::new(3, 8)),
        source: "notify.c, control-notify.c; measured on 3.7c and 3.8",
    },
    QuirkRow {
        quirk: Quirk::UnlinkedClose,
        since: Some(Version::new(2, 4)),
        until: Some(Version::new(3, 8)),
        source: "control-notify.c, control_notify_window_unlinked; measured on 3.7c and 3.8",
    },
    QuirkRow {
        quirk: Quirk::QuietOwnSession,
        since: Some(Version::new(3, 8)),
        until: None,
        source: "measured on 3.7c and 3.8",
    },
    QuirkRow {
        quirk: Quirk::NoMessages,
        since: None,
        until: Some(Version::new(3, 4)),
        source: "cmd-display-message.c; measured on 3.3a and 3.5a",
    },
    QuirkRow {
        quirk: Quirk::NoBufferNotifications,
        since: None,
        until: Some(Version::new(3, 4)),
        source: "control-notify.c; measured on 3.3a and 3.5a",
    },
    QuirkRow {
        quirk: Quirk::StartErrorsInPane,
        since: None,
        until: Some(Version::new(3, 4)),
        source: "cfg.c, cfg_show_causes; measured on 3.3a and 3.5a",
    },
    QuirkRow {
        quirk: Quirk::StraySourceErrors,
        since: None,
        until: Some(Version::new(3, 6)),
        source: "cfg.c, cfg_print_causes; measured on 3.5a and 3.7c",
    },
    QuirkRow {
        quirk: Quirk::RunShellMode,
        since: Some(Version::new(3, 3)),
        until: Some(Version::new(3, 5)),
        source: "cmd-run-shell.c; measured on 3.3a and 3.5a",
    },
    QuirkRow {
        quirk: Quirk::DisplayPanesMode,
        since: Some(Version::new(3, 8)),
        until: None,
        source: "measured on 3.7c and 3.8",
    },
    QuirkRow {
        quirk: Quirk::MissingValue,
        since: Some(Version::new(3, 3)),
        until: Some(Version::new(3, 4)),
        source: "arguments.c, args_parse: `optional_argument` is not set; measured on 3.3a",
    },
    QuirkRow {
        quirk: Quirk::NamesReplaced,
        since: None,
        until: Some(Version::new(3, 7)),
        source: "session.c; tmux #5175, commit eb6533140; measured on 3.5a and 3.7c",
    },
    QuirkRow {
        quirk: Quirk::DollarEscaped,
        since: None,
        until: Some(Version::new(3, 5)),
        source: "utf8.c, utf8_strvis without VIS_DQ; measured on 3.3a and 3.5a",
    },
    QuirkRow {
        quirk: Quirk::ReadOnlySendsKeys,
        since: None,
        until: Some(Version::new(3, 7)),
        source: "cmd-send-keys.c, cmd_send_keys_exec; measured on 3.5a and 3.7c",
    },
    QuirkRow {
        quirk: Quirk::NoDetachFlagIgnored,
        since: None,
        until: Some(Version::new(3, 6)),
        source: "server-client.c, server_client_set_flags; measured on 3.5a and 3.7c",
    },
    QuirkRow {
        quirk: Quirk::ActivePaneIgnored,
        since: Some(Version::new(3, 8)),
        until: None,
        source: "measured on 3.7c and 3.8",
    },
    QuirkRow {
        quirk: Quirk::FloatingTwice,
        since: Some(Version::new(3, 7)),
        until: Some(Version::new(3, 8)),
        source: "layout-custom.c, layout_dump; measured on 3.7c",
    },
    QuirkRow {
        quirk: Quirk::FloatingHidden,
        since: Some(Version::new(3, 8)),
        until: None,
        source: "measured on 3.8",
    },
    QuirkRow {
        quirk: Quirk::JsonLayouts,
        since: Some(Version::new(3, 8)),
        until: None,
        source: "tmux.1 of 3.8, `new-layouts`; measured on 3.8",
    },
    QuirkRow {
        quirk: Quirk::OddSubscription,
        since: None,
        until: Some(Version::new(3, 8)),
        source: "measured on 3.7c and 3.8",
    },
    QuirkRow {
        quirk: Quirk::NoSubscriptionJobs,
        since: Some(Version::new(3, 8)),
        until: None,
        source: "measured on 3.7c and 3.8",
    },
    QuirkRow {
        quirk: Quirk::ExitLost,
        since: Some(Version::new(3, 8)),
        until: None,
        source: "measured on 3.7c and 3.8",
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
            ("3.4", Quirk::PasteDeadPaneCrash, false),
            ("3.2a", Quirk::LayoutCrash, false),
            ("3.3", Quirk::LayoutCrash, true),
            ("3.4", Quirk::LayoutCrash, false),
            ("3.7c", Quirk::JsonLayouts, false),
            ("next-3.8", Quirk::JsonLayouts, true),
            ("3.6b", Quirk::OffAborts, true),
            ("3.7", Quirk::OffAborts, false),
        ] {
            assert_eq!(has(version, quirk), expected, "{version} {quirk:?}");
        }
    }

    #[test]
    fn every_quirk_has_a_row_with_a_source() {
        let source = include_str!("quirks.rs");
        let (_, source) = source.split_once("pub enum Quirk {\n").unwrap();
        let (source, _) = source.split_once("}\n").unwrap();
        let variants: Vec<&str> = source
            .lines()
            .map(|line| line.trim().trim_end_matches(','))
            .filter(|line| !line.starts_with("///"))
            .collect();
        let rows = Quirks::table();
        let named: Vec<String> = rows.iter().map(|row| format!("{:?}", row.quirk)).collect();
        assert_eq!(named, variants);
        for row in rows {
            assert!(!row.source.is_empty(), "{row:?}");
            assert!(row.since.is_some() || row.until.is_some(), "{row:?}");
            if let (Some(since), Some(until)) = (row.since, row.until) {
                assert!(since < until, "{row:?}");
            }
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
