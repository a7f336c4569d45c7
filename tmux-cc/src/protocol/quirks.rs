//! Where one tmux differs from another: one table, looked up at run time.

use crate::wire::Version;

/// Declares [`Quirk`] and its table, a row each: its name, the first version that does it (where
/// older ones do not), the first that does it no more (where there is one), what it is in a
/// sentence for users, and where that is known from.
macro_rules! quirks {
    ($($name:ident [$(since $a:literal $b:literal)? $(until $c:literal $d:literal)?]
        $effect:literal, $source:literal;)*) => {
        /// Something that only some versions of tmux do, or fail to do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Quirk {
            $(#[doc = $effect] $name,)*
        }

        const TABLE: &[QuirkRow] = &[
            $(QuirkRow {
                quirk: Quirk::$name,
                since: quirks!(@version $($a $b)?),
                until: quirks!(@version $($c $d)?),
                effect: $effect,
                source: $source,
            },)*
        ];
    };
    (@version) => { None };
    (@version $major:literal $minor:literal) => { Some(Version::new($major, $minor)) };
}

quirks! {
    FlowInBlock [until 3 8]
        "`%pause` and `%continue` are written inside the block of the `refresh-client -A` that caused \
         them.",
        "control.c; tmux #5458: notifications deferred past the guard";
    RespawnCrash [until 3 8]
        "Respawning a pane can crash the server while any control client without `no-output` has not \
         consumed that pane's output.",
        "spawn.c, control.c; tmux #5498, #5499";
    PasteDeadPaneCrash [until 3 4]
        "`paste-buffer` into a dead pane crashes the server.",
        "cmd-paste-buffer.c, window_pane_exited; measured on 3.3a and 3.5a";
    LayoutCrash [since 3 3 until 3 4]
        "`select-layout` with a layout that does not begin with four hexadecimal digits, an empty one \
         too, crashes the server.",
        "layout-custom.c, layout_parse: `cause` is not set; measured on 3.3a";
    SubscriptionCrash [until 3 7]
        "A control client with a subscription crashes the server when its session ends and it does not \
         leave within a second, being busy or stopped.",
        "control.c, control_check_subs_timer: the session is not looked at; measured on 3.5a and 3.7c";
    OffAborts [until 3 7]
        "`refresh-client -A '%0:off'` with queued output can abort the server.",
        "control.c, commit cae229cad";
    VisReplies [since 3 4 until 3 6]
        "Replies pass through vis(3): control bytes arrive as `\\033`, backslashes are not escaped.",
        "cmd-queue.c, cmdq_print; tmux #3401, #3414, #3451";
    VisBuffers [until 3 4]
        "`show-buffer` passes through vis(3), so a buffer is not told byte for byte.",
        "cmd-save-buffer.c, utf8_stravisx; measured on 3.3a and 3.5a";
    HandshakeDropCrash [until 3 7]
        "A control client that is in its handshake, or drops in it, can crash the server when that has \
         something to tell all control clients.",
        "server-client.c; tmux #5004";
    StuckClientBlocksExit [until 3 8]
        "The server does not exit while a control client's reader is stuck.",
        "control.c; tmux #5444";
    LostExitStatus [until 3 6]
        "With utempter, an exited program's status can stay unread until another child exits.",
        "server.c; tmux #4559, commit fa5f3cef3";
    LateNotifications [until 3 8]
        "What a command changes is told after its reply, often after later replies too, and names are \
         those of that moment: of two renames in a row the second is told twice.",
        "notify.c, control-notify.c; measured on 3.7c and 3.8";
    UnlinkedClose [since 2 4 until 3 8]
        "The closing of a window of the client's own session is told as `%unlinked-window-close`; \
         `%window-close` means that one of its links went and another is left.",
        "control-notify.c, control_notify_window_unlinked; measured on 3.7c and 3.8";
    QuietOwnSession [since 3 8]
        "A window of a session that the client makes for itself is told as `%unlinked-window-add`, or \
         not at all, and the end of the client's last session is not told before `%exit`.",
        "measured on 3.7c and 3.8";
    NoMessages [until 3 4]
        "A message for the client is dropped; others send it as `%message`.",
        "cmd-display-message.c; measured on 3.3a and 3.5a";
    NoBufferNotifications [until 3 4]
        "Changes of paste buffers are not told.",
        "control-notify.c; measured on 3.3a and 3.5a";
    StartErrorsInPane [until 3 4]
        "Errors in the file that a server starts with are shown in a mode of the first pane, not \
         told.",
        "cfg.c, cfg_show_causes; measured on 3.3a and 3.5a";
    StraySourceErrors [until 3 6]
        "Errors in a file given to `source-file` come as stray lines, not as `%config-error`.",
        "cfg.c, cfg_print_causes; measured on 3.5a and 3.7c";
    RunShellMode [since 3 3 until 3 5]
        "What `run-shell` prints puts a mode over a pane and is not sent to the client.",
        "cmd-run-shell.c; measured on 3.3a and 3.5a";
    DisplayPanesMode [since 3 8]
        "`display-panes` puts a mode over a pane while it shows the numbers.",
        "measured on 3.7c and 3.8";
    MissingValue [since 3 3 until 3 4]
        "A command whose last flag lacks its value can run as if the flag had none: `kill-session -t` \
         kills the current session.",
        "arguments.c, args_parse: `optional_argument` is not set; measured on 3.3a";
    NamesReplaced [until 3 7]
        "Characters that a session's name may not hold are replaced (`.` and `:` by `_`); others keep \
         these two and refuse control characters.",
        "session.c; tmux #5175, commit eb6533140; measured on 3.5a and 3.7c";
    DollarEscaped [until 3 5]
        "A `$` in a session's name comes back as `\\$`.",
        "utf8.c, utf8_strvis without VIS_DQ; measured on 3.3a and 3.5a";
    ReadOnlySendsKeys [until 3 7]
        "A read-only client may send keys to panes by command.",
        "cmd-send-keys.c, cmd_send_keys_exec; measured on 3.5a and 3.7c";
    NoDetachFlagIgnored [until 3 6]
        "The client flag `no-detach-on-destroy` does nothing.",
        "server-client.c, server_client_set_flags; measured on 3.5a and 3.7c";
    ActivePaneIgnored [since 3 8]
        "The client flag `active-pane` does nothing.",
        "measured on 3.7c and 3.8";
    FloatingTwice [since 3 7 until 3 8]
        "A pane that floats stands twice in a layout: among the tiled panes, and behind them.",
        "layout-custom.c, layout_dump; measured on 3.7c";
    FloatingHidden [since 3 8]
        "Panes that float are missing from layouts unless the client asks for `new-layouts`.",
        "measured on 3.8";
    JsonLayouts [since 3 8]
        "Layouts are JSON for clients with `new-layouts`, and for commands that are not sent by a \
         control client: `tmux list-windows`.",
        "tmux.1 of 3.8, `new-layouts`; measured on 3.8";
    OddSubscription [until 3 8]
        "A subscription to what is neither empty nor an id is one to the session; others never report \
         it.",
        "measured on 3.7c and 3.8";
    NoSubscriptionJobs [since 3 8]
        "`#()` in a subscription stays empty: no shell is run for it.",
        "measured on 3.7c and 3.8";
    LostSignal [until 3 8]
        "A `wait-for` whose client has gone still takes the next signal of its channel: who waits \
         behind that waits in vain.",
        "cmd-wait-for.c, cmd_wait_for_signal; measured on 3.7c and 3.8";
    ExitLost [since 3 8]
        "`%exit` is lost when the client's pipe is full at the end.",
        "measured on 3.7c and 3.8";
}

