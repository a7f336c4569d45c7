//! The table of quirks is what the transcripts show.

use tmux_cc::protocol::Quirk::{self, *};
use tmux_cc::protocol::Quirks;
use tmux_cc::wire::Version;

use crate::played::snapshot;
use crate::{recordings, versions};

/// What a snapshot shows of a quirk.
#[derive(Clone, Copy)]
enum Sign {
    /// This stands in it where the tmux has the quirk, and only there.
    With(&'static str),
    /// This stands in it where the tmux has not.
    Without(&'static str),
    /// A block in the stream itself begins with this line: nothing of it is left in the snapshot.
    InBlock(&'static str),
}

use Sign::{InBlock, With, Without};

/// The quirk, the transcript that shows it, and how.
///
/// The others cannot be played, since they end the server or are a race.
const SIGNS: [(Quirk, &str, Sign); 24] = [
    (FlowInBlock, "11_flow", InBlock("%pause %0")),
    (VisReplies, "01_replies", With(r"esc\\033 bell")),
    (
        VisBuffers,
        "10_captures",
        With(r"    | tab\\tesc\\033 back"),
    ),
    (
        LateNotifications,
        "05_tree",
        With("Reply to: new-window -d -n w1\n    end 1\nWindowAdd"),
    ),
    (
        UnlinkedClose,
        "05_tree",
        With("UnlinkedWindowClose { window: @1 }"),
    ),
    (
        QuietOwnSession,
        "08_sessions",
        Without("WindowAdd { window: @1 }"),
    ),
    (NoMessages, "04_modes", Without("Message {")),
    (
        NoBufferNotifications,
        "04_modes",
        Without("PasteBufferChanged {"),
    ),
    (
        StartErrorsInPane,
        "14_endings.config-error",
        With("PaneModeChanged {"),
    ),
    (
        StraySourceErrors,
        "03_blocks",
        With("Stray \"/home/bad:2: "),
    ),
    (
        RunShellMode,
        "03_blocks",
        With("PaneModeChanged { pane: %0 }\nReply to: run-shell"),
    ),
    (
        DisplayPanesMode,
        "03_blocks",
        With("PaneModeChanged { pane: %0 }\nReply to: display-panes"),
    ),
    (MissingValue, "02_errors", Without("-F expects an argument")),
    (NamesReplaced, "05_tree", With("o t_h_er")),
    (DollarEscaped, "05_tree", With(r"\\$x")),
    (
        ReadOnlySendsKeys,
        "11_flow.reader",
        Without("client is read-only"),
    ),
    (
        NoDetachFlagIgnored,
        "11_flow",
        Without("no-detach-on-destroy,"),
    ),
    (ActivePaneIgnored, "11_flow", Without("active-pane,")),
    (FloatingTwice, "07_floating", With("]<20x5,4,2,2>")),
    (
        FloatingHidden,
        "07_floating",
        With(
            "| 3 1\nReply to: list-windows -F '#{window_layout} #{window_visible_layout}'\n    end 1\n    | 3c3d,60x20,0,0[60x10,0,0,0,60x9,0,11,1] ",
        ),
    ),
    (JsonLayouts, "07_floating", With(r#"{"V":2"#)),
    (OddSubscription, "12_subscriptions", With("name: \"odd\"")),
    (
        NoSubscriptionJobs,
        "12_subscriptions",
        Without("value: \"worked\""),
    ),
    (
        ExitLost,
        "14_endings.crash-in-reply",
        Without("Exited: server exited unexpectedly"),
    ),
];

/// Does a block begin with that line?
fn begins_block(stream: &[u8], line: &str) -> bool {
    let lines: Vec<_> = stream.split(|&b| b == b'\n').collect();
    let begins = |pair: &&[&[u8]]| pair[0].starts_with(b"%begin ") && pair[1] == line.as_bytes();
    lines.windows(2).any(|pair| begins(&pair))
}

#[test]
fn every_quirk_is_seen_where_the_table_has_it() {
    let mut wrong = Vec::new();
    for version in versions() {
        let number = Version::parse(version.as_bytes()).expect("a directory is a version");
        for (quirk, name, sign) in SIGNS {
            let transcript = recordings().find(|(of, found)| *of == version && found.name == name);
            let (_, transcript) = transcript.expect("the transcript is there");
            let said = snapshot(&transcript, &version);
            let seen = match sign {
                With(text) => said.contains(text),
                Without(text) => !said.contains(text),
                InBlock(line) => begins_block(&transcript.stream, line),
            };
            if Quirks::of(number).has(quirk) != seen {
                wrong.push(format!("tmux {version}, {quirk:?}: seen is {seen}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
