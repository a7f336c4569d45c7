//! What a pane says beside its output, and what is said about it.

use serde::{Deserialize, Serialize};

use super::Source;

/// How many cells a pane has; the payload of a Resize record.
///
/// `{"cols":80,"rows":24}`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Size {
    /// Columns.
    pub cols: u32,
    /// Rows.
    pub rows: u32,
}

/// A title that the program set (OSC 0 or 2). Of many within a tenth of a second only the last is
/// noted; the output has them all.
///
/// `{"title":"make"}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Title {
    /// The title, as a label.
    pub title: String,
}

/// The program rang (BEL).
///
/// `{"times":1}`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bell {
    /// How often since the last such record.
    pub times: u64,
}

/// An operating system command that others may want to know of: 9 (notification, and `9;4`,
/// progress), 99 and 777 (notifications), 133 (prompt marks), 7501 (status of an agent). Of many with
/// one number within a tenth of a second only the last is noted; the output has them all.
///
/// `{"code":9,"text":"4;1;50"}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Osc {
    /// Its number.
    pub code: u32,
    /// What follows the number and its semicolon, as a label of at most 1,024 bytes.
    pub text: String,
}

/// The program that ran in the pane has ended.
///
/// `{"status":7}`, `{"signal":"9"}`, or `{}` where the server has not told. Servers tell of panes that
/// stay behind their program (`remain-on-exit`) only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramExit {
    /// tmux's `pane_dead_status`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u8>,
    /// tmux's `pane_dead_signal`: a number, or a name without `SIG`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
}

/// Somebody marked this place.
///
/// `{"text":"before the upgrade"}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// What for.
    pub text: String,
}

/// The bytes come from another source from here on.
///
/// `{"source":"control"}`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceChange {
    /// Which.
    pub source: Source,
}

/// How the pane looks: as a capture after a gap shows it. It is not output.
///
/// `{"cols":80,"rows":24,"cursor":[2,0],"alternate":false,"lines":["$ "]}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Screen {
    /// How large it is.
    #[serde(flatten)]
    pub size: Size,
    /// Column and row of the cursor, from 0.
    pub cursor: (u32, u32),
    /// Is it the alternate screen?
    pub alternate: bool,
    /// Its lines with their colours, from the top, as labels.
    pub lines: Vec<String>,
}

/// A secret was taken out of the output just before this record.
///
/// `{"rule":"github-pat","removed":40,"put":31}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redacted {
    /// By which rule.
    pub rule: String,
    /// Bytes of the pane that are not kept.
    pub removed: u64,
    /// Bytes that stand in their place.
    pub put: u64,
}

#[cfg(test)]
mod tests {
    use super::super::Note;
    use super::*;

    #[test]
    fn the_json_is_the_documented_one() {
        let size = Size { cols: 80, rows: 24 };
        let table = [
            (Note::Resize(size), r#"{"cols":80,"rows":24}"#),
            (
                Note::Title(Title {
                    title: "make".into(),
                }),
                r#"{"title":"make"}"#,
            ),
            (Note::Bell(Bell { times: 1 }), r#"{"times":1}"#),
            (
                Note::Osc(Osc {
                    code: 9,
                    text: "4;1;50".into(),
                }),
                r#"{"code":9,"text":"4;1;50"}"#,
            ),
            (
                Note::Exit(ProgramExit {
                    status: Some(7),
                    signal: None,
                }),
                r#"{"status":7}"#,
            ),
            (
                Note::Exit(ProgramExit {
                    status: None,
                    signal: Some("9".into()),
                }),
                r#"{"signal":"9"}"#,
            ),
            (Note::Exit(ProgramExit::default()), "{}"),
            (
                Note::Marker(Marker {
                    text: "before the upgrade".into(),
                }),
                r#"{"text":"before the upgrade"}"#,
            ),
            (
                Note::Source(SourceChange {
                    source: Source::Control,
                }),
                r#"{"source":"control"}"#,
            ),
            (
                Note::Screen(Box::new(Screen {
                    size,
                    cursor: (2, 0),
                    alternate: false,
                    lines: vec!["$ ".into()],
                })),
                r#"{"cols":80,"rows":24,"cursor":[2,0],"alternate":false,"lines":["$ "]}"#,
            ),
            (
                Note::Redacted(Redacted {
                    rule: "github-pat".into(),
                    removed: 40,
                    put: 31,
                }),
                r#"{"rule":"github-pat","removed":40,"put":31}"#,
            ),
        ];
        for (note, text) in table {
            assert_eq!(String::from_utf8(note.to_json().unwrap()).unwrap(), text);
            let back = Note::from_json(note.kind(), text.as_bytes()).unwrap();
            assert_eq!(back.unwrap(), note);
            assert!(note.kind().is_note());
        }
    }
}