/// One row of the table of quirks.
///
/// Example: [`Quirks`].
#[derive(Clone, Copy, Debug)]
pub struct QuirkRow {
    /// What differs.
    pub quirk: Quirk,
    /// The first version that does it; all older ones where there is none.
    pub since: Option<Version>,
    /// The first version that does it no more; none yet where there is none.
    pub until: Option<Version>,
    /// What it does, in a sentence for users.
    pub effect: &'static str,
    /// Where that is known from.
    pub source: &'static str,
}

/// The quirks of one server.
///
/// ```
/// use tmux_cc::protocol::{Quirk, Quirks, ReplyText};
/// use tmux_cc::wire::Version;
///
/// let quirks = Quirks::of(Version::new(3, 5));
/// assert!(quirks.has(Quirk::RespawnCrash));
/// assert_eq!(quirks.reply_text(), ReplyText::Vis);
/// for row in Quirks::table() {
///     println!("{:?}: {} ({})", row.quirk, row.effect, row.source);
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    version: Option<Version>,
}

/// How replies made by tmux's print path are encoded.
///
/// Example: [`Quirks`].
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

    /// The version, where it is known.
    #[must_use]
    pub const fn version(self) -> Option<Version> {
        self.version
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
        TABLE
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
            ("3.6b", Quirk::SubscriptionCrash, true),
            ("3.7", Quirk::SubscriptionCrash, false),
            ("3.6b", Quirk::OffAborts, true),
            ("3.7", Quirk::OffAborts, false),
        ] {
            assert_eq!(has(version, quirk), expected, "{version} {quirk:?}");
        }
    }

    #[test]
    fn every_quirk_is_explained() {
        for row in Quirks::table() {
            let rows = Quirks::table()
                .iter()
                .filter(|other| other.quirk == row.quirk);
            assert_eq!(rows.count(), 1, "{row:?}");
            assert!(row.effect.ends_with('.'), "{row:?}");
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
