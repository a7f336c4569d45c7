//! Arguments arrive byte for byte, or are refused.

use harness::server::Server;
use harness::skip_if_asked;
use tmux_cc::client::ClientError;
use tmux_cc::protocol::{Command, CommandError, Quirks, ReplyText};
use tokio::task::JoinSet;

use super::support::{Dice, LONG, attached, scaled, within};

/// What tmux's lexer, its formats, the shell or control mode itself might take for their own.
const HOSTILE: &[&[u8]] = &[
    b"'",
    b"\"",
    b"\\",
    b"$",
    b"$HOME",
    b"${HOME}",
    b"~",
    b"~root",
    b";",
    b" ; ",
    b"{",
    b"}",
    b"#",
    b"#{pane_id}",
    b"#(date)",
    b"%",
    b"%if",
    b"%%",
    b"%e",
    b"\n",
    b"\r",
    b"\t",
    b" ",
    b"\x1b",
    b"\x7f",
    b"\xff",
    b"\xc3",
    b"\xe2\x82\xac",
    b"\xf0\x9f\x98\x80",
    b"\xed\xa0\x80",
    b"\\n",
    b"\\101",
    b"\\u0041",
    b"\n%end 1 1 1\n",
    b"%exit",
    b"A=b",
    b"-t",
    b"--",
    b"a",
    b"@x",
    b"\x01",
];

/// Bytes that something on the way might take for its own, a NUL among them at times.
pub(crate) fn value(dice: &mut Dice) -> Vec<u8> {
    match dice.below(4) {
        // Every byte but NUL, which has its own turn.
        0 => {
            let length = dice.below(300);
            let bytes = dice.bytes(length);
            bytes.into_iter().map(|byte| byte.max(1)).collect()
        }
        1 => {
            let length = dice.below(40);
            dice.bytes(length)
        }
        _ => (0..dice.below(12))
            .flat_map(|_| HOSTILE[dice.below(HOSTILE.len())])
            .copied()
            .collect(),
    }
}

#[tokio::test]
async fn values_come_back_as_they_went() {
    skip_if_asked!();
    let server = Server::start();
    let (client, _events, _driver) = attached(&server).await;
    let quirks = Quirks::of(client.attached().server.version);
    let vis = quirks.reply_text() == ReplyText::Vis;
    let mut dice = Dice::new(6);
    let mut tasks = JoinSet::new();
    for n in 0..scaled(40_000) {
        let value = value(&mut dice);
        // What these versions print of an option cannot be read back, what they print of a buffer
        // can; an empty buffer is none.
        let buffer = vis && !value.is_empty();
        let client = client.clone();
        tasks.spawn(async move {
            let name = if buffer {
                format!("x{n}")
            } else {
                format!("@x{n}")
            };
            // The value may look like a flag.
            let set = if buffer {
                Command::new("set-buffer").option("-b", &name).flag("--")
            } else {
                Command::new("set-option").flag("-g").flag("--").arg(&name)
            };
            let set = client.command(set.arg(&value)).await;
            if value.contains(&0) {
                let refused = matches!(
                    set,
                    Err(ClientError::Command(CommandError::Argument { .. }))
                );
                assert!(refused, "{set:?}");
                return true;
            }
            let shown = value.escape_ascii().to_string();
            set.unwrap().ok().unwrap_or_else(|e| panic!("{shown}: {e}"));
            let show = if buffer {
                Command::new("show-buffer").option("-b", &name)
            } else {
                Command::new("show-options").flag("-gv").arg(&name)
            };
            let reply = client.command(show).await.unwrap().ok().unwrap();
            assert_eq!(reply.text().escape_ascii().to_string(), shown, "{name}");
            false
        });
    }
    let (mut refused, mut same) = (0, 0);
    within(LONG, "all values", async {
        while let Some(done) = tasks.join_next().await {
            if done.unwrap() {
                refused += 1;
            } else {
                same += 1;
            }
        }
    })
    .await;
    eprintln!("{same} came back, {refused} were refused");
    assert!(same > 0 && refused > 0);
}
